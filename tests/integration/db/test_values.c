/* Every type of parameter comes back from a real server as it was sent. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "db/db.h"
#include "support/postgres.h"
#include "support/support.h"

enum {
	SCALARS,
	NULLS,
	INT_ARRAYS,
	TEXT_ARRAY,
	BYTES_ARRAY,
	TIME_ARRAY,
	UNNEST,
	ROWS,
	KEEPALIVES,
	STATEMENTS_LEN,
};

static const struct db_statement statements[] = {
	[SCALARS] = { "scalars",
	    "SELECT $1::bool, $2::smallint, $3::integer, $4::bigint, $5::timestamptz,"
	    " $6::text, $7::bytea, $5::timestamptz::text" },
	[NULLS] = { "nulls", "SELECT $1::bigint, $2::text, $3::bytea, $4::bool, $5::timestamptz,"
			     " $6::text[]" },
	[INT_ARRAYS] = { "int_arrays",
	    "SELECT $1::smallint[], $2::integer[], $3::bigint[], $4::bool[]::text" },
	[TEXT_ARRAY] = { "text_array", "SELECT $1::text[], $1::text[]::text" },
	[BYTES_ARRAY] = { "bytes_array",
	    "SELECT v FROM unnest($1::bytea[]) WITH ORDINALITY AS t(v, i)"
	    " ORDER BY i" },
	[TIME_ARRAY] = { "time_array",
	    "SELECT v FROM unnest($1::timestamptz[]) WITH ORDINALITY AS t(v, i)"
	    " ORDER BY i" },
	[UNNEST] = { "unnest", "SELECT count(*), sum(n)::bigint, count(DISTINCT u)"
			       " FROM unnest($1::bigint[], $2::text[]) AS t(n, u)" },
	[ROWS] = { "rows", "SELECT g FROM generate_series(1, $1::integer) AS g" },
	[KEEPALIVES] = { "keepalives", "SELECT current_setting('tcp_keepalives_idle') || ' ' ||"
				       " current_setting('tcp_keepalives_interval') || ' ' ||"
				       " current_setting('tcp_keepalives_count') || ' ' || "
				       "current_setting('tcp_user_timeout')" },
};

static struct postgres *server;
static struct db *db;
static struct err err;
static struct db_params params;
static struct db_result *result;

static void setup(void)
{
	struct db_config cfg = { .dsn = postgres_new_database(server),
		.application_name = "test/values",
		.statements = statements,
		.statements_len = STATEMENTS_LEN };

	ck_assert_ok(db_open(&cfg, &db, &err), err);
	db_params_init(&params);
}

static void teardown(void)
{
	db_result_free(result);
	db_close(db);
}

static void run(size_t statement)
{
	ck_assert_ok(db_run(db, statement, &params, &result, &err), err);
}

static void expect_bytes(struct bytes got, const void *data, size_t len)
{
	ck_assert_uint_eq(got.len, len);
	ck_assert_mem_eq(got.data, data, len);
}

START_TEST(scalars_come_back)
{
	static const uint8_t blob[] = { 0, 1, 0xff, 0 };

	db_add_bool(&params, true);
	db_add_i16(&params, SHRT_MIN);
	db_add_i32(&params, INT_MIN);
	db_add_i64(&params, INT64_MAX);
	db_add_time(&params, INT64_C(1737628245123456));
	db_add_text(&params, "na\xc3\xafve \xf0\x9f\x92\xb8");
	db_add_bytes(&params, bytes_of(blob, sizeof(blob)));
	run(SCALARS);
	ck_assert_uint_eq(db_rows(result), 1);
	ck_assert(db_get_bool(result, 0, 0));
	ck_assert_int_eq(db_get_int(result, 0, 1), SHRT_MIN);
	ck_assert_int_eq(db_get_int(result, 0, 2), INT_MIN);
	ck_assert_int_eq(db_get_int(result, 0, 3), INT64_MAX);
	ck_assert_int_eq(db_get_time(result, 0, 4), INT64_C(1737628245123456));
	ck_assert_str_eq(db_get_text(result, 0, 5), "na\xc3\xafve \xf0\x9f\x92\xb8");
	expect_bytes(db_get_bytes(result, 0, 6), blob, sizeof(blob));
	ck_assert_str_eq(db_get_text(result, 0, 7), "2025-01-23 10:30:45.123456+00");
}
END_TEST

START_TEST(nulls_read_as_nothing)
{
	for (int i = 0; i < 6; i++)
		db_add_null(&params);
	run(NULLS);
	for (size_t column = 0; column < 6; column++)
		ck_assert(db_is_null(result, 0, column));
	ck_assert_int_eq(db_get_int(result, 0, 0), 0);
	ck_assert_str_eq(db_get_text(result, 0, 1), "");
	ck_assert_uint_eq(db_get_bytes(result, 0, 2).len, 0);
	ck_assert(!db_get_bool(result, 0, 3));
	ck_assert_int_eq(db_get_time(result, 0, 4), 0);
	ck_assert_uint_eq(db_get_array_len(result, 0, 5), 0);
}
END_TEST

START_TEST(empty_is_not_null)
{
	db_add_i64(&params, 0);
	db_add_text(&params, "");
	db_add_bytes(&params, BYTES_LITERAL(""));
	db_add_bool(&params, false);
	db_add_time(&params, 0);
	db_add_text_array(&params, NULL, 0);
	run(NULLS);
	for (size_t column = 0; column < 6; column++)
		ck_assert(!db_is_null(result, 0, column));
	ck_assert_uint_eq(db_get_array_len(result, 0, 5), 0);
}
END_TEST

START_TEST(integer_arrays_come_back)
{
	db_add_i16_array(&params, (const int16_t[]){ 1, -2 }, 2);
	db_add_i32_array(&params, (const int32_t[]){ INT_MAX, INT_MIN, 0 }, 3);
	db_add_i64_array(&params, (const int64_t[]){ INT64_MIN, 5, INT64_MAX }, 3);
	db_add_bool_array(&params, (const bool[]){ true, false }, 2);
	run(INT_ARRAYS);
	ck_assert_uint_eq(db_get_array_len(result, 0, 0), 2);
	ck_assert_int_eq(db_get_array_int(result, 0, 0, 1), -2);
	ck_assert_uint_eq(db_get_array_len(result, 0, 1), 3);
	ck_assert_int_eq(db_get_array_int(result, 0, 1, 1), INT_MIN);
	ck_assert_int_eq(db_get_array_int(result, 0, 2, 0), INT64_MIN);
	ck_assert_int_eq(db_get_array_int(result, 0, 2, 2), INT64_MAX);
	ck_assert_str_eq(db_get_text(result, 0, 3), "{t,f}");
}
END_TEST

START_TEST(text_array_keeps_nulls_and_empty_texts)
{
	db_add_text_array(&params, (const char *const[]){ "a,b\"{}", NULL, "", "last" }, 4);
	run(TEXT_ARRAY);
	ck_assert_uint_eq(db_get_array_len(result, 0, 0), 4);
	expect_bytes(db_get_array_text(result, 0, 0, 0), "a,b\"{}", 6);
	ck_assert_ptr_null(db_get_array_text(result, 0, 0, 1).data);
	ck_assert_ptr_nonnull(db_get_array_text(result, 0, 0, 2).data);
	ck_assert_uint_eq(db_get_array_text(result, 0, 0, 2).len, 0);
	expect_bytes(db_get_array_text(result, 0, 0, 3), "last", 4);
	ck_assert_str_eq(db_get_text(result, 0, 1), "{\"a,b\\\"{}\",NULL,\"\",last}");
}
END_TEST

START_TEST(bytes_array_keeps_nulls_and_zero_bytes)
{
	const struct bytes values[] = { BYTES_LITERAL("a\0b"), { NULL, 0 }, BYTES_LITERAL("") };

	db_add_bytes_array(&params, values, 3);
	run(BYTES_ARRAY);
	ck_assert_uint_eq(db_rows(result), 3);
	expect_bytes(db_get_bytes(result, 0, 0), "a\0b", 3);
	ck_assert(db_is_null(result, 1, 0));
	ck_assert(!db_is_null(result, 2, 0));
}
END_TEST

START_TEST(time_array_keeps_nulls)
{
	db_add_time_array(
	    &params, (const int64_t[]){ -1, INT64_MIN, INT64_C(4102444800000000) }, 3);
	run(TIME_ARRAY);
	ck_assert_int_eq(db_get_time(result, 0, 0), -1);
	ck_assert(db_is_null(result, 1, 0));
	ck_assert_int_eq(db_get_time(result, 2, 0), INT64_C(4102444800000000));
}
END_TEST

START_TEST(batch_of_arrays_is_one_statement)
{
	enum { N = 5000 };
	static int64_t numbers[N];
	static const char *users[N];
	static char names[N][8];
	int64_t sum = 0;

	for (int i = 0; i < N; i++) {
		numbers[i] = i;
		sum += i;
		(void)snprintf(names[i], sizeof(names[i]), "u%d", i % 100);
		users[i] = names[i];
	}
	db_add_i64_array(&params, numbers, N);
	db_add_text_array(&params, users, N);
	run(UNNEST);
	ck_assert_int_eq(db_get_int(result, 0, 0), N);
	ck_assert_int_eq(db_get_int(result, 0, 1), sum);
	ck_assert_int_eq(db_get_int(result, 0, 2), 100);
}
END_TEST

START_TEST(many_rows_and_none)
{
	db_add_i32(&params, 100000);
	run(ROWS);
	ck_assert_uint_eq(db_rows(result), 100000);
	ck_assert_int_eq(db_get_int(result, 99999, 0), 100000);
	db_result_free(result);
	db_add_i32(&params, 0);
	run(ROWS);
	ck_assert_uint_eq(db_rows(result), 0);
}
END_TEST

/* As the server asks the kernel. */
START_TEST(the_server_notices_a_client_that_is_gone)
{
	run(KEEPALIVES);
	ck_assert_str_eq(db_get_text(result, 0, 0), "10 3 3 10000");
}
END_TEST

/* How the one row of a table is found by its key. */
static void expect_plan(const char *dsn, bool by_key, const char *begins)
{
	static const struct db_statement explain[] = { { "explain",
	    "EXPLAIN SELECT n FROM small WHERE id = 1" } };
	struct db_config cfg = {
		.dsn = dsn, .statements = explain, .statements_len = 1, .by_key = by_key
	};
	struct db *other = NULL;

	ck_assert_ok(db_open(&cfg, &other, &err), err);
	db_params_init(&params);
	ck_assert_ok(db_run(other, 0, &params, &result, &err), err);
	ck_assert_msg(strncmp(db_get_text(result, 0, 0), begins, strlen(begins)) == 0,
	    "%s instead of %s", db_get_text(result, 0, 0), begins);
	db_result_free(result);
	result = NULL;
	db_close(other);
}

START_TEST(by_key_a_row_is_found_by_its_index_however_small_the_table_was)
{
	const char *dsn = postgres_new_database(server);

	postgres_exec(dsn, "CREATE TABLE small (id bigint PRIMARY KEY, n bigint);"
			   "INSERT INTO small VALUES (1, 1)");
	postgres_exec(dsn, "ANALYZE small");
	expect_plan(dsn, false, "Seq Scan");
	expect_plan(dsn, true, "Index Scan");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("db values");
	TCase *tc = tcase_create("round trips");

	server = postgres_start();
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, scalars_come_back);
	tcase_add_test(tc, nulls_read_as_nothing);
	tcase_add_test(tc, empty_is_not_null);
	tcase_add_test(tc, integer_arrays_come_back);
	tcase_add_test(tc, text_array_keeps_nulls_and_empty_texts);
	tcase_add_test(tc, bytes_array_keeps_nulls_and_zero_bytes);
	tcase_add_test(tc, time_array_keeps_nulls);
	tcase_add_test(tc, batch_of_arrays_is_one_statement);
	tcase_add_test(tc, many_rows_and_none);
	tcase_add_test(tc, the_server_notices_a_client_that_is_gone);
	tcase_add_test(tc, by_key_a_row_is_found_by_its_index_however_small_the_table_was);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
