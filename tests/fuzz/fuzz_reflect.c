/*
 * Protobuf messages from outside, as JSON and as bytes. A message that was read from JSON is
 * packed, unpacked and written, and one that was unpacked is written, packed, unpacked and written
 * again: each time it has to be taken and to say the same, in JSON.
 *
 * Input: which of the two, whose descriptor, then the JSON or the bytes.
 */
#include "codec/json.h"
#include "codec/reflect.h"
#include "fuzz.h"
#include "sample.pb-c.h"
#include "walletwire/v1/client.pb-c.h"
#include "walletwire/v1/delivery.pb-c.h"
#include "walletwire/v1/edge.pb-c.h"
#include "walletwire/v1/event.pb-c.h"
#include "walletwire/v1/notifications.pb-c.h"

enum {
	MAX_TEXT = 100,
	ARENA_LIMIT = 256 * 1024,
	ARENA_LIMIT_AGAIN = 16 * 1024 * 1024, /* the same message, taken once already */
	MAX_JSON = 16 * 1024 * 1024,
};

static const ProtobufCMessageDescriptor *const descriptors[] = {
	&walletwire__v1__event__descriptor,
	&walletwire__v1__list_request__descriptor,
	&walletwire__v1__select_request__descriptor,
	&walletwire__test__sample__descriptor,
	&walletwire__v1__delivery__descriptor,
	&walletwire__v1__unread__descriptor,
	&walletwire__v1__moved_session__descriptor,
	&walletwire__v1__payload__descriptor,
	&walletwire__v1__relay_post__descriptor,
	&walletwire__v1__verify_reply__descriptor,
};

static void pack(const ProtobufCMessage *message, struct buf *out)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	size_t packed = protobuf_c_message_pack(message, buf_reserve(out, len + 1));

	assert(packed == len);
	out->len += len;
}

/* JSON of ours is JSON to others. */
static void write_json(const ProtobufCMessage *message, struct buf *out)
{
	struct json *root;
	enum status s;

	reflect_append_json(out, message);
	s = json_parse_max(buf_bytes(out), MAX_JSON, &root, NULL);
	assert(!s);
	json_free(root);
}

static void check_message(const ProtobufCMessage *message)
{
	struct buf packed = BUF_INIT, before = BUF_INIT, after = BUF_INIT;
	ProtobufCMessage *again;
	struct arena arena;
	enum status s;

	arena_init(&arena, ARENA_LIMIT_AGAIN);
	write_json(message, &before);
	pack(message, &packed);
	s = reflect_unpack(message->descriptor, buf_bytes(&packed), &arena, &again, NULL);
	assert(!s);
	reflect_append_json(&after, again);
	assert(bytes_equal(buf_bytes(&before), buf_bytes(&after)));
	arena_finish(&arena);
	buf_finish(&after);
	buf_finish(&before);
	buf_finish(&packed);
}

static enum status from_json(const ProtobufCMessageDescriptor *descriptor, struct bytes text,
    struct arena *arena, ProtobufCMessage **ret_message)
{
	struct err err = ERR_INIT;
	struct json *root;
	enum status s = json_parse(text, &root, &err);

	if (s)
		return s;
	s = reflect_from_json(descriptor, root, MAX_TEXT, arena, ret_message, &err);
	assert(s == err.status && strlen(err.field) < sizeof(err.field));
	json_free(root);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = bytes_of(data, size);
	uint8_t choice = fuzz_choice(&input);
	const ProtobufCMessageDescriptor *descriptor =
	    descriptors[(choice >> 1) % ARRAY_LEN(descriptors)];
	ProtobufCMessage *message;
	struct arena arena;
	enum status s;

	arena_init(&arena, ARENA_LIMIT);
	s = choice & 1 ? reflect_unpack(descriptor, input, &arena, &message, NULL)
		       : from_json(descriptor, input, &arena, &message);
	if (!s)
		check_message(message);
	arena_finish(&arena);
	return 0;
}
