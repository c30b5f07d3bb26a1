/* When an edge counts as gone, and when nothing may be said about it. */
#include "lease_table.h"
#include "support/support.h"

enum { START = 1000000 };

static struct lease_table table;

static void setup(void)
{
	table = (struct lease_table){ 0 };
}

static void teardown(void)
{
	lease_table_finish(&table);
}

/* Our own lease comes every five seconds, until `until_ms`; `other` with it, unless NULL. */
static int64_t hear(int64_t from_ms, int64_t until_ms, const char *other)
{
	int64_t now_ms = from_ms;

	for (; now_ms <= until_ms; now_ms += LEASE_PUT_MS) {
		if (other)
			lease_table_heard(&table, other, now_ms);
		lease_table_heard_own(&table, now_ms);
	}
	return now_ms - LEASE_PUT_MS;
}

START_TEST(nothing_heard_rules_out_nobody)
{
	ck_assert(!lease_table_rules_out(&table, "a", START));
	ck_assert(!lease_table_rules_out(&table, "a", START + 100 * LEASE_MS));
}
END_TEST

START_TEST(an_edge_without_a_lease_is_ruled_out_after_as_long_as_one_lasts)
{
	int64_t now_ms = hear(START, START + LEASE_MS - 1, "alive");

	ck_assert(!lease_table_rules_out(&table, "nobody", now_ms));
	now_ms = hear(now_ms + LEASE_PUT_MS, START + LEASE_MS, "alive");
	ck_assert(lease_table_rules_out(&table, "nobody", now_ms));
	ck_assert(!lease_table_rules_out(&table, "alive", now_ms));
}
END_TEST

START_TEST(an_edge_that_falls_silent_is_ruled_out_when_its_lease_has_ended)
{
	int64_t now_ms = hear(START, START + 10 * LEASE_MS, "silent");
	int64_t last_ms = now_ms;

	now_ms = hear(now_ms + LEASE_PUT_MS, last_ms + LEASE_MS - 1, NULL);
	ck_assert(!lease_table_rules_out(&table, "silent", now_ms));
	now_ms = hear(now_ms + LEASE_PUT_MS, last_ms + LEASE_MS, NULL);
	ck_assert(lease_table_rules_out(&table, "silent", now_ms));
	lease_table_heard(&table, "silent", now_ms);
	ck_assert(!lease_table_rules_out(&table, "silent", now_ms));
}
END_TEST

START_TEST(an_edge_that_says_it_is_gone_is_ruled_out_at_once)
{
	int64_t now_ms = hear(START, START + LEASE_MS, "going");

	ck_assert(!lease_table_rules_out(&table, "going", now_ms));
	lease_table_forget(&table, "going");
	ck_assert(lease_table_rules_out(&table, "going", now_ms));
}
END_TEST

/* The bucket takes no puts, or the watch is not told: everybody is silent then. */
START_TEST(a_watch_that_does_not_bring_our_own_lease_rules_out_nobody)
{
	int64_t now_ms = hear(START, START + LEASE_MS, NULL);

	ck_assert(lease_table_rules_out(&table, "nobody", now_ms + LEASE_LATE_MS));
	ck_assert(!lease_table_rules_out(&table, "nobody", now_ms + LEASE_LATE_MS + 1));
	/* It is heard again: others have as much time as after a start. */
	now_ms += 4 * LEASE_MS;
	lease_table_heard_own(&table, now_ms);
	ck_assert(!lease_table_rules_out(&table, "nobody", now_ms));
	ck_assert(lease_table_rules_out(
	    &table, "nobody", hear(now_ms + LEASE_PUT_MS, now_ms + LEASE_MS, NULL)));
}
END_TEST

START_TEST(a_new_connection_starts_over)
{
	int64_t now_ms = hear(START, START + LEASE_MS, NULL);

	lease_table_doubt(&table);
	ck_assert(!lease_table_rules_out(&table, "nobody", now_ms));
	lease_table_heard_own(&table, now_ms + 1);
	ck_assert(!lease_table_rules_out(&table, "nobody", now_ms + 1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lease_table");
	TCase *tc = tcase_create("lease_table");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing_heard_rules_out_nobody);
	tcase_add_test(tc, an_edge_without_a_lease_is_ruled_out_after_as_long_as_one_lasts);
	tcase_add_test(tc, an_edge_that_falls_silent_is_ruled_out_when_its_lease_has_ended);
	tcase_add_test(tc, an_edge_that_says_it_is_gone_is_ruled_out_at_once);
	tcase_add_test(tc, a_watch_that_does_not_bring_our_own_lease_rules_out_nobody);
	tcase_add_test(tc, a_new_connection_starts_over);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
