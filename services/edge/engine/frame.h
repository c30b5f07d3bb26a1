/*
 * frame: an encoded packet that many sessions share.
 *
 * Made once per delivery and encoding, immutable, counted by reference. What differs between
 * sessions (the WebSocket header, the unread total) is not in it: see outq.h.
 *
 * Threads: references may be taken and dropped on any thread.
 */
#ifndef ENGINE_FRAME_H
#define ENGINE_FRAME_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/bytes.h"

/* How a packet behaves in a full queue (docs/protocol.md, "Three classes of delivery"). */
enum frame_class {
	FRAME_CONTROL, /* the protocol's own: handshake, acks, pings, close */
	FRAME_KEEP,    /* never dropped: a socket that can't take it is closed and recovers */
	FRAME_STATE,   /* replaced by a newer one of the same key while it waits */
	FRAME_HINT,    /* dropped first */
};

struct frame {
	_Atomic unsigned refs;
	enum frame_class class;
	bool is_binary;      /* a binary message; otherwise text with its Engine.IO type */
	bool ends_in_unread; /* the session's tail completes `"unread":` */
	uint16_t kind;       /* of a state: its member number in Payload */
	const char *key;     /* of a state: which one of its kind; lives in the frame */
	uint32_t key_hash;
	_Atomic(struct frame *)
	    packed; /* the same for clients of another encoding, once it was asked for */
	size_t len;
	uint8_t data[];
};

/* A frame with one reference, holding a copy of `data` and, for a state, of `key`. */
struct frame *frame_new(enum frame_class class, struct bytes data, const char *key);
struct frame *frame_ref(struct frame *frame);
void frame_unref(struct frame *frame); /* NULL is fine */

/*
 * The other encoding of a frame, made by `make` when it is asked for the first time, and kept with
 * the frame: borrowed from it. NULL if `make` gave none.
 */
struct frame *frame_packed(struct frame *frame, struct frame *(*make)(const struct frame *frame));

/* Are these two versions of one and the same state? */
bool frame_same_state(const struct frame *a, const struct frame *b);

#endif
