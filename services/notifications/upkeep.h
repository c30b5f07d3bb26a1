/*
 * upkeep: what has to be done now and then by whoever applies events: days of the mailbox made
 * ahead and dropped behind, the `applied` tables taken in turn, announcements whose start has come.
 */
#ifndef NOTIFICATIONS_UPKEEP_H
#define NOTIFICATIONS_UPKEEP_H

#include "apply.h"

struct upkeep {
	struct apply *apply;
	int64_t retention_ms; /* of the mailbox */
	int64_t transfer_retention_ms;
	int64_t days_made;    /* the day for which the mailbox was last looked after; 0: not yet */
	int64_t days_dropped; /* likewise, for what was dropped behind */
	int64_t next_ms;      /* of the steady clock */
	int64_t clean_ms;     /* when what needs an exclusive lock is tried (again) */
	bool revoked_copied;
};

/* Before the first batch: what batches rely on. */
enum status upkeep_start(struct upkeep *upkeep, struct err *err) MUST_CHECK;

/* Cheap when nothing is due; at most once a second looks at all. */
bool upkeep_is_due(const struct upkeep *upkeep); /* the next tick does something */
enum status upkeep_tick(struct upkeep *upkeep, struct err *err) MUST_CHECK;

#endif
