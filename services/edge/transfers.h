/*
 * transfers: the transfers that a socket follows, which are no part of its user's states.
 *
 * Threads: belongs to the socket's loop.
 */
#ifndef EDGE_TRANSFERS_H
#define EDGE_TRANSFERS_H

#include "socket.h"

/* Asks for each how it stands. */
void transfers_ask(struct socket *socket);

#endif
