/*
 * store: the outbox's tables, and the lock that says who publishes. All SQL is here.
 *
 * Threads: a store belongs to one thread.
 */
#ifndef OUTBOX_STORE_H
#define OUTBOX_STORE_H

#include "batch.h"
#include "service/relay.h"

struct store;

/* Connects lazily: fails only for a URL or a schema's name that can't be. */
enum status store_open(const char *database_url, const char *name, const char *schema,
    struct store **ret_store, struct err *err) MUST_CHECK;
void store_close(struct store *store); /* gives the lock back; NULL is fine */

/* Lends the connection, and tells which of its statements tries for the lock. */
struct db *store_db(struct store *store, size_t *ret_lock);

/* The oldest rows, at most `max`, into an empty batch. No cursor: a transaction may commit late. */
enum status store_read(
    struct store *store, size_t max, struct batch *batch, struct err *err) MUST_CHECK;

/* Rows that are published. Some may be gone already. */
enum status store_delete(
    struct store *store, const int64_t *ids, size_t len, struct err *err) MUST_CHECK;

/* Rows that can't be published, to the table of dead ones. */
enum status store_set_aside(struct store *store, const int64_t *ids, const char *const *reasons,
    size_t len, struct err *err) MUST_CHECK;

/* Both counts end at 100,000. */
enum status store_measure(struct store *store, struct relay_backlog *ret_backlog, int64_t *ret_dead,
    struct err *err) MUST_CHECK;

#endif
