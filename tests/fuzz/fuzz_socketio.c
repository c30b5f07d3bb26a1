/*
 * Text packets and their JSON. What was parsed, written again and parsed again is the same; the
 * scan in front of jansson counts the levels that jansson's tree has.
 *
 * Input: a text packet.
 */
#include "codec/json.h" /* first: macros of jansson have names of ours */

#include <jansson.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "codec/json_mend.h"
#include "codec/socketio.h"
#include "fuzz.h"

enum { MAX_JSON = 64 * 1024 };

static unsigned depth_of(json_t *value)
{
	unsigned deepest = 0;
	json_t *inner;
	const char *key;
	size_t i;

	if (!json_is_array(value) && !json_is_object(value))
		return 0;
	json_array_foreach(value, i, inner)
	{
		unsigned depth = depth_of(inner);

		deepest = depth > deepest ? depth : deepest;
	}
	json_object_foreach(value, key, inner)
	{
		unsigned depth = depth_of(inner);

		deepest = depth > deepest ? depth : deepest;
	}
	return 1 + deepest;
}

/* For all that jansson takes the scan is exact; beside it only a NUL is refused before jansson. */
static void check_scan(struct bytes text, bool parsed)
{
	json_t *root = text.len ? json_loadb((const char *)text.data, text.len,
				      JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL)
				: NULL;

	if (root)
		assert(json_depth_ok(text, JSON_DEPTH_MAX) == (depth_of(root) <= JSON_DEPTH_MAX));
	assert(parsed ==
	       (root && json_depth_ok(text, JSON_DEPTH_MAX) && !memchr(text.data, '\0', text.len)));
	json_decref(root);
}

static void check_json(const struct json *root)
{
	struct buf text = BUF_INIT, again = BUF_INIT;
	struct json *back;
	enum status s;

	json_append_value(&text, root);
	s = json_parse_max(buf_bytes(&text), MAX_JSON, &back, NULL);
	assert(!s);
	assert(json_equal((const json_t *)root, (const json_t *)back));
	json_append_value(&again, back);
	assert(bytes_equal(buf_bytes(&text), buf_bytes(&again)));
	json_free(back);
	buf_finish(&again);
	buf_finish(&text);
}

/* Ever more attachments make ever more placeholders legal. */
static void check_placeholders(const struct json *root, size_t attachments)
{
	if (socketio_placeholders_ok(root, attachments))
		assert(socketio_placeholders_ok(root, attachments + 1));
}

static void write_packet(const struct socketio_packet *packet, struct buf *out)
{
	char *nsp = xmalloc(packet->nsp.len + 1);
	const uint64_t *id = packet->has_id ? &packet->id : NULL;

	memcpy(nsp, packet->nsp.data, packet->nsp.len);
	nsp[packet->nsp.len] = '\0';
	if (packet->attachments)
		socketio_append_binary_header(out, packet->type, packet->attachments, nsp, id);
	else
		socketio_append_header(out, packet->type, nsp, id);
	buf_append_bytes(out, packet->json);
	free(nsp);
}

/* A namespace with a NUL can't be written; no namespace of ours has one. */
static void check_header(const struct socketio_packet *packet)
{
	struct socketio_packet again;
	struct buf text = BUF_INIT;
	struct bytes written;
	enum status s;

	if (memchr(packet->nsp.data, '\0', packet->nsp.len))
		return;
	write_packet(packet, &text);
	assert(text.data[0] == '4');
	written = bytes_of(text.data + 1, text.len - 1);
	s = socketio_parse(written, &again, NULL);
	assert(!s && again.type == packet->type && again.attachments == packet->attachments);
	assert(again.has_id == packet->has_id && again.id == packet->id);
	assert(bytes_equal(again.nsp, packet->nsp) && bytes_equal(again.json, packet->json));
	buf_finish(&text);
}

/* It takes nothing away from what is JSON already, has no more to do the second time, and moves
 * nothing. */
static void check_mending(struct bytes text)
{
	struct buf copy = BUF_INIT, again = BUF_INIT;
	struct bytes mended = json_mend(text, &copy);
	struct json *root = NULL;

	assert(mended.len == text.len);
	assert(json_mend(mended, &again).data == mended.data);
	if (!json_parse_max(text, MAX_JSON, &root, NULL))
		assert(mended.data == text.data);
	json_free(root);
	buf_finish(&copy);
	buf_finish(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct socketio_packet packet;
	struct json *root = NULL;
	bool parsed;

	if (socketio_parse(bytes_of(data, size), &packet, NULL))
		return 0;
	parsed = json_parse_max(packet.json, MAX_JSON, &root, NULL) == STATUS_OK;
	check_scan(packet.json, parsed);
	if (parsed) {
		check_json(root);
		check_placeholders(root, packet.attachments);
		(void)socketio_event_is_reserved(json_text(json_at(root, 0)));
	}
	/* What is no JSON may begin with what reads as a namespace. */
	if (parsed || packet.json.len == 0)
		check_header(&packet);
	json_free(root);
	check_mending(packet.json);
	return 0;
}
