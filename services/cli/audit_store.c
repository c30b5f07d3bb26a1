/* Statements that select, over columns that nobody is trusted to have kept as they were. */
#include "audit_store.h"

#include "base/attrs.h"
#include "ledger/record.h"

enum { HEADS_PAGE = 5000 };

enum statement { SHARDS, HEADS, PAGE, END, FIND, STATEMENTS };

static const struct db_statement statements[STATEMENTS] = {
	[SHARDS] = { "audit_shards", "SELECT s::bigint FROM generate_series(0, 15) AS s"
				     " WHERE EXISTS (SELECT FROM audit.records WHERE shard = s)" },
	[HEADS] = { "audit_heads",
	    "SELECT shard::bigint, number, kind, hash, at, key_id, signature FROM audit.heads"
	    " WHERE (shard, number, kind) > ($1::smallint, $2::bigint, $3::text)"
	    " ORDER BY shard, number, kind LIMIT $4::bigint" },
	[PAGE] = { "audit_page",
	    "SELECT number, stored_at, hash, record, id, at, action, users FROM audit.records"
	    " WHERE shard = $1::smallint AND number >= $2::bigint"
	    " AND (number, stored_at) > ($2::bigint, $3::timestamptz)"
	    " ORDER BY number, stored_at LIMIT $4::bigint" },
	[END] = { "audit_end",
	    "SELECT number, stored_at FROM audit.records WHERE shard = $1::smallint"
	    " ORDER BY number DESC LIMIT 1" },
	[FIND] = { "audit_find",
	    "SELECT number FROM audit.records WHERE shard = $1::smallint"
	    " AND number BETWEEN $3::bigint AND $4::bigint AND hash = $2::bytea LIMIT 1" },
};

enum status audit_store_open(const char *database_url, struct db **ret_db, struct err *err)
{
	struct db_config cfg = { .dsn = database_url,
		.application_name = "ww audit",
		.statements = statements,
		.statements_len = STATEMENTS,
		.by_key = true };
	enum status s = db_open(&cfg, ret_db, err);

	return s ? s : db_ensure(*ret_db, err);
}

enum status audit_store_shards(
    struct db *db, bool ret_has_rows[static AUDIT_SHARDS_MAX], struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	s = db_run(db, SHARDS, &p, &r, err);
	for (size_t i = 0; !s && i < db_rows(r); i++)
		ret_has_rows[db_get_int(r, i, 0)] = true;
	db_result_free(r);
	return s;
}

static struct ledger_head get_head(const struct db_result *r, size_t row)
{
	struct ledger_head head = { .shard = db_get_int(r, row, 0),
		.number = db_get_int(r, row, 1),
		.hash = ledger_hash_of(db_get_bytes(r, row, 3)),
		.at_us = db_get_time(r, row, 4) };
	const char *key_id = db_get_text(r, row, 5);
	struct bytes signature = db_get_bytes(r, row, 6);

	(void)ledger_head_kind_of(db_get_text(r, row, 2), &head.kind);
	if (strlen(key_id) < sizeof(head.key_id))
		memcpy(head.key_id, key_id, strlen(key_id));
	if (signature.len == sizeof(head.signature))
		memcpy(head.signature, signature.data, signature.len);
	return head;
}

enum status audit_store_heads(struct db *db, audit_head_fn fn, void *arg, struct err *err)
{
	struct ledger_head last = { .shard = -1 };
	size_t len = HEADS_PAGE;
	enum status s = STATUS_OK;

	while (len == HEADS_PAGE && !s) {
		struct db_result *r = NULL;
		struct db_params p;

		db_params_init(&p);
		db_add_i16(&p, (int16_t)last.shard);
		db_add_i64(&p, last.number);
		db_add_text(&p, ledger_head_word(last.kind));
		db_add_i64(&p, HEADS_PAGE);
		s = db_run(db, HEADS, &p, &r, err);
		len = s ? 0 : db_rows(r);
		for (size_t i = 0; i < len; i++) {
			last = get_head(r, i);
			fn(arg, &last);
		}
		db_result_free(r);
	}
	return s;
}

static bool same_users(const struct db_result *r, size_t row, const char *const *users, size_t len)
{
	if (db_get_array_len(r, row, 7) != len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!bytes_equal_str(db_get_array_text(r, row, 7, i), users[i]))
			return false;
	}
	return true;
}

static bool is_indexed(
    const struct db_result *r, size_t row, struct bytes packed, struct arena *arena)
{
	const Walletwire__V1__AuditRecord *record = ledger_record_unpack(packed, arena);
	const char **users;
	size_t len = 0;

	if (!record)
		return false;
	users = ledger_record_users(record, arena, &len);
	return strcmp(db_get_text(r, row, 4), record->id) == 0 &&
	       db_get_time(r, row, 5) == record->at_us &&
	       db_get_int(r, row, 6) == (int64_t)record->action && same_users(r, row, users, len);
}

enum status audit_store_page(struct db *db, int64_t shard, const struct ledger_chain *after,
    size_t max, struct arena *arena, struct audit_page *ret_page, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_i16(&p, (int16_t)shard);
	db_add_i64(&p, after->number);
	db_add_time(&p, after->stored_us);
	db_add_i64(&p, (int64_t)max);
	s = db_run(db, PAGE, &p, &r, err);
	if (s)
		return s;
	ret_page->len = db_rows(r);
	ret_page->rows = arena_alloc(arena, ret_page->len * sizeof(*ret_page->rows));
	ret_page->is_indexed = arena_alloc(arena, ret_page->len * sizeof(bool));
	for (size_t i = 0; i < ret_page->len; i++) {
		struct bytes record = db_get_bytes(r, i, 3);

		record = bytes_of(arena_memdup(arena, record.data, record.len), record.len);
		ret_page->rows[i] = (struct ledger_row){ db_get_int(r, i, 0), db_get_time(r, i, 1),
			ledger_hash_of(db_get_bytes(r, i, 2)), record };
		ret_page->is_indexed[i] = is_indexed(r, i, record, arena);
	}
	db_result_free(r);
	return STATUS_OK;
}

enum status audit_store_end(
    struct db *db, int64_t shard, struct ledger_chain *ret_end, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	*ret_end = (struct ledger_chain){ 0 };
	db_params_init(&p);
	db_add_i16(&p, (int16_t)shard);
	s = db_run(db, END, &p, &r, err);
	if (!s && db_rows(r) > 0) {
		ret_end->number = db_get_int(r, 0, 0);
		ret_end->stored_us = db_get_time(r, 0, 1);
	}
	db_result_free(r);
	return s;
}

enum status audit_store_find(struct db *db, int64_t shard, const struct ledger_hash *hash,
    int64_t from, int64_t to, int64_t *ret_number, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_i16(&p, (int16_t)shard);
	db_add_bytes(&p, bytes_of(hash->at, sizeof(hash->at)));
	db_add_i64(&p, from);
	db_add_i64(&p, to);
	return db_run_int(db, FIND, &p, ret_number, err);
}
