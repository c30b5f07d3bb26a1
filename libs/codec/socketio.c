/*
 * The header of a packet, read from left to right. Stricter than the reference where that costs no
 * client anything: an ack id stands only where it means something, and always does in an ACK.
 */
#include "codec/socketio.h"

#include <assert.h>
#include <jansson.h>

#include "codec/socketio_rules.h"

enum { ACK_ID_DIGITS = 15, ATTACHMENT_DIGITS = 3 };

/* Reads the digits at the front and drops them; returns how many there were, `max` + 1 if too many.
 */
static size_t take_digits(struct bytes *text, size_t max, uint64_t *ret_n)
{
	size_t count = 0;

	*ret_n = 0;
	while (count <= max && count < text->len && text->data[count] >= '0' &&
	       text->data[count] <= '9')
		*ret_n = *ret_n * 10 + (uint64_t)(text->data[count++] - '0');
	*text = bytes_of(text->data + count, text->len - count);
	return count;
}

static enum status take_attachments(struct bytes *text, unsigned *ret_count, struct err *err)
{
	uint64_t n;
	size_t digits = take_digits(text, ATTACHMENT_DIGITS, &n);

	if (digits > ATTACHMENT_DIGITS || n == 0 || text->len == 0 || text->data[0] != '-')
		return err_set(
		    err, STATUS_INVALID, "a binary packet without a count of attachments");
	*text = bytes_of(text->data + 1, text->len - 1);
	*ret_count = (unsigned)n;
	return STATUS_OK;
}

/* The comma may be missing where nothing follows ("40/custom"). */
static enum status take_nsp(struct bytes *text, struct bytes *ret_nsp, struct err *err)
{
	const uint8_t *comma;
	size_t len;

	*ret_nsp = BYTES_LITERAL("/");
	if (text->len == 0 || text->data[0] != '/')
		return STATUS_OK;
	comma = memchr(text->data, ',', text->len);
	len = comma ? (size_t)(comma - text->data) : text->len;
	if (len > SOCKETIO_NSP_MAX)
		return err_set(
		    err, STATUS_INVALID, "a namespace is longer than %d bytes", SOCKETIO_NSP_MAX);
	*ret_nsp = bytes_of(text->data, len);
	len += comma != NULL;
	*text = bytes_of(text->data + len, text->len - len);
	return STATUS_OK;
}

enum status socketio_check_id(const struct socketio_packet *packet, struct err *err)
{
	bool is_event = packet->type == SOCKETIO_EVENT || packet->type == SOCKETIO_BINARY_EVENT;
	bool is_ack = packet->type == SOCKETIO_ACK || packet->type == SOCKETIO_BINARY_ACK;

	if (is_ack ? !packet->has_id : packet->has_id && !is_event)
		return err_set(err, STATUS_INVALID, "an ack id is missing or out of place");
	return STATUS_OK;
}

enum status socketio_parse(struct bytes text, struct socketio_packet *ret_packet, struct err *err)
{
	struct socketio_packet packet = { 0 };
	enum status s = STATUS_OK;
	size_t digits;

	if (text.len == 0 || text.data[0] < '0' || text.data[0] > '0' + SOCKETIO_BINARY_ACK)
		return err_set(err, STATUS_INVALID, "not a Socket.IO packet");
	packet.type = (enum socketio_type)(text.data[0] - '0');
	text = bytes_of(text.data + 1, text.len - 1);
	if (socketio_is_binary(packet.type))
		s = take_attachments(&text, &packet.attachments, err);
	if (!s)
		s = take_nsp(&text, &packet.nsp, err);
	if (s)
		return s;
	digits = take_digits(&text, ACK_ID_DIGITS, &packet.id);
	if (digits > ACK_ID_DIGITS)
		return err_set(
		    err, STATUS_INVALID, "an ack id has more than %d digits", ACK_ID_DIGITS);
	packet.has_id = digits > 0;
	s = socketio_check_id(&packet, err);
	if (s)
		return s;
	packet.json = text;
	*ret_packet = packet;
	return STATUS_OK;
}

bool socketio_event_is_reserved(struct bytes name)
{
	static const char *const reserved[] = { "connect", "connect_error", "disconnect",
		"disconnecting", "newListener", "removeListener" };

	for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
		if (bytes_equal_str(name, reserved[i]))
			return true;
	}
	return false;
}

static void append_rest(struct buf *out, const char *nsp, const uint64_t *id)
{
	if (strcmp(nsp, "/") != 0) {
		buf_append_str(out, nsp);
		buf_append_char(out, ',');
	}
	if (id)
		buf_append_u64(out, *id);
}

void socketio_append_header(
    struct buf *out, enum socketio_type type, const char *nsp, const uint64_t *id)
{
	assert(!socketio_is_binary(type));
	buf_append_char(out, '4');
	buf_append_char(out, (char)('0' + type));
	append_rest(out, nsp, id);
}

void socketio_append_binary_header(struct buf *out, enum socketio_type type, unsigned attachments,
    const char *nsp, const uint64_t *id)
{
	assert(socketio_is_binary(type) && attachments > 0);
	buf_append_char(out, '4');
	buf_append_char(out, (char)('0' + type));
	buf_append_u64(out, attachments);
	buf_append_char(out, '-');
	append_rest(out, nsp, id);
}

bool socketio_is_placeholder(const struct json *value)
{
	return json_is_true(json_object_get((const json_t *)value, "_placeholder"));
}

size_t socketio_placeholder_num(const struct json *placeholder)
{
	return (size_t)json_integer_value(json_object_get((const json_t *)placeholder, "num"));
}

static bool placeholder_ok(const json_t *placeholder, size_t attachments)
{
	const json_t *num = json_object_get(placeholder, "num");

	return json_object_size(placeholder) == 2 && json_is_integer(num) &&
	       json_integer_value(num) >= 0 && (size_t)json_integer_value(num) < attachments;
}

/* Recurses no deeper than json_parse() lets a tree be. */
bool socketio_placeholders_ok(const struct json *payload, size_t attachments)
{
	json_t *value = (json_t *)(uintptr_t)payload; /* jansson's iterators are not const */
	bool ok = true;

	if (socketio_is_placeholder(payload))
		return placeholder_ok(value, attachments);
	for (size_t i = 0; ok && i < json_array_size(value); i++)
		ok = socketio_placeholders_ok(
		    (const struct json *)json_array_get(value, i), attachments);
	for (void *it = json_object_iter(value); ok && it; it = json_object_iter_next(value, it))
		ok = socketio_placeholders_ok(
		    (const struct json *)json_object_iter_value(it), attachments);
	return ok;
}
