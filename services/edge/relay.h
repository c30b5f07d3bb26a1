/*
 * relay: requests for sessions of other edges, so that no load balancer has to be sticky.
 *
 * A session id names its edge. What lands elsewhere is asked of that edge over NATS:
 *
 *   GET    `poll`, accepted or refused at once; what it is told comes later, as an `answer` the
 * other way, which is acknowledged: an answer that may be lost ends the session POST   `post` with
 * the whole body; sent once, and one without an outcome ends the session WebSocket  stays where it
 * landed: `upgrade`, `probe`, and with `switch` the session moves here
 *
 * An edge that does not accept within a second, or has gone while a GET waits for it, counts as
 * dead: "Session ID unknown", upon which the client starts anew and recovers. One that is known to
 * be gone (leases.h) is not even asked. While NATS is away, and a moment longer, nobody counts as
 * dead for not being there: what reached nobody is asked again (calls.h).
 *
 * Threads: messages come on the bus's delivery thread and are posted to the session's loop, which
 * is the same function of the session id on both edges; everything else belongs to that loop.
 */
#ifndef EDGE_RELAY_H
#define EDGE_RELAY_H

#include "edge.h"
#include "walletwire/v1/edge.pb-c.h"

struct relay;

extern const struct engine_relay relay_functions;

/* Serves what other edges ask of this one. */
enum status relay_start(struct edge *edge, struct relay **ret_relay, struct err *err) MUST_CHECK;
void relay_stop(struct relay *relay); /* nothing is served any more; NULL is fine */
void relay_free(struct relay *relay); /* after the loops have ended; NULL is fine */

/* --- relay_serve.c: what other edges ask of this one, each on the session's loop --- */
struct relay_call {
	struct edge_loop *el;
	struct bus_msg *msg;
	char sid[ENGINE_SID_SIZE]; /* empty: asked of the edge as such */
};
void relay_serve(void *relay_call); /* takes it */
void relay_call_free(struct relay_call *call);
void relay_end_loop(struct edge_loop *el); /* gives up what waits; on the loop */

/* --- relay_ask.c --- */
/* Whether somebody waited for it. */
Walletwire__V1__RelayOutcome relay_on_answer(
    struct edge_loop *el, const Walletwire__V1__RelayAnswer *answer);

/* The edge has died: nothing that waits for it will be answered. */
void relay_on_edge_gone(struct edge_loop *el, const char *edge_id);

/* --- relay_watch.c: from now on somebody waits for the edge of this session; as often undone ---
 */
void relay_watch(struct edge_loop *el, const char *sid);
void relay_unwatch(struct edge_loop *el, const char *sid);

/* The subject of a verb at an edge; false if that can be no edge's id. */
enum { RELAY_SUBJECT_SIZE = ENGINE_ID_MAX + 32 };
bool relay_subject(
    const char *edge_id, const char *verb, char ret_subject[static RELAY_SUBJECT_SIZE]);

/* --- moved.c: a session as a message --- */
void moved_pack(struct session *session, struct buf *out); /* a RelayReply */
/* NULL if it can't be brought to life here. */
struct session *moved_restore(struct edge_loop *el, const struct engine_app *app, const char *sid,
    const Walletwire__V1__MovedSession *moved);

#endif
