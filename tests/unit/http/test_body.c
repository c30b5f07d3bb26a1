/* Bodies, with a length or in chunks, in whatever pieces they come. */
#include "http/body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attrs.h"
#include "base/xalloc.h"
#include "test_http.h"

#define CHUNKED "Host: a|Transfer-Encoding: chunked"
#define LENGTH(n) "Host: a|Content-Length: " #n
#define TEN "0123456789"

enum { MAX = 20 };

static const struct {
	const char *lines, *input;
	enum http_body_state state;
	const char *data; /* of a body that is done or lacks something */
	size_t surplus;
} bodies[] = {
	/* none */
	{ "Host: a", "", HTTP_BODY_DONE, "", 0 },
	{ "Host: a", "abc", HTTP_BODY_DONE, "", 3 },
	{ LENGTH(0), "", HTTP_BODY_DONE, "", 0 },
	{ LENGTH(000), "a", HTTP_BODY_DONE, "", 1 },
	/* a length */
	{ LENGTH(5), "", HTTP_BODY_MORE, "", 0 },
	{ LENGTH(5), "abcd", HTTP_BODY_MORE, "abcd", 0 },
	{ LENGTH(5), "abcde", HTTP_BODY_DONE, "abcde", 0 },
	{ LENGTH(5), "abcdefgh", HTTP_BODY_DONE, "abcde", 3 },
	{ LENGTH(0005), "ab\r\n\n", HTTP_BODY_DONE, "ab\r\n\n", 0 },
	{ LENGTH(20), TEN TEN, HTTP_BODY_DONE, TEN TEN, 0 },
	{ LENGTH(21), "", HTTP_BODY_TOO_LARGE, NULL, 0 },
	{ LENGTH(21), "a", HTTP_BODY_TOO_LARGE, NULL, 0 },
	{ LENGTH(999999999999999), "", HTTP_BODY_TOO_LARGE, NULL, 0 },
	/* chunks */
	{ CHUNKED, "", HTTP_BODY_MORE, "", 0 },
	{ CHUNKED, "0\r\n\r\n", HTTP_BODY_DONE, "", 0 },
	{ CHUNKED, "00000000\r\n\r\n", HTTP_BODY_DONE, "", 0 },
	{ CHUNKED, "5\r\nabcde\r\n0\r\n\r\n", HTTP_BODY_DONE, "abcde", 0 },
	{ CHUNKED, "00000005\r\nabcde\r\n0\r\n\r\n", HTTP_BODY_DONE, "abcde", 0 },
	{ CHUNKED, "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n", HTTP_BODY_DONE, "abcde", 0 },
	{ CHUNKED, "A\r\n" TEN "\r\na\r\n" TEN "\r\n0\r\n\r\n", HTTP_BODY_DONE, TEN TEN, 0 },
	{ CHUNKED, "4\r\n\r\n\r\n\r\n0\r\n\r\n", HTTP_BODY_DONE, "\r\n\r\n", 0 },
	{ CHUNKED, "5\r\nabcde\r\n0\r\n\r\nGET /", HTTP_BODY_DONE, "abcde", 5 },
	{ CHUNKED, "5\r\nabc", HTTP_BODY_MORE, "abc", 0 },
	{ CHUNKED, "5\r\nabcde\r\n0\r\n\r", HTTP_BODY_MORE, "abcde", 0 },
	{ CHUNKED, "5\r\nabcde\r\n0\r\n", HTTP_BODY_MORE, "abcde", 0 },
	/* a chunk's size */
	{ CHUNKED, "000000005\r\n", HTTP_BODY_MALFORMED, NULL, 0 },
	{ CHUNKED, "\r\n", HTTP_BODY_MALFORMED, NULL, 0 },
	{ CHUNKED, ";x\r\n", HTTP_BODY_MALFORMED, NULL, 0 },
	{ CHUNKED, " 5\r\n", HTTP_BODY_MALFORMED, NULL, 0 },
	{ CHUNKED, "5 \r\n", HTTP_BODY_MALFORMED, NULL, 0 },
	{ CHUNKED, "+5\r\n", HTTP_BODY_MALFORMED, NULL, 0 },
	{ CHUNKED, "-5\r\n", HTTP_BODY_MALFORMED, NULL, 0 },
	{ CHUNKED, "0x5\r\n", HTTP_BODY_MALFORMED, NULL, 0 },
	{ CHUNKED, "5g\r\n", HTTP_BODY_MALFORMED, NULL, 0 },
	{ CHUNKED, "5\n", HTTP_BODY_MALFORMED, NULL, 0 },
	{ CHUNKED, "5\r\r", HTTP_BODY_MALFORMED, NULL, 0 },
	{ CHUNKED, "5\rabcde", HTTP_BODY_MALFORMED, NULL, 0 },
	/* its end */
	{ CHUNKED, "5\r\nabcde0\r\n\r\n", HTTP_BODY_MALFORMED, NULL, 0 },
	{ CHUNKED, "5\r\nabcde\n0\r\n\r\n", HTTP_BODY_MALFORMED, NULL, 0 },
	{ CHUNKED, "5\r\nabcde\r0\r\n\r\n", HTTP_BODY_MALFORMED, NULL, 0 },
	{ CHUNKED, "5\r\nabcdef\r\n0\r\n\r\n", HTTP_BODY_MALFORMED, NULL, 0 },
	{ CHUNKED, "5\r\nabcd\r\n0\r\n\r\n", HTTP_BODY_MALFORMED, NULL, 0 },
	{ CHUNKED, "5\r\nabcde\r\n\r\n", HTTP_BODY_MALFORMED, NULL, 0 },
	/* its extension */
	{ CHUNKED, "5;\r\nabcde\r\n0;a=\"b;c\"\r\n\r\n", HTTP_BODY_DONE, "abcde", 0 },
	{ CHUNKED, "5;a\n\r\n", HTTP_BODY_MALFORMED, NULL, 0 },
	{ CHUNKED, "5;a\rb\r\n", HTTP_BODY_MALFORMED, NULL, 0 },
	{ CHUNKED, "5;a\x01\r\n", HTTP_BODY_MALFORMED, NULL, 0 },
	/* trailers */
	{ CHUNKED, "0\r\nA: b\r\n\r\n", HTTP_BODY_DONE, "", 0 },
	{ CHUNKED, "1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\nxy", HTTP_BODY_DONE, "x", 2 },
	{ CHUNKED, "0\r\nA: b\r\n", HTTP_BODY_MORE, "", 0 },
	{ CHUNKED, "0\r\nA: b\n\r\n", HTTP_BODY_MALFORMED, NULL, 0 },
	{ CHUNKED, "0\r\nA: b\rc\r\n\r\n", HTTP_BODY_MALFORMED, NULL, 0 },
	{ CHUNKED, "0\r\n\n", HTTP_BODY_MALFORMED, NULL, 0 },
	{ CHUNKED, "0\r\n\r\r", HTTP_BODY_MALFORMED, NULL, 0 },
	{ CHUNKED, "0\n\n", HTTP_BODY_MALFORMED, NULL, 0 },
	/* too large */
	{ CHUNKED, "14\r\n" TEN TEN "\r\n0\r\n\r\n", HTTP_BODY_DONE, TEN TEN, 0 },
	{ CHUNKED, "15\r", HTTP_BODY_TOO_LARGE, NULL, 0 },
	{ CHUNKED, "15;", HTTP_BODY_TOO_LARGE, NULL, 0 },
	{ CHUNKED, "ffffffff\r", HTTP_BODY_TOO_LARGE, NULL, 0 },
	{ CHUNKED, "A\r\n" TEN "\r\nB\r", HTTP_BODY_TOO_LARGE, NULL, 0 },
	{ CHUNKED, "14\r\n" TEN TEN "\r\n1\r", HTTP_BODY_TOO_LARGE, NULL, 0 },
};

static void expect_body(struct http_body *body, int row, const char *how)
{
	enum http_body_state state = http_body_feed(body, bytes_of(NULL, 0));

	ck_assert_msg(state == bodies[row].state, "%s, %s: %d", bodies[row].input, how, (int)state);
	if (bodies[row].data)
		ck_assert_msg(bytes_equal_str(buf_bytes(&body->data), bodies[row].data),
		    "%s, %s: %s", bodies[row].input, how, buf_str(&body->data));
	ck_assert_uint_eq(body->surplus, bodies[row].surplus);
	http_body_finish(body);
}

START_TEST(body_in_one_piece_is_as_the_table_says)
{
	struct http_head head = head_of(bodies[_i].lines);
	struct http_body body;

	body_init(&body, &head, MAX);
	(void)http_body_feed(&body, bytes_of_str(bodies[_i].input));
	expect_body(&body, _i, "in one piece");
}
END_TEST

START_TEST(body_byte_by_byte_is_the_same)
{
	struct http_head head = head_of(bodies[_i].lines);
	struct http_body body;

	body_init(&body, &head, MAX);
	for (const char *at = bodies[_i].input; *at; at++)
		(void)http_body_feed(&body, bytes_of(at, 1));
	expect_body(&body, _i, "byte by byte");
}
END_TEST

START_TEST(body_in_two_pieces_is_the_same)
{
	size_t len = strlen(bodies[_i].input);

	for (size_t first = 1; first < len; first++) {
		struct http_head head = head_of(bodies[_i].lines);
		struct http_body body;

		body_init(&body, &head, MAX);
		(void)http_body_feed(&body, bytes_of(bodies[_i].input, first));
		(void)http_body_feed(&body, bytes_of(bodies[_i].input + first, len - first));
		expect_body(&body, _i, "in two pieces");
	}
}
END_TEST

static enum http_body_state feed_repeated(
    struct http_body *body, const char *before, char c, size_t count, const char *after)
{
	(void)http_body_feed(body, bytes_of_str(before));
	for (size_t i = 0; i < count; i++)
		(void)http_body_feed(body, bytes_of(&c, 1));
	return http_body_feed(body, bytes_of_str(after));
}

static const struct {
	const char *before;
	char c;
	size_t count;
	const char *after;
	enum http_body_state state;
} bounds[] = {
	{ "1;", 'x', 256, "\r\na\r\n0\r\n\r\n", HTTP_BODY_DONE },
	{ "1;", 'x', 257, "", HTTP_BODY_MALFORMED },
	{ "0\r\n", 'x', 8190, "\r\n\r\n", HTTP_BODY_DONE },
	{ "0\r\n", 'x', 8191, "\r\n\r\n", HTTP_BODY_DONE },
	{ "0\r\n", 'x', 8193, "", HTTP_BODY_MALFORMED },
	{ "0\r\nA: b\r\n", 'x', 8193, "", HTTP_BODY_MALFORMED },
};

START_TEST(what_is_skipped_is_bounded)
{
	struct http_head head = head_of(CHUNKED);
	struct http_body body;

	body_init(&body, &head, MAX);
	ck_assert_int_eq(feed_repeated(&body, bounds[_i].before, bounds[_i].c, bounds[_i].count,
			     bounds[_i].after),
	    bounds[_i].state);
	http_body_finish(&body);
}
END_TEST

START_TEST(announced_bytes_take_no_memory)
{
	static const struct {
		const char *lines, *input;
	} announced[] = {
		{ LENGTH(999999999999999), "x" },
		{ CHUNKED, "ffffffff\r\nx" },
	};

	for (size_t i = 0; i < ARRAY_LEN(announced); i++) {
		struct http_head head = head_of(announced[i].lines);
		struct http_body body;

		body_init(&body, &head, SIZE_MAX);
		ck_assert_int_eq(
		    http_body_feed(&body, bytes_of_str(announced[i].input)), HTTP_BODY_MORE);
		ck_assert_uint_eq(body.data.len, 1);
		ck_assert_uint_le(body.data.cap, 64);
		http_body_finish(&body);
	}
}
END_TEST

START_TEST(many_chunks_make_one_body)
{
	enum { CHUNKS = 2000 };
	struct http_head head = head_of(CHUNKED);
	struct buf expected = BUF_INIT;
	struct http_body body;

	body_init(&body, &head, 10 * CHUNKS);
	for (int i = 0; i < CHUNKS; i++) {
		char text[16], chunk[32];
		int len = snprintf(text, sizeof(text), "<%d>", i);
		int chunk_len = snprintf(chunk, sizeof(chunk), "%x\r\n%s\r\n", len, text);

		buf_append(&expected, text, (size_t)len);
		ck_assert_int_eq(
		    http_body_feed(&body, bytes_of(chunk, (size_t)chunk_len)), HTTP_BODY_MORE);
	}
	ck_assert_int_eq(http_body_feed(&body, BYTES_LITERAL("0\r\n\r\n")), HTTP_BODY_DONE);
	ck_assert(bytes_equal(buf_bytes(&body.data), buf_bytes(&expected)));
	buf_finish(&expected);
	http_body_finish(&body);
}
END_TEST

START_TEST(any_byte_may_be_data)
{
	struct http_head head = head_of(LENGTH(256));
	struct http_body body;
	uint8_t all[256];

	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)i;
	body_init(&body, &head, 256);
	ck_assert_int_eq(http_body_feed(&body, bytes_of(all, sizeof(all))), HTTP_BODY_DONE);
	ck_assert(bytes_equal(buf_bytes(&body.data), bytes_of(all, sizeof(all))));
	http_body_finish(&body);
}
END_TEST

static const struct {
	const char *lines, *version;
	bool wanted;
} expectations[] = {
	{ LENGTH(5) "|Expect: 100-continue", "1.1", true },
	{ CHUNKED "|expect: 100-Continue", "1.1", true },
	{ LENGTH(5), "1.1", false },
	{ LENGTH(5) "|Expect: 100-continue", "1.0", false },
	{ LENGTH(5) "|Expect: 200-ok", "1.1", false },
	{ LENGTH(0) "|Expect: 100-continue", "1.1", false },
	{ LENGTH(21) "|Expect: 100-continue", "1.1", false }, /* it hears 413 instead */
	{ "Host: a|Expect: 100-continue", "1.1", false },
};

START_TEST(continue_is_wanted_as_the_table_says)
{
	struct http_head head = head_of(expectations[_i].lines);
	struct http_body body;

	head.version = expectations[_i].version;
	body_init(&body, &head, MAX);
	ck_assert_int_eq(http_body_wants_continue(&body), expectations[_i].wanted);
	(void)http_body_feed(&body, bytes_of(NULL, 0));
	ck_assert_int_eq(http_body_wants_continue(&body), expectations[_i].wanted);
	(void)http_body_feed(&body, BYTES_LITERAL("1")); /* it did not wait */
	ck_assert(!http_body_wants_continue(&body));
	http_body_finish(&body);
}
END_TEST

TCase *body_case(void)
{
	TCase *tcase = tcase_create("body");

	tcase_add_loop_test(
	    tcase, body_in_one_piece_is_as_the_table_says, 0, (int)ARRAY_LEN(bodies));
	tcase_add_loop_test(tcase, body_byte_by_byte_is_the_same, 0, (int)ARRAY_LEN(bodies));
	tcase_add_loop_test(tcase, body_in_two_pieces_is_the_same, 0, (int)ARRAY_LEN(bodies));
	tcase_add_loop_test(tcase, what_is_skipped_is_bounded, 0, (int)ARRAY_LEN(bounds));
	tcase_add_test(tcase, announced_bytes_take_no_memory);
	tcase_add_test(tcase, many_chunks_make_one_body);
	tcase_add_test(tcase, any_byte_may_be_data);
	tcase_add_loop_test(
	    tcase, continue_is_wanted_as_the_table_says, 0, (int)ARRAY_LEN(expectations));
	return tcase;
}
