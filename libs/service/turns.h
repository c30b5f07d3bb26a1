/*
 * turns: a thread that does one thing again and again, with pauses that its end cuts short.
 *
 * A turn returns how long to wait before the next one, so it never sleeps itself. A turn that is
 * under way when the end comes is finished; a long one asks turns_are_over() where it may stop.
 */
#ifndef SERVICE_TURNS_H
#define SERVICE_TURNS_H

#include <stdint.h>

#include "base/err.h"

struct turns;

/* Milliseconds until the next turn. */
typedef int64_t (*turn_fn)(void *arg);

/* `*ret_turns` is set before the first turn is taken. */
enum status turns_start(
    turn_fn fn, void *arg, struct turns **ret_turns, struct err *err) MUST_CHECK;
bool turns_are_over(struct turns *turns); /* any thread */
/* The next turn comes at once. Any thread; fine in a turn too. */
void turns_wake(struct turns *turns);
/* Waits for the turn that is under way. NULL is fine. */
void turns_stop(struct turns *turns);
/* The same in two steps, for whoever may still be woken in between. */
void turns_end(struct turns *turns);
void turns_free(struct turns *turns);

#endif
