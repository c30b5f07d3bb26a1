/*
 * edge: the structs of ww-edge and who owns them. Internal to this folder.
 *
 *   edge                one per process: settings, bus, tokens, hub, the engine (engine/engine.h)
 *   └ edge_loop         one per thread: everything below belongs to it, nothing of it is locked
 *     ├ user            who has sockets on this loop; order of the mailbox (user.c)
 *     └ socket          the signed-in user in the namespace "/" of a session (socket.c)
 *
 * What crosses threads: a connection that was adopted (the engine's front -> loop), a delivery
 * (hub.c -> loops), the reply to a request (calls.c -> loop), what another edge asks (relay.c ->
 * loop). Each crossing is one loop_post().
 */
#ifndef EDGE_EDGE_H
#define EDGE_EDGE_H

#include <stdatomic.h>
#include <uthash.h>

#include "base/id.h"
#include "bus/bus.h"
#include "config.h"
#include "engine/engine.h"
#include "engine/sio.h"
#include "http/http.h"
#include "loop/loop.h"
#include "presence_order.h"
#include "recovery.h"
#include "token/token.h"

enum { EDGE_NAMESPACES_MAX = 16 };

/* What clients may do less often than anything else (commands.c). */
enum edge_rate { EDGE_RATE_NONE, EDGE_RATE_CHAT, EDGE_RATE_TYPING, EDGE_RATES };

struct edge {
	struct edge_config cfg;
	char
	    id[ENGINE_ID_MAX + 1]; /* <name>-<random>: unique per start, part of every session id */
	struct engine engine;
	struct engine_app app;
	struct engine_path paths[2];
	struct sio_config sio;
	struct rate_rule rates[EDGE_RATES];                   /* of a socket, beside all events */
	struct sio_namespace namespaces[EDGE_NAMESPACES_MAX]; /* "/" is the first */
	char *namespace_names;                                /* what their names point into */
	struct recovery_keys recovery; /* empty: connections are not recovered */
	struct bus *bus;
	struct bus_port *port;
	struct token_verifier *tokens;
	struct revoked *revoked;
	struct leases *leases;
	struct hub *hub;
	struct relay *relay;
	struct static_files *files; /* NULL: none are served */
	struct http_front *admin;
	struct edge_loop *loops;
	size_t loops_len;
	_Atomic bool draining;
	_Atomic int listens_on; /* the port for clients; 0: not yet */
	struct ops_gather {     /* belongs to the first loop (ops_gather.c) */
		size_t watching;
		bool is_asking;
		struct loop_timer timer;
	} ops_gather;
	_Atomic bool was_connected;
	_Atomic int64_t doubt_until_ms; /* of what NATS says of who is there, since it was away */
	_Atomic unsigned
	    hurries; /* reconnects of the bus and slow reports: each asks for a quick sweep */
};

struct edge_loop {
	struct edge *edge;
	struct engine_loop *engine;
	struct loop *loop;
	size_t index;
	struct user *users; /* by id */
	struct since_queue {
		struct user *first; /* waiting for a `since`, oldest first */
		unsigned in_flight;
	} since;
	struct open_queue {
		struct socket *first; /* waiting for their `open`, oldest first */
		unsigned in_flight;
	} opens;
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
		bool known;        /* are `head` and `live` known yet? */
		struct live *live; /* neither recalled nor expired */
		uint64_t head;     /* handled on this loop */
		uint64_t target;   /* known to exist */
		bool asking;
	} log;
	struct presence {
		/* sockets that are not idle, the one active longest ago first */
		struct socket *active;
		struct loop_timer idle_timer;
		bool is_told;                     /* reports are sent */
		struct presence_changed *changed; /* users to tell about, by id */
		/* users whose friends have not come, the one told longest ago first */
		struct user *wanting;
		uint64_t number;           /* of the newest report */
		int64_t told_ms, whole_ms; /* when it was, and the newest whole table */
		bool is_whole_due;
		struct loop_timer report_timer;
		struct socket *behind; /* sockets, see presence_behind.h */
		struct loop_timer behind_timer;
		struct presence_order order; /* of what comes */
		struct loop_timer silence;
	} presence;
	struct room_table {
		struct room *by_id; /* those that sockets of this loop have open */
		struct loop_timer timer;
	} rooms;
	struct ops_user *watching; /* sockets that are shown the fleet (ops.c) */
	struct drain {
		bool is_on;
		int64_t until_ms; /* then whoever is left goes */
		struct loop_timer timer;
	} drain;
	struct trail {
		struct buf records; /* for the audit record, packed, of which there are `len` */
		size_t len;
		char id[ID_SIZE]; /* what their names begin with */
		uint64_t next_number;
		struct rate_bucket provoked;
		struct loop_timer timer;
	} trail;
	struct relayed *relayed; /* connections that wait for other edges, by ticket */
	struct peer *peers;      /* the edges they wait for, by id */
	uint64_t next_ticket;
	struct call_again *agains; /* calls that other edges are asked once more */
	struct move *moves;        /* sessions about to move to other edges */
	_Atomic unsigned posted;   /* deliveries on their way to this loop */
	_Atomic bool closed;       /* shutting down: services are not asked any more */
};

/*
 * edge.cfg is set, everything else zeroed. Starts every part and returns; edge_stop() moves clients
 * away and takes down what was started, also after a failed start.
 */
enum status edge_start(struct edge *edge, struct err *err) MUST_CHECK;
void edge_stop(struct edge *edge);

/* Reads the token keys again; on failure old ones stay. From one thread, every few seconds. */
enum status edge_reload_keys(struct edge *edge, struct err *err) MUST_CHECK;

/* Is this edge fit for new clients? NULL, or why not. Any thread. */
const char *edge_not_ready(struct edge *edge);

/* Is NATS away, or was it a moment ago? Then who does not answer may be there. Any thread. */
bool edge_doubts_bus(struct edge *edge);

/* admin.c: health, metrics and, with --test-hooks, ways to break things. */
enum status admin_start(struct edge *edge, struct err *err) MUST_CHECK;

/* What one loop may have under way of what the whole edge may. */
static inline size_t edge_loop_share(const struct edge_loop *el, size_t max)
{
	size_t share = max / el->edge->loops_len;

	return share ? share : 1;
}

static inline struct edge_loop *edge_loop_of(const struct session *session)
{
	return session->el->app;
}

#endif
