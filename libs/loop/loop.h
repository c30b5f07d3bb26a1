/*
 * loop: one thread, its sockets and its timers.
 *
 * Whatever a loop owns is touched by its thread alone, so nothing here locks and nothing above it
 * has to. The one way in from another thread is loop_post(). Built on libuv; uv.h is included
 * nowhere else.
 *
 * Threads: every function but loop_post(), loop_stop() and loop_join() is for the loop's own
 * thread, or for the time before loop_start().
 */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct loop;
struct loop_fd;
struct loop_timer;

/*
 * Life. `name` (at most 15 bytes) names the thread, which takes no signals. loop_free() is for a
 * loop that was joined or never started; it closes the sockets that are left.
 */
struct loop *loop_new(const char *name);
enum status loop_start(struct loop *loop, struct err *err) MUST_CHECK;
void loop_stop(struct loop *loop); /* any thread; the loop ends after what was posted before it */
void loop_join(struct loop *loop);
void loop_free(struct loop *loop);

/*
 * Run fn(arg) on the loop's thread, soon, in the order posted. Any thread, never blocks, never
 * fails (docs/adr/0004): senders bound what they post. After loop_stop() it still runs, before the
 * end; what comes too late even for that is run by loop_free().
 */
void loop_post(struct loop *loop, void (*fn)(void *arg), void *arg);

/*
 * fn(arg) after each turn, just before the loop waits again: where what a turn produced is written
 * out. Turns with nothing to do are not prevented. One per loop.
 */
void loop_on_turn_end(struct loop *loop, void (*fn)(void *arg), void *arg);

/* The time of this turn: clock_mono_ms() as of its start. */
int64_t loop_now_ms(const struct loop *loop);

/* The greatest time between two turns' starts minus waiting, since last asked, in us. Any thread.
 */
int64_t loop_lag_us(struct loop *loop);

/* Sockets: level-triggered readiness of a non-blocking descriptor, which the loop_fd owns. */
enum loop_event { LOOP_READABLE = 1, LOOP_WRITABLE = 2 };

/*
 * `fn` is told what is ready: a mask of enum loop_event. Errors show as readable, hang-ups as
 * whatever is wanted; a descriptor nothing is wanted of is not looked at.
 */
typedef void (*loop_fd_fn)(void *arg, int events);

struct loop_fd *loop_fd_open(struct loop *loop, int fd, loop_fd_fn fn, void *arg);
void loop_fd_want(struct loop_fd *lfd, int events); /* 0: none */
int loop_fd_number(const struct loop_fd *lfd);

/* Never calls back again; the descriptor is closed and the struct freed at the end of the turn. */
void loop_fd_close(struct loop_fd *lfd);

/*
 * Timers: a hierarchical wheel with a granularity of one millisecond, intrusive, so that arming and
 * disarming 10,000 of them is cheap and allocates nothing. Embed one, zeroed. A timer fires once,
 * never early; fn may arm it again. Disarm it before its memory goes.
 */
struct loop_timer {
	struct loop_timer *prev, *next; /* in a slot of the wheel; NULL when not armed */
	int64_t deadline_ms;            /* on clock_mono_ms() */
	void (*fn)(void *arg);
	void *arg;
};

void loop_timer_arm(struct loop *loop, struct loop_timer *timer, int64_t deadline_ms,
    void (*fn)(void *arg), void *arg);
void loop_timer_disarm(struct loop *loop, struct loop_timer *timer);

static inline int loop_timer_is_armed(const struct loop_timer *timer)
{
	return timer->next != NULL;
}

#endif
