/*
 * tomb: session ids that have ended and that a late request may still name.
 *
 * A client that says "1" by POST may have a GET under way that arrives after it: the session is
 * gone by then, and yet this is no error. A session that moved to a WebSocket of another server is
 * not unknown either. So such an id is remembered for a while.
 *
 * Threads: belongs to its loop.
 */
#ifndef ENGINE_TOMB_H
#define ENGINE_TOMB_H

#include "engine/engine.h"

enum tomb_kind {
	TOMB_NONE,
	TOMB_CLOSED, /* by the client: its one late GET is answered with a noop */
	TOMB_MOVED,  /* it is on a WebSocket elsewhere: polling it is a bad request */
};

void tomb_add(struct engine_loop *el, const char *sid, enum tomb_kind kind);
/* What is known of it; a GET is told of a TOMB_CLOSED once. */
enum tomb_kind tomb_take(struct engine_loop *el, const char *sid, bool is_get);
void tomb_finish(struct engine_loop *el);

#endif
