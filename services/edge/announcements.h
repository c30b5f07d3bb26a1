/*
 * announcements: the gapless log that everybody reads, followed once per loop.
 *
 * A row that comes in order goes to every live socket of the loop; a gap is fetched. A socket that
 * opened behind the loop catches up by itself.
 *
 * Threads: belongs to its loop.
 */
#ifndef EDGE_ANNOUNCEMENTS_H
#define EDGE_ANNOUNCEMENTS_H

#include "delivery.h"
#include "edge.h"
#include "walletwire/v1/notifications.pb-c.h"

struct socket;

/* One that is neither recalled nor expired. */
struct live {
	struct live *next;
	Walletwire__V1__LiveAnnouncement *announcement; /* owned */
};

/* What lives, as the loop's first `open` tells it; later ones tell nothing new. */
void announcements_begin(struct edge_loop *el, const Walletwire__V1__OpenReply *reply);
/* With its loop. */
void announcements_free(struct edge_loop *el);

/* A doorbell on ww.rt.all. */
void announcements_on_delivery(struct edge_loop *el, const struct delivery *delivery);

/* The log goes at least up to here. */
void announcements_learn(struct edge_loop *el, uint64_t head);

/* A live socket may be behind the loop: fetch what it lacks, unless that was asked already. */
void announcements_catch_up(struct socket *socket);

#endif
