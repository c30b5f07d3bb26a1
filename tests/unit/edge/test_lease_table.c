/* When an edge counts as gone, and when nothing may be said about it. */
#include "lease_table.h"

#include "base/message.h"
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

static void tell(const char *edge_id, uint64_t sockets)
{
	Walletwire__V1__EdgeLease lease = WALLETWIRE__V1__EDGE_LEASE__INIT;

	lease.id = (char *)(uintptr_t)edge_id;
	lease.sockets = sockets;
	lease_table_tell(&table, edge_id, message_copy(&lease.base));
}

static void add_sockets(void *arg, const Walletwire__V1__EdgeLease *lease)
{
	*(uint64_t *)arg += lease->sockets;
}

static uint64_t all_sockets(void)
{
	uint64_t n = 0;

	lease_table_each(&table, add_sockets, &n);
	return n;
}

START_TEST(what_leases_say_is_known_as_long_as_they_last)
{
	lease_table_heard(&table, "a", START);
	tell("a", 1);
	tell("a", 2); /* in place of it */
	lease_table_heard(&table, "b", START + LEASE_PUT_MS);
	tell("b", 40);
	lease_table_heard(&table, "says nothing", START);
	tell("was not heard", 800);
	ck_assert_uint_eq(all_sockets(), 42);
	lease_table_heard_own(&table, START + LEASE_MS);
	ck_assert_uint_eq(all_sockets(), 40);
	lease_table_forget(&table, "b");
	ck_assert_uint_eq(all_sockets(), 0);
	lease_table_heard(&table, "c", START + LEASE_MS);
	tell("c", 7); /* for the end of the table to free */
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
	tcase_add_test(tc, what_leases_say_is_known_as_long_as_they_last);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
