/* config: the settings of ww-chat. */
#ifndef CHAT_CONFIG_H
#define CHAT_CONFIG_H

#include "service/service.h"

enum {
	CHAT_MEMBERS_CAP = 256,  /* an event names no more users */
	CHAT_HISTORY_CAP = 1000, /* messages of a room that may be seen */
};

struct chat_config {
	struct service_config service; /* first, as service_settings wants it */
	int64_t retention;             /* ms */
	int64_t history;               /* messages */
	int64_t edit_window;           /* ms */
	int64_t max_members;
	int64_t max_rooms;
	int64_t max_new_rooms; /* of a user in 24 hours */
	bool friends_only;
	bool show_markers;
	bool escape_html;
	int64_t report_retention; /* ms */
};

extern const struct config_spec chat_config_spec;

#endif
