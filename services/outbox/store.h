/*
 * store: the outbox's tables, and the lock that says who publishes. All SQL is here.
 *
 * The lock is an advisory one on this connection: who loses the connection loses the lock. It saves
 * work and is not what order hangs on: see batch.h.
 *
 * Threads: a store belongs to one thread.
 */
#ifndef OUTBOX_STORE_H
#define OUTBOX_STORE_H

#include "batch.h"

struct store;

/* Connects lazily: fails only for a URL or a schema's name that can't be. */
enum status store_open(const char *database_url, const char *name, const char *schema,
    struct store **ret_store, struct err *err) MUST_CHECK;
void store_close(struct store *store); /* gives the lock back; NULL is fine */

/* Takes the lock, or makes sure that it is still held. *ret_held false: somebody else has it. */
enum status store_hold(struct store *store, bool *ret_held, struct err *err) MUST_CHECK;

/* The oldest rows, at most `max`, into an empty batch. No cursor: a transaction may commit late. */
enum status store_read(
    struct store *store, size_t max, struct batch *batch, struct err *err) MUST_CHECK;

/* Rows that are published. Some may be gone already. */
enum status store_delete(
    struct store *store, const int64_t *ids, size_t len, struct err *err) MUST_CHECK;

/* Rows that can't be published, to the table of dead ones. */
enum status store_set_aside(struct store *store, const int64_t *ids, const char *const *reasons,
    size_t len, struct err *err) MUST_CHECK;

struct store_backlog {
	int64_t waiting, oldest_seconds, dead; /* both counts end at 100,000 */
};
enum status store_measure(
    struct store *store, struct store_backlog *ret_backlog, struct err *err) MUST_CHECK;

#endif
