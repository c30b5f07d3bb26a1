/* One table: from it come parsing, --help and --check-config. */
#include "config.h"

#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)

static const struct setting settings[] = {
	SETTING(struct presence_config, edge_silence, "edge-silence", SETTING_DURATION, "15s", 100,
	    HOUR, "An edge that was not heard for so long has no sockets; edges speak every 5 s."),
	SETTING(struct presence_config, offline_grace, "offline-grace", SETTING_DURATION, "30s", 0,
	    HOUR,
	    "How long a user whose last socket has gone stays what they were, so that a reconnect"
	    " shows nothing to anybody."),
	SETTING(struct presence_config, listen_first, "listen-first", SETTING_DURATION, "3s", 0,
	    HOUR,
	    "How long a replica listens after a connection to NATS was made before it says or"
	    " answers anything."),
	SETTING(struct presence_config, batch_interval, "batch-interval", SETTING_DURATION, "100ms",
	    1, 60 * SECOND, "Changes go to the edges at most so often, all of them at once."),
	SETTING(struct presence_config, max_user_sockets, "max-user-sockets", SETTING_INT, "20", 1,
	    1000000, "Sockets of a user over all edges; the newest are closed."),
	SETTING(struct presence_config, max_friends, "max-friends", SETTING_INT, "5000", 1, 5000,
	    "Friends of a user."),
};

static const struct setting *const tables[] = { service_settings, service_worker_settings, settings,
	NULL };
static const size_t table_lens[] = { SERVICE_SETTINGS, SERVICE_WORKER_SETTINGS,
	ARRAY_LEN(settings) };

const struct config_spec presence_config_spec = {
	.program = "ww-presence",
	.summary = "Knows who is online, and tells their friends.",
	.tables = tables,
	.table_lens = table_lens,
};
