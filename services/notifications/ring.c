/* States go first, so that counters are shown before the item that changed them. */
#include "ring.h"

#include "base/subject.h"
#include "stats.h"

enum { ENVELOPE = 16 }; /* tag and length of a member of a list */

static Delivery *delivery_new(const struct ring *ring, struct arena *arena)
{
	Delivery *delivery = MESSAGE_NEW(arena, delivery);

	delivery->epoch = arena_strdup(arena, ring->epoch);
	delivery->user_id = arena_strdup(arena, ring->user_id);
	delivery->rev_before = (uint64_t)ring->rev;
	delivery->rev = (uint64_t)ring->rev;
	return delivery;
}

/* How many of the messages from `at` on fit into one delivery that has `used` bytes already. */
static size_t fitting(ProtobufCMessage *const *messages, size_t len, size_t at, size_t *used)
{
	size_t n = 0;

	for (; at + n < len; n++) {
		size_t size = protobuf_c_message_get_packed_size(messages[at + n]) + ENVELOPE;

		if (*used > 0 && *used + size > RING_BYTES_MAX)
			break;
		*used += size;
	}
	return n;
}

/*
 * A delivery may claim to bring a user from rev_before to rev only if it holds all states of the
 * commit. If they do not fit into one, none of them claims it: the edge sees that it has missed
 * something and asks.
 */
Delivery **ring_deliveries(const struct ring *ring, struct arena *arena, size_t *ret_n)
{
	Delivery **deliveries =
	    arena_alloc(arena, (ring->items_len + ring->states_len + 1) * sizeof(*deliveries));
	size_t items = 0, states = 0, n = 0;

	do {
		Delivery *delivery = delivery_new(ring, arena);
		size_t used = 0;

		delivery->states = ring->states + states;
		delivery->n_states = fitting(
		    (ProtobufCMessage *const *)ring->states, ring->states_len, states, &used);
		states += delivery->n_states;
		if (states == ring->states_len) {
			delivery->items = ring->items + items;
			delivery->n_items = fitting(
			    (ProtobufCMessage *const *)ring->items, ring->items_len, items, &used);
			items += delivery->n_items;
		}
		if (n == 0 && delivery->n_states == ring->states_len)
			delivery->rev_before = (uint64_t)ring->rev_before;
		if (n == 0)
			delivery->marks = ring->marks;
		deliveries[n++] = delivery;
	} while (items < ring->items_len || states < ring->states_len);
	*ret_n = n;
	return deliveries;
}

static enum status publish(struct bus *bus, const char *subject, const Delivery *delivery,
    struct arena *arena, struct err *err)
{
	stats_count(STATS_RINGS, 1);
	return bus_publish(bus, subject, message_pack(&delivery->base, arena), err);
}

enum status ring_user(
    struct bus *bus, const struct ring *ring, struct arena *arena, struct err *err)
{
	char subject[SUBJECT_SIZE];
	Delivery **deliveries;
	enum status s;
	size_t n;

	if (ring->items_len == 0 && ring->states_len == 0 && !ring->marks)
		return STATUS_OK;
	s = subject_with_id("ww.rt.user.", ring->user_id, subject, err);
	if (s)
		return s;
	deliveries = ring_deliveries(ring, arena, &n);
	for (size_t i = 0; i < n && !s; i++)
		s = publish(bus, subject, deliveries[i], arena, err);
	return s;
}

enum status ring_all(struct bus *bus, const char *epoch, LogEntry **log, size_t len,
    struct arena *arena, struct err *err)
{
	enum status s = STATUS_OK;

	for (size_t at = 0, n; at < len && !s; at += n) {
		Delivery *delivery = MESSAGE_NEW(arena, delivery);
		size_t used = 0;

		n = fitting((ProtobufCMessage *const *)log, len, at, &used);
		delivery->epoch = arena_strdup(arena, epoch);
		delivery->log = log + at;
		delivery->n_log = n;
		s = publish(bus, "ww.rt.all", delivery, arena, err);
	}
	return s;
}

enum status ring_eviction(struct bus *bus, const char *epoch, const char *user_id,
    const char *session_id, const char *connection, struct arena *arena, struct err *err)
{
	Walletwire__V1__Eviction *eviction = MESSAGE_NEW(arena, eviction);
	Delivery *delivery = MESSAGE_NEW(arena, delivery);
	char subject[SUBJECT_SIZE];
	enum status s = subject_with_id("ww.rt.user.", user_id, subject, err);

	eviction->session_id = arena_strdup(arena, session_id);
	eviction->connection = arena_strdup(arena, connection);
	delivery->epoch = arena_strdup(arena, epoch);
	delivery->user_id = arena_strdup(arena, user_id);
	delivery->eviction = eviction;
	return s ? s : publish(bus, subject, delivery, arena, err);
}
