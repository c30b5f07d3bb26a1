/*
 * apply: one batch becomes rows in one transaction, and is rung after its commit.
 *
 * Run by the applier's thread alone, on the connection that holds the applier's lock: a transaction
 * on any newer connection is refused, since the lock may be somebody else's by then.
 */
#ifndef NOTIFICATIONS_APPLY_H
#define NOTIFICATIONS_APPLY_H

#include "base/id.h"
#include "batch.h"
#include "bus/bus.h"
#include "db/db.h"

struct apply {
	struct db *db;
	struct bus *bus;
	char epoch[ID_SIZE];
	uint64_t generation; /* of the connection that holds the lock */
	int64_t period;      /* of the `applied` tables */
	struct arena arena;  /* of the try in hand */
	LogEntry **log;      /* announcements of the try in hand */
	size_t log_len;
};

/* BEGIN, or STATUS_UNAVAILABLE if the lock's connection is gone. */
enum status apply_begin(struct apply *apply, struct err *err) MUST_CHECK;

/*
 * All of the batch or nothing; an empty batch only notes the progress. STATUS_OK once committed;
 * STATUS_UNAVAILABLE: the same batch may be tried again; anything else: something in it can't be
 * applied.
 */
enum status apply_batch(
    struct apply *apply, struct batch *batch, int64_t stream_seq, struct err *err) MUST_CHECK;

/*
 * Rings what the batch changed, and again what it only repeats, with the old numbers. A failure
 * costs nothing but time: unacknowledged events come again and are rung then.
 */
/* Does it need the database, for the old numbers? Else another thread may ring meanwhile. */
bool apply_ring_reads(const struct batch *batch);
enum status apply_ring(struct apply *apply, const struct batch *batch, struct err *err) MUST_CHECK;

#endif
