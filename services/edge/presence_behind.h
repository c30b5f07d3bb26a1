/*
 * presence_behind: sockets that take what changes about their friends more slowly than it does.
 *
 * More than half of such a socket's queue waits. It is shown no more single updates, and those that
 * wait go: a list of friends says the same in one packet. It is asked for when the queue is below
 * half, so that thousands of friends who change at once cost a slow client neither its connection
 * nor everybody a list every 100 ms.
 *
 * Threads: belongs to its loop.
 */
#ifndef EDGE_PRESENCE_BEHIND_H
#define EDGE_PRESENCE_BEHIND_H

#include "socket.h"

/* Should the socket be shown nothing now? Then it has fallen behind. */
bool presence_falls_behind(struct socket *socket);
/* It is gone, or about to be. */
void presence_behind_forget(struct socket *socket);
void presence_behind_stop(struct edge_loop *el);

#endif
