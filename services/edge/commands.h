/*
 * commands: what clients may ask, as a closed table (commands.c).
 *
 * An event is either answered by the edge itself (channels) or is a verb of a service: its payload
 * is read by the request's descriptor, the caller is set from the verified token, and the reply is
 * rendered by its own descriptor. A new verb is a row.
 */
#ifndef EDGE_COMMANDS_H
#define EDGE_COMMANDS_H

#include "socket.h"

/* One more than the socket's rate allows: nothing is done. */
void command_refuse(struct sio_socket *socket, const struct sio_event *event, int64_t wait_ms);

void command_run(struct socket *socket, const struct sio_event *event);

#endif
