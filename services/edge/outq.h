/*
 * outq: what waits to be written to one socket, bounded.
 *
 * A packet is a WebSocket header, a shared body and the socket's own tail, written by one sendmsg()
 * together with everything else that waits. Packets leave in the order they were pushed; only a
 * state that is replaced by a newer version moves, to the tail.
 *
 * Threads: belongs to its socket's loop.
 */
#ifndef EDGE_OUTQ_H
#define EDGE_OUTQ_H

#include "codec/ws.h"
#include "frame.h"

struct packet;

struct outq {
	struct packet *packets; /* oldest first */
	size_t bytes;           /* waiting, headers and tails included */
	unsigned count;
	size_t written; /* of the first packet */
};

enum outq_result {
	OUTQ_QUEUED,
	OUTQ_REPLACED, /* a waiting older version of the same state is gone */
	OUTQ_DROPPED,  /* a hint that found the queue full */
	OUTQ_FULL,     /* nothing was queued, and it may not be dropped: close the socket */
};

struct outq_limits {
	size_t bytes;
	unsigned count;
};

void outq_finish(struct outq *q);

/* A text message: takes its own reference to `frame`; `tail` is copied. */
enum outq_result outq_push(
    struct outq *q, const struct outq_limits *limits, struct frame *frame, struct bytes tail);

/* A control frame (ping, pong, close) or, with opcode 0, bytes that are no frame (the 101). */
void outq_push_control(struct outq *q, enum ws_opcode opcode, struct bytes payload);

enum outq_progress { OUTQ_EMPTY, OUTQ_BLOCKED, OUTQ_BROKEN };

/* Write what the socket takes. BLOCKED: wait until it is writable; BROKEN: the connection is gone.
 */
enum outq_progress outq_write(struct outq *q, int fd);

#endif
