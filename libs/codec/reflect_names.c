/* Names and shapes: nothing is cached, a name is shorter to compute than to look up. */
#include <string.h>

#include "codec/reflect.h"
#include "codec/reflect_shape.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "walletwire/v1/common.pb-c.h"

enum { NAME_SIZE = 64 };

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static char to_upper(char c)
{
	if (c >= 'a' && c <= 'z')
		return (char)(c - 'a' + 'A');
	return c;
}

static char to_lower(char c)
{
	if (is_upper(c))
		return (char)(c - 'A' + 'a');
	return c;
}

static bool is_oneof_only(const ProtobufCMessageDescriptor *descriptor)
{
	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];

		if (!reflect_is_oneof(field) ||
		    field->quantifier_offset != descriptor->fields[0].quantifier_offset)
			return false;
	}
	return descriptor->n_fields > 0;
}

static bool is_list(const ProtobufCMessageDescriptor *descriptor)
{
	return descriptor->n_fields == 1 &&
	       descriptor->fields[0].label == PROTOBUF_C_LABEL_REPEATED &&
	       strcmp(descriptor->fields[0].name, "values") == 0;
}

enum reflect_shape reflect_shape_of(const ProtobufCMessageDescriptor *descriptor)
{
	if (descriptor == &google__protobuf__timestamp__descriptor)
		return SHAPE_TIMESTAMP;
	if (descriptor == &walletwire__v1__decimal__descriptor)
		return SHAPE_DECIMAL;
	if (is_list(descriptor))
		return SHAPE_LIST;
	return is_oneof_only(descriptor) ? SHAPE_MEMBER : SHAPE_OBJECT;
}

bool reflect_is_map(const ProtobufCFieldDescriptor *field)
{
	const ProtobufCMessageDescriptor *entry = field->descriptor;
	size_t len;

	if (field->label != PROTOBUF_C_LABEL_REPEATED || field->type != PROTOBUF_C_TYPE_MESSAGE)
		return false;
	len = strlen(entry->short_name);
	return len > 5 && strcmp(entry->short_name + len - 5, "Entry") == 0 &&
	       entry->n_fields == 2 && strcmp(entry->fields[0].name, "key") == 0 &&
	       strcmp(entry->fields[1].name, "value") == 0 &&
	       entry->fields[0].type == PROTOBUF_C_TYPE_STRING;
}

bool reflect_is_envelope(const ProtobufCFieldDescriptor *field)
{
	return strcmp(field->name, "caller") == 0 || strcmp(field->name, "error") == 0;
}

size_t reflect_element_size(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return sizeof(int64_t);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	default:
		return sizeof(int32_t);
	}
}

size_t reflect_write_json_name(const char *proto_name, char *ret_name)
{
	/* protobuf-c's descriptors don't carry json_name; these are the two that state one. */
	bool as_it_is = strcmp(proto_name, "available_balance") == 0 ||
			strcmp(proto_name, "pending_balance") == 0;
	char *out = ret_name;

	for (const char *in = proto_name; *in; in++) {
		if (*in != '_' || as_it_is)
			*out++ = *in;
		else if (in[1])
			*out++ = to_upper(*++in);
	}
	return (size_t)(out - ret_name);
}

void reflect_json_name(const char *proto_name, char ret_name[static 64])
{
	assert(strlen(proto_name) < NAME_SIZE);
	ret_name[reflect_write_json_name(proto_name, ret_name)] = '\0';
}

/* "PRIORITY_HIGH" of "Priority" -> "HIGH": what follows the type's name in UPPER_SNAKE and a '_'.
 */
static const char *without_prefix(const char *value_name, const char *type_name)
{
	const char *at = value_name;

	for (const char *c = type_name; *c; c++) {
		if (is_upper(*c) && c > type_name && *at++ != '_')
			return value_name;
		if (*at++ != to_upper(*c))
			return value_name;
	}
	return *at == '_' && at[1] ? at + 1 : value_name;
}

static void write_word(const ProtobufCEnumDescriptor *descriptor, const ProtobufCEnumValue *value,
    char ret_word[static 64])
{
	const char *name = value->value ? without_prefix(value->name, descriptor->short_name) : "";
	size_t len = strlen(name);

	assert(len < NAME_SIZE);
	for (size_t i = 0; i <= len; i++)
		ret_word[i] = to_lower(name[i]);
}

void reflect_enum_word(
    const ProtobufCEnumDescriptor *descriptor, int value, char ret_word[static 64])
{
	const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(descriptor, value);

	ret_word[0] = '\0';
	if (found)
		write_word(descriptor, found, ret_word);
}

bool reflect_enum_value(
    const ProtobufCEnumDescriptor *descriptor, struct bytes word, int *ret_value)
{
	for (unsigned i = 0; i < descriptor->n_values; i++) {
		char candidate[NAME_SIZE];

		write_word(descriptor, &descriptor->values[i], candidate);
		if (bytes_equal_str(word, candidate)) {
			*ret_value = descriptor->values[i].value;
			return true;
		}
	}
	return false;
}

const ProtobufCFieldDescriptor *reflect_oneof_member(
    const ProtobufCMessage *message, ProtobufCMessage **ret_member)
{
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];

		if (!reflect_is_oneof(field) || !reflect_is_present(message, field))
			continue;
		*ret_member = field->type == PROTOBUF_C_TYPE_MESSAGE
				  ? *(ProtobufCMessage *const *)reflect_at(message, field->offset)
				  : NULL;
		return field;
	}
	*ret_member = NULL;
	return NULL;
}
