/*
 * wheel: the timers of one loop. Pure: it is told the time, so a test can run years in a second.
 *
 * Seven levels of 64 slots; a slot of level n spans 64^n milliseconds. A timer sits on the level of
 * the highest base-64 digit in which its deadline differs from the wheel's time, in the slot of
 * that digit, so the first occupied slot of the lowest occupied level is always the next to look at
 * and nothing wraps around. Entering a slot above level 0 spreads its timers over the levels below:
 * each timer moves at most six times in its life.
 *
 * Seven levels reach to 2^42 ms, 139 years after boot; a deadline beyond that never comes.
 */
#ifndef LOOP_WHEEL_H
#define LOOP_WHEEL_H

#include "loop/loop.h"

enum { WHEEL_BITS = 6, WHEEL_SLOTS = 1 << WHEEL_BITS, WHEEL_LEVELS = 7 };

#define WHEEL_END_MS ((INT64_C(1) << (WHEEL_BITS * WHEEL_LEVELS)) - 1)

struct wheel {
	int64_t now_ms;
	uint64_t occupied[WHEEL_LEVELS];                    /* a bit per slot */
	struct loop_timer slots[WHEEL_LEVELS][WHEEL_SLOTS]; /* heads of circular lists */
	struct loop_timer due; /* what wheel_advance() is about to fire */
};

/* `now_ms` >= 0. The wheel must not be moved in memory afterwards. */
void wheel_init(struct wheel *wheel, int64_t now_ms);

/* `timer` has its deadline set and is not armed. One that is due already fires at the next ms. */
void wheel_arm(struct wheel *wheel, struct loop_timer *timer);
void wheel_disarm(struct wheel *wheel, struct loop_timer *timer);

/* When wheel_advance() has something to do next (at or before the next deadline); -1: never. */
int64_t wheel_next_ms(const struct wheel *wheel);

/*
 * Fire what is due by `now_ms`, in the order of deadlines, each once: a timer that is armed again
 * by its callback, even for the past, waits for a later call.
 */
void wheel_advance(struct wheel *wheel, int64_t now_ms);

#endif
