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

extern const struct config_spec outbox_config_spec;

#endif
