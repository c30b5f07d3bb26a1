/* The wallets of one user, read and written under the user's counter row. */
#include "store.h"

#include "store_rows.h"
#include "store_sql.h"

static enum status read_wallet(const struct db_result *r, size_t row, struct arena *arena,
    struct wallet *ret_wallet, struct err *err)
{
	ret_wallet->wallet_id = arena_strdup(arena, db_get_text(r, row, 0));
	ret_wallet->version = db_get_int(r, row, 1);
	ret_wallet->gone = db_get_bool(r, row, 2);
	ret_wallet->confirmed_us = db_get_time(r, row, 3);
	return row_payload(r, row, 4, arena, &ret_wallet->payload, err);
}

enum status store_wallets(struct db *db, const char *user_id, struct arena *arena,
    struct wallets *ret_wallets, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_text(&p, user_id);
	db_add_i64(&p, WALLETS_MAX);
	s = db_run(db, STORE_WALLETS, &p, &r, err);
	if (s)
		return s;
	ret_wallets->len = db_rows(r);
	ret_wallets->at = arena_alloc(arena, db_rows(r) * sizeof(*ret_wallets->at));
	for (size_t i = 0; i < ret_wallets->len && !s; i++)
		s = read_wallet(r, i, arena, &ret_wallets->at[i], err);
	db_result_free(r);
	return s;
}

enum status store_create_user(struct db *db, const char *user_id, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, user_id);
	return db_run(db, STORE_CREATE_USER, &p, NULL, err);
}

enum status store_put_wallets(struct db *db, const char *user_id,
    const struct wallets_change *change, struct arena *arena, int64_t now_us, struct err *err)
{
	size_t n = change->put_len;
	const char **users = arena_alloc(arena, n * sizeof(*users));
	const char **ids = arena_alloc(arena, n * sizeof(*ids));
	int64_t *versions = arena_alloc(arena, n * sizeof(*versions));
	struct bytes *payloads = arena_alloc(arena, n * sizeof(*payloads));
	struct db_params p;

	for (size_t i = 0; i < n; i++) {
		users[i] = user_id;
		ids[i] = change->put[i]->balance->wallet_id;
		versions[i] = (int64_t)change->put[i]->balance->version;
		payloads[i] = message_pack(&change->put[i]->base, arena);
	}
	db_params_init(&p);
	db_add_text_array(&p, users, n);
	db_add_text_array(&p, ids, n);
	db_add_i64_array(&p, versions, n);
	db_add_bytes_array(&p, payloads, n);
	db_add_time(&p, now_us);
	return db_run(db, STORE_SET_BALANCES, &p, NULL, err);
}

enum status store_confirm_wallets(struct db *db, const char *user_id,
    const struct wallets_change *change, int64_t now_us, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, user_id);
	db_add_text_array(&p, change->ids, change->ids_len);
	db_add_time(&p, now_us);
	return db_run(db, STORE_CONFIRM_WALLETS, &p, NULL, err);
}
