/*
 * outbox: a table of messages on their way to one subject of a stream, and the relay (relay.h) that
 * moves them.
 *
 * Rows (id, message_id, payload, created_at) are written by the transaction of what they tell, and
 * published one by one in the order of their ids, each when the stream has the one before it: a
 * stream that is nearly full may refuse a large row and take a small one, and the next holder of
 * the lock may be publishing already. Nothing is ever set aside: a stream that is full, or away, is
 * waited for.
 */
#ifndef SERVICE_OUTBOX_H
#define SERVICE_OUTBOX_H

#include "base/arena.h"
#include "service/relay.h"

/*
 * The statements of an outbox, as rows of a store's table: ID_INSERT and its sisters, in the order
 * of enum outbox_statement. `lock_key` is a number, in digits, that no other lock of the database
 * has.
 */
#define OUTBOX_STATEMENTS(S, ID, table, lock_key)                                         \
	S(ID##_INSERT, "INSERT INTO " table " (message_id, payload)"                      \
		       " SELECT r.m, r.p FROM unnest($1::text[], $2::bytea[])"            \
		       " WITH ORDINALITY AS r(m, p, o) ORDER BY r.o")                     \
	S(ID##_LOCK, "SELECT pg_try_advisory_lock(" lock_key ")")                         \
	S(ID##_OLDEST,                                                                    \
	    "SELECT id, message_id, payload FROM " table " ORDER BY id LIMIT $1::bigint") \
	S(ID##_DELETE, "DELETE FROM " table " WHERE id = ANY ($1::bigint[])")             \
	S(ID##_MEASURE,                                                                   \
	    "SELECT (SELECT count(*) FROM (SELECT FROM " table " LIMIT 100000)"           \
	    " AS bounded), coalesce((SELECT floor(extract(epoch FROM clock_timestamp()"   \
	    " - created_at))::bigint FROM " table " ORDER BY id LIMIT 1), 0)")

enum outbox_statement {
	OUTBOX_INSERT,
	OUTBOX_LOCK,
	OUTBOX_OLDEST,
	OUTBOX_DELETE,
	OUTBOX_MEASURE,
};

struct outbox_row {
	const char *message_id;
	struct bytes payload; /* at most STREAM_DATA_MAX bytes */
};
/* Inside the transaction; `insert` is the number of the store's ID_INSERT. */
enum status outbox_insert(struct db *db, size_t insert, const struct outbox_row *rows, size_t n,
    struct arena *arena, struct err *err) MUST_CHECK;

/* The same, which is run by whatever comes next on the connection (db_later()). */
enum status outbox_insert_later(struct db *db, size_t insert, const struct outbox_row *rows,
    size_t n, struct arena *arena, struct err *err) MUST_CHECK;

struct outbox_spec {
	const char *what;                    /* is moved, for the log: "audit records" */
	const char *subject;                 /* of the stream */
	const struct relay_metrics *metrics; /* see RELAY_METRICS() */
	struct relay_health *health;         /* may be NULL */
	struct bus *bus;
	/* Has the statements; its application_name is the replica's, to which "/<name>" is added.
	 */
	const struct db_config *database;
	const char *name;
	size_t insert; /* as above */
};

struct outbox;

/* All of `spec` but `database` outlives the outbox. */
enum status outbox_start(
    const struct outbox_spec *spec, struct outbox **ret_outbox, struct err *err) MUST_CHECK;
/* There is something to publish. Any thread. */
void outbox_wake(struct outbox *outbox);
/* Finishes the row that is on its way. NULL is fine. */
void outbox_stop(struct outbox *outbox);

#endif
