/*
 * presence_order: whether a batch of presence is the next one of what a loop is told.
 *
 * Batches are numbered from 1 in each generation, and a generation is higher than all before it. An
 * empty batch repeats the number of the one before, as a heartbeat; only the first of a generation
 * may be empty and have a number of its own.
 */
#ifndef EDGE_PRESENCE_ORDER_H
#define EDGE_PRESENCE_ORDER_H

#include <stdbool.h>
#include <stdint.h>

struct presence_order {
	uint64_t generation, number; /* of the newest batch; zeroed: none was heard */
};

enum presence_place {
	PRESENCE_NEXT,
	PRESENCE_FIRST, /* likewise, of a replica that was not heard before */
	PRESENCE_AGAIN, /* the newest once more, which shows that nothing was missed */
	PRESENCE_OLD,   /* of before, or of a replica that speaks no more */
	PRESENCE_GAP,   /* it counts, but something before it was missed */
};

/* Judges a batch and goes on from it, unless it is old. */
enum presence_place presence_order_take(
    struct presence_order *order, uint64_t generation, uint64_t number, bool is_empty);

#endif
