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

static struct store_report get_report(const struct db_result *r, size_t row, struct arena *arena)
{
	return (struct store_report){ .room_id = arena_strdup(arena, db_get_text(r, row, 0)),
		.seq = (uint64_t)db_get_int(r, row, 1),
		.sender_id = arena_strdup(arena, db_get_text(r, row, 2)),
		.reporter_id = arena_strdup(arena, db_get_text(r, row, 3)),
		.reason = arena_strdup(arena, db_get_text(r, row, 4)),
		.text = arena_strdup(arena, db_get_text(r, row, 5)),
		.reported_us = db_get_time(r, row, 6) };
}

enum status store_reports(struct db *db, const struct store_reports_page *page, struct arena *arena,
    struct store_report **ret_reports, size_t *ret_n, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_time(&p, page->before_us);
	db_add_text(&p, page->before_room);
	db_add_i64(&p, (int64_t)page->before_seq);
	db_add_text(&p, page->before_reporter);
	db_add_i64(&p, (int64_t)page->limit);
	s = db_run(db, STORE_REPORTS, &p, &r, err);
	if (s)
		return s;
	*ret_n = db_rows(r);
	*ret_reports = arena_alloc(arena, *ret_n * sizeof(**ret_reports));
	for (size_t i = 0; i < *ret_n; i++)
		(*ret_reports)[i] = get_report(r, i, arena);
	db_result_free(r);
	return STATUS_OK;
}

enum status store_forget_reports(struct db *db, int64_t before_us, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_time(&p, before_us);
	return db_run(db, STORE_FORGET_REPORTS, &p, NULL, err);
}
