/* What requests ask: each answer comes from one statement, or from rows that never change. */
#include "store.h"

#include <assert.h>

#include "kind.h"
#include "store_rows.h"
#include "store_sql.h"

static char *text(const struct db_result *r, size_t row, size_t column, struct arena *arena)
{
	return arena_strdup(arena, db_get_text(r, row, column));
}

static Payload *unread_payload(Unread *unread, struct arena *arena)
{
	Payload *payload = MESSAGE_NEW(arena, payload);

	payload->body_case = WALLETWIRE__V1__PAYLOAD__BODY_UNREAD;
	payload->unread = unread;
	return payload;
}

/* The parts of the answer behind the first row. */
enum { OPEN_UNREAD = 1, OPEN_BALANCE };

static enum status add_balance(const struct db_result *r, size_t row, struct arena *arena,
    Walletwire__V1__OpenReply *reply, struct err *err)
{
	Payload *payload = NULL;
	enum status s = row_payload(r, row, 5, arena, &payload, err);

	if (!s)
		reply->states[reply->n_states++] =
		    kind_state(payload, db_get_int(r, row, 2), arena);
	return s;
}

static enum status fill_open(const struct db_result *r, struct arena *arena,
    Walletwire__V1__OpenReply *reply, struct err *err)
{
	Unread *unread = MESSAGE_NEW(arena, unread);
	enum status s = STATUS_OK;

	reply->epoch = text(r, 0, 1, arena);
	reply->seq = (uint64_t)db_get_int(r, 0, 2);
	reply->rev = (uint64_t)db_get_int(r, 0, 3);
	reply->announcement_seq = (uint64_t)db_get_int(r, 0, 4);
	reply->states = arena_alloc(arena, db_rows(r) * sizeof(State *));
	unread->version = reply->rev;
	reply->states[reply->n_states++] =
	    kind_state(unread_payload(unread, arena), (int64_t)reply->rev, arena);
	reply->marks = marks_new(arena);
	for (size_t i = 1; i < db_rows(r) && !s; i++) {
		switch (db_get_int(r, i, 0)) {
		case OPEN_UNREAD:
			unread_add(unread, (int)db_get_int(r, i, 2), (int)db_get_int(r, i, 3),
			    db_get_int(r, i, 4), arena);
			break;
		case OPEN_BALANCE:
			s = add_balance(r, i, arena, reply, err);
			break;
		default:
			row_mark(r, i, reply->marks, arena);
			break;
		}
	}
	return s;
}

enum status store_open(struct db *db, const char *user_id, struct arena *arena,
    Walletwire__V1__OpenReply *reply, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, user_id);
	s = db_run(db, STORE_OPEN, &p, &r, err);
	if (s)
		return s;
	s = fill_open(r, arena, reply, err);
	db_result_free(r);
	return s;
}

enum status store_has_item(
    struct db *db, const char *user_id, int64_t seq, bool *ret_has, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, user_id);
	db_add_i64(&p, seq);
	return db_run_any(db, STORE_HAS_ITEM, &p, ret_has, err);
}

enum status store_heads(struct db *db, char *const *users, size_t len, struct arena *arena,
    Walletwire__V1__HeadsReply *reply, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text_array(&p, (const char *const *)users, len);
	s = db_run(db, STORE_HEADS, &p, &r, err);
	if (s)
		return s;
	reply->epoch = text(r, 0, 0, arena);
	reply->announcement_seq = (uint64_t)db_get_int(r, 0, 1);
	reply->heads = arena_alloc(arena, len * sizeof(*reply->heads));
	for (size_t i = 0; i < db_rows(r) && reply->n_heads < len; i++) {
		Walletwire__V1__Head *head = MESSAGE_NEW(arena, head);

		head->user_id = text(r, i, 2, arena);
		head->seq = (uint64_t)db_get_int(r, i, 3);
		head->rev = (uint64_t)db_get_int(r, i, 4);
		reply->heads[reply->n_heads++] = head;
	}
	db_result_free(r);
	return STATUS_OK;
}

/* Where the mailbox ends; numbers beyond it belong to another history. */
static enum status read_head(struct db *db, const char *user_id, struct arena *arena,
    char **ret_epoch, int64_t *ret_seq, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, user_id);
	s = db_run(db, STORE_HEAD, &p, &r, err);
	if (s)
		return s;
	*ret_epoch = text(r, 0, 0, arena);
	*ret_seq = db_get_int(r, 0, 1);
	db_result_free(r);
	return STATUS_OK;
}

static enum status fill_since(const struct db_result *r, int64_t after, int64_t up_to,
    struct arena *arena, Walletwire__V1__SinceReply *reply, struct err *err)
{
	size_t bytes = 0;

	/* Numbers are gapless, so a missing first one has left with its day. */
	if (db_rows(r) == 0 || db_get_int(r, 0, 0) != after + 1) {
		reply->too_old = true;
		return STATUS_OK;
	}
	reply->items = arena_alloc(arena, db_rows(r) * sizeof(*reply->items));
	reply->handled = (uint64_t)up_to;
	for (size_t i = 0; i < db_rows(r); i++) {
		Item *item = NULL;
		enum status s = row_item(r, i, arena, &item, err);

		if (s)
			return s;
		bytes += protobuf_c_message_get_packed_size(&item->base);
		if (i == STORE_PAGE_ROWS || (i > 0 && bytes > STORE_PAGE_BYTES)) {
			reply->handled = item->seq - 1;
			break;
		}
		reply->items[reply->n_items++] = item;
	}
	return STATUS_OK;
}

enum status store_since(struct db *db, const char *user_id, int64_t after, int64_t up_to,
    struct arena *arena, Walletwire__V1__SinceReply *reply, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	int64_t head = 0;
	enum status s = read_head(db, user_id, arena, &reply->epoch, &head, err);

	if (s)
		return s;
	if (up_to > head)
		up_to = head;
	reply->handled = (uint64_t)up_to;
	if (after >= up_to)
		return STATUS_OK;
	db_params_init(&p);
	db_add_text(&p, user_id);
	db_add_i64(&p, after);
	db_add_i64(&p, up_to);
	db_add_i64(&p, STORE_PAGE_ROWS + 1); /* one more tells that there is more */
	s = db_run(db, STORE_SINCE, &p, &r, err);
	if (s)
		return s;
	s = fill_since(r, after, up_to, arena, reply, err);
	db_result_free(r);
	return s;
}

static enum status fill_list_item(const struct db_result *r, size_t row, struct arena *arena,
    Walletwire__V1__ListItem **ret_item, struct err *err)
{
	Walletwire__V1__ListItem *item = MESSAGE_NEW(arena, list_item);

	*ret_item = item;
	item->event = arena_strdup(arena, kind_event((int)db_get_int(r, row, 5)));
	item->notification = row_notification(r, row, arena);
	item->state = (Walletwire__V1__InboxState)db_get_int(r, row, 11);
	if (!db_is_null(r, row, 12))
		item->read_at = message_timestamp(db_get_time(r, row, 12), arena);
	return db_get_bool(r, row, 3) ? STATUS_OK : row_payload(r, row, 2, arena, &item->data, err);
}

enum status store_list(struct db *db, const struct store_list *query, struct arena *arena,
    Walletwire__V1__ListReply *reply, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, query->user_id);
	db_add_i64(&p, query->before_seq);
	db_add_i16_array(&p, query->types, query->types_len);
	db_add_i16(&p, query->priority);
	db_add_time(&p, query->now_us);
	db_add_i64(&p, (int64_t)query->limit + 1);
	s = db_run(db, query->unread_only ? STORE_LIST_UNREAD : STORE_LIST, &p, &r, err);
	if (s)
		return s;
	reply->items = arena_alloc(arena, db_rows(r) * sizeof(*reply->items));
	for (size_t i = 0; i < db_rows(r) && !s; i++) {
		s = fill_list_item(r, i, arena, &reply->items[i], err);
		reply->n_items++;
	}
	db_result_free(r);
	return s;
}

enum status store_unread(
    struct db *db, const char *user_id, struct arena *arena, Unread **ret_unread, struct err *err)
{
	Unread *unread = MESSAGE_NEW(arena, unread);
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	*ret_unread = unread;
	db_params_init(&p);
	db_add_text(&p, user_id);
	s = db_run(db, STORE_UNREAD, &p, &r, err);
	if (s)
		return s;
	for (size_t i = 0; i < db_rows(r); i++) {
		unread->version = (uint64_t)db_get_int(r, i, 3);
		if (db_get_int(r, i, 2) > 0)
			unread_add(unread, (int)db_get_int(r, i, 0), (int)db_get_int(r, i, 1),
			    db_get_int(r, i, 2), arena);
	}
	db_result_free(r);
	return STATUS_OK;
}

enum status store_transfer(struct db *db, const char *transfer_id, const char *user_id,
    struct arena *arena, Walletwire__V1__TransferUpdate **ret_transfer, bool *ret_party,
    struct err *err)
{
	struct db_result *r = NULL;
	Payload *payload = NULL;
	struct db_params p;
	enum status s;

	*ret_transfer = NULL;
	*ret_party = false;
	db_params_init(&p);
	db_add_text(&p, transfer_id);
	db_add_text(&p, user_id);
	s = db_run(db, STORE_TRANSFER, &p, &r, err);
	if (s)
		return s;
	if (db_rows(r) > 0) {
		s = row_payload(r, 0, 0, arena, &payload, err);
		*ret_transfer = s ? NULL : payload->transfer;
		*ret_party = db_get_bool(r, 0, 1);
	}
	db_result_free(r);
	return s;
}

/* --- the inbox's verbs --- */

enum status store_lock_user(struct db *db, const char *user_id, bool *ret_found, int64_t *ret_seq,
    int64_t *ret_rev, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, user_id);
	s = db_run(db, STORE_LOCK_USER, &p, &r, err);
	if (s)
		return s;
	*ret_found = db_rows(r) > 0;
	if (*ret_found) {
		*ret_seq = db_get_int(r, 0, 0);
		*ret_rev = db_get_int(r, 0, 1);
	}
	db_result_free(r);
	return STATUS_OK;
}

static size_t move_statement(int16_t state)
{
	switch (state) {
	case WALLETWIRE__V1__INBOX_STATE__INBOX_STATE_UNREAD:
		return STORE_MOVE_SEEN;
	case WALLETWIRE__V1__INBOX_STATE__INBOX_STATE_READ:
		return STORE_MOVE_READ;
	default:
		assert(state == WALLETWIRE__V1__INBOX_STATE__INBOX_STATE_ARCHIVED);
		return STORE_MOVE_ARCHIVED;
	}
}

static void fill_left(const struct db_result *r, const char *user_id, struct arena *arena,
    size_t *ret_moved, struct unread_rows *left)
{
	size_t n = db_rows(r);

	*left = (struct unread_rows){ 0, arena_alloc(arena, n * sizeof(char *)),
		arena_alloc(arena, n * sizeof(int16_t)), arena_alloc(arena, n * sizeof(int16_t)),
		arena_alloc(arena, n * sizeof(int32_t)) };
	*ret_moved = 0;
	for (size_t i = 0; i < n; i++) {
		*ret_moved += (size_t)db_get_int(r, i, 2);
		if (db_get_int(r, i, 3) == 0)
			continue;
		left->user_id[left->len] = user_id;
		left->type[left->len] = (int16_t)db_get_int(r, i, 0);
		left->priority[left->len] = (int16_t)db_get_int(r, i, 1);
		left->n[left->len++] = (int32_t)db_get_int(r, i, 3);
	}
}

enum status store_move_items(struct db *db, const struct store_move *move, struct arena *arena,
    size_t *ret_moved, struct unread_rows *ret_left, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, move->user_id);
	db_add_text_array(&p, (const char *const *)move->ids, move->ids_len);
	db_add_i64(&p, move->up_to);
	db_add_time(&p, move->now_us);
	s = db_run(db, move_statement(move->state), &p, &r, err);
	if (s)
		return s;
	fill_left(r, move->user_id, arena, ret_moved, ret_left);
	db_result_free(r);
	return STATUS_OK;
}

enum status store_set_user(
    struct db *db, const char *user_id, int64_t seq, int64_t rev, struct err *err)
{
	struct store_users user = { 1, &user_id, &seq, &rev };

	return store_set_some(db, &user, err);
}
