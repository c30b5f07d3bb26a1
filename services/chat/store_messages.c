/* What was said. */
#include "store_rows.h"

/* Of a result of at most one row, which is freed. */
static bool take_one(struct db_result *r, struct arena *arena, struct store_message *ret_message)
{
	size_t n = 0;
	const struct store_message *messages = store_take_messages(r, arena, &n);

	if (n > 0)
		*ret_message = messages[0];
	return n > 0;
}

enum status store_find_sent(struct db *db, const char *room_id, const char *sender_id,
    const char *client_id, struct arena *arena, bool *ret_found, struct store_message *ret_message,
    struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, sender_id);
	db_add_text(&p, room_id);
	db_add_text(&p, client_id);
	s = db_run(db, STORE_FIND_SENT, &p, &r, err);
	if (!s)
		*ret_found = take_one(r, arena, ret_message);
	return s;
}

enum status store_find_message(struct db *db, const struct store_room *room, uint64_t seq,
    struct arena *arena, bool *ret_found, struct store_message *ret_message, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, room->room_id);
	db_add_i64(&p, (int64_t)seq);
	db_add_i16(&p, (int16_t)room->class);
	s = db_run(db, STORE_FIND_MESSAGE, &p, &r, err);
	if (!s)
		*ret_found = take_one(r, arena, ret_message);
	return s;
}

enum status store_append(struct db *db, const struct store_room *room,
    const struct store_message *message, const struct outbox_row *event, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_i16(&p, (int16_t)room->class);
	db_add_time(&p, message->created_us);
	db_add_text(&p, room->room_id);
	db_add_i64(&p, (int64_t)message->seq);
	db_add_text(&p, message->message_id);
	db_add_text(&p, message->sender_id);
	db_add_text(&p, message->client_id);
	db_add_text(&p, message->text);
	db_add_text(&p, event->message_id);
	db_add_bytes(&p, event->payload);
	return db_later(db, STORE_APPEND, &p, NULL, err);
}

enum status store_change_message(struct db *db, const struct store_room *room,
    const struct store_message *message, struct err *err)
{
	struct db_params p;
	enum status s = STATUS_OK;

	if (room->class == CLASS_HELD) {
		db_params_init(&p);
		db_add_text(&p, room->room_id);
		db_add_i64(&p, (int64_t)message->seq);
		s = db_run(db, STORE_KEEP_VERSION, &p, NULL, err);
	}
	if (s)
		return s;
	db_params_init(&p);
	db_add_text(&p, room->room_id);
	db_add_i64(&p, (int64_t)message->seq);
	db_add_i16(&p, (int16_t)room->class);
	db_add_text(&p, message->text);
	db_add_i32(&p, (int32_t)message->edit);
	db_add_time(&p, message->edited_us);
	db_add_bool(&p, message->deleted);
	return db_run(db, STORE_CHANGE_MESSAGE, &p, NULL, err);
}

/* --- pages --- */

static void add_window(struct db_params *p, const struct store_window *window)
{
	db_params_init(p);
	db_add_text(p, window->room->room_id);
	db_add_i16(p, (int16_t)window->room->class);
	db_add_i64(p, (int64_t)window->after);
	db_add_i64(p, (int64_t)window->before);
	db_add_time(p, window->cutoff_us);
}

static void reverse(struct store_message *messages, size_t len)
{
	for (size_t i = 0; i < len / 2; i++) {
		struct store_message swap = messages[i];

		messages[i] = messages[len - 1 - i];
		messages[len - 1 - i] = swap;
	}
}

enum status store_page(struct db *db, const struct store_window *window, bool oldest, size_t limit,
    struct arena *arena, struct store_message **ret_messages, size_t *ret_n, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	add_window(&p, window);
	db_add_i64(&p, (int64_t)limit);
	s = db_run(db, oldest ? STORE_OLDEST : STORE_NEWEST, &p, &r, err);
	if (s)
		return s;
	*ret_messages = store_take_messages(r, arena, ret_n);
	if (!oldest)
		reverse(*ret_messages, *ret_n);
	return STATUS_OK;
}

enum status store_oldest(
    struct db *db, const struct store_window *window, uint64_t *ret_seq, struct err *err)
{
	struct db_params p;
	int64_t seq = 0;
	enum status s;

	add_window(&p, window);
	s = db_run_int(db, STORE_OLDEST_SEQ, &p, &seq, err);
	*ret_seq = (uint64_t)seq;
	return s;
}
