/*
 * msgpack in. The check bounds depth and counts, msgpack-c reads, and what it read becomes the tree
 * that json_parse() would have made of the same packet as text. Recursion is as deep as was
 * checked.
 */
#include "codec/json.h" /* first: macros of jansson have names of ours */

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <msgpack.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "codec/msgpack_check.h"
#include "codec/socketio_packed.h"
#include "codec/socketio_rules.h"

/* Headers of notepack's extension type 0, which stands for three things. */
enum { NOTEPACK_EXT = 0, HEADER_UNDEFINED = 0xd4, HEADER_DATE = 0xd7 };

static const uint64_t ack_id_max = UINT64_C(999999999999999); /* the 15 digits of text packets */

/* The members of a packet's map that mean something. */
enum member { MEMBER_TYPE, MEMBER_NSP, MEMBER_DATA, MEMBER_ID, MEMBERS };

struct reader {
	struct socketio_attachments *attachments;
	struct err *err;
};

static enum status refuse(struct err *err, const char *what)
{
	return err_set(err, STATUS_INVALID, "a msgpack packet has %s", what);
}

static struct bytes text_of(const msgpack_object *value)
{
	return bytes_of(value->via.str.ptr, value->via.str.size);
}

/* Before an extension's bytes stand its type and, in the fixed sizes, its header. */
static bool is_fixed_ext(const msgpack_object *value, uint8_t header)
{
	return value->type == MSGPACK_OBJECT_EXT && value->via.ext.type == NOTEPACK_EXT &&
	       (uint8_t)value->via.ext.ptr[-2] == header;
}

static bool is_undefined(const msgpack_object *value)
{
	return is_fixed_ext(value, HEADER_UNDEFINED) && value->via.ext.ptr[0] == 0;
}

static bool has_nul(struct bytes text)
{
	return text.len > 0 && memchr(text.data, '\0', text.len);
}

static bool is_text(struct bytes text)
{
	return text_is_utf8(text) && !has_nul(text);
}

/* jansson's functions return NULL where memory ends, which is where the process ends. */
static json_t *made(json_t *value)
{
	assert(value);
	return value;
}

static json_t *new_string(struct bytes text)
{
	return made(json_stringn_nocheck((const char *)text.data, text.len));
}

/* With U+FFFD for each NUL, as json_mend() does it. */
static json_t *new_mended(struct bytes text)
{
	struct buf mended = BUF_INIT;
	json_t *value;

	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i])
			buf_append_char(&mended, (char)text.data[i]);
		else
			buf_append_str(&mended, "\xef\xbf\xbd");
	}
	value = new_string(buf_bytes(&mended));
	buf_finish(&mended);
	return value;
}

static void add_member(json_t *object, struct bytes key, json_t *value)
{
	int failed = json_object_setn_new_nocheck(object, (const char *)key.data, key.len, value);

	assert(!failed);
}

static void add_element(json_t *array, json_t *value)
{
	int failed = json_array_append_new(array, value);

	assert(!failed);
}

/* --- values --- */

static enum status read_integer(struct reader *reader, uint64_t n, json_t **ret_value)
{
	if (n > INT64_MAX)
		return refuse(reader->err, "an integer beyond int64");
	*ret_value = made(json_integer((json_int_t)n));
	return STATUS_OK;
}

static enum status read_real(struct reader *reader, double value, json_t **ret_value)
{
	if (!isfinite(value))
		return refuse(reader->err, "a number that is not finite");
	*ret_value = made(json_real(value));
	return STATUS_OK;
}

static enum status read_string(struct reader *reader, struct bytes text, json_t **ret_value)
{
	if (!text_is_utf8(text))
		return refuse(reader->err, "text that is not UTF-8");
	*ret_value = has_nul(text) ? new_mended(text) : new_string(text);
	return STATUS_OK;
}

static enum status read_binary(
    struct reader *reader, struct bytes binary, unsigned depth, json_t **ret_value)
{
	struct socketio_attachments *attachments = reader->attachments;

	if (depth == JSON_DEPTH_MAX)
		return refuse(reader->err, "binary where a placeholder would nest too deep");
	if (attachments->len == SOCKETIO_ATTACHMENTS_CAP)
		return refuse(reader->err, "too many attachments");
	*ret_value = made(json_object());
	add_member(*ret_value, BYTES_LITERAL("_placeholder"), json_true());
	add_member(
	    *ret_value, BYTES_LITERAL("num"), made(json_integer((json_int_t)attachments->len)));
	attachments->list[attachments->len++] = binary;
	return STATUS_OK;
}

/* Eight bytes of milliseconds since 1970. Years without four digits have no text of ours. */
static enum status read_date(struct reader *reader, const char *ext, json_t **ret_value)
{
	char text[TIMESTAMP_TEXT_SIZE];
	uint64_t bits = 0;
	int64_t ms, back;
	size_t len;

	for (size_t i = 0; i < sizeof(bits); i++)
		bits = bits << 8 | (uint8_t)ext[i];
	memcpy(&ms, &bits, sizeof(ms));
	len = timestamp_format(ms, text);
	if (timestamp_parse(bytes_of(text, len), &back, NULL) || back != ms)
		return refuse(reader->err, "a date outside of the years 1 to 9999");
	*ret_value = new_string(bytes_of(text, len));
	return STATUS_OK;
}

static enum status read_ext(
    struct reader *reader, const msgpack_object *value, unsigned depth, json_t **ret_value)
{
	if (value->via.ext.type != NOTEPACK_EXT)
		return refuse(reader->err, "an extension of an unknown type");
	if (is_undefined(value)) {
		*ret_value = json_null();
		return STATUS_OK;
	}
	if (is_fixed_ext(value, HEADER_DATE))
		return read_date(reader, value->via.ext.ptr, ret_value);
	return read_binary(
	    reader, bytes_of(value->via.ext.ptr, value->via.ext.size), depth, ret_value);
}

static enum status read_value(
    struct reader *reader, const msgpack_object *value, unsigned depth, json_t **ret_value);

/* Into the array that the caller frees after a failure; so with read_members(). */
static enum status read_elements(
    struct reader *reader, const msgpack_object_array *from, unsigned depth, json_t *array)
{
	for (uint32_t i = 0; i < from->size; i++) {
		json_t *element;
		enum status s = read_value(reader, &from->ptr[i], depth + 1, &element);

		if (s)
			return s;
		add_element(array, element);
	}
	return STATUS_OK;
}

static enum status check_key(
    struct reader *reader, const msgpack_object_kv *member, const json_t *object)
{
	struct bytes key = text_of(&member->key);

	if (member->key.type != MSGPACK_OBJECT_STR || !is_text(key))
		return refuse(reader->err, "a key that is no text");
	if (json_object_getn(object, (const char *)key.data, key.len))
		return refuse(reader->err, "a key twice");
	if (bytes_equal_str(key, "_placeholder") && member->val.type == MSGPACK_OBJECT_BOOLEAN &&
	    member->val.via.boolean)
		return refuse(reader->err, "a placeholder, spelt out");
	return STATUS_OK;
}

static enum status read_members(
    struct reader *reader, const msgpack_object_map *from, unsigned depth, json_t *object)
{
	for (uint32_t i = 0; i < from->size; i++) {
		json_t *member;
		enum status s = check_key(reader, &from->ptr[i], object);

		if (!s)
			s = read_value(reader, &from->ptr[i].val, depth + 1, &member);
		if (s)
			return s;
		add_member(object, text_of(&from->ptr[i].key), member);
	}
	return STATUS_OK;
}

static enum status read_container(
    struct reader *reader, const msgpack_object *value, unsigned depth, json_t **ret_value)
{
	bool is_array = value->type == MSGPACK_OBJECT_ARRAY;
	json_t *container = made(is_array ? json_array() : json_object());
	enum status s;

	assert(depth < JSON_DEPTH_MAX); /* msgpack_check() */
	s = is_array ? read_elements(reader, &value->via.array, depth, container)
		     : read_members(reader, &value->via.map, depth, container);
	if (s)
		json_decref(container);
	else
		*ret_value = container;
	return s;
}

static enum status read_value(
    struct reader *reader, const msgpack_object *value, unsigned depth, json_t **ret_value)
{
	switch (value->type) {
	case MSGPACK_OBJECT_NIL:
		*ret_value = json_null();
		return STATUS_OK;
	case MSGPACK_OBJECT_BOOLEAN:
		*ret_value = json_boolean(value->via.boolean);
		return STATUS_OK;
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		return read_integer(reader, value->via.u64, ret_value);
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		*ret_value = made(json_integer(value->via.i64));
		return STATUS_OK;
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		return read_real(reader, value->via.f64, ret_value);
	case MSGPACK_OBJECT_STR:
		return read_string(reader, text_of(value), ret_value);
	case MSGPACK_OBJECT_BIN:
		return read_binary(
		    reader, bytes_of(value->via.bin.ptr, value->via.bin.size), depth, ret_value);
	case MSGPACK_OBJECT_EXT:
		return read_ext(reader, value, depth, ret_value);
	case MSGPACK_OBJECT_ARRAY:
	case MSGPACK_OBJECT_MAP:
		return read_container(reader, value, depth, ret_value);
	}
	return refuse(reader->err, "a value of an unknown kind");
}

/* --- the packet --- */

static enum member member_of(struct bytes key)
{
	static const char *const names[MEMBERS] = {
		[MEMBER_TYPE] = "type",
		[MEMBER_NSP] = "nsp",
		[MEMBER_DATA] = "data",
		[MEMBER_ID] = "id",
	};
	enum member member = 0;

	while (member < MEMBERS && !bytes_equal_str(key, names[member]))
		member++;
	return member;
}

static bool is_absent(const msgpack_object *value)
{
	return value->type == MSGPACK_OBJECT_NIL || is_undefined(value);
}

/* Fills in what is there; the rest stays NULL. */
static enum status find_members(
    const msgpack_object *packet, const msgpack_object *members[static MEMBERS], struct err *err)
{
	bool seen[MEMBERS + 1] = { 0 }; /* the last for whatever is unknown */

	if (packet->type != MSGPACK_OBJECT_MAP)
		return refuse(err, "no map");
	for (uint32_t i = 0; i < packet->via.map.size; i++) {
		const msgpack_object_kv *entry = &packet->via.map.ptr[i];
		enum member member;

		if (entry->key.type != MSGPACK_OBJECT_STR)
			return refuse(err, "a key that is no text");
		member = member_of(text_of(&entry->key));
		if (seen[member] && member != MEMBERS)
			return refuse(err, "a key twice");
		seen[member] = true;
		if (member != MEMBERS && !is_absent(&entry->val))
			members[member] = &entry->val;
	}
	return STATUS_OK;
}

/* Binary needs no types of its own here, but old clients send them. */
static enum status read_type(
    const msgpack_object *value, enum socketio_type *ret_type, struct err *err)
{
	if (!value || value->type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
	    value->via.u64 > SOCKETIO_BINARY_ACK)
		return refuse(err, "no known type");
	*ret_type = (enum socketio_type)value->via.u64;
	if (*ret_type == SOCKETIO_BINARY_EVENT)
		*ret_type = SOCKETIO_EVENT;
	else if (*ret_type == SOCKETIO_BINARY_ACK)
		*ret_type = SOCKETIO_ACK;
	return STATUS_OK;
}

/* A name with a comma could not be written in an answer. */
static enum status read_nsp(const msgpack_object *value, struct bytes *ret_nsp, struct err *err)
{
	struct bytes nsp;

	if (!value || value->type != MSGPACK_OBJECT_STR)
		return refuse(err, "no namespace");
	nsp = text_of(value);
	if (nsp.len == 0 || nsp.len > SOCKETIO_NSP_MAX || nsp.data[0] != '/' || !is_text(nsp) ||
	    memchr(nsp.data, ',', nsp.len))
		return refuse(err, "a namespace that can't be");
	*ret_nsp = nsp;
	return STATUS_OK;
}

static enum status read_id(
    const msgpack_object *value_or_null, struct socketio_packet *packet, struct err *err)
{
	if (!value_or_null)
		return STATUS_OK;
	if (value_or_null->type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
	    value_or_null->via.u64 > ack_id_max)
		return refuse(err, "an ack id that can't be");
	packet->has_id = true;
	packet->id = value_or_null->via.u64;
	return STATUS_OK;
}

static enum status read_packet(const msgpack_object *root, struct socketio_packet *ret_packet,
    struct json **ret_payload, struct socketio_attachments *ret_attachments, struct err *err)
{
	struct reader reader = { .attachments = ret_attachments, .err = err };
	struct socketio_packet packet = { 0 };
	const msgpack_object *members[MEMBERS] = { 0 };
	json_t *payload = NULL;
	enum status s = find_members(root, members, err);

	if (!s)
		s = read_type(members[MEMBER_TYPE], &packet.type, err);
	if (!s)
		s = read_nsp(members[MEMBER_NSP], &packet.nsp, err);
	if (!s)
		s = read_id(members[MEMBER_ID], &packet, err);
	if (!s)
		s = socketio_check_id(&packet, err);
	if (!s && members[MEMBER_DATA])
		s = read_value(&reader, members[MEMBER_DATA], 0, &payload);
	if (s)
		return s;
	packet.attachments = (unsigned)ret_attachments->len;
	*ret_packet = packet;
	*ret_payload = (struct json *)payload;
	return STATUS_OK;
}

enum status socketio_unpack(struct bytes packed, size_t max_len, struct socketio_packet *ret_packet,
    struct json **ret_payload, struct socketio_attachments *ret_attachments, struct err *err)
{
	msgpack_zone zone;
	msgpack_object root;
	size_t binary;
	enum status s;

	/* The packet's map stands around the levels of its data. */
	if (!msgpack_check(packed, 1 + JSON_DEPTH_MAX, &binary))
		return err_set(err, STATUS_INVALID,
		    "not one msgpack value, or it nests deeper than %d", 1 + JSON_DEPTH_MAX);
	if (packed.len - binary > max_len)
		return err_set(err, STATUS_TOO_LARGE,
		    "msgpack of %zu bytes beside its binary, at most %zu are read",
		    packed.len - binary, max_len);
	ret_attachments->len = 0;
	if (!msgpack_zone_init(&zone, MSGPACK_ZONE_CHUNK_SIZE))
		return err_set(err, STATUS_INTERNAL, "no memory for msgpack");
	if (msgpack_unpack((const char *)packed.data, packed.len, NULL, &zone, &root) ==
	    MSGPACK_UNPACK_SUCCESS)
		s = read_packet(&root, ret_packet, ret_payload, ret_attachments, err);
	else
		s = err_set(err, STATUS_INTERNAL, "msgpack-c refuses what the check let through");
	msgpack_zone_destroy(&zone);
	return s;
}
