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
} meanings[] = {
	{ "08P01", STATUS_INTERNAL, false }, /* e.g. a wrong number of parameters: our bug */
	{ "08", STATUS_UNAVAILABLE, true },
	{ "0A000", STATUS_UNAVAILABLE, true },  /* a plan that a migration made obsolete */
	{ "23505", STATUS_CONFLICT, false },    /* unique_violation */
	{ "23P01", STATUS_CONFLICT, false },    /* exclusion_violation */
	{ "25006", STATUS_UNAVAILABLE, true },  /* read-only: this server became a standby */
	{ "25P03", STATUS_UNAVAILABLE, true },  /* idle_in_transaction_session_timeout */
	{ "26000", STATUS_UNAVAILABLE, true },  /* our prepared statement is gone */
	{ "40001", STATUS_UNAVAILABLE, false }, /* serialization_failure */
	{ "40P01", STATUS_UNAVAILABLE, false }, /* deadlock_detected */
	{ "42501", STATUS_UNAVAILABLE,
	    false },                         /* a right is missing: somebody has to give it back */
	{ "53", STATUS_UNAVAILABLE, false }, /* insufficient resources */
	{ "55P03", STATUS_UNAVAILABLE, false }, /* lock_not_available */
	{ "57014", STATUS_UNAVAILABLE, false }, /* query_canceled: statement_timeout */
	{ "57P", STATUS_UNAVAILABLE, true },    /* shutdown, crash, starting up */
	{ "58", STATUS_UNAVAILABLE, false },    /* the server's disk */
	{ "XX", STATUS_UNAVAILABLE, false },    /* the server's own trouble */
};

void conn_drop(struct db *db)
{
	PQfinish(db->conn);
	db->conn = NULL;
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

static void ignore_notice(void *arg, const PGresult *notice)
{
	(void)arg;
	(void)notice; /* libpq would print "already exists, skipping" on standard error */
}

enum status conn_connect(struct db *db, struct err *err)
{
	/* Later ones win: the connection string may tune keepalives, the rest is ours. */
	const char *const keys[] = { "keepalives_idle", "keepalives_interval", "keepalives_count",
		"tcp_user_timeout", "dbname", "options", "application_name", "client_encoding",
		NULL };
	const char *const values[] = { "10", "3", "3", "10000", db->dsn, db->options,
		db->application_name, "UTF8", NULL };
	const char *why;

	if (db->conn)
		return STATUS_OK;
	if (clock_mono_ms() < db->retry_at_ms)
		return err_set(err, STATUS_UNAVAILABLE, "PostgreSQL: waiting to connect again");
	db->conn = PQconnectStartParams(keys, values, /* expand_dbname= */ 1);
	why = db->conn ? finish_connecting(db->conn) : "out of memory";
	if (!why && PQsetnonblocking(db->conn, 1) != 0)
		why = "cannot be made non-blocking";
	if (why) {
		err_set(
		    err, STATUS_UNAVAILABLE, "connect to PostgreSQL: %.*s", first_line(why), why);
		conn_drop(db);
		conn_back_off(db);
		return STATUS_UNAVAILABLE;
	}
	(void)PQsetNoticeReceiver(db->conn, ignore_notice, NULL);
	db->generation++;
	return STATUS_OK;
}

static const struct meaning *meaning_of(const char *sqlstate)
{
	static const struct meaning bug = { "", STATUS_INTERNAL, false };

	for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
		if (strncmp(sqlstate, meanings[i].sqlstate, strlen(meanings[i].sqlstate)) == 0)
			return &meanings[i];
	}
	return &bug;
}

static enum status lost(struct db *db, const char *what, const char *why, struct err *err)
{
	err_set(err, STATUS_UNAVAILABLE, "%s: %.*s", what, first_line(why), why);
	conn_drop(db);
	return STATUS_UNAVAILABLE;
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
	err_set(err, meaning->status, "%s: %s (%s)", what, message ? message : "failed", sqlstate);
	if (meaning->connection_is_useless || (severity && strcmp(severity, "ERROR") != 0))
		conn_drop(db);
	return meaning->status;
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
		if (!PQconsumeInput(conn))
			return PQerrorMessage(conn);
	}
}

static bool is_good(const PGresult *pg)
{
	ExecStatusType type = PQresultStatus(pg);

	assert(type != PGRES_COPY_IN && type != PGRES_COPY_OUT && type != PGRES_COPY_BOTH);
	return type == PGRES_COMMAND_OK || type == PGRES_TUPLES_OK || type == PGRES_EMPTY_QUERY;
}

enum status conn_collect(
    struct db *db, const char *what, int sent, PGresult **ret_pg, struct err *err)
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
		if (kept && !is_good(kept)) {
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

enum status conn_exec(
    struct db *db, const char *what, const char *sql, PGresult **ret_pg, struct err *err)
{
	if (!db->conn)
		return err_set(err, STATUS_UNAVAILABLE, "%s: the connection was lost", what);
	return conn_collect(db, what, PQsendQuery(db->conn, sql), ret_pg, err);
}
