/*
 * transfers: the transfers that a socket follows, which are no part of its user's states.
 *
 * One that nobody has heard of may be tracked before its first event. Only its parties are rung, so
 * whoever else follows it hears nothing; who it is for is asked once more after `track-pending`:
 * what has not appeared by then, or is for others, is not tracked any more. The client is not told,
 * since its answer said that the transfer is not known, and nothing it can do depends on it.
 *
 * Threads: belongs to the socket's loop.
 */
#ifndef EDGE_TRANSFERS_H
#define EDGE_TRANSFERS_H

#include "socket.h"
#include "walletwire/v1/client.pb-c.h"

/* Asks for each how it stands. */
void transfers_ask(struct socket *socket);

/* Gives one that is not known some time to appear. */
void transfer_await(struct tracked *tracked);
/* It can't be followed, or nobody knows: one that is not known yet is let go. */
void transfer_give_up(struct socket *socket, const char *id);
/* The client was answered this: what is older is not shown after it. */
void transfer_answered(const struct socket *socket, const Walletwire__V1__TransferUpdate *transfer);

#endif
