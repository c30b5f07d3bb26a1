/* A list of packets, and the two ways in which they leave. */
#include "engine/outq.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <utlist.h>

#include "base/xalloc.h"
#include "codec/base64.h"
#include "codec/engineio.h"

enum { IOV_MAX_PACKETS = 64, IOV_PER_PACKET = 3 };

struct packet {
	struct packet *prev, *next;
	struct packet *prev_loose, *next_loose;
	struct frame *body; /* NULL: everything is in the tail */
	uint32_t tail_len;
	uint32_t hash; /* of a state's key: looked at before the frame is, which others share */
	uint8_t head[WS_HEADER_MAX];
	uint8_t head_len;
	uint8_t opcode; /* of the WebSocket frame; 0: bytes that are none */
	uint8_t tail[];
};

static size_t packet_size(const struct packet *packet)
{
	return packet->head_len + (packet->body ? packet->body->len : 0u) + packet->tail_len;
}

static bool is_loose(const struct packet *packet)
{
	return packet->body &&
	       (packet->body->class == FRAME_STATE || packet->body->class == FRAME_HINT);
}

static void packet_free(struct packet *packet)
{
	frame_unref(packet->body);
	free(packet);
}

static void drop(struct outq *q, struct packet *packet)
{
	if (packet == q->urgent)
		q->urgent = NULL;
	if (is_loose(packet))
		DL_DELETE2(q->loose, packet, prev_loose, next_loose);
	DL_DELETE(q->packets, packet);
	q->bytes -= packet_size(packet);
	q->count--;
	packet_free(packet);
}

static void append(struct outq *q, struct packet *packet)
{
	DL_APPEND(q->packets, packet);
	if (is_loose(packet))
		DL_APPEND2(q->loose, packet, prev_loose, next_loose);
	q->bytes += packet_size(packet);
	q->count++;
}

static bool is_begun(const struct outq *q, const struct packet *packet)
{
	return packet == q->packets && q->written > 0;
}

static struct packet *packet_new(uint8_t opcode, struct frame *body, struct bytes tail)
{
	struct packet *packet = xmalloc(sizeof(*packet) + tail.len);

	*packet = (struct packet){ .body = body ? frame_ref(body) : NULL,
		.opcode = opcode,
		.tail_len = (uint32_t)tail.len,
		.hash = body ? body->key_hash + body->kind : 0 };
	if (tail.len)
		memcpy(packet->tail, tail.data, tail.len);
	if (opcode)
		packet->head_len = (uint8_t)ws_encode_header(
		    opcode, (body ? body->len : 0) + tail.len, packet->head);
	return packet;
}

static void append_message(const struct packet *packet, struct buf *out)
{
	if (packet->body)
		buf_append(out, packet->body->data, packet->body->len);
	buf_append(out, packet->tail, packet->tail_len);
}

/* "b" and the base64 of a binary packet. */
static void append_base64(const struct packet *packet, struct buf *out)
{
	struct buf whole = BUF_INIT;

	append_message(packet, &whole);
	buf_append_char(out, 'b');
	base64_append(out, buf_bytes(&whole));
	buf_finish(&whole);
}

/* The packet, or in its place the same as text, of the same class and key. */
static struct packet *as_base64(struct packet *packet)
{
	struct buf text = BUF_INIT;
	struct packet *converted;
	struct frame *frame;

	if (packet->opcode != WS_BINARY)
		return packet;
	append_base64(packet, &text);
	frame = frame_new(packet->body->class, buf_bytes(&text), packet->body->key);
	frame->kind = packet->body->kind;
	converted = packet_new(WS_TEXT, frame, bytes_of(NULL, 0));
	frame_unref(frame);
	buf_finish(&text);
	packet_free(packet);
	return converted;
}

void outq_finish(struct outq *q)
{
	while (q->packets)
		drop(q, q->packets);
}

/* A waiting older version of the same state, unless part of it is on the wire already. */
static struct packet *older_version(const struct outq *q, const struct packet *newer)
{
	struct packet *packet;

	if (newer->body->class != FRAME_STATE)
		return NULL;
	DL_FOREACH2(q->loose, packet, next_loose)
	{
		if (packet->hash == newer->hash && frame_same_state(packet->body, newer->body) &&
		    !is_begun(q, packet))
			return packet;
	}
	return NULL;
}

static bool fits(const struct outq *q, const struct outq_limits *limits,
    const struct packet *packet, const struct packet *in_place_of)
{
	size_t bytes = q->bytes - (in_place_of ? packet_size(in_place_of) : 0);
	unsigned count = q->count - (in_place_of ? 1 : 0);

	return count < limits->count && bytes + packet_size(packet) <= limits->bytes;
}

enum outq_result outq_push(
    struct outq *q, const struct outq_limits *limits, struct frame *frame, struct bytes tail)
{
	struct packet *packet = packet_new(frame->is_binary ? WS_BINARY : WS_TEXT, frame, tail);
	struct packet *older;

	if (q->is_b64)
		packet = as_base64(packet);
	older = older_version(q, packet);
	if (!fits(q, limits, packet, older)) {
		packet_free(packet);
		return frame->class == FRAME_HINT ? OUTQ_DROPPED : OUTQ_FULL;
	}
	if (older)
		drop(q, older);
	append(q, packet);
	return older ? OUTQ_REPLACED : OUTQ_QUEUED;
}

enum { ANY_KIND = -1 };

/* Those of a class and kind, but one of which a part is written. */
static unsigned drop_loose(struct outq *q, enum frame_class class, int kind)
{
	struct packet *packet, *next;
	unsigned dropped = 0;

	for (packet = q->loose; packet; packet = next) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed is not in the list */
		next = packet->next_loose;
		if (packet->body->class != class || is_begun(q, packet) ||
		    (kind != ANY_KIND && packet->body->kind != kind))
			continue;
		drop(q, packet);
		dropped++;
	}
	return dropped;
}

unsigned outq_drop_hints(struct outq *q)
{
	return drop_loose(q, FRAME_HINT, ANY_KIND);
}

unsigned outq_drop_states(struct outq *q, uint16_t kind)
{
	return drop_loose(q, FRAME_STATE, kind);
}

bool outq_is_half_full(const struct outq *q, const struct outq_limits *limits)
{
	return q->count > limits->count / 2 || q->bytes > limits->bytes / 2;
}

void outq_push_urgent(struct outq *q, enum ws_opcode opcode, struct bytes payload)
{
	struct packet *packet = packet_new((uint8_t)opcode, NULL, payload);
	struct packet *before = q->urgent;

	if (!before && q->packets && is_begun(q, q->packets))
		before = q->packets;
	DL_APPEND_ELEM(q->packets, before, packet); /* without one it becomes the first */
	q->urgent = packet;
	q->bytes += packet_size(packet);
	q->count++;
}

void outq_push_close(struct outq *q, struct bytes payload)
{
	append(q, packet_new(WS_CLOSE, NULL, payload));
}

void outq_clear(struct outq *q)
{
	struct packet *packet, *next;

	DL_FOREACH_SAFE (q->packets, packet, next) {
		if (!is_begun(q, packet))
			drop(q, packet);
	}
}

void outq_use_base64(struct outq *q)
{
	struct outq converted = {
		.urgent = q->urgent, .written = q->written, .taken = q->taken, .is_b64 = true
	};
	struct packet *packet, *next;

	DL_FOREACH_SAFE (q->packets, packet, next) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): unlinked before it is replaced */
		DL_DELETE(q->packets, packet);
		append(&converted, as_base64(packet));
	}
	*q = converted;
}

void outq_put_first(struct outq *q, struct outq *from)
{
	assert(q->written == 0);
	DL_CONCAT(from->packets, q->packets);
	q->packets = from->packets;
	DL_CONCAT2(from->loose, q->loose, prev_loose, next_loose);
	q->loose = from->loose;
	if (!q->urgent)
		q->urgent = from->urgent;
	q->bytes += from->bytes;
	q->count += from->count;
	q->written = from->written;
	*from = (struct outq){ 0 };
}

static bool is_message(const struct packet *packet)
{
	return packet->opcode == WS_TEXT || packet->opcode == WS_BINARY;
}

void outq_take_payload(struct outq *q, unsigned max_packets, size_t max_bytes, struct buf *out)
{
	for (unsigned n = 0; q->packets && n < max_packets; n++) {
		struct packet *packet = q->packets;
		size_t size = packet_size(packet);

		if (packet->opcode == WS_BINARY)
			size = size / 3 * 4 + 4;
		if (n > 0 && out->len + 1 + size > max_bytes)
			return;
		assert(is_message(packet));
		if (n > 0)
			buf_append_char(out, ENGINEIO_SEPARATOR);
		if (packet->opcode == WS_BINARY)
			append_base64(packet, out);
		else
			append_message(packet, out);
		q->taken += size;
		drop(q, packet);
	}
}

void outq_each(
    const struct outq *q, void (*fn)(void *arg, bool is_binary, struct bytes message), void *arg)
{
	const struct packet *packet;

	DL_FOREACH (q->packets, packet) {
		struct buf message = BUF_INIT;

		if (!is_message(packet))
			continue;
		append_message(packet, &message);
		fn(arg, packet->opcode == WS_BINARY, buf_bytes(&message));
		buf_finish(&message);
	}
}

/* One piece of a packet into the vector, without its first `*skip` bytes. */
static size_t add_piece(struct iovec *iov, const uint8_t *data, size_t len, size_t *skip)
{
	if (*skip >= len) {
		*skip -= len;
		return 0;
	}
	/* iovec is not const-correct; sendmsg() only reads */
	*iov = (struct iovec){ (void *)(uintptr_t)(data + *skip), len - *skip };
	*skip = 0;
	return 1;
}

static size_t gather(const struct outq *q, struct iovec *iov)
{
	size_t skip = q->written;
	size_t n = 0;
	unsigned packets = 0;
	const struct packet *packet;

	DL_FOREACH (q->packets, packet) {
		n += add_piece(&iov[n], packet->head, packet->head_len, &skip);
		if (packet->body)
			n += add_piece(&iov[n], packet->body->data, packet->body->len, &skip);
		n += add_piece(&iov[n], packet->tail, packet->tail_len, &skip);
		if (++packets == IOV_MAX_PACKETS)
			break;
	}
	return n;
}

static void advance(struct outq *q, size_t written)
{
	q->written += written;
	q->taken += written;
	while (q->packets && q->written >= packet_size(q->packets)) {
		q->written -= packet_size(q->packets);
		drop(q, q->packets);
	}
}

enum outq_progress outq_write(struct outq *q, int fd)
{
	struct iovec iov[IOV_MAX_PACKETS * IOV_PER_PACKET];

	while (q->packets) {
		struct msghdr msg = { .msg_iov = iov, .msg_iovlen = gather(q, iov) };
		ssize_t written = sendmsg(fd, &msg, MSG_NOSIGNAL);

		if (written < 0) {
			if (errno == EINTR)
				continue;
			return errno == EAGAIN ? OUTQ_BLOCKED : OUTQ_BROKEN;
		}
		advance(q, (size_t)written);
	}
	return OUTQ_EMPTY;
}
