/* Blocks and reports. */
#include "store_rows.h"

enum status store_find_blocked(struct db *db, const char *user_id, const char *const *others,
    size_t len, struct arena *arena, const char **ret_other, struct err *err)
{
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, user_id);
	db_add_text_array(&p, others, len);
	s = store_run_text(db, STORE_FIND_BLOCKED, &p, arena, ret_other, err);
	if (!s && !(*ret_other)[0])
		*ret_other = NULL;
	return s;
}

static enum status change_block(struct db *db, enum statement statement, const char *user_id,
    const char *blocked_id, bool *ret_changed, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, user_id);
	db_add_text(&p, blocked_id);
	return db_run_any(db, statement, &p, ret_changed, err);
}

enum status store_block(
    struct db *db, const char *user_id, const char *blocked_id, bool *ret_changed, struct err *err)
{
	return change_block(db, STORE_BLOCK, user_id, blocked_id, ret_changed, err);
}

enum status store_unblock(
    struct db *db, const char *user_id, const char *blocked_id, bool *ret_changed, struct err *err)
{
	return change_block(db, STORE_UNBLOCK, user_id, blocked_id, ret_changed, err);
}

enum status store_blocks(struct db *db, const char *user_id, const char *after, size_t limit,
    struct arena *arena, char ***ret_ids, size_t *ret_n, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, user_id);
	db_add_text(&p, after);
	db_add_i64(&p, (int64_t)limit);
	s = db_run(db, STORE_BLOCKS, &p, &r, err);
	if (s)
		return s;
	*ret_n = db_rows(r);
	*ret_ids = arena_alloc(arena, *ret_n * sizeof(**ret_ids));
	for (size_t i = 0; i < *ret_n; i++)
		(*ret_ids)[i] = arena_strdup(arena, db_get_text(r, i, 0));
	db_result_free(r);
	return STATUS_OK;
}

enum status store_report(struct db *db, const struct store_message *message,
    const char *reporter_id, const char *reason, bool *ret_new, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, message->room_id);
	db_add_i64(&p, (int64_t)message->seq);
	db_add_text(&p, reporter_id);
	db_add_text(&p, message->sender_id);
	db_add_text(&p, reason);
	db_add_text(&p, message->text);
	return db_run_any(db, STORE_REPORT, &p, ret_new, err);
}

enum status store_forget_reports(struct db *db, int64_t before_us, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_time(&p, before_us);
	return db_run(db, STORE_FORGET_REPORTS, &p, NULL, err);
}
