/* One key per socket that differs from what it was given, and a timer that keeps it alive. */
#include "tracking.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/subject.h"
#include "base/xalloc.h"
#include "bus/provision.h"
#include "channels.h"
#include "log/log.h"
#include "user.h"

enum {
	REWRITE_MS = 12 * 3600 * 1000, /* half of what the bucket remembers */
	RETRY_MS = 5000,
	KEY_SIZE = SUBJECT_TOKEN_SIZE + ID_SIZE,
	ARENA_MAX = 1 << 20,
};

struct tracking {
	struct socket *socket;
	struct loop_timer timer;
};

/* Of a put under way. */
struct storing {
	struct socket_ref socket;
	call_fn fn;
	void *arg;
};

static void make_key(const struct socket *socket, char ret_key[static KEY_SIZE])
{
	(void)snprintf(ret_key, KEY_SIZE, "%s.%s", socket->user->token, socket->base->sid);
}

static void store_again(void *arg)
{
	struct tracking *tracking = arg;

	(void)tracking_store(tracking->socket, NULL, NULL);
}

static void arm(struct tracking *tracking, int64_t wait_ms)
{
	struct loop *loop = tracking->socket->session->el->loop;

	loop_timer_arm(loop, &tracking->timer, loop_now_ms(loop) + wait_ms, store_again, tracking);
}

static void on_stored(struct edge_loop *el, void *arg, enum status s, struct bytes data)
{
	struct storing *storing = arg;
	struct socket *socket = socket_ref_find(el, &storing->socket);

	if (socket && socket->tracking)
		arm(socket->tracking, s ? RETRY_MS : REWRITE_MS);
	if (storing->fn)
		storing->fn(el, storing->arg, s, data);
	free(storing);
}

static bool is_as_given(const struct socket *socket)
{
	return channels_are_as_given(socket) && !socket->device.is_away && !socket->device.is_idle;
}

static void put(const struct socket *socket, struct storing *storing)
{
	Walletwire__V1__Tracking value;
	struct arena arena;
	char key[KEY_SIZE];

	make_key(socket, key);
	arena_init(&arena, ARENA_MAX);
	channels_describe(socket, &arena, &value);
	value.away = socket->device.is_away;
	value.idle = socket->device.is_idle;
	call_kv_put(
	    edge_loop_of(socket->session), BUCKET_TRACKING, key, &value.base, on_stored, storing);
	arena_finish(&arena);
}

bool tracking_store(struct socket *socket, call_fn fn, void *arg)
{
	struct storing *storing;

	if (!socket->pid || (!socket->tracking && is_as_given(socket)))
		return false;
	if (!socket->tracking) {
		socket->tracking = xcalloc(1, sizeof(*socket->tracking));
		socket->tracking->socket = socket;
	}
	storing = xmalloc(sizeof(*storing));
	*storing = (struct storing){ .socket = socket_ref(socket), .fn = fn, .arg = arg };
	put(socket, storing);
	return true;
}

void tracking_load(const struct socket *socket, call_fn fn, void *arg)
{
	char key[KEY_SIZE];

	make_key(socket, key);
	call_kv_get(edge_loop_of(socket->session), BUCKET_TRACKING, key, fn, arg);
}

void tracking_restore(struct socket *socket, struct bytes reply)
{
	Walletwire__V1__Tracking *value;
	struct arena arena;

	arena_init(&arena, ARENA_MAX);
	value = call_unpack(&arena, &walletwire__v1__tracking__descriptor, STATUS_OK, reply);
	if (value) {
		channels_restore(socket, value);
		socket->device.is_away = value->away;
		socket->device.is_idle = value->idle;
	} else {
		log_warn("what a socket follows can't be read: it starts with what it was given");
	}
	arena_finish(&arena);
}

void tracking_free(struct socket *socket)
{
	if (!socket->tracking)
		return;
	loop_timer_disarm(socket->session->el->loop, &socket->tracking->timer);
	free(socket->tracking);
	socket->tracking = NULL;
}
