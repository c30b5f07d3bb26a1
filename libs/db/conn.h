/*
 * conn: the connection itself, shared by the files of this library and included by nobody else.
 *
 * libpq's own blocking calls wait for ever on a server that stopped answering, so everything is
 * sent without blocking and waited for here, with a deadline.
 */
#ifndef DB_CONN_H
#define DB_CONN_H

#include <libpq-fe.h>

#include "db/db.h"

struct db {
	char *dsn;
	PQconninfoOption *parsed; /* of it */
	char *options;            /* session settings, behind those of the connection string */
	char *application_name;
	const struct db_statement *statements;
	size_t statements_len;
	int answer_timeout_ms; /* the server's own time-out and some grace */
	PGconn *conn;          /* NULL: none */
	bool prepared;         /* the statements, on this connection */
	bool
	    in_transaction; /* from db_begin() to its end, even if the connection is gone by then */
	bool unhurried;     /* a migration runs: answers may take as long as they need */
	uint64_t generation;
	enum cause refused_for; /* by the last attempt to connect that failed */
	unsigned failures;      /* connection attempts in a row that failed */
	int64_t retry_at_ms;    /* no attempt before this */
	/* What was sent and not waited for: the connection is in pipeline mode while there is any.
	 */
	struct later {
		const char *name;
		struct db_result **ret_result; /* NULL: none is wanted */
		PGresult *pg;
	} later[DB_LATER_MAX + 1];
	size_t later_len;
};

struct db_result {
	PGresult *pg;
};

/* Connects if there is no connection; statements are left unprepared. */
enum status conn_connect(struct db *db, struct err *err) MUST_CHECK;
/* The same, with the statements prepared. */
enum status conn_ensure(struct db *db, struct err *err) MUST_CHECK;
void conn_drop(struct db *db);

/*
 * Collects the answer to what was just sent; `sent` is what libpq said to it. `what` names the
 * request in a failure. A connection that broke is dropped. *ret_pg is the caller's; ret_pg may be
 * NULL.
 */
enum status conn_collect(
    struct db *db, const char *what, int sent, PGresult **ret_pg, struct err *err) MUST_CHECK;

/*
 * In pipeline mode: collects the answers to all that was sent and not waited for. The results of
 * all are given out, or none is. *ret_pg is the last one's; NULL: it is not wanted.
 */
enum status conn_collect_later(struct db *db, PGresult **ret_pg, struct err *err) MUST_CHECK;

/* Text without parameters, on whatever connection there is. */
enum status conn_exec(struct db *db, const char *what, const char *sql, PGresult **ret_pg,
    struct err *err) MUST_CHECK;

/* The text of a COPY ... FROM STDIN, and all it is to read. */
enum status conn_copy(struct db *db, const char *what, const char *sql, struct bytes rows,
    struct err *err) MUST_CHECK;

/* The next attempt to connect waits longer than the last one did. */
void conn_back_off(struct db *db);

#endif
