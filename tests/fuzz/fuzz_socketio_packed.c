/*
 * Packets of socket.io-msgpack-parser. What the check lets through msgpack-c reads, and the reverse
 * but for depth. What unpacks is a packet that can be written as text, packed again and unpacked to
 * the same; what packs from text unpacks.
 *
 * Input: which of the two, then a packed packet or the text of one.
 */
#include "codec/json.h" /* first: macros of jansson have names of ours */

#include <msgpack.h>

#include "codec/msgpack_check.h"
#include "codec/socketio_packed.h"
#include "fuzz.h"

enum { MAX_LEN = 64 * 1024 };

struct packet {
	struct socketio_packet header;
	struct socketio_attachments attachments;
	struct json *payload;
};

/* --- the check against msgpack-c --- */

static unsigned depth_of(const msgpack_object *value)
{
	bool is_map = value->type == MSGPACK_OBJECT_MAP;
	uint32_t count = is_map ? value->via.map.size : value->via.array.size;
	unsigned deepest = 0;

	if (!is_map && value->type != MSGPACK_OBJECT_ARRAY)
		return 0;
	for (uint32_t i = 0; i < count; i++) {
		unsigned key = is_map ? depth_of(&value->via.map.ptr[i].key) : 0;
		unsigned inner =
		    depth_of(is_map ? &value->via.map.ptr[i].val : &value->via.array.ptr[i]);

		inner = inner > key ? inner : key;
		deepest = inner > deepest ? inner : deepest;
	}
	return 1 + deepest;
}

/*
 * Could a header here announce more elements than there are bytes? msgpack-c would allocate them.
 * What looks like such a header may be text; then an input is lost to the comparison, no more.
 */
static bool is_dear(struct bytes packed)
{
	for (size_t i = 0; i < packed.len; i++) {
		uint8_t c = packed.data[i];
		size_t count = 0, bytes = c == 0xdd || c == 0xdf ? 4 : 2;

		if (c < 0xdc || c > 0xdf || packed.len - i <= bytes)
			continue;
		for (size_t k = 1; k <= bytes; k++)
			count = count << 8 | packed.data[i + k];
		if (count > packed.len)
			return true;
	}
	return false;
}

static void check_against_msgpack_c(struct bytes packed)
{
	size_t binary;
	bool passes = msgpack_check(packed, MSGPACK_DEPTH_CAP, &binary);
	msgpack_object root;
	msgpack_zone zone;
	bool ok;

	if (packed.len == 0 || (!passes && is_dear(packed)))
		return;
	ok = msgpack_zone_init(&zone, MSGPACK_ZONE_CHUNK_SIZE);
	assert(ok);
	ok = msgpack_unpack((const char *)packed.data, packed.len, NULL, &zone, &root) ==
	     MSGPACK_UNPACK_SUCCESS;
	assert(passes == (ok && depth_of(&root) <= MSGPACK_DEPTH_CAP));
	assert(!passes || binary < packed.len);
	msgpack_zone_destroy(&zone);
}

/* --- there and back --- */

static enum status unpack(struct bytes packed, struct packet *ret_packet)
{
	ret_packet->payload = NULL;
	return socketio_unpack(packed, MAX_LEN, &ret_packet->header, &ret_packet->payload,
	    &ret_packet->attachments, NULL);
}

static void expect_same(const struct packet *a, const struct packet *b)
{
	struct buf a_text = BUF_INIT, b_text = BUF_INIT;

	assert(a->header.type == b->header.type && bytes_equal(a->header.nsp, b->header.nsp));
	assert(a->header.has_id == b->header.has_id && a->header.id == b->header.id);
	assert(a->header.attachments == b->header.attachments);
	assert(!a->payload == !b->payload);
	if (a->payload) {
		json_append_value(&a_text, a->payload);
		json_append_value(&b_text, b->payload);
	}
	assert(bytes_equal(buf_bytes(&a_text), buf_bytes(&b_text)));
	for (size_t i = 0; i < a->attachments.len; i++)
		assert(bytes_equal(a->attachments.list[i], b->attachments.list[i]));
	buf_finish(&b_text);
	buf_finish(&a_text);
}

/* The text of an unpacked packet; empty if it has none: digits at the front would be an id. */
static void write_text(const struct packet *packet, struct buf *out)
{
	const struct socketio_packet *header = &packet->header;
	const uint64_t *id = header->has_id ? &header->id : NULL;
	struct buf nsp = BUF_INIT, json = BUF_INIT;
	bool is_binary = header->attachments > 0;

	buf_append_bytes(&nsp, header->nsp);
	if (packet->payload)
		json_append_value(&json, packet->payload);
	if (is_binary && header->type != SOCKETIO_EVENT && header->type != SOCKETIO_ACK)
		goto out;
	if (json.len && json.data[0] >= '0' && json.data[0] <= '9')
		goto out;
	if (is_binary)
		socketio_append_binary_header(out,
		    header->type == SOCKETIO_EVENT ? SOCKETIO_BINARY_EVENT : SOCKETIO_BINARY_ACK,
		    header->attachments, buf_str(&nsp), id);
	else
		socketio_append_header(out, header->type, buf_str(&nsp), id);
	buf_append_bytes(out, buf_bytes(&json));
out:
	buf_finish(&json);
	buf_finish(&nsp);
}

/* `text` has the "4" of Engine.IO in front. */
static void check_text(struct bytes text, const struct packet *packet)
{
	struct buf packed = BUF_INIT;
	struct packet again;
	enum status s;

	s = socketio_pack(
	    bytes_of(text.data + 1, text.len - 1), &packet->attachments, &packed, NULL);
	assert(!s);
	s = unpack(buf_bytes(&packed), &again);
	assert(!s);
	expect_same(packet, &again);
	json_free(again.payload);
	buf_finish(&packed);
}

static void check_packed(struct bytes packed)
{
	struct packet packet;
	struct buf text = BUF_INIT;

	check_against_msgpack_c(packed);
	if (unpack(packed, &packet))
		return;
	assert(packet.header.attachments == packet.attachments.len);
	assert(!packet.payload || socketio_placeholders_ok(packet.payload, packet.attachments.len));
	write_text(&packet, &text);
	if (text.len)
		check_text(buf_bytes(&text), &packet);
	buf_finish(&text);
	json_free(packet.payload);
}

/* --- from text --- */

/* As many attachments as the header counts, with bytes of the text itself. */
static bool attach(struct bytes text, struct socketio_attachments *ret_attachments)
{
	struct socketio_packet header;

	ret_attachments->len = 0;
	if (text.len == 0 || socketio_parse(text, &header, NULL) ||
	    header.attachments > SOCKETIO_ATTACHMENTS_CAP)
		return false;
	while (ret_attachments->len < header.attachments) {
		ret_attachments->list[ret_attachments->len] =
		    bytes_of(text.data, ret_attachments->len % text.len);
		ret_attachments->len++;
	}
	return true;
}

/*
 * Of what packs, this does not unpack: a namespace of any bytes, and a placeholder in a packet
 * without attachments, where it is an object like any other. More placeholders than attachments are
 * more binaries.
 */
static bool may_be_refused(struct bytes text, size_t attachments)
{
	struct socketio_packet header;
	enum status s = socketio_parse(text, &header, NULL);

	assert(!s);
	if (header.nsp.len > 1)
		return true;
	return attachments || memmem(text.data, text.len, "_placeholder", 12) ||
	       memchr(text.data, '\\', text.len);
}

static void check_packing(struct bytes text)
{
	struct socketio_attachments attachments;
	struct buf packed = BUF_INIT;
	struct packet packet;
	enum status s;

	if (!attach(text, &attachments) || socketio_pack(text, &attachments, &packed, NULL)) {
		assert(packed.len == 0);
		return;
	}
	check_against_msgpack_c(buf_bytes(&packed));
	s = unpack(buf_bytes(&packed), &packet);
	assert(!s || may_be_refused(text, attachments.len));
	if (!s)
		json_free(packet.payload);
	buf_finish(&packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = bytes_of(data, size);

	if (fuzz_choice(&input) & 1)
		check_packing(input);
	else
		check_packed(input);
	return 0;
}
