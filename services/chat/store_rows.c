/* Reading rows. */
#include "store_rows.h"

static const char *copy_text(
    const struct db_result *r, size_t row, size_t column, struct arena *arena)
{
	return arena_strdup(arena, db_get_text(r, row, column));
}

struct store_message store_get_message(
    const struct db_result *r, size_t row, size_t column, struct arena *arena)
{
	return (struct store_message){ .message_id = copy_text(r, row, column, arena),
		.room_id = copy_text(r, row, column + 1, arena),
		.sender_id = copy_text(r, row, column + 2, arena),
		.client_id = copy_text(r, row, column + 3, arena),
		.text = copy_text(r, row, column + 4, arena),
		.seq = (uint64_t)db_get_int(r, row, column + 5),
		.edit = (unsigned)db_get_int(r, row, column + 6),
		.created_us = db_get_time(r, row, column + 7),
		.edited_us = db_is_null(r, row, column + 8) ? 0 : db_get_time(r, row, column + 8),
		.deleted = db_get_bool(r, row, column + 9) };
}

struct store_message *store_take_messages(struct db_result *r, struct arena *arena, size_t *ret_n)
{
	struct store_message *messages;

	*ret_n = db_rows(r);
	messages = arena_alloc(arena, *ret_n * sizeof(*messages));
	for (size_t i = 0; i < *ret_n; i++)
		messages[i] = store_get_message(r, i, 0, arena);
	db_result_free(r);
	return messages;
}

enum status store_run_text(struct db *db, enum statement statement, struct db_params *p,
    struct arena *arena, const char **ret_text, struct err *err)
{
	struct db_result *r = NULL;
	enum status s = db_run(db, statement, p, &r, err);

	if (s)
		return s;
	*ret_text = db_rows(r) > 0 ? copy_text(r, 0, 0, arena) : "";
	db_result_free(r);
	return STATUS_OK;
}
