/* Whatever dies, comes again or is taken away: records are stored once, and a loss is told. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "bus/provision.h"
#include "world.h"

enum { MANY = 4000 };

static struct postgres *shared_pg;
static struct world world;

#define COUNT_GAPS "SELECT count(*) FROM audit.records WHERE action = 64"

static void setup(void)
{
	world_start(&world, shared_pg);
}

static void teardown(void)
{
	world_stop(&world);
}

/* --- what comes again --- */

START_TEST(a_record_that_comes_again_is_stored_once)
{
	world_spawn(&world, 0, NULL);
	world_publish(&world, "chat", "c", 3, "alice");
	world_wait_rows(&world, 3);
	/* Under another name of the message: the stream does not know it again. */
	world_publish(&world, "chat", "c", 5, "alice");
	world_wait_rows(&world, 5);
	/* The server forgets the names of what was taken out, and ww-audit what it has seen. */
	support_nats_stop(&world.nats, SIGKILL);
	support_nats_restart(&world.nats);
	world_kill(&world, 0, SIGKILL);
	world_spawn(&world, 0, NULL);
	world_publish(&world, "chat", "c", 6, "alice");
	world_publish(&world, "chat", "d", 1, "alice");
	world_wait_rows(&world, 7);
	world_check_gapless(&world, 7);
	ck_assert_int_eq(world_int(&world, COUNT_GAPS), 0);
	world_kill(&world, 0, SIGTERM);
	world_verify_good(&world);
}
END_TEST

/* Long ago, and under a clock that is far ahead. */
START_TEST(an_old_record_and_one_of_the_future_are_known_again)
{
	static const int64_t times[] = { INT64_C(1700000000000000), INT64_C(3000000000000000) };
	Walletwire__V1__AuditRecord record = WALLETWIRE__V1__AUDIT_RECORD__INIT;
	char id[32];

	record.id = id;
	world_spawn(&world, 0, NULL);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_LEN(times); i++) {
			(void)snprintf(id, sizeof(id), "at-%zu", i);
			record.at_us = times[i];
			world_publish_record(&world, "chat", &record);
		}
	}
	world_publish(&world, "chat", "last", 1, "alice");
	world_wait_int(&world, "SELECT count(*) FROM audit.records WHERE id = 'last-0'", 1);
	world_check_gapless(&world, 3);
}
END_TEST

/* --- what dies --- */

/* Both are killed in turn, so the one that writes is, whichever it is. */
START_TEST(the_writer_killed_in_the_middle_of_many_records)
{
	int n = 0;

	world_spawn(&world, 0, "--heads-rows=500");
	world_spawn(&world, 1, "--heads-rows=500");
	ck_assert_int_eq(world_metric(&world, 0, "ww_ledger_active") +
			     world_metric(&world, 1, "ww_ledger_active"),
	    1);
	for (int i = 0; i < 6; i++) {
		char id[32];

		(void)snprintf(id, sizeof(id), "k%d", i);
		world_publish_many(&world, id, MANY / 4);
		n += MANY / 4;
		world_kill(&world, i % 2, SIGKILL);
		world_spawn(&world, i % 2, "--heads-rows=500");
	}
	world_wait_rows(&world, n);
	world_check_gapless(&world, n);
	ck_assert_int_eq(world_int(&world, COUNT_GAPS), 0);
	world_kill(&world, 0, SIGTERM);
	world_kill(&world, 1, SIGTERM);
	world_verify_good(&world);
}
END_TEST

START_TEST(nats_killed_in_the_middle_of_many_records)
{
	world_publish_many(&world, "n", MANY);
	world_spawn(&world, 0, NULL);
	support_nats_stop(&world.nats, SIGKILL);
	world_wait_says(&world, 0, "503 ");
	support_nats_restart(&world.nats);
	world_wait_rows(&world, MANY);
	world_check_gapless(&world, MANY);
	ck_assert_int_eq(world_int(&world, COUNT_GAPS), 0);
	world_kill(&world, 0, SIGTERM);
	world_verify_good(&world);
}
END_TEST

/* A server of the test's own, since it is killed. */
START_TEST(postgresql_killed_in_the_middle_of_many_records)
{
	struct postgres *pg = postgres_start();

	world_start(&world, pg);
	world_publish_many(&world, "p", MANY);
	world_spawn(&world, 0, NULL);
	world_spawn(&world, 1, NULL);
	postgres_kill(pg);
	world_wait_says(&world, 0, "503 ");
	postgres_restart(pg);
	world_wait_rows(&world, MANY);
	world_check_gapless(&world, MANY);
	ck_assert_int_eq(world_int(&world, COUNT_GAPS), 0);
	world_kill(&world, 0, SIGTERM);
	world_kill(&world, 1, SIGTERM);
	world_verify_good(&world);
	world_stop(&world);
	postgres_stop(pg);
}
END_TEST

START_TEST(tables_that_are_not_there_yet_are_waited_for)
{
	world_sql(&world, "ALTER SCHEMA audit RENAME TO not_yet");
	world_launch(&world, 0, NULL);
	world_wait_says(&world, 0, "has no tables for this");
	world_sql(&world, "ALTER SCHEMA not_yet RENAME TO audit");
	world_publish(&world, "chat", "c", 1, "alice");
	world_wait_rows(&world, 1);
	world_wait_ready(&world, 0);
}
END_TEST

/* --- what is taken away --- */

/* A gap of so many messages up to this number. */
static void expect_gap(const char *id_like)
{
	char sql[256];

	(void)snprintf(sql, sizeof(sql),
	    "SELECT count(*) FROM audit.records WHERE action = 64 AND id LIKE '%s'", id_like);
	world_wait_int(&world, sql, 1);
}

static void start_over(void)
{
	world_admit_admin(&world);
	world_spawn(&world, 0, NULL);
	world_publish(&world, "chat", "stored", 1, "alice");
	world_wait_rows(&world, 1);
	world_kill(&world, 0, SIGTERM);
}

START_TEST(a_purge_of_the_stream_is_told)
{
	start_over();
	world_publish_many(&world, "lost", 10);
	world_purge(&world);
	world_spawn(&world, 0, NULL);
	expect_gap("gap-removed-%-11-10");
	ck_assert_int_eq(world_metric(&world, 0, "ww_ledger_gaps_total"), 1);
	ck_assert_int_eq(world_metric(&world, 0, "ww_ledger_lost_messages_total"), 10);
	ck_assert_ptr_nonnull(strstr(world_log(&world, 0), "\"level\":\"error\""));
	ck_assert_ptr_nonnull(strstr(world_log(&world, 0), "the audit stream has lost messages"));
	world_publish(&world, "chat", "after", 1, "alice");
	world_wait_rows(&world, 3);
	/* Told once, also to whoever starts anew. */
	world_kill(&world, 0, SIGKILL);
	world_spawn(&world, 0, NULL);
	world_publish(&world, "chat", "later", 1, "alice");
	world_wait_rows(&world, 4);
	world_check_gapless(&world, 4);
	world_kill(&world, 0, SIGTERM);
	world_verify_good(&world);
}
END_TEST

START_TEST(messages_removed_one_by_one_are_told)
{
	start_over();
	world_publish_many(&world, "m", 10); /* numbers 2 to 11 */
	world_remove(&world, 4);
	world_remove(&world, 5);
	world_remove(&world, 9);
	world_remove(&world, 11);
	world_spawn(&world, 0, NULL);
	expect_gap("gap-removed-%-5-2");
	expect_gap("gap-removed-%-9-1");
	expect_gap("gap-removed-%-11-1");
	world_wait_rows(&world, 1 + 6 + 3);
	/* In its place. */
	ck_assert_int_eq(
	    world_int(&world,
		"SELECT count(*) FROM audit.records a JOIN audit.records b ON b.number"
		" = a.number + 1 WHERE a.id LIKE 'gap-removed-%-5-2' AND b.id = 'm-4'"),
	    1);
	world_kill(&world, 0, SIGTERM);
	world_verify_good(&world);
}
END_TEST

START_TEST(a_stream_that_was_made_anew_is_told)
{
	start_over();
	world_publish_many(&world, "lost", 10);
	world_recreate(&world);
	world_publish(&world, "chat", "new", 1, "alice");
	world_spawn(&world, 0, NULL);
	expect_gap("gap-recreated-%-1-0");
	world_wait_int(&world, "SELECT count(*) FROM audit.records WHERE id = 'new-0'", 1);
	world_check_gapless(&world, 3);
	/* The same while it runs. */
	world_recreate(&world);
	world_publish_many(&world, "newer", 5);
	world_wait_int(&world, "SELECT count(*) FROM audit.records WHERE id = 'newer-4'", 1);
	world_wait_int(&world, COUNT_GAPS, 2);
	world_check_gapless(&world, 9);
	world_kill(&world, 0, SIGTERM);
	world_verify_good(&world);
}
END_TEST

/* Acknowledged in the writer's name, by somebody who has its password. */
START_TEST(messages_that_somebody_else_took_are_told)
{
	struct bus *thief = support_nats_bus(&world.nats, "audit");
	struct bus_msg *msgs[10];
	struct bus_pull *pull = NULL;
	struct err err = ERR_INIT;
	size_t n = 0;

	world_publish_many(&world, "t", 10);
	ck_assert_ok(bus_pull_open(thief, STREAM_AUDIT, CONSUMER_AUDIT, &pull, &err), err);
	ck_assert_ok(bus_pull_fetch(pull, msgs, ARRAY_LEN(msgs), WORLD_WAIT_MS, &n, &err), err);
	ck_assert_uint_ge(n, 1);
	for (size_t i = 0; i < n; i++) {
		/* All but the first: that one is given back. */
		if (i > 0)
			ck_assert_ok(bus_msg_ack(msgs[i], &err), err);
		bus_msg_unref(msgs[i]);
	}
	ck_assert_ok(bus_flush(thief, WORLD_WAIT_MS, &err), err);
	bus_pull_close(pull);
	bus_close(thief);
	world_publish_many(&world, "u", 5);
	world_spawn(&world, 0, NULL);
	world_wait_int(&world, "SELECT count(*) FROM audit.records WHERE id LIKE 'u-%'", 5);
	world_wait_int(&world, "SELECT count(*) FROM audit.records WHERE id = 't-0'", 1);
	expect_gap("gap-removed-%");
	ck_assert_int_eq(world_metric(&world, 0, "ww_ledger_lost_messages_total"), (long)(n - 1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("audit_failures");
	TCase *tcase = tcase_create("failures");
	TCase *own = tcase_create("postgresql");

	shared_pg = postgres_start();
	tcase_set_timeout(tcase, 180);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_record_that_comes_again_is_stored_once);
	tcase_add_test(tcase, an_old_record_and_one_of_the_future_are_known_again);
	tcase_add_test(tcase, the_writer_killed_in_the_middle_of_many_records);
	tcase_add_test(tcase, nats_killed_in_the_middle_of_many_records);
	tcase_add_test(tcase, tables_that_are_not_there_yet_are_waited_for);
	tcase_add_test(tcase, a_purge_of_the_stream_is_told);
	tcase_add_test(tcase, messages_removed_one_by_one_are_told);
	tcase_add_test(tcase, a_stream_that_was_made_anew_is_told);
	tcase_add_test(tcase, messages_that_somebody_else_took_are_told);
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(own, 180);
	tcase_add_test(own, postgresql_killed_in_the_middle_of_many_records);
	suite_add_tcase(suite, own);
	return support_run(suite);
}
