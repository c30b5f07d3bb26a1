/* One table: from it come parsing, --help and --check-config. */
#include "config.h"

#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)

#define ROW(field, name, type, dflt, min, max, help) \
	SETTING(struct chat_config, field, name, type, dflt, min, max, help)

static const struct setting settings[] = {
	ROW(retention, "retention", SETTING_DURATION, "24h", SECOND, 8784 * HOUR,
	    "How long messages of rooms that are not held may be seen; they leave the database"
	    " within six hours after it."),
	ROW(history, "history", SETTING_INT, "100", 1, CHAT_HISTORY_CAP,
	    "How many of a room's newest messages may be seen."),
	ROW(edit_window, "edit-window", SETTING_DURATION, "15m", 0, 24 * HOUR,
	    "How long after sending a message its sender may edit or delete it."),
	ROW(max_members, "max-members", SETTING_INT, "256", 2, CHAT_MEMBERS_CAP,
	    "Members of a group, those who are invited included."),
	ROW(max_rooms, "max-rooms", SETTING_INT, "1000", 1, 100000,
	    "Groups and direct rooms of a user above which they make no further room and are put "
	    "into no"
	    " further group."),
	ROW(max_new_rooms, "max-new-rooms", SETTING_INT, "200", 1, 100000,
	    "Groups and direct rooms that a user may make in 24 hours."),
	ROW(friends_only, "friends-only", SETTING_BOOL, "false", 0, 0,
	    "Only friends may write to each other directly or put each other into groups;"
	    " ww-presence is asked who is."),
	ROW(show_markers, "show-read-markers", SETTING_BOOL, "true", 0, 0,
	    "Whether members see how far others have read."),
	ROW(escape_html, "escape-html", SETTING_BOOL, "true", 0, 0,
	    "Texts and names go to clients with & < > \" ' as HTML entities; turn it off if no"
	    " client puts them into a page."),
	ROW(report_retention, "report-retention", SETTING_DURATION, "2160h", HOUR, 87840 * HOUR,
	    "How long reported messages are kept with their reports."),
};

static const struct setting *const tables[] = { service_settings, service_worker_settings, settings,
	NULL };
static const size_t table_lens[] = { SERVICE_SETTINGS, SERVICE_WORKER_SETTINGS,
	ARRAY_LEN(settings) };

const struct config_spec chat_config_spec = {
	.program = "ww-chat",
	.summary = "Keeps rooms and what is said in them.",
	.tables = tables,
	.table_lens = table_lens,
};
