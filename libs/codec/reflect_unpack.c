/*
 * Protobuf bytes in, in three steps.
 *
 * First a scan of the wire along the descriptor: protobuf-c keeps a string as char *, so a NUL in
 * it can only be seen there (packing again and comparing lengths would refuse every encoder that is
 * newer than ours). Then protobuf-c decodes into the arena. Then the values are checked as JSON's
 * are.
 */
#include "base/decimal.h"
#include "base/text.h"
#include "codec/reflect.h"
#include "codec/reflect_shape.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "walletwire/v1/common.pb-c.h"

enum { WIRE_VARINT = 0, WIRE_64BIT = 1, WIRE_LENGTH = 2, WIRE_32BIT = 5 };

static enum status fail(const char *field, const char *why, struct err *err)
{
	return err_invalid(err, field, "%s", why);
}

static enum status malformed(const ProtobufCMessageDescriptor *descriptor, struct err *err)
{
	return err_set(err, STATUS_INVALID, "not a %s", descriptor->name);
}

static bool take_varint(struct bytes *data, uint64_t *ret_n)
{
	*ret_n = 0;
	for (size_t i = 0; i < 10 && i < data->len; i++) {
		*ret_n |= (uint64_t)(data->data[i] & 0x7f) << (7 * i);
		if (!(data->data[i] & 0x80)) {
			*data = bytes_of(data->data + i + 1, data->len - i - 1);
			return true;
		}
	}
	return false;
}

/* The value of one field as it stands on the wire; only a length-prefixed one is lent. */
static bool take_value(struct bytes *data, unsigned wire, struct bytes *ret_value)
{
	uint64_t n = wire == WIRE_64BIT ? 8 : 4;

	*ret_value = (struct bytes){ 0 };
	if (wire == WIRE_VARINT)
		return take_varint(data, &n);
	if (wire != WIRE_64BIT && wire != WIRE_32BIT && wire != WIRE_LENGTH)
		return false;
	if ((wire == WIRE_LENGTH && !take_varint(data, &n)) || n > data->len)
		return false;
	*ret_value = bytes_of(data->data, (size_t)n);
	*data = bytes_of(data->data + n, data->len - (size_t)n);
	return true;
}

static enum status scan(const ProtobufCMessageDescriptor *descriptor, struct bytes data,
    unsigned depth, struct err *err)
{
	if (depth > REFLECT_DEPTH_MAX)
		return malformed(descriptor, err);
	while (data.len > 0) {
		const ProtobufCFieldDescriptor *field;
		struct bytes value;
		uint64_t key;
		enum status s;

		/* A key has 32 bits of field number at most, as protobuf-c reads it. It refuses
		 * field 0, which is none, only in its shortest form. */
		if (!take_varint(&data, &key) || key >> 35 || key >> 3 == 0 ||
		    !take_value(&data, key & 7, &value))
			return malformed(descriptor, err);
		field = protobuf_c_message_descriptor_get_field(descriptor, (unsigned)(key >> 3));
		if (!field || (key & 7) != WIRE_LENGTH)
			continue;
		if (field->type == PROTOBUF_C_TYPE_STRING &&
		    (!text_is_utf8(value) || memchr(value.data, '\0', value.len)))
			return fail(field->name, "is not UTF-8 without NUL", err);
		if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
			s = scan(field->descriptor, value, depth + 1, err);
			if (s)
				return s;
		}
	}
	return STATUS_OK;
}

static bool timestamp_is_valid(const Google__Protobuf__Timestamp *timestamp)
{
	return timestamp->seconds >= INT64_C(-62135596800) &&
	       timestamp->seconds <= INT64_C(253402300799) && timestamp->nanos >= 0 &&
	       timestamp->nanos < 1000000000;
}

/* The two messages that are values; every other one is as valid as its fields. */
static bool message_is_valid(const ProtobufCMessage *message)
{
	const Walletwire__V1__Decimal *decimal;

	switch (reflect_shape_of(message->descriptor)) {
	case SHAPE_TIMESTAMP:
		return timestamp_is_valid((const Google__Protobuf__Timestamp *)message);
	case SHAPE_DECIMAL:
		decimal = (const Walletwire__V1__Decimal *)message;
		return decimal_is_valid(decimal->units, decimal->scale);
	default:
		return true;
	}
}

static bool value_is_valid(const ProtobufCFieldDescriptor *field, const void *value)
{
	int64_t n;

	switch (field->type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		n = *(const int64_t *)value;
		return n >= -REFLECT_INT_MAX && n <= REFLECT_INT_MAX;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return *(const uint64_t *)value <= REFLECT_INT_MAX;
	case PROTOBUF_C_TYPE_ENUM:
		return protobuf_c_enum_descriptor_get_value(field->descriptor, *(const int *)value);
	case PROTOBUF_C_TYPE_MESSAGE:
		return message_is_valid(*(const ProtobufCMessage *const *)value);
	default:
		return true;
	}
}

static enum status validate(const ProtobufCMessage *message, struct err *err);

static enum status validate_value(
    const ProtobufCFieldDescriptor *field, const void *value, struct err *err)
{
	if (!value_is_valid(field, value))
		return fail(field->name, "is out of range", err);
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return validate(*(const ProtobufCMessage *const *)value, err);
	return STATUS_OK;
}

static enum status validate_map_keys(
    const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, struct err *err)
{
	size_t count = reflect_count(message, field);
	ProtobufCMessage *const *entries =
	    *(ProtobufCMessage *const *const *)reflect_at(message, field->offset);

	if (count > REFLECT_MAP_ENTRIES_MAX)
		return fail(field->name, "has too many keys", err);
	for (size_t i = 0; i < count; i++) {
		unsigned offset = entries[i]->descriptor->fields[0].offset;
		const char *key = *(const char *const *)reflect_at(entries[i], offset);

		for (size_t k = 0; k < i; k++) {
			if (strcmp(key, *(const char *const *)reflect_at(entries[k], offset)) == 0)
				return fail(field->name, "has a key twice", err);
		}
	}
	return STATUS_OK;
}

static enum status validate_field(
    const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, struct err *err)
{
	enum status s = STATUS_OK;
	const char *elements;

	if (field->label != PROTOBUF_C_LABEL_REPEATED)
		return validate_value(field, reflect_at(message, field->offset), err);
	if (reflect_is_map(field))
		s = validate_map_keys(message, field, err);
	elements = *(const char *const *)reflect_at(message, field->offset);
	for (size_t i = 0; !s && i < reflect_count(message, field); i++)
		s = validate_value(field, elements + i * reflect_element_size(field), err);
	return s;
}

static enum status validate(const ProtobufCMessage *message, struct err *err)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;

	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
		enum status s;

		if (!reflect_is_present(message, field))
			continue;
		s = validate_field(message, field, err);
		if (s)
			return s;
	}
	return STATUS_OK;
}

enum status reflect_unpack(const ProtobufCMessageDescriptor *descriptor, struct bytes data,
    struct arena *arena, ProtobufCMessage **ret_message, struct err *err)
{
	ProtobufCMessage *message;
	enum status s;

	if (data.len > REFLECT_UNPACK_MAX)
		return err_set(err, STATUS_TOO_LARGE, "a %s of %zu bytes, at most %d are read",
		    descriptor->name, data.len, REFLECT_UNPACK_MAX);
	s = scan(descriptor, data, 0, err);
	if (s)
		return s;
	message =
	    protobuf_c_message_unpack(descriptor, arena_allocator(arena), data.len, data.data);
	if (!message)
		return err_set(err, STATUS_INVALID, "not a %s, or more than %zu bytes of one",
		    descriptor->name, arena->limit);
	s = validate(message, err);
	if (!s)
		*ret_message = message;
	return s;
}
