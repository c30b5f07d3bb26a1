/*
 * drain: moves the clients of an edge that goes away to others, at a pace.
 *
 * From the beginning on the edge is not ready and takes no handshakes; polls and posts go on. Every
 * session gets a time of its own, evenly spread, at which it is closed; its socket in "/" is told
 * it by `server:drain`. So others are not stormed, and a client may choose a better moment itself.
 *
 * Threads: a session's part belongs to its loop.
 */
#ifndef EDGE_DRAIN_H
#define EDGE_DRAIN_H

#include "edge.h"

struct socket;

/* Any thread. Asked again, a sooner end counts: whoever is left is given another time. */
void drain_begin(struct edge *edge, int64_t within_ms);

/* A socket became live: if the edge is going away, it is told so too. */
void drain_on_live(struct socket *socket);

/* The verb `drain`; takes a struct relay_call. */
void drain_serve(void *relay_call);

void drain_stop(struct edge_loop *el); /* the loop is closed */

#endif
