/* Messages are built in arenas, so nothing here is freed singly. */
#include "messages.h"

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

Timestamp *message_timestamp(int64_t wall_us, struct arena *arena)
{
	Timestamp *ts = message_new(&google__protobuf__timestamp__descriptor, arena);

	ts->seconds = wall_us / 1000000;
	ts->nanos = (int32_t)(wall_us % 1000000 * 1000);
	return ts;
}
