/*
 * presence_batch: what the replica of ww-presence that speaks has to show at this edge, decoded and
 * encoded once for all loops (shared.h).
 *
 * Threads: any number of loops may read one.
 */
#ifndef EDGE_PRESENCE_BATCH_H
#define EDGE_PRESENCE_BATCH_H

#include "delivery.h"
#include "walletwire/v1/presence.pb-c.h"

struct presence_batch {
	const Walletwire__V1__PresenceBatch *message;
	/* One for each of the message's, in its order; without a frame where it says nothing that
	 * this build knows. */
	struct delivery_state *friends, *changes;
	bool is_empty; /* shows nothing */
};

/* A message of ww.rt.presence.<edge>; nothing is decoded yet. */
struct shared *presence_batch_new(struct bus_msg *msg);
/* NULL if it is malformed. */
const struct presence_batch *presence_batch_of(struct shared *msg);

#endif
