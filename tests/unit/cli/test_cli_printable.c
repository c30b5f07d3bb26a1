/* What others wrote gets to an operator's terminal as text, and as nothing that it obeys. */
#include "printable.h"
#include "support/support.h"

static const struct {
	const char *json, *printed;
} cases[] = {
	{ "", "" },
	{ "{\"name\":\"Zoë €5 😀\"}\n{}\n", "{\"name\":\"Zoë €5 😀\"}\n{}\n" },
	{ "user:\xc2\x9b"
	  "2J",
	    "user:\\u009b2J" }, /* CSI: clears the screen */
	{ "\xc2\x80\xc2\x9f\xc2\xa0", "\\u0080\\u009f\xc2\xa0" },
	{ "a\x7f", "a\\u007f" },
	{ "\x1b[2J", "\\u001b[2J" },
	{ "\xe2\x80\xae"
	  "evil\xe2\x81\xa6",
	    "\\u202eevil\\u2066" },
	{ "\x9b"
	  "2J",
	    "\\ufffd2J" }, /* no UTF-8, but CSI to a terminal of eight bits */
	{ "\xc2", "\\ufffd" },
	{ "\xf0\x9f\x98", "\\ufffd\\ufffd\\ufffd" },
	{ "\xe2\x28\xa1", "\\ufffd(\\ufffd" },
};

START_TEST(nothing_that_a_terminal_obeys_is_printed)
{
	struct buf out = BUF_INIT;

	printable_append(&out, bytes_of_str(cases[_i].json));
	ck_assert_str_eq(buf_str(&out), cases[_i].printed);
	buf_finish(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli/printable");
	TCase *tcase = tcase_create("printable");

	tcase_add_loop_test(
	    tcase, nothing_that_a_terminal_obeys_is_printed, 0, (int)ARRAY_LEN(cases));
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
