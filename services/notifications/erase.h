/*
 * erase: a bounded piece of the erasure of one user.
 *
 * Each piece is a transaction under the user's counter row that leaves everything consistent:
 * numbers of the mailbox stay and become void, counters are those of the rows that are left. What
 * is gone is not found again, so whoever starts over after a crash only does the rest.
 */
#ifndef NOTIFICATIONS_ERASE_H
#define NOTIFICATIONS_ERASE_H

#include "bus/bus.h"
#include "store.h"

struct erase {
	const char *user_id;
	int64_t after; /* this far the mailbox is done */
	/* What came of it: */
	Walletwire__V1__EraseCounts *erased; /* in the arena */
	int64_t up_to;                       /* `after` of the next piece */
	bool more;
	bool found; /* the user has a counter row */
	int64_t rev_before, rev;
	const char *epoch;
};

/* Inside a transaction of the caller's, and again if that has to be run again. */
enum status erase_piece(
    struct erase *erase, struct db *db, struct arena *arena, struct err *err) MUST_CHECK;

/* After the commit of the last piece: whoever signed in meanwhile sees that nothing is unread. */
enum status erase_ring(
    const struct erase *erase, struct bus *bus, struct arena *arena, struct err *err) MUST_CHECK;

#endif
