/* A sorted array: fetches come sorted but for redeliveries, so an insertion sort is nearly free. */
#include "hand.h"

#include <assert.h>

#include "base/clock.h"
#include "stats.h"

static void insert(struct hand *hand, struct bus_msg *msg)
{
	uint64_t seq = bus_msg_stream_seq(msg);
	size_t at = hand->len;

	while (at > 0 && bus_msg_stream_seq(hand->msgs[at - 1]) > seq)
		at--;
	if (at > 0 && bus_msg_stream_seq(hand->msgs[at - 1]) == seq) {
		/* The newer delivery is the one whose acknowledgement counts. */
		bus_msg_unref(hand->msgs[at - 1]);
		hand->msgs[at - 1] = msg;
		return;
	}
	assert(hand->len < HAND_MAX);
	memmove(&hand->msgs[at + 1], &hand->msgs[at], (hand->len - at) * sizeof(struct bus_msg *));
	hand->msgs[at] = msg;
	hand->len++;
}

void hand_take(struct hand *hand, struct bus_msg *const *msgs, size_t n)
{
	if (hand->len == 0)
		hand->alive_ms = clock_mono_ms();
	for (size_t i = 0; i < n; i++)
		insert(hand, msgs[i]);
	if (n > 0)
		stats_set(STATS_WAITING, (int64_t)bus_msg_pending(msgs[n - 1]));
	stats_set(STATS_IN_HAND, (int64_t)hand->len);
}

static void drop(struct hand *hand, size_t n)
{
	hand->len -= n;
	memmove(hand->msgs, hand->msgs + n, hand->len * sizeof(struct bus_msg *));
	stats_set(STATS_IN_HAND, (int64_t)hand->len);
}

void hand_give(struct hand *hand, struct bus_msg **ret_msgs, size_t n)
{
	assert(n <= hand->len);
	memcpy(ret_msgs, hand->msgs, n * sizeof(struct bus_msg *));
	drop(hand, n);
}

void hand_release_given(struct bus_msg *const *msgs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bus_msg_unref(msgs[i]);
}

void hand_ack_given(struct bus_msg *const *msgs, size_t n)
{
	struct err err = ERR_INIT;

	/* An acknowledgement that is lost costs a redelivery, which finds its work done. */
	for (size_t i = 0; i < n; i++) {
		if (bus_msg_ack(msgs[i], &err))
			break;
	}
	hand_release_given(msgs, n);
}

void hand_release(struct hand *hand, size_t n)
{
	assert(n <= hand->len);
	hand_release_given(hand->msgs, n);
	drop(hand, n);
}

void hand_drop_all(struct hand *hand)
{
	hand_release(hand, hand->len);
}

void hand_ack(struct hand *hand, size_t n)
{
	assert(n <= hand->len);
	hand_ack_given(hand->msgs, n);
	drop(hand, n);
}

void hand_keep_alive(struct hand *hand)
{
	struct err err = ERR_INIT;

	if (hand->len == 0 || clock_mono_ms() - hand->alive_ms < HAND_ALIVE_MS)
		return;
	hand->alive_ms = clock_mono_ms();
	for (size_t i = 0; i < hand->len; i++) {
		if (bus_msg_in_progress(hand->msgs[i], &err))
			break; /* disconnected: they will come again */
	}
}

size_t hand_in_order(const struct hand *hand, int64_t applied)
{
	size_t n = 0;

	for (; n < hand->len; n++) {
		int64_t seq = (int64_t)bus_msg_stream_seq(hand->msgs[n]);

		if (seq > applied + 1)
			break;
		if (seq == applied + 1)
			applied = seq;
	}
	return n;
}
