/* Signing in to the namespace "/", and what a live socket is shown. */
#include "socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "announcements.h"
#include "base/arena.h"
#include "base/id.h"
#include "base/message.h"
#include "base/xalloc.h"
#include "calls.h"
#include "channels.h"
#include "codec/reflect.h"
#include "commands.h"
#include "drain.h"
#include "hub.h"
#include "metrics.h"
#include "ops.h"
#include "presence.h"
#include "revoked.h"
#include "rooms.h"
#include "signin.h"
#include "tracking.h"
#include "trail.h"
#include "transfers.h"
#include "unread.h"
#include "user.h"
#include "walletwire/v1/notifications.pb-c.h"

enum {
	RETRY_AFTER_MS = 1000,
	OPEN_ARENA_MAX = 16 << 20,
	EXPIRING_ARENA_MAX = 4096,
	/*
	 * Of the whole edge, shared out among its loops. More make no client come sooner, but when
	 * an edge dies and its clients come all at once, they would fill the queues of the service,
	 * which refuses what does not fit.
	 */
	OPENS_IN_FLIGHT_MAX = 128,
};

struct socket *socket_of(const struct session *session)
{
	const struct sio_socket *base;

	if (!session || session->state != SESSION_OPEN)
		return NULL;
	base = sio_find(session, &edge_loop_of(session)->edge->namespaces[0]);
	return base ? base->data : NULL;
}

struct socket_ref socket_ref(const struct socket *socket)
{
	struct socket_ref ref = { .session = socket->session->number };

	memcpy(ref.sid, socket->base->sid, sizeof(ref.sid));
	return ref;
}

struct socket *socket_ref_find(struct edge_loop *el, const struct socket_ref *ref)
{
	struct socket *socket = socket_of(session_find(el->engine, ref->session));

	return socket && strcmp(socket->base->sid, ref->sid) == 0 ? socket : NULL;
}

struct socket *socket_of_ack(struct edge_loop *el, const struct sio_ack *ack)
{
	const struct sio_socket *base = sio_ack_socket(el->engine, ack);

	return base && base->nsp == &el->edge->namespaces[0] ? base->data : NULL;
}

/* --- acknowledgements --- */

void socket_ack_ok(
    struct sio_socket *socket, const struct sio_ack *ack, const ProtobufCMessage *reply_or_null)
{
	struct buf args = BUF_INIT;
	struct buf members = BUF_INIT;

	if (!ack->wanted)
		return;
	buf_append_str(&args, "[{\"ok\":true");
	if (reply_or_null && reflect_append_json_members(&members, reply_or_null)) {
		buf_append_char(&args, ',');
		buf_append_bytes(&args, buf_bytes(&members));
	}
	buf_append_str(&args, "}]");
	buf_finish(&members);
	if (args.len > socket->session->el->engine->cfg.queue.bytes)
		socket_ack_error(socket, ack, status_wire(STATUS_TOO_LARGE),
		    "the answer is too large, ask for less", "", 0);
	else
		sio_answer(socket, ack, buf_bytes(&args), NULL);
	buf_finish(&args);
}

static void append_member(struct buf *out, const char *name, const char *value)
{
	buf_appendf(out, ",\"%s\":", name);
	json_append_string(out, bytes_of_str(value));
}

/* Whoever is told "later" is told when; spread, so that not all come at once. */
static uint32_t retry_after(const char *code, uint32_t told_ms)
{
	enum status s = status_from_wire(code);

	if (told_ms || (s != STATUS_UNAVAILABLE && s != STATUS_TIMEOUT))
		return told_ms;
	return RETRY_AFTER_MS + (uint32_t)random_below(RETRY_AFTER_MS);
}

void socket_ack_error(struct sio_socket *socket, const struct sio_ack *ack, const char *code,
    const char *message, const char *field, uint32_t retry_after_ms)
{
	struct buf args = BUF_INIT;

	if (!ack->wanted)
		return;
	retry_after_ms = retry_after(code, retry_after_ms);
	buf_append_str(&args, "[{\"ok\":false,\"error\":{\"code\":");
	json_append_string(&args, bytes_of_str(code));
	append_member(&args, "message", message);
	if (field[0])
		append_member(&args, "field", field);
	if (retry_after_ms)
		buf_appendf(&args, ",\"retryAfterMs\":%u", retry_after_ms);
	buf_append_str(&args, "}}]");
	sio_answer(socket, ack, buf_bytes(&args), NULL);
	buf_finish(&args);
}

void socket_ack_err(struct sio_socket *socket, const struct sio_ack *ack, const struct err *err)
{
	socket_ack_error(socket, ack, status_wire(err->status), err->msg, err->field, 0);
}

/* --- what a live socket is shown --- */

/* Where the client would have to go on after what is written now; NULL if it can't. */
static const char *offset_of(
    const struct socket *socket, char ret_offset[static RECOVERY_OFFSET_SIZE])
{
	if (!socket->pid)
		return NULL;
	(void)snprintf(ret_offset, RECOVERY_OFFSET_SIZE, "%s%llu.%llu", socket->offset_prefix,
	    (unsigned long long)socket->seq, (unsigned long long)socket->log_seq);
	return ret_offset;
}

void socket_show(struct socket *socket, struct frame *frame)
{
	char offset[RECOVERY_OFFSET_SIZE];

	sio_push(socket->base, frame, socket->unread, offset_of(socket, offset));
}

/* All that was missed has been shown: the states follow, as if none were known. */
static void end_recovery(struct socket *socket)
{
	if (socket->recover_to && socket->seq >= socket->recover_to) {
		socket->recover_to = 0;
		socket->rev = 0;
	}
}

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

	if (row->seq <= socket->seq)
		return SOCKET_OLD; /* 0 is no number, and is below every position */
	if (row->seq != socket->seq + 1)
		return SOCKET_HOLE;
	socket->seq = row->seq;
	end_recovery(socket);
	note_transfer(socket, row->payload);
	rooms_note_item(socket, row->payload);
	if (!item->frame ||
	    (!row->critical && !channels_reach(socket, row->channels, row->n_channels)))
		return SOCKET_TAKEN;
	socket_show(socket, item->frame);
	observe_latency(row->applied_us);
	return SOCKET_TAKEN;
}

void socket_skip_to(struct socket *socket, uint64_t seq)
{
	if (seq > socket->seq)
		socket->seq = seq;
	end_recovery(socket);
}

void socket_show_state(struct socket *socket, const struct delivery_state *entry)
{
	const Walletwire__V1__State *state = entry->state;
	struct tracked *tracked = NULL;

	if (!entry->frame)
		return;
	if (state->payload->body_case == WALLETWIRE__V1__PAYLOAD__BODY_TRANSFER)
		tracked = channel_tracked(socket, bytes_of_str(state->key));
	if (tracked && state->version < tracked->version)
		return; /* transfers are also asked for one by one, so an older one can come later
			 */
	if (tracked)
		tracked->version = state->version;
	if (channels_reach(socket, state->channels, state->n_channels))
		socket_show(socket, entry->frame);
}

static bool is_counters(const Walletwire__V1__State *state)
{
	return state->payload && state->payload->body_case == WALLETWIRE__V1__PAYLOAD__BODY_UNREAD;
}

void socket_take_states(
    struct socket *socket, const struct delivery_state *states, size_t len, uint64_t rev)
{
	for (size_t i = 0; i < len; i++) {
		if (is_counters(states[i].state)) {
			unread_take_counters(socket->user, states[i].state);
			unread_show(socket);
		} else {
			socket_show_state(socket, &states[i]);
		}
	}
	socket->rev = rev;
}

void socket_take_log(struct socket *socket, const struct delivery_log *log)
{
	if (log->entry->announcement_seq != socket->log_seq + 1)
		return;
	socket->log_seq++;
	if (log->frame && unread_is_for(socket->user, log->entry->segment))
		socket_show(socket, log->frame);
}

/* --- life --- */

static bool enter_hub(struct socket *socket)
{
	struct hub *hub = edge_loop_of(socket->session)->edge->hub;

	socket->is_counted = hub_enter(hub, socket->user->token, socket->base->sid);
	return socket->is_counted;
}

static void leave_hub(struct socket *socket)
{
	if (socket->is_counted)
		hub_leave(edge_loop_of(socket->session)->edge->hub, socket->user->token,
		    socket->base->sid);
	socket->is_counted = false;
}

/* Whoever waits for the turn to ask counts as one who asks: its session must not move yet. */
static void enqueue(struct socket *socket)
{
	socket->is_queued = true;
	socket->session->calls++;
	DL_APPEND2(edge_loop_of(socket->session)->opens.first, socket, prev_queue, next_queue);
}

static void unqueue(struct socket *socket)
{
	if (!socket->is_queued)
		return;
	socket->is_queued = false;
	socket->session->calls--;
	DL_DELETE2(edge_loop_of(socket->session)->opens.first, socket, prev_queue, next_queue);
}

static void keep_claims(struct socket *socket, struct token_claims *claims)
{
	Walletwire__V1__Claims message = WALLETWIRE__V1__CLAIMS__INIT;

	message.country = claims->country;
	message.language = claims->lang;
	message.tier = claims->tier;
	socket->claims = message_copy(&message.base);
}

static void forget_claims(struct socket *socket)
{
	if (socket->claims)
		walletwire__v1__claims__free_unpacked(socket->claims, NULL);
	socket->claims = NULL;
}

static void on_leave(struct sio_socket *base)
{
	struct socket *socket = base->data;

	if (!socket)
		return; /* it was never signed in */
	base->data = NULL;
	unqueue(socket);
	presence_on_leave(socket);
	expiry_disarm(&socket->expiry);
	tracking_free(socket);
	leave_hub(socket);
	channels_leave_all(socket); /* views of rooms look at their user */
	user_leave(socket);
	free(socket->jti);
	free(socket->pid);
	forget_claims(socket);
	free(socket);
}

void socket_refuse_crowded(struct socket *socket)
{
	struct sio_socket *base = socket->base;

	trail_refused(base, socket->user->id, "too_many_sockets");
	on_leave(base);
	signin_refuse_crowded(base);
}

bool socket_is_evicted(const struct socket *socket, const Walletwire__V1__Eviction *eviction)
{
	return strcmp(socket->base->sid, eviction->session_id) == 0 &&
	       strcmp(socket->session->sid, eviction->connection) != 0;
}

const ProtobufCMessage *socket_token_end(const struct socket *socket, struct arena *arena)
{
	Walletwire__V1__TokenEnd *end = arena_alloc(arena, sizeof(*end));
	Google__Protobuf__Timestamp *at = arena_alloc(arena, sizeof(*at));

	walletwire__v1__token_end__init(end);
	google__protobuf__timestamp__init(at);
	at->seconds = socket->expiry.exp_s;
	end->expires_at = at;
	return &end->base;
}

void socket_tell(struct socket *socket, const char *event, const ProtobufCMessage *payload)
{
	char offset[RECOVERY_OFFSET_SIZE];
	struct buf args = BUF_INIT;

	buf_appendf(&args, "[\"%s\",", event);
	reflect_append_json(&args, payload);
	if (offset_of(socket, offset))
		buf_appendf(&args, ",\"%s\"", offset);
	buf_append_char(&args, ']');
	sio_emit(socket->base, buf_bytes(&args), NULL);
	buf_finish(&args);
}

/* Before it is live there is nobody to tell. */
static void on_expiring(struct sio_socket *base)
{
	struct socket *socket = base->data;
	struct arena arena;

	if (!socket || socket->state != SOCKET_LIVE)
		return;
	arena_init(&arena, EXPIRING_ARENA_MAX);
	socket_tell(socket, "auth:expiring", socket_token_end(socket, &arena));
	arena_finish(&arena);
}

static const struct recovery_keys *recovery_keys(const struct socket *socket)
{
	return &edge_loop_of(socket->session)->edge->recovery;
}

static enum recovery judge_recovery(
    const struct socket *socket, const Walletwire__V1__OpenReply *reply)
{
	int64_t max = edge_loop_of(socket->session)->edge->cfg.recovery_max;

	if (strcmp(socket->epoch, reply->epoch) != 0)
		return RECOVERY_EPOCH;
	if (socket->seq > reply->seq || socket->log_seq > reply->announcement_seq)
		return RECOVERY_AHEAD;
	if (reply->seq - socket->seq > (uint64_t)max)
		return RECOVERY_TOO_MANY;
	return reply->too_old ? RECOVERY_TOO_OLD : RECOVERY_DONE;
}

/* From the mailbox's head on, with all of its channels. */
static void start_afresh(struct socket *socket, const Walletwire__V1__OpenReply *reply)
{
	struct position at = { .seq = reply->seq, .log_seq = reply->announcement_seq };

	channels_leave_all(socket);
	channels_join_own(socket);
	socket->device.is_away = socket->device.is_idle = false;
	socket->seq = at.seq;
	socket->log_seq = at.log_seq;
	if (!recovery_keys(socket)->key.len)
		return;
	(void)snprintf(at.epoch, sizeof(at.epoch), "%s", reply->epoch);
	free(socket->pid);
	socket->pid = xmalloc(RECOVERY_PID_SIZE);
	recovery_make_pid(
	    recovery_keys(socket), socket->base->sid, socket->user->id, &at, socket->pid);
}

/* It does not go on where it was, so it is another socket than its older self: one more. */
static bool take_new_id(struct socket *socket)
{
	leave_hub(socket);
	id_random(socket->base->sid);
	return enter_hub(socket);
}

/*
 * A client that recovers is told its CONNECT first: stock ones double what comes before it. False
 * if the socket was refused, and is gone.
 */
static bool accept(struct socket *socket, const Walletwire__V1__OpenReply *reply)
{
	enum recovery outcome;

	if (socket->is_recovering) {
		outcome = judge_recovery(socket, reply);
		count_recovery(outcome);
		socket->is_recovering = outcome == RECOVERY_DONE;
		if (!socket->is_recovering && !take_new_id(socket)) {
			socket_refuse_crowded(socket);
			return false;
		}
	}
	if (!socket->is_recovering)
		start_afresh(socket, reply);
	if (socket->pid)
		recovery_make_prefix(socket->pid, reply->epoch, socket->offset_prefix);
	sio_accept(socket->base, socket->pid);
	count_connect();
	trail_connected(socket);
	return true;
}

/* They are not shown yet, but items tell them. */
static void learn_counters(struct socket *socket, const Walletwire__V1__OpenReply *reply)
{
	for (size_t i = 0; i < reply->n_states; i++) {
		if (is_counters(reply->states[i]))
			unread_take_counters(socket->user, reply->states[i]);
	}
	socket->unread = unread_total(socket->user);
}

/* Up to what `open` saw. Those of transfers may have been on their way when the session moved. */
static void show_states(struct socket *socket, const Walletwire__V1__OpenReply *reply)
{
	struct delivery_state *states;

	if (!socket->is_moved || reply->rev > socket->rev) {
		states = delivery_encode_states(reply->states, reply->n_states);
		socket_take_states(socket, states, reply->n_states, reply->rev);
		delivery_free_states(states, reply->n_states);
	} else {
		learn_counters(socket, reply);
	}
	transfers_ask(socket);
}

/* What was missed comes first, and the states behind it. Everybody else has missed no item. */
static void become_live(struct socket *socket, const Walletwire__V1__OpenReply *reply)
{
	struct edge_loop *el = edge_loop_of(socket->session);

	announcements_begin(el, reply);
	unread_take_marks(socket->user, reply->marks, reply->rev);
	if (!socket->is_moved && !accept(socket, reply))
		return;
	socket->state = SOCKET_LIVE;
	forget_claims(socket);
	(void)tracking_store(socket, NULL, NULL);
	/* Once more, now that there is somebody to tell of an end that is near. */
	expiry_arm(&socket->expiry, socket->base, socket->expiry.exp_s, on_expiring);
	if (socket->is_recovering && reply->seq > socket->seq) {
		socket->recover_to = reply->seq;
		socket->rev = reply->rev;
		learn_counters(socket, reply);
	} else {
		show_states(socket, reply);
	}
	announcements_learn(el, reply->announcement_seq);
	announcements_catch_up(socket);
	presence_on_live(socket);
	rooms_ask(socket);
	user_on_live(socket->user, socket->recover_to ? 0 : el->edge->cfg.hole_wait_ms);
	drain_on_live(socket);
}

static struct socket_ref *ref_new(const struct socket *socket)
{
	struct socket_ref *ref = xmalloc(sizeof(*ref));

	*ref = socket_ref(socket);
	return ref;
}

/* One that left and recovers again on this session has the same id, and is answered once. */
static struct socket *find_opening(struct edge_loop *el, const struct socket_ref *ref)
{
	struct socket *socket = socket_ref_find(el, ref);

	return socket && socket->state == SOCKET_OPENING ? socket : NULL;
}

static void ask_opens_of_queue(struct edge_loop *el);

static void on_open(struct edge_loop *el, void *arg, enum status s, struct bytes data)
{
	struct socket_ref *ref = arg;
	struct session *session = session_find(el->engine, ref->session);
	struct socket *socket = find_opening(el, ref);
	Walletwire__V1__OpenReply *reply;
	struct arena arena;

	arena_init(&arena, OPEN_ARENA_MAX);
	reply = call_unpack(&arena, &walletwire__v1__open_reply__descriptor, s, data);
	if (session)
		session->calls--;
	if (socket) {
		if (!reply || reply->error)
			session_close(session, CLOSE_UNAVAILABLE);
		else if (socket->is_moved && strcmp(socket->epoch, reply->epoch) != 0)
			session_close(session, CLOSE_RESYNC);
		else if (user_accept_epoch(socket->user, reply->epoch, reply->seq, reply->rev))
			become_live(socket, reply);
	}
	arena_finish(&arena);
	free(ref);
	el->opens.in_flight--;
	ask_opens_of_queue(el);
}

static void ask_open(struct socket *socket)
{
	Walletwire__V1__Caller caller = WALLETWIRE__V1__CALLER__INIT;
	Walletwire__V1__OpenRequest request = WALLETWIRE__V1__OPEN_REQUEST__INIT;

	caller.user_id = socket->user->id;
	caller.session_id = socket->base->sid;
	request.caller = &caller;
	request.recovering = socket->is_recovering;
	request.since = socket->is_recovering ? socket->seq : 0;
	request.connection = socket->session->sid;
	request.wants_live = !edge_loop_of(socket->session)->log.known;
	request.claims = socket->claims;
	socket->session->calls++;
	edge_loop_of(socket->session)->opens.in_flight++;
	call_service(edge_loop_of(socket->session), "ww.svc.notifications.open", &request.base,
	    on_open, ref_new(socket));
}

/* Nothing stored is nothing changed. */
static void on_tracking(struct edge_loop *el, void *arg, enum status s, struct bytes data)
{
	struct socket_ref *ref = arg;
	struct session *session = session_find(el->engine, ref->session);
	struct socket *socket = find_opening(el, ref);

	if (session)
		session->calls--;
	if (socket) {
		if (!s)
			tracking_restore(socket, data);
		if (!s || s == STATUS_NOT_FOUND)
			ask_open(socket);
		else
			session_close(session, CLOSE_UNAVAILABLE);
	}
	free(ref);
	el->opens.in_flight--;
	ask_opens_of_queue(el);
}

/* Channels are known before anything is delivered by them. */
static void ask_tracking(const struct socket *socket)
{
	socket->session->calls++;
	edge_loop_of(socket->session)->opens.in_flight++;
	tracking_load(socket, on_tracking, ref_new(socket));
}

static void ask_opens_of_queue(struct edge_loop *el)
{
	size_t share = edge_loop_share(el, OPENS_IN_FLIGHT_MAX);

	while (el->opens.first && el->opens.in_flight < share) {
		struct socket *socket = el->opens.first;

		unqueue(socket);
		if (socket->is_recovering)
			ask_tracking(socket);
		else
			ask_open(socket);
	}
}

static void queue_open(struct socket *socket)
{
	enqueue(socket);
	ask_opens_of_queue(edge_loop_of(socket->session));
}

enum status socket_refresh(struct socket *socket, struct bytes token, struct err *err)
{
	struct edge *edge = edge_loop_of(socket->session)->edge;
	struct token_claims claims;
	enum token_verdict verdict = signin_judge(edge, token, &claims);

	if (verdict != TOKEN_OK)
		return err_set(err, STATUS_UNAUTHORIZED, "%s", token_verdict_text(verdict));
	if (strcmp(claims.sub, socket->user->id) != 0)
		return err_set(err, STATUS_FORBIDDEN, "the token is somebody else's");
	free(socket->jti);
	socket->jti = xstrdup(claims.jti);
	socket->iat_s = claims.iat_s;
	socket->key_print = claims.key_print;
	expiry_arm(&socket->expiry, socket->base, claims.exp_s, on_expiring);
	return STATUS_OK;
}

/* NULL for a user whose id can't be encoded. */
static struct socket *socket_new(
    struct sio_socket *base, const char *user_id, const char *jti, int64_t iat_s, int64_t exp_s)
{
	struct socket *socket = xcalloc(1, sizeof(*socket));

	socket->base = base;
	socket->session = base->session;
	socket->user = user_join(edge_loop_of(base->session), user_id, socket);
	if (!socket->user) {
		free(socket);
		return NULL;
	}
	base->data = socket;
	socket->iat_s = iat_s;
	socket->jti = xstrdup(jti);
	expiry_arm(&socket->expiry, base, exp_s, on_expiring);
	channels_join_own(socket);
	return socket;
}

/* The higher of what the client has seen and where it was when it connected. */
static void begin_recovery(struct socket *socket, const struct json *auth)
{
	const struct recovery_keys *keys = recovery_keys(socket);
	struct bytes pid = json_text(json_get(auth, "pid"));
	struct position at, seen;
	char sid[ID_SIZE];

	if (!keys->key.len || !pid.len)
		return;
	if (!recovery_read_pid(keys, pid, socket->user->id, sid, &at)) {
		count_recovery(RECOVERY_BAD_PID);
		return;
	}
	if (recovery_read_offset(json_text(json_get(auth, "offset")), pid, &seen) &&
	    strcmp(seen.epoch, at.epoch) == 0) {
		at.seq = seen.seq > at.seq ? seen.seq : at.seq;
		at.log_seq = seen.log_seq > at.log_seq ? seen.log_seq : at.log_seq;
	}
	memcpy(socket->base->sid, sid, sizeof(sid));
	memcpy(socket->epoch, at.epoch, sizeof(at.epoch));
	socket->seq = at.seq;
	socket->log_seq = at.log_seq;
	socket->pid = xcalloc(1, pid.len + 1);
	memcpy(socket->pid, pid.data, pid.len);
	socket->is_recovering = true;
}

static void on_connect(struct sio_socket *base, const struct json *auth)
{
	struct session *session = base->session;
	struct edge_loop *el = edge_loop_of(session);
	struct token_claims claims;
	struct socket *socket;

	if (signin(base, auth, &claims) != TOKEN_OK)
		return;
	/* Leaving and joining again in a row must not ask for more at once than anything else may.
	 */
	if (session->calls >= el->edge->cfg.max_calls) {
		session_close(session, CLOSE_RATE_LIMITED);
		return;
	}
	socket = socket_new(base, claims.sub, claims.jti, claims.iat_s, claims.exp_s);
	if (!socket) {
		count_refusal(TOKEN_MALFORMED);
		signin_refuse(
		    base, token_verdict_text(TOKEN_MALFORMED), token_verdict_code(TOKEN_MALFORMED));
		return;
	}
	socket->key_print = claims.key_print;
	keep_claims(socket, &claims);
	begin_recovery(socket, auth);
	if (enter_hub(socket))
		queue_open(socket);
	else
		socket_refuse_crowded(socket);
}

static void save_rooms(const struct socket *socket, Walletwire__V1__MovedSocket *ret_moved)
{
	struct arena arena;
	char **ids;

	arena_init(&arena, SIZE_MAX);
	ids = rooms_of(socket, &arena, &ret_moved->n_rooms);
	ret_moved->rooms = xcalloc(ret_moved->n_rooms + 1, sizeof(*ret_moved->rooms));
	for (size_t i = 0; i < ret_moved->n_rooms; i++)
		ret_moved->rooms[i] = xstrdup(ids[i]);
	arena_finish(&arena);
}

void socket_save(const struct socket *socket, Walletwire__V1__MovedSocket *ret_moved)
{
	const struct tracked *tracked;

	ret_moved->user_id = xstrdup(socket->user->id);
	ret_moved->jti = xstrdup(socket->jti);
	ret_moved->iat_s = socket->iat_s;
	ret_moved->key_print = socket->key_print;
	ret_moved->exp_s = socket->expiry.exp_s;
	ret_moved->epoch = xstrdup(socket->user->epoch);
	ret_moved->seq = socket->seq;
	/* States that were to follow what was missed are shown there. */
	ret_moved->rev = socket->recover_to ? 0 : socket->rev;
	ret_moved->announcement_seq = socket->log_seq;
	ret_moved->pid = xstrdup(socket->pid ? socket->pid : "");
	ret_moved->own_channels = socket->own_channels;
	ret_moved->unread = socket->unread;
	ret_moved->away = socket->device.is_away;
	ret_moved->idle = socket->device.is_idle;
	ret_moved->transfers = xcalloc(socket->tracked_len + 1, sizeof(*ret_moved->transfers));
	LL_FOREACH (socket->tracked, tracked) {
		Walletwire__V1__MovedTransfer *transfer = xmalloc(sizeof(*transfer));

		walletwire__v1__moved_transfer__init(transfer);
		transfer->transfer_id = xstrdup(tracked->id);
		transfer->version = tracked->version;
		ret_moved->transfers[ret_moved->n_transfers++] = transfer;
	}
	save_rooms(socket, ret_moved);
}

static void restore_transfers(struct socket *socket, const Walletwire__V1__MovedSocket *moved)
{
	for (size_t i = 0; i < moved->n_transfers; i++) {
		struct bytes id = bytes_of_str(moved->transfers[i]->transfer_id);

		if (!channel_track(socket, id, NULL))
			channel_tracked(socket, id)->version = moved->transfers[i]->version;
	}
}

bool socket_restore(struct sio_socket *base, const Walletwire__V1__MovedSocket *moved)
{
	struct socket *socket =
	    socket_new(base, moved->user_id, moved->jti, moved->iat_s, moved->exp_s);

	if (!socket)
		return false;
	socket->is_moved = true;
	socket->key_print = moved->key_print;
	(void)snprintf(socket->epoch, sizeof(socket->epoch), "%s", moved->epoch);
	socket->seq = moved->seq;
	socket->rev = moved->rev;
	socket->log_seq = moved->announcement_seq;
	if (moved->pid[0]) {
		socket->pid = xstrdup(moved->pid);
		recovery_make_prefix(socket->pid, moved->epoch, socket->offset_prefix);
	}
	socket->own_channels = moved->own_channels;
	socket->unread = moved->unread;
	socket->device.is_away = moved->away;
	socket->device.is_idle = moved->idle;
	restore_transfers(socket, moved);
	for (size_t i = 0; i < moved->n_rooms; i++)
		(void)!room_enter(socket, bytes_of_str(moved->rooms[i]), NULL);
	if (!enter_hub(socket)) { /* or moving would be a way around the limit */
		count_refusal_crowded();
		return false;
	}
	queue_open(socket);
	return true;
}

bool socket_session_is_revoked(const struct edge *edge, const struct session *session)
{
	const struct socket *socket = socket_of(session);

	if (socket && (revoked_check(edge->revoked, socket->user->id, socket->jti, socket->iat_s) ||
			  !token_key_is_used(edge->tokens, socket->key_print)))
		return true;
	for (size_t i = 1; i < edge->sio.namespaces_len; i++) {
		const struct sio_socket *ops = sio_find(session, &edge->namespaces[i]);

		if (ops && ops_is_revoked(ops))
			return true;
	}
	return false;
}

void socket_recheck_all(void *arg)
{
	struct edge_loop *el = arg;
	struct session *session, *next;

	HASH_ITER (hh, el->engine->sessions, session, next) {
		if (session->state == SESSION_OPEN && socket_session_is_revoked(el->edge, session))
			session_close(session, CLOSE_REVOKED);
	}
}

static void on_event(struct sio_socket *base, const struct sio_event *event)
{
	count_event_in();
	command_run(base->data, event);
}

struct sio_namespace socket_namespace(const char *name)
{
	return (struct sio_namespace){
		.name = name,
		.on_connect = on_connect,
		.on_event = on_event,
		.on_activity = presence_on_activity,
		.on_leave = on_leave,
		.on_excess = command_refuse,
	};
}
