/* config: the settings of ww-presence. */
#ifndef PRESENCE_CONFIG_H
#define PRESENCE_CONFIG_H

#include "service/service.h"

struct presence_config {
	struct service_config service; /* first, as service_settings wants it */
	int64_t edge_silence;          /* ms */
	int64_t offline_grace;         /* ms */
	int64_t listen_first;          /* ms */
	int64_t batch_interval;        /* ms */
	int64_t max_user_sockets;
	int64_t max_friends;
};

extern const struct config_spec presence_config_spec;

#endif
