/*
 * unread: the counters a client is shown: those of the inbox, which the service keeps, and what
 * lives of the announcements and the user has not read, which nobody keeps for a user: each edge
 * counts it from the log, the user's marks and the user's claims. The version is the sum of the
 * user's rev and the log's head, so it rises with either.
 *
 * Threads: belongs to the user's loop.
 */
#ifndef EDGE_UNREAD_H
#define EDGE_UNREAD_H

#include "user.h"

/* The counters of the inbox, or the marks, as of a rev; older ones than what is known are left. */
void unread_take_counters(struct user *user, const Walletwire__V1__State *state);
void unread_take_marks(struct user *user, const Walletwire__V1__Marks *marks, uint64_t rev);

/* Is an announcement of this segment (NULL: everybody's) for the user? */
bool unread_is_for(const struct user *user, const Walletwire__V1__Segment *segment);

uint32_t unread_total(const struct user *user);
/* Nothing is shown before the counters of the inbox are known. */
void unread_show(struct socket *socket);

void unread_free(struct user *user);

#endif
