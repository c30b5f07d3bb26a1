/*
 * Decoding and encoding, once per delivery. A frame's body is the whole packet but for what differs
 * between sockets: `42["event",{...` and, for an inbox item, `...,"notification":{...,"unread":`.
 */
#include "delivery.h"

#include <stdlib.h>

#include "base/attrs.h"
#include "base/xalloc.h"
#include "codec/reflect.h"
#include "events.h"

enum { DELIVERY_ARENA_MAX = 16 << 20 };

/* `42["event",{members` without the closing brace: the start of every event packet. */
static void append_event_start(struct buf *out, const char *event, const ProtobufCMessage *body)
{
	buf_append_str(out, "42[\"");
	buf_append_str(out, event);
	buf_append_str(out, "\",{");
	(void)reflect_append_json_members(out, body);
}

/* The kind of a payload's member, or NULL if this build has no row for it. */
static const struct event_kind *payload_kind(
    const Walletwire__V1__Payload *payload, ProtobufCMessage **ret_body)
{
	const ProtobufCFieldDescriptor *member;

	if (!payload)
		return NULL;
	member = reflect_oneof_member(&payload->base, ret_body);
	return member ? event_kind_of(member->name) : NULL;
}

static void append_notification(struct buf *out, const Walletwire__V1__Notification *notification)
{
	Walletwire__V1__Notification block = *notification;
	struct buf members = BUF_INIT;
	const char *text;

	/* `unread` is the last member (its number is the highest), so the text ends in "unread":0
	 */
	block.unread = 0;
	(void)reflect_append_json_members(&members, &block.base);
	text = buf_str(&members);
	buf_append_str(out, ",\"notification\":{");
	buf_append(out, text, members.len - 1);
	buf_finish(&members);
}

static struct frame *encode_item(const Walletwire__V1__Item *item)
{
	ProtobufCMessage *body;
	const struct event_kind *kind = payload_kind(item->payload, &body);
	struct buf out = BUF_INIT;
	struct frame *frame;

	if (!kind || item->blanked)
		return NULL;
	append_event_start(&out, kind->event, body);
	if (item->notification)
		append_notification(&out, item->notification);
	frame = frame_new(FRAME_KEEP, buf_bytes(&out), NULL);
	frame->ends_in_unread = item->notification != NULL;
	buf_finish(&out);
	return frame;
}

static struct frame *encode_state(const Walletwire__V1__State *state)
{
	ProtobufCMessage *body;
	const struct event_kind *kind = payload_kind(state->payload, &body);
	struct buf out = BUF_INIT;
	struct frame *frame;

	if (!kind)
		return NULL;
	append_event_start(&out, kind->event, body);
	frame = frame_new(FRAME_STATE, buf_bytes(&out), state->key);
	frame->kind = (uint16_t)state->payload->body_case;
	buf_finish(&out);
	return frame;
}

struct frame *delivery_encode_hint(const Walletwire__V1__Payload *payload)
{
	ProtobufCMessage *body;
	const struct event_kind *kind = payload_kind(payload, &body);
	struct buf out = BUF_INIT;
	struct frame *frame;

	if (!kind)
		return NULL;
	append_event_start(&out, kind->event, body);
	frame = frame_new(FRAME_HINT, buf_bytes(&out), NULL);
	buf_finish(&out);
	return frame;
}

static void append_recalled(struct buf *out, const Walletwire__V1__LogEntry *entry)
{
	Walletwire__V1__Changed changed = WALLETWIRE__V1__CHANGED__INIT;
	Walletwire__V1__StringList ids = WALLETWIRE__V1__STRING_LIST__INIT;
	char *id = entry->recalled;

	ids.values = &id;
	ids.n_values = 1;
	changed.action = WALLETWIRE__V1__CHANGE_ACTION__CHANGE_ACTION_RECALLED;
	changed.selection_case = WALLETWIRE__V1__CHANGED__SELECTION_IDS;
	changed.ids = &ids;
	changed.version = entry->announcement_seq;
	append_event_start(out, "notifications:changed", &changed.base);
}

static struct frame *encode_log(const Walletwire__V1__LogEntry *entry)
{
	struct buf out = BUF_INIT;
	struct frame *frame;

	switch (entry->change_case) {
	case WALLETWIRE__V1__LOG_ENTRY__CHANGE_ANNOUNCED:
		append_event_start(&out, "announcement", &entry->announced->base);
		break;
	case WALLETWIRE__V1__LOG_ENTRY__CHANGE_RECALLED:
		append_recalled(&out, entry);
		break;
	default:
		return NULL; /* clients know when it expires */
	}
	frame = frame_new(FRAME_KEEP, buf_bytes(&out), NULL);
	buf_finish(&out);
	return frame;
}

struct delivery_item *delivery_encode_items(Walletwire__V1__Item *const *items, size_t len)
{
	struct delivery_item *encoded = xcalloc(len, sizeof(*encoded));

	for (size_t i = 0; i < len; i++)
		encoded[i] = (struct delivery_item){ items[i], encode_item(items[i]) };
	return encoded;
}

struct delivery_state *delivery_encode_states(Walletwire__V1__State *const *states, size_t len)
{
	struct delivery_state *encoded = xcalloc(len, sizeof(*encoded));

	for (size_t i = 0; i < len; i++)
		encoded[i] = (struct delivery_state){ states[i], encode_state(states[i]) };
	return encoded;
}

struct delivery_log *delivery_encode_log(Walletwire__V1__LogEntry *const *log, size_t len)
{
	struct delivery_log *encoded = xcalloc(len, sizeof(*encoded));

	for (size_t i = 0; i < len; i++)
		encoded[i] = (struct delivery_log){ log[i], encode_log(log[i]) };
	return encoded;
}

static struct delivery_hint *encode_hints(Walletwire__V1__Payload *const *hints, size_t len)
{
	struct delivery_hint *encoded = xcalloc(len, sizeof(*encoded));

	for (size_t i = 0; i < len; i++)
		encoded[i] = (struct delivery_hint){ hints[i], delivery_encode_hint(hints[i]) };
	return encoded;
}

static void free_hints(struct delivery_hint *hints, size_t len)
{
	for (size_t i = 0; i < len; i++)
		frame_unref(hints[i].frame);
	free(hints);
}

void delivery_free_items(struct delivery_item *items, size_t len)
{
	for (size_t i = 0; i < len; i++)
		frame_unref(items[i].frame);
	free(items);
}

void delivery_free_states(struct delivery_state *states, size_t len)
{
	for (size_t i = 0; i < len; i++)
		frame_unref(states[i].frame);
	free(states);
}

void delivery_free_log(struct delivery_log *log, size_t len)
{
	for (size_t i = 0; i < len; i++)
		frame_unref(log[i].frame);
	free(log);
}

static bool decode(void *body, struct bytes data, struct arena *arena)
{
	struct delivery *delivery = body;
	const Walletwire__V1__Delivery *message =
	    walletwire__v1__delivery__unpack(arena_allocator(arena), data.len, data.data);

	if (!message)
		return false;
	*delivery = (struct delivery){
		.epoch = message->epoch,
		.user_id = message->user_id,
		.room_id = message->room_id,
		.rev_before = message->rev_before,
		.rev = message->rev,
		.items = delivery_encode_items(message->items, message->n_items),
		.items_len = message->n_items,
		.states = delivery_encode_states(message->states, message->n_states),
		.states_len = message->n_states,
		.log = delivery_encode_log(message->log, message->n_log),
		.log_len = message->n_log,
		.hints = encode_hints(message->hints, message->n_hints),
		.hints_len = message->n_hints,
		.gone = message->gone,
		.gone_len = message->n_gone,
		.eviction = message->eviction,
		.marks = message->marks,
	};
	return true;
}

static void finish(void *body)
{
	struct delivery *delivery = body;

	delivery_free_items(delivery->items, delivery->items_len);
	delivery_free_states(delivery->states, delivery->states_len);
	delivery_free_log(delivery->log, delivery->log_len);
	free_hints(delivery->hints, delivery->hints_len);
}

static const struct shared_type delivery_type = { sizeof(struct delivery), DELIVERY_ARENA_MAX,
	decode, finish };

struct shared *delivery_new(struct bus_msg *msg)
{
	return shared_new(&delivery_type, msg);
}

const struct delivery *delivery_of(struct shared *doorbell)
{
	return shared_body(doorbell);
}
