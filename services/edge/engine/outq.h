/*
 * outq: what waits to be written to one client, bounded.
 *
 * A packet is a WebSocket header, a shared body and the session's own tail. On a WebSocket all that
 * waits is written by one sendmsg(); a poll takes packets as the payload of its answer. Packets
 * leave in the order they were pushed, with two exceptions: a state that is replaced by a newer
 * version moves to the tail, and what keeps the connection alive (pings, pongs) goes before all
 * messages, so that a client that reads slowly is not taken for a dead one.
 *
 * Threads: belongs to its session's loop.
 */
#ifndef ENGINE_OUTQ_H
#define ENGINE_OUTQ_H

#include "base/buf.h"
#include "codec/ws.h"
#include "engine/frame.h"

struct packet;

struct outq {
	struct packet *packets; /* in the order they leave */
	struct packet *urgent;  /* the last of those that go before messages; NULL: none */
	struct packet *loose;   /* states and hints: those that may be taken out again */
	size_t bytes;           /* waiting, headers and tails included */
	unsigned count;
	size_t written; /* of the first packet */
	uint64_t taken; /* bytes that have left, ever: whether a client makes progress */
	bool is_b64;    /* a WebSocket whose client takes binary as text: "b" and base64 */
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

/*
 * A message: takes its own reference to `frame`; `tail` is copied. Judged by the bytes that will be
 * written, without those of an older version that it replaces.
 */
enum outq_result outq_push(
    struct outq *q, const struct outq_limits *limits, struct frame *frame, struct bytes tail);

/*
 * A pong, an Engine.IO ping (text) or, with opcode 0, bytes that are no frame (the 101): before
 * every message, behind others of this sort and behind a packet of which a part is written.
 */
void outq_push_urgent(struct outq *q, enum ws_opcode opcode, struct bytes payload);

/* The close frame: behind everything. */
void outq_push_close(struct outq *q, struct bytes payload);

/* Hints go, so that something else may fit; returns how many. */
unsigned outq_drop_hints(struct outq *q);

/* States of this kind go, since something that is to come says what they say; returns how many. */
unsigned outq_drop_states(struct outq *q, uint16_t kind);

/* Does more than half of what may wait? */
bool outq_is_half_full(const struct outq *q, const struct outq_limits *limits);

/* Everything goes but a packet of which a part is written. */
void outq_clear(struct outq *q);

/* From now on, and for what waits already: binary as base64 text. */
void outq_use_base64(struct outq *q);

/* What waits in `from` goes before what waits in `q`, of which nothing may be written yet. */
void outq_put_first(struct outq *q, struct outq *from);

/*
 * The next packets as an Engine.IO payload (joined by 0x1E, binary as "b" and base64): at least
 * one, if there is any; at most `max_packets`, and no second one beyond `max_bytes`.
 */
void outq_take_payload(struct outq *q, unsigned max_packets, size_t max_bytes, struct buf *out);

/* Every waiting message, oldest first, to move it elsewhere; control frames are left out. */
void outq_each(
    const struct outq *q, void (*fn)(void *arg, bool is_binary, struct bytes message), void *arg);

enum outq_progress { OUTQ_EMPTY, OUTQ_BLOCKED, OUTQ_BROKEN };

/* Write what the socket takes. BLOCKED: wait until it is writable; BROKEN: the connection is gone.
 */
enum outq_progress outq_write(struct outq *q, int fd);

#endif
