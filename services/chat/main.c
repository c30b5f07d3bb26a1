/* ww-chat: keeps rooms and what is said in them. See README.md. */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "chat.h"
#include "friends.h"
#include "relays.h"
#include "service/prepare.h"
#include "stats.h"
#include "store.h"
#include "upkeep.h"

enum { CONNECT_MS = 500 };

static const char *not_ready(void *ctx)
{
	const struct chat *chat = ctx;

	return atomic_load(&chat->prepared) ? NULL : "the database is being prepared";
}

static enum status prepare(struct db *db, struct err *err)
{
	enum status s = db_migrate(db, STORE_SCHEMA, store_migrations, store_migrations_len, err);

	return s ? s : upkeep_make(db, err);
}

/* What runs beside the workers. */
struct threads {
	struct relays *relays;
	struct upkeep *upkeep;
};

static enum status start(struct chat *chat, struct service *service, const char *name,
    struct threads *threads, struct err *err)
{
	struct db_config database = { .dsn = chat->cfg->service.database_url,
		.application_name = name,
		.statements = store_statements,
		.statements_len = store_statements_len };
	enum status s = service_prepare(service, &database, prepare, err);

	if (s || service_is_stopping(service))
		return s;
	/* A subscription is made at a server that is there. */
	while (!service_is_stopping(service) &&
	       bus_wait_connected(service_bus(service), CONNECT_MS, err))
		*err = (struct err)ERR_INIT;
	if (service_is_stopping(service))
		return STATUS_OK;
	s = relays_start(&database, service_bus(service), &threads->relays, err);
	if (!s)
		s = upkeep_start(chat->cfg, name, &threads->upkeep, err);
	atomic_store(&chat->prepared, !s);
	return s;
}

/* Blocks until told to stop; what it started is ended again in reverse order. */
static enum status serve(const void *arg, struct err *err)
{
	const struct chat_config *cfg = arg;
	struct chat chat = { .cfg = cfg };
	struct service_spec spec = { .name = "chat",
		.routes = chat_routes,
		.routes_len = chat_routes_len,
		.statements = store_statements,
		.statements_len = store_statements_len,
		/* Of a partitioned table making a plan takes longer than following it. */
		.by_key = true,
		.ctx = &chat,
		.not_ready = not_ready };
	struct threads threads = { 0 };
	struct service *service = NULL;
	char *name;
	enum status s;

	stats_register();
	s = service_new(&cfg->service, &spec, &service, err);
	if (s)
		return s;
	chat.friends = friends_new();
	name = xasprintf("ww-chat/%s", service_instance(service));
	s = start(&chat, service, name, &threads, err);
	if (!s)
		s = service_run(service, err);
	upkeep_stop(threads.upkeep);
	relays_stop(threads.relays);
	service_free(service);
	friends_free(chat.friends);
	free(name);
	return s;
}

int main(int argc, char **argv)
{
	struct chat_config cfg = { 0 };

	return service_main("chat", &chat_config_spec, &cfg, serve, argc, argv);
}
