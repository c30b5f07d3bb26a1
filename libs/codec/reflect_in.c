/*
 * The walker that reads JSON. Keys lead, not fields: an object of n keys costs n look-ups, and a
 * key that no field has is found at once. The path of the value at hand is kept for the error that
 * names it.
 */
#include <jansson.h>
#include <stdio.h>

#include "base/decimal.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "codec/base64.h"
#include "codec/reflect.h"
#include "codec/reflect_shape.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "walletwire/v1/common.pb-c.h"

enum { PATH_SIZE = 64 }; /* as much as struct err keeps */

struct reader {
	size_t max_text;
	struct arena *arena;
	struct err *err;
	size_t path_len;
	char path[PATH_SIZE];
};

/* Steps into a key or an element; returns what to give to leave(). What does not fit is left out.
 */
static size_t enter(struct reader *reader, const char *key)
{
	size_t before = reader->path_len;
	size_t at = before;

	if (at > 0 && at < PATH_SIZE - 1)
		reader->path[at++] = '.';
	for (; *key && at < PATH_SIZE - 1; key++) {
		bool plain = *key > ' ' && *key < 0x7f; /* a key may be anything */

		reader->path[at++] = '?';
		if (plain)
			reader->path[at - 1] = *key;
	}
	reader->path[at] = '\0';
	reader->path_len = at;
	return before;
}

static void leave(struct reader *reader, size_t before)
{
	reader->path_len = before;
	reader->path[before] = '\0';
}

static enum status fail(struct reader *reader, const char *why)
{
	if (reader->path_len == 0)
		return err_set(reader->err, STATUS_INVALID, "%s", why);
	return err_invalid(reader->err, reader->path, "%s", why);
}

/* The tree of a small text can need a large message; the arena's limit holds for it too. */
static enum status check_room(struct reader *reader)
{
	if (reader->arena->used <= reader->arena->limit)
		return STATUS_OK;
	return err_set(reader->err, STATUS_TOO_LARGE, "JSON that decodes to more than %zu bytes",
	    reader->arena->limit);
}

static struct bytes text_of(const json_t *value)
{
	return bytes_of(json_string_value(value), json_string_length(value));
}

static enum status read_integer(
    struct reader *reader, const json_t *value, int64_t least, int64_t most, int64_t *ret_n)
{
	if (!json_is_integer(value))
		return fail(reader, "must be an integer");
	*ret_n = json_integer_value(value);
	if (*ret_n < least || *ret_n > most)
		return fail(reader, "is out of range");
	return STATUS_OK;
}

static enum status read_int32(
    struct reader *reader, const json_t *value, int64_t least, int64_t most, void *ret_member)
{
	int64_t n = 0;
	enum status s = read_integer(reader, value, least, most, &n);
	uint32_t bits;

	if (s)
		return s;
	bits = (uint32_t)n;
	memcpy(ret_member, &bits, sizeof(bits));
	return STATUS_OK;
}

static enum status read_bool(
    struct reader *reader, const json_t *value, protobuf_c_boolean *ret_value)
{
	if (!json_is_boolean(value))
		return fail(reader, "must be true or false");
	*ret_value = json_is_true(value);
	return STATUS_OK;
}

static enum status read_word(struct reader *reader, const json_t *value,
    const ProtobufCEnumDescriptor *descriptor, int *ret_value)
{
	char why[256];
	size_t len;

	if (json_is_string(value) && reflect_enum_value(descriptor, text_of(value), ret_value))
		return STATUS_OK;
	len = (size_t)snprintf(why, sizeof(why), "must be one of");
	for (unsigned i = 0; i < descriptor->n_values && len < sizeof(why); i++) {
		char word[64];

		reflect_enum_word(descriptor, descriptor->values[i].value, word);
		if (word[0])
			len += (size_t)snprintf(why + len, sizeof(why) - len, " %s", word);
	}
	return fail(reader, why);
}

static enum status read_clean(struct reader *reader, struct bytes text, char **ret_text)
{
	/* A code point has four bytes at most: what is far too long is not looked at. */
	if (text.len / 4 > reader->max_text || text_code_points(text) > reader->max_text)
		return fail(reader, "is too long");
	if (!text_is_clean(text))
		return fail(reader, "has control characters");
	*ret_text = arena_strndup(reader->arena, text.data, text.len);
	return STATUS_OK;
}

static enum status read_text(struct reader *reader, const json_t *value, char **ret_text)
{
	if (!json_is_string(value))
		return fail(reader, "must be a string");
	return read_clean(reader, text_of(value), ret_text);
}

static enum status read_base64(
    struct reader *reader, const json_t *value, ProtobufCBinaryData *ret_data)
{
	struct bytes text = text_of(value);
	uint8_t *data;

	if (!json_is_string(value))
		return fail(reader, "must be a string of base64");
	data = arena_alloc(reader->arena, base64_decoded_max(text.len));
	if (!base64_decode(text, data, &ret_data->len))
		return fail(reader, "must be a string of base64");
	ret_data->data = data;
	return STATUS_OK;
}

static enum status read_timestamp(
    struct reader *reader, const json_t *value, Google__Protobuf__Timestamp *ret_timestamp)
{
	int64_t ms, rest;

	if (!json_is_string(value) || timestamp_parse(text_of(value), &ms, NULL))
		return fail(reader, "must be an RFC 3339 time such as 2025-01-23T10:30:45.123Z");
	rest = (ms % 1000 + 1000) % 1000;
	ret_timestamp->seconds = (ms - rest) / 1000;
	ret_timestamp->nanos = (int32_t)rest * 1000000;
	return STATUS_OK;
}

static enum status read_members(
    struct reader *reader, const json_t *value, ProtobufCMessage *ret_message);

static enum status read_decimal(
    struct reader *reader, const json_t *value, Walletwire__V1__Decimal *ret_decimal)
{
	enum status s;

	if (json_is_number(value))
		return fail(
		    reader, "must be a decimal string such as \"12.50\": numbers lose digits");
	if (json_is_object(value)) {
		s = read_members(reader, value, &ret_decimal->base);
		if (s)
			return s;
		return decimal_is_valid(ret_decimal->units, ret_decimal->scale)
			   ? STATUS_OK
			   : fail(reader, "has more than 18 digits after the point");
	}
	if (!json_is_string(value) ||
	    decimal_parse(text_of(value), &ret_decimal->units, &ret_decimal->scale, NULL))
		return fail(
		    reader, "must be a decimal string such as \"12.50\", of less than 2^53 units");
	return STATUS_OK;
}

static enum status read_array(struct reader *reader, const json_t *value,
    const ProtobufCFieldDescriptor *field, ProtobufCMessage *ret_message);

/* Any message; its value's JSON type is whatever its shape says. */
static enum status read_message(struct reader *reader, const json_t *value,
    const ProtobufCMessageDescriptor *descriptor, ProtobufCMessage **ret_message)
{
	ProtobufCMessage *message = arena_alloc(reader->arena, descriptor->sizeof_message);
	enum status s = check_room(reader);

	if (s)
		return s;
	descriptor->message_init(message);
	*ret_message = message;
	switch (reflect_shape_of(descriptor)) {
	case SHAPE_TIMESTAMP:
		return read_timestamp(reader, value, (Google__Protobuf__Timestamp *)message);
	case SHAPE_DECIMAL:
		return read_decimal(reader, value, (Walletwire__V1__Decimal *)message);
	case SHAPE_LIST:
		return read_array(reader, value, &descriptor->fields[0], message);
	default:
		return read_members(reader, value, message);
	}
}

/* One scalar, string or message, to where the message's struct holds it. */
static enum status read_value(struct reader *reader, const json_t *value,
    const ProtobufCFieldDescriptor *field, void *ret_member)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return read_int32(reader, value, INT32_MIN, INT32_MAX, ret_member);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return read_int32(reader, value, 0, UINT32_MAX, ret_member);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return read_integer(reader, value, -REFLECT_INT_MAX, REFLECT_INT_MAX, ret_member);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return read_integer(reader, value, 0, REFLECT_INT_MAX, ret_member);
	case PROTOBUF_C_TYPE_BOOL:
		return read_bool(reader, value, ret_member);
	case PROTOBUF_C_TYPE_ENUM:
		return read_word(reader, value, field->descriptor, ret_member);
	case PROTOBUF_C_TYPE_STRING:
		return read_text(reader, value, ret_member);
	case PROTOBUF_C_TYPE_BYTES:
		return read_base64(reader, value, ret_member);
	case PROTOBUF_C_TYPE_MESSAGE:
		return read_message(reader, value, field->descriptor, ret_member);
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		break;
	}
	assert(false && "no message of ours has floating point");
	return STATUS_INTERNAL;
}

/* Room for `count` elements in a repeated field. */
static enum status start_repeated(struct reader *reader, const ProtobufCFieldDescriptor *field,
    size_t count, ProtobufCMessage *message, char **ret_elements)
{
	*ret_elements = arena_alloc(reader->arena, count * reflect_element_size(field));
	*(size_t *)reflect_at_mut(message, field->quantifier_offset) = count;
	*(char **)reflect_at_mut(message, field->offset) = *ret_elements;
	return check_room(reader);
}

static enum status read_array(struct reader *reader, const json_t *value,
    const ProtobufCFieldDescriptor *field, ProtobufCMessage *ret_message)
{
	char *elements;
	enum status s;

	if (!json_is_array(value))
		return fail(reader, "must be an array");
	s = start_repeated(reader, field, json_array_size(value), ret_message, &elements);
	for (size_t i = 0; !s && i < json_array_size(value); i++) {
		char index[24];
		size_t before;

		(void)snprintf(index, sizeof(index), "%zu", i);
		before = enter(reader, index);
		s = read_value(reader, json_array_get(value, i), field,
		    elements + i * reflect_element_size(field));
		leave(reader, before);
	}
	return s;
}

static enum status read_entry(struct reader *reader, const char *key, const json_t *value,
    const ProtobufCMessageDescriptor *descriptor, ProtobufCMessage **ret_entry)
{
	ProtobufCMessage *entry = arena_alloc(reader->arena, descriptor->sizeof_message);
	enum status s;

	descriptor->message_init(entry);
	*ret_entry = entry;
	s = read_clean(
	    reader, bytes_of_str(key), reflect_at_mut(entry, descriptor->fields[0].offset));
	if (s)
		return s;
	return read_value(reader, value, &descriptor->fields[1],
	    reflect_at_mut(entry, descriptor->fields[1].offset));
}

static enum status read_map(struct reader *reader, const json_t *value,
    const ProtobufCFieldDescriptor *field, ProtobufCMessage *ret_message)
{
	json_t *object = (json_t *)(uintptr_t)value; /* jansson's iterators are not const */
	char *elements;
	size_t i = 0;
	enum status s;

	if (!json_is_object(value))
		return fail(reader, "must be an object");
	if (json_object_size(value) > REFLECT_MAP_ENTRIES_MAX)
		return fail(reader, "has too many keys");
	s = start_repeated(reader, field, json_object_size(value), ret_message, &elements);
	for (void *it = json_object_iter(object); !s && it;
	     it = json_object_iter_next(object, it)) {
		size_t before = enter(reader, json_object_iter_key(it));

		s = read_entry(reader, json_object_iter_key(it), json_object_iter_value(it),
		    field->descriptor, (ProtobufCMessage **)(void *)elements + i++);
		leave(reader, before);
	}
	return s;
}

static const ProtobufCFieldDescriptor *field_of(
    const ProtobufCMessageDescriptor *descriptor, const char *key)
{
	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
		char name[64];

		reflect_json_name(field->name, name);
		if (strcmp(name, key) == 0)
			return reflect_is_envelope(field) ? NULL : field;
	}
	return NULL;
}

static enum status read_field(
    struct reader *reader, const char *key, const json_t *value, ProtobufCMessage *ret_message)
{
	const ProtobufCFieldDescriptor *field = field_of(ret_message->descriptor, key);

	if (!field)
		return fail(reader, "is not a known field");
	if (json_is_null(value))
		return STATUS_OK;
	if (reflect_is_oneof(field)) {
		if (reflect_oneof_case(ret_message, field))
			return fail(reader, "stands beside another field that excludes it");
		*(uint32_t *)reflect_at_mut(ret_message, field->quantifier_offset) = field->id;
	}
	if (reflect_is_map(field))
		return read_map(reader, value, field, ret_message);
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return read_array(reader, value, field, ret_message);
	return read_value(reader, value, field, reflect_at_mut(ret_message, field->offset));
}

static enum status read_members(
    struct reader *reader, const json_t *value, ProtobufCMessage *ret_message)
{
	json_t *object = (json_t *)(uintptr_t)value; /* jansson's iterators are not const */
	enum status s = STATUS_OK;

	if (!json_is_object(value))
		return fail(reader, "must be an object");
	for (void *it = json_object_iter(object); !s && it;
	     it = json_object_iter_next(object, it)) {
		size_t before = enter(reader, json_object_iter_key(it));

		s = read_field(
		    reader, json_object_iter_key(it), json_object_iter_value(it), ret_message);
		leave(reader, before);
	}
	return s;
}

enum status reflect_from_json(const ProtobufCMessageDescriptor *descriptor,
    const struct json *value, size_t max_text, struct arena *arena, ProtobufCMessage **ret_message,
    struct err *err)
{
	struct reader reader = { .max_text = max_text, .arena = arena, .err = err };
	const json_t *root = (const json_t *)value;

	if (!root || json_is_null(root)) {
		*ret_message = arena_alloc(arena, descriptor->sizeof_message);
		descriptor->message_init(*ret_message);
		return STATUS_OK;
	}
	return read_message(&reader, root, descriptor, ret_message);
}
