/*
 * Migrations: each in a transaction of its own that first takes the schema's advisory lock and then
 * looks which version is there, so that replicas that start together apply each of them once.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "db/conn.h"

/* Schema and migration names are ours and stand in SQL text. */
static bool is_plain_name(const char *name)
{
	return name[0] && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static enum status exec(
    struct db *db, const char *what, struct buf *sql, PGresult **ret_pg, struct err *err)
{
	enum status s = conn_exec(db, what, buf_str(sql), ret_pg, err);

	buf_finish(sql);
	return s;
}

/* Waiting for another replica's migration has no time limit, nor has a migration. */
static enum status lock(struct db *db, const char *schema, struct err *err)
{
	struct buf sql = BUF_INIT;

	buf_appendf(&sql,
	    "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;"
	    "SET LOCAL idle_in_transaction_session_timeout = 0;"
	    "SELECT pg_advisory_xact_lock(hashtextextended('walletwire.migrations.%s', 0))",
	    schema);
	return exec(db, "lock the schema", &sql, NULL, err);
}

/* How far a schema is, and the version that a program has to know at least. */
struct progress {
	int version, oldest;
};

static enum status read_progress(
    struct db *db, const char *schema, struct progress *ret, struct err *err)
{
	struct buf sql = BUF_INIT;
	PGresult *pg = NULL;
	enum status s;

	/*
	 * The answer is in text: this is not a prepared statement. CREATE SCHEMA IF NOT EXISTS
	 * would need the right to make schemas where there is one already, and ALTER TABLE would
	 * wait for a backup even where the column is there.
	 */
	buf_appendf(&sql,
	    "DO $$ BEGIN IF to_regnamespace('%s') IS NULL THEN CREATE SCHEMA %s; END IF; END $$;"
	    "CREATE TABLE IF NOT EXISTS %s.migrations (version integer PRIMARY KEY, name text NOT "
	    "NULL,"
	    " applied_at timestamptz NOT NULL DEFAULT now());"
	    "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_attribute WHERE attname = 'oldest'"
	    " AND attrelid = '%s.migrations'::regclass) THEN"
	    " ALTER TABLE %s.migrations ADD COLUMN oldest integer NOT NULL DEFAULT 0; END IF; END "
	    "$$;"
	    "SELECT coalesce(max(version), 0), coalesce(max(oldest), 0) FROM %s.migrations",
	    schema, schema, schema, schema, schema, schema);
	s = exec(db, "read the schema's version", &sql, &pg, err);
	if (s)
		return s;
	ret->version = (int)strtol(PQgetvalue(pg, 0, 0), NULL, 10);
	ret->oldest = (int)strtol(PQgetvalue(pg, 0, 1), NULL, 10);
	PQclear(pg);
	return STATUS_OK;
}

static enum status apply(
    struct db *db, const char *schema, const struct db_migration *migration, struct err *err)
{
	struct buf sql = BUF_INIT;
	char what[96];
	enum status s;

	(void)snprintf(what, sizeof(what), "migration %s/%03d_%s", schema, migration->version,
	    migration->name);
	s = conn_exec(db, what, migration->sql, NULL, err);
	/* What is missing here comes with no wait: the migration is wrong. */
	if (s && err && err->cause == CAUSE_POSTGRES_SCHEMA)
		return err_blame(err, err->status = STATUS_INTERNAL, CAUSE_NONE);
	if (s)
		return s;
	/* A migration that committed by itself would leave its row out of its transaction. */
	assert(PQtransactionStatus(db->conn) == PQTRANS_INTRANS);
	buf_appendf(&sql, "INSERT INTO %s.migrations (version, name, oldest) VALUES (%d, '%s', %d)",
	    schema, migration->version, migration->name, migration->oldest);
	return exec(db, what, &sql, NULL, err);
}

/* A newer program has been here: its migrations say whether an older one may still be. */
static enum status check_tolerated(
    const char *schema, const struct progress *found, int known, struct err *err)
{
	if (found->version <= known || found->oldest <= known)
		return STATUS_OK;
	return err_set(err, STATUS_INTERNAL,
	    "schema %s is at version %d, which needs a program that knows version %d; this one "
	    "knows %d",
	    schema, found->version, found->oldest, known);
}

/* One transaction: the migration after the version that is there, if there is one. */
static enum status step(struct db *db, const char *schema, const struct db_migration *migrations,
    size_t len, bool *ret_done, struct err *err)
{
	struct progress found = { 0 };
	enum status s;

	db->in_transaction = true;
	s = lock(db, schema, err);
	if (!s)
		s = read_progress(db, schema, &found, err);
	if (!s)
		s = check_tolerated(schema, &found, (int)len, err);
	*ret_done = found.version >= (int)len;
	if (!s && !*ret_done)
		s = apply(db, schema, &migrations[found.version], err);
	if (!s)
		s = db_commit(db, err);
	if (s)
		db_rollback(db);
	return s;
}

enum status db_migrate(struct db *db, const char *schema, const struct db_migration *migrations,
    size_t len, struct err *err)
{
	bool done = false;
	enum status s;

	assert(is_plain_name(schema) && !db->in_transaction);
	for (size_t i = 0; i < len; i++)
		assert(migrations[i].version == (int)i + 1 && is_plain_name(migrations[i].name) &&
		       migrations[i].oldest >= 0 && migrations[i].oldest <= migrations[i].version);
	/* The statements can't be prepared yet: the tables they name are still to be made. */
	s = conn_connect(db, err);
	db->unhurried = true;
	while (!s && !done)
		s = step(db, schema, migrations, len, &done, err);
	db->unhurried = false;
	return s;
}
