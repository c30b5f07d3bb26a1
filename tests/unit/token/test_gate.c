/* What a token must be before anything is believed of it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attrs.h"
#include "base/buf.h"
#include "base/id.h"
#include "forge.h"
#include "support/support.h"
#include "token/gate.h"

#define HEADER "{\"alg\":\"HS256\",\"kid\":\"k1\"}"
#define PAYLOAD "{\"sub\":\"alice\"}"

static const struct base64_row {
	const char *text, *bytes; /* NULL: refused */
} base64_rows[] = {
	{ "", "" },
	{ "YQ", "a" },
	{ "YWI", "ab" },
	{ "YWJj", "abc" },
	{ "YWJjZA", "abcd" },
	{ "-_-_", "\xfb\xff\xbf" },
	{ "Y", NULL },
	{ "YWJjZ", NULL },
	{ "YQ==", NULL },
	{ "YQ=", NULL },
	{ "YWI=", NULL },
	{ "YR", NULL },  /* its last four bits are not zero: another text for "a" */
	{ "YWJ", NULL }, /* the same with two bits */
	{ "+/+/", NULL },
	{ "YQ ", NULL },
	{ " YQ", NULL },
	{ "Y\nQ", NULL },
	{ "Y\xc3\xa9", NULL },
};

START_TEST(base64url_has_one_text_for_any_bytes)
{
	const struct base64_row *row = &base64_rows[_i];
	uint8_t data[16];
	size_t len;

	ck_assert_int_eq(gate_base64url(bytes_of_str(row->text), data, &len), row->bytes != NULL);
	if (row->bytes)
		ck_assert(bytes_equal_str(bytes_of(data, len), row->bytes));
}
END_TEST

START_TEST(base64url_reads_what_another_encoder_wrote)
{
	uint8_t data[100], back[102];

	for (size_t len = 0; len <= sizeof(data); len++) {
		char *text;
		size_t back_len;

		random_bytes(data, len);
		text = forge_base64url(data, len);
		ck_assert(gate_base64url(bytes_of_str(text), back, &back_len));
		ck_assert(bytes_equal(bytes_of(back, back_len), bytes_of(data, len)));
		free(text);
	}
}
END_TEST

static char *nested(const char *open, const char *close, int depth)
{
	struct buf buf = BUF_INIT;

	for (int i = 0; i < depth; i++)
		buf_append_str(&buf, open);
	for (int i = 0; i < depth; i++)
		buf_append_str(&buf, close);
	(void)buf_str(&buf);
	return (char *)buf_take(&buf, NULL);
}

static const struct depth_row {
	const char *open, *close;
	int depth;
	bool ok;
} depth_rows[] = {
	{ "[", "]", 16, true },
	{ "[", "]", 17, false },
	{ "{\"a\":", "}", 16, true },
	{ "{\"a\":", "}", 17, false },
	{ "[", "", 2000, false },
	{ "{", "", 2000, false },
	{ "[", "]", 2000, false },
	{ "\"[[[[[[[[[[[[[[[[[[[[[[[[[\"", "", 1, true },
	{ "\"\\\"[[[[[[[[[[[[[[[[[[[[[[[\"", "", 1, true },
	{ "\"\\\\\"[[[[[[[[[[[[[[[[[[[[[[[", "", 1, false },
	{ "[],", "", 100, true },
	{ "]", "", 1, false },
	{ "[]]", "", 1, false },
	{ "\"", "", 1, true },
	{ "\"\\", "", 1, true },
	{ "", "", 1, true },
};

START_TEST(nesting_is_counted_outside_of_strings)
{
	const struct depth_row *row = &depth_rows[_i];
	char *json = nested(row->open, row->close, row->depth);

	ck_assert_int_eq(gate_depth_ok(bytes_of_str(json)), row->ok);
	free(json);
}
END_TEST

static const struct part_row {
	const char *header, *payload;
	bool ok;
} part_rows[] = {
	{ HEADER, PAYLOAD, true },
	{ "{\"alg\":\"none\"}", PAYLOAD, true }, /* its key and algorithm are judged later */
	{ HEADER, "{}", true },
	{ " " HEADER "\n", PAYLOAD, true },
	{ "{\"kid\":\"k1\"}", PAYLOAD, false },
	{ "{\"alg\":1,\"kid\":\"k1\"}", PAYLOAD, false },
	{ "{\"alg\":null}", PAYLOAD, false },
	{ "{\"alg\":\"HS256\",\"kid\":1}", PAYLOAD, false },
	{ "{\"alg\":\"HS256\",\"kid\":[\"k1\"]}", PAYLOAD, false },
	{ "{\"alg\":\"HS256\",\"typ\":1}", PAYLOAD, false },
	{ "{\"alg\":\"HS256\",\"typ\":\"\"}", PAYLOAD, false },
	{ "{\"alg\":\"HS256\",\"kid\":\"k1\",\"crit\":[\"b64\"],\"b64\":false}", PAYLOAD, false },
	{ "{\"alg\":\"HS256\",\"alg\":\"none\",\"kid\":\"k1\"}", PAYLOAD, false },
	{ "{\"alg\":\"HS256\",\"kid\":\"k1\",\"kid\":\"k2\"}", PAYLOAD, false },
	{ "{\"alg\":\"HS256\",\"kid\":\"k\\u0000\"}", PAYLOAD, false },
	{ HEADER, "{\"sub\":\"a\",\"sub\":\"b\"}", false },
	{ HEADER, "{\"a\":{\"b\":1,\"b\":2}}", false },
	{ "[]", PAYLOAD, false },
	{ "\"x\"", PAYLOAD, false },
	{ "null", PAYLOAD, false },
	{ "{", PAYLOAD, false },
	{ HEADER "x", PAYLOAD, false },
	{ HEADER, "[1]", false },
	{ HEADER, "{\"a\":1,}", false },
	{ HEADER, "{\"a\":\"\xff\"}", false },
	{ HEADER, "{\"exp\":99999999999999999999}", false },
	{ HEADER, "{\"exp\":1e999}", false },
};

START_TEST(parts_are_objects_of_known_shape)
{
	const struct part_row *row = &part_rows[_i];
	char *token = forge_token(row->header, row->payload, "sig", 3);
	struct gate_token open;
	enum token_verdict verdict = gate_open(bytes_of_str(token), &open);

	ck_assert_int_eq(verdict, row->ok ? TOKEN_OK : TOKEN_MALFORMED);
	if (row->ok) {
		ck_assert_uint_eq(open.signature_len, 3);
		ck_assert_int_eq(open.signing_input.data[open.signing_input.len], '.');
		gate_finish(&open);
	}
	free(token);
}
END_TEST

/* %h and %p stand for a good header and payload. */
static const struct text_row {
	const char *pattern;
	enum token_verdict verdict;
} text_rows[] = {
	{ "", TOKEN_MISSING },
	{ "%h.%p.c2ln", TOKEN_OK },
	{ "%h.%p.", TOKEN_OK },
	{ "%h.%p", TOKEN_MALFORMED },
	{ "%h", TOKEN_MALFORMED },
	{ ".", TOKEN_MALFORMED },
	{ "..", TOKEN_MALFORMED },
	{ "...", TOKEN_MALFORMED },
	{ ".%p.c2ln", TOKEN_MALFORMED },
	{ "%h..c2ln", TOKEN_MALFORMED },
	{ "%h.%p.c2ln.", TOKEN_MALFORMED },
	{ "%h.%p.c2ln.c2ln", TOKEN_MALFORMED },
	{ "%h.%p.c2ln.c2ln.c2ln", TOKEN_MALFORMED },
	{ "%h=.%p.c2ln", TOKEN_MALFORMED },
	{ "%h.%p=.c2ln", TOKEN_MALFORMED },
	{ "%h.%p.c2ln=", TOKEN_MALFORMED },
	{ "%h.%p.c2l", TOKEN_MALFORMED },
	{ "%h.%p.c2l+", TOKEN_MALFORMED },
	{ " %h.%p.c2ln", TOKEN_MALFORMED },
	{ "%h.%p.c2ln ", TOKEN_MALFORMED },
	{ "%h.%p.c2ln\n", TOKEN_MALFORMED },
	{ "Bearer %h.%p.c2ln", TOKEN_MALFORMED },
	{ "eyJ", TOKEN_MALFORMED },
	{ "not a token", TOKEN_MALFORMED },
};

static char *expand(const char *pattern)
{
	struct buf buf = BUF_INIT;
	char *header = forge_base64url(HEADER, strlen(HEADER));
	char *payload = forge_base64url(PAYLOAD, strlen(PAYLOAD));

	for (; *pattern; pattern++) {
		if (*pattern == '%')
			buf_append_str(&buf, *++pattern == 'h' ? header : payload);
		else
			buf_append_char(&buf, *pattern);
	}
	(void)buf_str(&buf);
	free(header);
	free(payload);
	return (char *)buf_take(&buf, NULL);
}

START_TEST(token_is_three_parts_and_nothing_else)
{
	const struct text_row *row = &text_rows[_i];
	char *token = expand(row->pattern);
	struct gate_token open;
	enum token_verdict verdict = gate_open(bytes_of_str(token), &open);

	ck_assert_msg(verdict == row->verdict, "%s: %s", row->pattern, token_verdict_code(verdict));
	if (!verdict)
		gate_finish(&open);
	free(token);
}
END_TEST

START_TEST(token_of_4096_bytes_is_read_and_of_4097_is_not)
{
	for (size_t size = TOKEN_MAX; size <= TOKEN_MAX + 1; size++) {
		char *input = expand("%h.%p.");
		char *token = malloc(size + 2);
		struct gate_token open;
		enum token_verdict verdict;

		/* Zero bits at the end, whatever its length; a length that leaves one character is
		 * avoided. */
		memset(token, 'A', size + 1);
		token[size + 1] = '\0';
		memcpy(token, input, strlen(input));
		ck_assert_uint_ne((TOKEN_MAX - strlen(input)) % 4, 1);
		verdict = gate_open(bytes_of(token, size), &open);
		ck_assert_int_eq(verdict, size == TOKEN_MAX ? TOKEN_OK : TOKEN_MALFORMED);
		if (!verdict)
			gate_finish(&open);
		free(token);
		free(input);
	}
}
END_TEST

START_TEST(part_with_a_nul_is_no_json)
{
	static const char *const texts[] = { "{\"a\":1@}", "{\"a\":true@}", "{\"a\":[null@]}",
		"{}@", "@{}", "{\"a@\":1}" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		size_t len = strlen(texts[i]);
		char text[32];

		(void)memcpy(text, texts[i], len + 1);
		text[strcspn(text, "@")] = '\0';
		ck_assert_msg(!gate_parse(bytes_of(text, len)), "%s", texts[i]);
	}
}
END_TEST

START_TEST(deeply_nested_parts_are_refused_before_any_parser)
{
	char *arrays = nested("[", "]", 700), *objects = nested("{\"a\":", "}", 300);
	struct gate_token open;
	const char *const bombs[] = { arrays, objects };

	for (size_t i = 0; i < ARRAY_LEN(bombs); i++) {
		char *in_header = forge_token(bombs[i], PAYLOAD, "sig", 3);
		char *in_payload = forge_token(HEADER, bombs[i], "sig", 3);

		ck_assert_uint_lt(strlen(in_payload), TOKEN_MAX);
		ck_assert_int_eq(gate_open(bytes_of_str(in_header), &open), TOKEN_MALFORMED);
		ck_assert_int_eq(gate_open(bytes_of_str(in_payload), &open), TOKEN_MALFORMED);
		free(in_header);
		free(in_payload);
	}
	free(arrays);
	free(objects);
}
END_TEST

START_TEST(random_damage_is_survived)
{
	char *good = expand("%h.%p.c2ln");
	size_t len = strlen(good);

	for (int i = 0; i < 20000; i++) {
		char *bad = strdup(good);
		struct gate_token open;

		for (uint64_t n = 1 + random_below(3); n > 0; n--)
			bad[random_below(len)] = (char)random_below(256);
		if (gate_open(bytes_of(bad, random_below(len + 1)), &open) == TOKEN_OK)
			gate_finish(&open);
		free(bad);
	}
	free(good);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gate");
	TCase *tcase = tcase_create("gate");

	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(
	    tcase, base64url_has_one_text_for_any_bytes, 0, (int)ARRAY_LEN(base64_rows));
	tcase_add_test(tcase, base64url_reads_what_another_encoder_wrote);
	tcase_add_loop_test(
	    tcase, nesting_is_counted_outside_of_strings, 0, (int)ARRAY_LEN(depth_rows));
	tcase_add_loop_test(tcase, parts_are_objects_of_known_shape, 0, (int)ARRAY_LEN(part_rows));
	tcase_add_loop_test(
	    tcase, token_is_three_parts_and_nothing_else, 0, (int)ARRAY_LEN(text_rows));
	tcase_add_test(tcase, token_of_4096_bytes_is_read_and_of_4097_is_not);
	tcase_add_test(tcase, part_with_a_nul_is_no_json);
	tcase_add_test(tcase, deeply_nested_parts_are_refused_before_any_parser);
	tcase_add_test(tcase, random_damage_is_survived);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
