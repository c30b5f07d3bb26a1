/* What every store-backed service can be told. */
#include "service/service.h"

#define ROW(field, name, type, dflt, min, max, help) \
	SETTING(struct service_config, field, name, type, dflt, min, max, help)

const struct setting service_settings[SERVICE_SETTINGS] = {
	ROW(nats_url, "nats-url", SETTING_TEXT, "nats://127.0.0.1:4222", 0, 0,
	    "Address of the NATS server; plain, so on this host or a private link."),
	ROW(nats_user, "nats-user", SETTING_TEXT, NULL, 0, 0,
	    "NATS user of this service, which decides what it may publish."),
	ROW(nats_password, "nats-password", SETTING_SECRET, NULL, 0, 0,
	    "Password of the NATS user."),
	ROW(database_url, "database-url", SETTING_SECRET, NULL, 0, 0,
	    "PostgreSQL connection string or URL of the database that holds this service's "
	    "schema."),
	ROW(admin, "admin", SETTING_TEXT, "127.0.0.1:0", 0, 0,
	    "Address for /healthz, /readyz and /metrics; port 0 picks a free one, which is "
	    "logged."),
	ROW(log_level, "log-level", SETTING_TEXT, "info", 0, 0,
	    "Lowest level that is logged: debug, info, warn or error."),
	ROW(instance, "instance", SETTING_TEXT, "", 0, 0,
	    "Name of this replica in logs and at the servers; empty: a random one."),
};

const struct setting service_worker_settings[SERVICE_WORKER_SETTINGS] = {
	ROW(workers, "workers", SETTING_INT, "4", 1, 64,
	    "Requests handled at the same time, each with a database connection of its own."),
};
