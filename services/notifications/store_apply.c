/* What the applier reads and writes for a batch. */
#include "store.h"

#include <assert.h>
#include <stdio.h>

#include "kind.h"
#include "store_rows.h"
#include "store_sql.h"

static void add_user_ids(struct db_params *p, const struct batch *batch)
{
	const char **ids = arena_alloc(batch->arena, batch->users_len * sizeof(*ids));

	for (size_t i = 0; i < batch->users_len; i++)
		ids[i] = batch->users[i].user_id;
	db_add_text_array(p, ids, batch->users_len);
}

enum status store_create_users(struct db *db, const struct batch *batch, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	add_user_ids(&p, batch);
	return db_run(db, STORE_CREATE_USERS, &p, NULL, err);
}

static void set_user(struct batch *batch, const struct db_result *r, size_t row)
{
	size_t len = db_get_array_len(r, row, 3);
	int32_t *counters = arena_alloc(batch->arena, len * sizeof(*counters));

	for (size_t i = 0; i < len; i++)
		counters[i] = (int32_t)db_get_array_int(r, row, 3, i);
	batch_set_user(batch, db_get_text(r, row, 0), db_get_int(r, row, 1), db_get_int(r, row, 2),
	    counters, len);
}

static enum status read_users(
    struct db *db, size_t statement, struct batch *batch, size_t *ret_found, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	add_user_ids(&p, batch);
	s = db_run(db, statement, &p, &r, err);
	if (s)
		return s;
	for (size_t i = 0; i < db_rows(r); i++)
		set_user(batch, r, i);
	*ret_found = db_rows(r);
	db_result_free(r);
	return STATUS_OK;
}

enum status store_lock_users(struct db *db, struct batch *batch, size_t *ret_found, struct err *err)
{
	return read_users(db, STORE_LOCK_USERS, batch, ret_found, err);
}

enum status store_read_users(struct db *db, struct batch *batch, struct err *err)
{
	size_t found;

	return read_users(db, STORE_READ_USERS, batch, &found, err);
}

static void take_old_numbers(const struct db_result *r, size_t row, struct batch *batch)
{
	struct batch_event *event = batch_find(batch, db_get_text(r, row, 0));
	size_t n = db_get_array_len(r, row, 1);

	assert(event && db_get_array_len(r, row, 2) == n);
	event->applied = true;
	event->old_len = n;
	event->old_users = arena_alloc(batch->arena, n * sizeof(*event->old_users));
	event->old_seqs = arena_alloc(batch->arena, n * sizeof(*event->old_seqs));
	for (size_t i = 0; i < n; i++) {
		struct bytes user = db_get_array_text(r, row, 1, i);

		event->old_users[i] = arena_strndup(batch->arena, user.data, user.len);
		event->old_seqs[i] = db_get_array_int(r, row, 2, i);
	}
}

enum status store_find_applied(struct db *db, struct batch *batch, struct err *err)
{
	const char **keys = arena_alloc(batch->arena, batch->by_key_len * sizeof(*keys));
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	for (size_t i = 0; i < batch->by_key_len; i++)
		keys[i] = batch->by_key[i]->plan.key;
	db_params_init(&p);
	db_add_text_array(&p, keys, batch->by_key_len);
	s = db_run(db, STORE_FIND_APPLIED, &p, &r, err);
	if (s)
		return s;
	for (size_t i = 0; i < db_rows(r); i++)
		take_old_numbers(r, i, batch);
	db_result_free(r);
	return STATUS_OK;
}

/* The batch's states of one kind, as columns; returns how many. */
static size_t states_of(const struct batch *batch, int kind, const char **users, const char **keys)
{
	size_t n = 0;

	for (size_t i = 0; i < batch->states_len; i++) {
		if (batch->states[i].kind != kind)
			continue;
		if (users)
			users[n] = batch->states[i].user_id;
		keys[n++] = batch->states[i].key;
	}
	return n;
}

static enum status read_balance_versions(struct db *db, struct batch *batch, struct err *err)
{
	const char **users = arena_alloc(batch->arena, batch->states_len * sizeof(*users));
	const char **keys = arena_alloc(batch->arena, batch->states_len * sizeof(*keys));
	size_t n = states_of(batch, WALLETWIRE__V1__PAYLOAD__BODY_BALANCE, users, keys);
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	if (n == 0)
		return STATUS_OK;
	db_params_init(&p);
	db_add_text_array(&p, users, n);
	db_add_text_array(&p, keys, n);
	s = db_run(db, STORE_BALANCE_VERSIONS, &p, &r, err);
	if (s)
		return s;
	for (size_t i = 0; i < db_rows(r); i++)
		batch_set_version(batch, WALLETWIRE__V1__PAYLOAD__BODY_BALANCE,
		    db_get_text(r, i, 0), db_get_text(r, i, 1), db_get_int(r, i, 2));
	db_result_free(r);
	return STATUS_OK;
}

static enum status read_transfer_versions(struct db *db, struct batch *batch, struct err *err)
{
	const char **keys = arena_alloc(batch->arena, batch->states_len * sizeof(*keys));
	size_t n = states_of(batch, WALLETWIRE__V1__PAYLOAD__BODY_TRANSFER, NULL, keys);
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	if (n == 0)
		return STATUS_OK;
	db_params_init(&p);
	db_add_text_array(&p, keys, n);
	s = db_run(db, STORE_TRANSFER_VERSIONS, &p, &r, err);
	if (s)
		return s;
	for (size_t i = 0; i < db_rows(r); i++)
		batch_set_version(batch, WALLETWIRE__V1__PAYLOAD__BODY_TRANSFER, "",
		    db_get_text(r, i, 0), db_get_int(r, i, 1));
	db_result_free(r);
	return STATUS_OK;
}

enum status store_read_versions(struct db *db, struct batch *batch, struct err *err)
{
	enum status s = read_balance_versions(db, batch, err);

	return s ? s : read_transfer_versions(db, batch, err);
}

enum status store_draw_body_ids(struct db *db, int64_t *ret_first, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	return db_run_int(db, STORE_DRAW_BODY_IDS, &p, ret_first, err);
}

enum status store_insert_applied(
    struct db *db, int64_t period, const struct applied_rows *rows, int64_t now_us, struct err *err)
{
	struct db_copy copy;
	struct db_params row;

	db_copy_begin(&copy);
	for (size_t i = 0; i < rows->len; i++) {
		db_params_init(&row);
		db_add_text(&row, rows->event_key[i]);
		db_add_time(&row, now_us);
		db_add_text_array(&row, rows->users[i], rows->users_len[i]);
		db_add_i64_array(&row, rows->seqs[i], rows->users_len[i]);
		db_copy_row(&copy, &row);
	}
	return db_copy_run(db,
	    period % 2 == 0 ? "notifications.applied_a" : "notifications.applied_b",
	    "event_key, applied_at, users, seqs", &copy, err);
}

enum status store_remember(struct db *db, int64_t period, const char *event_key, int64_t now_us,
    bool *ret_is_new, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, event_key);
	db_add_time(&p, now_us);
	return db_run_any(
	    db, period % 2 == 0 ? STORE_REMEMBER_A : STORE_REMEMBER_B, &p, ret_is_new, err);
}

enum status store_insert_bodies(
    struct db *db, const struct body_rows *rows, int64_t now_us, struct err *err)
{
	struct db_copy copy;
	struct db_params row;

	db_copy_begin(&copy);
	for (size_t i = 0; i < rows->len; i++) {
		db_params_init(&row);
		db_add_i64(&row, rows->body_id[i]);
		db_add_text(&row, rows->event_key[i]);
		db_add_bytes(&row, rows->payload[i]);
		db_add_bool(&row, rows->keep[i]);
		db_add_time(&row, now_us);
		db_add_i32(&row, rows->holders[i]);
		db_add_text(&row, rows->sender[i]);
		db_copy_row(&copy, &row);
	}
	return db_copy_run(db, "notifications.bodies",
	    "body_id, event_key, payload, keep, created_at, holders, sender", &copy, err);
}

enum status store_blank_earlier(struct db *db, const struct store_revised *revised, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text_array(&p, revised->sender, revised->len);
	db_add_text_array(&p, revised->prefix, revised->len);
	db_add_i32_array(&p, revised->edit, revised->len);
	return db_run(db, STORE_BLANK_EARLIER, &p, NULL, err);
}

enum status store_insert_mailbox(
    struct db *db, const struct mailbox_rows *rows, int64_t now_us, struct err *err)
{
	struct db_copy copy;
	struct db_params row;

	db_copy_begin(&copy);
	for (size_t i = 0; i < rows->len; i++) {
		db_params_init(&row);
		db_add_text(&row, rows->user_id[i]);
		db_add_i64(&row, rows->seq[i]);
		db_add_i64(&row, rows->body_id[i]);
		db_add_time(&row, now_us);
		db_copy_row(&copy, &row);
	}
	return db_copy_run(
	    db, "notifications.mailbox", "user_id, seq, body_id, applied_at", &copy, err);
}

static void add_time_or_null(struct db_params *p, int64_t us)
{
	if (us == TIME_NONE)
		db_add_null(p);
	else
		db_add_time(p, us);
}

enum status store_insert_inbox(struct db *db, const struct inbox_rows *rows, struct err *err)
{
	struct db_copy copy;
	struct db_params row;

	db_copy_begin(&copy);
	for (size_t i = 0; i < rows->len; i++) {
		db_params_init(&row);
		db_add_text(&row, rows->user_id[i]);
		db_add_i64(&row, rows->seq[i]);
		db_add_i64(&row, rows->body_id[i]);
		db_add_text(&row, rows->event_id[i]);
		db_add_i16(&row, rows->type[i]);
		db_add_i16(&row, rows->priority[i]);
		db_add_text(&row, rows->title[i]);
		db_add_text(&row, rows->text[i]);
		db_add_time(&row, rows->created_us[i]);
		add_time_or_null(&row, rows->expires_us[i]);
		db_copy_row(&copy, &row);
	}
	return db_copy_run(db, "notifications.inbox",
	    "user_id, seq, body_id, event_id, type, priority, title, text, created_at, expires_at",
	    &copy, err);
}

enum status store_take_unread(struct db *db, const struct unread_rows *rows, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text_array(&p, rows->user_id, rows->len);
	db_add_i16_array(&p, rows->type, rows->len);
	db_add_i16_array(&p, rows->priority, rows->len);
	db_add_i32_array(&p, rows->n, rows->len);
	return db_run(db, STORE_TAKE_UNREAD, &p, NULL, err);
}

/* Everybody's counters in one array, each with its first and last element: counted from 1. */
struct counters_column {
	int32_t *all, *first, *last;
	size_t len;
};

static struct counters_column counters_column(const struct batch *batch)
{
	struct arena *arena = batch->arena;
	size_t total = 0;

	for (size_t i = 0; i < batch->users_len; i++)
		total += batch->users[i].counters_len;
	return (struct counters_column){ arena_alloc(arena, total * sizeof(int32_t)),
		arena_alloc(arena, batch->users_len * sizeof(int32_t)),
		arena_alloc(arena, batch->users_len * sizeof(int32_t)), 0 };
}

static void add_counters(struct counters_column *column, size_t row, const struct batch_user *user)
{
	column->first[row] = (int32_t)column->len + 1;
	for (size_t i = 0; i < user->counters_len; i++)
		column->all[column->len++] = user->counters[i];
	column->last[row] = (int32_t)column->len;
}

enum status store_set_users(struct db *db, const struct batch *batch, struct err *err)
{
	const char **ids = arena_alloc(batch->arena, batch->users_len * sizeof(*ids));
	int64_t *seqs = arena_alloc(batch->arena, batch->users_len * sizeof(*seqs));
	int64_t *revs = arena_alloc(batch->arena, batch->users_len * sizeof(*revs));
	struct counters_column counters = counters_column(batch);
	struct db_params p;
	size_t n = 0;

	for (size_t i = 0; i < batch->users_len; i++) {
		const struct batch_user *user = &batch->users[i];

		if (user->items_len == 0 && user->rev == user->rev_before)
			continue;
		ids[n] = user->user_id;
		seqs[n] = user->seq;
		add_counters(&counters, n, user);
		revs[n++] = user->rev;
	}
	if (n == 0)
		return STATUS_OK;
	db_params_init(&p);
	db_add_text_array(&p, ids, n);
	db_add_i64_array(&p, seqs, n);
	db_add_i64_array(&p, revs, n);
	db_add_i32_array(&p, counters.all, counters.len);
	db_add_i32_array(&p, counters.first, n);
	db_add_i32_array(&p, counters.last, n);
	return db_run(db, STORE_SET_USERS, &p, NULL, err);
}

/* What changed of one kind; the payload carries its version. */
struct changed {
	const char **users, **keys;
	int64_t *versions;
	struct bytes *payloads;
	const struct plan **plans;
	size_t len;
};

static struct changed changed_states(const struct batch *batch, int kind)
{
	struct arena *arena = batch->arena;
	size_t max = batch->states_len;
	struct changed c = { arena_alloc(arena, max * sizeof(char *)),
		arena_alloc(arena, max * sizeof(char *)), arena_alloc(arena, max * sizeof(int64_t)),
		arena_alloc(arena, max * sizeof(struct bytes)),
		arena_alloc(arena, max * sizeof(struct plan *)), 0 };

	for (size_t i = 0; i < max; i++) {
		const struct batch_state *state = &batch->states[i];

		if (state->kind != kind || !state->changed)
			continue;
		c.users[c.len] = state->user_id;
		c.keys[c.len] = state->key;
		c.versions[c.len] = state->version;
		c.payloads[c.len] = message_pack(&state->payload->base, arena);
		c.plans[c.len++] = state->plan;
	}
	return c;
}

enum status store_set_balances(
    struct db *db, const struct batch *batch, int64_t now_us, struct err *err)
{
	struct changed c = changed_states(batch, WALLETWIRE__V1__PAYLOAD__BODY_BALANCE);
	struct db_params p;

	if (c.len == 0)
		return STATUS_OK;
	db_params_init(&p);
	db_add_text_array(&p, c.users, c.len);
	db_add_text_array(&p, c.keys, c.len);
	db_add_i64_array(&p, c.versions, c.len);
	db_add_bytes_array(&p, c.payloads, c.len);
	db_add_time(&p, now_us);
	return db_run(db, STORE_SET_BALANCES, &p, NULL, err);
}

enum status store_set_transfers(
    struct db *db, const struct batch *batch, int64_t now_us, struct err *err)
{
	struct changed c = changed_states(batch, WALLETWIRE__V1__PAYLOAD__BODY_TRANSFER);
	bool *finals = arena_alloc(batch->arena, c.len * sizeof(*finals));
	const char **of, **parties;
	struct db_params p;
	size_t n = 0;

	if (c.len == 0)
		return STATUS_OK;
	for (size_t i = 0; i < c.len; i++) {
		n += c.plans[i]->users_len;
		finals[i] = c.plans[i]->state->transfer->final;
	}
	of = arena_alloc(batch->arena, n * sizeof(*of));
	parties = arena_alloc(batch->arena, n * sizeof(*parties));
	n = 0;
	for (size_t i = 0; i < c.len; i++) {
		for (size_t j = 0; j < c.plans[i]->users_len; j++) {
			of[n] = c.keys[i];
			parties[n++] = c.plans[i]->users[j];
		}
	}
	db_params_init(&p);
	db_add_text_array(&p, c.keys, c.len);
	db_add_i64_array(&p, c.versions, c.len);
	db_add_bytes_array(&p, c.payloads, c.len);
	db_add_text_array(&p, of, n);
	db_add_text_array(&p, parties, n);
	db_add_time(&p, now_us);
	db_add_bool_array(&p, finals, c.len);
	return db_run(db, STORE_SET_TRANSFERS, &p, NULL, err);
}

/* --- what is rung --- */

enum status store_unread_of(struct db *db, const char *const *users, size_t len,
    struct arena *arena, Unread **ret, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	size_t at = 0;
	enum status s;

	for (size_t i = 0; i < len; i++)
		ret[i] = MESSAGE_NEW(arena, unread);
	db_params_init(&p);
	db_add_text_array(&p, users, len);
	s = db_run(db, STORE_UNREAD_OF, &p, &r, err);
	if (s)
		return s;
	/* Both are sorted by the bytes of the id. */
	for (size_t i = 0; i < db_rows(r); i++) {
		while (at < len && strcmp(users[at], db_get_text(r, i, 0)) != 0)
			at++;
		assert(at < len);
		unread_add(ret[at], (int)db_get_int(r, i, 1), (int)db_get_int(r, i, 2),
		    db_get_int(r, i, 3), arena);
	}
	db_result_free(r);
	return STATUS_OK;
}

enum status store_old_items(struct db *db, const char *const *users, const int64_t *seqs,
    size_t len, struct batch *batch, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text_array(&p, users, len);
	db_add_i64_array(&p, seqs, len);
	s = db_run(db, STORE_OLD_ITEMS, &p, &r, err);
	if (s)
		return s;
	for (size_t i = 0; i < db_rows(r) && !s; i++) {
		struct batch_user *user = batch_find_user(batch, db_get_text(r, i, 11));

		if (user->items_len == 0)
			user->items = arena_alloc(batch->arena, (db_rows(r) - i) * sizeof(Item *));
		s = row_item(r, i, batch->arena, &user->items[user->items_len++], err);
	}
	db_result_free(r);
	return s;
}

enum status store_old_balances(struct db *db, const char *const *users, const char *const *wallets,
    size_t len, struct batch *batch, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text_array(&p, users, len);
	db_add_text_array(&p, wallets, len);
	s = db_run(db, STORE_OLD_BALANCES, &p, &r, err);
	if (s)
		return s;
	for (size_t i = 0; i < db_rows(r) && !s; i++) {
		Payload *payload = NULL;

		s = row_payload(r, i, 2, batch->arena, &payload, err);
		if (!s)
			batch_user_add_state(batch, batch_find_user(batch, db_get_text(r, i, 0)),
			    payload, db_get_int(r, i, 1));
	}
	db_result_free(r);
	return s;
}

enum status store_old_transfers(
    struct db *db, const char *const *ids, size_t len, struct batch *batch, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text_array(&p, ids, len);
	s = db_run(db, STORE_OLD_TRANSFERS, &p, &r, err);
	if (s)
		return s;
	for (size_t i = 0; i < db_rows(r) && !s; i++) {
		Payload *payload = NULL;

		s = row_payload(r, i, 1, batch->arena, &payload, err);
		for (size_t j = 0; j < db_get_array_len(r, i, 2) && !s; j++) {
			struct bytes id = db_get_array_text(r, i, 2, j);
			struct batch_user *user =
			    batch_find_user(batch, arena_strndup(batch->arena, id.data, id.len));

			if (user)
				batch_user_add_state(batch, user, payload, db_get_int(r, i, 0));
		}
	}
	db_result_free(r);
	return s;
}

/* --- events that failed --- */

enum status store_count_attempt(struct db *db, int64_t stream_seq, const char *subject,
    char last_error[static STORE_ERROR_SIZE], int64_t now_us, int *ret_n, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_i64(&p, stream_seq);
	db_add_text(&p, subject);
	db_add_text(&p, last_error);
	db_add_time(&p, now_us);
	s = db_run(db, STORE_COUNT_ATTEMPT, &p, &r, err);
	if (s)
		return s;
	*ret_n = (int)db_get_int(r, 0, 0);
	(void)snprintf(last_error, STORE_ERROR_SIZE, "%s", db_get_text(r, 0, 1));
	db_result_free(r);
	return STATUS_OK;
}

enum status store_uncount_attempt(struct db *db, int64_t stream_seq, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_i64(&p, stream_seq);
	return db_run(db, STORE_UNCOUNT_ATTEMPT, &p, NULL, err);
}

enum status store_forget_attempts(
    struct db *db, const int64_t *stream_seqs, size_t len, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_i64_array(&p, stream_seqs, len);
	return db_run(db, STORE_FORGET_ATTEMPTS, &p, NULL, err);
}
