/*
 * presence: whether the live sockets of a user are online or away.
 *
 * A socket is away if its client says so (presence:set), until it says otherwise, or if its client
 * has done nothing for `away-after`, until it does something: an event or an acknowledgement, while
 * pongs, polls and the packets of namespaces are the library's. What of this others are told is in
 * presence_report.h, what is shown of them in presence_show.h; the whole of it in
 * docs/adr/0012-presence.md.
 *
 * Threads: everything but presence_listen() belongs to the socket's loop.
 */
#ifndef EDGE_PRESENCE_H
#define EDGE_PRESENCE_H

#include "socket.h"

/* From here on ww-presence is told of this edge's sockets and heard; after the bus was opened. */
void presence_listen(struct edge *edge);
/* The loop is about to end: it has no sockets any more, and tells so. */
void presence_stop(struct edge_loop *el);

/* The socket counts from now on, or no more. */
void presence_on_live(struct socket *socket);
void presence_on_leave(struct socket *socket);
/* Its client has done something; a hook of its namespace. */
void presence_on_activity(struct sio_socket *base);

/* What the client says: "online" or "away". INVALID for another word. */
enum status presence_set(struct socket *socket, struct bytes word, struct err *err) MUST_CHECK;

#endif
