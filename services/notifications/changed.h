/*
 * changed: what was done to a user's inbox, as an item of the mailbox, so that every device hears
 * of it, in order.
 */
#ifndef NOTIFICATIONS_CHANGED_H
#define NOTIFICATIONS_CHANGED_H

#include "store.h"

struct changed {
	struct store_users *users; /* locked; their seq is raised by the item */
	Changed **said; /* one for each of them, but for the version, which is their rev */
	Item **items;   /* what came of it, in the arena */
};

enum status changed_append(
    struct changed *changed, struct db *db, struct arena *arena, struct err *err) MUST_CHECK;

#endif
