/*
 * message: what everybody does with messages of protobuf-c, in arenas and buffers.
 */
#ifndef BASE_MESSAGE_H
#define BASE_MESSAGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "google/protobuf/timestamp.pb-c.h"

/* An empty message of the type, in the arena. */
void *message_new(const ProtobufCMessageDescriptor *descriptor, struct arena *arena);
/* One of this project's, by its name: MESSAGE_NEW(arena, item). */
#define MESSAGE_NEW(arena, type) message_new(&walletwire__v1__##type##__descriptor, arena)
/* The message as bytes: in the arena, or behind what the buffer holds. */
struct bytes message_pack(const ProtobufCMessage *message, struct arena *arena);
void message_append(struct buf *out, const ProtobufCMessage *message);
/* The same message once more, to be freed by its free_unpacked() with a NULL allocator. */
void *message_copy(const ProtobufCMessage *message);

/* A text for a member of a message that is packed: protobuf-c's strings are not const, but packing
 * only reads them. */
static inline char *message_lend(const char *text)
{
	return (char *)(uintptr_t)text;
}

/* Microseconds since 1970 as a Timestamp, in the arena; and back. */
Google__Protobuf__Timestamp *message_timestamp(int64_t wall_us, struct arena *arena);
int64_t message_time_us(const Google__Protobuf__Timestamp *timestamp);

#endif
