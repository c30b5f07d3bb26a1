/* The table-driven command line: values, defaults, mistakes. */
#include <stdlib.h>
#include <string.h>

#include "base/attrs.h"
#include "options.h"
#include "support/support.h"

struct sample {
	const char *text;
	struct option_list list;
	int64_t number, ms, bytes;
	bool flag;
};

static const struct option_row rows[] = {
	{ "text", OPTION_TEXT, offsetof(struct sample, text), "WW_TEST_TEXT", "built-in", 0, 0, "T",
	    "" },
	{ "list", OPTION_LIST, offsetof(struct sample, list), NULL, NULL, 0, 0, "L", "" },
	{ .name = NULL },
};
static const struct option_row more_rows[] = {
	{ "number", OPTION_INT, offsetof(struct sample, number), NULL, "7", 1, 10, "N",
	    "one to ten" },
	{ "ttl", OPTION_DURATION, offsetof(struct sample, ms), NULL, NULL, 1, 86400000, "D", "" },
	{ "size", OPTION_SIZE, offsetof(struct sample, bytes), NULL, NULL, 1, INT64_MAX, "S", "" },
	{ "flag", OPTION_FLAG, offsetof(struct sample, flag), NULL, NULL, 0, 0, NULL, "" },
	{ .name = NULL },
};
static const struct usage usage = { .command = "sample",
	.operands = "A B",
	.operands_max = 2,
	.help = "Help.",
	.rows = rows,
	.more_rows = more_rows };

static struct sample opt;
static struct option_list operands;

static enum options_outcome parse(const char *const *words)
{
	static char copies[12][32]; /* getopt_long() reorders what it is given */
	char *argv[12] = { 0 };
	int argc = 0;

	for (; words[argc]; argc++) {
		(void)snprintf(copies[argc], sizeof(copies[argc]), "%s", words[argc]);
		argv[argc] = copies[argc];
	}
	opt = (struct sample){ 0 };
	return options_parse(&usage, &opt, &operands, argc, argv);
}

#define PARSE(...) parse((const char *const[]){ "sample", __VA_ARGS__ })

START_TEST(options_and_operands_may_be_mixed)
{
	ck_assert_int_eq(
	    PARSE("a", "--text=x", "--list", "1", "b", "--list", "2", "--flag", NULL), OPTIONS_RUN);
	ck_assert_str_eq(opt.text, "x");
	ck_assert_uint_eq(opt.list.len, 2);
	ck_assert_str_eq(opt.list.at[1], "2");
	ck_assert(opt.flag);
	ck_assert_uint_eq(operands.len, 2);
	ck_assert_str_eq(operands.at[0], "a");
	ck_assert_str_eq(operands.at[1], "b");
}
END_TEST

START_TEST(the_line_beats_the_environment_beats_the_default)
{
	ck_assert_int_eq(PARSE(NULL, NULL), OPTIONS_RUN);
	ck_assert_str_eq(opt.text, "built-in");
	ck_assert_int_eq(opt.number, 7);
	ck_assert_int_eq(setenv("WW_TEST_TEXT", "env", 1), 0);
	ck_assert_int_eq(PARSE(NULL, NULL), OPTIONS_RUN);
	ck_assert_str_eq(opt.text, "env");
	ck_assert_int_eq(PARSE("--text", "line", NULL), OPTIONS_RUN);
	ck_assert_str_eq(opt.text, "line");
	ck_assert_int_eq(unsetenv("WW_TEST_TEXT"), 0);
}
END_TEST

static const char *const wrong_lines[][3] = {
	{ "--unknown" },
	{ "--text" },
	{ "-x" },
	{ "--flag=1" },
	{ "--number", "0" },
	{ "--number", "11" },
	{ "--number", "3s" },
	{ "--number", "" },
	{ "--ttl", "3" },
	{ "--ttl", "25h" },
	{ "--size", "1KB" },
	{ "a", "b", "c" },
};

START_TEST(a_wrong_line_is_refused)
{
	const char *const *w = wrong_lines[_i];

	ck_assert_int_eq(PARSE(w[0], w[1], w[2], NULL), OPTIONS_WRONG);
}
END_TEST

START_TEST(help_is_answered)
{
	ck_assert_int_eq(PARSE("--help", NULL), OPTIONS_DONE);
	ck_assert_int_eq(PARSE("a", "-h", NULL), OPTIONS_DONE);
}
END_TEST

static const struct {
	const char *text;
	int64_t value; /* -1: refused */
} durations[] = { { "250ms", 250 }, { "90s", 90000 }, { "15m", 900000 }, { "1h", 3600000 },
	{ "7d", 604800000 }, { "5", -1 }, { "", -1 }, { "s", -1 }, { "1 h", -1 }, { " 1h", -1 },
	{ "1hh", -1 }, { "99999999999999999999s", -1 }, { "9223372036854775807h", -1 } },
  sizes[] = { { "0", 0 }, { "1000000", 1000000 }, { "64KiB", 65536 }, { "16MiB", 16 << 20 },
	  { "1GiB", 1 << 30 }, { "1KB", -1 }, { "9223372036854775807GiB", -1 }, { "x", -1 } };

START_TEST(durations_have_units)
{
	struct err err = ERR_INIT;
	int64_t ms = -1;

	(void)!options_parse_duration(durations[_i].text, &ms, &err);
	ck_assert_int_eq(ms, durations[_i].value);
}
END_TEST

START_TEST(sizes_may_have_units)
{
	struct err err = ERR_INIT;
	int64_t bytes = -1;

	(void)!options_parse_size(sizes[_i].text, &bytes, &err);
	ck_assert_int_eq(bytes, sizes[_i].value);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli/options");
	TCase *tcase = tcase_create("options");

	tcase_add_test(tcase, options_and_operands_may_be_mixed);
	tcase_add_test(tcase, the_line_beats_the_environment_beats_the_default);
	tcase_add_loop_test(tcase, a_wrong_line_is_refused, 0, ARRAY_LEN(wrong_lines));
	tcase_add_test(tcase, help_is_answered);
	tcase_add_loop_test(tcase, durations_have_units, 0, ARRAY_LEN(durations));
	tcase_add_loop_test(tcase, sizes_may_have_units, 0, ARRAY_LEN(sizes));
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
