/*
 * presence_show: what the sockets of a loop are shown of their friends.
 *
 * A socket that has become live wants a list of its friends: it is shown the first one that was
 * made after ww-presence was told of the socket, and nothing before that, since the list, being
 * later, has it. After a gap, silence or a replica that knows nothing (`anew`) every socket wants
 * another list.
 *
 * Threads: belongs to its loop.
 */
#ifndef EDGE_PRESENCE_SHOW_H
#define EDGE_PRESENCE_SHOW_H

#include "edge.h"
#include "shared.h"

#define PRESENCE_SUBJECT "ww.rt.presence."

/* A batch of this edge (presence_batch.h). */
void presence_show(struct edge_loop *el, struct shared *msg);
void presence_show_stop(struct edge_loop *el);

#endif
