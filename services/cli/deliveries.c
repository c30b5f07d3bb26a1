/* Items and states through reflection; only the names of the events come from events.def. */
#include "deliveries.h"

#include "codec/json.h"
#include "codec/reflect.h"

static const struct {
	const char *kind, *event;
} events[] = {
#define X(kind, event, class) { #kind, event },
#include "events.def"
#undef X
};

/* ,"event":"...","data":{...} */
static void append_payload(struct buf *out, const Walletwire__V1__Payload *payload)
{
	ProtobufCMessage *member = NULL;
	const ProtobufCFieldDescriptor *field =
	    payload ? reflect_oneof_member(&payload->base, &member) : NULL;

	if (!field)
		return;
	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		if (strcmp(events[i].kind, field->name) == 0)
			buf_appendf(out, ",\"event\":\"%s\"", events[i].event);
	}
	buf_append_str(out, ",\"data\":");
	reflect_append_json(out, member);
}

static void append_item(struct buf *out, const Walletwire__V1__Item *item)
{
	buf_append_str(out, "{\"seq\":");
	buf_append_u64(out, item->seq);
	append_payload(out, item->payload);
	if (item->notification) {
		buf_append_str(out, ",\"notification\":");
		reflect_append_json(out, &item->notification->base);
	}
	if (item->critical)
		buf_append_str(out, ",\"critical\":true");
	if (item->blanked)
		buf_append_str(out, ",\"blanked\":true");
	buf_append_str(out, "}\n");
}

static void append_state(struct buf *out, uint64_t rev, const Walletwire__V1__State *state)
{
	buf_append_str(out, "{\"rev\":");
	buf_append_u64(out, rev);
	append_payload(out, state->payload);
	if (state->key[0]) {
		buf_append_str(out, ",\"key\":");
		json_append_string(out, bytes_of_str(state->key));
	}
	buf_append_str(out, ",\"version\":");
	buf_append_u64(out, state->version);
	buf_append_str(out, "}\n");
}

size_t deliveries_append(struct buf *out, const Walletwire__V1__Delivery *delivery, size_t max)
{
	size_t lines = 0;

	for (size_t i = 0; i < delivery->n_items && lines < max; i++, lines++)
		append_item(out, delivery->items[i]);
	for (size_t i = 0; i < delivery->n_states && lines < max; i++, lines++)
		append_state(out, delivery->rev, delivery->states[i]);
	return lines;
}
