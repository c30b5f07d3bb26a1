/*
 * delivery: one doorbell message (or one answer to `since` or `open`) on its way to sockets.
 *
 * Decoded and encoded once, by the first loop that needs it, then shared by reference (shared.h):
 * every item and state has its frame.
 *
 * Threads: any number of loops may read one.
 */
#ifndef EDGE_DELIVERY_H
#define EDGE_DELIVERY_H

#include "engine/frame.h"
#include "shared.h"
#include "walletwire/v1/delivery.pb-c.h"

struct delivery_item {
	const Walletwire__V1__Item *item;
	struct frame
	    *frame; /* NULL: blanked, or of a kind this edge does not know: handled, not shown */
};

struct delivery_state {
	const Walletwire__V1__State *state;
	struct frame *frame; /* NULL likewise */
};

struct delivery_log {
	const Walletwire__V1__LogEntry *entry;
	struct frame *frame; /* NULL: an end that is not told */
};

struct delivery_hint {
	const Walletwire__V1__Payload *payload;
	struct frame *frame; /* NULL: of a kind this edge does not know */
};

struct delivery {
	const char *epoch, *user_id;
	const char *room_id; /* of ww.rt.room.<r>; else "" */
	uint64_t rev_before, rev;
	struct delivery_item *items;
	struct delivery_state *states;
	struct delivery_log *log;
	struct delivery_hint *hints;
	char *const *gone; /* of ww.rt.room.<r>: users */
	size_t items_len, states_len, log_len, hints_len, gone_len;
	const Walletwire__V1__Eviction *eviction; /* NULL if none */
	const Walletwire__V1__Marks *marks;       /* likewise */
};

/* A doorbell; nothing is decoded yet. */
struct shared *delivery_new(struct bus_msg *msg);
/* The decoded delivery; NULL if the message is not one. */
const struct delivery *delivery_of(struct shared *doorbell);

/* Encode what an answer holds; the arrays and frames are the caller's to finish. */
struct delivery_item *delivery_encode_items(Walletwire__V1__Item *const *items, size_t len);
struct delivery_state *delivery_encode_states(Walletwire__V1__State *const *states, size_t len);
struct delivery_log *delivery_encode_log(Walletwire__V1__LogEntry *const *log, size_t len);
/* The caller's, too. */
struct frame *delivery_encode_hint(const Walletwire__V1__Payload *payload);
void delivery_free_items(struct delivery_item *items, size_t len);
void delivery_free_states(struct delivery_state *states, size_t len);
void delivery_free_log(struct delivery_log *log, size_t len);

#endif
