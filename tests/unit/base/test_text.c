/* text: UTF-8 whole and in pieces, and what is fit to be shown. */
#include <string.h>

#include "base/attrs.h"
#include "base/text.h"
#include "support/support.h"

static const struct {
	const char *text;
	size_t len;
	size_t code_points; /* 0: not UTF-8 */
} utf8[] = {
#define ROW(text, code_points)                      \
	{                                           \
		text, sizeof(text) - 1, code_points \
	}
	ROW("a", 1),
	ROW("a\0b", 3),
	ROW("\x7f", 1),
	ROW("\xc2\x80", 1),
	ROW("\xdf\xbf", 1),
	ROW("\xe0\xa0\x80", 1),
	ROW("\xed\x9f\xbf", 1),
	ROW("\xee\x80\x80", 1),
	ROW("\xef\xbf\xbf", 1),
	ROW("\xf0\x90\x80\x80", 1),
	ROW("\xf4\x8f\xbf\xbf", 1),
	ROW("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z", 5),
	ROW("0123456789abcdef\xc3\xa4"
	    "0123456789abcdef",
	    33),
	ROW("\x80", 0),
	ROW("\xbf", 0),
	ROW("\xc0\x80", 0), /* overlong */
	ROW("\xc1\xbf", 0),
	ROW("\xe0\x9f\xbf", 0),
	ROW("\xf0\x8f\xbf\xbf", 0),
	ROW("\xed\xa0\x80", 0), /* surrogates */
	ROW("\xed\xbf\xbf", 0),
	ROW("\xf4\x90\x80\x80", 0), /* above U+10FFFF */
	ROW("\xf5\x80\x80\x80", 0),
	ROW("\xff", 0),
	ROW("\xfe", 0),
	ROW("a\xc3", 0), /* cut */
	ROW("a\xe2\x82", 0),
	ROW("a\xf0\x9f\x98", 0),
	ROW("\xc3"
	    "a",
	    0),
	ROW("\xe2\x82"
	    "a",
	    0),
	ROW("01234567\x80", 0),
	ROW("0123456\xc3"
	    "01234567",
	    0),
#undef ROW
};

START_TEST(utf8_is_told_from_what_is_not)
{
	for (size_t i = 0; i < ARRAY_LEN(utf8); i++) {
		struct bytes text = bytes_of(utf8[i].text, utf8[i].len);

		ck_assert_msg(text_is_utf8(text) == (utf8[i].code_points > 0), "row %zu", i);
		if (utf8[i].code_points)
			ck_assert_uint_eq(text_code_points(text), utf8[i].code_points);
	}
	ck_assert(text_is_utf8((struct bytes){ 0 }));
	ck_assert_uint_eq(text_code_points((struct bytes){ 0 }), 0);
}
END_TEST

START_TEST(pieces_give_the_same_answer_as_the_whole)
{
	for (size_t i = 0; i < ARRAY_LEN(utf8); i++) {
		for (size_t cut = 0; cut <= utf8[i].len; cut++) {
			uint32_t state = 0;
			bool ok = text_utf8_feed(&state, bytes_of(utf8[i].text, cut)) &&
				  text_utf8_feed(
				      &state, bytes_of(utf8[i].text + cut, utf8[i].len - cut)) &&
				  state == 0;

			ck_assert_msg(
			    ok == (utf8[i].code_points > 0), "row %zu cut at %zu", i, cut);
		}
	}
}
END_TEST

START_TEST(a_byte_that_cannot_continue_fails_at_once)
{
	uint32_t state = 0;

	ck_assert(text_utf8_feed(&state, bytes_of("\xed", 1)));
	ck_assert(!text_utf8_feed(&state, bytes_of("\xa0", 1)));
	state = 0;
	ck_assert(text_utf8_feed(&state, bytes_of("\xf4", 1)));
	ck_assert(!text_utf8_feed(&state, bytes_of("\x90", 1)));
	state = 0;
	ck_assert(!text_utf8_feed(&state, bytes_of("\xc0", 1)));
}
END_TEST

START_TEST(clean_text_has_no_control_and_no_reordering_characters)
{
	static const struct {
		const char *text;
		bool clean;
	} cases[] = {
		{ "", true },
		{ "line\n\ttab", true },
		{ "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", true },
		{ "\xc2\xa0", true },     /* U+00A0 */
		{ "\xe2\x80\xa9", true }, /* U+2029 */
		{ "\xe2\x80\xaf", true }, /* U+202F */
		{ "\xe2\x81\xa5", true }, /* U+2065 */
		{ "\xe2\x81\xaa", true }, /* U+206A */
		{ "\r", false },
		{ "\x1b[0m", false },
		{ "\x7f", false },
		{ "\xc2\x80", false },
		{ "\xc2\x9f", false },
		{ "\xe2\x80\xaa", false }, /* U+202A */
		{ "\xe2\x80\xae", false }, /* U+202E */
		{ "\xe2\x81\xa6", false }, /* U+2066 */
		{ "\xe2\x81\xa9", false }, /* U+2069 */
		{ "\xe2\x80", false },
		{ "\xff", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_msg(
		    text_is_clean(bytes_of_str(cases[i].text)) == cases[i].clean, "row %zu", i);
	ck_assert(!text_is_clean(bytes_of("a\0b", 3)));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("text");
	TCase *tcase = tcase_create("text");

	tcase_add_test(tcase, utf8_is_told_from_what_is_not);
	tcase_add_test(tcase, pieces_give_the_same_answer_as_the_whole);
	tcase_add_test(tcase, a_byte_that_cannot_continue_fails_at_once);
	tcase_add_test(tcase, clean_text_has_no_control_and_no_reordering_characters);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
