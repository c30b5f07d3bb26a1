/* Revocations, recounts, and what keeps the tables in shape. */
#include "store.h"

#include <stdio.h>
#include <time.h>

#include "store_rows.h"
#include "store_sql.h"

enum { SECONDS_PER_DAY = 86400, SQL_SIZE = 512 };

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

struct date {
	int year, month, day;
};

/* Of a day counted from 1970. */
static struct date date_of(int64_t day)
{
	time_t at = (time_t)(day * SECONDS_PER_DAY);
	struct tm tm;

	(void)gmtime_r(&at, &tm);
	return (struct date){ tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday };
}

enum status store_make_partition(struct db *db, int64_t day, struct err *err)
{
	struct date from = date_of(day), to = date_of(day + 1);
	char name[64], sql[SQL_SIZE];
	enum status s;

	(void)snprintf(name, sizeof(name), "notifications.mailbox_%04d%02d%02d", from.year,
	    from.month, from.day);
	/* Made apart and then attached: that locks out nobody who reads or writes the mailbox. */
	(void)snprintf(sql, sizeof(sql),
	    "DO $$ BEGIN IF to_regclass('%s') IS NULL THEN"
	    " CREATE TABLE %s (LIKE notifications.mailbox INCLUDING ALL);"
	    " ALTER TABLE notifications.mailbox ATTACH PARTITION %s FOR VALUES"
	    " FROM ('%04d-%02d-%02d 00:00+00') TO ('%04d-%02d-%02d 00:00+00'); END IF; END $$",
	    name, name, name, from.year, from.month, from.day, to.year, to.month, to.day);
	s = db_exec(db, sql, err);
	return s ? err_prefix(err, "make %s", name) : s;
}

static enum status partition_names(struct db *db, struct db_result **ret, struct err *err)
{
	struct db_params p;

	db_params_init(&p);
	return db_run(db, STORE_PARTITIONS, &p, ret, err);
}

/* Fails soon if somebody, a backup say, holds a lock that this would wait for: others would wait
 * behind. */
static enum status exec_impatiently(struct db *db, const char *sql, struct err *err)
{
	enum status s = db_begin(db, err);

	if (!s)
		s = db_exec(db, STORE_IMPATIENT, err);
	if (!s)
		s = db_exec(db, sql, err);
	if (!s)
		s = db_commit(db, err);
	if (s)
		db_rollback(db);
	return s;
}

enum status store_drop_partitions(struct db *db, int64_t day, struct err *err)
{
	struct db_result *r = NULL;
	struct date date = date_of(day);
	char oldest[64], sql[SQL_SIZE];
	enum status s = partition_names(db, &r, err);

	if (s)
		return s;
	(void)snprintf(
	    oldest, sizeof(oldest), "mailbox_%04d%02d%02d", date.year, date.month, date.day);
	for (size_t i = 0; i < db_rows(r) && !s; i++) {
		if (strcmp(db_get_text(r, i, 0), oldest) >= 0)
			break; /* names sort as their days do */
		(void)snprintf(
		    sql, sizeof(sql), "DROP TABLE notifications.%s", db_get_text(r, i, 0));
		s = exec_impatiently(db, sql, err);
	}
	db_result_free(r);
	return s;
}

enum status store_forget_bodies(struct db *db, int64_t before_us, size_t *ret_n, struct err *err)
{
	struct db_result *r = NULL;
	struct db_params p;
	enum status s;

	db_params_init(&p);
	db_add_time(&p, before_us);
	s = db_run(db, STORE_FORGET_BODIES, &p, &r, err);
	if (s)
		return s;
	*ret_n = db_rows(r);
	db_result_free(r);
	return STATUS_OK;
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
