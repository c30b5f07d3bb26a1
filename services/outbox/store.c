/* Statements are templates, since the schema is a setting: its name stands where the # is. */
#include "store.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "codec/json.h"
#include "db/db.h"

enum { NAME_MAX_LEN = 63, TYPE_MAX = 64 };

enum statement { LOCK, READ, DELETE, SET_ASIDE, MEASURE, STATEMENTS };

static const struct db_statement templates[STATEMENTS] = {
	/* Named by the table and not by its spelling; other tables of this database have others. */
	[LOCK] = { "outbox_lock",
	    "SELECT pg_try_advisory_lock(hashtextextended('walletwire.outbox',"
	    " '#.events'::regclass::oid::bigint))" },
	/* Cut just above what can be an event, so that no row is too large to be read. */
	[READ] = { "outbox_read",
	    "SELECT id, hashtextextended(key, 0), left(type, $2), left(event::text, $3), uid::text,"
	    " created_at FROM #.events ORDER BY id LIMIT $1" },
	[DELETE] = { "outbox_delete", "DELETE FROM #.events WHERE id = ANY ($1::bigint[])" },
	[SET_ASIDE] = { "outbox_set_aside",
	    "WITH gone AS (DELETE FROM #.events e USING unnest($1::bigint[], $2::text[]) AS"
	    " bad(id, reason) WHERE e.id = bad.id RETURNING e.*, bad.reason)"
	    " INSERT INTO #.dead (event_id, key, type, event, uid, created_at, reason)"
	    " SELECT id, key, type, event, uid, created_at, reason FROM gone ORDER BY id" },
	[MEASURE] = { "outbox_measure",
	    "SELECT (SELECT count(*) FROM (SELECT FROM #.events LIMIT 100000) AS bounded),"
	    " coalesce((SELECT floor(extract(epoch FROM clock_timestamp() - created_at))::bigint"
	    " FROM #.events ORDER BY id LIMIT 1), 0),"
	    " (SELECT count(*) FROM (SELECT FROM #.dead LIMIT 100000) AS bounded)" },
};

struct store {
	struct db *db;
	struct db_statement statements[STATEMENTS];
	char *texts[STATEMENTS];
};

/* It stands in SQL text. */
static bool is_plain_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return len > 0 && len <= NAME_MAX_LEN && !name[len];
}

static char *fill_in(const char *template, const char *schema)
{
	struct buf sql = BUF_INIT;

	for (const char *c = template; *c; c++) {
		if (*c == '#')
			buf_append_str(&sql, schema);
		else
			buf_append_char(&sql, *c);
	}
	buf_append_char(&sql, '\0');
	return (char *)buf_take(&sql, NULL);
}

enum status store_open(const char *database_url, const char *name, const char *schema,
    struct store **ret_store, struct err *err)
{
	struct store *store;
	struct db_config cfg = {
		.dsn = database_url, .application_name = name, .statements_len = STATEMENTS
	};
	enum status s;

	if (!is_plain_name(schema))
		return err_invalid(
		    err, "outbox-schema", "must be 1 to %d of a-z, 0-9 and _", NAME_MAX_LEN);
	store = xcalloc(1, sizeof(*store));
	for (size_t i = 0; i < STATEMENTS; i++) {
		store->texts[i] = fill_in(templates[i].sql, schema);
		store->statements[i] = (struct db_statement){ templates[i].name, store->texts[i] };
	}
	cfg.statements = store->statements;
	s = db_open(&cfg, &store->db, err);
	if (s) {
		store_close(store);
		return s;
	}
	*ret_store = store;
	return STATUS_OK;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	db_close(store->db);
	for (size_t i = 0; i < STATEMENTS; i++)
		free(store->texts[i]);
	free(store);
}

struct db *store_db(struct store *store, size_t *ret_lock)
{
	*ret_lock = LOCK;
	return store->db;
}

static struct batch_row get_row(const struct db_result *result, size_t i)
{
	return (struct batch_row){
		.id = db_get_int(result, i, 0),
		.key = db_get_int(result, i, 1),
		.type = db_get_text(result, i, 2),
		.event = db_get_bytes(result, i, 3),
		.uid = db_get_text(result, i, 4),
		.created_us = db_get_time(result, i, 5),
	};
}

enum status store_read(struct store *store, size_t max, struct batch *batch, struct err *err)
{
	struct db_result *result = NULL;
	struct db_params params;
	enum status s;

	db_params_init(&params);
	db_add_i64(&params, (int64_t)max);
	db_add_i32(&params, TYPE_MAX);
	db_add_i32(&params, JSON_TEXT_MAX + 1);
	s = db_run(store->db, READ, &params, &result, err);
	if (s)
		return s;
	for (size_t i = 0; i < db_rows(result); i++) {
		struct batch_row row = get_row(result, i);

		batch_add(batch, &row);
	}
	db_result_free(result);
	return STATUS_OK;
}

enum status store_delete(struct store *store, const int64_t *ids, size_t len, struct err *err)
{
	struct db_params params;

	db_params_init(&params);
	db_add_i64_array(&params, ids, len);
	return db_run(store->db, DELETE, &params, NULL, err);
}

enum status store_set_aside(struct store *store, const int64_t *ids, const char *const *reasons,
    size_t len, struct err *err)
{
	struct db_params params;

	db_params_init(&params);
	db_add_i64_array(&params, ids, len);
	db_add_text_array(&params, reasons, len);
	return db_run(store->db, SET_ASIDE, &params, NULL, err);
}

enum status store_measure(
    struct store *store, struct relay_backlog *ret_backlog, int64_t *ret_dead, struct err *err)
{
	struct db_result *result = NULL;
	struct db_params params;
	enum status s;

	db_params_init(&params);
	s = db_run(store->db, MEASURE, &params, &result, err);
	if (s)
		return s;
	*ret_backlog = (struct relay_backlog){ db_get_int(result, 0, 0), db_get_int(result, 0, 1) };
	*ret_dead = db_get_int(result, 0, 2);
	db_result_free(result);
	return STATUS_OK;
}
