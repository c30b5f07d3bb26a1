/* The timer wheel against a table, and against the simplest thing that could be right. */
#include <stdlib.h>
#include <string.h>

#include "base/attrs.h"
#include "loop/wheel.h"
#include "support/support.h"

#define DAY_MS INT64_C(86400000)

struct probe {
	struct loop_timer timer;
	int fired;
	int64_t fired_ms;
	struct wheel *wheel;
	struct probe *disarms;  /* what its callback disarms */
	int64_t arms_again_for; /* 0: nothing */
};

static struct wheel *new_wheel(int64_t now_ms)
{
	struct wheel *wheel = malloc(sizeof(*wheel));

	ck_assert_ptr_nonnull(wheel);
	wheel_init(wheel, now_ms);
	return wheel;
}

static void on_fire(void *arg)
{
	struct probe *probe = arg;

	probe->fired++;
	probe->fired_ms = probe->wheel->now_ms;
	if (probe->disarms)
		wheel_disarm(probe->wheel, &probe->disarms->timer);
	if (probe->arms_again_for) {
		probe->timer.deadline_ms = probe->arms_again_for;
		wheel_arm(probe->wheel, &probe->timer);
	}
}

static void arm(struct wheel *wheel, struct probe *probe, int64_t deadline_ms)
{
	probe->wheel = wheel;
	probe->timer.deadline_ms = deadline_ms;
	probe->timer.fn = on_fire;
	probe->timer.arg = probe;
	wheel_arm(wheel, &probe->timer);
}

static const struct {
	int64_t now_ms, deadline_ms, fires_ms;
} exact[] = {
	{ 0, 1, 1 },
	{ 0, 63, 63 },
	{ 0, 64, 64 },
	{ 0, 65, 65 },
	{ 63, 64, 64 },
	{ 63, 128, 128 },
	{ 4095, 4096, 4096 },
	{ 4095, 4097, 4097 },
	{ 262143, 262144, 262144 },
	{ 1000, 1000, 1001 }, /* due already: at the next millisecond */
	{ 1000, 3, 1001 },
	{ 63, 0, 64 }, /* the next millisecond is on another level */
	{ 16777215, -5, 16777216 },
	{ 123456789, 123456789 + DAY_MS, 123456789 + DAY_MS },
	{ (INT64_C(1) << 36) - 1, INT64_C(1) << 36, INT64_C(1) << 36 },
	{ 40 * DAY_MS, 400 * DAY_MS, 400 * DAY_MS },
};

START_TEST(timer_fires_at_its_millisecond)
{
	struct wheel *wheel = new_wheel(exact[_i].now_ms);
	struct probe probe = { 0 };

	arm(wheel, &probe, exact[_i].deadline_ms);
	wheel_advance(wheel, exact[_i].fires_ms - 1);
	ck_assert_int_eq(probe.fired, 0);
	ck_assert(loop_timer_is_armed(&probe.timer));
	wheel_advance(wheel, exact[_i].fires_ms);
	ck_assert_int_eq(probe.fired, 1);
	ck_assert(!loop_timer_is_armed(&probe.timer));
	ck_assert_int_eq(wheel_next_ms(wheel), -1);
	free(wheel);
}
END_TEST

/* What the loop does: sleep until wheel_next_ms(), advance, and so on. */
START_TEST(sleeping_until_the_next_slot_misses_nothing)
{
	struct wheel *wheel = new_wheel(exact[_i].now_ms);
	struct probe probe = { 0 };
	int wakes = 0;

	arm(wheel, &probe, exact[_i].deadline_ms);
	while (probe.fired == 0) {
		int64_t next_ms = wheel_next_ms(wheel);

		ck_assert_int_gt(next_ms, wheel->now_ms);
		ck_assert_int_le(next_ms, exact[_i].fires_ms);
		wheel_advance(wheel, next_ms);
		wakes++;
	}
	ck_assert_int_eq(probe.fired_ms, exact[_i].fires_ms);
	ck_assert_int_le(wakes, WHEEL_LEVELS);
	free(wheel);
}
END_TEST

START_TEST(deadline_that_never_comes_never_fires)
{
	struct wheel *wheel = new_wheel(5);
	struct probe probe = { 0 };

	arm(wheel, &probe, INT64_MAX);
	wheel_advance(wheel, WHEEL_END_MS - 1);
	ck_assert_int_eq(probe.fired, 0);
	wheel_disarm(wheel, &probe.timer);
	ck_assert_int_eq(wheel_next_ms(wheel), -1);
	free(wheel);
}
END_TEST

START_TEST(callback_may_disarm_one_that_is_due_with_it)
{
	struct wheel *wheel = new_wheel(0);
	struct probe a = { 0 }, b = { 0 }, c = { 0 };

	a.disarms = &b;
	arm(wheel, &a, 10);
	arm(wheel, &b, 10);
	arm(wheel, &c, 11);
	wheel_advance(wheel, 20);
	ck_assert_int_eq(a.fired, 1);
	ck_assert_int_eq(b.fired, 0);
	ck_assert_int_eq(c.fired, 1);
	free(wheel);
}
END_TEST

START_TEST(timer_armed_again_for_the_past_fires_once_a_call)
{
	struct wheel *wheel = new_wheel(0);
	struct probe a = { .arms_again_for = 1 };

	arm(wheel, &a, 10);
	wheel_advance(wheel, 1000);
	ck_assert_int_eq(a.fired, 1);
	ck_assert_int_eq(wheel_next_ms(wheel), 1001);
	wheel_advance(wheel, 1000);
	ck_assert_int_eq(a.fired, 1);
	wheel_advance(wheel, 1001);
	ck_assert_int_eq(a.fired, 2);
	wheel_disarm(wheel, &a.timer);
	free(wheel);
}
END_TEST

START_TEST(disarming_twice_or_never_armed_does_nothing)
{
	struct wheel *wheel = new_wheel(0);
	struct probe a = { 0 };

	wheel_disarm(wheel, &a.timer);
	arm(wheel, &a, 70);
	wheel_disarm(wheel, &a.timer);
	wheel_disarm(wheel, &a.timer);
	ck_assert_int_eq(wheel_next_ms(wheel), -1);
	wheel_advance(wheel, 100);
	ck_assert_int_eq(a.fired, 0);
	free(wheel);
}
END_TEST

/* The model: an array of deadlines that is searched from end to end. */
enum { MODEL_TIMERS = 200, MODEL_STEPS = 4000 };

struct model {
	struct wheel *wheel;
	struct probe probes[MODEL_TIMERS];
	int64_t expected_ms[MODEL_TIMERS]; /* when it must fire, -1: not armed */
	uint64_t random;
	int64_t scale_ms;
};

static uint64_t model_random(struct model *model)
{
	model->random ^= model->random << 13;
	model->random ^= model->random >> 7;
	model->random ^= model->random << 17;
	return model->random;
}

static void model_on_fire(void *arg)
{
	struct probe *probe = arg;

	probe->fired++;
}

static void model_arm(struct model *model, size_t i)
{
	int64_t now_ms = model->wheel->now_ms;
	int64_t span = INT64_C(1) << (model_random(model) % 34); /* any level alike */
	int64_t deadline_ms = now_ms - 3 + (int64_t)(model_random(model) % (uint64_t)span);
	struct probe *probe = &model->probes[i];

	wheel_disarm(model->wheel, &probe->timer);
	probe->timer.deadline_ms = deadline_ms;
	probe->timer.fn = model_on_fire;
	probe->timer.arg = probe;
	wheel_arm(model->wheel, &probe->timer);
	model->expected_ms[i] = deadline_ms > now_ms ? deadline_ms : now_ms + 1;
}

static int64_t model_next_ms(const struct model *model)
{
	int64_t next_ms = -1;

	for (size_t i = 0; i < MODEL_TIMERS; i++) {
		if (model->expected_ms[i] >= 0 && (next_ms < 0 || model->expected_ms[i] < next_ms))
			next_ms = model->expected_ms[i];
	}
	return next_ms;
}

static void model_advance(struct model *model, int64_t to_ms)
{
	int wrong = 0; /* counted, since Check takes its time for each assertion */

	wheel_advance(model->wheel, to_ms);
	for (size_t i = 0; i < MODEL_TIMERS; i++) {
		struct probe *probe = &model->probes[i];
		int due = model->expected_ms[i] >= 0 && model->expected_ms[i] <= to_ms;

		wrong += probe->fired != due;
		if (due)
			model->expected_ms[i] = -1;
		wrong += loop_timer_is_armed(&probe->timer) != (model->expected_ms[i] >= 0);
		probe->fired = 0;
	}
	ck_assert_int_eq(wrong, 0);
}

static void model_step(struct model *model)
{
	size_t i = model_random(model) % MODEL_TIMERS;
	int64_t next_ms = wheel_next_ms(model->wheel);
	int64_t first_ms = model_next_ms(model);
	int64_t jump_ms = (int64_t)(model_random(model) % (uint64_t)model->scale_ms);

	ck_assert_int_eq(next_ms < 0, first_ms < 0);
	if (next_ms >= 0)
		ck_assert(next_ms > model->wheel->now_ms && next_ms <= first_ms);
	switch (model_random(model) % 8) {
	case 0:
		wheel_disarm(model->wheel, &model->probes[i].timer);
		model->expected_ms[i] = -1;
		break;
	case 1:
		model_advance(model, model->wheel->now_ms + jump_ms);
		break;
	case 2:
		if (next_ms >= 0)
			model_advance(model, next_ms);
		break;
	case 3:
		if (first_ms >= 0)
			model_advance(model, first_ms);
		break;
	default:
		model_arm(model, i);
	}
}

START_TEST(wheel_agrees_with_the_model)
{
	static const int64_t starts[] = { 0, 1, 4095, 1700000000, (INT64_C(1) << 36) - 2000 };
	static const int64_t scales[] = { 3, 500, 100000, 30 * DAY_MS };
	struct model *model = calloc(1, sizeof(*model));

	ck_assert_ptr_nonnull(model);
	model->wheel = new_wheel(starts[(size_t)_i % ARRAY_LEN(starts)]);
	model->scale_ms = scales[(size_t)_i / ARRAY_LEN(starts)];
	model->random = 0x9E3779B97F4A7C15u + (uint64_t)_i;
	for (size_t i = 0; i < MODEL_TIMERS; i++)
		model->expected_ms[i] = -1;
	for (int step = 0; step < MODEL_STEPS; step++)
		model_step(model);
	free(model->wheel);
	free(model);
}
END_TEST

/* Deadlines in the order in which they fire. */
static int64_t order_last_ms;

static void order_on_fire(void *arg)
{
	const struct loop_timer *timer = arg;

	ck_assert_int_ge(timer->deadline_ms, order_last_ms);
	order_last_ms = timer->deadline_ms;
}

START_TEST(timers_fire_in_the_order_of_their_deadlines)
{
	struct wheel *wheel = new_wheel(1000);
	struct loop_timer timers[500];

	(void)memset(timers, 0, sizeof(timers));
	for (size_t i = 0; i < ARRAY_LEN(timers); i++) {
		timers[i].deadline_ms = 1001 + (int64_t)(i * 7919 % 500) * 37;
		timers[i].fn = order_on_fire;
		timers[i].arg = &timers[i];
		wheel_arm(wheel, &timers[i]);
	}
	wheel_advance(wheel, 1000000);
	ck_assert_int_eq(order_last_ms, 1001 + 499 * 37);
	free(wheel);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wheel");
	TCase *table = tcase_create("table");
	TCase *behaviour = tcase_create("behaviour");
	TCase *model = tcase_create("model");

	tcase_add_loop_test(table, timer_fires_at_its_millisecond, 0, (int)ARRAY_LEN(exact));
	tcase_add_loop_test(
	    table, sleeping_until_the_next_slot_misses_nothing, 0, (int)ARRAY_LEN(exact));
	tcase_add_test(behaviour, deadline_that_never_comes_never_fires);
	tcase_add_test(behaviour, callback_may_disarm_one_that_is_due_with_it);
	tcase_add_test(behaviour, timer_armed_again_for_the_past_fires_once_a_call);
	tcase_add_test(behaviour, disarming_twice_or_never_armed_does_nothing);
	tcase_add_test(behaviour, timers_fire_in_the_order_of_their_deadlines);
	tcase_add_loop_test(model, wheel_agrees_with_the_model, 0, 20);
	tcase_set_timeout(model, 60);
	suite_add_tcase(suite, table);
	suite_add_tcase(suite, behaviour);
	suite_add_tcase(suite, model);
	return support_run(suite);
}
