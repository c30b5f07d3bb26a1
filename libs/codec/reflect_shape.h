/*
 * reflect_shape: what a message or field looks like in JSON, read from its descriptor. Private to
 * the reflect_*.c files, which is where the rules of reflect.h are carried out.
 */
#ifndef CODEC_REFLECT_SHAPE_H
#define CODEC_REFLECT_SHAPE_H

#include <assert.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "base/buf.h"

enum {
	REFLECT_DEPTH_MAX = 12,        /* of nested messages; ours are not recursive */
	REFLECT_MAP_ENTRIES_MAX = 256, /* bounds the search for repeated keys */
};

/* Every client's numbers are exact up to here. */
#define REFLECT_INT_MAX ((INT64_C(1) << 53) - 1)

enum reflect_shape {
	SHAPE_OBJECT,
	SHAPE_MEMBER, /* one oneof and nothing else */
	SHAPE_LIST,   /* only the repeated `values` */
	SHAPE_TIMESTAMP,
	SHAPE_DECIMAL,
};

enum reflect_shape reflect_shape_of(const ProtobufCMessageDescriptor *descriptor);

/* A repeated field of protobuf's map entries: string `key` = 1, `value` = 2. */
bool reflect_is_map(const ProtobufCFieldDescriptor *field);

/* `caller` and `error` belong to the envelope. */
bool reflect_is_envelope(const ProtobufCFieldDescriptor *field);

/* reflect_json_name() without the NUL: writes at most strlen(proto_name) bytes, returns how many.
 */
size_t reflect_write_json_name(const char *proto_name, char *ret_name);

/* [,]"name": */
void reflect_append_key(struct buf *out, const char *proto_name, bool comma);

/* The value of a field that is present: all elements of a repeated one, as an array or an object.
 */
void reflect_append_field(
    struct buf *out, const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

/* Bytes of one element of a repeated field. */
size_t reflect_element_size(const ProtobufCFieldDescriptor *field);

static inline bool reflect_is_oneof(const ProtobufCFieldDescriptor *field)
{
	return field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
}

static inline const void *reflect_at(const ProtobufCMessage *message, unsigned offset)
{
	return (const char *)message + offset;
}

static inline void *reflect_at_mut(ProtobufCMessage *message, unsigned offset)
{
	return (char *)message + offset;
}

/* The field id that is set in the oneof of `field`, 0 if none. */
static inline uint32_t reflect_oneof_case(
    const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	return *(const uint32_t *)reflect_at(message, field->quantifier_offset);
}

static inline size_t reflect_count(
    const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	return *(const size_t *)reflect_at(message, field->quantifier_offset);
}

/* Does the field stand: scalars and repeated fields always, messages and oneof members when set. */
static inline bool reflect_is_present(
    const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	/* protoc-c gives presence bits to proto2 and to `optional`; neither is ours. */
	assert(field->label == PROTOBUF_C_LABEL_NONE || field->label == PROTOBUF_C_LABEL_REPEATED);
	if (reflect_is_oneof(field) && reflect_oneof_case(message, field) != field->id)
		return false;
	return field->type != PROTOBUF_C_TYPE_MESSAGE ||
	       field->label == PROTOBUF_C_LABEL_REPEATED ||
	       *(const ProtobufCMessage *const *)reflect_at(message, field->offset);
}

#endif
