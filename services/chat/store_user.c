/*
 * Everything of one user.
 *
 * An export goes through four lists, one after the other. Its cursor is <list>.<seq>.<id> of the
 * last row: `seq` is 0 where a list has none, `id` is a room or a user.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/subject.h"
#include "message.h"
#include "store_rows.h"

enum { PAGE_ROWS = 200, PAGE_BYTES = 256 * 1024, CURSOR_MAX = SUBJECT_ID_MAX + 32 };

struct cursor {
	size_t list;
	int64_t seq;
	const char *id;
};

static Google__Protobuf__Timestamp *get_time(
    const struct db_result *r, size_t row, size_t column, struct arena *arena)
{
	return message_timestamp(db_get_time(r, row, column), arena);
}

static void read_room(
    const struct db_result *r, size_t row, struct arena *arena, ChatExportRecord *record)
{
	ChatRoomEntry *room = MESSAGE_NEW(arena, chat_room_entry);

	room->id = arena_strdup(arena, db_get_text(r, row, 0));
	room->name = arena_strdup(arena, db_get_text(r, row, 1));
	room->type = (RoomType)db_get_int(r, row, 2);
	room->role = (RoomRole)db_get_int(r, row, 3);
	room->newest_seq = (uint64_t)db_get_int(r, row, 4);
	room->read_seq = (uint64_t)db_get_int(r, row, 5);
	record->room = room;
}

static void read_message(
    const struct db_result *r, size_t row, struct arena *arena, ChatExportRecord *record)
{
	struct store_message message = store_get_message(r, row, 0, arena);

	record->message = message_show(&message, /* escape= */ false, arena);
}

static void read_block(
    const struct db_result *r, size_t row, struct arena *arena, ChatExportRecord *record)
{
	record->block = MESSAGE_NEW(arena, chat_export_block);
	record->block->user_id = arena_strdup(arena, db_get_text(r, row, 0));
	record->block->since = get_time(r, row, 1, arena);
}

static void read_report(
    const struct db_result *r, size_t row, struct arena *arena, ChatExportRecord *record)
{
	record->report = MESSAGE_NEW(arena, chat_export_report);
	record->report->room_id = arena_strdup(arena, db_get_text(r, row, 0));
	record->report->seq = (uint64_t)db_get_int(r, row, 1);
	record->report->reason = arena_strdup(arena, db_get_text(r, row, 2));
	record->report->timestamp = get_time(r, row, 3, arena);
}

static const struct list {
	enum statement statement;
	bool has_seq;
	size_t id_column, seq_column;
	void (*read)(
	    const struct db_result *r, size_t row, struct arena *arena, ChatExportRecord *record);
} lists[] = {
	{ STORE_EXPORT_ROOMS, false, 0, 0, read_room },
	{ STORE_EXPORT_MESSAGES, true, 1, 5, read_message },
	{ STORE_EXPORT_BLOCKS, false, 0, 0, read_block },
	{ STORE_EXPORT_REPORTS, true, 0, 1, read_report },
};

static enum status read_cursor(const char *text, struct cursor *ret_cursor, struct err *err)
{
	char *end = NULL;

	*ret_cursor = (struct cursor){ .id = "" };
	if (!text[0])
		return STATUS_OK;
	ret_cursor->list = (size_t)(text[0] - '0');
	if (strlen(text) > CURSOR_MAX || text[0] < '0' || ret_cursor->list >= ARRAY_LEN(lists) ||
	    text[1] != '.' || text[2] < '0' || text[2] > '9')
		return err_invalid(err, "after", "is no cursor of a page");
	ret_cursor->seq = strtoll(text + 2, &end, 10);
	if (*end != '.')
		return err_invalid(err, "after", "is no cursor of a page");
	ret_cursor->id = end + 1;
	return STATUS_OK;
}

static char *write_cursor(
    const struct db_result *r, size_t last, const struct list *list, size_t n, struct arena *arena)
{
	return arena_printf(arena, "%zu.%" PRId64 ".%s", n,
	    list->has_seq ? db_get_int(r, last, list->seq_column) : INT64_C(0),
	    db_get_text(r, last, list->id_column));
}

/* As many rows as fit, one at least: what is larger than a reply may be is never answered. */
static void read_rows(
    const struct db_result *r, const struct list *list, struct arena *arena, ChatExportReply *reply)
{
	size_t bytes = 0;

	reply->records = arena_alloc(arena, db_rows(r) * sizeof(*reply->records));
	for (size_t i = 0; i < db_rows(r); i++) {
		ChatExportRecord *record = MESSAGE_NEW(arena, chat_export_record);

		list->read(r, i, arena, record);
		bytes += protobuf_c_message_get_packed_size(&record->base);
		if (i > 0 && bytes > PAGE_BYTES)
			return;
		reply->records[reply->n_records++] = record;
	}
}

/* Rows of one list; none if it has no more. */
static enum status read_list(struct db *db, const char *user_id, const struct cursor *cursor,
    struct arena *arena, ChatExportReply *reply, struct err *err)
{
	const struct list *list = &lists[cursor->list];
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, user_id);
	db_add_text(&p, cursor->id);
	if (list->has_seq)
		db_add_i64(&p, cursor->seq);
	db_add_i64(&p, PAGE_ROWS);
	s = db_run(db, list->statement, &p, &r, err);
	if (s)
		return s;
	read_rows(r, list, arena, reply);
	if (reply->n_records > 0)
		reply->next = write_cursor(r, reply->n_records - 1, list, cursor->list, arena);
	db_result_free(r);
	return STATUS_OK;
}

enum status store_export(struct db *db, const char *user_id, const char *after, struct arena *arena,
    ChatExportReply *reply, struct err *err)
{
	struct cursor cursor;
	enum status s = read_cursor(after, &cursor, err);

	while (!s && reply->n_records == 0 && cursor.list < ARRAY_LEN(lists)) {
		s = read_list(db, user_id, &cursor, arena, reply, err);
		cursor = (struct cursor){ .list = cursor.list + 1, .id = "" };
	}
	return s;
}

/* --- erasure --- */

static enum status find_room_of(struct db *db, enum statement statement, const char *user_id,
    struct arena *arena, const char **ret_room_id, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, user_id);
	return store_run_text(db, statement, &p, arena, ret_room_id, err);
}

enum status store_room_of_sender(struct db *db, const char *user_id, struct arena *arena,
    const char **ret_room_id, struct err *err)
{
	return find_room_of(db, STORE_ROOM_OF_SENDER, user_id, arena, ret_room_id, err);
}

enum status store_room_of_member(struct db *db, const char *user_id, struct arena *arena,
    const char **ret_room_id, struct err *err)
{
	return find_room_of(db, STORE_ROOM_OF_MEMBER, user_id, arena, ret_room_id, err);
}

enum status store_sent(struct db *db, const struct store_room *room, const char *sender_id,
    size_t limit, struct arena *arena, struct store_message **ret_messages, size_t *ret_n,
    struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, sender_id);
	db_add_text(&p, room->room_id);
	db_add_i16(&p, (int16_t)room->class);
	db_add_i64(&p, (int64_t)limit);
	s = db_run(db, STORE_SENT, &p, &r, err);
	if (!s)
		*ret_messages = store_take_messages(r, arena, ret_n);
	return s;
}

static enum status erase_rows(
    struct db *db, enum statement statement, const char *user_id, uint32_t *ret_n, struct err *err)
{
	struct db_params p;
	int64_t n = 0;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, user_id);
	s = db_run_int(db, statement, &p, &n, err);
	*ret_n = (uint32_t)n;
	return s;
}

enum status store_erase_blocks(struct db *db, const char *user_id, uint32_t *ret_n, struct err *err)
{
	return erase_rows(db, STORE_ERASE_BLOCKS, user_id, ret_n, err);
}

enum status store_erase_reports(
    struct db *db, const char *user_id, uint32_t *ret_n, struct err *err)
{
	return erase_rows(db, STORE_ERASE_REPORTS, user_id, ret_n, err);
}

enum status store_is_told(struct db *db, const char *user_id, bool *ret_told, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, user_id);
	return db_run_any(db, STORE_IS_TOLD, &p, ret_told, err);
}
