/*
 * expiry: a signed-in socket lives no longer than its token.
 *
 * A minute before the end whoever wants to is told; at the end the transport is closed, without
 * leaving the namespace, so that the client comes back and brings a new token. auth:refresh moves
 * the end.
 *
 * Threads: belongs to the session's loop.
 */
#ifndef EDGE_EXPIRY_H
#define EDGE_EXPIRY_H

#include "edge.h"

struct expiry {
	struct loop_timer timer;
	struct sio_socket *socket;
	int64_t exp_s; /* seconds since 1970 */
	void (*on_soon)(struct sio_socket *socket);
};

/* (Re)arm. `on_soon` may be NULL. */
void expiry_arm(struct expiry *expiry, struct sio_socket *socket, int64_t exp_s,
    void (*on_soon)(struct sio_socket *socket));
void expiry_disarm(struct expiry *expiry);

#endif
