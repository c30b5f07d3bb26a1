/*
 * tracking: what a socket has changed about its channels and its presence, kept for the edge that
 * recovers it.
 *
 * A value of the bucket ww_tracking under <user>.<socket id>: stored before the client is told that
 * its channel was left, its transfer is followed or it is away, and again every twelve hours, since
 * the bucket forgets after a day. A socket that keeps the channels it was given stores nothing.
 *
 * Threads: belongs to the socket's loop.
 */
#ifndef EDGE_TRACKING_H
#define EDGE_TRACKING_H

#include "calls.h"
#include "socket.h"

/*
 * Store how it stands; `fn` is told the outcome, and may be NULL. What failed is tried again until
 * it is stored. False, and nothing is told, if there is nothing to store, or nobody will recover
 * this socket.
 */
bool tracking_store(struct socket *socket, call_fn fn, void *arg);

/* What the socket of this id had changed: NOT_FOUND for nothing, else the reply to restore. */
void tracking_load(const struct socket *socket, call_fn fn, void *arg);
void tracking_restore(struct socket *socket, struct bytes reply);

/* With its socket. */
void tracking_free(struct socket *socket);

#endif
