/*
 * engine: an Engine.IO server, protocol 4 (https://socket.io/docs/v4/engine-io-protocol/): HTTP
 * long-polling, WebSocket, and the upgrade from one to the other. It knows nothing of Socket.IO,
 * tokens or NATS; what messages mean is its app's business (sio.h is the one for Socket.IO).
 *
 *   engine              one per process: settings, threads
 *   └ engine_loop       one per thread: everything below belongs to it, nothing of it is locked
 *     ├ exchange        one adopted HTTP request: a handshake, a poll, a post (exchange.h)
 *     ├ wsconn          one adopted WebSocket (wsconn.h)
 *     └ session         what clients call a connection; moves from polls to a WebSocket (session.h)
 *
 * A session id is "<server>.<random>": any server can tell whose a session is, and the random part
 * says which loop. What arrives at the wrong server is the relay's (engine_relay).
 *
 * Threads: handlers of HTTP heads run on civetweb's workers and do nothing but judge the head, take
 * the connection and post it to a loop. Everything else is for the loop's own thread.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdatomic.h>
#include <uthash.h>

#include "base/rate.h"
#include "engine/admission.h"
#include "engine/outq.h"
#include "http/http.h"
#include "loop/loop.h"

struct exchange;
struct session;
struct wsconn;

/* Why a session ends (proto/close.def). */
enum close_reason {
#define X(name, label, code, text) CLOSE_##name,
#include "close.def"
#undef X
	CLOSE_REASONS
};

/* The errors of Engine.IO protocol 4, by their codes; the last one is ours. */
enum engine_error {
	ERROR_UNKNOWN_TRANSPORT,
	ERROR_UNKNOWN_SID,
	ERROR_BAD_METHOD,
	ERROR_BAD_REQUEST,
	ERROR_FORBIDDEN,
	ERROR_UNSUPPORTED_VERSION,
	ERROR_RATE_LIMITED,
	ERROR_NONE,
};

enum {
	ENGINE_INPUT_SIZE = 64 << 10, /* of a loop's read buffer */
	ENGINE_ID_MAX = 63,           /* characters of a server's id */
	ENGINE_SID_SIZE = ENGINE_ID_MAX + 1 + 20 + 1,
};

/* What the messages of a session mean: one for each path that is served. */
struct engine_app {
	void (*on_open)(struct session *session);
	/* A whole message, lent for the call; the session may be closed by it, but is not freed. */
	void (*on_message)(struct session *session, bool is_binary, struct bytes data);
	/* The session is closing; called once, before it is gone. */
	void (*on_close)(struct session *session);
	const void *config; /* the app's own */
};

/*
 * What to do with requests for sessions of other servers; every function on a loop. Each takes over
 * the exchange or connection and sees to its answer.
 */
struct engine_relay {
	void (*poll)(struct exchange *exchange);
	void (*post)(struct exchange *exchange); /* its body is read */
	/* Only tells: the rest of the body will not come, so packets of the client's are lost. */
	void (*on_post_lost)(struct exchange *exchange);
	void (*upgrade)(struct wsconn *wsconn);   /* nothing was answered yet */
	void (*on_probe)(struct wsconn *wsconn);  /* the client sent "2probe" */
	void (*on_switch)(struct wsconn *wsconn); /* the client sent "5" */
	/* Before the end of one that it keeps something of (`relay` is set): drops that. */
	void (*on_gone)(struct wsconn *wsconn);
	void (*on_exchange_gone)(struct exchange *exchange);
	/* The server is going away: what can wait is let go of, what is about to be answered stays.
	 */
	void (*on_drain)(struct exchange *exchange);
};

struct engine_path {
	const char *path; /* compared exactly */
	const struct engine_app *app;
};

struct engine;

struct engine_config {
	const char *id;      /* this server's, of ID_ALPHABET; borrowed */
	const char *listen;  /* "127.0.0.1:3000" */
	const char *origins; /* who may connect from pages: see http/cors.h */
	struct admission_config admission;
	const struct engine_path *paths;
	size_t paths_len;
	size_t loops; /* threads; 0: one per core */
	int http_threads;
	int64_t head_timeout_ms, body_timeout_ms;
	int64_t ping_interval_ms, ping_timeout_ms, upgrade_timeout_ms;
	int64_t slow_timeout_ms; /* a queue may be more than half full without progress */
	size_t max_payload;      /* bytes of one HTTP body, announced in the handshake */
	size_t max_message;      /* bytes of one message */
	int64_t max_sessions;    /* and as many HTTP requests */
	size_t max_body_memory;  /* bytes of all bodies that are being read */
	struct outq_limits queue;
	/* How much of no use a client may send (session_strike()), and as many pings of
	 * WebSockets. */
	struct rate_rule strikes;
	/* What of a handshake's query the app wants to know; kept in session->flags. May be NULL.
	 */
	unsigned (*inspect)(const struct http_request *req);
	const struct engine_relay *relay; /* NULL: sessions of other servers are unknown */
	/* Requests for any other path, on civetweb's workers: answers by http_respond() or
	 * engine_send(). NULL: there is nothing there. */
	void (*other)(void *arg, struct engine *engine, struct http_request *req);
	void *other_arg;
};

struct engine_loop {
	struct engine *engine;
	struct loop *loop;
	size_t index;
	void *app;                /* of whoever embeds the engine */
	uint8_t *input;           /* one read buffer for every connection of the loop */
	struct session *sessions; /* by number */
	struct session *by_sid;   /* the same, by id */
	struct exchange *exchanges;
	struct wsconn *wsconns;
	uint64_t next_number;
	struct session *dirty;   /* have something to write at the end of the turn */
	struct wsconn *dirty_ws; /* likewise, without a session */
	struct grave *graves;    /* freed at the end of the turn */
	struct tomb *tombs;      /* ended sessions that one late request may still name (tomb.h) */
	struct tomb *tombs_oldest;
	_Atomic bool closed; /* shutting down */
};

struct engine {
	struct engine_config cfg;
	struct http_front *front;
	struct http_cors *cors;
	struct admission *admission;
	struct engine_loop *loops;
	size_t loops_len, loops_started;
	_Atomic int64_t sessions;  /* open or closing */
	_Atomic int64_t exchanges; /* adopted requests without their end */
	_Atomic size_t body_bytes; /* what they hold of bodies */
	_Atomic unsigned sent;     /* by engine_send(): the loops take turns */
	_Atomic bool draining;
};

/* From now on handshakes are refused, and sessions of other servers don't move here. Any thread. */
void engine_refuse_new(struct engine *engine);

/*
 * Life. engine_init() makes the loops, which run from engine_start() on; engine_listen() lets
 * clients in: what lies between is for whoever needs loops before clients come. engine_drain()
 * turns clients away and returns when no session is left, a second later at most but for clients
 * that read slowly; `on_loop` is called on each loop, after its last session was told. The loops
 * still run until engine_finish(), which is also for what was only started half.
 */
enum status engine_init(
    struct engine *engine, const struct engine_config *cfg, struct err *err) MUST_CHECK;
enum status engine_start(struct engine *engine, struct err *err) MUST_CHECK;
enum status engine_listen(struct engine *engine, struct err *err) MUST_CHECK;
void engine_drain(struct engine *engine, void (*on_loop)(struct engine_loop *el));
void engine_finish(struct engine *engine);

/* The loop that has (or would have) the session of this id. */
struct engine_loop *engine_loop_of(struct engine *engine, const char *sid);
/* Is it the id of a session of this server, as far as its form tells? */
bool engine_owns(const struct engine *engine, const char *sid);

/* The server's part of a session id; false if it has none, or one that could be no server's. */
bool engine_server_of(const char *sid, char ret_id[static ENGINE_ID_MAX + 1]);

/* JSON of an error, as a body for HTTP; its text alone, for refused WebSockets. */
void engine_append_error(struct buf *out, enum engine_error error);
const char *engine_error_text(enum engine_error error);
int engine_error_status(enum engine_error error); /* of HTTP */

/*
 * Answer with 200 and a body that is lent for as long as the engine lives; the loops write it, so
 * that no worker waits for a slow reader and no reader costs a copy. `headers` is whole lines.
 */
void engine_send(struct engine *engine, struct http_request *req, const char *content_type,
    struct bytes body, const char *headers);

/* Free `thing` by `fn` at the end of the turn, when nobody up the stack holds it any more. */
void engine_bury(struct engine_loop *el, void (*fn)(void *thing), void *thing);

#endif
