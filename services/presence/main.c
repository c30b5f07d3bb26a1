/* ww-presence: knows who is online, and tells their friends. See README.md. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "presence.h"
#include "service/audit_relay.h"
#include "service/prepare.h"
#include "speaker.h"
#include "stats.h"

enum {
	SETTLE_MS = 500, /* a recovery may have two sockets for so long */
};

static const char *not_ready(void *ctx)
{
	const struct presence *presence = ctx;
	const struct speaker *speaker = atomic_load(&presence->speaker);

	return speaker ? speaker_trouble(speaker) : "the database is being prepared";
}

static enum status prepare(struct db *db, struct err *err)
{
	return db_migrate(db, STORE_SCHEMA, store_migrations, store_migrations_len, err);
}

static enum status start(struct presence *presence, struct service *service, const char *name,
    struct audit_relay **ret_audit, struct err *err)
{
	struct db_config database = { .dsn = presence->cfg->service.database_url,
		.application_name = name,
		.statements = store_statements,
		.statements_len = store_statements_len };
	enum status s = service_prepare(service, &database, prepare, err);

	if (s || service_is_stopping(service))
		return s;
	s = audit_relay_start(&store_audit, &database, service_bus(service), ret_audit, err);
	if (s)
		return s;
	return speaker_start(presence, service_bus(service), name, err);
}

/* Blocks until told to stop; what it started is ended again in reverse order. */
static enum status serve(const void *arg, struct err *err)
{
	const struct presence_config *cfg = arg;
	struct roster_config roster = { .silence = cfg->edge_silence,
		.grace = cfg->offline_grace,
		.keep = PRESENCE_KEEP_MS,
		.settle = SETTLE_MS,
		.sockets_max = (uint32_t)cfg->max_user_sockets };
	struct presence presence = { .cfg = cfg, .lock = PTHREAD_MUTEX_INITIALIZER };
	struct service_spec spec = { .name = "presence",
		.routes = presence_routes,
		.routes_len = presence_routes_len,
		.statements = store_statements,
		.statements_len = store_statements_len,
		.ctx = &presence,
		.not_ready = not_ready };
	struct audit_relay *audit = NULL;
	struct service *service = NULL;
	char *name;
	enum status s;

	stats_register();
	s = service_new(&cfg->service, &spec, &service, err);
	if (s)
		return s;
	presence.roster = roster_new(&roster);
	name = xasprintf("ww-presence/%s", service_instance(service));
	s = start(&presence, service, name, &audit, err);
	if (!s)
		s = service_run(service, err);
	speaker_stop(presence.speaker);
	audit_relay_stop(audit);
	service_free(service);
	roster_free(presence.roster);
	free(name);
	return s;
}

int main(int argc, char **argv)
{
	struct presence_config cfg = { 0 };

	return service_main("presence", &presence_config_spec, &cfg, serve, argc, argv);
}
