/* ww-notifications: applies wallet events to mailboxes and inboxes, and answers for them. See
 * README.md. */
#include <stdio.h>
#include <stdlib.h>

#include "applier.h"
#include "base/xalloc.h"
#include "config.h"
#include "epoch.h"
#include "notifications.h"
#include "service/audit_relay.h"
#include "service/prepare.h"
#include "stats.h"
#include "store.h"

static const char *not_ready(void *ctx)
{
	struct notifications *notifications = ctx;

	enum cause cause = atomic_load(&notifications->health.cause);

	return cause == CAUSE_NONE ? NULL : cause_text(cause);
}

static enum status prepare(struct db *db, struct err *err)
{
	char epoch[ID_SIZE];
	enum status s = db_migrate(db, STORE_SCHEMA, store_migrations, store_migrations_len, err);

	return s ? s : epoch_ensure(db, epoch, err);
}

/* Blocks until told to stop; what it started is ended again in reverse order. */
static enum status serve(const void *arg, struct err *err)
{
	const struct notifications_config *cfg = arg;
	struct notifications notifications = { .cfg = cfg, .health = { CAUSE_STARTING } };
	struct applier *applier = NULL;
	struct audit_relay *audit = NULL;
	struct bus *bulk = NULL;
	struct service_spec spec = { .name = "notifications",
		.routes = notifications_routes,
		.routes_len = notifications_routes_len,
		.statements = store_statements,
		.statements_len = store_statements_len,
		.ctx = &notifications,
		.not_ready = not_ready };
	struct db_config database = { .dsn = cfg->service.database_url,
		.statements = store_statements,
		.statements_len = store_statements_len };
	struct service *service = NULL;
	char *name = NULL;
	enum status s;

	stats_register();
	s = service_new(&cfg->service, &spec, &service, err);
	if (s)
		return s;
	name = xasprintf("ww-notifications/%s", service_instance(service));
	database.application_name = name;
	s = service_prepare(service, &database, prepare, err);
	if (!s)
		s = balances_start(cfg, service_bus(service), name, &notifications.balances, err);
	if (!s)
		s = audit_relay_start(&store_audit, &database, service_bus(service), &audit, err);
	if (!s && !service_is_stopping(service))
		s = service_open_bulk_bus(service, &cfg->service, &bulk, err);
	if (!s && bulk)
		s = applier_start(&notifications, bulk, name, &applier, err);
	if (!s)
		s = service_run(service, err);
	applier_stop(applier);
	bus_close(bulk);
	balances_stop(notifications.balances);
	audit_relay_stop(audit);
	service_free(service);
	free(name);
	return s;
}

int main(int argc, char **argv)
{
	struct notifications_config cfg = { 0 };

	return service_main("notifications", &notifications_config_spec, &cfg, serve, argc, argv);
}
