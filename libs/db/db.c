/* A connection's life: opened lazily, made again after a failure, statements prepared each time. */
#include "db/db.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "db/conn.h"
#include "db/tls.h"

enum {
	STATEMENT_TIMEOUT_MS = 10000,
	LOCK_TIMEOUT_MS = 5000,
	IDLE_IN_TRANSACTION_MS = 60000,
	GRACE_MS = 5000, /* for the server's time-out to reach us before ours strikes */
};

/* Without jit=off the price put on a table of one row that has no index would have it compiled. */
#define BY_KEY                                                         \
	" -c plan_cache_mode=force_generic_plan -c enable_seqscan=off" \
	" -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off"

/*
 * The session settings, after those that the connection string may bring: later ones win. The
 * server is to notice a client whose machine is gone as soon as we notice a server: until then it
 * keeps that client's advisory locks, two hours by default.
 */
static char *session_options(
    const PQconninfoOption *parsed, int statement_ms, int lock_ms, bool by_key)
{
	const char *theirs = "";

	for (; parsed->keyword; parsed++) {
		if (strcmp(parsed->keyword, "options") == 0 && parsed->val)
			theirs = parsed->val;
	}
	return xasprintf("%s -c statement_timeout=%d -c lock_timeout=%d"
			 " -c idle_in_transaction_session_timeout=%d -c TimeZone=UTC"
			 " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=3"
			 " -c tcp_keepalives_count=3 -c tcp_user_timeout=10000%s",
	    theirs, statement_ms, lock_ms, IDLE_IN_TRANSACTION_MS, by_key ? BY_KEY : "");
}

enum status db_open(const struct db_config *cfg, struct db **ret_db, struct err *err)
{
	int statement_ms =
	    cfg->statement_timeout_ms ? cfg->statement_timeout_ms : STATEMENT_TIMEOUT_MS;
	int lock_ms = cfg->lock_timeout_ms ? cfg->lock_timeout_ms : LOCK_TIMEOUT_MS;
	PQconninfoOption *parsed = PQconninfoParse(cfg->dsn, /* errmsg= */ NULL);
	struct db *db;

	/* libpq's own message would quote a piece of the string, which may be the password. */
	if (!parsed)
		return err_set(err, STATUS_INVALID, "the database URL can't be parsed");
	if (tls_check(parsed, err)) {
		PQconninfoFree(parsed);
		return err->status;
	}
	db = xcalloc(1, sizeof(*db));
	db->dsn = xstrdup(cfg->dsn);
	db->parsed = parsed;
	db->options = session_options(parsed, statement_ms, lock_ms, cfg->by_key);
	db->application_name =
	    xstrdup(cfg->application_name ? cfg->application_name : "walletwire");
	db->statements = cfg->statements;
	db->statements_len = cfg->statements_len;
	db->answer_timeout_ms = statement_ms + GRACE_MS;
	*ret_db = db;
	return STATUS_OK;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	conn_drop(db);
	PQconninfoFree(db->parsed);
	free(db->dsn);
	free(db->options);
	free(db->application_name);
	free(db);
}

/* PQstatus says "OK" until a connection is used; whether the server hung up, the kernel knows. */
static bool hung_up(PGconn *conn)
{
	struct pollfd pfd = { .fd = PQsocket(conn), .events = POLLRDHUP };

	return poll(&pfd, 1, 0) > 0;
}

static enum status prepare_all(struct db *db, struct err *err)
{
	for (size_t i = 0; i < db->statements_len; i++) {
		const struct db_statement *statement = &db->statements[i];
		char what[96];
		enum status s;
		int sent;

		(void)snprintf(what, sizeof(what), "prepare %s", statement->name);
		sent = PQsendPrepare(db->conn, statement->name, statement->sql, 0, NULL);
		s = conn_collect(db, what, sent, NULL, err);
		if (s)
			return s;
	}
	db->prepared = true;
	db->failures = 0;
	return STATUS_OK;
}

enum status conn_ensure(struct db *db, struct err *err)
{
	enum status s;

	/* Never a new connection in the middle of a transaction: its rest would commit alone. */
	if (db->in_transaction && !db->conn)
		return err_blame(err,
		    err_set(
			err, STATUS_UNAVAILABLE, "the connection was lost inside a transaction"),
		    CAUSE_POSTGRES_DOWN);
	s = conn_connect(db, err);
	if (s || db->prepared)
		return s;
	s = prepare_all(db, err);
	if (s) {
		conn_drop(db);
		conn_back_off(db);
	}
	return s;
}

enum status db_ensure(struct db *db, struct err *err)
{
	if (db->conn && hung_up(db->conn))
		conn_drop(db);
	return conn_ensure(db, err);
}

const char *db_tls(const struct db *db)
{
	return db->conn ? PQsslAttribute(db->conn, "protocol") : NULL;
}

uint64_t db_generation(const struct db *db)
{
	return db->generation;
}
