/*
 * withdraw: inbox items that leave: by their expiry while unread, or because their event was
 * recalled.
 *
 * One transaction under the users' counter rows, as for every change of an inbox; the doorbell
 * after its commit. Who loses an unread item is shown new counters; a recall is also an item of the
 * mailbox (`notifications:changed`), since a screen may show what was taken back.
 */
#ifndef NOTIFICATIONS_WITHDRAW_H
#define NOTIFICATIONS_WITHDRAW_H

#include "bus/bus.h"
#include "service/audit.h"
#include "store.h"

struct withdrawal {
	Walletwire__V1__InboxState state; /* that the items get: expired or recalled */
	struct store_items items;
	char *event_id;        /* of a recall; NULL for an expiry */
	const char *event_key; /* likewise */
	/* What came of it: */
	struct store_items gone; /* sorted by user */
	struct store_users users;
	Item **changed;  /* one for each of these, or NULL */
	Unread **unread; /* likewise */
};

/* Inside a transaction of the caller's. Everything is in the arena. */
enum status withdraw_items(struct withdrawal *w, struct db *db, struct arena *arena,
    struct audit *audit, struct err *err) MUST_CHECK;

/* After the commit. */
enum status withdraw_ring(const struct withdrawal *w, struct bus *bus, const char *epoch,
    struct arena *arena, struct err *err) MUST_CHECK;

#endif
