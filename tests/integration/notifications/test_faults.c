/*
 * What ww-notifications runs on fails, one thing at a time: nothing is lost, nothing is taken for
 * the fault of an event, readiness and metrics name the cause, and it goes on by itself. The causes
 * are those of proto/cause.def, and docs/faults.md explains each of them.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/attrs.h"
#include "base/cause.h"
#include "base/clock.h"
#include "db/db.h"
#include "world.h"

enum {
	BEFORE = 5,
	WITHIN = 20,
	FULL_BYTES = 1 << 20,
	LATE = 50,
	BATCH = 500,
	POISON = 250,
	AGAIN = 3
};

static struct postgres *pg;
static struct world world;

/* --- the administrator, and the role that the service has --- */

enum query { WAITERS, ATTEMPTS };

static const struct db_statement queries[] = {
	/* A statement waits for the lock that the test holds. */
	[WAITERS] = { "waiters", "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
				 " AND objid = 42 AND NOT granted" },
	[ATTEMPTS] = { "attempts", "SELECT count(*) FROM notifications.attempts" },
};

static struct db *admin; /* what it is told it keeps for its session: locks, transactions */
static char app_dsn[96];

static bool is_let_in(void *arg)
{
	return db_ensure(admin, arg) == STATUS_OK;
}

static void sign_in(void)
{
	struct err err = ERR_INIT;

	ck_assert_msg(support_wait(is_let_in, &err, WORLD_WAIT_MS), "%s", err.msg);
}

static void tell(const char *sql)
{
	struct err err = ERR_INIT;

	sign_in();
	ck_assert_ok(db_exec(admin, sql, &err), err);
}

static int64_t count(enum query query)
{
	struct db_params params;
	struct db_result *result = NULL;
	struct err err = ERR_INIT;
	int64_t n;

	sign_in();
	db_params_init(&params);
	ck_assert_ok(db_run(admin, query, &params, &result, &err), err);
	n = db_get_int(result, 0, 0);
	db_result_free(result);
	return n;
}

/* The service is no superuser here: rights and limits bind it. */
static void sign_in_as_app(void)
{
	static const char prefix[] = "postgresql://postgres@";
	struct db_config cfg = { .dsn = world.dsn,
		.application_name = "test/admin",
		.statements = queries,
		.statements_len = ARRAY_LEN(queries) };
	struct err err = ERR_INIT;

	postgres_exec(world.dsn,
	    "DO $$ BEGIN IF to_regrole('app') IS NULL THEN CREATE ROLE app LOGIN; END IF;"
	    " EXECUTE format('GRANT CREATE ON DATABASE %I TO app', current_database()); END $$");
	ck_assert_ok(db_open(&cfg, &admin, &err), err);
	ck_assert_int_eq(strncmp(world.dsn, prefix, sizeof(prefix) - 1), 0);
	(void)snprintf(
	    app_dsn, sizeof(app_dsn), "postgresql://app@%s", world.dsn + sizeof(prefix) - 1);
	world.dsn = app_dsn;
}

static void setup(void)
{
	world_start(&world, pg);
	sign_in_as_app();
}

static void teardown(void)
{
	world_stop(&world);
	db_close(admin);
}

/* For tests that end it. */
static void setup_own_server(void)
{
	pg = postgres_start_on_disk();
	setup();
}

static void teardown_own_server(void)
{
	teardown();
	postgres_stop(pg);
}

/* --- what is seen --- */

static const char *const labels[] = {
#define X(name, label, text) label,
#include "cause.def"
#undef X
};

static bool names_the_cause(void *arg)
{
	enum cause cause = *(const enum cause *)arg;
	const char *ready = world_readiness(&world, 0);
	char sample[96];

	if (!strstr(ready, cause ? " 503 " : " 200 ") ||
	    (cause && !strstr(ready, cause_text(cause))))
		return false;
	(void)snprintf(
	    sample, sizeof(sample), "ww_notifications_trouble{cause=\"%s\"}", labels[cause]);
	return world_metric(&world, 0, sample) == 1;
}

static void wait_cause(enum cause cause)
{
	ck_assert_msg(support_wait(names_the_cause, &cause, WORLD_WAIT_MS),
	    "no \"%s\" in %s, see %s", labels[cause], world_readiness(&world, 0), world.log[0]);
}

struct failures {
	int64_t wanted;
};

static bool failed_so_often(void *arg)
{
	return world_metric(&world, 0, "ww_notifications_failed_batches_total") >=
	       ((const struct failures *)arg)->wanted;
}

static bool no_attempt_is_noted(void *arg)
{
	(void)arg;
	return count(ATTEMPTS) == 0;
}

/* What came again meanwhile is noted for a moment, until it turns out to be done. */
static void check_given_up(size_t n)
{
	ck_assert(support_wait(no_attempt_is_noted, NULL, WORLD_WAIT_MS));
	ck_assert_uint_eq(world.dead_len, n);
}

/* Events `from` to `to` of the user: "<user>-1", "<user>-2"; large enough to need new pages. */
static void publish(const char *user, int from, int to)
{
	static char json[4096], words[1500];

	memset(words, 'x', sizeof(words) - 1);
	for (int i = from; i <= to; i++) {
		(void)snprintf(json, sizeof(json),
		    "{\"id\":\"%s-%d\",\"userIds\":[\"%s\"],\"kyc\":{\"message\":\"%s\"}}", user, i,
		    user, words);
		world_publish(&world, json);
	}
}

static void check_all(const char *user, uint64_t n)
{
	char prefix[64];

	(void)snprintf(prefix, sizeof(prefix), "%s-", user);
	world_wait_seq(&world, user, n, 0);
	world_check_mailbox(&world, user, prefix, n);
}

/* --- faults that an administrator can make --- */

#define END_APP                                                              \
	"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE" \
	" usename = 'app' AND datname = current_database()"
#define RELOAD "SELECT pg_reload_conf()"
#define TODAY "mailbox_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')"
/* Whatever the server itself would raise. */
#define RAISE(sqlstate)                                                                     \
	"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"               \
	" RAISE EXCEPTION 'as told' USING ERRCODE = '" sqlstate "'; END $$",                \
	    "CREATE TRIGGER fail BEFORE INSERT ON notifications.inbox FOR EACH ROW EXECUTE" \
	    " FUNCTION fail()"
#define NO_RAISE "DROP TRIGGER fail ON notifications.inbox", "DROP FUNCTION fail()"

static const struct fault {
	const char *name;
	enum cause cause;
	bool is_quick;    /* the batch fails at once: no connection is lost, no lock waited for */
	const char *full; /* the folder that has no room */
	const char *begin[2];
	const char *end[2];
} faults[] = {
	{ "read-only", CAUSE_POSTGRES_READ_ONLY, false, NULL,
	    { "ALTER SYSTEM SET default_transaction_read_only = on", RELOAD },
	    { "ALTER SYSTEM RESET default_transaction_read_only", RELOAD } },
	{ "no-connections", CAUSE_POSTGRES_CONNECTIONS, false, NULL,
	    { "ALTER ROLE app CONNECTION LIMIT 0", END_APP },
	    { "ALTER ROLE app CONNECTION LIMIT -1" } },
	{ "disk", CAUSE_POSTGRES_DISK, true, "base", { NULL }, { NULL } },
	{ "locked", CAUSE_POSTGRES_LOCK, false, NULL,
	    { "BEGIN", "LOCK TABLE notifications.inbox IN ACCESS EXCLUSIVE MODE" },
	    { "ROLLBACK" } },
	{ "no-right", CAUSE_POSTGRES_RIGHTS, true, NULL,
	    { "REVOKE INSERT ON notifications.inbox FROM app" },
	    { "GRANT INSERT ON notifications.inbox TO app" } },
	{ "no-table", CAUSE_POSTGRES_SCHEMA, true, NULL,
	    { "ALTER TABLE notifications.bodies RENAME TO away" },
	    { "ALTER TABLE notifications.away RENAME TO bodies" } },
	{ "no-partition", CAUSE_POSTGRES_SCHEMA, true, NULL,
	    { "DO $$ BEGIN EXECUTE 'ALTER TABLE notifications.mailbox"
	      " DETACH PARTITION notifications." TODAY "; END $$" },
	    { "DO $$ DECLARE d timestamp := date_trunc('day', now() AT TIME ZONE 'UTC'); BEGIN"
	      " EXECUTE 'ALTER TABLE notifications.mailbox ATTACH PARTITION notifications." TODAY
	      " || format(' FOR VALUES FROM (%L) TO (%L)', d || '+00', d + interval '1 day' || "
	      "'+00');"
	      " END $$" } },
	{ "memory", CAUSE_POSTGRES_MEMORY, true, NULL, { RAISE("53200") }, { NO_RAISE } },
	{ "cancelled", CAUSE_POSTGRES_TIMEOUT, true, NULL, { RAISE("57014") }, { NO_RAISE } },
	{ "deadlock", CAUSE_POSTGRES_LOCK, true, NULL, { RAISE("40P01") }, { NO_RAISE } },
	{ "io-error", CAUSE_POSTGRES_ERROR, true, NULL, { RAISE("58030") }, { NO_RAISE } },
	{ "corrupt", CAUSE_POSTGRES_ERROR, true, NULL, { RAISE("XX001") }, { NO_RAISE } },
};

static void tell_all(const char *const sql[2])
{
	for (size_t i = 0; i < 2 && sql[i]; i++)
		tell(sql[i]);
}

/* None of which is counted as a try of an event. */
static void fail_again(void)
{
	struct failures failures = {
		world_metric(&world, 0, "ww_notifications_failed_batches_total") + AGAIN
	};

	ck_assert(support_wait(failed_so_often, &failures, WORLD_WAIT_MS));
	ck_assert_int_eq(count(ATTEMPTS), 0);
}

START_TEST(a_fault_of_the_database_costs_no_event)
{
	const struct fault *fault = &faults[_i];

	world_spawn(&world, 0, NULL);
	publish(fault->name, 1, BEFORE);
	world_wait_seq(&world, fault->name, BEFORE, 0);
	wait_cause(CAUSE_NONE);
	if (fault->full)
		postgres_fill_disk(pg, fault->full);
	tell_all(fault->begin);
	publish(fault->name, BEFORE + 1, BEFORE + WITHIN);
	wait_cause(fault->cause);
	if (fault->is_quick)
		fail_again();
	ck_assert_uint_eq(world.dead_len, 0);
	if (fault->full)
		postgres_fill_disk(pg, NULL);
	tell_all(fault->end);
	check_all(fault->name, BEFORE + WITHIN);
	wait_cause(CAUSE_NONE);
	check_given_up(0);
}
END_TEST

/* --- the server ends --- */

/* Fills one segment of the log after another until the next one has no room. */
static bool log_is_full(void *arg)
{
	enum cause down = CAUSE_POSTGRES_DOWN;
	struct err ignored = ERR_INIT;

	(void)arg;
	if (db_exec(admin, "CREATE TABLE IF NOT EXISTS t ()", &ignored) == STATUS_OK &&
	    db_exec(admin, "SELECT pg_switch_wal()", &ignored) == STATUS_OK &&
	    db_exec(admin, "DROP TABLE t", &ignored) == STATUS_OK)
		return false;
	return strstr(world_readiness(&world, 0), cause_text(down)) != NULL;
}

START_TEST(a_log_without_room_ends_the_server_and_costs_no_event)
{
	world_spawn(&world, 0, NULL);
	publish("alice", 1, BEFORE);
	world_wait_seq(&world, "alice", BEFORE, 0);
	postgres_fill_disk(pg, "pg_wal");
	ck_assert(support_wait(log_is_full, NULL, WORLD_WAIT_MS));
	publish("alice", BEFORE + 1, BEFORE + WITHIN);
	ck_assert_int_eq(world_metric(&world, 0, "ww_notifications_dlq_total"), 0);
	postgres_fill_disk(pg, NULL);
	postgres_restart(pg);
	check_all("alice", BEFORE + WITHIN);
	wait_cause(CAUSE_NONE);
	check_given_up(0);
}
END_TEST

static bool somebody_waits(void *arg)
{
	(void)arg;
	return count(WAITERS) > 0;
}

/*
 * The worst of both: a poisonous event in a batch, and while what follows it is tried alone, the
 * server ends. The try under way was counted and can't be taken back before the server is there.
 */
START_TEST(an_outage_in_the_midst_of_tries_does_not_count_and_poison_stays_alone)
{
	char json[256];
	uint64_t n = 0;

	world_spawn(&world, 0, NULL);
	world_kill(&world, 0, SIGTERM);
	tell("CREATE FUNCTION judge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
	     " IF NEW.event_id = 'poison' THEN RAISE EXCEPTION 'poison'; END IF;"
	     " IF NEW.event_id = 'e250' THEN PERFORM pg_advisory_xact_lock(42); END IF;"
	     " RETURN NEW; END $$");
	tell("CREATE TRIGGER judge BEFORE INSERT ON notifications.inbox FOR EACH ROW EXECUTE"
	     " FUNCTION judge()");
	tell("SELECT pg_advisory_lock(42)");
	for (int i = 1; i <= BATCH; i++) {
		if (i == POISON)
			(void)snprintf(json, sizeof(json),
			    "{\"id\":\"poison\",\"userIds\":[\"alice\"],\"kyc\":{}}");
		else
			(void)snprintf(json, sizeof(json),
			    "{\"id\":\"e%d\",\"userIds\":[\"alice\"],\"kyc\":{}}", (int)++n);
		world_publish(&world, json);
	}
	/* The event behind the poison has one try left, and the outage has it. */
	tell("INSERT INTO notifications.attempts VALUES (251, 'ww.event.kyc', 4, '', now())");
	world_spawn(&world, 0, NULL);
	world_wait_dead(&world, 1);
	ck_assert(support_wait(somebody_waits, NULL, WORLD_WAIT_MS));
	postgres_kill(pg);
	wait_cause(CAUSE_POSTGRES_DOWN);
	postgres_restart(pg);
	world_wait_seq(&world, "alice", n, 0);
	world_check_mailbox(&world, "alice", "e", n);
	wait_cause(CAUSE_NONE);
	check_given_up(1);
	ck_assert_ptr_nonnull(strstr(bus_msg_header(world.dead[0], "Ww-Reason"), "poison"));
}
END_TEST

/* --- NATS --- */

static bool has_no_nats(void *arg)
{
	(void)arg;
	return strstr(world_readiness(&world, 0), "no connection to NATS") != NULL;
}

START_TEST(while_nats_is_away_readiness_says_so_and_what_was_published_is_applied_afterwards)
{
	struct err err = ERR_INIT;

	world_spawn(&world, 0, NULL);
	publish("alice", 1, BEFORE);
	support_nats_stop(&world.nats, SIGKILL);
	ck_assert(support_wait(has_no_nats, NULL, WORLD_WAIT_MS));
	support_nats_restart(&world.nats);
	ck_assert_ok(bus_wait_connected(world.backend, WORLD_WAIT_MS, &err), err);
	ck_assert_ok(bus_wait_connected(world.edge, WORLD_WAIT_MS, &err), err);
	publish("alice", BEFORE + 1, BEFORE + WITHIN);
	check_all("alice", BEFORE + WITHIN);
	wait_cause(CAUSE_NONE);
	check_given_up(0);
}
END_TEST

/* Until the stream refuses; how many it took. */
static int fill_stream(void)
{
	static char words[1500];
	struct bus_ack ack;
	struct err err = ERR_INIT;
	int n = 0;
	enum status s;

	memset(words, 'x', sizeof(words) - 1);
	do {
		char subject[64];
		const char *json = arena_printf(&world.arena,
		    "{\"id\":\"bob-%d\",\"userIds\":[\"bob\"],\"kyc\":{\"message\":\"%s\"}}", n + 1,
		    words);
		struct bytes data = world_event(&world, json, subject);

		s = bus_publish_stored(world.backend, subject, NULL, data, NULL, &ack, &err);
		n += !s;
	} while (!s);
	ck_assert_int_eq(s, STATUS_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(err.msg, "the stream is full"));
	return n;
}

static char out_path[320];

static const char *output(void)
{
	static char text[65536];
	FILE *file = fopen(out_path, "re");
	size_t n;

	if (!file)
		return ""; /* not yet */
	n = fread(text, 1, sizeof(text) - 1, file);
	(void)fclose(file);
	text[n] = '\0';
	return text;
}

static bool says_that_it_waits(void *arg)
{
	(void)arg;
	return strstr(output(), "waiting for the stream: ") != NULL;
}

/* `ww publish` of events first to last of bob's. */
static pid_t start_publishing(int first, int last)
{
	char program[512], lines[320], url[128];
	const char *argv[] = { program, "publish", "--json", lines, url, "--quiet", NULL };
	FILE *file;
	pid_t pid;

	(void)snprintf(program, sizeof(program), "%s/ww", getenv("WW_BIN_DIR"));
	(void)snprintf(lines, sizeof(lines), "%s/lines", support_tmp_dir());
	(void)snprintf(out_path, sizeof(out_path), "%s/publish", support_tmp_dir());
	(void)snprintf(url, sizeof(url), "--nats-url=%s", world.nats.url);
	file = fopen(lines, "we");
	ck_assert_ptr_nonnull(file);
	for (int i = first; i <= last; i++)
		(void)fprintf(file,
		    "{\"id\":\"bob-%d\",\"userIds\":[\"bob\"],\"kyc\":{\"message\":\"%01500d\"}}\n",
		    i, i);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(setenv("WW_NATS_PASSWORD", "backend", 1), 0);
	pid = support_spawn(argv, out_path);
	return pid;
}

START_TEST(a_full_stream_makes_its_publisher_wait_and_loses_nothing)
{
	int n, status = 0;
	pid_t pid;

	world_start_small(&world, pg, FULL_BYTES);
	sign_in_as_app();
	n = fill_stream();
	pid = start_publishing(n + 1, n + LATE);
	ck_assert_msg(support_wait(says_that_it_waits, NULL, WORLD_WAIT_MS), "%s", output());
	ck_assert_ptr_nonnull(strstr(output(), "the stream is full"));
	world_spawn(&world, 0, NULL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", output());
	check_all("bob", (uint64_t)n + LATE);
	check_given_up(0);
	teardown();
}
END_TEST

/* --- and all of it is written down --- */

START_TEST(every_cause_is_explained_in_the_documentation)
{
	const char *text;
	char path[512];

	ck_assert_ptr_nonnull(getenv("WW_SOURCE_DIR"));
	(void)snprintf(path, sizeof(path), "%s/docs/faults.md", getenv("WW_SOURCE_DIR"));
	text = support_read_file(path);
	for (int cause = CAUSE_NONE + 1; cause < CAUSE_COUNT; cause++) {
		char label[64];

		(void)snprintf(label, sizeof(label), "`%s`", labels[cause]);
		ck_assert_msg(strstr(text, label) != NULL, "%s is not in %s", label, path);
		ck_assert_msg(strstr(text, cause_text(cause)) != NULL, "\"%s\" is not in %s",
		    cause_text(cause), path);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notifications_faults");
	TCase *shared = tcase_create("a server that all share");
	TCase *own = tcase_create("a server that ends");
	TCase *bare = tcase_create("a world of the test's own");

	pg = postgres_start_on_disk();
	tcase_set_timeout(shared, 120);
	tcase_add_checked_fixture(shared, setup, teardown);
	tcase_add_loop_test(shared, a_fault_of_the_database_costs_no_event, 0, ARRAY_LEN(faults));
	tcase_add_test(shared,
	    while_nats_is_away_readiness_says_so_and_what_was_published_is_applied_afterwards);
	suite_add_tcase(suite, shared);
	tcase_set_timeout(own, 120);
	tcase_add_checked_fixture(own, setup_own_server, teardown_own_server);
	tcase_add_test(own, a_log_without_room_ends_the_server_and_costs_no_event);
	tcase_add_test(own, an_outage_in_the_midst_of_tries_does_not_count_and_poison_stays_alone);
	suite_add_tcase(suite, own);
	tcase_set_timeout(bare, 120);
	tcase_add_test(bare, a_full_stream_makes_its_publisher_wait_and_loses_nothing);
	tcase_add_test(bare, every_cause_is_explained_in_the_documentation);
	suite_add_tcase(suite, bare);
	return support_run(suite);
}
