/*
 * audit_outbox: the table in which a service's audit records wait for its relay (audit_relay.h).
 *
 * Every service has one, `audit_outbox` in its own schema, with these columns:
 *
 *   id bigint GENERATED ALWAYS AS IDENTITY, message_id text, payload bytea, created_at timestamptz
 *
 * and its statements among those of the service. Ids are drawn under the lock of what is changed,
 * so the order of its records is that of the commits.
 */
#ifndef SERVICE_AUDIT_OUTBOX_H
#define SERVICE_AUDIT_OUTBOX_H

#include "base/arena.h"
#include "base/bytes.h"
#include "db/db.h"

struct audit_outbox {
	const char *service; /* "notifications": its schema, and what records say */
	size_t insert, lock, oldest, delete, measure;
};

/* In the service's table of statements: AUDIT_STATEMENTS(S, "presence", "123"), the last being the
 * number of an advisory lock that nobody else uses. */
#define AUDIT_STATEMENTS(S, schema, lock_key)                                                \
	S(AUDIT_INSERT, "INSERT INTO " schema ".audit_outbox (message_id, payload)"          \
			" SELECT r.m, r.p FROM unnest($1::text[], $2::bytea[])"              \
			" WITH ORDINALITY AS r(m, p, o) ORDER BY r.o")                       \
	S(AUDIT_LOCK, "SELECT pg_try_advisory_lock(" lock_key ")")                           \
	S(AUDIT_OLDEST, "SELECT id, message_id, payload FROM " schema ".audit_outbox"        \
			" ORDER BY id LIMIT $1::bigint")                                     \
	S(AUDIT_DELETE, "DELETE FROM " schema ".audit_outbox WHERE id = ANY ($1::bigint[])") \
	S(AUDIT_MEASURE, "SELECT (SELECT count(*) FROM (SELECT FROM " schema ".audit_outbox" \
			 " LIMIT 100000) AS bounded), coalesce((SELECT floor(extract(epoch"  \
			 " FROM clock_timestamp() - created_at))::bigint FROM " schema       \
			 ".audit_outbox ORDER BY id LIMIT 1), 0)")
/* Where they are, if the service numbers its statements STORE_<name>. */
#define AUDIT_OUTBOX(schema)                                                      \
	{                                                                         \
		schema, STORE_AUDIT_INSERT, STORE_AUDIT_LOCK, STORE_AUDIT_OLDEST, \
		    STORE_AUDIT_DELETE, STORE_AUDIT_MEASURE                       \
	}

struct audit_row {
	const char *message_id;
	struct bytes payload; /* AuditRecords of at most STREAM_DATA_MAX bytes */
};

enum status audit_outbox_insert(const struct audit_outbox *outbox, struct db *db,
    const struct audit_row *rows, size_t n, struct arena *arena, struct err *err) MUST_CHECK;
/* id, message_id, payload of the oldest; the caller frees the result. */
enum status audit_outbox_oldest(const struct audit_outbox *outbox, struct db *db, size_t max,
    struct db_result **ret_rows, struct err *err) MUST_CHECK;
enum status audit_outbox_delete(const struct audit_outbox *outbox, struct db *db,
    const int64_t *ids, size_t len, struct err *err) MUST_CHECK;
/* The count ends at 100,000. */
enum status audit_outbox_measure(const struct audit_outbox *outbox, struct db *db,
    int64_t *ret_waiting, int64_t *ret_oldest_seconds, struct err *err) MUST_CHECK;

#endif
