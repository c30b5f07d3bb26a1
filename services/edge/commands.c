/* The table of client events and the two ways to serve them. */
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/attrs.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/xalloc.h"
#include "calls.h"
#include "channels.h"
#include "codec/reflect.h"
#include "log/log.h"
#include "metrics.h"
#include "presence.h"
#include "rooms.h"
#include "tracking.h"
#include "trail.h"
#include "transfers.h"
#include "user.h"
#include "walletwire/v1/chat.pb-c.h"
#include "walletwire/v1/common.pb-c.h"
#include "walletwire/v1/notifications.pb-c.h"
#include "walletwire/v1/presence.pb-c.h"

enum {
	TEXT_MAX = 4000, /* code points of any text a client sends */
	REQUEST_ARENA_MAX = 1 << 20,
	REPLY_ARENA_MAX = 16 << 20,
};

struct command {
	const char *event;
	enum edge_rate rate;
	/* Which other row serves it, by what it is about; NULL: this one. */
	const struct command *(*instead)(const struct json *payload);
	/* What the socket follows is stored before it is answered, for the edge that recovers it.
	 */
	bool is_tracked;
	/* All friends are told of it, so a user may do it less often than what costs nobody else.
	 */
	bool is_told;
	/* Answered here ... */
	enum status (*run)(struct socket *socket, const struct json *payload, struct err *err);
	/* (and with what, in the arena; NULL: nothing but ok) */
	const ProtobufCMessage *(*reply_of)(const struct socket *socket, struct arena *arena);
	/* ... or by a service. */
	const char *subject;
	const ProtobufCMessageDescriptor *request, *reply;
	/* Reads the payload, where it is not what its descriptor says. */
	enum status (*read)(const struct json *payload, struct arena *arena,
	    ProtobufCMessage **ret_request, struct err *err);
	/* Called with the payload before the service is asked, and with its reply, or with the
	 * payload again if there is none. */
	enum status (*before)(struct socket *socket, ProtobufCMessage *request, struct err *err);
	void (*after)(struct socket *socket, ProtobufCMessage *reply);
	void (*failed)(struct socket *socket, const ProtobufCMessage *request);
};

static enum status channel_name(const struct json *payload, struct bytes *ret_name, struct err *err)
{
	const struct json *name = json_get(payload, "channel");

	if (!name || !json_is_string(name))
		return err_invalid(err, "channel", "a string is required");
	*ret_name = json_text(name);
	return STATUS_OK;
}

static enum status run_subscribe(struct socket *socket, const struct json *payload, struct err *err)
{
	struct bytes name = { 0 };
	enum status s = channel_name(payload, &name, err);

	return s ? s : channel_join(socket, name, err);
}

static enum status run_unsubscribe(
    struct socket *socket, const struct json *payload, struct err *err)
{
	struct bytes name = { 0 };
	enum status s = channel_name(payload, &name, err);

	return s ? s : channel_leave(socket, name, err);
}

static enum status run_untrack(struct socket *socket, const struct json *payload, struct err *err)
{
	const struct json *id = json_get(payload, "transferId");

	if (!id || !json_is_string(id))
		return err_invalid(err, "transferId", "a string is required");
	channel_untrack(socket, json_text(id));
	return STATUS_OK;
}

static enum status run_presence_set(
    struct socket *socket, const struct json *payload, struct err *err)
{
	/* what is no text is no such word either */
	return presence_set(socket, json_text(json_get(payload, "status")), err);
}

static enum status run_refresh(struct socket *socket, const struct json *payload, struct err *err)
{
	const struct json *token = json_get(payload, "token");

	if (!token || !json_is_string(token))
		return err_invalid(err, "token", "a string is required");
	return socket_refresh(socket, json_text(token), err);
}

/*
 * Tracked before the state is asked, so that no update falls between; the state itself is only
 * given to a party of the transfer, and updates are rung to parties alone.
 */
static enum status before_track(struct socket *socket, ProtobufCMessage *request, struct err *err)
{
	const Walletwire__V1__TrackRequest *track =
	    (const Walletwire__V1__TrackRequest *)(const void *)request;

	return channel_track(socket, bytes_of_str(track->transfer_id), err);
}

/* What comes after the click is not meant by it. */
static enum status before_select(struct socket *socket, ProtobufCMessage *request, struct err *err)
{
	Walletwire__V1__SelectRequest *select = (Walletwire__V1__SelectRequest *)(void *)request;

	(void)err;
	select->position = socket->seq;
	select->announcement_position = socket->log_seq;
	return STATUS_OK;
}

static void after_track(struct socket *socket, ProtobufCMessage *reply)
{
	const Walletwire__V1__TrackReply *track = (const Walletwire__V1__TrackReply *)(void *)reply;

	if (track->transfer)
		transfer_answered(socket, track->transfer);
}

/* What the client was told to have failed has. */
static void failed_track(struct socket *socket, const ProtobufCMessage *request)
{
	transfer_give_up(
	    socket, ((const Walletwire__V1__TrackRequest *)(const void *)request)->transfer_id);
}

/* What the client was told last stands beside every item, as it does where one arrives. */
static void after_list(struct socket *socket, ProtobufCMessage *reply)
{
	Walletwire__V1__ListReply *list = (Walletwire__V1__ListReply *)(void *)reply;

	for (size_t i = 0; i < list->n_items; i++) {
		if (list->items[i]->notification)
			list->items[i]->notification->unread = socket->unread;
	}
}

/* --- room:{id}: a channel that a service guards --- */

static enum status read_view(const struct json *payload, struct arena *arena,
    ProtobufCMessage **ret_request, struct err *err)
{
	Walletwire__V1__ChatViewRequest *view = MESSAGE_NEW(arena, chat_view_request);
	struct bytes name = { 0 }, id = { 0 };
	enum status s = channel_name(payload, &name, err);

	if (s)
		return s;
	(void)channel_is_room(name, &id);
	view->room_id = arena_strndup(arena, id.data, id.len);
	*ret_request = &view->base;
	return STATUS_OK;
}

static enum status before_view(struct socket *socket, ProtobufCMessage *request, struct err *err)
{
	const Walletwire__V1__ChatViewRequest *view =
	    (const Walletwire__V1__ChatViewRequest *)(const void *)request;

	return room_enter(socket, bytes_of_str(view->room_id), err);
}

static void after_view(struct socket *socket, ProtobufCMessage *reply)
{
	room_open(socket, ((const Walletwire__V1__ChatViewReply *)(const void *)reply)->room_id);
}

static void failed_view(struct socket *socket, const ProtobufCMessage *request)
{
	const Walletwire__V1__ChatViewRequest *view =
	    (const Walletwire__V1__ChatViewRequest *)(const void *)request;

	room_leave(socket, bytes_of_str(view->room_id));
}

#define SERVICE(event_, verb_, request_, reply_)              \
	.event = (event_), .subject = "ww.svc." verb_,        \
	.request = &walletwire__v1__##request_##__descriptor, \
	.reply = &walletwire__v1__##reply_##__descriptor

static const struct command view_room = {
	SERVICE("subscribe", "chat.view", chat_view_request, chat_view_reply), .is_tracked = true,
	.read = read_view, .before = before_view, .after = after_view, .failed = failed_view
};

static const struct command *view_if_room(const struct json *payload)
{
	struct bytes id;

	return channel_is_room(json_text(json_get(payload, "channel")), &id) ? &view_room : NULL;
}

/* A verb of ww-chat whose request and reply are named like it. */
#define CHAT(verb_, reply_) SERVICE("chat:" #verb_, "chat." #verb_, chat_##verb_##_request, reply_)

static const struct command commands[] = {
	{ .event = "subscribe", .run = run_subscribe, .is_tracked = true, .instead = view_if_room },
	{ .event = "unsubscribe", .run = run_unsubscribe, .is_tracked = true },
	{ .event = "transfer:untrack", .run = run_untrack, .is_tracked = true },
	{ .event = "auth:refresh", .run = run_refresh, .reply_of = socket_token_end },
	{ SERVICE("transfer:track", "notifications.track", track_request, track_reply),
	    .is_tracked = true, .before = before_track, .after = after_track,
	    .failed = failed_track },
	{ SERVICE("balance:get", "notifications.balances", balances_request, balances_reply) },
	{ SERVICE("notifications:list", "notifications.list", list_request, list_reply),
	    .after = after_list },
	{ SERVICE("notifications:seen", "notifications.seen", select_request, select_reply),
	    .before = before_select },
	{ SERVICE("notifications:read", "notifications.read", select_request, select_reply),
	    .before = before_select },
	{ SERVICE("notifications:archive", "notifications.archive", select_request, select_reply),
	    .before = before_select },
	{ SERVICE("notifications:unread", "notifications.unread", unread_request, unread_reply) },
	{ .event = "presence:set", .run = run_presence_set, .is_tracked = true, .is_told = true },
	{ SERVICE("presence:get", "presence.get", presence_get_request, presence_get_reply) },
	{ SERVICE("presence:friends", "presence.friends", presence_friends_request,
	    presence_friends_reply) },
	{ SERVICE("presence:privacy", "presence.privacy", presence_privacy_request,
	      presence_privacy_reply),
	    .is_told = true },
	{ CHAT(create, chat_room_reply), .rate = EDGE_RATE_CHAT },
	{ CHAT(invite, chat_room_reply), .rate = EDGE_RATE_CHAT },
	{ CHAT(join, chat_room_reply), .rate = EDGE_RATE_CHAT },
	{ CHAT(leave, chat_room_reply), .rate = EDGE_RATE_CHAT },
	{ CHAT(remove, chat_room_reply), .rate = EDGE_RATE_CHAT },
	{ CHAT(rename, chat_room_reply), .rate = EDGE_RATE_CHAT },
	{ CHAT(role, chat_room_reply), .rate = EDGE_RATE_CHAT },
	{ CHAT(rooms, chat_rooms_reply) },
	{ CHAT(send, chat_send_reply), .rate = EDGE_RATE_CHAT },
	{ CHAT(edit, chat_message_reply), .rate = EDGE_RATE_CHAT },
	{ CHAT(delete, chat_message_reply), .rate = EDGE_RATE_CHAT },
	{ CHAT(history, chat_history_reply) },
	{ CHAT(read, chat_read_reply) },
	{ CHAT(typing, error_reply), .rate = EDGE_RATE_TYPING },
	{ CHAT(block, error_reply), .rate = EDGE_RATE_CHAT },
	{ SERVICE("chat:unblock", "chat.unblock", chat_block_request, error_reply),
	    .rate = EDGE_RATE_CHAT },
	{ CHAT(blocks, chat_blocks_reply) },
	{ CHAT(report, error_reply), .rate = EDGE_RATE_CHAT },
};

static const struct command *find(struct bytes event, const struct json *payload)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct command *command = &commands[i], *instead;

		if (!bytes_equal_str(event, command->event))
			continue;
		instead = command->instead ? command->instead(payload) : NULL;
		return instead ? instead : command;
	}
	return NULL;
}

/* A client's event that waits for others: a service, the bucket of what is followed, or both. */
struct pending {
	const struct command *command;
	struct sio_ack ack;
	unsigned waits;
	enum status status;              /* the first that failed */
	struct buf reply;                /* of the service */
	struct buf request;              /* as it was sent; kept for `failed` alone */
	char about[TRAIL_ABOUT_MAX + 1]; /* the room or transfer, for the record of a denial */
	struct trace trace; /* which begins here, if there will be lines that tell it */
	int64_t began_us;
};

static struct pending *pending_new(const struct command *command, const struct sio_ack *ack)
{
	struct pending *pending = xmalloc(sizeof(*pending));

	*pending = (struct pending){ .command = command,
		.ack = *ack,
		.reply = BUF_INIT,
		.request = BUF_INIT,
		.began_us = clock_mono_us() };
	trace_enter(/* traceparent= */ NULL, log_enabled(LOG_DEBUG), &pending->trace);
	return pending;
}

static void tell_failed(struct socket *socket, const struct pending *pending, struct arena *arena)
{
	const struct command *command = pending->command;

	if (command->failed)
		command->failed(
		    socket, protobuf_c_message_unpack(command->request, arena_allocator(arena),
				pending->request.len, pending->request.data));
}

static void answer_reply(struct socket *socket, const struct pending *pending, struct arena *arena)
{
	struct bytes data = buf_bytes(&pending->reply);
	ProtobufCMessage *reply = protobuf_c_message_unpack(
	    pending->command->reply, arena_allocator(arena), data.len, data.data);
	const Walletwire__V1__ErrorReply *outcome =
	    walletwire__v1__error_reply__unpack(arena_allocator(arena), data.len, data.data);

	if (!reply || !outcome) {
		socket_ack_error(socket->base, &pending->ack, status_wire(STATUS_INTERNAL),
		    status_text(STATUS_INTERNAL), "", 0);
	} else if (outcome->error) {
		tell_failed(socket, pending, arena);
		if (strcmp(outcome->error->code, status_wire(STATUS_FORBIDDEN)) == 0)
			trail_denied(socket, pending->command->event, bytes_of_str(pending->about));
		socket_ack_error(socket->base, &pending->ack, outcome->error->code,
		    outcome->error->message, outcome->error->field, outcome->error->retry_after_ms);
	} else {
		if (pending->command->after)
			pending->command->after(socket, reply);
		socket_ack_ok(socket->base, &pending->ack, reply);
	}
}

static void answer(struct socket *socket, const struct pending *pending)
{
	struct arena arena;

	arena_init(&arena, REPLY_ARENA_MAX);
	if (pending->status) {
		tell_failed(socket, pending, &arena);
		socket_ack_error(socket->base, &pending->ack, status_wire(pending->status),
		    status_text(pending->status), "", 0);
	} else if (pending->command->reply) {
		answer_reply(socket, pending, &arena);
	} else {
		socket_ack_ok(socket->base, &pending->ack, NULL);
	}
	arena_finish(&arena);
}

/* `status` is that of the way to the service; what it said itself stands in its own line. */
static void tell_answered(const struct pending *pending)
{
	if (!log_enabled(LOG_DEBUG))
		return;
	log_trace(&pending->trace);
	log_debug("%s: %s in %lld us", pending->command->event, status_wire(pending->status),
	    (long long)(clock_mono_us() - pending->began_us));
	log_trace(NULL);
}

/* Of each that was waited for; the last one answers. */
static void on_done(struct edge_loop *el, struct pending *pending, enum status s)
{
	struct session *session = session_find(el->engine, pending->ack.session);
	struct socket *socket = socket_of_ack(el, &pending->ack);

	if (session)
		session->calls--;
	if (!pending->status)
		pending->status = s;
	if (--pending->waits > 0)
		return;
	tell_answered(pending);
	if (socket)
		answer(socket, pending);
	buf_finish(&pending->reply);
	buf_finish(&pending->request);
	free(pending);
}

static void on_reply(struct edge_loop *el, void *arg, enum status s, struct bytes data)
{
	struct pending *pending = arg;

	buf_append_bytes(&pending->reply, data);
	on_done(el, pending, s);
}

static void on_stored(struct edge_loop *el, void *arg, enum status s, struct bytes data)
{
	(void)data;
	on_done(el, arg, s);
}

/* Before its own event was answered, the client can't know that it may count on this. */
static void store_tracked(struct socket *socket, struct pending *pending)
{
	if (!pending->command->is_tracked || !tracking_store(socket, on_stored, pending))
		return;
	pending->waits++;
	socket->session->calls++;
}

static enum status check_calls(const struct session *session, struct err *err)
{
	if (session->calls < edge_loop_of(session)->edge->cfg.max_calls)
		return STATUS_OK;
	count_event_refused(EVENT_CALLS);
	return err_set(err, STATUS_RATE_LIMITED, "too many requests are waiting for an answer");
}

/* Sets `*ret_wait_ms` if it is refused. */
static enum status check_told(
    const struct command *command, struct socket *socket, int64_t *ret_wait_ms, struct err *err)
{
	const struct edge_loop *el = edge_loop_of(socket->session);
	struct rate_rule rule = rate_rule(el->edge->cfg.status_rate, el->edge->cfg.status_burst);

	*ret_wait_ms = command->is_told
			   ? rate_take(&rule, &socket->user->statuses, loop_now_ms(el->loop) * 1000)
			   : 0;
	if (!*ret_wait_ms)
		return STATUS_OK;
	count_event_refused(EVENT_STATUS);
	return err_set(err, STATUS_RATE_LIMITED, "friends are told of it too often");
}

/* Every request that is sent for a client has the field `caller`: who it is for. */
static void set_caller(ProtobufCMessage *request, Walletwire__V1__Caller *caller)
{
	const ProtobufCFieldDescriptor *field =
	    protobuf_c_message_descriptor_get_field_by_name(request->descriptor, "caller");

	*(Walletwire__V1__Caller **)(void *)((uint8_t *)request + field->offset) = caller;
}

/* What a service may deny access to is named by one of these, if by any. */
static void note_about(struct pending *pending, const ProtobufCMessage *request)
{
	static const char *const names[] = { "room_id", "transfer_id" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const ProtobufCFieldDescriptor *field =
		    protobuf_c_message_descriptor_get_field_by_name(request->descriptor, names[i]);

		if (field && field->type == PROTOBUF_C_TYPE_STRING &&
		    field->label != PROTOBUF_C_LABEL_REPEATED)
			(void)snprintf(pending->about, sizeof(pending->about), "%s",
			    *(const char *const *)(const void *)((const uint8_t *)request +
								 field->offset));
	}
}

static enum status ask_service(const struct command *command, struct socket *socket,
    const struct json *payload, const struct sio_ack *ack, struct arena *arena, struct err *err)
{
	struct session *session = socket->session;
	struct edge_loop *el = edge_loop_of(session);
	Walletwire__V1__Caller caller = WALLETWIRE__V1__CALLER__INIT;
	ProtobufCMessage *request;
	struct pending *pending;
	enum status s;

	s = command->read
		? command->read(payload, arena, &request, err)
		: reflect_from_json(command->request, payload, TEXT_MAX, arena, &request, err);
	if (!s && command->before)
		s = command->before(socket, request, err);
	if (s)
		return s;
	caller.user_id = socket->user->id;
	caller.session_id = socket->base->sid;
	set_caller(request, &caller);
	pending = pending_new(command, ack);
	note_about(pending, request);
	pending->waits++;
	session->calls++;
	store_tracked(socket, pending);
	if (command->failed)
		message_append(&pending->request, request);
	call_traced(el, command->subject, &pending->trace, request, on_reply, pending);
	return STATUS_OK;
}

/* Answered at once, unless what it changed has to be stored. */
static enum status run_here(const struct command *command, struct socket *socket,
    const struct json *payload, const struct sio_ack *ack, struct arena *arena, struct err *err)
{
	enum status s = command->run(socket, payload, err);
	struct pending *pending;

	if (s)
		return s;
	if (command->reply_of) {
		socket_ack_ok(socket->base, ack, command->reply_of(socket, arena));
		return STATUS_OK;
	}
	pending = pending_new(command, ack);
	store_tracked(socket, pending);
	if (pending->waits == 0) {
		socket_ack_ok(socket->base, ack, NULL);
		free(pending);
	}
	return STATUS_OK;
}

static void refuse_for_rate(
    struct sio_socket *socket, const struct sio_event *event, int64_t wait_ms)
{
	count_event_refused(EVENT_RATE);
	socket_ack_error(socket, &event->ack, status_wire(STATUS_RATE_LIMITED),
	    status_text(STATUS_RATE_LIMITED), "", (uint32_t)wait_ms);
}

void command_refuse(struct sio_socket *socket, const struct sio_event *event, int64_t wait_ms)
{
	count_event_in();
	refuse_for_rate(socket, event, wait_ms);
}

/* False: it was refused, and the socket may be gone. */
static bool is_in_time(
    struct socket *socket, const struct command *command, const struct sio_event *event)
{
	struct session *session = socket->session;
	const struct rate_rule *rule = &edge_loop_of(session)->edge->rates[command->rate];
	int64_t wait_ms =
	    rate_take(rule, &socket->rates[command->rate], loop_now_ms(session->el->loop) * 1000);

	if (wait_ms == 0)
		return true;
	refuse_for_rate(socket->base, event, wait_ms);
	(void)session_strike(session);
	return false;
}

void command_run(struct socket *socket, const struct sio_event *event)
{
	const struct json *payload = json_at(event->args, 1);
	const struct command *command = find(event->name, payload);
	struct err err = ERR_INIT;
	int64_t wait_ms = 0;
	struct arena arena;

	if (command && !is_in_time(socket, command, event))
		return;
	arena_init(&arena, REQUEST_ARENA_MAX);
	if (!command)
		(void)err_set(&err, STATUS_NOT_FOUND, "there is no such event");
	else if (event->attachments->len)
		(void)err_set(&err, STATUS_INVALID, "no event here takes binary");
	else if (payload && !json_is_object(payload))
		(void)err_set(&err, STATUS_INVALID, "the first argument must be an object");
	else if (!check_calls(socket->session, &err) &&
		 !check_told(command, socket, &wait_ms, &err))
		(void)(command->run ? run_here : ask_service)(
		    command, socket, payload, &event->ack, &arena, &err);
	if (err.status == STATUS_INVALID)
		count_event_refused(EVENT_INVALID);
	if (command && err.status == STATUS_FORBIDDEN)
		trail_denied(socket, command->event, json_text(json_get(payload, "channel")));
	if (err.status)
		socket_ack_error(socket->base, &event->ack, status_wire(err.status), err.msg,
		    err.field, (uint32_t)wait_ms);
	arena_finish(&arena);
}
