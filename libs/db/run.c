/* Statements and transactions. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/id.h"
#include "base/xalloc.h"
#include "db/conn.h"

enum {
	RETRY_FIRST_MS = 20,
	RETRY_MOST_MS = 1000,
};

static int send_statement(struct db *db, const char *name, const struct db_params *params)
{
	const char *values[DB_PARAMS_MAX];
	int lengths[DB_PARAMS_MAX];
	int formats[DB_PARAMS_MAX];

	for (size_t i = 0; i < params->len; i++) {
		assert(params->at[i].len <= INT32_MAX);
		values[i] = (const char *)params->at[i].data;
		lengths[i] = (int)params->at[i].len;
		formats[i] = 1;
	}
	return PQsendQueryPrepared(db->conn, name, (int)params->len, values, lengths, formats,
	    /* resultFormat= */ 1);
}

/* What is sent is waited for by conn_collect_later(); `sent` is what libpq said to it. */
static enum status add_later(
    struct db *db, const char *name, int sent, struct db_result **ret_result, struct err *err)
{
	if (!sent) {
		err_set(err, STATUS_UNAVAILABLE, "%s: %s", name, PQerrorMessage(db->conn));
		conn_drop(db);
		return err_blame(err, STATUS_UNAVAILABLE, CAUSE_POSTGRES_DOWN);
	}
	db->later[db->later_len++] = (struct later){ .name = name, .ret_result = ret_result };
	return STATUS_OK;
}

enum status db_later(struct db *db, size_t index, struct db_params *params,
    struct db_result **ret_result, struct err *err)
{
	enum status s;

	assert(index < db->statements_len && db->in_transaction && db->later_len < DB_LATER_MAX);
	s = conn_ensure(db, err);
	if (!s) {
		const char *name = db->statements[index].name;
		int sent = (db->later_len > 0 || PQenterPipelineMode(db->conn)) &&
			   send_statement(db, name, params);

		s = add_later(db, name, sent, ret_result, err);
	}
	db_params_finish(params);
	return s;
}

/* One statement, with what was left for it. */
static enum status run_statement(struct db *db, const char *name, const struct db_params *params,
    PGresult **ret_pg, struct err *err)
{
	enum status s;

	if (db->later_len == 0)
		return conn_collect(db, name, send_statement(db, name, params), ret_pg, err);
	s = add_later(db, name, send_statement(db, name, params), NULL, err);
	return s ? s : conn_collect_later(db, ret_pg, err);
}

enum status db_run(struct db *db, size_t index, struct db_params *params,
    struct db_result **ret_result, struct err *err)
{
	PGresult *pg = NULL;
	enum status s;

	assert(index < db->statements_len);
	s = conn_ensure(db, err);
	if (!s)
		s = run_statement(db, db->statements[index].name, params, &pg, err);
	db_params_finish(params);
	if (s)
		return s;
	if (!ret_result) {
		PQclear(pg);
		return STATUS_OK;
	}
	*ret_result = xmalloc(sizeof(**ret_result));
	(*ret_result)->pg = pg;
	return STATUS_OK;
}

enum status db_run_count(
    struct db *db, size_t index, struct db_params *params, size_t *ret_rows, struct err *err)
{
	struct db_result *result = NULL;
	enum status s = db_run(db, index, params, &result, err);

	if (s)
		return s;
	*ret_rows = db_rows(result);
	db_result_free(result);
	return STATUS_OK;
}

enum status db_run_any(
    struct db *db, size_t index, struct db_params *params, bool *ret_any, struct err *err)
{
	size_t rows = 0;
	enum status s = db_run_count(db, index, params, &rows, err);

	if (!s)
		*ret_any = rows > 0;
	return s;
}

enum status db_run_int(
    struct db *db, size_t index, struct db_params *params, int64_t *ret_value, struct err *err)
{
	struct db_result *result = NULL;
	enum status s = db_run(db, index, params, &result, err);

	if (s)
		return s;
	*ret_value = db_rows(result) > 0 ? db_get_int(result, 0, 0) : 0;
	db_result_free(result);
	return STATUS_OK;
}

/* What a failure of db_exec() is called: the first words of the text. */
static const char *first_words(const char *sql, char ret_what[static 41])
{
	size_t len = strcspn(sql, "(\n;");

	if (len > 40)
		len = 40;
	memcpy(ret_what, sql, len);
	ret_what[len] = '\0';
	return ret_what;
}

enum status db_exec(struct db *db, const char *sql, struct err *err)
{
	char what[41];
	enum status s;

	assert(db->later_len == 0);
	s = conn_ensure(db, err);
	if (s)
		return s;
	return conn_exec(db, first_words(sql, what), sql, NULL, err);
}

enum status db_begin(struct db *db, struct err *err)
{
	enum status s;

	assert(!db->in_transaction);
	s = db_exec(db, "BEGIN", err);
	if (!s)
		db->in_transaction = true;
	return s;
}

static enum status send_commit(struct db *db, PGresult **ret_pg, struct err *err)
{
	enum status s;

	if (db->later_len == 0)
		return conn_exec(db, "COMMIT", "COMMIT", ret_pg, err);
	s = add_later(db, "COMMIT",
	    PQsendQueryParams(db->conn, "COMMIT", 0, NULL, NULL, NULL, NULL, 1), NULL, err);
	return s ? s : conn_collect_later(db, ret_pg, err);
}

enum status db_commit(struct db *db, struct err *err)
{
	PGresult *pg = NULL;
	bool committed;
	enum status s;

	assert(db->in_transaction);
	db->in_transaction = false;
	s = send_commit(db, &pg, err);
	if (s)
		return s;
	/* A failed transaction is rolled back, and the server calls that a success. */
	committed = strcmp(PQcmdStatus(pg), "COMMIT") == 0;
	PQclear(pg);
	if (!committed)
		return err_set(err, STATUS_UNAVAILABLE, "COMMIT: the transaction had failed");
	return STATUS_OK;
}

/* Nobody is there for the results any more. */
static void forget_later(struct db *db)
{
	for (size_t i = 0; i < db->later_len; i++)
		db->later[i].ret_result = NULL;
	/* One that failed is rolled back like the others. */
	if (db->later_len > 0 && conn_collect_later(db, NULL, NULL))
		return;
}

void db_rollback(struct db *db)
{
	db->in_transaction = false;
	forget_later(db);
	if (!db->conn || PQtransactionStatus(db->conn) == PQTRANS_IDLE)
		return;
	if (conn_exec(db, "ROLLBACK", "ROLLBACK", NULL, NULL))
		conn_drop(db);
}

static enum status try_once(struct db *db, db_work fn, void *arg, struct err *err)
{
	enum status s = db_begin(db, err);

	if (!s)
		s = fn(arg, db, err);
	if (!s)
		s = db_commit(db, err);
	if (s)
		db_rollback(db);
	return s;
}

static void wait_before(int attempt)
{
	int64_t most_ms = RETRY_MOST_MS;
	int64_t ms;
	struct timespec ts;

	if (attempt < 6)
		most_ms = RETRY_FIRST_MS << attempt;
	ms = most_ms / 2 + (int64_t)random_below((uint64_t)most_ms / 2);
	ts = (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	(void)nanosleep(&ts, NULL);
}

enum status db_transaction(struct db *db, int attempts, db_work fn, void *arg, struct err *err)
{
	struct err last = ERR_INIT; /* the caller's stays untouched if a later attempt succeeds */
	enum status s;

	assert(attempts > 0);
	for (int attempt = 1;; attempt++) {
		s = try_once(db, fn, arg, &last);
		if (s != STATUS_UNAVAILABLE || attempt == attempts)
			break;
		wait_before(attempt);
	}
	if (s && err)
		*err = last;
	return s;
}
