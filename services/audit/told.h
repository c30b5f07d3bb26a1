/*
 * told: items that reached a user's mailbox, and what became of them, out of audit records.
 *
 * Pure. Threads: one.
 */
#ifndef AUDIT_TOLD_H
#define AUDIT_TOLD_H

#include "service/audit.h"
#include "store.h"

typedef Walletwire__V1__ToldItem ToldItem;

/* Records that put an item into a mailbox, and those that say what became of one. */
enum { TOLD_ITEM_ACTIONS = 2, TOLD_MARK_ACTIONS = 4 };
extern const int32_t told_item_actions[TOLD_ITEM_ACTIONS];
extern const int32_t told_mark_actions[TOLD_MARK_ACTIONS];

struct told {
	const char *user_id;
	struct arena *arena;
	ToldItem **items;
	size_t len;
	size_t unread; /* of them, so far */
};

/* `max` items. */
void told_begin(struct told *told, const char *user_id, size_t max, struct arena *arena);
/* In the order of their storing: first the items, then the marks. */
void told_item(struct told *told, const struct store_record *record);
void told_mark(struct told *told, const struct store_record *record);

#endif
