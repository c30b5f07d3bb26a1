/*
 * hub: which loops want which doorbell, and how many sockets each user has.
 *
 * The one table that loops share. A loop registers a user with its first socket and leaves with its
 * last, and a room with those who have it open; the bus subscription follows. The bus's delivery
 * thread asks it where a message goes.
 *
 * Threads: all functions from any thread; a short mutex, never held over a call out.
 */
#ifndef EDGE_HUB_H
#define EDGE_HUB_H

#include "edge.h"

struct hub *hub_new(struct edge *edge);
void hub_free(struct hub *hub);

/* Whose doorbell: ww.rt.user.<u> or ww.rt.room.<r>. */
enum hub_topic { HUB_USER, HUB_ROOM };

/* `token` is the encoded id (base/subject.h). Once per loop and doorbell. */
void hub_want(struct hub *hub, enum hub_topic topic, const char *token, size_t loop_index);
void hub_unwant(struct hub *hub, enum hub_topic topic, const char *token, size_t loop_index);

/*
 * One more socket of the user, over all loops and namespaces; false, and it does not count, if that
 * would be more than max-user-sockets. Sockets of one id count once: a client that recovers has the
 * id of its older self, which is evicted as soon as the new one is let in. Who entered has to
 * leave.
 */
bool hub_enter(struct hub *hub, const char *token, const char *sid) MUST_CHECK;
void hub_leave(struct hub *hub, const char *token, const char *sid);

/* The bus's on_msg: pushes the message to the loops that want it, nothing else. */
void hub_on_msg(void *hub, struct bus_msg *msg);

#endif
