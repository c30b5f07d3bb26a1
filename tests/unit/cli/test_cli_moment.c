/* A time as people give it. */
#include "base/attrs.h"
#include "moment.h"
#include "support/support.h"

static const int64_t NOW = INT64_C(1737628245000000); /* 2025-01-23T10:30:45Z */

START_TEST(a_time_or_how_long_ago)
{
	static const struct {
		const char *text;
		int64_t us;
	} cases[] = {
		{ "2025-01-23T10:30:45Z", NOW },
		{ "2025-01-23T11:30:45.5+01:00", NOW + 500000 },
		{ "90s", NOW - INT64_C(90) * 1000000 },
		{ "24h", NOW - INT64_C(24) * 3600 * 1000000 },
		{ "99999d", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		int64_t us = -1;

		ck_assert_ok(moment_parse(cases[i].text, NOW, &us, &err), err);
		ck_assert_msg(us == cases[i].us, "%s: %lld", cases[i].text, (long long)us);
	}
}
END_TEST

START_TEST(what_is_none_is_refused)
{
	static const char *const texts[] = { "", "yesterday", "24", "-1h", "1969-12-31T23:59:59Z",
		"2025-01-23", "2025-13-01T00:00:00Z" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct err err = ERR_INIT;
		int64_t us = 0;

		ck_assert_msg(moment_parse(texts[i], NOW, &us, &err) == STATUS_INVALID, "%s: %lld",
		    texts[i], (long long)us);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli_moment");
	TCase *tcase = tcase_create("moment");

	tcase_add_test(tcase, a_time_or_how_long_ago);
	tcase_add_test(tcase, what_is_none_is_refused);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
