/*
 * hand: the events that were fetched and are not acknowledged yet, in stream order.
 *
 * Owned by the applier's thread. A message in hand holds a reference and, unless it is told so
 * again within AckWait, is delivered once more: hand_keep_alive() does that.
 */
#ifndef NOTIFICATIONS_HAND_H
#define NOTIFICATIONS_HAND_H

#include "bus/bus.h"

enum {
	HAND_MAX = 2000,      /* while a missing number is waited for */
	HAND_ALIVE_MS = 1500, /* well below AckWait */
};

struct hand {
	struct bus_msg *msgs[HAND_MAX];
	size_t len;
	int64_t alive_ms; /* when the stream was last told */
};

/* Takes the messages and sorts; a number that is in hand already replaces the older copy. */
void hand_take(struct hand *hand, struct bus_msg *const *msgs, size_t n);
void hand_drop_all(struct hand *hand);
/* The first n are done with: acknowledged, or left for their redelivery. */
void hand_ack(struct hand *hand, size_t n);
void hand_release(struct hand *hand, size_t n);
/* The first n go to the caller, who says when they are done with. */
void hand_give(struct hand *hand, struct bus_msg **ret_msgs, size_t n);
void hand_ack_given(struct bus_msg *const *msgs, size_t n);
void hand_release_given(struct bus_msg *const *msgs, size_t n);

/* Tells the stream that all of it is being worked on, if it was not told lately. */
void hand_keep_alive(struct hand *hand);

/*
 * How many from the front follow `applied` without a missing number, redelivered ones below it
 * included.
 */
size_t hand_in_order(const struct hand *hand, int64_t applied);

#endif
