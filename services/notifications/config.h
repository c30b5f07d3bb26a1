/* config: the settings of ww-notifications. */
#ifndef NOTIFICATIONS_CONFIG_H
#define NOTIFICATIONS_CONFIG_H

#include "service/service.h"

struct notifications_config {
	struct service_config service; /* first, as service_settings wants it */
	int64_t batch_max;
	int64_t takeover_wait;      /* ms */
	int64_t order_wait;         /* ms */
	int64_t mailbox_retention;  /* ms */
	int64_t transfer_retention; /* ms */
	int64_t balance_fresh;      /* ms */
	int64_t balance_timeout;    /* ms */
	bool balance_refresh;
	int64_t balance_settle; /* ms */
};

extern const struct config_spec notifications_config_spec;

#endif
