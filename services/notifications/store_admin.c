/* Revocations, recounts, and what keeps the tables in shape. */
#include "store.h"

#include "store_rows.h"
#include "store_sql.h"

enum status store_revoke(struct db *db, const char *kind, const char *id, int64_t issued_before_us,
    const char *reason, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_text(&p, kind);
	db_add_text(&p, id);
	db_add_time(&p, issued_before_us);
	db_add_text(&p, reason);
	return db_run(db, STORE_REVOKE, &p, NULL, err);
}

enum status store_revocations(struct db *db,
    enum status (*fn)(
	void *arg, const char *kind, const char *id, int64_t issued_before_us, struct err *err),
    void *arg, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	s = db_run(db, STORE_REVOCATIONS, &p, &r, err);
	if (s)
		return s;
	for (size_t i = 0; i < db_rows(r) && !s; i++)
		s = fn(arg, db_get_text(r, i, 0), db_get_text(r, i, 1), db_get_time(r, i, 2), err);
	db_result_free(r);
	return s;
}

enum status store_numbers(
    struct db *db, const char *user_id, struct store_numbers *ret, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	*ret = (struct store_numbers){ 0 };
	db_params_init(&p);
	db_add_text(&p, user_id);
	s = db_run(db, STORE_NUMBERS, &p, &r, err);
	if (s)
		return s;
	if (db_rows(r) > 0) {
		ret->seq = db_get_int(r, 0, 0);
		ret->rev = db_get_int(r, 0, 1);
		ret->mailbox_rows = db_get_int(r, 0, 2);
		ret->mailbox_low = db_get_int(r, 0, 3);
		ret->mailbox_high = db_get_int(r, 0, 4);
		ret->inbox_rows = db_get_int(r, 0, 5);
		ret->inbox_beyond = db_get_int(r, 0, 6);
	}
	db_result_free(r);
	return STATUS_OK;
}

enum status store_recount(struct db *db, const char *user_id, struct arena *arena,
    Unread **ret_stored, Unread **ret_counted, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	*ret_stored = MESSAGE_NEW(arena, unread);
	*ret_counted = MESSAGE_NEW(arena, unread);
	db_params_init(&p);
	db_add_text(&p, user_id);
	s = db_run(db, STORE_RECOUNT, &p, &r, err);
	if (s)
		return s;
	for (size_t i = 0; i < db_rows(r); i++) {
		Unread *unread = db_get_int(r, i, 0) == 0 ? *ret_stored : *ret_counted;

		unread_add(unread, (int)db_get_int(r, i, 1), (int)db_get_int(r, i, 2),
		    db_get_int(r, i, 3), arena);
	}
	db_result_free(r);
	return STATUS_OK;
}

enum status store_forget_bodies(struct db *db, int64_t before_us, size_t *ret_n, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_time(&p, before_us);
	return db_run_count(db, STORE_FORGET_BODIES, &p, ret_n, err);
}

enum status store_forget_transfers(struct db *db, int64_t before_us, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	db_add_time(&p, before_us);
	return db_run(db, STORE_FORGET_TRANSFERS, &p, NULL, err);
}

enum status store_start_period(struct db *db, int64_t period, struct err *err)
{
	struct db_params p;
	enum status s = db_exec(db,
	    period % 2 == 0 ? "TRUNCATE notifications.applied_a"
			    : "TRUNCATE notifications.applied_b",
	    err);

	if (s)
		return s;
	db_params_init(&p);
	db_add_i64(&p, period);
	return db_run(db, STORE_SET_PERIOD, &p, NULL, err);
}
