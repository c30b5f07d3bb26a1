/* The walker that writes for logs and tools: what is sensitive by its declaration stays behind. */
#include "codec/reflect.h"
#include "codec/reflect_shape.h"
#include "sensitivity.h"

static void append_object(struct buf *out, const ProtobufCMessage *message);

static bool is_empty(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return reflect_count(message, field) == 0;
	return field->type == PROTOBUF_C_TYPE_STRING &&
	       **(const char *const *)reflect_at(message, field->offset) == '\0';
}

/* A message whose fields speak for themselves. */
static bool is_walked(const ProtobufCFieldDescriptor *field)
{
	enum reflect_shape shape;

	if (field->type != PROTOBUF_C_TYPE_MESSAGE || reflect_is_map(field))
		return false;
	shape = reflect_shape_of(field->descriptor);
	return shape != SHAPE_TIMESTAMP && shape != SHAPE_DECIMAL;
}

static void append_walked(
    struct buf *out, const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	ProtobufCMessage *const *elements;

	if (field->label != PROTOBUF_C_LABEL_REPEATED) {
		append_object(
		    out, *(const ProtobufCMessage *const *)reflect_at(message, field->offset));
		return;
	}
	elements = *(ProtobufCMessage *const *const *)reflect_at(message, field->offset);
	buf_append_char(out, '[');
	for (size_t i = 0; i < reflect_count(message, field); i++) {
		if (i > 0)
			buf_append_char(out, ',');
		append_object(out, elements[i]);
	}
	buf_append_char(out, ']');
}

static void append_object(struct buf *out, const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;
	bool any = false;

	buf_append_char(out, '{');
	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];

		if (!reflect_is_present(message, field) || is_empty(message, field))
			continue;
		reflect_append_key(out, field->name, any);
		any = true;
		if (sensitivity_of(descriptor, field) != WALLETWIRE__V1__SENSITIVITY__KIND__OPEN)
			buf_append_str(out, "\"***\"");
		else if (is_walked(field))
			append_walked(out, message, field);
		else
			reflect_append_field(out, message, field);
	}
	buf_append_char(out, '}');
}

void reflect_append_masked(struct buf *out, const ProtobufCMessage *message)
{
	append_object(out, message);
}
