/*
 * ops: the namespaces beside "/", for those whose token says so: "/ops" is for the role "ops", who
 * is shown the fleet there.
 *
 * Threads: belongs to the session's loop.
 */
#ifndef EDGE_OPS_H
#define EDGE_OPS_H

#include <protobuf-c/protobuf-c.h>

#include "edge.h"
#include "walletwire/v1/edge.pb-c.h"

/* `name` is borrowed for as long as the edge lives. */
struct sio_namespace ops_namespace(const char *name);

/* An event of "/ops" that a newer one of its name replaces while it waits; the caller's. */
struct frame *ops_encode(const char *event, const ProtobufCMessage *body);
/* To everybody in "/ops" on this loop. */
void ops_show(struct edge_loop *el, struct frame *frame);

/* Was the token revoked, or its key withdrawn, that this socket signed in with? */
bool ops_is_revoked(const struct sio_socket *socket);

/* For a session that moves to another edge; strings are allocated for the message to free. */
void ops_save(const struct sio_socket *socket, Walletwire__V1__MovedSocket *ret_moved);
/* False if it can't be: its user has too many sockets here. */
bool ops_restore(struct sio_socket *socket, const Walletwire__V1__MovedSocket *moved);

#endif
