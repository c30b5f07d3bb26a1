/* internal: what loop.c and fd.c share. Nobody outside of libs/loop includes this. */
#ifndef LOOP_INTERNAL_H
#define LOOP_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

#include "loop/loop.h"
#include "loop/wheel.h"

struct post {
	void (*fn)(void *arg);
	void *arg;
};

struct post_queue {
	struct post *items;
	size_t len;
	size_t cap;
};

struct loop {
	/* Owned by the loop's thread (or by whoever prepares it, before it starts). */
	uv_loop_t uv;
	uv_prepare_t turn_end;
	uv_timer_t alarm; /* the one uv timer: set to what the wheel has next */
	int64_t alarm_ms; /* when it goes off, -1 if it is not set */
	struct wheel wheel;
	int64_t now_ms;
	bool in_turn;
	void (*on_turn_end)(void *arg);
	void *on_turn_end_arg;
	struct post_queue running; /* the posts being run; swapped with `posted` */

	/* Any thread. */
	uv_async_t wake;
	_Atomic int64_t turn_began_us; /* 0 while waiting */
	_Atomic int64_t lag_us;

	/* Any thread, under `lock`. */
	pthread_mutex_t lock;
	struct post_queue posted;
	bool stopping;

	pthread_t thread;
	bool started;
	bool joined;
	char name[16];
};

/* Every callback of libuv starts with this: the first one of a turn takes the time. */
void loop_turn_begin(struct loop *loop);

/* For uv_walk(): closes what its owner left open. */
void loop_fd_close_left(uv_handle_t *handle, void *arg);

#endif
