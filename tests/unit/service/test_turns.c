/* A thread that takes turns, and how it ends. */
#include <stdatomic.h>

#include "service/turns.h"
#include "support/support.h"

enum { WAIT_MS = 20000, FOR_EVER_MS = 3600000 };

struct counter {
	struct turns *turns;
	int64_t pause_ms;
	atomic_int taken;
	bool until_over; /* a turn lasts until somebody ends it */
};

static int64_t count(void *arg)
{
	struct counter *counter = arg;

	(void)atomic_fetch_add(&counter->taken, 1);
	while (counter->until_over && !turns_are_over(counter->turns))
		continue;
	return counter->pause_ms;
}

static bool took_three(void *arg)
{
	return atomic_load(&((struct counter *)arg)->taken) >= 3;
}

static bool took_one(void *arg)
{
	return atomic_load(&((struct counter *)arg)->taken) >= 1;
}

static bool took_two(void *arg)
{
	return atomic_load(&((struct counter *)arg)->taken) >= 2;
}

START_TEST(turns_follow_each_other)
{
	struct counter counter = { .pause_ms = _i };
	struct err err = ERR_INIT;

	ck_assert_ok(turns_start(count, &counter, &counter.turns, &err), err);
	ck_assert(support_wait(took_three, &counter, WAIT_MS));
	turns_stop(counter.turns);
}
END_TEST

/* It would last an hour, and the test's own limit is a minute. */
START_TEST(the_end_cuts_a_pause_short)
{
	struct counter counter = { .pause_ms = FOR_EVER_MS };
	struct err err = ERR_INIT;

	ck_assert_ok(turns_start(count, &counter, &counter.turns, &err), err);
	ck_assert(support_wait(took_one, &counter, WAIT_MS));
	turns_stop(counter.turns);
	ck_assert_int_eq(atomic_load(&counter.taken), 1);
}
END_TEST

START_TEST(a_wake_brings_the_next_turn)
{
	struct counter counter = { .pause_ms = FOR_EVER_MS };
	struct err err = ERR_INIT;

	ck_assert_ok(turns_start(count, &counter, &counter.turns, &err), err);
	ck_assert(support_wait(took_one, &counter, WAIT_MS));
	turns_wake(counter.turns);
	ck_assert(support_wait(took_two, &counter, WAIT_MS));
	turns_stop(counter.turns);
}
END_TEST

START_TEST(a_long_turn_can_ask_whether_it_is_over)
{
	struct counter counter = { .until_over = true };
	struct err err = ERR_INIT;

	ck_assert_ok(turns_start(count, &counter, &counter.turns, &err), err);
	ck_assert(support_wait(took_one, &counter, WAIT_MS));
	turns_stop(counter.turns);
	ck_assert_int_eq(atomic_load(&counter.taken), 1);
}
END_TEST

START_TEST(nothing_can_be_stopped)
{
	turns_stop(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("service/turns");
	TCase *tcase = tcase_create("turns");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, turns_follow_each_other, 0, 2); /* without a pause, and with */
	tcase_add_test(tcase, the_end_cuts_a_pause_short);
	tcase_add_test(tcase, a_wake_brings_the_next_turn);
	tcase_add_test(tcase, a_long_turn_can_ask_whether_it_is_over);
	tcase_add_test(tcase, nothing_can_be_stopped);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
