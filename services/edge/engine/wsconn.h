/*
 * wsconn: an adopted WebSocket (RFC 6455).
 *
 *   PROBING ──► ACTIVE ──► ENDING ──► DEAD
 *
 * PROBING: it names a session that is on polling; "2probe" and then "5" make it that session's
 * transport. ACTIVE: it is a session's transport, whose queue it writes. ENDING: a close frame is
 * queued; it ends when the peer closes or a second has passed.
 *
 * Threads: belongs to its loop.
 */
#ifndef ENGINE_WSCONN_H
#define ENGINE_WSCONN_H

#include "codec/ws.h"
#include "engine/engine.h"
#include "engine/session.h"

/* A connection on its way from the front to its loop; freed there. */
struct ws_handoff {
	struct engine_loop *el;
	const struct engine_app *app;
	int fd;
	unsigned flags;
	bool is_b64;          /* the client takes no binary frames */
	char accept[29];      /* Sec-WebSocket-Accept */
	char subprotocol[64]; /* the first one offered, or empty */
	bool is_new;          /* a session starts with it; otherwise it names one */
	char sid[ENGINE_SID_SIZE];
	struct buf headers; /* for the answer */
};

enum ws_state { WS_PROBING, WS_ACTIVE, WS_ENDING, WS_DEAD };

struct wsconn {
	struct engine_loop *el;
	struct wsconn *prev, *next; /* of the loop */
	struct session *session;    /* whose transport it is, or that it probes; NULL: a relay's */
	void *relay;                /* the relay's own */
	struct loop_fd *lfd;
	struct ws_decoder decoder;
	struct outq
	    out; /* before it is a session's transport; then the session's queue is written */
	enum ws_state state;
	struct rate_bucket strikes; /* for control frames, whoever the session is */
	bool is_b64;
	bool is_paused;  /* nothing is read: it waits for the relay */
	struct buf held; /* what came behind the packet that paused it */
	bool is_dirty;
	struct wsconn *next_dirty;
	int peer_code;              /* what the client closed with, 0: nothing */
	struct loop_timer deadline; /* of the probe, or of the linger */
	struct ws_handoff *handoff; /* until it is answered */
};

/* On the loop: takes the adopted connection. */
void wsconn_adopt(void *handoff);

/* --- for sessions that a relay probes for --- */
void wsconn_accept(struct wsconn *ws);                          /* answers 101 */
void wsconn_refuse(struct wsconn *ws, enum engine_error error); /* answers 400 and ends */
void wsconn_answer_probe(struct wsconn *ws);                    /* "3probe" */
/* Becomes the transport of a session that moved here; its own queue goes first. */
void wsconn_attach(struct wsconn *ws, struct session *session);

/* Close it: `reason` gives the code. A session it is the transport of is not told. */
void wsconn_close(struct wsconn *ws, enum close_reason reason);

/* The loop has ended: gone without a word to anybody. */
void wsconn_drop(struct wsconn *ws);

/* Write what the socket takes of what waits, in its own queue or in its session's. Ends nothing: a
 * connection that is gone is noticed by the next flush. */
void wsconn_write(struct wsconn *ws);
/* The same, and see to what follows from it. */
void wsconn_flush(struct wsconn *ws);
void wsconn_flush_all(struct engine_loop *el);

#endif
