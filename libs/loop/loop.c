/*
 * The loop on libuv. A turn is what happens between two waits: it begins with the first callback
 * after the wait and ends in the prepare handle, which libuv runs after timers and just before it
 * polls, so whatever posts, sockets and timers of a turn produced is flushed before the loop
 * sleeps.
 */
#include "loop/loop.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/attrs.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "loop/internal.h"

enum {
	POSTS_FIRST = 64,
	POSTS_KEPT = 4096, /* a larger array, left by a burst, is given back */
};

static void queue_add(struct post_queue *queue, struct post post)
{
	if (queue->len == queue->cap) {
		queue->cap = queue->cap ? queue->cap * 2 : POSTS_FIRST;
		queue->items = xrealloc(queue->items, queue->cap * sizeof(*queue->items));
	}
	queue->items[queue->len++] = post;
}

static void queue_clear(struct post_queue *queue)
{
	queue->len = 0;
	if (queue->cap > POSTS_KEPT) {
		free(queue->items);
		*queue = (struct post_queue){ 0 };
	}
}

/* Run what was posted so far; what these posts post runs in the next turn. Returns whether to stop.
 */
static bool run_posts(struct loop *loop)
{
	struct post_queue empty = loop->running;
	bool stopping;

	(void)pthread_mutex_lock(&loop->lock);
	loop->running = loop->posted;
	loop->posted = empty;
	stopping = loop->stopping;
	(void)pthread_mutex_unlock(&loop->lock);

	for (size_t i = 0; i < loop->running.len; i++)
		loop->running.items[i].fn(loop->running.items[i].arg);
	queue_clear(&loop->running);
	return stopping;
}

static bool has_posts(struct loop *loop)
{
	bool any;

	(void)pthread_mutex_lock(&loop->lock);
	any = loop->posted.len > 0;
	(void)pthread_mutex_unlock(&loop->lock);
	return any;
}

void loop_turn_begin(struct loop *loop)
{
	int64_t now_us;

	if (loop->in_turn)
		return;
	now_us = clock_mono_us();
	loop->in_turn = true;
	loop->now_ms = now_us / 1000;
	atomic_store_explicit(&loop->turn_began_us, now_us, memory_order_relaxed);
}

static void raise_lag(struct loop *loop, int64_t us)
{
	int64_t lag_us = atomic_load_explicit(&loop->lag_us, memory_order_relaxed);

	while (us > lag_us && !atomic_compare_exchange_weak_explicit(&loop->lag_us, &lag_us, us,
				  memory_order_relaxed, memory_order_relaxed))
		;
}

static void turn_finish(struct loop *loop)
{
	loop_turn_begin(loop); /* a turn of the wait alone: its end still sees the time */
	if (loop->on_turn_end)
		loop->on_turn_end(loop->on_turn_end_arg);
	raise_lag(loop,
	    clock_mono_us() - atomic_load_explicit(&loop->turn_began_us, memory_order_relaxed));
	atomic_store_explicit(&loop->turn_began_us, 0, memory_order_relaxed);
	loop->in_turn = false;
}

static void on_alarm(uv_timer_t *alarm)
{
	struct loop *loop = alarm->data;

	loop_turn_begin(loop);
	loop->alarm_ms = -1;
	wheel_advance(&loop->wheel, loop->now_ms);
}

/* Once a turn, not once a timer: arming costs libuv nothing. */
static void set_alarm(struct loop *loop)
{
	int64_t next_ms = wheel_next_ms(&loop->wheel);
	int64_t now_ms;

	if (next_ms == loop->alarm_ms)
		return;
	loop->alarm_ms = next_ms;
	if (next_ms < 0) {
		(void)uv_timer_stop(&loop->alarm);
		return;
	}
	uv_update_time(&loop->uv);
	now_ms =
	    (int64_t)uv_now(&loop->uv); /* the same clock as clock_mono_ms(), never ahead of it */
	(void)uv_timer_start(
	    &loop->alarm, on_alarm, next_ms > now_ms ? (uint64_t)(next_ms - now_ms) : 0, 0);
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct loop *loop = prepare->data;

	turn_finish(loop);
	set_alarm(loop);
}

static void on_wake(uv_async_t *wake)
{
	struct loop *loop = wake->data;

	loop_turn_begin(loop);
	if (run_posts(loop))
		uv_stop(&loop->uv);
}

static void *loop_main(void *arg)
{
	struct loop *loop = arg;

	(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
	/* Posts that came with the stop, and those which they made, before the end. */
	do {
		loop_turn_begin(loop);
		(void)run_posts(loop);
		turn_finish(loop);
	} while (has_posts(loop));
	return NULL;
}

static void assert_ok(int rc)
{
	assert(rc == 0); /* out of descriptors or memory while starting, or misuse */
	(void)rc;
}

struct loop *loop_new(const char *name)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));

	assert(strlen(name) < sizeof(loop->name));
	(void)memcpy(loop->name, name, strlen(name) + 1);
	loop->now_ms = clock_mono_ms();
	loop->alarm_ms = -1;
	wheel_init(&loop->wheel, loop->now_ms);
	(void)pthread_mutex_init(&loop->lock, NULL);
	assert_ok(uv_loop_init(&loop->uv));
	assert_ok(uv_async_init(&loop->uv, &loop->wake, on_wake));
	assert_ok(uv_prepare_init(&loop->uv, &loop->turn_end));
	assert_ok(uv_prepare_start(&loop->turn_end, on_prepare));
	assert_ok(uv_timer_init(&loop->uv, &loop->alarm));
	loop->uv.data = loop;
	loop->wake.data = loop;
	loop->turn_end.data = loop;
	loop->alarm.data = loop;
	return loop;
}

enum status loop_start(struct loop *loop, struct err *err)
{
	sigset_t all, before;
	int rc;

	/* Signals are for the thread that waits for them, never for this one. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&loop->thread, NULL, loop_main, loop);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0)
		return err_set(
		    err, STATUS_UNAVAILABLE, "start thread %s: %s", loop->name, strerror(rc));
	(void)pthread_setname_np(loop->thread, loop->name);
	loop->started = true;
	return STATUS_OK;
}

void loop_stop(struct loop *loop)
{
	(void)pthread_mutex_lock(&loop->lock);
	loop->stopping = true;
	(void)pthread_mutex_unlock(&loop->lock);
	(void)uv_async_send(&loop->wake);
}

void loop_join(struct loop *loop)
{
	if (!loop->started || loop->joined)
		return;
	(void)pthread_join(loop->thread, NULL);
	loop->joined = true;
}

static void on_loop_closed(uv_handle_t *handle)
{
	(void)handle;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	assert(!loop->started || loop->joined);
	/* Whoever posted too late, or to a loop that never ran, still gets what it posted to run.
	 */
	while (has_posts(loop))
		(void)run_posts(loop);
	uv_walk(&loop->uv, loop_fd_close_left, NULL);
	uv_close((uv_handle_t *)&loop->wake, on_loop_closed);
	uv_close((uv_handle_t *)&loop->turn_end, on_loop_closed);
	uv_close((uv_handle_t *)&loop->alarm, on_loop_closed);
	(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
	assert_ok(uv_loop_close(&loop->uv));
	(void)pthread_mutex_destroy(&loop->lock);
	free(loop->running.items);
	free(loop->posted.items);
	free(loop);
}

void loop_post(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	bool first;

	(void)pthread_mutex_lock(&loop->lock);
	first = loop->posted.len == 0;
	queue_add(&loop->posted, (struct post){ fn, arg });
	(void)pthread_mutex_unlock(&loop->lock);
	if (first) /* otherwise somebody has woken the loop for this round already */
		(void)uv_async_send(&loop->wake);
}

void loop_on_turn_end(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	loop->on_turn_end = fn;
	loop->on_turn_end_arg = arg;
}

int64_t loop_now_ms(const struct loop *loop)
{
	return loop->now_ms;
}

int64_t loop_lag_us(struct loop *loop)
{
	int64_t began_us = atomic_load_explicit(&loop->turn_began_us, memory_order_relaxed);
	int64_t lag_us = atomic_exchange_explicit(&loop->lag_us, 0, memory_order_relaxed);
	int64_t now_us = clock_mono_us();

	/* A turn that does not end must show as well, and that is the one worth knowing about. */
	if (began_us != 0 && now_us - began_us > lag_us)
		lag_us = now_us - began_us;
	return lag_us;
}

void loop_timer_arm(struct loop *loop, struct loop_timer *timer, int64_t deadline_ms,
    void (*fn)(void *arg), void *arg)
{
	wheel_disarm(&loop->wheel, timer);
	timer->deadline_ms = deadline_ms;
	timer->fn = fn;
	timer->arg = arg;
	wheel_arm(&loop->wheel, timer);
}

void loop_timer_disarm(struct loop *loop, struct loop_timer *timer)
{
	wheel_disarm(&loop->wheel, timer);
}
