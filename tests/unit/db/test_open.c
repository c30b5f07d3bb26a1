/* What needs no server: connection strings, and a server that is not there. */
#include <stdio.h>
#include <string.h>

#include "db/db.h"
#include "support/support.h"

START_TEST(malformed_dsn_is_refused_without_quoting_it)
{
	static const char *const malformed[] = { "postgresql://user:hunter2@host/x?nonsense=1",
		"password=hunter2 nonsense=1", "password 'hunter2", "postgresql://[::1/hunter2" };
	struct db *db = NULL;
	struct err err = ERR_INIT;

	ck_assert_int_eq(
	    db_open(&(struct db_config){ .dsn = malformed[_i] }, &db, &err), STATUS_INVALID);
	ck_assert_ptr_null(db);
	ck_assert_ptr_null(strstr(err.msg, "hunter2"));
}
END_TEST

static bool is_backed_off(void *arg)
{
	struct err err = ERR_INIT;

	ck_assert_int_eq(db_ensure(arg, &err), STATUS_UNAVAILABLE);
	return strstr(err.msg, "waiting");
}

START_TEST(absent_server_is_unavailable_and_then_backed_off)
{
	char dsn[128];
	struct db *db = NULL;
	struct err err = ERR_INIT;

	(void)snprintf(
	    dsn, sizeof(dsn), "postgresql://u:hunter2@127.0.0.1:%d/d", support_free_port());
	ck_assert_ok(db_open(&(struct db_config){ .dsn = dsn }, &db, &err), err);
	ck_assert_int_eq(db_ensure(db, &err), STATUS_UNAVAILABLE);
	ck_assert_ptr_null(strstr(err.msg, "hunter2"));
	ck_assert_ptr_nonnull(strstr(err.msg, "refused"));
	ck_assert(support_wait(is_backed_off, db, 10000));
	ck_assert_uint_eq(db_generation(db), 0);
	db_close(db);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("db open");
	TCase *tc = tcase_create("open");

	tcase_add_loop_test(tc, malformed_dsn_is_refused_without_quoting_it, 0, 4);
	tcase_add_test(tc, absent_server_is_unavailable_and_then_backed_off);
	tcase_set_timeout(tc, 20);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
