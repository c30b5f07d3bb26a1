/* config: the settings of ww-outbox. */
#ifndef OUTBOX_CONFIG_H
#define OUTBOX_CONFIG_H

#include "service/service.h"

struct outbox_config {
	struct service_config service; /* first, as service_settings wants it */
	char *schema;
	int64_t batch_max;
	int64_t poll_busy, poll_idle; /* ms */
};

/* From environment and flags; answers --help and the like itself. */
enum config_outcome outbox_config_load(struct outbox_config *cfg, int argc, char **argv) MUST_CHECK;
void outbox_config_release(struct outbox_config *cfg);

#endif
