/* What erasure takes away, table by table. */
#include "store.h"

#include "store_sql.h"

/* For statements that return a row for each one they have changed. */
static enum status count_rows(
    struct db *db, size_t statement, struct db_params *params, uint32_t *ret_n, struct err *err)
{
	struct db_result *r = NULL;
	enum status s = db_run(db, statement, params, &r, err);

	if (s)
		return s;
	*ret_n = (uint32_t)db_rows(r);
	db_result_free(r);
	return STATUS_OK;
}

enum status store_erase_pick(struct db *db, const char *user_id, int64_t after, size_t max,
    struct arena *arena, struct store_held *ret_held, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, user_id);
	db_add_i64(&p, after);
	db_add_i64(&p, (int64_t)max);
	s = db_run(db, STORE_ERASE_PICK, &p, &r, err);
	if (s)
		return s;
	*ret_held =
	    (struct store_held){ db_rows(r), arena_alloc(arena, db_rows(r) * sizeof(int64_t)),
		    arena_alloc(arena, db_rows(r) * sizeof(int64_t)) };
	for (size_t i = 0; i < ret_held->len; i++) {
		ret_held->seq[i] = db_get_int(r, i, 0);
		ret_held->body_id[i] = db_get_int(r, i, 1);
	}
	db_result_free(r);
	return STATUS_OK;
}

static enum status erase_interval(struct db *db, size_t statement, const char *user_id,
    int64_t after, int64_t up_to, uint32_t *ret_n, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, user_id);
	db_add_i64(&p, after);
	db_add_i64(&p, up_to);
	return count_rows(db, statement, &p, ret_n, err);
}

enum status store_erase_mailbox(struct db *db, const char *user_id, int64_t after, int64_t up_to,
    uint32_t *ret_n, struct err *err)
{
	return erase_interval(db, STORE_ERASE_MAILBOX, user_id, after, up_to, ret_n, err);
}

enum status store_erase_inbox(struct db *db, const char *user_id, int64_t after, int64_t up_to,
    uint32_t *ret_n, struct err *err)
{
	return erase_interval(db, STORE_ERASE_INBOX, user_id, after, up_to, ret_n, err);
}

enum status store_release_bodies(
    struct db *db, const int64_t *body_ids, size_t len, uint32_t *ret_n, struct err *err)
{
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_i64_array(&p, body_ids, len);
	s = db_run(db, STORE_RELEASE_BODIES, &p, NULL, err);
	if (s)
		return s;
	db_params_init(&p);
	db_add_i64_array(&p, body_ids, len);
	return count_rows(db, STORE_FORGET_RELEASED, &p, ret_n, err);
}

static enum status erase_some(struct db *db, size_t statement, const char *user_id, size_t max,
    uint32_t *ret_n, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, user_id);
	db_add_i64(&p, (int64_t)max);
	return count_rows(db, statement, &p, ret_n, err);
}

enum status store_erase_balances(
    struct db *db, const char *user_id, size_t max, uint32_t *ret_n, struct err *err)
{
	return erase_some(db, STORE_ERASE_BALANCES, user_id, max, ret_n, err);
}

enum status store_erase_marks(
    struct db *db, const char *user_id, size_t max, uint32_t *ret_n, struct err *err)
{
	return erase_some(db, STORE_ERASE_MARKS, user_id, max, ret_n, err);
}

enum status store_erase_transfers(
    struct db *db, const char *user_id, size_t max, uint32_t *ret_n, struct err *err)
{
	return erase_some(db, STORE_ERASE_TRANSFERS, user_id, max, ret_n, err);
}

enum status store_erase_sent(
    struct db *db, const char *user_id, size_t max, uint32_t *ret_n, struct err *err)
{
	return erase_some(db, STORE_ERASE_SENT, user_id, max, ret_n, err);
}

static enum status run_for_user(
    struct db *db, size_t statement, const char *user_id, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, user_id);
	return db_run(db, statement, &p, NULL, err);
}

enum status store_erase_user(struct db *db, const char *user_id, struct err *err)
{
	return run_for_user(db, STORE_ERASE_USER, user_id, err);
}
