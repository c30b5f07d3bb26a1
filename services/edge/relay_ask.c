/* This edge has the client's connection, another one its session. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/xalloc.h"
#include "calls.h"
#include "engine/exchange.h"
#include "engine/wsconn.h"
#include "leases.h"
#include "metrics.h"
#include "relay.h"

enum {
	ACCEPT_MS = 1000,          /* then the other edge counts as dead */
	REPLY_ARENA_MAX = 8 << 20, /* a session that moves brings its queue */
};

/* A connection of this loop that waits for another edge. */
struct relayed {
	UT_hash_handle hh;
	uint64_t ticket;
	struct exchange *x; /* either this */
	struct wsconn *ws;  /* or this */
	bool is_watched;    /* it waits for as long as its edge lives */
	char sid[ENGINE_SID_SIZE];
};

/* What a reply needs to find its way back. */
struct asked {
	uint64_t ticket;
	void (*fn)(struct relayed *relayed, const Walletwire__V1__RelayReply *reply);
};

static struct edge_loop *loop_of(const struct relayed *relayed)
{
	return relayed->x ? relayed->x->el->app : relayed->ws->el->app;
}

static struct relayed *relayed_new(struct edge_loop *el, const char *sid)
{
	struct relayed *relayed = xcalloc(1, sizeof(*relayed));

	relayed->ticket = ++el->next_ticket;
	memcpy(relayed->sid, sid, sizeof(relayed->sid));
	HASH_ADD(hh, el->relayed, ticket, sizeof(relayed->ticket), relayed);
	return relayed;
}

static struct relayed *relayed_find(struct edge_loop *el, uint64_t ticket)
{
	struct relayed *relayed;

	HASH_FIND(hh, el->relayed, &ticket, sizeof(ticket), relayed);
	return relayed;
}

/* The connection goes on without us. */
static void let_go(struct relayed *relayed)
{
	struct edge_loop *el = loop_of(relayed);

	if (relayed->is_watched)
		relay_unwatch(el, relayed->sid);
	if (relayed->x)
		relayed->x->relay = NULL;
	if (relayed->ws)
		relayed->ws->relay = NULL;
	HASH_DEL(el->relayed, relayed);
	free(relayed);
}

static bool subject_of(const char *sid, const char *verb, char *ret_subject)
{
	char edge_id[ENGINE_ID_MAX + 1];

	return engine_server_of(sid, edge_id) && relay_subject(edge_id, verb, ret_subject);
}

/* An edge that is certainly gone is not asked: nobody would wait a second for its silence. */
static bool is_ruled_out(const struct edge_loop *el, const char *sid)
{
	char edge_id[ENGINE_ID_MAX + 1];

	if (!engine_server_of(sid, edge_id) || !leases_rule_out(el->edge->leases, edge_id))
		return false;
	count_relay(STATUS_NOT_FOUND);
	return true;
}

/* --- asking --- */

static void on_reply(struct edge_loop *el, void *arg, enum status s, struct bytes data)
{
	struct asked *asked = arg;
	struct relayed *relayed = relayed_find(el, asked->ticket);
	Walletwire__V1__RelayReply *reply;
	struct arena arena;

	arena_init(&arena, REPLY_ARENA_MAX);
	reply = call_unpack(&arena, &walletwire__v1__relay_reply__descriptor, s, data);
	count_relay(s);
	if (relayed)
		asked->fn(relayed, reply);
	arena_finish(&arena);
	free(asked);
}

static bool is_waited_for(struct edge_loop *el, void *arg)
{
	const struct asked *asked = arg;

	return relayed_find(el, asked->ticket) != NULL;
}

static void ask(struct relayed *relayed, const char *verb, const ProtobufCMessage *request,
    int timeout_ms, void (*fn)(struct relayed *, const Walletwire__V1__RelayReply *))
{
	char subject[RELAY_SUBJECT_SIZE];
	struct asked *asked = xmalloc(sizeof(*asked));

	*asked = (struct asked){ .ticket = relayed->ticket, .fn = fn };
	if (!subject_of(relayed->sid, verb, subject))
		abort(); /* the front lets no other id in */
	call_edge(loop_of(relayed), subject, request, timeout_ms, is_waited_for, on_reply, asked);
}

static Walletwire__V1__RelayRequest request_of(struct relayed *relayed)
{
	Walletwire__V1__RelayRequest request = WALLETWIRE__V1__RELAY_REQUEST__INIT;

	request.sid = relayed->sid;
	request.edge = loop_of(relayed)->edge->id;
	request.ticket = relayed->ticket;
	return request;
}

static void ask_plain(struct relayed *relayed, const char *verb, int timeout_ms,
    void (*fn)(struct relayed *, const Walletwire__V1__RelayReply *))
{
	Walletwire__V1__RelayRequest request = request_of(relayed);

	ask(relayed, verb, &request.base, timeout_ms, fn);
}

/* To whom it may concern: nobody answers. */
static void tell(struct relayed *relayed, const char *verb)
{
	Walletwire__V1__RelayRequest request = request_of(relayed);
	char subject[RELAY_SUBJECT_SIZE];

	if (subject_of(relayed->sid, verb, subject))
		call_publish(loop_of(relayed), subject, &request.base);
}

static bool is_accepted(const Walletwire__V1__RelayReply *reply)
{
	return reply && reply->outcome == WALLETWIRE__V1__RELAY_OUTCOME__RELAY_OUTCOME_ACCEPTED;
}

static enum engine_error error_of(const Walletwire__V1__RelayReply *reply)
{
	return reply && reply->outcome == WALLETWIRE__V1__RELAY_OUTCOME__RELAY_OUTCOME_BAD_REQUEST
		   ? ERROR_BAD_REQUEST
		   : ERROR_UNKNOWN_SID;
}

/* --- GET --- */

static void poll_overdue(void *arg)
{
	struct relayed *relayed = arg;
	struct exchange *x = relayed->x;

	tell(relayed, "gone");
	let_go(relayed);
	exchange_answer_error(x, ERROR_UNKNOWN_SID);
}

void relay_on_edge_gone(struct edge_loop *el, const char *edge_id)
{
	struct relayed *relayed, *next;
	char id[ENGINE_ID_MAX + 1];

	HASH_ITER (hh, el->relayed, relayed, next) {
		struct exchange *x = relayed->x;

		if (!relayed->is_watched || !engine_server_of(relayed->sid, id) ||
		    strcmp(id, edge_id) != 0)
			continue;
		let_go(relayed);
		exchange_answer_error(x, ERROR_UNKNOWN_SID);
	}
}

static void on_poll_reply(struct relayed *relayed, const Walletwire__V1__RelayReply *reply)
{
	struct edge_loop *el = loop_of(relayed);
	const struct edge_config *cfg = &el->edge->cfg;
	struct exchange *x = relayed->x;

	if (is_accepted(reply)) {
		relayed->is_watched = true;
		relay_watch(el, relayed->sid);
		/* No GET waits longer than for the next ping: then its edge stands still. */
		loop_timer_arm(el->loop, &x->deadline,
		    loop_now_ms(el->loop) + cfg->ping_interval_ms + cfg->ping_timeout_ms +
			ACCEPT_MS,
		    poll_overdue, relayed);
		return;
	}
	if (!reply)
		tell(relayed, "gone"); /* should it have been accepted after all */
	let_go(relayed);
	if (reply && reply->outcome == WALLETWIRE__V1__RELAY_OUTCOME__RELAY_OUTCOME_ENDED)
		exchange_answer_poll(x, 200, BYTES_LITERAL("6"));
	else
		exchange_answer_error(x, error_of(reply));
}

static struct relayed *relay_exchange(struct exchange *x)
{
	struct relayed *relayed = relayed_new(x->el->app, x->sid);

	relayed->x = x;
	x->relay = relayed;
	return relayed;
}

static void relay_poll(struct exchange *x)
{
	if (is_ruled_out(x->el->app, x->sid))
		exchange_answer_error(x, ERROR_UNKNOWN_SID);
	else
		ask_plain(relay_exchange(x), "poll", ACCEPT_MS, on_poll_reply);
}

Walletwire__V1__RelayOutcome relay_on_answer(
    struct edge_loop *el, const Walletwire__V1__RelayAnswer *answer)
{
	struct relayed *relayed = relayed_find(el, answer->ticket);
	struct exchange *x = relayed && strcmp(relayed->sid, answer->sid) == 0 ? relayed->x : NULL;

	if (!x)
		return WALLETWIRE__V1__RELAY_OUTCOME__RELAY_OUTCOME_ENDED;
	let_go(relayed);
	exchange_answer_poll(x, (int)answer->status, bytes_of(answer->body.data, answer->body.len));
	return WALLETWIRE__V1__RELAY_OUTCOME__RELAY_OUTCOME_ACCEPTED;
}

/* --- POST --- */

static void on_post_reply(struct relayed *relayed, const Walletwire__V1__RelayReply *reply)
{
	struct exchange *x = relayed->x;
	bool is_malformed =
	    reply && reply->outcome == WALLETWIRE__V1__RELAY_OUTCOME__RELAY_OUTCOME_MALFORMED;

	/* It may have been taken: whoever sent it can't know, so the session must not go on. */
	if (!reply)
		tell(relayed, "end");
	let_go(relayed);
	if (is_accepted(reply) || is_malformed)
		exchange_answer_post(x, !is_malformed);
	else
		exchange_answer_error(x, error_of(reply));
}

static void relay_post(struct exchange *x)
{
	Walletwire__V1__RelayPost post = WALLETWIRE__V1__RELAY_POST__INIT;
	struct relayed *relayed;

	if (is_ruled_out(x->el->app, x->sid)) {
		exchange_answer_error(x, ERROR_UNKNOWN_SID);
		return;
	}
	relayed = relay_exchange(x);
	post.sid = relayed->sid;
	post.body.data = x->body.data.data;
	post.body.len = x->body.data.len;
	post.is_octets = x->is_octets;
	ask(relayed, "post", &post.base, ACCEPT_MS, on_post_reply);
}

/* A GET is let go, so that the session does not miss it; a POST is about to have its outcome. */
static void on_drain(struct exchange *x)
{
	struct relayed *relayed = x->relay;

	if (x->kind != EXCHANGE_POLL)
		return;
	tell(relayed, "release");
	let_go(relayed);
	exchange_answer_poll(x, 200, BYTES_LITERAL("6"));
}

static void on_exchange_gone(struct exchange *x)
{
	struct relayed *relayed = x->relay;

	tell(relayed, x->kind == EXCHANGE_POLL ? "gone" : "end");
	let_go(relayed);
}

static void on_post_lost(struct exchange *x)
{
	(void)relay_exchange(x);
	on_exchange_gone(x);
}

/* --- WebSocket --- */

static void on_upgrade_reply(struct relayed *relayed, const Walletwire__V1__RelayReply *reply)
{
	struct wsconn *ws = relayed->ws;

	if (is_accepted(reply)) {
		wsconn_accept(ws);
		return;
	}
	if (!reply)
		tell(relayed, "unprobe"); /* should it have been accepted after all */
	let_go(relayed);
	wsconn_refuse(ws, error_of(reply));
}

static void relay_upgrade(struct wsconn *ws)
{
	struct relayed *relayed;

	if (is_ruled_out(ws->el->app, ws->handoff->sid)) {
		wsconn_refuse(ws, ERROR_UNKNOWN_SID);
		return;
	}
	relayed = relayed_new(ws->el->app, ws->handoff->sid);
	relayed->ws = ws;
	ws->relay = relayed;
	ask_plain(relayed, "upgrade", ACCEPT_MS, on_upgrade_reply);
}

/* A WebSocket that is ending meanwhile lets go by itself. */
static void on_probe_reply(struct relayed *relayed, const Walletwire__V1__RelayReply *reply)
{
	if (relayed->ws->state != WS_PROBING)
		return;
	if (is_accepted(reply))
		wsconn_answer_probe(relayed->ws);
	else
		wsconn_close(relayed->ws, CLOSE_RELAY_FAILED);
}

static void relay_probe(struct wsconn *ws)
{
	ask_plain(ws->relay, "probe", ACCEPT_MS, on_probe_reply);
}

static void on_switch_reply(struct relayed *relayed, const Walletwire__V1__RelayReply *reply)
{
	struct edge_loop *el = loop_of(relayed);
	struct wsconn *ws = relayed->ws;
	struct session *session = NULL;

	if (ws->state != WS_PROBING)
		return; /* its client has gone, and recovers elsewhere */
	if (is_accepted(reply) && reply->session)
		session = moved_restore(el, &el->edge->app, relayed->sid, reply->session);
	if (!session) {
		if (!reply)
			tell(relayed, "end");
		wsconn_close(ws, CLOSE_RELAY_FAILED);
		return;
	}
	let_go(relayed);
	wsconn_attach(ws, session);
}

/* The other edge waits for what its services still owe the client. */
static void relay_switch(struct wsconn *ws)
{
	struct relayed *relayed = ws->relay;

	/* From here on the question has its own time. */
	loop_timer_disarm(ws->el->loop, &ws->deadline);
	ask_plain(relayed, "switch",
	    (int)loop_of(relayed)->edge->cfg.request_timeout_ms + ACCEPT_MS, on_switch_reply);
}

static void on_ws_gone(struct wsconn *ws)
{
	struct relayed *relayed = ws->relay;

	tell(relayed, "unprobe");
	let_go(relayed);
}

const struct engine_relay relay_functions = {
	.poll = relay_poll,
	.post = relay_post,
	.on_post_lost = on_post_lost,
	.upgrade = relay_upgrade,
	.on_probe = relay_probe,
	.on_switch = relay_switch,
	.on_gone = on_ws_gone,
	.on_exchange_gone = on_exchange_gone,
	.on_drain = on_drain,
};
