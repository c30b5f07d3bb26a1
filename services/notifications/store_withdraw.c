/* Items that leave the inbox by themselves or by their sender's will. */
#include "store.h"

#include <assert.h>

#include "store_rows.h"
#include "store_sql.h"

static void items_begin(struct store_items *items, size_t max, struct arena *arena)
{
	*items = (struct store_items){ 0, arena_alloc(arena, max * sizeof(char *)),
		arena_alloc(arena, max * sizeof(int64_t)) };
}

static void items_add(struct store_items *items, const char *user_id, int64_t seq)
{
	items->user_id[items->len] = user_id;
	items->seq[items->len++] = seq;
}

/* Number 0 stands for a user whom the event concerned without an item. */
static void take_numbers(
    const struct db_result *r, struct arena *arena, struct store_items *ret_items)
{
	size_t n = db_get_array_len(r, 0, 0);

	items_begin(ret_items, n, arena);
	for (size_t i = 0; i < n; i++) {
		struct bytes user = db_get_array_text(r, 0, 0, i);
		int64_t seq = db_get_array_int(r, 0, 1, i);

		if (seq > 0)
			items_add(ret_items, arena_strndup(arena, user.data, user.len), seq);
	}
}

enum status store_find_event(struct db *db, const char *event_key, struct arena *arena,
    bool *ret_found, struct store_items *ret_items, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	*ret_items = (struct store_items){ 0 };
	db_params_init(&p);
	db_add_text(&p, event_key);
	s = db_run(db, STORE_FIND_EVENT, &p, &r, err);
	if (s)
		return s;
	*ret_found = db_rows(r) > 0;
	if (*ret_found)
		take_numbers(r, arena, ret_items);
	db_result_free(r);
	return STATUS_OK;
}

enum status store_find_expired(struct db *db, int64_t now_us, size_t max, struct arena *arena,
    struct store_items *ret_items, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_time(&p, now_us);
	db_add_i64(&p, (int64_t)max);
	s = db_run(db, STORE_FIND_EXPIRED, &p, &r, err);
	if (s)
		return s;
	items_begin(ret_items, db_rows(r), arena);
	for (size_t i = 0; i < db_rows(r); i++)
		items_add(
		    ret_items, arena_strdup(arena, db_get_text(r, i, 0)), db_get_int(r, i, 1));
	db_result_free(r);
	return STATUS_OK;
}

enum status store_lock_some(struct db *db, const char *const *users, size_t len,
    struct arena *arena, struct store_users *ret_users, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text_array(&p, users, len);
	s = db_run(db, STORE_LOCK_USERS, &p, &r, err);
	if (s)
		return s;
	*ret_users = (struct store_users){ 0, arena_alloc(arena, db_rows(r) * sizeof(char *)),
		arena_alloc(arena, db_rows(r) * sizeof(int64_t)),
		arena_alloc(arena, db_rows(r) * sizeof(int64_t)) };
	for (size_t i = 0; i < db_rows(r); i++) {
		ret_users->user_id[i] = arena_strdup(arena, db_get_text(r, i, 0));
		ret_users->seq[i] = db_get_int(r, i, 1);
		ret_users->rev[i] = db_get_int(r, i, 2);
		ret_users->len++;
	}
	db_result_free(r);
	return STATUS_OK;
}

enum status store_set_some(struct db *db, const struct store_users *users, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text_array(&p, users->user_id, users->len);
	db_add_i64_array(&p, users->seq, users->len);
	db_add_i64_array(&p, users->rev, users->len);
	return db_run(db, STORE_SET_NUMBERS, &p, NULL, err);
}

static enum status run_on_items(struct db *db, size_t statement, const struct store_items *items,
    struct db_result **ret, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text_array(&p, items->user_id, items->len);
	db_add_i64_array(&p, items->seq, items->len);
	return db_run(db, statement, &p, ret, err);
}

enum status store_withdraw(struct db *db, Walletwire__V1__InboxState state,
    const struct store_items *items, struct arena *arena, struct unread_rows *ret_left,
    struct store_items *ret_gone, struct err *err)
{
	bool recall = state == WALLETWIRE__V1__INBOX_STATE__INBOX_STATE_RECALLED;
	struct db_result *r = NULL;
	enum status s = recall ? run_on_items(db, STORE_BLANK_ITEMS, items, NULL, err) : STATUS_OK;

	assert(recall || state == WALLETWIRE__V1__INBOX_STATE__INBOX_STATE_EXPIRED);
	if (!s)
		s = run_on_items(db, recall ? STORE_RECALL : STORE_EXPIRE, items, &r, err);
	if (s)
		return s;
	items_begin(ret_gone, items->len, arena);
	*ret_left = (struct unread_rows){ 0, arena_alloc(arena, db_rows(r) * sizeof(char *)),
		arena_alloc(arena, db_rows(r) * sizeof(int16_t)),
		arena_alloc(arena, db_rows(r) * sizeof(int16_t)),
		arena_alloc(arena, db_rows(r) * sizeof(int32_t)) };
	for (size_t i = 0; i < db_rows(r); i++) {
		ret_left->user_id[i] = arena_strdup(arena, db_get_text(r, i, 0));
		ret_left->type[i] = (int16_t)db_get_int(r, i, 1);
		ret_left->priority[i] = (int16_t)db_get_int(r, i, 2);
		ret_left->n[i] = (int32_t)db_get_int(r, i, 4);
		ret_left->len++;
		for (size_t j = 0; j < db_get_array_len(r, i, 5); j++)
			items_add(ret_gone, ret_left->user_id[i], db_get_array_int(r, i, 5, j));
	}
	db_result_free(r);
	return STATUS_OK;
}
