/*
 * presence_report: what a loop tells every replica of ww-presence of the sockets it holds, on
 * ww.presence.report.<edge>: absolute words about the users that changed, numbered, so that whoever
 * misses one knows and asks for the whole table.
 *
 * A change is told in the loop's next turn, together with whatever else has changed until then, and
 * after that every 100 ms at most.
 *
 * Threads: belongs to its loop.
 */
#ifndef EDGE_PRESENCE_REPORT_H
#define EDGE_PRESENCE_REPORT_H

#include "edge.h"

struct user;

void presence_report_start(struct edge_loop *el);
/* The last one: nobody is here any more. Nothing is told after it. */
void presence_report_stop(struct edge_loop *el);

/* What there is to tell of this user, who may have just gone, has changed. */
void presence_report_user(struct edge_loop *el, const char *user_id);
/* Whether one of the user's sockets wants its friends has changed: it is told again until none
 * does. */
void presence_report_wanting(struct user *user);
/* Those who want their friends, at once: whoever is to tell them may not know. */
void presence_report_wishes(struct edge_loop *el);
/* All users, soon. */
void presence_report_whole(struct edge_loop *el);

#endif
