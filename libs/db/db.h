/*
 * db: PostgreSQL, one connection per worker thread. libpq-fe.h is included nowhere else.
 *
 * A module declares its statements as a table; they are prepared whenever the connection is made.
 * Parameters and results travel in binary; lists go as array parameters, so that a batch is one
 * statement. A connection that broke is made again by the next call: the failed call returns
 * STATUS_UNAVAILABLE and whoever owns the unit of work runs it again from its start (db_retry).
 *
 * Ownership: results are copied into no arena: they live until db_result_free().
 * Threads:   a struct db belongs to one thread.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

struct db;
struct db_result;

struct db_statement {
	const char *name; /* "open_user"; for errors and pg_stat_statements */
	const char *sql;
};

struct db_config {
	const char *dsn;                       /* libpq connection string or URL */
	const char *application_name;          /* "ww-notifications/applier" */
	const struct db_statement *statements; /* indexed by the module's own enum */
	size_t statements_len;
	int statement_timeout_ms; /* 10000 */
	int lock_timeout_ms;      /* 5000 */
	/* Every statement finds its rows by a key: plans are made once and read no whole table,
	 * whatever the statistics of the moment say of tables that grow fast. */
	bool by_key;
};

/*
 * Connects lazily: fails only for a connection string that can't be parsed, or that names a file
 * for TLS which is of no use. That is looked at again before each connection: then it is
 * STATUS_UNAVAILABLE, since somebody may bring it back.
 */
enum status db_open(const struct db_config *cfg, struct db **ret_db, struct err *err) MUST_CHECK;
void db_close(struct db *db); /* NULL is fine */

/*
 * Connects if need be, at most 5 s, and prepares the statements. STATUS_UNAVAILABLE otherwise, and
 * at once while backing off. Notices a server that hung up meanwhile, which db_run() only does by
 * failing; inside a transaction a lost connection is not replaced.
 */
enum status db_ensure(struct db *db, struct err *err) MUST_CHECK;

/* "TLSv1.3"; NULL: this connection has none, or there is no connection. */
const char *db_tls(const struct db *db);

/* Grows with every connection made: session state (advisory locks) of an older one is gone. */
uint64_t db_generation(const struct db *db);

/* --- parameters --- */
enum { DB_PARAMS_MAX = 24 };

struct db_params {
	size_t len;
	struct db_param {
		uint8_t *data; /* owned unless borrowed; NULL: SQL null */
		size_t len;
		bool borrowed;
		uint8_t small[8];
	} at[DB_PARAMS_MAX];
};

void db_params_init(struct db_params *params);
void db_params_finish(struct db_params *params);
void db_add_null(struct db_params *params);
void db_add_bool(struct db_params *params, bool value);
void db_add_i16(struct db_params *params, int16_t value);       /* smallint */
void db_add_i32(struct db_params *params, int32_t value);       /* integer */
void db_add_i64(struct db_params *params, int64_t value);       /* bigint */
void db_add_time(struct db_params *params, int64_t wall_us);    /* timestamptz */
void db_add_text(struct db_params *params, const char *text);   /* borrowed; NULL: SQL null */
void db_add_bytes(struct db_params *params, struct bytes data); /* bytea; borrowed */
/* Arrays are copied. A NULL text is a SQL null, here and above; so are bytes whose data is NULL. */
void db_add_i16_array(struct db_params *params, const int16_t *values, size_t len);
void db_add_i32_array(struct db_params *params, const int32_t *values, size_t len);
void db_add_i64_array(struct db_params *params, const int64_t *values, size_t len);
/* INT64_MIN stands for a SQL null. */
void db_add_time_array(struct db_params *params, const int64_t *wall_us, size_t len);
void db_add_bool_array(struct db_params *params, const bool *values, size_t len);
void db_add_text_array(struct db_params *params, const char *const *values, size_t len);
void db_add_bytes_array(struct db_params *params, const struct bytes *values, size_t len);

/* --- statements --- */
/*
 * Run statement `index`; finishes `params` whatever happens. ret_result may be NULL if no rows
 * matter. STATUS_UNAVAILABLE: connection, serialization, deadlock, a time-out, shutdown, a server
 * out of resources or read-only, a right, table or partition that is missing: no fault of the
 * statement's values, so run the unit of work again; err->cause says what it is. STATUS_CONFLICT: a
 * unique constraint. STATUS_INTERNAL: anything else, with the server's primary message and SQLSTATE
 * (never its detail, which holds data).
 */
enum status db_run(struct db *db, size_t index, struct db_params *params,
    struct db_result **ret_result, struct err *err) MUST_CHECK;

enum { DB_LATER_MAX = 8 };

/*
 * Inside a transaction: sends the statement and waits for nothing. It runs before the next db_run()
 * or db_commit(), in the order of the calls, each statement seeing what was committed when its turn
 * comes; that call waits for all of them, and fails as the first one does that fails. Nothing else
 * may come before it but more of these (DB_LATER_MAX at most) or db_rollback(). *ret_result is set
 * by that call if nothing failed; NULL: no rows matter.
 */
enum status db_later(struct db *db, size_t index, struct db_params *params,
    struct db_result **ret_result, struct err *err) MUST_CHECK;

/* The same where all that matters is how many rows there are, whether there are any, or the integer
 * that the first one begins with (0 without a row). Nothing is set by a failure. */
enum status db_run_count(struct db *db, size_t index, struct db_params *params, size_t *ret_rows,
    struct err *err) MUST_CHECK;
enum status db_run_any(struct db *db, size_t index, struct db_params *params, bool *ret_any,
    struct err *err) MUST_CHECK;
enum status db_run_int(struct db *db, size_t index, struct db_params *params, int64_t *ret_value,
    struct err *err) MUST_CHECK;

/* Text of ours without parameters (DDL, SET, pg_advisory_lock). */
enum status db_exec(struct db *db, const char *sql, struct err *err) MUST_CHECK;

/*
 * Many rows at once, by COPY: half the price of INSERT ... SELECT FROM unnest(). A row is made of
 * db_add_*() like parameters, of the types of the columns exactly.
 */
struct db_copy {
	struct buf data;
};

void db_copy_begin(struct db_copy *copy);
/* The next row; finishes `row`. */
void db_copy_row(struct db_copy *copy, struct db_params *row);
/*
 * Finishes `copy` whatever happens. `table` with its schema, `columns` as a list: both ours. All
 * rows or none; fails as db_run() does.
 */
enum status db_copy_run(struct db *db, const char *table, const char *columns, struct db_copy *copy,
    struct err *err) MUST_CHECK;

enum status db_begin(struct db *db, struct err *err) MUST_CHECK;
/* STATUS_UNAVAILABLE also if the server made it a rollback, or if the outcome is unknown. */
enum status db_commit(struct db *db, struct err *err) MUST_CHECK;
void db_rollback(struct db *db); /* quiet; fine when nothing is open */

/* --- results: row and column counted from 0; reading a null gives 0, "" or empty --- */
size_t db_rows(const struct db_result *result);
void db_result_free(struct db_result *result); /* NULL is fine */
bool db_is_null(const struct db_result *result, size_t row, size_t column);
bool db_get_bool(const struct db_result *result, size_t row, size_t column);
/* int2, int4 and int8 */
int64_t db_get_int(const struct db_result *result, size_t row, size_t column);
/* Microseconds since 1970. */
int64_t db_get_time(const struct db_result *result, size_t row, size_t column);
/* Borrowed from the result. */
const char *db_get_text(const struct db_result *result, size_t row, size_t column);
struct bytes db_get_bytes(const struct db_result *result, size_t row, size_t column);
/* A text[] or int8[] column: the number of elements, and one of them. */
size_t db_get_array_len(const struct db_result *result, size_t row, size_t column);
struct bytes db_get_array_text(const struct db_result *result, size_t row, size_t column, size_t i);
int64_t db_get_array_int(const struct db_result *result, size_t row, size_t column, size_t i);

/*
 * Runs `fn` inside a transaction, and again on STATUS_UNAVAILABLE, with back-off and jitter, at
 * most `attempts` times. fn must be a unit of work that can be run again.
 */
typedef enum status (*db_work)(void *arg, struct db *db, struct err *err);
enum status db_transaction(
    struct db *db, int attempts, db_work fn, void *arg, struct err *err) MUST_CHECK;

/* --- an advisory lock of the session: who loses the connection loses it --- */
/* All zeros: not held. */
struct db_lock {
	bool held;
	uint64_t generation; /* of the connection that took it */
};
/* Makes sure of the connection (db_ensure), and of `held`. */
enum status db_lock_check(struct db_lock *lock, struct db *db, struct err *err) MUST_CHECK;
/* Tries for it, if it is not held, by statement `index`, which answers with one boolean. */
enum status db_lock_try(
    struct db_lock *lock, struct db *db, size_t index, struct err *err) MUST_CHECK;

/* --- migrations --- */
struct db_migration {
	int version;      /* 1, 2, 3 ... */
	const char *name; /* "init" */
	const char *sql;
	/*
	 * The version a program has to know to work with what this leaves; 0: any that worked
	 * before it. So a program of the last release can be started again while the next one is
	 * rolled out.
	 */
	int oldest;
};
/*
 * Brings schema `schema` to the newest version, under an advisory lock so that replicas may start
 * together; each migration in a transaction with its row in <schema>.migrations. Fails if the
 * schema is newer than this program and one of the newer migrations needs a newer program. `db` may
 * have statements: they are prepared by the first call that needs them.
 */
enum status db_migrate(struct db *db, const char *schema, const struct db_migration *migrations,
    size_t len, struct err *err) MUST_CHECK;

#endif
