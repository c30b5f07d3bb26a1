/* timestamp: RFC 3339 both ways, over leap years, offsets and the ends of the calendar. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/timestamp.h"
#include "support/support.h"

static const char *formatted(int64_t ms)
{
	static char text[TIMESTAMP_TEXT_SIZE];

	ck_assert_uint_eq(timestamp_format(ms, text), strlen(text));
	return text;
}

START_TEST(times_are_written_and_read_back)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1, "1970-01-01T00:00:00.001Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ INT64_C(1737628245123), "2025-01-23T10:30:45.123Z" },
		{ INT64_C(951782400000), "2000-02-29T00:00:00.000Z" },
		{ INT64_C(1709164800000), "2024-02-29T00:00:00.000Z" },
		{ INT64_C(4107542399999), "2100-02-28T23:59:59.999Z" },
		{ INT64_C(4107542400000), "2100-03-01T00:00:00.000Z" },
		{ INT64_C(-62135596800000), "0001-01-01T00:00:00.000Z" },
		{ INT64_C(253402300799999), "9999-12-31T23:59:59.999Z" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		int64_t ms;

		ck_assert_str_eq(formatted(cases[i].ms), cases[i].text);
		ck_assert_ok(timestamp_parse(bytes_of_str(cases[i].text), &ms, &err), err);
		ck_assert_int_eq(ms, cases[i].ms);
	}
}
END_TEST

/* Our arithmetic against the C library's, at a moment every 97 days. */
START_TEST(dates_agree_with_the_c_library)
{
	for (int64_t s = INT64_C(-62135596800); s < INT64_C(253402300800);
	     s += 86400 * 97 + 12345) {
		time_t t = (time_t)s;
		struct tm tm;
		char expected[64], text[TIMESTAMP_TEXT_SIZE];

		(void)gmtime_r(&t, &tm);
		(void)snprintf(expected, sizeof(expected), "%04d-%02d-%02dT%02d:%02d:%02d.000Z",
		    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
		(void)timestamp_format(s * 1000, text);
		if (strcmp(text, expected) != 0)
			ck_abort_msg("%s became %s", expected, text);
	}
}
END_TEST

START_TEST(years_beyond_the_calendar_are_clamped)
{
	ck_assert_str_eq(formatted(INT64_MIN), "0001-01-01T00:00:00.000Z");
	ck_assert_str_eq(formatted(INT64_C(-62135596800001)), "0001-01-01T00:00:00.000Z");
	ck_assert_str_eq(formatted(INT64_C(253402300800000)), "9999-12-31T23:59:59.999Z");
	ck_assert_str_eq(formatted(INT64_MAX), "9999-12-31T23:59:59.999Z");
}
END_TEST

START_TEST(offsets_decimals_and_lower_case_are_understood)
{
	static const struct {
		const char *text, *same;
	} cases[] = {
		{ "2025-01-23T10:30:45Z", "2025-01-23T10:30:45.000Z" },
		{ "2025-01-23t10:30:45z", "2025-01-23T10:30:45.000Z" },
		{ "2025-01-23T10:30:45.1Z", "2025-01-23T10:30:45.100Z" },
		{ "2025-01-23T10:30:45.123456789Z", "2025-01-23T10:30:45.123Z" },
		{ "2025-01-23T10:30:45.9999Z", "2025-01-23T10:30:45.999Z" },
		{ "2025-01-23T10:30:45+02:00", "2025-01-23T08:30:45.000Z" },
		{ "2025-01-23T10:30:45-05:30", "2025-01-23T16:00:45.000Z" },
		{ "2025-01-23T10:30:45-00:00", "2025-01-23T10:30:45.000Z" },
		{ "2024-12-31T23:30:00-01:00", "2025-01-01T00:30:00.000Z" },
		{ "2024-03-01T00:30:00+01:00", "2024-02-29T23:30:00.000Z" },
		{ "2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z" }, /* a leap second */
		{ "1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500Z" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		int64_t ms;

		ck_assert_ok(timestamp_parse(bytes_of_str(cases[i].text), &ms, &err), err);
		ck_assert_str_eq(formatted(ms), cases[i].same);
	}
}
END_TEST

START_TEST(anything_else_is_refused)
{
	static const char *const cases[] = { "", "2025", "2025-01-23", "2025-01-23T10:30:45",
		"2025-01-23 10:30:45Z", "2025-13-01T00:00:00Z", "2025-00-01T00:00:00Z",
		"2025-01-00T00:00:00Z", "2025-01-32T00:00:00Z", "2025-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z", "2025-04-31T00:00:00Z", "2025-01-23T24:00:00Z",
		"2025-01-23T23:60:00Z", "2025-01-23T23:59:61Z", "2025-01-23T10:30:45.Z",
		"2025-01-23T10:30:45.1234567890Z", "2025-01-23T10:30:45+2:00",
		"2025-01-23T10:30:45+24:00", "2025-01-23T10:30:45+02:60",
		"2025-01-23T10:30:45+0200", "2025-01-23T10:30:45Zx", " 2025-01-23T10:30:45Z",
		"0000-01-01T00:00:00Z", "-001-01-01T00:00:00Z", "20250-01-01T00:00:00Z",
		"2025-1-23T10:30:45Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01" };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t ms;

		ck_assert_msg(timestamp_parse(bytes_of_str(cases[i]), &ms, NULL) == STATUS_INVALID,
		    "\"%s\" was taken", cases[i]);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timestamp");
	TCase *tcase = tcase_create("timestamp");

	tcase_add_test(tcase, times_are_written_and_read_back);
	tcase_add_test(tcase, dates_agree_with_the_c_library);
	tcase_add_test(tcase, years_beyond_the_calendar_are_clamped);
	tcase_add_test(tcase, offsets_decimals_and_lower_case_are_understood);
	tcase_add_test(tcase, anything_else_is_refused);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
