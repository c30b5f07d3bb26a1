/* Parameters in PostgreSQL's binary format, byte by byte. */
#include <stdint.h>

#include "db/db.h"
#include "support/support.h"

static struct db_params params;

static void expect(size_t i, const void *data, size_t len)
{
	ck_assert_uint_lt(i, params.len);
	ck_assert_uint_eq(params.at[i].len, len);
	ck_assert_mem_eq(params.at[i].data, data, len);
}

#define EXPECT(i, ...) \
	expect(i, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

START_TEST(integers_are_big_endian)
{
	db_params_init(&params);
	db_add_bool(&params, true);
	db_add_i16(&params, -2);
	db_add_i32(&params, 0x01020304);
	db_add_i64(&params, INT64_MIN);
	EXPECT(0, 1);
	EXPECT(1, 0xff, 0xfe);
	EXPECT(2, 1, 2, 3, 4);
	EXPECT(3, 0x80, 0, 0, 0, 0, 0, 0, 0);
	db_params_finish(&params);
	ck_assert_uint_eq(params.len, 0);
}
END_TEST

START_TEST(time_counts_from_2000_and_does_not_wrap)
{
	db_params_init(&params);
	db_add_time(&params, INT64_C(946684800000001));
	db_add_time(&params, INT64_MIN + 5);
	EXPECT(0, 0, 0, 0, 0, 0, 0, 0, 1);
	EXPECT(1, 0x80, 0, 0, 0, 0, 0, 0, 1);
	db_params_finish(&params);
}
END_TEST

START_TEST(null_text_is_null_and_empty_text_is_not)
{
	db_params_init(&params);
	db_add_text(&params, NULL);
	db_add_text(&params, "");
	db_add_bytes(&params, bytes_of(NULL, 0));
	db_add_bytes(&params, BYTES_LITERAL(""));
	ck_assert_ptr_null(params.at[0].data);
	ck_assert_ptr_nonnull(params.at[1].data);
	ck_assert_uint_eq(params.at[1].len, 0);
	ck_assert_ptr_null(params.at[2].data);
	ck_assert_ptr_nonnull(params.at[3].data);
	db_params_finish(&params);
}
END_TEST

START_TEST(array_has_its_header_and_each_length)
{
	db_params_init(&params);
	db_add_i16_array(&params, (const int16_t[]){ 7, -1 }, 2);
	EXPECT(0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 21, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 7, 0,
	    0, 0, 2, 0xff, 0xff);
	db_params_finish(&params);
}
END_TEST

START_TEST(array_of_nothing_has_no_dimension)
{
	db_params_init(&params);
	db_add_i64_array(&params, NULL, 0);
	EXPECT(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20);
	db_params_finish(&params);
}
END_TEST

START_TEST(null_in_an_array_has_length_minus_one)
{
	db_params_init(&params);
	db_add_text_array(&params, (const char *const[]){ NULL, "ab" }, 2);
	EXPECT(0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 25, 0, 0, 0, 2, 0, 0, 0, 1, 0xff, 0xff, 0xff,
	    0xff, 0, 0, 0, 2, 'a', 'b');
	db_add_time_array(&params, (const int64_t[]){ INT64_MIN }, 1);
	EXPECT(1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 4, 0xa0, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff,
	    0xff);
	db_params_finish(&params);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("db params");
	TCase *tc = tcase_create("encoding");

	tcase_add_test(tc, integers_are_big_endian);
	tcase_add_test(tc, time_counts_from_2000_and_does_not_wrap);
	tcase_add_test(tc, null_text_is_null_and_empty_text_is_not);
	tcase_add_test(tc, array_has_its_header_and_each_length);
	tcase_add_test(tc, array_of_nothing_has_no_dimension);
	tcase_add_test(tc, null_in_an_array_has_length_minus_one);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
