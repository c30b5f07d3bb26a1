/* The wallet and ww-outbox sign in as roles of their own, so that the grants are tested as well. */
#include "world.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "bus/provision.h"

enum query { COUNT_EVENTS, COUNT_DEAD };

static const struct db_statement queries[] = {
	[COUNT_EVENTS] = { "count_events", "SELECT count(*) FROM walletwire_outbox.events" },
	[COUNT_DEAD] = { "count_dead", "SELECT count(*) FROM walletwire_outbox.dead" },
};

static void run_sql_file(struct world *world, const char *name)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", getenv("WW_SOURCE_DIR"), name);
	postgres_exec(world->admin_dsn, support_read_file(path));
}

static void make_database(struct world *world, struct postgres *pg)
{
	const char *dsn = postgres_new_database(pg);

	(void)snprintf(world->admin_dsn, sizeof(world->admin_dsn), "%s", dsn);
	(void)snprintf(world->wallet_dsn, sizeof(world->wallet_dsn), "postgresql://wallet%s",
	    strchr(dsn, '@'));
	(void)snprintf(
	    world->relay_dsn, sizeof(world->relay_dsn), "postgresql://relay%s", strchr(dsn, '@'));
	run_sql_file(world, "services/outbox/outbox.sql");
	run_sql_file(world, "services/outbox/outbox.sql"); /* it may be run again */
	/* Roles belong to the server, which may have seen another test. */
	postgres_exec(world->admin_dsn,
	    "DO $$ BEGIN CREATE ROLE wallet LOGIN; CREATE ROLE relay LOGIN;"
	    " EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
	    "GRANT walletwire_outbox_writer TO wallet; GRANT walletwire_outbox_relay TO relay;"
	    "GRANT CREATE ON SCHEMA public TO wallet");
}

static struct db *open_db(const char *dsn, bool with_queries)
{
	struct db_config cfg = { .dsn = dsn, .application_name = "test" };
	struct err err = ERR_INIT;
	struct db *db;

	if (with_queries) {
		cfg.statements = queries;
		cfg.statements_len = ARRAY_LEN(queries);
	}
	ck_assert_ok(db_open(&cfg, &db, &err), err);
	return db;
}

void world_start(struct world *world, struct postgres *pg, int64_t events_max_bytes)
{
	struct provision_config cfg = { 1, events_max_bytes, 1 << 20 };
	struct err err = ERR_INIT;
	struct bus *ops;

	*world = (struct world){ 0 };
	support_nats_start(&world->nats);
	ops = support_nats_bus(&world->nats, "ops");
	ck_assert_ok(bus_provision(ops, &cfg, NULL, NULL, &err), err);
	bus_close(ops);
	make_database(world, pg);
	world->wallet = open_db(world->wallet_dsn, /* with_queries= */ false);
	world->admin = open_db(world->admin_dsn, /* with_queries= */ true);
	world->reader = support_nats_bus(&world->nats, "notifications");
	ck_assert_ok(
	    bus_pull_open(world->reader, STREAM_EVENTS, CONSUMER_NOTIFICATIONS, &world->pull, &err),
	    err);
	world->ids = xcalloc(WORLD_EVENTS_MAX, sizeof(*world->ids));
}

void world_stop(struct world *world)
{
	for (int i = 0; i < WORLD_REPLICAS; i++)
		world_kill(world, i, SIGTERM);
	bus_pull_close(world->pull);
	bus_close(world->reader);
	db_close(world->wallet);
	db_close(world->admin);
	support_nats_stop(&world->nats, SIGTERM);
	free(world->ids);
}

/* --- replicas --- */

void world_spawn(struct world *world, int replica)
{
	char program[512], url[128], admin[64];
	const char *argv[] = { program, url, admin, "--nats-user=backend", "--poll-idle=50ms",
		NULL };

	ck_assert_msg(getenv("WW_BIN_DIR") != NULL, "WW_BIN_DIR is not set: run it by ctest");
	world->admin_port[replica] = support_free_port();
	(void)snprintf(program, sizeof(program), "%s/ww-outbox", getenv("WW_BIN_DIR"));
	(void)snprintf(url, sizeof(url), "--nats-url=%s", world->nats.url);
	(void)snprintf(admin, sizeof(admin), "--admin=127.0.0.1:%d", world->admin_port[replica]);
	(void)snprintf(world->log[replica], sizeof(world->log[replica]), "%s/outbox-%d-%d.log",
	    support_tmp_dir(), (int)getpid(), replica);
	ck_assert_int_eq(setenv("WW_NATS_PASSWORD", "backend", 1), 0);
	ck_assert_int_eq(setenv("WW_DATABASE_URL", world->relay_dsn, 1), 0);
	world->replicas[replica] = support_spawn(argv, world->log[replica]);
}

void world_kill(struct world *world, int replica, int signal)
{
	support_end(&world->replicas[replica], signal, world->log[replica]);
}

const char *world_log(struct world *world, int replica)
{
	return support_read_file(world->log[replica]);
}

const char *world_readiness(struct world *world, int replica)
{
	return support_get(world->admin_port[replica], "/readyz");
}

/* --- the wallet --- */

void world_sql(struct world *world, const char *fmt, ...)
{
	struct err err = ERR_INIT;
	char sql[2048];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(sql, sizeof(sql), fmt, args);
	va_end(args);
	ck_assert_ok(db_exec(world->wallet, sql, &err), err);
}

void world_insert(struct world *world, int keys, int from, int to)
{
	world_sql(world,
	    "INSERT INTO walletwire_outbox.events (key, type, event)"
	    " SELECT 'k' || k, 'payment', jsonb_build_object('id', 'k' || k || '-' || n,"
	    " 'userIds', jsonb_build_array('u' || k),"
	    " 'payment', jsonb_build_object('amount', '1.00', 'currency', 'EUR'))"
	    " FROM generate_series(%d, %d) n, generate_series(0, %d) k ORDER BY n, k",
	    from, to - 1, keys - 1);
}

/* --- what arrived --- */

static void take(struct world *world, struct bus_msg *msg)
{
	uint64_t seq = bus_msg_stream_seq(msg);
	struct err err = ERR_INIT;

	ck_assert_uint_ge(seq, 1);
	ck_assert_msg(seq <= WORLD_EVENTS_MAX, "too many events");
	/* A slow server delivers again what it has not yet seen the ack of. */
	if (!world->ids[seq - 1][0]) {
		(void)snprintf(
		    world->ids[seq - 1], WORLD_ID_SIZE, "%s", bus_msg_header(msg, "Nats-Msg-Id"));
		world->taken++;
	}
	/* One that is lost brings the message again. */
	if (bus_msg_ack(msg, &err))
		return;
}

static void take_some(struct world *world, int timeout_ms)
{
	struct bus_msg *batch[200];
	struct err err = ERR_INIT;
	size_t n = 0;

	/* A server that is away comes again: whoever waits has a deadline. */
	if (bus_pull_fetch(world->pull, batch, ARRAY_LEN(batch), timeout_ms, &n, &err))
		return;
	for (size_t i = 0; i < n; i++) {
		take(world, batch[i]);
		bus_msg_unref(batch[i]);
	}
}

void world_take(struct world *world, size_t n)
{
	int64_t deadline = clock_mono_ms() + WORLD_WAIT_MS;

	while (world->taken < n && clock_mono_ms() < deadline)
		take_some(world, 200);
	ck_assert_msg(world->taken >= n, "%zu of %zu events", world->taken, n);
}

static int64_t count(struct world *world, enum query query)
{
	struct db_result *result = NULL;
	struct err err = ERR_INIT;
	struct db_params params;
	int64_t n;

	db_params_init(&params);
	ck_assert_ok(db_run(world->admin, query, &params, &result, &err), err);
	n = db_get_int(result, 0, 0);
	db_result_free(result);
	return n;
}

struct wanted_rows {
	struct world *world;
	enum query query;
	int64_t n;
};

static bool so_many_rows(void *arg)
{
	struct wanted_rows *wanted = arg;

	return count(wanted->world, wanted->query) == wanted->n;
}

void world_wait_rows(struct world *world, const char *table, int64_t n)
{
	struct wanted_rows wanted = { world, strcmp(table, "dead") == 0 ? COUNT_DEAD : COUNT_EVENTS,
		n };

	ck_assert_msg(support_wait(so_many_rows, &wanted, WORLD_WAIT_MS), "%ld rows in %s, not %ld",
	    (long)count(world, wanted.query), table, (long)n);
}

static bool fewer_rows(void *arg)
{
	struct wanted_rows *wanted = arg;

	return count(wanted->world, wanted->query) < wanted->n;
}

void world_wait_fewer(struct world *world, int64_t n)
{
	struct wanted_rows wanted = { world, COUNT_EVENTS, n };

	ck_assert_msg(support_wait(fewer_rows, &wanted, WORLD_WAIT_MS), "%ld rows still wait",
	    (long)count(world, COUNT_EVENTS));
}

void world_check_all(struct world *world, int keys, int per_key)
{
	int next[WORLD_KEYS_MAX] = { 0 };

	ck_assert_int_le(keys, WORLD_KEYS_MAX);
	world_wait_rows(world, "events", 0);
	take_some(world, 200);
	ck_assert_uint_eq(world->taken, (size_t)keys * (size_t)per_key);
	for (size_t i = 0; i < world->taken; i++) {
		int key = -1, n = -1;

		ck_assert_int_eq(sscanf(world->ids[i], "payment/k%d-%d", &key, &n), 2);
		ck_assert(key >= 0 && key < keys);
		ck_assert_msg(
		    n == next[key], "%s came where %d was next", world->ids[i], next[key]);
		next[key]++;
	}
}
