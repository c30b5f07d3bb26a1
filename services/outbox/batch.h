/*
 * batch: rows of the outbox as events to be published, and in which order.
 *
 * Pure. Rows of one key go one after the other: the second is sent when the stream has acknowledged
 * the first. They are numbered for that, the first of each key 0, the next 1: a wave is all rows of
 * one number, which may be on their way together. So whatever fails of a wave, and whoever else
 * publishes the same rows at the same time, no row is stored before an older one of its key.
 */
#ifndef OUTBOX_BATCH_H
#define OUTBOX_BATCH_H

#include "events/outgoing.h"

enum { BATCH_MAX = 1000 };

/* As it stands in the table. Borrowed for the call. */
struct batch_row {
	int64_t id;
	int64_t key; /* a hash: two keys that share one only wait for each other */
	const char *type;
	struct bytes event; /* JSON */
	const char *uid;
	int64_t created_us;
};

struct batch_item {
	int64_t id, key;
	size_t wave;
	const char *refused; /* why it can never be published; NULL: it may */
	struct outgoing out; /* unless it is refused */
};

struct batch {
	size_t len, waves;
	atomic_bool trouble; /* something of what was sent failed */
	struct batch_item items[BATCH_MAX];
	struct arena memory;  /* what the items point to */
	struct arena scratch; /* of one event while it is read */
};

void batch_init(struct batch *batch);
void batch_finish(struct batch *batch);
void batch_clear(struct batch *batch);

/* Rows come in the order of their ids; at most BATCH_MAX. */
void batch_add(struct batch *batch, const struct batch_row *row);

#endif
