/* What the writer reads and adds. */
#include "store.h"

#include "store_sql.h"

const struct db_statement store_statements[] = {
#define S(id, sql) { #id, sql },
	STATEMENTS(S)
#undef S
};
const size_t store_statements_len = ARRAY_LEN(store_statements);
const size_t store_lock = STORE_TRY_LOCK;

/* --- what is there --- */

enum status store_tail(
    struct db *db, int64_t shard, int64_t since_us, struct ledger_chain *ret_tail, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_i16(&p, (int16_t)shard);
	db_add_time(&p, since_us);
	s = db_run(db, STORE_TAIL, &p, &r, err);
	if (s)
		return s;
	*ret_tail = (struct ledger_chain){ .hash = ledger_first(shard) };
	if (db_rows(r) > 0)
		*ret_tail = (struct ledger_chain){ db_get_int(r, 0, 0), db_get_time(r, 0, 1),
			ledger_hash_of(db_get_bytes(r, 0, 2)) };
	db_result_free(r);
	return STATUS_OK;
}

enum status store_rows(struct db *db, int64_t shard, int64_t after, size_t max, struct arena *arena,
    struct ledger_row **ret_rows, size_t *ret_len, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_i16(&p, (int16_t)shard);
	db_add_i64(&p, after);
	db_add_i64(&p, (int64_t)max);
	s = db_run(db, STORE_ROWS, &p, &r, err);
	if (s)
		return s;
	*ret_len = db_rows(r);
	*ret_rows = arena_alloc(arena, *ret_len * sizeof(**ret_rows));
	for (size_t i = 0; i < *ret_len; i++) {
		struct bytes record = db_get_bytes(r, i, 3);

		(*ret_rows)[i] = (struct ledger_row){ db_get_int(r, i, 0), db_get_time(r, i, 1),
			ledger_hash_of(db_get_bytes(r, i, 2)),
			bytes_of(arena_memdup(arena, record.data, record.len), record.len) };
	}
	db_result_free(r);
	return STATUS_OK;
}

static void get_head(const struct db_result *r, struct ledger_head *head)
{
	struct bytes signature = db_get_bytes(r, 0, 5);
	const char *key_id = db_get_text(r, 0, 4);

	head->number = db_get_int(r, 0, 0);
	(void)ledger_head_kind_of(db_get_text(r, 0, 1), &head->kind);
	head->hash = ledger_hash_of(db_get_bytes(r, 0, 2));
	head->at_us = db_get_time(r, 0, 3);
	if (strlen(key_id) < sizeof(head->key_id))
		memcpy(head->key_id, key_id, strlen(key_id) + 1);
	if (signature.len == sizeof(head->signature))
		memcpy(head->signature, signature.data, signature.len);
}

enum status store_last_head(
    struct db *db, int64_t shard, struct ledger_head *ret_head, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	*ret_head = (struct ledger_head){ .shard = shard, .hash = ledger_first(shard) };
	db_params_init(&p);
	db_add_i16(&p, (int16_t)shard);
	s = db_run(db, STORE_LAST_HEAD, &p, &r, err);
	if (s)
		return s;
	if (db_rows(r) > 0)
		get_head(r, ret_head);
	db_result_free(r);
	return STATUS_OK;
}

enum status store_position(struct db *db, struct store_position *ret_position, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	s = db_run(db, STORE_POSITION, &p, &r, err);
	if (s)
		return s;
	*ret_position = (struct store_position){ 0 };
	if (db_rows(r) > 0)
		*ret_position =
		    (struct store_position){ db_get_int(r, 0, 0), (uint64_t)db_get_int(r, 0, 1) };
	db_result_free(r);
	return STATUS_OK;
}

enum status store_find_known(struct db *db, struct intake *intake, struct err *err)
{
	size_t len;
	struct intake_row *rows = intake_rows(intake, &len);
	const char **ids = arena_alloc(&intake->arena, len * sizeof(*ids));
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	for (size_t i = 0; i < len; i++)
		ids[i] = rows[i].id;
	db_params_init(&p);
	db_add_text_array(&p, ids, len);
	db_add_time(&p, intake_since(intake));
	s = db_run(db, STORE_KNOWN, &p, &r, err);
	if (s)
		return s;
	for (size_t i = 0; i < db_rows(r); i++)
		rows[db_get_int(r, i, 0) - 1].is_known = true;
	db_result_free(r);
	return STATUS_OK;
}

/* --- what is added --- */

static enum status add_rows(
    struct db *db, const struct intake *intake, const struct ledger_chain *chains, struct err *err)
{
	size_t len;
	const struct intake_row *rows = intake_rows(intake, &len);
	struct db_copy copy;

	db_copy_begin(&copy);
	for (size_t i = 0; i < len; i++) {
		const struct intake_row *row = &rows[i];
		struct db_params p;

		if (row->is_known)
			continue;
		db_params_init(&p);
		db_add_i16(&p, (int16_t)row->shard);
		db_add_i64(&p, row->number);
		db_add_time(&p, chains[row->shard].stored_us);
		db_add_bytes(&p, bytes_of(row->hash.at, sizeof(row->hash.at)));
		db_add_bytes(&p, row->record);
		db_add_text(&p, row->id);
		db_add_time(&p, row->at_us);
		db_add_i32(&p, row->action);
		db_add_text_array(&p, row->users, row->users_len);
		db_copy_row(&copy, &p);
	}
	return db_copy_run(db, "audit.records",
	    "shard, number, stored_at, hash, record, id, at, action, users", &copy, err);
}

static enum status add_pieces(struct db *db, const struct intake *intake, struct err *err)
{
	size_t rows_len, len;
	const struct intake_row *rows = intake_rows(intake, &rows_len);
	const struct intake_piece *pieces = intake_pieces(intake, &len);
	enum status s = STATUS_OK;

	for (size_t i = 0; i < len && !s; i++) {
		const struct intake_row *row = &rows[pieces[i].row];
		struct db_params p;

		if (row->is_known)
			continue;
		db_params_init(&p);
		db_add_text(&p, row->id);
		db_add_text(&p, pieces[i].subject);
		db_add_bytes(&p, pieces[i].data);
		s = db_run(db, STORE_ADD_PIECE, &p, NULL, err);
	}
	return s;
}

enum status store_add(
    struct db *db, const struct intake *intake, const struct ledger_chain *chains, struct err *err)
{
	enum status s = add_rows(db, intake, chains, err);

	return s ? s : add_pieces(db, intake, err);
}

enum status store_set_position(
    struct db *db, const struct store_position *position, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_i64(&p, position->born);
	db_add_i64(&p, (int64_t)position->seq);
	return db_run(db, STORE_SET_POSITION, &p, NULL, err);
}

enum status store_add_head(struct db *db, const struct ledger_head *head, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_i16(&p, (int16_t)head->shard);
	db_add_i64(&p, head->number);
	db_add_text(&p, ledger_head_word(head->kind));
	db_add_bytes(&p, bytes_of(head->hash.at, sizeof(head->hash.at)));
	db_add_time(&p, head->at_us);
	db_add_text(&p, head->key_id);
	db_add_bytes(&p, bytes_of(head->signature, sizeof(head->signature)));
	return db_run(db, STORE_ADD_HEAD, &p, NULL, err);
}

/* --- partitions --- */

enum status store_make_partitions(struct db *db, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	return db_run(db, STORE_MAKE_PARTITIONS, &p, NULL, err);
}

enum status store_expired(
    struct db *db, struct ledger_head ret_last[static SHARDS_MAX], size_t *ret_len, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	s = db_run(db, STORE_EXPIRED, &p, &r, err);
	if (s)
		return s;
	*ret_len = db_rows(r) < SHARDS_MAX ? db_rows(r) : SHARDS_MAX;
	for (size_t i = 0; i < *ret_len; i++)
		ret_last[i] = (struct ledger_head){ .kind = LEDGER_ANCHOR,
			.shard = db_get_int(r, i, 0),
			.number = db_get_int(r, i, 1),
			.hash = ledger_hash_of(db_get_bytes(r, i, 2)) };
	db_result_free(r);
	return STATUS_OK;
}

enum status store_drop_expired(struct db *db, int64_t *ret_dropped, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	return db_run_int(db, STORE_DROP_EXPIRED, &p, ret_dropped, err);
}
