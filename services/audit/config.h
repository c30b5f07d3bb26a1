/* config: the settings of ww-audit. */
#ifndef AUDIT_CONFIG_H
#define AUDIT_CONFIG_H

#include "service/service.h"

enum { SHARDS_MAX = 16 };

struct audit_config {
	struct service_config service; /* first, as service_settings wants it */
	int64_t shards;
	char *signing_key_file, *earlier_keys_file, *heads_file;
	int64_t heads_interval; /* ms */
	int64_t heads_rows;
	int64_t upkeep_interval; /* ms */
};

extern const struct config_spec audit_config_spec;

#endif
