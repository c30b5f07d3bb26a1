/*
 * hub: which loops want which user's doorbell.
 *
 * The one table that loops share. A loop registers a user with its first socket and leaves with its
 * last; the bus subscription follows. The bus's delivery thread asks it where a message goes.
 *
 * Threads: all functions from any thread; a short mutex, never held over a call out.
 */
#ifndef EDGE_HUB_H
#define EDGE_HUB_H

#include "edge.h"

struct hub *hub_new(struct edge *edge);
void hub_free(struct hub *hub);

/* `token` is the encoded user id (base/subject.h). Once per loop and user. */
void hub_want(struct hub *hub, const char *token, size_t loop_index);
void hub_unwant(struct hub *hub, const char *token, size_t loop_index);

/* The bus's on_msg: pushes the message to the loops that want it, nothing else. */
void hub_on_msg(void *hub, struct bus_msg *msg);

#endif
