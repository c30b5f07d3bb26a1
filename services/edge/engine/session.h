/*
 * session: what an Engine.IO client calls a connection. It starts on HTTP long-polling or on a
 * WebSocket and may move from the first to the second, once.
 *
 *   OPEN ──► CLOSING ──► DEAD
 *
 * OPEN: packets flow. CLOSING: on a WebSocket a close frame is queued, input is ignored, and the
 * end comes when the peer closes or a second has passed (some clients see a close frame only when
 * the stream ends); on polling GETs are told what is left, and the one after that this was all.
 * DEAD: unlinked; freed at the end of the loop's turn, so nobody further up the stack meets freed
 * memory. One function moves it on: session_close(), idempotent, with the reason.
 *
 * Threads: belongs to its loop.
 */
#ifndef ENGINE_SESSION_H
#define ENGINE_SESSION_H

#include "engine/engine.h"

/* What the gauges say of it (count_session()). */
struct session_counted {
	bool is_counted, is_websocket;
	size_t bytes;
	unsigned packets;
};

enum session_state { SESSION_OPEN, SESSION_CLOSING, SESSION_DEAD };

/*
 * A GET that waits. Whoever holds it is a part of this server (exchange.c) or asks for another one
 * (the relay). `answer` is called once and ends it: `body` is lent.
 */
struct poll {
	struct session *session; /* where it waits, NULL: nowhere */
	size_t max_bytes;        /* of the answer */
	void (*answer)(struct poll *poll, int status, struct bytes body);
};

struct session {
	struct engine_loop *el;
	const struct engine_app *app;
	void *data;      /* the app's own */
	uint64_t number; /* of the loop: names the session where a pointer could dangle */
	UT_hash_handle hh, hh_sid;
	enum session_state state;
	unsigned flags; /* what engine_config.inspect() said of the handshake */
	bool is_dirty;
	bool ping_due;  /* a ping was sent and not answered */
	bool is_doomed; /* it is closed at the end of the turn, for the reason `doom` */
	enum close_reason doom;
	bool is_probing; /* a WebSocket, here or at another server, may become the transport */
	bool is_probed;  /* and has said so: no GET waits any more */
	struct session *next_dirty;
	struct poll *poll;     /* the GET that waits; on polling only */
	struct exchange *post; /* the POST that is being read */
	struct wsconn *ws;     /* the transport; NULL: polling */
	struct wsconn *probe;  /* that WebSocket, if it is here */
	struct outq out;
	struct session_counted counted;
	/* When to ping, or until when the pong has to come; then the linger. */
	struct loop_timer heartbeat;
	struct loop_timer probe_deadline;
	struct loop_timer drain; /* when it is closed because the server goes away */
	char *remote_probe;      /* names the WebSocket of another server that probes; NULL: none */
	int64_t last_input_ms;
	struct rate_bucket strikes;
	struct loop_timer stall; /* armed while more than half a queue waits */
	uint64_t taken_seen;     /* of the queue, when it was armed */
	unsigned calls;          /* the app's questions to others that are under way */
	char sid[];
};

/*
 * A session without a transport. For a new one session_open() queues the open packet and tells its
 * app; one that moved here goes on as it is.
 */
struct session *session_new(
    struct engine_loop *el, const struct engine_app *app, const char *sid, unsigned flags);
void session_open(struct session *session, bool can_upgrade);
void session_make_sid(const struct engine *engine, char ret_sid[static ENGINE_SID_SIZE]);

/* NULL if it is gone. */
struct session *session_find(struct engine_loop *el, uint64_t number);
struct session *session_find_sid(struct engine_loop *el, const char *sid);

/*
 * Queue a packet; it is written at the end of the turn. If it does not fit even after the
 * connection was offered what waits, the session is closed then, not now, so that nothing a caller
 * holds goes away under it.
 */
void session_push(struct session *session, struct frame *frame, struct bytes tail);
/* The same for what is this session's alone (copied): text with its Engine.IO type, or a binary
 * message. */
void session_push_text(struct session *session, struct bytes text);
void session_push_binary(struct session *session, struct bytes data);

/* Close it at the end of the turn, so that nothing the caller holds goes away under it. */
void session_doom(struct session *session, enum close_reason reason);

/*
 * Its client has sent what is of no use, or more than it may: often enough, and it is closed. What
 * is forgiven meanwhile is what the setting says, so clients that do so now and then live on.
 * Returns whether it is still open.
 */
bool session_strike(struct session *session);

/* Close it with CLOSE_DRAIN then, unless it ends sooner. */
void session_drain_at(struct session *session, int64_t deadline_ms);

/* End it; its app is told first. */
void session_close(struct session *session, enum close_reason reason);
/* The same for what breaks the rules of the transport: on polling nobody is waited for any more. */
void session_reject(struct session *session, enum close_reason reason);
/* The loop has ended: gone without a word to anybody. */
void session_drop(struct session *session);
/* It lives on elsewhere: its app lets go of it, and nothing more is said to its client. */
void session_forget(struct session *session);

/* --- for the transports --- */

/* One packet of the client's; returns false if it closed the session because it is malformed. */
bool session_on_text(struct session *session, struct bytes text);
bool session_on_binary(struct session *session, struct bytes data);

/*
 * The session of this id, if it may be polled and posted to; otherwise NULL and the error to
 * answer, or ERROR_NONE for a GET of a session that has just ended in order (it is answered with a
 * noop).
 */
struct session *session_on_polling(struct engine_loop *el, const struct engine_app *app,
    const char *sid, bool is_get, enum engine_error *ret_error);

/* A GET: answered now, or waits. Takes the poll. */
void session_take_poll(struct session *session, struct poll *poll);
/* The client of a waiting poll has gone. */
void session_on_poll_gone(struct session *session);

/* The body of a POST. Returns whether it was well-formed; if not, the session is closing. */
bool session_on_payload(struct session *session, struct bytes payload);

/* An upgrade. `probe` is NULL if the WebSocket is at another server, which `remote` then names. */
bool session_can_probe(const struct session *session);
void session_begin_probe(struct session *session, struct wsconn *probe, const char *remote_or_null);
void session_on_probed(struct session *session);
void session_end_probe(struct session *session);
/* The client is through with polling: `ws` is the transport from now on. */
void session_switch(struct session *session, struct wsconn *ws);

/* The WebSocket has gone. */
void session_on_ws_gone(struct session *session);

/* Send a ping now: nobody here knows when the last one was. */
void session_ping(struct session *session);
void session_touch(struct session *session); /* bytes came in: it is alive */
void session_mark_dirty(struct session *session);

/* More than half of what may wait for it does: whoever can wait with something, should. */
bool session_is_congested(const struct session *session);

/* The loop's turn end: writes what is queued. */
void session_flush_all(struct engine_loop *el);

#endif
