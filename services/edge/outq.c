/* A list of packets and the one place that writes to client sockets. */
#include "outq.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <utlist.h>

#include "base/xalloc.h"

enum { IOV_MAX_PACKETS = 64, IOV_PER_PACKET = 3 };

struct packet {
	struct packet *prev, *next;
	struct frame *body; /* NULL: everything is in the tail */
	uint8_t head[WS_HEADER_MAX];
	uint8_t head_len;
	uint16_t tail_len;
	uint8_t tail[];
};

static size_t packet_size(const struct packet *packet)
{
	return packet->head_len + (packet->body ? packet->body->len : 0u) + packet->tail_len;
}

static void drop(struct outq *q, struct packet *packet)
{
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

static struct packet *packet_new(struct frame *body, struct bytes tail)
{
	struct packet *packet = xmalloc(sizeof(*packet) + tail.len);

	*packet = (struct packet){ .body = body ? frame_ref(body) : NULL,
		.tail_len = (uint16_t)tail.len };
	if (tail.len)
		memcpy(packet->tail, tail.data, tail.len);
	return packet;
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
		if (packet->body && frame_same_state(packet->body, frame) &&
		    !(packet == q->packets && q->written > 0))
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
	packet = packet_new(frame, tail);
	packet->head_len = (uint8_t)ws_encode_header(WS_TEXT, frame->len + tail.len, packet->head);
	append(q, packet);
	return result;
}

void outq_push_control(struct outq *q, enum ws_opcode opcode, struct bytes payload)
{
	struct packet *packet = packet_new(NULL, payload);

	if (opcode)
		packet->head_len = (uint8_t)ws_encode_header(opcode, payload.len, packet->head);
	append(q, packet);
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
