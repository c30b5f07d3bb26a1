/*
 * shared: one message of the bus on its way to several loops.
 *
 * Decoded by the first loop that looks at it, on its thread and not on the bus's, then shared by
 * reference. Immutable afterwards.
 *
 * Threads: any number of loops may look at one; references may be dropped on any thread.
 */
#ifndef EDGE_SHARED_H
#define EDGE_SHARED_H

#include "base/arena.h"
#include "bus/bus.h"

/* What messages of one sort become: a body of `size` bytes, zeroed before it is decoded. */
struct shared_type {
	size_t size;
	size_t arena_max;
	bool (*decode)(void *body, struct bytes data, struct arena *arena); /* false: malformed */
	void (*finish)(void *body); /* of one that was decoded */
};

struct shared;

/* Holds the message until the last reference goes. */
struct shared *shared_new(const struct shared_type *type, struct bus_msg *msg);
struct shared *shared_ref(struct shared *shared);
void shared_unref(struct shared *shared); /* NULL is fine */

size_t shared_size(const struct shared *shared); /* bytes of the message */

/* The body, borrowed; NULL if the message is malformed. */
const void *shared_body(struct shared *shared);

#endif
