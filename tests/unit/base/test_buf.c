/* buf: what is appended is there, in order, however it grew. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "support/support.h"

START_TEST(appends_stand_one_after_the_other)
{
	struct buf buf = BUF_INIT;

	buf_append(&buf, "ab", 2);
	buf_append(&buf, NULL, 0);
	buf_append_str(&buf, "cd");
	buf_append_char(&buf, 'e');
	buf_append_bytes(&buf, BYTES_LITERAL("fg"));
	buf_appendf(&buf, "%s-%d", "h", 7);
	buf_appendf(&buf, "%s", "");
	buf_append_u64(&buf, 0);
	ck_assert_uint_eq(buf.len, 11);
	ck_assert_str_eq(buf_str(&buf), "abcdefgh-70");
	ck_assert_uint_eq(buf.len, 11); /* the NUL is not counted */
	buf_finish(&buf);
}
END_TEST

START_TEST(numbers_are_decimal_digits)
{
	static const uint64_t cases[] = { 0, 1, 9, 10, 99, 100, 4294967295, UINT64_MAX };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf buf = BUF_INIT;
		char expected[32];

		(void)snprintf(expected, sizeof(expected), "%" PRIu64, cases[i]);
		buf_append_u64(&buf, cases[i]);
		ck_assert_str_eq(buf_str(&buf), expected);
		buf_finish(&buf);
	}
}
END_TEST

START_TEST(growth_keeps_the_content)
{
	struct buf buf = BUF_INIT;
	unsigned wrong = 0;

	for (unsigned i = 0; i < 100000; i++)
		buf_append_char(&buf, (char)(i % 251));
	ck_assert_uint_eq(buf.len, 100000);
	for (unsigned i = 0; i < 100000; i++)
		wrong += buf.data[i] != i % 251;
	ck_assert_uint_eq(wrong, 0);
	buf_finish(&buf);
	ck_assert_ptr_null(buf.data);
	ck_assert_uint_eq(buf.cap, 0);
}
END_TEST

START_TEST(an_empty_buffer_can_be_reserved_read_and_finished)
{
	struct buf buf = BUF_INIT;

	ck_assert_ptr_null(buf.data);
	ck_assert_uint_eq(buf_bytes(&buf).len, 0);
	ck_assert_str_eq(buf_str(&buf), "");
	buf_finish(&buf);
	ck_assert_ptr_nonnull(buf_reserve(&buf, 0));
	ck_assert_uint_eq(buf.len, 0);
	buf_finish(&buf);
	buf_finish(&buf);
}
END_TEST

START_TEST(reserved_room_is_writable)
{
	struct buf buf = BUF_INIT;

	for (size_t size = 1; size < 5000; size += 61) {
		memset(buf_reserve(&buf, size), 'x', size);
		buf.len += size;
	}
	ck_assert_ptr_null(memchr(buf.data, '\0', buf.len));
	buf_finish(&buf);
}
END_TEST

START_TEST(taken_content_is_the_callers)
{
	struct buf buf = BUF_INIT;
	size_t len = 0;
	uint8_t *data;

	buf_append_str(&buf, "mine");
	data = buf_take(&buf, &len);
	ck_assert_uint_eq(len, 4);
	ck_assert_mem_eq(data, "mine", 4);
	ck_assert_uint_eq(buf.len, 0);
	buf_append_str(&buf, "again");
	free(buf_take(&buf, NULL));
	free(data);
}
END_TEST

START_TEST(bytes_compare_by_content)
{
	ck_assert(bytes_equal(BYTES_LITERAL("ab"), bytes_of("abc", 2)));
	ck_assert(bytes_equal((struct bytes){ 0 }, BYTES_LITERAL("")));
	ck_assert(!bytes_equal(BYTES_LITERAL("ab"), BYTES_LITERAL("ac")));
	ck_assert(!bytes_equal(BYTES_LITERAL("ab"), BYTES_LITERAL("abc")));
	ck_assert(bytes_equal_str(bytes_of("ab\0", 2), "ab"));
	ck_assert(!bytes_equal_str(bytes_of("ab\0", 3), "ab"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("buf");
	TCase *tcase = tcase_create("buf");

	tcase_add_test(tcase, appends_stand_one_after_the_other);
	tcase_add_test(tcase, numbers_are_decimal_digits);
	tcase_add_test(tcase, growth_keeps_the_content);
	tcase_add_test(tcase, an_empty_buffer_can_be_reserved_read_and_finished);
	tcase_add_test(tcase, reserved_room_is_writable);
	tcase_add_test(tcase, taken_content_is_the_callers);
	tcase_add_test(tcase, bytes_compare_by_content);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
