/*
 * sweep: finds what nothing followed.
 *
 * A doorbell that is lost shows as a hole as soon as the next one comes. If none comes, this finds
 * it: every user's head (seq and rev) is compared with its sockets' positions once in
 * `sweep-interval`, once two seconds after the user's first socket, and within five seconds after
 * the bus reconnected or reported lost messages. One request asks for up to 500 users, spread
 * evenly over time.
 *
 * Threads: belongs to its loop.
 */
#ifndef EDGE_SWEEP_H
#define EDGE_SWEEP_H

#include "user.h"

void sweep_start(struct edge_loop *el);
void sweep_stop(struct edge_loop *el);
void sweep_add(struct user *user);
void sweep_remove(struct user *user);

#endif
