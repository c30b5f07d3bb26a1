/* A time for every session, and a last look for those that came too late for one. */
#include "drain.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/xalloc.h"
#include "calls.h"
#include "leases.h"
#include "log/log.h"
#include "relay.h"
#include "socket.h"
#include "walletwire/v1/client.pb-c.h"
#include "walletwire/v1/edge.pb-c.h"

enum {
	WITHIN_MAX_MS = 3600000,
	LOOK_AGAIN_MS = 500, /* for sessions that were on their way here when it began */
	REQUEST_ARENA_MAX = 4096,
};

/* --- a session's time --- */

static void tell(struct socket *socket)
{
	const struct session *session = socket->session;
	Walletwire__V1__ServerDrain drain = WALLETWIRE__V1__SERVER_DRAIN__INIT;
	int64_t left_ms = session->drain.deadline_ms - loop_now_ms(session->el->loop);

	drain.reconnect_in_ms = left_ms > 0 ? (uint32_t)left_ms : 0;
	socket_tell(socket, "server:drain", &drain.base);
}

/* Somewhere in the i-th of n equal parts of the time. */
static void give_time(struct session *session, size_t i, size_t n)
{
	const struct edge_loop *el = edge_loop_of(session);
	int64_t now_ms = loop_now_ms(el->loop);
	uint64_t left_ms =
	    el->drain.until_ms > now_ms ? (uint64_t)(el->drain.until_ms - now_ms) : 0;
	uint64_t from = left_ms * i / n;
	uint64_t to = left_ms * (i + 1) / n;

	session_drain_at(session, now_ms + (int64_t)(from + random_below(to - from + 1)));
}

void drain_on_live(struct socket *socket)
{
	if (!edge_loop_of(socket->session)->drain.is_on)
		return;
	if (!loop_timer_is_armed(&socket->session->drain))
		give_time(socket->session, 0, 1);
	tell(socket);
}

/* --- a loop's sessions --- */

static void close_rest(void *arg)
{
	struct edge_loop *el = arg;
	struct session *session, *next;

	HASH_ITER (hh, el->engine->sessions, session, next) {
		if (!loop_timer_is_armed(&session->drain))
			session_close(session, CLOSE_DRAIN);
	}
	loop_timer_arm(
	    el->loop, &el->drain.timer, loop_now_ms(el->loop) + LOOK_AGAIN_MS, close_rest, el);
}

struct beginning {
	struct edge_loop *el;
	int64_t until_ms;
};

static void give_times(struct edge_loop *el)
{
	size_t n = HASH_COUNT(el->engine->sessions), i = 0;
	struct session *session, *next;

	HASH_ITER (hh, el->engine->sessions, session, next) {
		struct socket *socket = socket_of(session);

		give_time(session, i++, n);
		if (socket && socket->state == SOCKET_LIVE)
			tell(socket);
	}
	loop_timer_arm(el->loop, &el->drain.timer, el->drain.until_ms, close_rest, el);
}

static void begin_on_loop(void *arg)
{
	struct beginning *beginning = arg;
	struct edge_loop *el = beginning->el;
	struct drain *drain = &el->drain;

	if (!el->closed && (!drain->is_on || beginning->until_ms < drain->until_ms)) {
		drain->is_on = true;
		drain->until_ms = beginning->until_ms;
		give_times(el);
	}
	free(beginning);
}

void drain_stop(struct edge_loop *el)
{
	loop_timer_disarm(el->loop, &el->drain.timer);
}

/* --- the edge --- */

void drain_begin(struct edge *edge, int64_t within_ms)
{
	int64_t until_ms = clock_mono_ms() + within_ms;

	if (!atomic_exchange(&edge->draining, true)) {
		log_info("edge %s moves its clients away within %lld ms", edge->id,
		    (long long)within_ms);
		engine_refuse_new(&edge->engine);
		leases_renew(edge->leases);
	}
	for (size_t i = 0; i < edge->loops_len; i++) {
		struct beginning *beginning = xmalloc(sizeof(*beginning));

		*beginning = (struct beginning){ &edge->loops[i], until_ms };
		loop_post(edge->loops[i].loop, begin_on_loop, beginning);
	}
}

static void answer(struct relay_call *call, const Walletwire__V1__DrainRequest *request)
{
	struct edge *edge = call->el->edge;
	Walletwire__V1__DrainReply reply = WALLETWIRE__V1__DRAIN_REPLY__INIT;
	uint64_t within_ms = request->within_ms;

	drain_begin(edge, within_ms < WITHIN_MAX_MS ? (int64_t)within_ms : WITHIN_MAX_MS);
	reply.sockets = (uint64_t)atomic_load(&edge->engine.sessions);
	(void)call_respond(call->el, bus_msg_reply(call->msg), &reply.base);
}

/* Only somebody who waits for the answer means it: nothing at all is a well-formed request, too. */
void drain_serve(void *arg)
{
	struct relay_call *call = arg;
	struct bytes data = bus_msg_data(call->msg);
	Walletwire__V1__DrainRequest *request;
	struct arena arena;

	arena_init(&arena, REQUEST_ARENA_MAX);
	request =
	    walletwire__v1__drain_request__unpack(arena_allocator(&arena), data.len, data.data);
	if (request && bus_msg_reply(call->msg) && !call->el->closed)
		answer(call, request);
	arena_finish(&arena);
	relay_call_free(call);
}
