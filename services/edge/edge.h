/*
 * edge: the structs of ww-edge and who owns them. Internal to this folder.
 *
 *   edge                one per process: settings, bus, tokens, hub
 *   └ edge_loop         one per thread: everything below belongs to it, nothing of it is locked
 *     ├ user            who has sockets on this loop; order of the mailbox (user.c)
 *     └ session         one Engine.IO connection: WebSocket, heartbeat, queue (session.c)
 *       └ socket        the signed-in user in the namespace "/" (socket.c)
 *
 * What crosses threads: a connection that was adopted (front.c -> loop), a delivery (hub.c ->
 * loops), the reply to a request (calls.c -> loop). Each crossing is one loop_post().
 */
#ifndef EDGE_EDGE_H
#define EDGE_EDGE_H

#include <stdatomic.h>
#include <uthash.h>

#include "base/id.h"
#include "bus/bus.h"
#include "codec/ws.h"
#include "config.h"
#include "http/http.h"
#include "loop/loop.h"
#include "outq.h"
#include "token/token.h"

/* Why a connection ends (proto/close.def). */
enum close_reason {
#define X(name, label, code, text) CLOSE_##name,
#include "close.def"
#undef X
	CLOSE_REASONS
};

enum { EDGE_INPUT_SIZE = 64 << 10 }; /* of a loop's read buffer */

struct edge {
	struct edge_config cfg;
	char id[64]; /* <name>-<random>: unique per start, part of every session id */
	struct outq_limits queue_limits;
	struct bus *bus;
	struct bus_port *port;
	struct token_verifier *tokens;
	struct revoked *revoked;
	struct hub *hub;
	struct http_front *front;
	struct http_front *admin;
	struct edge_loop *loops;
	size_t loops_len;
	_Atomic size_t next_loop;
	_Atomic int64_t sockets; /* connections adopted and not yet freed */
	_Atomic bool draining;
	_Atomic unsigned
	    hurries; /* reconnects of the bus and slow reports: each asks for a quick sweep */
};

struct edge_loop {
	struct edge *edge;
	struct loop *loop;
	size_t index;
	uint8_t *input;           /* one read buffer for every socket of the loop */
	struct session *sessions; /* by number */
	uint64_t next_number;
	struct session *dirty; /* have something to write at the end of the turn */
	struct session *dead;  /* freed at the end of the turn */
	struct user *users;    /* by id */
	struct since_queue {
		struct user *first; /* waiting for a `since`, oldest first */
		unsigned in_flight;
	} since;
	struct sweep {
		struct user
		    *fresh; /* joined a moment ago, oldest first: asked first after two seconds */
		struct user *ring; /* everybody else, the one asked longest ago first */
		size_t ring_len;
		size_t credit;          /* users x ms that were not enough for a whole user yet */
		unsigned hurries_seen;  /* of edge.hurries */
		int64_t hurry_until_ms; /* ask everybody within this time */
		struct loop_timer timer;
	} sweep;
	struct announcement_log {
		bool known;      /* is `head` known yet? */
		uint64_t head;   /* handled on this loop */
		uint64_t target; /* known to exist */
		bool asking;
	} log;
	_Atomic unsigned posted; /* deliveries on their way to this loop */
	_Atomic bool closed;     /* shutting down: services are not asked any more */
};

/*
 * edge.cfg is set, everything else zeroed. Starts every part and returns; edge_stop() moves clients
 * away and takes down what was started, also after a failed start.
 */
enum status edge_start(struct edge *edge, struct err *err) MUST_CHECK;
void edge_stop(struct edge *edge);

/* Is this edge fit for new clients? NULL, or why not. Any thread. */
const char *edge_not_ready(struct edge *edge);

/* front.c: HTTP in, adopted connections out. */
enum status front_start(struct edge *edge, struct err *err) MUST_CHECK;
enum status front_start_admin(struct edge *edge, struct err *err) MUST_CHECK;

/* A connection on its way from the front to its loop; freed by session_adopt(). */
struct handoff {
	struct edge_loop *el;
	int fd;
	char accept[29];      /* Sec-WebSocket-Accept */
	char subprotocol[64]; /* the first one offered, or empty */
	bool token_in_query;
};

#endif
