/* What a wallet commits reaches the stream once and in order, whatever dies meanwhile. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum { ROOMY = 64 << 20, TIGHT = 32 << 10 };

static struct postgres *shared_pg;
static struct world world;

static void setup(void)
{
	world_start(&world, shared_pg, ROOMY);
}

static void setup_tight(void)
{
	world_start(&world, shared_pg, TIGHT);
}

static void teardown(void)
{
	world_stop(&world);
}

struct wanted_readiness {
	int replica;
	const char *says;
};

static bool is_said(void *arg)
{
	struct wanted_readiness *wanted = arg;

	return strstr(world_readiness(&world, wanted->replica), wanted->says) != NULL;
}

static void wait_readiness(int replica, const char *says)
{
	struct wanted_readiness wanted = { replica, says };

	ck_assert_msg(support_wait(is_said, &wanted, WORLD_WAIT_MS), "not \"%s\": %s\n%s", says,
	    world_readiness(&world, replica), world_log(&world, replica));
}

/* --- in order --- */

START_TEST(rows_of_a_key_are_stored_in_their_order)
{
	world_spawn(&world, 0);
	world_insert(&world, 20, 0, 100);
	world_take(&world, 2000);
	world_check_all(&world, 20, 100);
	wait_readiness(0, "200 OK");
}
END_TEST

START_TEST(rows_of_one_key_alone_are_stored_in_their_order)
{
	world_insert(&world, 1, 0, 1200);
	world_spawn(&world, 0);
	world_take(&world, 1200);
	world_check_all(&world, 1, 1200);
}
END_TEST

START_TEST(what_is_rolled_back_is_not_published)
{
	world_sql(&world, "BEGIN");
	world_insert(&world, 1, 100, 200);
	world_sql(&world, "ROLLBACK");
	world_insert(&world, 1, 0, 10);
	world_spawn(&world, 0);
	world_take(&world, 10);
	world_check_all(&world, 1, 10);
}
END_TEST

/* Its id is lower than those of rows that are long published: a cursor would have passed it. */
START_TEST(a_transaction_that_commits_late_is_not_skipped)
{
	struct db_config cfg = { .dsn = world.wallet_dsn, .application_name = "late" };
	struct err err = ERR_INIT;
	struct db *late;

	ck_assert_ok(db_open(&cfg, &late, &err), err);
	ck_assert_ok(db_begin(late, &err), err);
	ck_assert_ok(db_exec(late,
			 "INSERT INTO walletwire_outbox.events (key, type, event) VALUES ('late',"
			 " 'kyc', '{\"id\":\"late\",\"userIds\":[\"u\"],\"kyc\":{}}')",
			 &err),
	    err);
	world_spawn(&world, 0);
	world_insert(&world, 5, 0, 10);
	world_take(&world, 50);
	world_wait_rows(&world, "events", 0); /* that can be seen */
	ck_assert_ok(db_commit(late, &err), err);
	world_take(&world, 51);
	ck_assert_str_eq(world.ids[50], "kyc/late");
	db_close(late);
}
END_TEST

/* --- concurrent writers --- */

enum { WRITERS = 4, WALLETS = 5, PAYMENTS = 100 };

struct writer {
	pthread_t thread;
	int number;
};

/* The row of the wallet is locked first; the commit comes some milliseconds after the insert. */
static const char make_wallets[] =
    "CREATE TABLE wallets (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);"
    "INSERT INTO wallets SELECT generate_series(0, 4);"
    "CREATE FUNCTION pay(wallet int) RETURNS void LANGUAGE plpgsql AS $$ DECLARE m int; BEGIN"
    " UPDATE wallets SET n = n + 1 WHERE id = wallet RETURNING n - 1 INTO m;"
    " INSERT INTO walletwire_outbox.events (key, type, event) VALUES ('k' || wallet, 'payment',"
    " jsonb_build_object('id', 'k' || wallet || '-' || m, 'userIds', jsonb_build_array('u'),"
    " 'payment', jsonb_build_object('amount', '1.00', 'currency', 'EUR')));"
    " PERFORM pg_sleep(random() * 0.005); END $$";

static void *write_payments(void *arg)
{
	struct writer *writer = arg;
	struct db_config cfg = { .dsn = world.wallet_dsn, .application_name = "writer" };
	struct err err = ERR_INIT;
	struct db *db;

	ck_assert_ok(db_open(&cfg, &db, &err), err);
	for (int i = 0; i < WALLETS * PAYMENTS / WRITERS; i++) {
		char sql[64];

		(void)snprintf(sql, sizeof(sql), "SELECT pay(%d)", (i + writer->number) % WALLETS);
		ck_assert_ok(db_exec(db, sql, &err), err);
	}
	db_close(db);
	return NULL;
}

START_TEST(concurrent_writers_are_stored_in_the_order_of_their_commits)
{
	struct writer writers[WRITERS];

	world_sql(&world, "%s", make_wallets);
	world_spawn(&world, 0);
	for (int i = 0; i < WRITERS; i++) {
		writers[i].number = i;
		ck_assert_int_eq(
		    pthread_create(&writers[i].thread, NULL, write_payments, &writers[i]), 0);
	}
	for (int i = 0; i < WRITERS; i++)
		ck_assert_int_eq(pthread_join(writers[i].thread, NULL), 0);
	world_take(&world, (size_t)WALLETS * PAYMENTS);
	world_check_all(&world, WALLETS, PAYMENTS);
}
END_TEST

/* The example is what people copy. */
START_TEST(the_example_publishes_a_payment_and_the_balance)
{
	char path[512], sql[8192];
	FILE *file;
	size_t n;

	(void)snprintf(path, sizeof(path), "%s/examples/outbox.sql", getenv("WW_SOURCE_DIR"));
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	n = fread(sql, 1, sizeof(sql) - 1, file);
	(void)fclose(file);
	sql[n] = '\0';
	postgres_exec(world.wallet_dsn, sql);
	world_spawn(&world, 0);
	world_sql(&world, "SELECT wallet_pay('w1', 'p1', 12.90)");
	world_take(&world, 2);
	ck_assert_str_eq(world.ids[0], "payment/p1/completed");
	ck_assert_str_eq(world.ids[1], "balance/w1/1");
	world_wait_rows(&world, "events", 0);
	world_wait_rows(&world, "dead", 0);
}
END_TEST

/* --- what can't be published --- */

START_TEST(a_bad_row_is_set_aside_and_holds_nothing_up)
{
	world_insert(&world, 1, 0, 1);
	world_sql(&world,
	    "INSERT INTO walletwire_outbox.events (key, type, event) VALUES"
	    " ('k0', 'chat', '{\"userIds\":[\"u\"],\"chat\":{}}'),"
	    " ('k0', 'ww.event.payment', '{}'),"
	    " ('k0', 'payment', '{\"userIds\":[\"u\"],\"payment\":{\"amount\":8765.43,"
	    "\"currency\":\"EUR\",\"message\":\"secret words\"}}'),"
	    " ('k0', 'payment', '{\"userIds\":[\"u\"],\"kyc\":{}}'),"
	    " ('k0', 'kyc', 'null'),"
	    " ('k0', 'kyc', jsonb_build_object('text', repeat('x', 200000)))");
	world_insert(&world, 1, 1, 2);
	world_spawn(&world, 0);
	world_take(&world, 2);
	world_wait_rows(&world, "dead", 6);
	world_check_all(&world, 1, 2);
	ck_assert_ptr_nonnull(strstr(world_log(&world, 0), "was set aside: its type is no kind"));
	ck_assert_ptr_null(strstr(world_log(&world, 0), "8765"));
	ck_assert_ptr_null(strstr(world_log(&world, 0), "secret"));
}
END_TEST

/* --- rights --- */

START_TEST(neither_role_may_do_the_others_work)
{
	struct db_config cfg = { .dsn = world.relay_dsn, .application_name = "relay" };
	struct err err = ERR_INIT;
	struct db *relay;

	ck_assert_ok(db_open(&cfg, &relay, &err), err);
	world_insert(&world, 1, 0, 1);
	ck_assert(db_exec(world.wallet, "SELECT FROM walletwire_outbox.events", &err));
	ck_assert(db_exec(world.wallet, "DELETE FROM walletwire_outbox.events", &err));
	ck_assert(db_exec(relay,
	    "INSERT INTO walletwire_outbox.events (key, type, event) VALUES ('k', 'kyc', '{}')",
	    &err));
	ck_assert(db_exec(relay, "UPDATE walletwire_outbox.events SET key = 'x'", &err));
	ck_assert(db_exec(relay, "DELETE FROM walletwire_outbox.dead", &err));
	db_close(relay);
}
END_TEST

/* --- what breaks --- */

/* Both replicas are killed in turn, so the one that publishes is, whichever it is. */
START_TEST(the_active_replica_killed_in_the_middle_of_10000_rows)
{
	world_spawn(&world, 0);
	world_spawn(&world, 1);
	world_insert(&world, 50, 0, 100);
	for (int i = 0; i < 4; i++) {
		world_insert(&world, 50, 100 + 25 * i, 125 + 25 * i);
		world_take(&world, world.taken + 500);
		world_kill(&world, i % 2, SIGKILL);
		world_spawn(&world, i % 2);
	}
	world_take(&world, 10000);
	world_check_all(&world, 50, 200);
}
END_TEST

/* Nothing is taken out before: a server that was killed forgets the ids of what was taken. */
START_TEST(nats_killed_in_the_middle_of_10000_rows)
{
	world_spawn(&world, 0);
	world_insert(&world, 50, 0, 200);
	world_wait_fewer(&world, 9000);
	support_nats_stop(&world.nats, SIGKILL);
	wait_readiness(0, "503 ");
	support_nats_restart(&world.nats);
	world_take(&world, 10000);
	world_check_all(&world, 50, 200);
	wait_readiness(0, "200 OK");
}
END_TEST

/* A server of the test's own, since it is killed. */
START_TEST(postgresql_killed_in_the_middle_of_10000_rows)
{
	struct postgres *pg = postgres_start();

	world_start(&world, pg, ROOMY);
	world_spawn(&world, 0);
	world_spawn(&world, 1);
	world_insert(&world, 50, 0, 200);
	world_take(&world, 1000);
	postgres_kill(pg);
	wait_readiness(0, "503 ");
	postgres_restart(pg);
	world_take(&world, 10000);
	world_check_all(&world, 50, 200);
	wait_readiness(0, "200 OK");
	world_stop(&world);
	postgres_stop(pg);
}
END_TEST

START_TEST(a_full_stream_is_waited_for)
{
	world_insert(&world, 10, 0, 100);
	world_spawn(&world, 0);
	wait_readiness(0, "the stream does not take events");
	world_take(&world, 1000);
	world_check_all(&world, 10, 100);
	wait_readiness(0, "200 OK");
}
END_TEST

START_TEST(an_outbox_that_is_not_there_yet_is_waited_for)
{
	postgres_exec(world.admin_dsn, "ALTER SCHEMA walletwire_outbox RENAME TO not_yet");
	world_spawn(&world, 0);
	wait_readiness(0, "the outbox does not answer");
	postgres_exec(world.admin_dsn, "ALTER SCHEMA not_yet RENAME TO walletwire_outbox");
	world_insert(&world, 1, 0, 1);
	world_take(&world, 1);
	world_check_all(&world, 1, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("outbox");
	TCase *roomy = tcase_create("outbox");
	TCase *tight = tcase_create("full");
	TCase *own = tcase_create("postgresql");

	shared_pg = postgres_start();
	tcase_set_timeout(roomy, 180);
	tcase_add_checked_fixture(roomy, setup, teardown);
	tcase_add_test(roomy, rows_of_a_key_are_stored_in_their_order);
	tcase_add_test(roomy, rows_of_one_key_alone_are_stored_in_their_order);
	tcase_add_test(roomy, what_is_rolled_back_is_not_published);
	tcase_add_test(roomy, a_transaction_that_commits_late_is_not_skipped);
	tcase_add_test(roomy, concurrent_writers_are_stored_in_the_order_of_their_commits);
	tcase_add_test(roomy, the_example_publishes_a_payment_and_the_balance);
	tcase_add_test(roomy, a_bad_row_is_set_aside_and_holds_nothing_up);
	tcase_add_test(roomy, neither_role_may_do_the_others_work);
	tcase_add_test(roomy, the_active_replica_killed_in_the_middle_of_10000_rows);
	tcase_add_test(roomy, nats_killed_in_the_middle_of_10000_rows);
	tcase_add_test(roomy, an_outbox_that_is_not_there_yet_is_waited_for);
	suite_add_tcase(suite, roomy);
	tcase_set_timeout(tight, 180);
	tcase_add_checked_fixture(tight, setup_tight, teardown);
	tcase_add_test(tight, a_full_stream_is_waited_for);
	suite_add_tcase(suite, tight);
	tcase_set_timeout(own, 180);
	tcase_add_test(own, postgresql_killed_in_the_middle_of_10000_rows);
	suite_add_tcase(suite, own);
	return support_run(suite);
}
