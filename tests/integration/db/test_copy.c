/* Rows that go by COPY arrive as they were given, all of them or none. */
#include <stdio.h>
#include <string.h>

#include "db/db.h"
#include "support/postgres.h"
#include "support/support.h"

enum { GET, COUNT, BACKEND, STATEMENTS_LEN };

static const struct db_statement statements[] = {
	[GET] = { "get", "SELECT b, s, i, n, t, name, data, names, numbers FROM copied"
			 " WHERE n = $1::bigint" },
	[COUNT] = { "count", "SELECT count(*), coalesce(sum(length(name)), 0) FROM copied" },
	[BACKEND] = { "backend", "SELECT pg_backend_pid()" },
};

#define COLUMNS "b, s, i, n, t, name, data, names, numbers"

static struct postgres *server;
static const char *dsn;
static struct db *db;
static struct err err;
static struct db_copy copy;
static struct db_params params;
static struct db_result *result;

static void setup(void)
{
	struct db_config cfg = { .application_name = "test/copy",
		.statements = statements,
		.statements_len = STATEMENTS_LEN };

	dsn = postgres_new_database(server);
	postgres_exec(dsn, "CREATE TABLE copied (b boolean, s smallint, i integer,"
			   " n bigint PRIMARY KEY, t timestamptz, name text, data bytea,"
			   " names text[], numbers bigint[])");
	cfg.dsn = dsn;
	ck_assert_ok(db_open(&cfg, &db, &err), err);
	db_copy_begin(&copy);
}

static void teardown(void)
{
	db_result_free(result);
	db_close(db);
}

static void add_row(int64_t n, const char *name)
{
	db_params_init(&params);
	db_add_bool(&params, true);
	db_add_i16(&params, -2);
	db_add_i32(&params, INT32_MIN);
	db_add_i64(&params, n);
	db_add_time(&params, INT64_C(1737628245123456));
	db_add_text(&params, name);
	db_add_bytes(&params, BYTES_LITERAL("a\0b"));
	db_add_text_array(&params, (const char *const[]){ "one", NULL, "t{w,o\"}" }, 3);
	db_add_i64_array(&params, (const int64_t[]){ 7, INT64_MAX }, 2);
	db_copy_row(&copy, &params);
}

static enum status copy_run(void)
{
	return db_copy_run(db, "copied", COLUMNS, &copy, &err);
}

static void run(size_t statement)
{
	db_result_free(result);
	result = NULL;
	ck_assert_ok(db_run(db, statement, &params, &result, &err), err);
}

static int64_t rows(void)
{
	db_params_init(&params);
	run(COUNT);
	return db_get_int(result, 0, 0);
}

static void get(int64_t n)
{
	db_params_init(&params);
	db_add_i64(&params, n);
	run(GET);
	ck_assert_uint_eq(db_rows(result), 1);
}

START_TEST(every_type_arrives)
{
	add_row(1, "na\xc3\xafve\t\\.\n");
	ck_assert_ok(copy_run(), err);
	get(1);
	ck_assert(db_get_bool(result, 0, 0));
	ck_assert_int_eq(db_get_int(result, 0, 1), -2);
	ck_assert_int_eq(db_get_int(result, 0, 2), INT32_MIN);
	ck_assert_int_eq(db_get_time(result, 0, 4), INT64_C(1737628245123456));
	ck_assert_str_eq(db_get_text(result, 0, 5), "na\xc3\xafve\t\\.\n");
	ck_assert_uint_eq(db_get_bytes(result, 0, 6).len, 3);
	ck_assert_mem_eq(db_get_bytes(result, 0, 6).data, "a\0b", 3);
	ck_assert_uint_eq(db_get_array_len(result, 0, 7), 3);
	ck_assert_ptr_null(db_get_array_text(result, 0, 7, 1).data);
	ck_assert_mem_eq(db_get_array_text(result, 0, 7, 2).data, "t{w,o\"}", 7);
	ck_assert_int_eq(db_get_array_int(result, 0, 8, 1), INT64_MAX);
}
END_TEST

START_TEST(nulls_and_empty_values_differ)
{
	db_params_init(&params);
	for (int i = 0; i < 3; i++)
		db_add_null(&params);
	db_add_i64(&params, 1);
	db_add_null(&params);
	db_add_text(&params, NULL);
	db_add_bytes(&params, bytes_of(NULL, 0));
	db_add_null(&params);
	db_add_null(&params);
	db_copy_row(&copy, &params);
	add_row(2, "");
	ck_assert_ok(copy_run(), err);
	get(1);
	for (size_t column = 0; column < 9; column++)
		ck_assert(db_is_null(result, 0, column) == (column != 3));
	get(2);
	ck_assert(!db_is_null(result, 0, 5));
}
END_TEST

START_TEST(no_rows_are_fine)
{
	ck_assert_ok(copy_run(), err);
	ck_assert_int_eq(rows(), 0);
}
END_TEST

/* More than the socket and the server take at once. */
START_TEST(megabytes_arrive)
{
	enum { N = 5000, LEN = 4000 };
	static char text[LEN + 1];

	memset(text, 'x', LEN);
	for (int i = 0; i < N; i++)
		add_row(i, text);
	ck_assert_ok(copy_run(), err);
	ck_assert_int_eq(rows(), N);
	ck_assert_int_eq(db_get_int(result, 0, 1), (int64_t)N * LEN);
}
END_TEST

START_TEST(one_row_that_is_there_refuses_them_all)
{
	add_row(2, "first");
	ck_assert_ok(copy_run(), err);
	db_copy_begin(&copy);
	for (int i = 1; i < 4; i++)
		add_row(i, "second");
	ck_assert_int_eq(copy_run(), STATUS_CONFLICT);
	ck_assert_ptr_nonnull(strstr(err.msg, "copy into copied: "));
	/* The detail and the context would name values. */
	ck_assert_ptr_null(strstr(err.msg, "second"));
	ck_assert_int_eq(rows(), 1);
	ck_assert_uint_eq(db_generation(db), 1);
}
END_TEST

START_TEST(text_that_is_not_utf8_is_refused_with_all_of_them)
{
	enum { N = 2000 };

	/* The server refuses early and we are still sending. */
	add_row(0, "\xff\xfe");
	for (int i = 1; i < N; i++)
		add_row(i, "behind it");
	ck_assert_int_eq(copy_run(), STATUS_INTERNAL);
	ck_assert_ptr_nonnull(strstr(err.msg, "22021"));
	ck_assert_int_eq(rows(), 0);
	ck_assert_uint_eq(db_generation(db), 1);
}
END_TEST

START_TEST(a_table_that_is_missing_is_the_schemas_fault)
{
	add_row(1, "x");
	ck_assert_int_eq(db_copy_run(db, "nowhere", COLUMNS, &copy, &err), STATUS_UNAVAILABLE);
	ck_assert_int_eq(err.cause, CAUSE_POSTGRES_SCHEMA);
	ck_assert_int_eq(rows(), 0);
}
END_TEST

START_TEST(a_rollback_takes_them_back)
{
	ck_assert_ok(db_begin(db, &err), err);
	add_row(1, "x");
	ck_assert_ok(copy_run(), err);
	ck_assert_int_eq(rows(), 1);
	db_rollback(db);
	ck_assert_int_eq(rows(), 0);
}
END_TEST

START_TEST(a_backend_that_ended_is_unavailable_once)
{
	char sql[64];

	db_params_init(&params);
	run(BACKEND);
	(void)snprintf(
	    sql, sizeof(sql), "SELECT pg_terminate_backend(%d)", (int)db_get_int(result, 0, 0));
	postgres_exec(dsn, sql);
	add_row(1, "x");
	ck_assert_int_eq(copy_run(), STATUS_UNAVAILABLE);
	db_copy_begin(&copy);
	add_row(1, "x");
	ck_assert_ok(copy_run(), err);
	ck_assert_int_eq(rows(), 1);
	ck_assert_uint_eq(db_generation(db), 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("db copy");
	TCase *tc = tcase_create("copy");

	server = postgres_start();
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, every_type_arrives);
	tcase_add_test(tc, nulls_and_empty_values_differ);
	tcase_add_test(tc, no_rows_are_fine);
	tcase_add_test(tc, megabytes_arrive);
	tcase_add_test(tc, one_row_that_is_there_refuses_them_all);
	tcase_add_test(tc, text_that_is_not_utf8_is_refused_with_all_of_them);
	tcase_add_test(tc, a_table_that_is_missing_is_the_schemas_fault);
	tcase_add_test(tc, a_rollback_takes_them_back);
	tcase_add_test(tc, a_backend_that_ended_is_unavailable_once);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
