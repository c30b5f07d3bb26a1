/*
 * msgpack out, from the text of the same packet: whoever renders an event does it once, as JSON,
 * and the two forms can't say different things (docs/adr/0009-msgpack-from-text.md).
 */
#include "codec/json.h" /* first: macros of jansson have names of ours */

#include <jansson.h>
#include <msgpack.h>

#include "codec/socketio_packed.h"
#include "codec/socketio_rules.h"

struct writer {
	msgpack_packer packer;
	const struct socketio_attachments *attachments_or_null;
};

static int append(void *out, const char *data, size_t len)
{
	buf_append(out, data, len);
	return 0;
}

static void write_text(struct writer *writer, struct bytes text)
{
	(void)msgpack_pack_str(&writer->packer, text.len);
	(void)msgpack_pack_str_body(&writer->packer, text.data, text.len);
}

static void write_binary(struct writer *writer, struct bytes binary)
{
	(void)msgpack_pack_bin(&writer->packer, binary.len);
	(void)msgpack_pack_bin_body(&writer->packer, binary.data, binary.len);
}

static void write_value(struct writer *writer, const json_t *value);

/* In a packet without attachments a placeholder is an object like any other, as it is in text. */
static void write_object(struct writer *writer, const json_t *value)
{
	const struct socketio_attachments *attachments = writer->attachments_or_null;
	const struct json *ours = (const struct json *)value;
	json_t *object = (json_t *)(uintptr_t)value; /* jansson's iterators are not const */

	if (attachments && socketio_is_placeholder(ours)) {
		write_binary(writer, attachments->list[socketio_placeholder_num(ours)]);
		return;
	}
	(void)msgpack_pack_map(&writer->packer, json_object_size(value));
	for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
		write_text(
		    writer, bytes_of(json_object_iter_key(it), json_object_iter_key_len(it)));
		write_value(writer, json_object_iter_value(it));
	}
}

static void write_array(struct writer *writer, const json_t *array)
{
	(void)msgpack_pack_array(&writer->packer, json_array_size(array));
	for (size_t i = 0; i < json_array_size(array); i++)
		write_value(writer, json_array_get(array, i));
}

/* Recurses no deeper than json_parse() lets a tree be. */
static void write_value(struct writer *writer, const json_t *value)
{
	msgpack_packer *packer = &writer->packer;

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		write_object(writer, value);
		break;
	case JSON_ARRAY:
		write_array(writer, value);
		break;
	case JSON_STRING:
		write_text(writer, bytes_of(json_string_value(value), json_string_length(value)));
		break;
	case JSON_INTEGER:
		(void)msgpack_pack_int64(packer, json_integer_value(value));
		break;
	case JSON_REAL:
		(void)msgpack_pack_double(packer, json_real_value(value));
		break;
	case JSON_TRUE:
		(void)msgpack_pack_true(packer);
		break;
	case JSON_FALSE:
		(void)msgpack_pack_false(packer);
		break;
	case JSON_NULL:
		(void)msgpack_pack_nil(packer);
		break;
	}
}

/* There are no binary types: the binary stands in the data. */
static int packed_type(enum socketio_type type)
{
	if (type == SOCKETIO_BINARY_EVENT)
		return SOCKETIO_EVENT;
	return type == SOCKETIO_BINARY_ACK ? SOCKETIO_ACK : (int)type;
}

/* A member that is absent is left out: clients refuse an id or data that is nil. */
static void write_packet(
    struct writer *writer, const struct socketio_packet *packet, const struct json *payload_or_null)
{
	size_t members = (size_t)2 + packet->has_id + (payload_or_null != NULL);

	(void)msgpack_pack_map(&writer->packer, members);
	write_text(writer, BYTES_LITERAL("type"));
	(void)msgpack_pack_int(&writer->packer, packed_type(packet->type));
	if (packet->has_id) {
		write_text(writer, BYTES_LITERAL("id"));
		(void)msgpack_pack_uint64(&writer->packer, packet->id);
	}
	write_text(writer, BYTES_LITERAL("nsp"));
	write_text(writer, packet->nsp);
	if (payload_or_null) {
		write_text(writer, BYTES_LITERAL("data"));
		write_value(writer, (const json_t *)payload_or_null);
	}
}

/* The placeholders of a packet without attachments are not looked at: they mean nothing there. */
static enum status read_text(struct bytes text, size_t attachments,
    struct socketio_packet *ret_packet, struct json **ret_payload, struct err *err)
{
	enum status s = socketio_parse(text, ret_packet, err);

	*ret_payload = NULL;
	if (s)
		return s;
	if (ret_packet->attachments != attachments)
		return err_set(err, STATUS_INVALID, "a packet of %u attachments comes with %zu",
		    ret_packet->attachments, attachments);
	if (ret_packet->json.len == 0)
		return STATUS_OK;
	s = json_parse_max(ret_packet->json, SOCKETIO_PACK_TEXT_MAX, ret_payload, err);
	if (s || attachments == 0 || socketio_placeholders_ok(*ret_payload, attachments))
		return s;
	json_free(*ret_payload);
	return err_set(err, STATUS_INVALID, "a placeholder names no attachment");
}

enum status socketio_pack(struct bytes text, const struct socketio_attachments *attachments_or_null,
    struct buf *out, struct err *err)
{
	size_t attachments = attachments_or_null ? attachments_or_null->len : 0;
	struct writer writer = { .attachments_or_null = attachments ? attachments_or_null : NULL };
	struct socketio_packet packet;
	struct json *payload;
	enum status s = read_text(text, attachments, &packet, &payload, err);

	if (s)
		return s;
	msgpack_packer_init(&writer.packer, out, append);
	write_packet(&writer, &packet, payload);
	json_free(payload);
	return STATUS_OK;
}
