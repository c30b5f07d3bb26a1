/* decimal: text and (units, scale) say the same, to the digit. */
#include <string.h>

#include "base/decimal.h"
#include "support/support.h"

START_TEST(text_is_read_and_written_to_the_digit)
{
	static const struct {
		const char *text;
		int64_t units;
		uint32_t scale;
	} cases[] = {
		{ "0", 0, 0 },
		{ "7", 7, 0 },
		{ "1234.56", 123456, 2 },
		{ "100.00", 10000, 2 },
		{ "-0.05", -5, 2 },
		{ "0.00", 0, 2 },
		{ "-12", -12, 0 },
		{ "0.000000000000000001", 1, 18 },
		{ "0.009007199254740991", INT64_C(9007199254740991), 18 },
		{ "9007199254740991", INT64_C(9007199254740991), 0 },
		{ "-9007199254740991", INT64_C(-9007199254740991), 0 },
		{ "90071992547409.91", INT64_C(9007199254740991), 2 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf buf = BUF_INIT;
		struct err err = ERR_INIT;
		int64_t units;
		uint32_t scale;

		ck_assert_ok(decimal_parse(bytes_of_str(cases[i].text), &units, &scale, &err), err);
		ck_assert_int_eq(units, cases[i].units);
		ck_assert_uint_eq(scale, cases[i].scale);
		decimal_append(&buf, units, scale);
		ck_assert_str_eq(buf_str(&buf), cases[i].text);
		buf_finish(&buf);
	}
}
END_TEST

START_TEST(zeros_in_front_and_a_negative_zero_are_read)
{
	int64_t units = -1;
	uint32_t scale;

	ck_assert_int_eq(decimal_parse(BYTES_LITERAL("-0.0"), &units, &scale, NULL), STATUS_OK);
	ck_assert_int_eq(units, 0);
	ck_assert_uint_eq(scale, 1);
	ck_assert_int_eq(decimal_parse(BYTES_LITERAL("0007.50"), &units, &scale, NULL), STATUS_OK);
	ck_assert_int_eq(units, 750);
}
END_TEST

START_TEST(anything_else_is_refused)
{
	static const char *const cases[] = { "", "-", ".", "-.", "1.", ".5", "-.5", "+1", "1e3",
		"1,5", " 1", "1 ", "0x10", "1.2.3", "--1", "1-", "NaN", "inf", "1..2", "\xd9\xa1",
		"9007199254740992", "-9007199254740992", "90071992547409.92",
		"0.0000000000000000001", "99999999999999999999999999", "1.9007199254740992" };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t units;
		uint32_t scale;

		ck_assert_msg(
		    decimal_parse(bytes_of_str(cases[i]), &units, &scale, NULL) == STATUS_INVALID,
		    "\"%s\" was taken", cases[i]);
	}
	ck_assert_int_eq(decimal_parse(bytes_of("1\0", 2), &(int64_t){ 0 }, &(uint32_t){ 0 }, NULL),
	    STATUS_INVALID);
}
END_TEST

START_TEST(limits_are_2_to_the_53_units_and_18_digits)
{
	ck_assert(decimal_is_valid(DECIMAL_UNITS_LIMIT - 1, 18));
	ck_assert(decimal_is_valid(-DECIMAL_UNITS_LIMIT + 1, 0));
	ck_assert(!decimal_is_valid(DECIMAL_UNITS_LIMIT, 0));
	ck_assert(!decimal_is_valid(-DECIMAL_UNITS_LIMIT, 0));
	ck_assert(!decimal_is_valid(INT64_MIN, 0));
	ck_assert(!decimal_is_valid(INT64_MAX, 0));
	ck_assert(!decimal_is_valid(0, 19));
	ck_assert(!decimal_is_valid(0, UINT32_MAX));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("decimal");
	TCase *tcase = tcase_create("decimal");

	tcase_add_test(tcase, text_is_read_and_written_to_the_digit);
	tcase_add_test(tcase, zeros_in_front_and_a_negative_zero_are_read);
	tcase_add_test(tcase, anything_else_is_refused);
	tcase_add_test(tcase, limits_are_2_to_the_53_units_and_18_digits);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
