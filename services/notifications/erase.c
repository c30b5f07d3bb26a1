/*
 * The mailbox and the inbox first, in the order of numbers, then what has a table of its own.
 * Bodies are locked in the order of their ids and after the user, transfers in that of theirs, as
 * by everybody. Blanking a chat message locks nobody it was sent to: it changes no number of
 * theirs.
 */
#include "erase.h"

#include "kind.h"
#include "ring.h"

/* Of a mailbox and inbox row and a body each, or of one row of another table: at most 2,000 rows in
 * one transaction. */
enum { PIECE_MAX = 500 };

static const struct {
	store_erase_fn erase;
	size_t counter; /* in EraseCounts */
} tables[] = {
	{ store_erase_balances, offsetof(Walletwire__V1__EraseCounts, balances) },
	{ store_erase_marks, offsetof(Walletwire__V1__EraseCounts, marks) },
	{ store_erase_transfers, offsetof(Walletwire__V1__EraseCounts, transfers) },
	{ store_erase_sent, offsetof(Walletwire__V1__EraseCounts, sent) },
};

static enum status erase_items(
    struct erase *erase, struct db *db, size_t *left, struct arena *arena, struct err *err)
{
	Walletwire__V1__EraseCounts *erased = erase->erased;
	struct store_held held;
	enum status s =
	    store_erase_pick(db, erase->user_id, erase->after, *left, arena, &held, err);

	if (s || held.len == 0)
		return s;
	erase->up_to = held.seq[held.len - 1];
	*left -= held.len;
	s = store_erase_mailbox(
	    db, erase->user_id, erase->after, erase->up_to, &erased->mailbox, err);
	if (!s)
		s = store_erase_inbox(
		    db, erase->user_id, erase->after, erase->up_to, &erased->inbox, err);
	return s ? s : store_release_bodies(db, held.body_id, held.len, &erased->bodies, err);
}

static enum status erase_tables(struct erase *erase, struct db *db, size_t *left, struct err *err)
{
	enum status s = STATUS_OK;

	for (size_t i = 0; i < ARRAY_LEN(tables) && *left > 0 && !s; i++) {
		uint32_t *n = (uint32_t *)(void *)((char *)erase->erased + tables[i].counter);

		s = tables[i].erase(db, erase->user_id, *left, n, err);
		*left -= *n;
	}
	return s;
}

enum status erase_piece(struct erase *erase, struct db *db, struct arena *arena, struct err *err)
{
	size_t left = PIECE_MAX;
	int64_t seq = 0;
	enum status s =
	    store_lock_user(db, erase->user_id, &erase->found, &seq, &erase->rev_before, err);

	erase->erased = MESSAGE_NEW(arena, erase_counts);
	erase->up_to = erase->after;
	if (!s)
		s = erase_items(erase, db, &left, arena, err);
	if (!s)
		s = erase_tables(erase, db, &left, err);
	erase->more = left == 0;
	erase->rev = erase->rev_before + 1;
	if (!s && !erase->more)
		s = store_erase_user(db, erase->user_id, err);
	if (!s && erase->found)
		s = store_set_user(db, erase->user_id, seq, erase->rev, err);
	return s ? s : store_epoch(db, arena, &erase->epoch, err);
}

enum status erase_ring(
    const struct erase *erase, struct bus *bus, struct arena *arena, struct err *err)
{
	Payload *payload = MESSAGE_NEW(arena, payload);
	State *state;
	struct ring ring = { erase->epoch, erase->user_id, erase->rev_before, erase->rev, NULL, 0,
		&state, 1, MESSAGE_NEW(arena, marks) };

	ring.marks->claims = MESSAGE_NEW(arena, claims);
	payload->body_case = WALLETWIRE__V1__PAYLOAD__BODY_UNREAD;
	payload->unread = MESSAGE_NEW(arena, unread);
	payload->unread->version = (uint64_t)erase->rev;
	state = kind_state(payload, erase->rev, arena);
	return ring_user(bus, &ring, arena, err);
}
