/* The table of client events and the two ways to serve them. */
#include "commands.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/attrs.h"
#include "base/xalloc.h"
#include "calls.h"
#include "channels.h"
#include "codec/reflect.h"
#include "metrics.h"
#include "user.h"
#include "walletwire/v1/common.pb-c.h"
#include "walletwire/v1/notifications.pb-c.h"

enum {
	TEXT_MAX = 4000, /* code points of any text a client sends */
	REQUEST_ARENA_MAX = 1 << 20,
	REPLY_ARENA_MAX = 16 << 20,
};

struct command {
	const char *event;
	/* Answered here ... */
	enum status (*run)(struct socket *socket, const struct json *payload, struct err *err);
	/* (and with what, in the arena; NULL: nothing but ok) */
	const ProtobufCMessage *(*reply_of)(const struct socket *socket, struct arena *arena);
	/* ... or by a service. */
	const char *subject;
	const ProtobufCMessageDescriptor *request, *reply;
	/* Called with the payload before the service is asked, and with its reply. */
	enum status (*before)(
	    struct socket *socket, const ProtobufCMessage *request, struct err *err);
	void (*after)(const struct socket *socket, ProtobufCMessage *reply);
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
static enum status before_track(
    struct socket *socket, const ProtobufCMessage *request, struct err *err)
{
	const Walletwire__V1__TrackRequest *track =
	    (const Walletwire__V1__TrackRequest *)(const void *)request;

	return channel_track(socket, bytes_of_str(track->transfer_id), err);
}

/* What the client was told last stands beside every item, as it does where one arrives. */
static void after_list(const struct socket *socket, ProtobufCMessage *reply)
{
	Walletwire__V1__ListReply *list = (Walletwire__V1__ListReply *)(void *)reply;

	for (size_t i = 0; i < list->n_items; i++) {
		if (list->items[i]->notification)
			list->items[i]->notification->unread = socket->unread;
	}
}

#define SERVICE(event_, verb_, request_, reply_, before_, after_)                    \
	{                                                                            \
		.event = event_, .subject = "ww.svc." verb_,                         \
		.request = &walletwire__v1__##request_##__descriptor,                \
		.reply = &walletwire__v1__##reply_##__descriptor, .before = before_, \
		.after = after_                                                      \
	}

static const struct command commands[] = {
	{ .event = "subscribe", .run = run_subscribe },
	{ .event = "unsubscribe", .run = run_unsubscribe },
	{ .event = "transfer:untrack", .run = run_untrack },
	{ .event = "auth:refresh", .run = run_refresh, .reply_of = socket_token_end },
	SERVICE("transfer:track", "notifications.track", track_request, track_reply, before_track,
	    NULL),
	SERVICE(
	    "notifications:list", "notifications.list", list_request, list_reply, NULL, after_list),
	SERVICE(
	    "notifications:seen", "notifications.seen", select_request, select_reply, NULL, NULL),
	SERVICE(
	    "notifications:read", "notifications.read", select_request, select_reply, NULL, NULL),
	SERVICE("notifications:archive", "notifications.archive", select_request, select_reply,
	    NULL, NULL),
	SERVICE("notifications:unread", "notifications.unread", unread_request, unread_reply, NULL,
	    NULL),
};

static const struct command *find(struct bytes event)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (bytes_equal_str(event, commands[i].event))
			return &commands[i];
	}
	return NULL;
}

struct pending {
	const struct command *command;
	struct sio_ack ack;
};

static void answer(
    struct socket *socket, const struct pending *pending, struct bytes data, struct arena *arena)
{
	ProtobufCMessage *reply = protobuf_c_message_unpack(
	    pending->command->reply, arena_allocator(arena), data.len, data.data);
	const Walletwire__V1__ErrorReply *outcome =
	    walletwire__v1__error_reply__unpack(arena_allocator(arena), data.len, data.data);

	if (!reply || !outcome) {
		socket_ack_error(socket->base, &pending->ack, status_wire(STATUS_INTERNAL),
		    status_text(STATUS_INTERNAL), "", 0);
	} else if (outcome->error) {
		socket_ack_error(socket->base, &pending->ack, outcome->error->code,
		    outcome->error->message, outcome->error->field, outcome->error->retry_after_ms);
	} else {
		if (pending->command->after)
			pending->command->after(socket, reply);
		socket_ack_ok(socket->base, &pending->ack, reply);
	}
}

static void on_reply(struct edge_loop *el, void *arg, enum status s, struct bytes data)
{
	struct pending *pending = arg;
	struct session *session = session_find(el->engine, pending->ack.session);
	struct socket *socket = socket_of_ack(el, &pending->ack);
	struct arena arena;

	arena_init(&arena, REPLY_ARENA_MAX);
	if (session)
		session->calls--;
	if (socket && s)
		socket_ack_error(
		    socket->base, &pending->ack, status_wire(s), status_text(s), "", 0);
	else if (socket)
		answer(socket, pending, data, &arena);
	arena_finish(&arena);
	free(pending);
}

/* Every request that is sent for a client has the field `caller`: who it is for. */
static void set_caller(ProtobufCMessage *request, Walletwire__V1__Caller *caller)
{
	const ProtobufCFieldDescriptor *field =
	    protobuf_c_message_descriptor_get_field_by_name(request->descriptor, "caller");

	*(Walletwire__V1__Caller **)(void *)((uint8_t *)request + field->offset) = caller;
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

	if (session->calls >= el->edge->cfg.max_calls)
		return err_set(
		    err, STATUS_RATE_LIMITED, "too many requests are waiting for an answer");
	s = reflect_from_json(command->request, payload, TEXT_MAX, arena, &request, err);
	if (!s && command->before)
		s = command->before(socket, request, err);
	if (s)
		return s;
	caller.user_id = socket->user->id;
	caller.session_id = socket->base->sid;
	set_caller(request, &caller);
	pending = xmalloc(sizeof(*pending));
	*pending = (struct pending){ .command = command, .ack = *ack };
	session->calls++;
	call_service(el, command->subject, request, on_reply, pending);
	return STATUS_OK;
}

void command_run(struct socket *socket, const struct sio_event *event)
{
	const struct command *command = find(event->name);
	const struct json *payload = json_at(event->args, 1);
	struct err err = ERR_INIT;
	struct arena arena;

	arena_init(&arena, REQUEST_ARENA_MAX);
	if (!command)
		(void)err_set(&err, STATUS_NOT_FOUND, "there is no such event");
	else if (event->attachments->len)
		(void)err_set(&err, STATUS_INVALID, "no event here takes binary");
	else if (payload && !json_is_object(payload))
		(void)err_set(&err, STATUS_INVALID, "the first argument must be an object");
	else if (command->run)
		(void)command->run(socket, payload, &err);
	else
		(void)ask_service(command, socket, payload, &event->ack, &arena, &err);
	if (err.status)
		socket_ack_err(socket->base, &event->ack, &err);
	else if (command && command->run)
		socket_ack_ok(socket->base, &event->ack,
		    command->reply_of ? command->reply_of(socket, &arena) : NULL);
	arena_finish(&arena);
}
