/* json: strict and bounded on the way in, escaped and compact on the way out. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "codec/json.h"
#include "support/support.h"

static struct json *parsed(const char *text)
{
	struct json *root;
	struct err err = ERR_INIT;

	ck_assert_ok(json_parse(bytes_of_str(text), &root, &err), err);
	return root;
}

static enum status parse_status(struct bytes text)
{
	struct json *root = NULL;
	enum status s = json_parse(text, &root, NULL);

	json_free(root);
	return s;
}

START_TEST(depth_is_counted_outside_of_strings)
{
	static const struct {
		const char *text;
		unsigned depth; /* the smallest that is ok */
	} cases[] = {
		{ "", 0 },
		{ "1", 0 },
		{ "[]", 1 },
		{ "[[],[]]", 2 },
		{ "{\"a\":[{}]}", 3 },
		{ "\"[[[[\"", 0 },
		{ "[\"\\\"[[[\"]", 1 },
		{ "[\"\\\\\",[]]", 2 },
		{ "]]]][[", 2 },
		{ "[[[[", 4 },
		{ "\"unfinished [[", 0 },
		{ "\"\\", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ck_assert_msg(
		    json_depth_ok(bytes_of_str(cases[i].text), cases[i].depth), "row %zu", i);
		if (cases[i].depth > 0)
			ck_assert_msg(
			    !json_depth_ok(bytes_of_str(cases[i].text), cases[i].depth - 1),
			    "row %zu", i);
	}
}
END_TEST

START_TEST(sixteen_levels_are_read_and_written_seventeen_are_not)
{
	char text[64] = "";
	struct json *root;
	struct buf buf = BUF_INIT;

	memset(text, '[', 16);
	memset(text + 16, ']', 16);
	root = parsed(text);
	json_append_value(&buf, root);
	ck_assert_str_eq(buf_str(&buf), text);
	buf_finish(&buf);
	json_free(root);
	memset(text, '[', 17);
	memset(text + 17, ']', 17);
	ck_assert_int_eq(parse_status(bytes_of_str(text)), STATUS_INVALID);
}
END_TEST

START_TEST(what_is_not_strict_json_is_refused)
{
	static const char *const cases[] = { "", " ", "[1,]", "{\"a\":1,}", "{a:1}", "'a'", "[1] x",
		"[1][2]", "01", "+1", "NaN", "Infinity", "{\"a\":1,\"a\":2}", "\"\\u0000\"",
		"{\"\\u0000\":1}", "\"\\ud800\"", "\"\n\"", "\"\xff\"", "\"\xc0\x80\"",
		"\"\xed\xa0\x80\"", "tru", "\"a", "[", "1e400", "99999999999999999999", "// c\n1",
		"\xef\xbb\xbf{}" };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_msg(parse_status(bytes_of_str(cases[i])) == STATUS_INVALID,
		    "%s was taken", cases[i]);
	ck_assert_int_eq(parse_status(bytes_of("\"a\0b\"", 5)), STATUS_INVALID);
	ck_assert_int_eq(parse_status(bytes_of("[1\0]", 4)), STATUS_INVALID);
	ck_assert_int_eq(parse_status(bytes_of("[null\0]", 7)), STATUS_INVALID);
	ck_assert_int_eq(parse_status((struct bytes){ 0 }), STATUS_INVALID);
}
END_TEST

START_TEST(a_text_above_the_limit_is_too_large)
{
	char *text = xmalloc(JSON_TEXT_MAX + 1);

	memset(text, ' ', JSON_TEXT_MAX + 1);
	text[0] = '1';
	ck_assert_int_eq(parse_status(bytes_of(text, JSON_TEXT_MAX)), STATUS_OK);
	ck_assert_int_eq(parse_status(bytes_of(text, JSON_TEXT_MAX + 1)), STATUS_TOO_LARGE);
	free(text);
}
END_TEST

START_TEST(a_caller_may_set_another_limit)
{
	char *text = xmalloc(2 * JSON_TEXT_MAX);
	struct json *root = NULL;
	struct err err = ERR_INIT;

	memset(text, ' ', 2 * JSON_TEXT_MAX);
	text[0] = '1';
	ck_assert_ok(
	    json_parse_max(bytes_of(text, 2 * JSON_TEXT_MAX), 2 * JSON_TEXT_MAX, &root, &err), err);
	json_free(root);
	ck_assert_int_eq(json_parse_max(bytes_of(text, 3), 2, &root, NULL), STATUS_TOO_LARGE);
	free(text);
}
END_TEST

START_TEST(an_error_does_not_quote_the_input)
{
	struct json *root;
	struct err err = ERR_INIT;

	ck_assert_int_eq(
	    json_parse(BYTES_LITERAL("{\"token\":\"secret\" x"), &root, &err), STATUS_INVALID);
	ck_assert_ptr_null(strstr(err.msg, "secret"));
	ck_assert_ptr_nonnull(strstr(err.msg, "JSON"));
}
END_TEST

START_TEST(values_are_reached_by_key_and_index)
{
	struct json *root =
	    parsed("{\"a\":[\"x\",7,null],\"b\":{\"c\":true},\"d\":1.5,\"e\":\"\"}");
	const struct json *a = json_get(root, "a");
	int64_t n = 0;

	ck_assert(json_is_object(root) && !json_is_array(root) && !json_is_string(root));
	ck_assert(json_is_array(a));
	ck_assert_uint_eq(json_array_len(a), 3);
	ck_assert(json_is_string(json_at(a, 0)));
	ck_assert(bytes_equal_str(json_text(json_at(a, 0)), "x"));
	ck_assert(json_int(json_at(a, 1), &n) && n == 7);
	ck_assert_ptr_nonnull(json_at(a, 2));
	ck_assert_ptr_null(json_at(a, 3));
	ck_assert(json_is_object(json_get(root, "b")));
	ck_assert_ptr_null(json_get(root, "z"));
	ck_assert_ptr_null(json_get(a, "x"));
	ck_assert_ptr_null(json_at(root, 0));
	ck_assert_uint_eq(json_array_len(root), 0);
	ck_assert(!json_int(json_get(root, "d"), &n));
	ck_assert(!json_int(json_get(root, "e"), &n));
	ck_assert_uint_eq(json_text(json_get(root, "d")).len, 0);
	ck_assert_uint_eq(json_text(json_get(root, "e")).len, 0);
	json_free(root);
}
END_TEST

START_TEST(nothing_is_no_value_of_any_kind)
{
	int64_t n;

	ck_assert(!json_is_array(NULL) && !json_is_object(NULL) && !json_is_string(NULL));
	ck_assert_uint_eq(json_array_len(NULL), 0);
	ck_assert_ptr_null(json_at(NULL, 0));
	ck_assert_ptr_null(json_get(NULL, "a"));
	ck_assert_uint_eq(json_text(NULL).len, 0);
	ck_assert(!json_int(NULL, &n));
	json_free(NULL);
}
END_TEST

START_TEST(values_are_written_compactly_and_in_order)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ " { \"z\" : 1 , \"a\" : [ true , false , null ] } ",
		    "{\"z\":1,\"a\":[true,false,null]}" },
		{ "{}", "{}" },
		{ "[]", "[]" },
		{ "\"\\u00e4\\/\\n\"", "\"\xc3\xa4/\\n\"" },
		{ "-9223372036854775808", "-9223372036854775808" },
		{ "9223372036854775807", "9223372036854775807" },
		{ "0.1", "0.1" },
		{ "-1.0", "-1.0" },
		{ "1e300", "1e+300" },
		{ "0.30000000000000004", "0.30000000000000004" },
		{ "{\"a\\\"b\":\"\\ud83d\\ude00\"}", "{\"a\\\"b\":\"\xf0\x9f\x98\x80\"}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct json *root = parsed(cases[i].in);
		struct buf buf = BUF_INIT;

		json_append_value(&buf, root);
		ck_assert_str_eq(buf_str(&buf), cases[i].out);
		buf_finish(&buf);
		json_free(root);
	}
}
END_TEST

START_TEST(strings_are_escaped_where_json_or_javascript_needs_it)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "\"\"" },
		{ "plain", "\"plain\"" },
		{ "\"\\/", "\"\\\"\\\\/\"" },
		{ "\b\t\n\f\r", "\"\\b\\t\\n\\f\\r\"" },
		{ "\x01\x1e\x1f", "\"\\u0001\\u001e\\u001f\"" },
		{ "\x7f", "\"\x7f\"" },
		{ "<b>&'", "\"<b>&'\"" },
		{ "a\xe2\x80\xa8"
		  "b\xe2\x80\xa9",
		    "\"a\\u2028b\\u2029\"" },
		{ "\xe2\x80\xa7\xe2\x80\xaa\xe2\x82\xac",
		    "\"\xe2\x80\xa7\xe2\x80\xaa\xe2\x82\xac\"" },
		{ "\xc3\xa4\xf0\x9f\x98\x80", "\"\xc3\xa4\xf0\x9f\x98\x80\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf buf = BUF_INIT;

		json_append_string(&buf, bytes_of_str(cases[i].in));
		ck_assert_str_eq(buf_str(&buf), cases[i].out);
		buf_finish(&buf);
	}
}
END_TEST

START_TEST(every_ascii_character_comes_back_through_the_parser)
{
	for (char c = 1; c < 127; c++) {
		char text[] = { 'a', c, 'z', '\0' };
		struct buf buf = BUF_INIT;
		struct json *root;

		json_append_string(&buf, bytes_of_str(text));
		root = parsed(buf_str(&buf));
		ck_assert(bytes_equal_str(json_text(root), text));
		json_free(root);
		buf_finish(&buf);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json");
	TCase *tcase = tcase_create("json");

	tcase_add_test(tcase, depth_is_counted_outside_of_strings);
	tcase_add_test(tcase, sixteen_levels_are_read_and_written_seventeen_are_not);
	tcase_add_test(tcase, what_is_not_strict_json_is_refused);
	tcase_add_test(tcase, a_text_above_the_limit_is_too_large);
	tcase_add_test(tcase, a_caller_may_set_another_limit);
	tcase_add_test(tcase, an_error_does_not_quote_the_input);
	tcase_add_test(tcase, values_are_reached_by_key_and_index);
	tcase_add_test(tcase, nothing_is_no_value_of_any_kind);
	tcase_add_test(tcase, values_are_written_compactly_and_in_order);
	tcase_add_test(tcase, strings_are_escaped_where_json_or_javascript_needs_it);
	tcase_add_test(tcase, every_ascii_character_comes_back_through_the_parser);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
