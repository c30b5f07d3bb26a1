/*
 * trail: what an edge tells the audit record: who connected, who was refused, what was denied.
 *
 * An edge has no table to write it to first. Records gather for a quarter of a second and go to the
 * stream in one message; what the stream does not take is lost, and counted. Refusals and denials
 * are the clients' to provoke: so many a second are told, and the rest is counted as well.
 *
 * Threads: belongs to its loop.
 */
#ifndef EDGE_TRAIL_H
#define EDGE_TRAIL_H

#include "socket.h"

enum { TRAIL_ABOUT_MAX = 160 };

/* A CONNECT was answered. */
void trail_connected(const struct socket *socket);
/* It was not: `code` says why. `user_id` is NULL where nobody knows whose token it was. */
void trail_refused(const struct sio_socket *socket, const char *user_id, const char *code);
/* A user asked for what they may not: `event` is the client's, `about` the channel, room or
 * transfer; it may be empty. */
void trail_denied(const struct socket *socket, const char *event, struct bytes about);

/* Sends what has gathered. */
void trail_stop(struct edge_loop *el);

#endif
