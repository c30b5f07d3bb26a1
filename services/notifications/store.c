/* The tables of statements and migrations, and the statements that keep one applier at a time. */
#include "store.h"

#include <stdlib.h>

#include "schema.h"
#include "store_sql.h"

enum status store_identity_lock(
    struct db *db, struct arena *arena, struct store_identity *ret, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	s = db_run(db, STORE_IDENTITY_LOCK, &p, &r, err);
	if (s)
		return s;
	ret->epoch = arena_strdup(arena, db_get_text(r, 0, 0));
	ret->same = db_get_bool(r, 0, 1);
	db_result_free(r);
	return STATUS_OK;
}

enum status store_identity_set(struct db *db, const char *epoch, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, epoch);
	return db_run(db, STORE_IDENTITY_SET, &p, NULL, err);
}

enum status store_epoch(struct db *db, struct arena *arena, const char **ret_epoch, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	s = db_run(db, STORE_EPOCH, &p, &r, err);
	if (s)
		return s;
	*ret_epoch = arena_strdup(arena, db_get_text(r, 0, 0));
	db_result_free(r);
	return STATUS_OK;
}

enum status store_try_lock(struct db *db, bool *ret_locked, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	s = db_run(db, STORE_TRY_LOCK, &p, &r, err);
	if (s)
		return s;
	*ret_locked = db_get_bool(r, 0, 0);
	db_result_free(r);
	return STATUS_OK;
}

enum status store_take_over(struct db *db, struct store_progress *ret, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	s = db_run(db, STORE_TAKE_OVER, &p, &r, err);
	if (s)
		return s;
	ret->stream_seq = db_get_int(r, 0, 0);
	ret->applied_period = db_get_int(r, 0, 1);
	ret->handed_over = db_get_bool(r, 0, 2);
	db_result_free(r);
	return STATUS_OK;
}

enum status store_hand_over(struct db *db, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	return db_run(db, STORE_HAND_OVER, &p, NULL, err);
}

enum status store_progress_set(struct db *db, int64_t stream_seq, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_i64(&p, stream_seq);
	return db_run(db, STORE_PROGRESS_SET, &p, NULL, err);
}

const struct db_migration store_migrations[] = {
	{ 1, "init", schema_001_init, 0 },
	{ 2, "withdrawal", schema_002_withdrawal, 0 },
	{ 3, "announcements", schema_003_announcements, 0 },
	{ 4, "balances", schema_004_balances, 0 },
	{ 5, "audit", schema_005_audit, 0 },
	{ 6, "erasure", schema_006_erasure, 0 },
	{ 7, "marks", schema_007_marks, 0 },
	/* A table that older programs count in is a view from here on. */
	{ 8, "counters", schema_008_counters, 8 },
};
const size_t store_migrations_len = ARRAY_LEN(store_migrations);

const struct db_statement store_statements[] = {
#define S(id, sql) { #id, sql },
	STATEMENTS(S)
#undef S
};
const size_t store_statements_len = ARRAY_LEN(store_statements);

const struct db_partitions store_mailbox = { "notifications.mailbox", 24 };
const struct audit_outbox store_audit = AUDIT_OUTBOX(STORE_SCHEMA);
