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
	struct frame *body; /* NULL: everything is in the tail */
	uint8_t head[WS_HEADER_MAX];
	uint8_t head_len;
	uint8_t opcode; /* of the WebSocket frame; 0: bytes that are none */
	size_t tail_len;
	uint8_t tail[];
};

static size_t packet_size(const struct packet *packet)
{
	return packet->head_len + (packet->body ? packet->body->len : 0u) + packet->tail_len;
}

static void drop(struct outq *q, struct packet *packet)
{
	if (packet == q->urgent)
		q->urgent = NULL;
	DL_DELETE(q->packets, packet);
	q->bytes -= packet_size(packet);
	q->count--;
	frame_unref(packet->body);
	free(packet);
}

static void append(struct outq *q, struct packet *packet)
{
	DL_APPEND(q->packets, packet);
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

	*packet = (struct packet){
		.body = body ? frame_ref(body) : NULL, .opcode = opcode, .tail_len = tail.len
	};
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

/* The packet, or in its place the same as text. */
static struct packet *as_base64(struct packet *packet)
{
	struct buf text = BUF_INIT;
	struct packet *converted;

	if (packet->opcode != WS_BINARY)
		return packet;
	append_base64(packet, &text);
	converted = packet_new(WS_TEXT, NULL, buf_bytes(&text));
	buf_finish(&text);
	frame_unref(packet->body);
	free(packet);
	return converted;
}

void outq_finish(struct outq *q)
{
	while (q->packets)
		drop(q, q->packets);
}

/* A waiting older version of the same state, unless part of it is on the wire already. */
static struct packet *older_version(struct outq *q, const struct frame *frame)
{
	struct packet *packet;

	if (frame->class != FRAME_STATE)
		return NULL;
	DL_FOREACH (q->packets, packet) {
		if (packet->body && frame_same_state(packet->body, frame) && !is_begun(q, packet))
			return packet;
	}
	return NULL;
}

enum outq_result outq_push(
    struct outq *q, const struct outq_limits *limits, struct frame *frame, struct bytes tail)
{
	struct packet *older = older_version(q, frame);
	enum outq_result result = OUTQ_QUEUED;
	struct packet *packet;

	if (older) {
		drop(q, older);
		result = OUTQ_REPLACED;
	}
	if (q->count >= limits->count || q->bytes + frame->len > limits->bytes)
		return frame->class == FRAME_HINT ? OUTQ_DROPPED : OUTQ_FULL;
	packet = packet_new(frame->is_binary ? WS_BINARY : WS_TEXT, frame, tail);
	append(q, q->is_b64 ? as_base64(packet) : packet);
	return result;
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
	struct outq converted = { .urgent = q->urgent, .written = q->written, .is_b64 = true };
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
