/* This edge has the session, another one the client's connection. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/arena.h"
#include "base/attrs.h"
#include "base/xalloc.h"
#include "calls.h"
#include "engine/wsconn.h"
#include "metrics.h"
#include "relay.h"

enum {
	ANSWER_BYTES_MAX = 512 << 10, /* of one answer to a GET: NATS carries 2 MB */
	ANSWER_MS = 1000,             /* for it to be taken */
	MOVE_RETRY_MS = 20,
	MOVE_GRACE_MS = 300,
	REQUEST_ARENA_MAX = 4 << 20,
};

#define OUTCOME(name) WALLETWIRE__V1__RELAY_OUTCOME__RELAY_OUTCOME_##name

/* What is being served. */
struct served {
	struct edge_loop *el;
	struct bus_msg *msg;
	const char *sid;
};

static void respond(const struct served *served, Walletwire__V1__RelayOutcome outcome)
{
	Walletwire__V1__RelayReply reply = WALLETWIRE__V1__RELAY_REPLY__INIT;

	reply.outcome = outcome;
	if (bus_msg_reply(served->msg))
		(void)call_respond(served->el, bus_msg_reply(served->msg), &reply.base);
}

static Walletwire__V1__RelayOutcome outcome_of(enum engine_error error)
{
	return error == ERROR_NONE          ? OUTCOME(ENDED)
	       : error == ERROR_UNKNOWN_SID ? OUTCOME(UNKNOWN_SID)
					    : OUTCOME(BAD_REQUEST);
}

/* The session, if it can be polled and posted to; otherwise the answer was given. */
static struct session *polling_session(const struct served *served, bool is_get)
{
	enum engine_error error;
	struct session *session = session_on_polling(
	    served->el->engine, &served->el->edge->app, served->sid, is_get, &error);

	if (!session)
		respond(served, outcome_of(error));
	return session;
}

/* --- GET --- */

struct remote_poll {
	struct poll poll;
	struct edge_loop *el;
	uint64_t ticket;
	char edge_id[ENGINE_ID_MAX + 1];
	char sid[ENGINE_SID_SIZE];
};

struct answered {
	bool is_empty; /* nothing but a noop: no harm if it is lost */
	char sid[ENGINE_SID_SIZE];
};

/* What was in the answer is lost if it was not taken: the client has to recover it. */
static void on_answer_taken(struct edge_loop *el, void *arg, enum status s, struct bytes data)
{
	struct answered *answered = arg;
	struct session *session = session_find_sid(el->engine, answered->sid);
	Walletwire__V1__RelayReply *reply;
	struct arena arena;

	arena_init(&arena, REQUEST_ARENA_MAX);
	reply = call_unpack(&arena, &walletwire__v1__relay_reply__descriptor, s, data);
	if (session)
		session->calls--;
	if (session && !answered->is_empty && (!reply || reply->outcome != OUTCOME(ACCEPTED)))
		session_close(session, CLOSE_RELAY_FAILED);
	arena_finish(&arena);
	free(answered);
}

static bool is_answered_still(struct edge_loop *el, void *arg)
{
	const struct answered *answered = arg;

	return session_find_sid(el->engine, answered->sid) != NULL;
}

static void on_poll_answer(struct poll *poll, int status, struct bytes body)
{
	struct remote_poll *remote = (struct remote_poll *)(void *)poll;
	Walletwire__V1__RelayAnswer answer = WALLETWIRE__V1__RELAY_ANSWER__INIT;
	struct session *session = session_find_sid(remote->el->engine, remote->sid);
	struct answered *answered;
	char subject[RELAY_SUBJECT_SIZE];

	answer.sid = remote->sid;
	answer.ticket = remote->ticket;
	answer.status = (uint32_t)status;
	answer.body.len = body.len;
	answer.body.data = (uint8_t *)(uintptr_t)body.data; /* protobuf-c is not const-correct */
	if (relay_subject(remote->edge_id, "answer", subject)) {
		answered = xmalloc(sizeof(*answered));
		answered->is_empty = status == 200 && body.len == 1 && body.data[0] == '6';
		memcpy(answered->sid, remote->sid, sizeof(answered->sid));
		if (session) /* it does not move before it is known whether this arrived */
			session->calls++;
		call_edge(remote->el, subject, &answer.base, ANSWER_MS, is_answered_still,
		    on_answer_taken, answered);
	}
	free(remote);
}

_Static_assert(offsetof(struct remote_poll, poll) == 0, "a remote poll is a poll");

static void serve_poll(const struct served *served, const ProtobufCMessage *message)
{
	const Walletwire__V1__RelayRequest *request =
	    (const Walletwire__V1__RelayRequest *)(const void *)message;
	struct session *session = polling_session(served, /* is_get= */ true);
	struct remote_poll *remote;
	char subject[RELAY_SUBJECT_SIZE];

	if (!session)
		return;
	if (!relay_subject(request->edge, "answer", subject)) {
		respond(served, OUTCOME(BAD_REQUEST));
		return;
	}
	remote = xcalloc(1, sizeof(*remote));
	remote->poll = (struct poll){ .max_bytes = ANSWER_BYTES_MAX, .answer = on_poll_answer };
	remote->el = served->el;
	remote->ticket = request->ticket;
	memcpy(remote->edge_id, request->edge, strlen(request->edge) + 1);
	memcpy(remote->sid, session->sid, strlen(session->sid) + 1);
	respond(served, OUTCOME(ACCEPTED)); /* before the answer, which may follow at once */
	session_take_poll(session, &remote->poll);
}

/* The poll of that edge and ticket, if it still waits here. */
static struct remote_poll *waiting_poll(
    const struct served *served, const ProtobufCMessage *message, struct session **ret_session)
{
	const Walletwire__V1__RelayRequest *request =
	    (const Walletwire__V1__RelayRequest *)(const void *)message;
	struct session *session = session_find_sid(served->el->engine, served->sid);
	struct remote_poll *remote;

	if (!session || !session->poll || session->poll->answer != on_poll_answer)
		return NULL;
	remote = (struct remote_poll *)(void *)session->poll;
	if (remote->ticket != request->ticket || strcmp(remote->edge_id, request->edge) != 0)
		return NULL;
	*ret_session = session;
	return remote;
}

static void serve_gone(const struct served *served, const ProtobufCMessage *message)
{
	struct session *session;
	struct remote_poll *remote = waiting_poll(served, message, &session);

	if (!remote)
		return;
	session_on_poll_gone(session);
	free(remote);
}

/* The other edge goes away and has let the GET go: the client comes again through another one. */
static void serve_release(const struct served *served, const ProtobufCMessage *message)
{
	struct session *session;
	struct remote_poll *remote = waiting_poll(served, message, &session);

	if (!remote)
		return;
	session->poll = NULL;
	free(remote);
}

/* --- POST --- */

static void serve_post(const struct served *served, const ProtobufCMessage *message)
{
	const Walletwire__V1__RelayPost *post =
	    (const Walletwire__V1__RelayPost *)(const void *)message;
	struct session *session = polling_session(served, /* is_get= */ false);
	bool is_ok;

	if (!session)
		return;
	if (session->state != SESSION_OPEN) {
		respond(served, OUTCOME(UNKNOWN_SID));
		return;
	}
	is_ok = !post->is_octets && !session->post;
	if (!is_ok)
		session_reject(session, post->is_octets ? CLOSE_PARSE_ERROR : CLOSE_DUPLICATE_POST);
	else
		is_ok = session_on_payload(session, bytes_of(post->body.data, post->body.len));
	respond(served, is_ok ? OUTCOME(ACCEPTED) : OUTCOME(MALFORMED));
}

static void serve_end(const struct served *served, const ProtobufCMessage *message)
{
	struct session *session = session_find_sid(served->el->engine, served->sid);

	(void)message;
	if (session)
		session_close(session, CLOSE_RELAY_FAILED);
}

static void serve_answer(const struct served *served, const ProtobufCMessage *message)
{
	const Walletwire__V1__RelayAnswer *answer =
	    (const Walletwire__V1__RelayAnswer *)(const void *)message;

	respond(served, relay_on_answer(served->el, answer));
}

/* --- WebSocket --- */

/* One WebSocket of one edge. */
enum { PROBE_NAME_SIZE = ENGINE_ID_MAX + 32 };
static void probe_name(const ProtobufCMessage *message, char ret_name[static PROBE_NAME_SIZE])
{
	const Walletwire__V1__RelayRequest *request =
	    (const Walletwire__V1__RelayRequest *)(const void *)message;

	(void)snprintf(ret_name, PROBE_NAME_SIZE, "%.*s/%llu", ENGINE_ID_MAX, request->edge,
	    (unsigned long long)request->ticket);
}

static void serve_upgrade(const struct served *served, const ProtobufCMessage *message)
{
	struct session *session = session_find_sid(served->el->engine, served->sid);
	char name[PROBE_NAME_SIZE];

	if (!session || session->state != SESSION_OPEN) {
		respond(served, OUTCOME(UNKNOWN_SID));
		return;
	}
	if (!session_can_probe(session)) {
		respond(served, OUTCOME(BAD_REQUEST));
		return;
	}
	probe_name(message, name);
	session_begin_probe(session, NULL, name);
	respond(served, OUTCOME(ACCEPTED));
}

/*
 * The session, if it is that WebSocket that probes it. A doomed one ends with this turn: what did
 * not fit into its queue must not be lost by moving the rest.
 */
static struct session *probed_by(const struct edge_loop *el, const char *sid, const char *name)
{
	struct session *session = session_find_sid(el->engine, sid);

	return session && session->state == SESSION_OPEN && !session->is_doomed &&
		       session->remote_probe && strcmp(session->remote_probe, name) == 0
		   ? session
		   : NULL;
}

static struct session *probed_session(const struct served *served, const ProtobufCMessage *message)
{
	char name[PROBE_NAME_SIZE];

	probe_name(message, name);
	return probed_by(served->el, served->sid, name);
}

static void serve_probe(const struct served *served, const ProtobufCMessage *message)
{
	struct session *session = probed_session(served, message);

	if (session)
		session_on_probed(session);
	respond(served, session ? OUTCOME(ACCEPTED) : OUTCOME(UNKNOWN_SID));
}

static void serve_unprobe(const struct served *served, const ProtobufCMessage *message)
{
	struct session *session = probed_session(served, message);

	if (session)
		session_end_probe(session);
}

/* A session that is to move as soon as no service owes its client an answer. */
struct move {
	struct move *prev, *next; /* of the loop */
	struct loop_timer timer;
	struct edge_loop *el;
	struct bus_msg *msg;
	int64_t until_ms;
	char name[PROBE_NAME_SIZE];
	char sid[ENGINE_SID_SIZE];
};

static void move_free(struct move *move)
{
	loop_timer_disarm(move->el->loop, &move->timer);
	DL_DELETE(move->el->moves, move);
	bus_msg_unref(move->msg);
	free(move);
}

void relay_end_loop(struct edge_loop *el)
{
	while (el->moves)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): unlinked before it is freed */
		move_free(el->moves);
}

/* Lost on its way, the session is gone, and its client starts anew and recovers. */
static void move_now(struct move *move, struct session *session)
{
	struct buf reply = BUF_INIT;

	moved_pack(session, &reply);
	if (reply.len <= RELAY_BYTES_MAX &&
	    bus_port_respond(move->el->edge->port, bus_msg_reply(move->msg), buf_bytes(&reply))) {
		session_end_probe(session);
		session_forget(session);
	} else {
		session_close(session, CLOSE_RELAY_FAILED);
	}
	buf_finish(&reply);
}

static void try_move(void *arg)
{
	struct move *move = arg;
	struct served served = { .el = move->el, .msg = move->msg, .sid = move->sid };
	struct session *session = probed_by(move->el, move->sid, move->name);
	int64_t now_ms = loop_now_ms(move->el->loop);

	if (session && session->calls && now_ms < move->until_ms) {
		loop_timer_arm(
		    move->el->loop, &move->timer, now_ms + MOVE_RETRY_MS, try_move, move);
		return;
	}
	if (session && !session->calls)
		move_now(move, session);
	else
		respond(&served, OUTCOME(UNKNOWN_SID));
	move_free(move);
}

static void serve_switch(const struct served *served, const ProtobufCMessage *message)
{
	struct move *move;

	if (!bus_msg_reply(served->msg))
		return;
	move = xcalloc(1, sizeof(*move));
	move->el = served->el;
	move->msg = bus_msg_ref(served->msg);
	/* The last of them may end in a timeout of its own, which takes a moment to be told. */
	move->until_ms = loop_now_ms(served->el->loop) + served->el->edge->cfg.request_timeout_ms +
			 MOVE_GRACE_MS;
	probe_name(message, move->name);
	memcpy(move->sid, served->sid, strlen(served->sid) + 1);
	DL_APPEND(served->el->moves, move);
	try_move(move);
}

static void serve_alive(const struct served *served, const ProtobufCMessage *message)
{
	(void)message;
	respond(served, OUTCOME(ACCEPTED));
}

/* --- the table of verbs --- */

static const struct verb {
	const char *name;
	const ProtobufCMessageDescriptor *message;
	void (*fn)(const struct served *served, const ProtobufCMessage *message);
} verbs[] = {
	{ "poll", &walletwire__v1__relay_request__descriptor, serve_poll },
	{ "gone", &walletwire__v1__relay_request__descriptor, serve_gone },
	{ "release", &walletwire__v1__relay_request__descriptor, serve_release },
	{ "post", &walletwire__v1__relay_post__descriptor, serve_post },
	{ "answer", &walletwire__v1__relay_answer__descriptor, serve_answer },
	{ "end", &walletwire__v1__relay_request__descriptor, serve_end },
	{ "upgrade", &walletwire__v1__relay_request__descriptor, serve_upgrade },
	{ "probe", &walletwire__v1__relay_request__descriptor, serve_probe },
	{ "switch", &walletwire__v1__relay_request__descriptor, serve_switch },
	{ "unprobe", &walletwire__v1__relay_request__descriptor, serve_unprobe },
	{ "alive", &walletwire__v1__relay_request__descriptor, serve_alive },
};

/* The last token of ww.edge.<edge>.<verb>. */
static const struct verb *verb_of(const char *subject)
{
	const char *name = strrchr(subject, '.');

	for (size_t i = 0; name && i < ARRAY_LEN(verbs); i++) {
		if (strcmp(name + 1, verbs[i].name) == 0)
			return &verbs[i];
	}
	return NULL;
}

/* The session id is the first field of every message. */
static const char *sid_of(const ProtobufCMessage *message)
{
	const ProtobufCFieldDescriptor *sid = &message->descriptor->fields[0];

	return *(const char *const *)(const void *)((const char *)message + sid->offset);
}

void relay_serve(void *arg)
{
	struct relay_call *call = arg;
	const struct verb *verb = verb_of(bus_msg_subject(call->msg));
	struct bytes data = bus_msg_data(call->msg);
	ProtobufCMessage *message = NULL;
	struct arena arena;

	arena_init(&arena, REQUEST_ARENA_MAX);
	if (verb && !call->el->closed)
		message = protobuf_c_message_unpack(
		    verb->message, arena_allocator(&arena), data.len, data.data);
	/* A field may stand twice, and protobuf takes the last: only what was peeked at counts. */
	if (message && strcmp(sid_of(message), call->sid) == 0) {
		struct served served = { .el = call->el, .msg = call->msg, .sid = call->sid };

		if (verb->fn != serve_alive)
			count_relayed();
		verb->fn(&served, message);
	}
	arena_finish(&arena);
	relay_call_free(call);
}
