/*
 * Connecting, waiting for answers, and what SQLSTATEs mean.
 *
 * PQconnectStart ignores connect_timeout, so the time limit is ours. A server that dies without a
 * word is noticed by keepalives, by tcp_user_timeout and at the latest by the deadline of the
 * answer.
 */
#include "db/conn.h"

#include <assert.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/xalloc.h"
#include "db/tls.h"

enum {
	CONNECT_TIMEOUT_MS = 5000,
	BACK_OFF_FIRST_MS = 100,
	BACK_OFF_MOST_MS = 3000,
};

/* What a SQLSTATE, or a class of them (two characters), means to us. The first match counts. */
static const struct meaning {
	const char *sqlstate;
	enum status status;
	bool connection_is_useless;
	enum cause cause;
} meanings[] = {
	/* e.g. a wrong number of parameters: our bug */
	{ "08P01", STATUS_INTERNAL, false, CAUSE_NONE },
	{ "08", STATUS_UNAVAILABLE, true, CAUSE_POSTGRES_DOWN },
	/* a plan that a migration made obsolete */
	{ "0A000", STATUS_UNAVAILABLE, true, CAUSE_POSTGRES_SCHEMA },
	{ "23505", STATUS_CONFLICT, false, CAUSE_NONE }, /* unique_violation */
	{ "23P01", STATUS_CONFLICT, false, CAUSE_NONE }, /* exclusion_violation */
	/* read-only: this server became a standby */
	{ "25006", STATUS_UNAVAILABLE, true, CAUSE_POSTGRES_READ_ONLY },
	{ "25P03", STATUS_UNAVAILABLE, true, CAUSE_POSTGRES_TIMEOUT }, /* idle in transaction */
	{ "25P04", STATUS_UNAVAILABLE, true, CAUSE_POSTGRES_TIMEOUT }, /* transaction_timeout */
	{ "26000", STATUS_UNAVAILABLE, true, CAUSE_POSTGRES_DOWN },    /* our statement is gone */
	{ "28", STATUS_UNAVAILABLE, true, CAUSE_POSTGRES_LOGIN },
	{ "3D000", STATUS_UNAVAILABLE, true, CAUSE_POSTGRES_LOGIN }, /* no such database */
	{ "40", STATUS_UNAVAILABLE, false, CAUSE_POSTGRES_LOCK },    /* serialization, deadlock */
	/* What is missing was there when this program started: somebody has to bring it back. */
	{ "3F000", STATUS_UNAVAILABLE, false, CAUSE_POSTGRES_SCHEMA }, /* schema */
	{ "42501", STATUS_UNAVAILABLE, false, CAUSE_POSTGRES_RIGHTS },
	{ "42704", STATUS_UNAVAILABLE, false, CAUSE_POSTGRES_SCHEMA }, /* object */
	{ "42804", STATUS_UNAVAILABLE, false, CAUSE_POSTGRES_SCHEMA }, /* another type */
	{ "42P10", STATUS_UNAVAILABLE, false, CAUSE_POSTGRES_SCHEMA }, /* a key of ours */
	{ "42703", STATUS_UNAVAILABLE, false, CAUSE_POSTGRES_SCHEMA }, /* column */
	{ "42883", STATUS_UNAVAILABLE, false, CAUSE_POSTGRES_SCHEMA }, /* function */
	{ "42P01", STATUS_UNAVAILABLE, false, CAUSE_POSTGRES_SCHEMA }, /* table */
	{ "53100", STATUS_UNAVAILABLE, false, CAUSE_POSTGRES_DISK },
	{ "53200", STATUS_UNAVAILABLE, false, CAUSE_POSTGRES_MEMORY },
	{ "53300", STATUS_UNAVAILABLE, false, CAUSE_POSTGRES_CONNECTIONS },
	{ "53", STATUS_UNAVAILABLE, false, CAUSE_POSTGRES_ERROR },      /* insufficient resources */
	{ "55", STATUS_UNAVAILABLE, false, CAUSE_POSTGRES_LOCK },       /* in use, lock_timeout */
	{ "57014", STATUS_UNAVAILABLE, false, CAUSE_POSTGRES_TIMEOUT }, /* statement_timeout */
	{ "57P", STATUS_UNAVAILABLE, true, CAUSE_POSTGRES_DOWN },  /* shutdown, crash, starting */
	{ "58", STATUS_UNAVAILABLE, false, CAUSE_POSTGRES_ERROR }, /* the server's disk */
	{ "XX", STATUS_UNAVAILABLE, false, CAUSE_POSTGRES_ERROR }, /* the server's own trouble */
};

/*
 * A row that no partition takes has the SQLSTATE of a CHECK, but names no constraint: it is no
 * fault of the row.
 */
static const struct meaning no_partition = { "23514", STATUS_UNAVAILABLE, false,
	CAUSE_POSTGRES_SCHEMA };

static const struct meaning *meaning_of(const char *sqlstate)
{
	static const struct meaning bug = { "", STATUS_INTERNAL, false, CAUSE_NONE };

	for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
		if (strncmp(sqlstate, meanings[i].sqlstate, strlen(meanings[i].sqlstate)) == 0)
			return &meanings[i];
	}
	return &bug;
}

void conn_drop(struct db *db)
{
	PQfinish(db->conn);
	db->conn = NULL;
	db->later_len = 0;
	db->prepared = false;
}

void conn_back_off(struct db *db)
{
	int64_t delay = BACK_OFF_MOST_MS;

	if (db->failures < 5)
		delay = BACK_OFF_FIRST_MS << db->failures;
	db->failures++;
	/* Jitter, so that replicas don't come back in step. */
	db->retry_at_ms = clock_mono_ms() + delay / 2 + (int64_t)random_below((uint64_t)delay / 2);
}

/* Wait until the socket is ready for `events`; false once `deadline_ms` (-1: never) has passed. */
static bool wait_socket(PGconn *conn, short events, int64_t deadline_ms)
{
	struct pollfd pfd = { .fd = PQsocket(conn), .events = events };

	for (;;) {
		int64_t left = deadline_ms < 0 ? 1000 : deadline_ms - clock_mono_ms();

		if (left <= 0)
			return false;
		if (poll(&pfd, 1, (int)left) > 0)
			return true;
	}
}

/* libpq's message up to its first line break; the lines after it are hints that may hold data. */
static int first_line(const char *message)
{
	return (int)strcspn(message, "\n");
}

static const char *finish_connecting(PGconn *conn)
{
	int64_t deadline_ms = clock_mono_ms() + CONNECT_TIMEOUT_MS;
	PostgresPollingStatusType next = PGRES_POLLING_WRITING;

	while (next != PGRES_POLLING_OK) {
		if (next == PGRES_POLLING_FAILED || PQstatus(conn) == CONNECTION_BAD)
			return PQerrorMessage(conn);
		if (!wait_socket(
			conn, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_ms))
			return "no answer in time";
		next = PQconnectPoll(conn);
	}
	return NULL;
}

/* From "... FATAL:  53300: sorry, too many clients already": the word is translated, the code not.
 */
static enum cause cause_of_refusal(const char *why)
{
	static const char code[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	enum { CODE_LEN = 5 };

	for (const char *at = strstr(why, ":  "); at; at = strstr(at + 1, ":  ")) {
		const char *sqlstate = at + 3;

		if (strspn(sqlstate, code) == CODE_LEN && sqlstate[CODE_LEN] == ':' &&
		    meaning_of(sqlstate)->cause)
			return meaning_of(sqlstate)->cause;
	}
	/* What TLS fails for has no code: OpenSSL's words, or libpq's on a file or a name. */
	if (strstr(why, "SSL") || strstr(why, "certificate"))
		return CAUSE_POSTGRES_TLS;
	return CAUSE_POSTGRES_DOWN;
}

/* NULL, or why there is no connection; *ret_cause then says what that means. */
static const char *make_connection(struct db *db, struct err *why_tls, enum cause *ret_cause)
{
	/* Later ones win: the connection string may tune keepalives, the rest is ours. */
	const char *const keys[] = { "keepalives_idle", "keepalives_interval", "keepalives_count",
		"tcp_user_timeout", "dbname", "options", "application_name", "client_encoding",
		NULL };
	const char *const values[] = { "10", "3", "3", "10000", db->dsn, db->options,
		db->application_name, "UTF8", NULL };
	const char *why;

	if (tls_check(db->parsed, why_tls)) {
		*ret_cause = CAUSE_POSTGRES_TLS;
		return why_tls->msg;
	}
	db->conn = PQconnectStartParams(keys, values, /* expand_dbname= */ 1);
	if (db->conn) /* with the SQLSTATE, which no function tells of a refused connection */
		(void)PQsetErrorVerbosity(db->conn, PQERRORS_VERBOSE);
	why = db->conn ? finish_connecting(db->conn) : "out of memory";
	if (!why && PQsetnonblocking(db->conn, 1) != 0)
		why = "cannot be made non-blocking";
	*ret_cause = why ? cause_of_refusal(why) : CAUSE_NONE;
	return why;
}

static void ignore_notice(void *arg, const PGresult *notice)
{
	(void)arg;
	(void)notice; /* libpq would print "already exists, skipping" on standard error */
}

enum status conn_connect(struct db *db, struct err *err)
{
	struct err why_tls = ERR_INIT;
	const char *why;

	if (db->conn)
		return STATUS_OK;
	if (clock_mono_ms() < db->retry_at_ms)
		return err_blame(err,
		    err_set(err, STATUS_UNAVAILABLE, "PostgreSQL: waiting to connect again"),
		    db->refused_for);
	why = make_connection(db, &why_tls, &db->refused_for);
	if (why) {
		err_set(
		    err, STATUS_UNAVAILABLE, "connect to PostgreSQL: %.*s", first_line(why), why);
		conn_drop(db);
		conn_back_off(db);
		return err_blame(err, STATUS_UNAVAILABLE, db->refused_for);
	}
	(void)PQsetNoticeReceiver(db->conn, ignore_notice, NULL);
	db->generation++;
	return STATUS_OK;
}

static enum status lost(struct db *db, const char *what, const char *why, struct err *err)
{
	err_set(err, STATUS_UNAVAILABLE, "%s: %.*s", what, first_line(why), why);
	conn_drop(db);
	return err_blame(err, STATUS_UNAVAILABLE, CAUSE_POSTGRES_DOWN);
}

/* The server's primary message and SQLSTATE; its detail and context hold data. */
static enum status failed(struct db *db, const char *what, const PGresult *pg, struct err *err)
{
	const char *sqlstate = PQresultErrorField(pg, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(pg, PG_DIAG_MESSAGE_PRIMARY);
	const char *severity = PQresultErrorField(pg, PG_DIAG_SEVERITY_NONLOCALIZED);
	const struct meaning *meaning;

	if (!sqlstate)
		return lost(db, what, PQresultErrorMessage(pg), err);
	meaning = meaning_of(sqlstate);
	if (strcmp(sqlstate, no_partition.sqlstate) == 0 &&
	    !PQresultErrorField(pg, PG_DIAG_CONSTRAINT_NAME))
		meaning = &no_partition;
	err_set(err, meaning->status, "%s: %s (%s)", what, message ? message : "failed", sqlstate);
	if (meaning->connection_is_useless || (severity && strcmp(severity, "ERROR") != 0))
		conn_drop(db);
	return err_blame(err, meaning->status, meaning->cause);
}

/* Until everything is sent and a whole result is here; NULL, or why the connection is of no use. */
static const char *await(PGconn *conn, int64_t deadline_ms)
{
	for (;;) {
		int unsent = PQflush(conn);

		if (unsent < 0)
			return PQerrorMessage(conn);
		if (!unsent && !PQisBusy(conn))
			return NULL;
		if (!wait_socket(conn, (short)(unsent ? POLLIN | POLLOUT : POLLIN), deadline_ms))
			return "no answer in time";
		/* Also while sending: both sides block for ever if neither reads. */
		do {
			if (!PQconsumeInput(conn))
				return PQerrorMessage(conn);
		} while (tls_has_more(conn));
	}
}

static bool is_good(const PGresult *pg)
{
	ExecStatusType type = PQresultStatus(pg);

	assert(type != PGRES_COPY_IN && type != PGRES_COPY_OUT && type != PGRES_COPY_BOTH);
	return type == PGRES_COMMAND_OK || type == PGRES_TUPLES_OK || type == PGRES_EMPTY_QUERY;
}

/* What a COPY wants, all of it: not sent yet, await() sees to that. */
static const char *put_copy(PGconn *conn, struct bytes rows)
{
	if (PQputCopyData(conn, (const char *)rows.data, (int)rows.len) != 1 ||
	    PQputCopyEnd(conn, NULL) != 1)
		return PQerrorMessage(conn);
	return NULL;
}

/* `rows` for a COPY, else NULL. */
static enum status collect(struct db *db, const char *what, int sent, const struct bytes *rows,
    PGresult **ret_pg, struct err *err)
{
	int64_t deadline_ms = db->unhurried ? -1 : clock_mono_ms() + db->answer_timeout_ms;
	const char *why = sent ? NULL : PQerrorMessage(db->conn);
	PGresult *kept = NULL;
	PGresult *next = NULL;
	enum status s = STATUS_OK;

	/* Several statements give several results: the failure counts, or else the last one. */
	for (;;) {
		if (!why)
			why = await(db->conn, deadline_ms);
		if (why || !(next = PQgetResult(db->conn)))
			break;
		if (rows && PQresultStatus(next) == PGRES_COPY_IN) {
			PQclear(next);
			why = put_copy(db->conn, *rows);
		} else if (kept && !is_good(kept)) {
			PQclear(next);
		} else {
			PQclear(kept);
			kept = next;
		}
	}
	/* A fatal error is followed by the end of the connection: the error is the better story. */
	if (kept && !is_good(kept))
		s = failed(db, what, kept, err);
	else if (why)
		s = lost(db, what, why, err);
	if (why && db->conn)
		conn_drop(db);
	if (s || !ret_pg) {
		PQclear(kept);
		return s;
	}
	*ret_pg = kept;
	return STATUS_OK;
}

enum status conn_collect(
    struct db *db, const char *what, int sent, PGresult **ret_pg, struct err *err)
{
	return collect(db, what, sent, /* rows= */ NULL, ret_pg, err);
}

/* The answer to one statement of a pipeline, or to its end; NULL, or why there is none. */
static const char *next_of_pipeline(PGconn *conn, int64_t deadline_ms, PGresult **ret_pg)
{
	const char *why = await(conn, deadline_ms);

	*ret_pg = why ? NULL : PQgetResult(conn);
	if (!why && !*ret_pg)
		return "no answer to a statement of a pipeline";
	/* Each statement's answer ends with a NULL; that of the pipeline itself does not. */
	if (!why && PQresultStatus(*ret_pg) != PGRES_PIPELINE_SYNC)
		(void)PQgetResult(conn);
	return why;
}

static const char *collect_pipeline(struct db *db, int64_t deadline_ms)
{
	PGresult *end = NULL;
	const char *why = PQpipelineSync(db->conn) ? NULL : PQerrorMessage(db->conn);

	for (size_t i = 0; i < db->later_len && !why; i++)
		why = next_of_pipeline(db->conn, deadline_ms, &db->later[i].pg);
	if (!why)
		why = next_of_pipeline(db->conn, deadline_ms, &end);
	PQclear(end);
	if (!why && !PQexitPipelineMode(db->conn))
		why = PQerrorMessage(db->conn);
	return why;
}

/* Those behind the first failure were not run. */
static const struct later *first_failed(const struct later *later, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (later[i].pg && PQresultStatus(later[i].pg) != PGRES_PIPELINE_ABORTED &&
		    !is_good(later[i].pg))
			return &later[i];
	}
	return NULL;
}

static void give_out(struct later *later)
{
	if (!later->ret_result) {
		PQclear(later->pg);
		return;
	}
	*later->ret_result = xmalloc(sizeof(**later->ret_result));
	(*later->ret_result)->pg = later->pg;
}

enum status conn_collect_later(struct db *db, PGresult **ret_pg, struct err *err)
{
	int64_t deadline_ms = db->unhurried ? -1 : clock_mono_ms() + db->answer_timeout_ms;
	struct later *later = db->later;
	size_t len = db->later_len;
	const char *why = collect_pipeline(db, deadline_ms);
	const struct later *bad = first_failed(later, len);
	enum status s = STATUS_OK;

	if (bad)
		s = failed(db, bad->name, bad->pg, err);
	else if (why)
		s = lost(db, later[len - 1].name, why, err);
	if (why && db->conn)
		conn_drop(db);
	db->later_len = 0;
	if (!s && ret_pg) {
		*ret_pg = later[--len].pg;
		later[len].pg = NULL;
	}
	for (size_t i = 0; i < len; i++) {
		if (s)
			PQclear(later[i].pg);
		else
			give_out(&later[i]);
		later[i].pg = NULL;
	}
	return s;
}

enum status conn_copy(
    struct db *db, const char *what, const char *sql, struct bytes rows, struct err *err)
{
	return collect(db, what, PQsendQuery(db->conn, sql), &rows, NULL, err);
}

enum status conn_exec(
    struct db *db, const char *what, const char *sql, PGresult **ret_pg, struct err *err)
{
	if (!db->conn)
		return err_blame(err,
		    err_set(err, STATUS_UNAVAILABLE, "%s: the connection was lost", what),
		    CAUSE_POSTGRES_DOWN);
	return conn_collect(db, what, PQsendQuery(db->conn, sql), ret_pg, err);
}
