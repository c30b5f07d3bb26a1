/*
 * ops: the namespaces beside "/", for those whose token says so: "/ops" is for the role "ops".
 *
 * Threads: belongs to the session's loop.
 */
#ifndef EDGE_OPS_H
#define EDGE_OPS_H

#include "edge.h"
#include "walletwire/v1/edge.pb-c.h"

/* `name` is borrowed for as long as the edge lives. */
struct sio_namespace ops_namespace(const char *name);

/* Was the token revoked, or its key withdrawn, that this socket signed in with? */
bool ops_is_revoked(const struct sio_socket *socket);

/* For a session that moves to another edge; strings are allocated for the message to free. */
void ops_save(const struct sio_socket *socket, Walletwire__V1__MovedSocket *ret_moved);
/* False if it can't be: its user has too many sockets here. */
bool ops_restore(struct sio_socket *socket, const Walletwire__V1__MovedSocket *moved);

#endif
