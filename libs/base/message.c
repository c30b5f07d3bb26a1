/* Packing a message of ours can't fail, and unpacking what was just packed only without memory. */
#include "base/message.h"

#include <stdlib.h>

void *message_new(const ProtobufCMessageDescriptor *descriptor, struct arena *arena)
{
	void *message = arena_alloc(arena, descriptor->sizeof_message);

	protobuf_c_message_init(descriptor, message);
	return message;
}

struct bytes message_pack(const ProtobufCMessage *message, struct arena *arena)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *data = arena_alloc(arena, len);

	(void)protobuf_c_message_pack(message, data);
	return bytes_of(data, len);
}

void message_append(struct buf *out, const ProtobufCMessage *message)
{
	size_t len = protobuf_c_message_get_packed_size(message);

	out->len += protobuf_c_message_pack(message, buf_reserve(out, len));
}

void *message_copy(const ProtobufCMessage *message)
{
	struct buf packed = BUF_INIT;
	void *copy;

	message_append(&packed, message);
	copy = protobuf_c_message_unpack(
	    message->descriptor, NULL, packed.len, (const uint8_t *)packed.data);
	buf_finish(&packed);
	if (!copy)
		abort(); /* docs/adr/0004 */
	return copy;
}

Google__Protobuf__Timestamp *message_timestamp(int64_t wall_us, struct arena *arena)
{
	Google__Protobuf__Timestamp *timestamp =
	    message_new(&google__protobuf__timestamp__descriptor, arena);

	timestamp->seconds = wall_us / 1000000;
	timestamp->nanos = (int32_t)(wall_us % 1000000 * 1000);
	return timestamp;
}

int64_t message_time_us(const Google__Protobuf__Timestamp *timestamp)
{
	return timestamp->seconds * 1000000 + timestamp->nanos / 1000;
}
