/*
 * The walker that writes. It runs once per delivery and encoding on the edge, so it appends
 * straight to the output: no tree, no allocation but the buffer's, numbers and names without
 * printf.
 */
#include "base/decimal.h"
#include "base/timestamp.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "codec/reflect.h"
#include "codec/reflect_shape.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "walletwire/v1/common.pb-c.h"

static void append_signed(struct buf *out, int64_t n)
{
	assert(n >= -REFLECT_INT_MAX && n <= REFLECT_INT_MAX);
	if (n < 0)
		buf_append_char(out, '-');
	buf_append_u64(out, (uint64_t)(n < 0 ? -n : n));
}

static void append_unsigned(struct buf *out, uint64_t n)
{
	assert(n <= REFLECT_INT_MAX);
	buf_append_u64(out, n);
}

static void append_bool(struct buf *out, protobuf_c_boolean value)
{
	buf_append_str(out, value ? "true" : "false");
}

static void append_word(struct buf *out, const ProtobufCEnumDescriptor *descriptor, int value)
{
	char word[64];

	reflect_enum_word(descriptor, value, word);
	buf_append_char(out, '"');
	buf_append_str(out, word); /* of letters, digits and '_' */
	buf_append_char(out, '"');
}

static void append_string(struct buf *out, const char *text)
{
	json_append_string(out, bytes_of_str(text ? text : ""));
}

static void append_base64(struct buf *out, const ProtobufCBinaryData *data)
{
	buf_append_char(out, '"');
	base64_append(out, bytes_of(data->data, data->len));
	buf_append_char(out, '"');
}

static void append_timestamp(struct buf *out, const Google__Protobuf__Timestamp *timestamp)
{
	char text[TIMESTAMP_TEXT_SIZE];
	size_t len = timestamp_format(timestamp->seconds * 1000 + timestamp->nanos / 1000000, text);

	buf_append_char(out, '"');
	buf_append(out, text, len);
	buf_append_char(out, '"');
}

static void append_message(struct buf *out, const ProtobufCMessage *message);

/* One scalar, string or message; `value` points at where the message's struct holds it. */
static void append_value(struct buf *out, const ProtobufCFieldDescriptor *field, const void *value)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		append_signed(out, *(const int32_t *)value);
		break;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		append_signed(out, *(const int64_t *)value);
		break;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		append_unsigned(out, *(const uint32_t *)value);
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		append_unsigned(out, *(const uint64_t *)value);
		break;
	case PROTOBUF_C_TYPE_BOOL:
		append_bool(out, *(const protobuf_c_boolean *)value);
		break;
	case PROTOBUF_C_TYPE_ENUM:
		append_word(out, field->descriptor, *(const int *)value);
		break;
	case PROTOBUF_C_TYPE_STRING:
		append_string(out, *(const char *const *)value);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		append_base64(out, value);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		append_message(out, *(const ProtobufCMessage *const *)value);
		break;
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		assert(false && "no message of ours has floating point");
	}
}

static void append_array(
    struct buf *out, const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	size_t count = reflect_count(message, field);
	size_t size = reflect_element_size(field);
	const char *elements = *(const char *const *)reflect_at(message, field->offset);

	buf_append_char(out, '[');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_append_char(out, ',');
		append_value(out, field, elements + i * size);
	}
	buf_append_char(out, ']');
}

static void append_map(
    struct buf *out, const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	size_t count = reflect_count(message, field);
	ProtobufCMessage *const *entries =
	    *(ProtobufCMessage *const *const *)reflect_at(message, field->offset);

	buf_append_char(out, '{');
	for (size_t i = 0; i < count; i++) {
		const ProtobufCFieldDescriptor *fields = entries[i]->descriptor->fields;

		if (i > 0)
			buf_append_char(out, ',');
		append_value(out, &fields[0], reflect_at(entries[i], fields[0].offset));
		buf_append_char(out, ':');
		if (reflect_is_present(entries[i], &fields[1]))
			append_value(out, &fields[1], reflect_at(entries[i], fields[1].offset));
		else
			buf_append_str(out, "null");
	}
	buf_append_char(out, '}');
}

void reflect_append_field(
    struct buf *out, const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	if (reflect_is_map(field))
		append_map(out, message, field);
	else if (field->label == PROTOBUF_C_LABEL_REPEATED)
		append_array(out, message, field);
	else
		append_value(out, field, reflect_at(message, field->offset));
}

void reflect_append_key(struct buf *out, const char *proto_name, bool comma)
{
	char *start = (char *)buf_reserve(out, strlen(proto_name) + 4);
	char *at = start;

	if (comma)
		*at++ = ',';
	*at++ = '"';
	at += reflect_write_json_name(proto_name, at);
	*at++ = '"';
	*at++ = ':';
	out->len += (size_t)(at - start);
}

static bool append_members(struct buf *out, const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;
	bool any = false;

	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];

		if (!reflect_is_present(message, field) || reflect_is_envelope(field))
			continue;
		reflect_append_key(out, field->name, any);
		any = true;
		reflect_append_field(out, message, field);
	}
	return any;
}

static void append_object(struct buf *out, const ProtobufCMessage *message)
{
	buf_append_char(out, '{');
	(void)append_members(out, message);
	buf_append_char(out, '}');
}

static void append_message(struct buf *out, const ProtobufCMessage *message)
{
	const ProtobufCFieldDescriptor *field;
	ProtobufCMessage *member;

	switch (reflect_shape_of(message->descriptor)) {
	case SHAPE_TIMESTAMP:
		append_timestamp(out, (const Google__Protobuf__Timestamp *)message);
		break;
	case SHAPE_DECIMAL: {
		const Walletwire__V1__Decimal *decimal = (const Walletwire__V1__Decimal *)message;

		decimal_append(out, decimal->units, decimal->scale);
		break;
	}
	case SHAPE_LIST:
		append_array(out, message, &message->descriptor->fields[0]);
		break;
	case SHAPE_MEMBER:
		field = reflect_oneof_member(message, &member);
		if (field)
			append_value(out, field, reflect_at(message, field->offset));
		else
			buf_append_str(out, "{}");
		break;
	case SHAPE_OBJECT:
		append_object(out, message);
		break;
	}
}

void reflect_append_json(struct buf *out, const ProtobufCMessage *message)
{
	append_message(out, message);
}

bool reflect_append_json_members(struct buf *out, const ProtobufCMessage *message)
{
	ProtobufCMessage *member = NULL;

	if (reflect_shape_of(message->descriptor) == SHAPE_MEMBER) {
		if (!reflect_oneof_member(message, &member))
			return false;
		message = member;
	}
	assert(message && reflect_shape_of(message->descriptor) == SHAPE_OBJECT);
	return append_members(out, message);
}
