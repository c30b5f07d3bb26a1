/* CONNECT, EVENT and DISCONNECT in the namespace "/", and what a live socket is shown. */
#include "socket.h"

#include <stdio.h>
#include <stdlib.h>

#include "announcements.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "calls.h"
#include "channels.h"
#include "codec/reflect.h"
#include "codec/socketio.h"
#include "commands.h"
#include "metrics.h"
#include "revoked.h"
#include "user.h"
#include "walletwire/v1/notifications.pb-c.h"

enum { OPEN_ARENA_MAX = 16 << 20, TAIL_SIZE = 32 };

static void push_buf(struct session *session, struct buf *packet)
{
	session_push_text(session, buf_bytes(packet));
	buf_finish(packet);
}

/* --- acknowledgements --- */

static void start_ack(struct buf *packet, const struct ack *ack)
{
	socketio_append_header(packet, SOCKETIO_ACK, "/", &ack->id);
}

void socket_ack_ok(
    struct session *session, const struct ack *ack, const ProtobufCMessage *reply_or_null)
{
	struct buf packet = BUF_INIT;
	struct buf members = BUF_INIT;

	if (!ack->wanted)
		return;
	start_ack(&packet, ack);
	buf_append_str(&packet, "[{\"ok\":true");
	if (reply_or_null && reflect_append_json_members(&members, reply_or_null)) {
		buf_append_char(&packet, ',');
		buf_append_bytes(&packet, buf_bytes(&members));
	}
	buf_append_str(&packet, "}]");
	buf_finish(&members);
	if (packet.len > session->el->edge->queue_limits.bytes) {
		buf_finish(&packet);
		socket_ack_error(session, ack, status_wire(STATUS_TOO_LARGE),
		    "the answer is too large, ask for less", "", 0);
		return;
	}
	push_buf(session, &packet);
}

static void append_member(struct buf *out, const char *name, const char *value)
{
	buf_appendf(out, ",\"%s\":", name);
	json_append_string(out, bytes_of_str(value));
}

void socket_ack_error(struct session *session, const struct ack *ack, const char *code,
    const char *message, const char *field, uint32_t retry_after_ms)
{
	struct buf packet = BUF_INIT;

	if (!ack->wanted)
		return;
	start_ack(&packet, ack);
	buf_append_str(&packet, "[{\"ok\":false,\"error\":{\"code\":");
	json_append_string(&packet, bytes_of_str(code));
	append_member(&packet, "message", message);
	if (field[0])
		append_member(&packet, "field", field);
	if (retry_after_ms)
		buf_appendf(&packet, ",\"retryAfterMs\":%u", retry_after_ms);
	buf_append_str(&packet, "}}]");
	push_buf(session, &packet);
}

void socket_ack_err(struct session *session, const struct ack *ack, const struct err *err)
{
	socket_ack_error(session, ack, status_wire(err->status), err->msg, err->field, 0);
}

/* --- what a live socket is shown --- */

/* The last word on a transfer comes as an item: no state of it may follow that is older. */
static void note_transfer(const struct socket *socket, const Walletwire__V1__Payload *payload)
{
	struct tracked *tracked;

	if (!payload || payload->body_case != WALLETWIRE__V1__PAYLOAD__BODY_TRANSFER)
		return;
	tracked = channel_tracked(socket, bytes_of_str(payload->transfer->transfer_id));
	if (tracked && payload->transfer->version > tracked->version)
		tracked->version = payload->transfer->version;
}

enum socket_take socket_take_item(struct socket *socket, const struct delivery_item *item)
{
	const Walletwire__V1__Item *row = item->item;
	char tail[TAIL_SIZE];
	int len;

	if (row->seq <= socket->seq)
		return SOCKET_OLD; /* 0 is no number, and is below every position */
	if (row->seq != socket->seq + 1)
		return SOCKET_HOLE;
	socket->seq = row->seq;
	note_transfer(socket, row->payload);
	if (!item->frame ||
	    (!row->critical && !channels_reach(socket, row->channels, row->n_channels)))
		return SOCKET_TAKEN;
	len = item->frame->ends_in_unread ? snprintf(tail, sizeof(tail), "%u}}]", socket->unread)
					  : snprintf(tail, sizeof(tail), "}]");
	session_push(socket->session, item->frame, bytes_of(tail, (size_t)len));
	observe_latency(row->applied_us);
	return SOCKET_TAKEN;
}

void socket_skip_to(struct socket *socket, uint64_t seq)
{
	if (seq > socket->seq)
		socket->seq = seq;
}

void socket_show_state(struct socket *socket, const struct delivery_state *entry)
{
	const Walletwire__V1__State *state = entry->state;
	struct tracked *tracked = NULL;

	if (!entry->frame)
		return;
	if (state->payload->body_case == WALLETWIRE__V1__PAYLOAD__BODY_UNREAD)
		socket->unread = state->payload->unread->total;
	if (state->payload->body_case == WALLETWIRE__V1__PAYLOAD__BODY_TRANSFER)
		tracked = channel_tracked(socket, bytes_of_str(state->key));
	if (tracked && state->version < tracked->version)
		return; /* transfers are also asked for one by one, so an older one can come later
			 */
	if (tracked)
		tracked->version = state->version;
	if (channels_reach(socket, state->channels, state->n_channels))
		session_push(socket->session, entry->frame, BYTES_LITERAL("}]"));
}

void socket_take_states(
    struct socket *socket, const struct delivery_state *states, size_t len, uint64_t rev)
{
	for (size_t i = 0; i < len; i++)
		socket_show_state(socket, &states[i]);
	socket->rev = rev;
}

void socket_take_log(struct socket *socket, const struct delivery_log *log)
{
	if (log->entry->announcement_seq != socket->log_seq + 1)
		return;
	socket->log_seq++;
	if (log->frame)
		session_push(socket->session, log->frame, BYTES_LITERAL("}]"));
}

/* --- life --- */

void socket_leave(struct socket *socket)
{
	socket->session->socket = NULL;
	user_leave(socket);
	channels_leave_all(socket);
	free(socket->jti);
	free(socket);
}

static void refuse(struct session *session, const char *message, const char *code)
{
	struct buf packet = BUF_INIT;

	socketio_append_header(&packet, SOCKETIO_CONNECT_ERROR, "/", NULL);
	buf_append_str(&packet, "{\"message\":");
	json_append_string(&packet, bytes_of_str(message));
	buf_append_str(&packet, ",\"data\":{\"code\":");
	json_append_string(&packet, bytes_of_str(code));
	buf_append_str(&packet, "}}");
	push_buf(session, &packet);
}

/* Whom an answer to `open` is for, should the session have moved on meanwhile. */
struct opening {
	uint64_t session;
	char sid[ID_SIZE];
};

static void become_live(struct socket *socket, const Walletwire__V1__OpenReply *reply)
{
	struct session *session = socket->session;
	struct delivery_state *states = delivery_encode_states(reply->states, reply->n_states);
	struct buf packet = BUF_INIT;

	socketio_append_header(&packet, SOCKETIO_CONNECT, "/", NULL);
	buf_appendf(&packet, "{\"sid\":\"%s\"}", socket->sid);
	push_buf(session, &packet);
	count_connect();

	socket->state = SOCKET_LIVE;
	socket->seq = reply->seq;
	socket->log_seq = reply->announcement_seq;
	socket_take_states(socket, states, reply->n_states, reply->rev);
	delivery_free_states(states, reply->n_states);
	announcements_learn(session->el, reply->announcement_seq);
	announcements_catch_up(socket);
	user_on_live(socket->user);
}

static void on_open(struct edge_loop *el, void *arg, enum status s, struct bytes data)
{
	struct opening *opening = arg;
	struct session *session = session_find(el, opening->session);
	struct socket *socket = session ? session->socket : NULL;
	Walletwire__V1__OpenReply *reply = NULL;
	struct arena arena;

	arena_init(&arena, OPEN_ARENA_MAX);
	if (s == STATUS_OK)
		reply = walletwire__v1__open_reply__unpack(
		    arena_allocator(&arena), data.len, data.data);
	if (session)
		session->calls--;
	if (socket && strcmp(socket->sid, opening->sid) == 0) {
		if (!reply || reply->error)
			session_close(session, CLOSE_UNAVAILABLE);
		else if (user_accept_epoch(socket->user, reply->epoch, reply->seq, reply->rev))
			become_live(socket, reply);
	}
	arena_finish(&arena);
	free(opening);
}

static void ask_open(struct socket *socket)
{
	Walletwire__V1__Caller caller = WALLETWIRE__V1__CALLER__INIT;
	Walletwire__V1__OpenRequest request = WALLETWIRE__V1__OPEN_REQUEST__INIT;
	struct opening *opening = xmalloc(sizeof(*opening));

	opening->session = socket->session->number;
	memcpy(opening->sid, socket->sid, sizeof(opening->sid));
	caller.user_id = socket->user->id;
	caller.session_id = socket->sid;
	request.caller = &caller;
	socket->session->calls++;
	call_service(
	    socket->session->el, "ww.svc.notifications.open", &request.base, on_open, opening);
}

static enum token_verdict judge(
    struct session *session, const struct json *auth, struct token_claims *ret_claims)
{
	struct edge *edge = session->el->edge;
	const struct json *token = json_get(auth, "token");
	enum token_verdict verdict;

	if (session->token_in_query)
		return TOKEN_IN_QUERY;
	if (!token || (json_is_string(token) && json_text(token).len == 0))
		return TOKEN_MISSING;
	if (!json_is_string(token))
		return TOKEN_MALFORMED;
	verdict = token_verify(edge->tokens, json_text(token), clock_wall_ms() / 1000, ret_claims);
	if (verdict == TOKEN_OK &&
	    revoked_check(edge->revoked, ret_claims->sub, ret_claims->jti, ret_claims->iat_s))
		verdict = TOKEN_REVOKED;
	return verdict;
}

static void sign_in(struct session *session, const struct token_claims *claims)
{
	struct socket *socket;

	/* Leaving and joining again in a row must not ask for more at once than anything else may.
	 */
	if (session->calls >= session->el->edge->cfg.max_calls) {
		session_close(session, CLOSE_RATE_LIMITED);
		return;
	}
	socket = xcalloc(1, sizeof(*socket));
	socket->session = session;
	socket->user = user_join(session->el, claims->sub, socket);
	if (!socket->user) {
		free(socket);
		count_refusal(TOKEN_MALFORMED);
		refuse(session, token_verdict_text(TOKEN_MALFORMED),
		    token_verdict_code(TOKEN_MALFORMED));
		return;
	}
	session->socket = socket;
	id_random(socket->sid);
	socket->iat_s = claims->iat_s;
	socket->jti = xstrdup(claims->jti);
	channels_join_own(socket);
	loop_timer_disarm(session->el->loop, &session->connect_deadline);
	ask_open(socket);
}

void socket_recheck_all(void *arg)
{
	struct edge_loop *el = arg;
	struct session *session, *next;

	HASH_ITER (hh, el->sessions, session, next) {
		const struct socket *socket = session->socket;

		if (socket &&
		    revoked_check(el->edge->revoked, socket->user->id, socket->jti, socket->iat_s))
			session_close(session, CLOSE_REVOKED);
	}
}

static void on_connect(struct session *session, const struct json *auth)
{
	struct token_claims claims;
	enum token_verdict verdict;

	if (session->socket || (auth && !json_is_object(auth))) {
		session_close(session, CLOSE_PARSE_ERROR);
		return;
	}
	if (!revoked_is_known(session->el->edge->revoked)) { /* transient: the client tries again */
		session_close(session, CLOSE_UNAVAILABLE);
		return;
	}
	verdict = judge(session, auth, &claims);
	if (verdict == TOKEN_OK) {
		sign_in(session, &claims);
		return;
	}
	count_refusal(verdict);
	refuse(session, token_verdict_text(verdict), token_verdict_code(verdict));
}

static void on_disconnect(struct session *session)
{
	const struct edge_config *cfg = &session->el->edge->cfg;

	socket_leave(session->socket);
	/* The engine stays open for another CONNECT, and not shorter than until a ping was
	 * answered. */
	session_expect_connect(session, cfg->ping_interval_ms + cfg->ping_timeout_ms);
}

/* An EVENT is an array whose first element is its name (a number names no event of ours). Returns
 * false if it is not. */
static bool on_event(
    struct session *session, const struct socketio_packet *packet, const struct json *args)
{
	struct ack ack = { session->number, packet->has_id, packet->id };
	const struct json *name = json_at(args, 0);
	int64_t number;

	if (!name || (!json_is_string(name) && !json_int(name, &number)) ||
	    socketio_event_is_reserved(json_text(name)))
		return false;
	count_event_in();
	command_run(session->socket, json_text(name), json_at(args, 1), &ack);
	return true;
}

/* There is no other namespace: it can't be joined, and nothing can be said in it. */
static void on_foreign_namespace(struct session *session, const struct socketio_packet *packet)
{
	struct buf name = BUF_INIT;
	struct buf out = BUF_INIT;

	if (packet->type != SOCKETIO_CONNECT) {
		session_close(session, CLOSE_PARSE_ERROR);
		return;
	}
	buf_append_bytes(&name, packet->nsp);
	socketio_append_header(&out, SOCKETIO_CONNECT_ERROR, buf_str(&name), NULL);
	buf_append_str(&out, "{\"message\":\"Invalid namespace\"}");
	buf_finish(&name);
	push_buf(session, &out);
}

/* Returns false if the packet is one that no client may send now. */
static bool dispatch(
    struct session *session, const struct socketio_packet *packet, const struct json *payload)
{
	bool is_live = session->socket && session->socket->state == SOCKET_LIVE;

	switch (packet->type) {
	case SOCKETIO_CONNECT:
		on_connect(session, payload);
		return true;
	case SOCKETIO_DISCONNECT:
		if (!session->socket || payload)
			return false;
		on_disconnect(session);
		return true;
	case SOCKETIO_EVENT:
		return is_live && payload && on_event(session, packet, payload);
	case SOCKETIO_ACK: /* nothing was asked of the client: unknown ids are ignored */
		return is_live && json_is_array(payload);
	case SOCKETIO_CONNECT_ERROR:
	case SOCKETIO_BINARY_EVENT:
	case SOCKETIO_BINARY_ACK:
		break;
	}
	return false;
}

void socket_on_message(struct session *session, struct bytes text)
{
	struct socketio_packet packet;
	struct json *payload = NULL;

	bool is_packet = !socketio_parse(text, &packet, NULL) &&
			 (!packet.json.len || !json_parse(packet.json, &payload, NULL));

	if (is_packet && !bytes_equal_str(packet.nsp, "/"))
		on_foreign_namespace(session, &packet);
	else if (!is_packet || !dispatch(session, &packet, payload))
		session_close(session, CLOSE_PARSE_ERROR);
	json_free(payload);
}
