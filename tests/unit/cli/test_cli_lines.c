/* Lines out of a pipe: bounded, numbered, never waited for without need. */
#include <unistd.h>

#include "lines.h"
#include "support/support.h"

static int ends[2];
static struct lines lines;

static void setup(void)
{
	ck_assert_int_eq(pipe(ends), 0);
	lines_init(&lines, ends[0], 10);
}

static void teardown(void)
{
	lines_finish(&lines);
	(void)close(ends[0]);
	if (ends[1] >= 0)
		(void)close(ends[1]);
}

static void feed(const char *text)
{
	ck_assert_int_eq(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
}

static void end(void)
{
	(void)close(ends[1]);
	ends[1] = -1;
}

static void expect_line(const char *text)
{
	struct err err = ERR_INIT;
	struct bytes line;
	bool more = false;

	ck_assert_ok(lines_next(&lines, &line, &more, &err), err);
	ck_assert(more);
	ck_assert(bytes_equal_str(line, text));
}

static void expect_end(void)
{
	struct err err = ERR_INIT;
	struct bytes line;
	bool more = true;

	ck_assert_ok(lines_next(&lines, &line, &more, &err), err);
	ck_assert(!more);
}

START_TEST(lines_come_without_their_breaks)
{
	feed("one\n\nthree");
	end();
	expect_line("one");
	expect_line("");
	expect_line("three");
	ck_assert_uint_eq(lines.number, 3);
	expect_end();
}
END_TEST

START_TEST(a_line_of_the_longest_length_is_taken)
{
	feed("0123456789\n");
	end();
	expect_line("0123456789");
	expect_end();
}
END_TEST

START_TEST(a_line_that_is_too_long_is_skipped_whole)
{
	struct err err = ERR_INIT;
	struct bytes line;
	bool more;

	feed("0123456789X and much more\nnext\n");
	end();
	ck_assert_int_eq(lines_next(&lines, &line, &more, &err), STATUS_TOO_LARGE);
	ck_assert_uint_eq(lines.number, 1);
	ck_assert_uint_le(lines.line.cap, 64);
	expect_line("next");
	ck_assert_uint_eq(lines.number, 2);
	expect_end();
}
END_TEST

START_TEST(waiting_is_known_beforehand)
{
	ck_assert(lines_must_wait(&lines));
	feed("a\nb\nc");
	ck_assert(!lines_must_wait(&lines));
	expect_line("a");
	ck_assert(!lines_must_wait(&lines));
	expect_line("b");
	ck_assert(lines_must_wait(&lines)); /* half a line is not a line */
	end();
	ck_assert(!lines_must_wait(&lines));
	expect_line("c");
	expect_end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli/lines");
	TCase *tcase = tcase_create("lines");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, lines_come_without_their_breaks);
	tcase_add_test(tcase, a_line_of_the_longest_length_is_taken);
	tcase_add_test(tcase, a_line_that_is_too_long_is_skipped_whole);
	tcase_add_test(tcase, waiting_is_known_beforehand);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
