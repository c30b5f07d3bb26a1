/*
 * batch: several plans made into rows. Pure: the caller reads and writes the database around it.
 *
 *   batch_add()      one plan after the other, in stream order, until it says that it is full
 *   batch_prepare()  who is concerned, sorted by id: the order in which counter rows are locked
 *   -- the caller locks the counter rows, reads what was applied and which versions are stored --
 *   batch_set_...()  tells it
 *   batch_number()   gives numbers to what is new: columns for the tables, items and states to ring
 *
 * A batch can be prepared again after a failure: nothing of an earlier try is left in it.
 *
 * Ownership: events live in the arena that the batch was begun with, everything else in the one
 * that batch_prepare() was given, which may be reset between tries.
 */
#ifndef NOTIFICATIONS_BATCH_H
#define NOTIFICATIONS_BATCH_H

#include "plan.h"

enum { BATCH_EVENTS_MAX = 500, BATCH_ROWS_MAX = 2000 };

/* One event of the batch. */
struct batch_event {
	struct plan plan;
	bool repeat;  /* the same event stands before it in this batch */
	bool applied; /* it was applied earlier, and got these numbers */
	const char **old_users;
	int64_t *old_seqs;
	size_t old_len;
	bool stale; /* names an older version than is stored: changes nothing */
	/* That its state got, for each of the plan's users; 0: no newer one. NULL: it has none. */
	int64_t *versions;
	size_t first_row; /* of its items among the mailbox rows */
};

/* An event that could not be one of the batch, and was moved to the dead letters. */
struct batch_dead {
	const char *letter_id; /* its message id there */
	const char *event_key; /* what its publisher called it; "" if nothing */
};

/* A versioned state that the batch names: a balance of a user, a transfer. */
struct batch_state {
	int kind;
	const char *user_id; /* "" for a transfer: it has one row for all its parties */
	const char *key;
	int64_t version; /* stored; 0: none */
	bool changed;
	Payload *payload;        /* the newest of the batch */
	const struct plan *plan; /* that it came from */
};

struct batch_user {
	const char *user_id;
	int64_t rev_before, rev;
	int64_t seq; /* after the batch */
	/* Unread items, after the batch likewise: triples of type, priority and how many, sorted.
	 */
	const int32_t *counters;
	size_t counters_len; /* three times as many as there are */
	bool counters_changed;
	bool state_changed;
	size_t items_len;
	Item **items;   /* in seq order */
	State **states; /* the newest of each key */
	size_t states_len, states_cap;
};

/* Columns, as the statements want them: one entry a row. */
struct mailbox_rows {
	size_t len;
	const char **user_id;
	int64_t *seq, *body_id;
};
struct inbox_rows {
	size_t len;
	const char **user_id, **event_id, **title, **text;
	int64_t *seq, *body_id, *created_us, *expires_us;
	int16_t *type, *priority;
};
struct body_rows {
	size_t len;
	int64_t *body_id;
	const char **event_key;
	struct bytes *payload;
	bool *keep;
	int32_t *holders;    /* how many users are told it */
	const char **sender; /* of a chat message; NULL: it is none */
};
struct unread_rows {
	size_t len;
	const char **user_id;
	int16_t *type, *priority;
	int32_t *n;
};
/* Whom each event concerned and the numbers they got: 0 if they got no item. */
struct applied_rows {
	size_t len;
	const char **event_key;
	const char *const **users;
	const int64_t **seqs;
	size_t *users_len;
};

struct batch {
	struct arena *arena; /* of this try */
	struct batch_event *events;
	size_t events_len, events_cap;
	struct batch_dead *dead; /* likewise at most events_cap */
	size_t dead_len;
	size_t rows_planned; /* of the mailbox or of states, whichever an event has more of */
	struct batch_event **by_key; /* sorted, without repeats */
	size_t by_key_len;
	struct batch_user *users; /* sorted by id */
	size_t users_len;
	struct batch_state *states; /* sorted */
	size_t states_len;
	/* made by batch_number() */
	struct mailbox_rows mailbox;
	struct inbox_rows inbox;
	struct body_rows bodies;
	struct unread_rows unread;
	struct applied_rows applied;
	size_t new_events;
	size_t announcements; /* new ones */
};

/* Neither applied before nor twice in this batch. */
static inline bool batch_is_new(const struct batch_event *event)
{
	return !event->repeat && !event->applied;
}

void batch_begin(struct batch *batch, size_t events_max, struct arena *arena);
/* False: it does not fit any more, and was not taken. The first one always fits. */
bool batch_add(struct batch *batch, const struct plan *plan);
/* In the place of an event. */
void batch_add_dead(struct batch *batch, const struct batch_dead *dead);
void batch_prepare(struct batch *batch, struct arena *arena);

/* `counters` lives as long as the batch. */
void batch_set_user(struct batch *batch, const char *user_id, int64_t seq, int64_t rev,
    const int32_t *counters, size_t counters_len);
struct batch_event *batch_find(struct batch *batch, const char *event_key); /* NULL if none */
void batch_set_version(
    struct batch *batch, int kind, const char *user_id, const char *key, int64_t version);
struct batch_user *batch_find_user(struct batch *batch, const char *user_id); /* NULL if none */

void batch_number(struct batch *batch, int64_t first_body_id, int64_t applied_us);

/* One more state to be rung to a user; replaces an older version of the same key. NULL: what is
 * newer, or an item, tells it. */
State *batch_user_add_state(
    struct batch *batch, struct batch_user *user, Payload *payload, int64_t version);

/* What a user is told of one payload: an item with its channels. */
Item *batch_item(
    const struct plan *plan, size_t body, int64_t seq, int64_t applied_us, struct arena *arena);

#endif
