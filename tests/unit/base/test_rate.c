/* rate: what passes in any stretch of time is the burst and what came back meanwhile. */
#include "base/rate.h"
#include "support/support.h"

enum { MS = 1000, S = 1000000 };

static int taken(
    const struct rate_rule *rule, struct rate_bucket *bucket, int64_t now_us, int tries)
{
	int n = 0;

	while (tries-- > 0)
		n += rate_take(rule, bucket, now_us) == 0;
	return n;
}

START_TEST(a_rested_bucket_gives_the_burst_and_then_the_rate)
{
	struct rate_rule rule = rate_rule(20, 40);
	struct rate_bucket bucket = { 0 };

	ck_assert_int_eq(taken(&rule, &bucket, 1000 * S, 100), 40);
	ck_assert_int_eq(taken(&rule, &bucket, 1000 * S + 49 * MS, 100), 0);
	ck_assert_int_eq(taken(&rule, &bucket, 1000 * S + 50 * MS, 100), 1);
	ck_assert_int_eq(taken(&rule, &bucket, 1001 * S, 100), 19);
	ck_assert_int_eq(taken(&rule, &bucket, 2000 * S, 100), 40);
}
END_TEST

START_TEST(who_is_refused_is_told_when_to_come_back)
{
	struct rate_rule rule = rate_rule(3, 1);
	struct rate_bucket bucket = { 0 };
	int64_t now_us = 5 * S, wait_ms;

	ck_assert_int_eq(rate_take(&rule, &bucket, now_us), 0);
	wait_ms = rate_take(&rule, &bucket, now_us);
	ck_assert_int_eq(wait_ms, 334); /* a third of a second, rounded up */
	ck_assert_int_gt(rate_take(&rule, &bucket, now_us + (wait_ms - 1) * MS), 0);
	ck_assert_int_eq(rate_take(&rule, &bucket, now_us + wait_ms * MS), 0);
}
END_TEST

START_TEST(being_refused_costs_nothing)
{
	struct rate_rule rule = rate_rule(10, 2);
	struct rate_bucket bucket = { 0 };

	ck_assert_int_eq(taken(&rule, &bucket, S, 100000), 2);
	ck_assert_int_eq(taken(&rule, &bucket, S + 100 * MS, 100000), 1);
}
END_TEST

START_TEST(no_stretch_of_time_lets_more_through)
{
	struct rate_rule rule = rate_rule(20, 40);
	struct rate_bucket bucket = { 0 };
	int n = 0;

	for (int64_t now_us = 0; now_us < 10 * S; now_us += 7 * MS)
		n += taken(&rule, &bucket, now_us, 3);
	ck_assert_int_ge(n, 200 + 39);
	ck_assert_int_le(n, 200 + 40);
}
END_TEST

START_TEST(a_rate_of_nothing_is_no_limit)
{
	struct rate_rule rule = rate_rule(0, 1);
	struct rate_bucket bucket = { 0 };

	ck_assert_int_eq(taken(&rule, &bucket, S, 1000), 1000);
}
END_TEST

START_TEST(the_largest_rule_does_not_overflow)
{
	struct rate_rule rule = rate_rule(1, RATE_PER_S_MAX);
	struct rate_bucket bucket = { 0 };

	ck_assert_int_eq(taken(&rule, &bucket, INT64_MAX / 2, RATE_PER_S_MAX + 9), RATE_PER_S_MAX);
	rule = rate_rule(RATE_PER_S_MAX, 1);
	bucket = (struct rate_bucket){ 0 };
	ck_assert_int_eq(taken(&rule, &bucket, S, 2), 1);
	ck_assert_int_eq(taken(&rule, &bucket, S + 1, 2), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rate");
	TCase *tcase = tcase_create("rate");

	tcase_add_test(tcase, a_rested_bucket_gives_the_burst_and_then_the_rate);
	tcase_add_test(tcase, who_is_refused_is_told_when_to_come_back);
	tcase_add_test(tcase, being_refused_costs_nothing);
	tcase_add_test(tcase, no_stretch_of_time_lets_more_through);
	tcase_add_test(tcase, a_rate_of_nothing_is_no_limit);
	tcase_add_test(tcase, the_largest_rule_does_not_overflow);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
