/*
 * kind: what each kind of payload is to this service, as one table (docs: DESIGN's table of kinds).
 *
 * A kind is the number of its member in Payload: stable in the contract, so it is what the tables
 * store as `type`. Pure.
 */
#ifndef NOTIFICATIONS_KIND_H
#define NOTIFICATIONS_KIND_H

#include "base/arena.h"
#include "messages.h"

enum { KIND_COUNT = WALLETWIRE__V1__PAYLOAD__BODY_PRESENCE + 1 };

struct kind {
	bool inbox;       /* its items are inbox items */
	bool critical;    /* its items ignore left channels */
	int priority;     /* unless the event says otherwise */
	int channel;      /* ChannelKind by which items and states of it travel; 0: none */
	int item_channel; /* one more for items; 0: none */
};

/* The rules, name ("security") and client event ("security:alert") of a number; it must be a kind.
 */
const struct kind *kind_find(int number);
const char *kind_name(int number);
const char *kind_event(int number);
/* 0 for a name that is no kind. */
int kind_number(const char *name);

/* "low", "normal", "high", "critical"; "" for others. */
const char *priority_word(int priority);

/* The channels of a payload as an item or a state, in the arena. */
void kind_channels(const Payload *payload, bool as_item, struct arena *arena, size_t *ret_n,
    Channel ***ret_channels);

/* The id by which a state is conflated, and transfer and room channels are named; "" if none. */
const char *kind_key(const Payload *payload);

/* Who wrote it, of a chat message; NULL for anything else, and if nobody did. */
const char *kind_sender(const Payload *payload);

/* A payload as a state to be rung, in the arena. */
State *kind_state(Payload *payload, int64_t version, struct arena *arena);

#endif
