/*
 * session: one Engine.IO connection (protocol 4) over a WebSocket.
 *
 *   OPEN ──► CLOSING ──► DEAD
 *
 * OPEN: the handshake is queued, packets flow. CLOSING: a close frame was queued; input is ignored,
 * and the connection ends when the peer closes or a second has passed (some clients see a close
 * frame only when the stream ends). DEAD: unlinked; freed at the end of the loop's turn, so nobody
 * further up the stack meets freed memory. One function moves it on: session_close(), idempotent,
 * with the reason.
 *
 * Threads: belongs to its loop.
 */
#ifndef EDGE_SESSION_H
#define EDGE_SESSION_H

#include "edge.h"

enum session_state { SESSION_OPEN, SESSION_CLOSING, SESSION_DEAD };

struct session {
	struct edge_loop *el;
	uint64_t number; /* of the loop: names the session where a pointer could dangle */
	UT_hash_handle hh;
	enum session_state state;
	bool token_in_query;
	bool is_dirty;
	bool ping_due; /* a ping was sent and not answered */
	bool is_slow;  /* a packet did not fit; closed at the end of the turn */
	struct session *next_dirty, *next_dead;
	struct loop_fd *lfd;
	struct ws_decoder decoder;
	struct outq out;
	struct loop_timer
	    heartbeat; /* when to ping, or until when the pong has to come; then the linger */
	struct loop_timer connect_deadline;
	struct socket *socket; /* in the namespace "/"; NULL before CONNECT and after DISCONNECT */
	unsigned calls;        /* requests to services under way, also of sockets that left */
	int64_t last_input_ms;
};

/* On the loop: takes the adopted connection, answers 101 and the open packet. Frees the handoff. */
void session_adopt(void *handoff);

/* NULL if it is gone. */
struct session *session_find(struct edge_loop *el, uint64_t number);

/*
 * Queue a packet; it is written at the end of the turn. If it does not fit even after the
 * connection was offered what waits, the session is closed then, not now, so that nothing a caller
 * holds goes away under it.
 */
void session_push(struct session *session, struct frame *frame, struct bytes tail);
/* The same for text that is this session's alone (copied). */
void session_push_text(struct session *session, struct bytes text);

/* End it; the socket, if any, leaves first. */
void session_close(struct session *session, enum close_reason reason);

/* (Re)start the time within which a namespace must be joined: connect-timeout, or `at_least_ms`. */
void session_expect_connect(struct session *session, int64_t at_least_ms);

/* The loop's turn end: writes what is queued, frees what died. */
void session_flush_all(void *edge_loop);

#endif
