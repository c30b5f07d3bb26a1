/* ws: strict frames, and the same answer however the bytes arrive. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/xalloc.h"
#include "codec/ws.h"
#include "support/support.h"

enum { FIN = 0x80, MAX_MESSAGE = 1000, MAX_FRAGMENTS = 4 };

/* One masked frame with the shortest length, as a good client sends it. */
static void add_frame(struct buf *wire, unsigned first, struct bytes payload)
{
	static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
	uint8_t header[WS_HEADER_MAX];
	/* The length's bytes are those of our own encoder; the first byte is the test's. */
	size_t len = ws_encode_header(WS_BINARY, payload.len, header);
	uint8_t *copy;

	header[0] = (uint8_t)first;
	header[1] |= 0x80;
	buf_append(wire, header, len);
	buf_append(wire, mask, sizeof(mask));
	copy = buf_reserve(wire, payload.len + 1);
	if (payload.len)
		memcpy(copy, payload.data, payload.len);
	ws_mask(copy, payload.len, mask, 0);
	wire->len += payload.len;
}

/* Feeds one piece from memory of exactly its size and logs what comes out; false after an error. */
static bool feed(struct ws_decoder *decoder, const uint8_t *data, size_t len, struct buf *log)
{
	uint8_t *copy = xmemdup(data, len);
	uint8_t *next = copy;
	enum ws_event event = WS_MORE;

	do {
		struct ws_frame frame;
		enum ws_close_code code;

		event = ws_decode(decoder, &next, &len, &frame, &code);
		if (event == WS_FRAME) {
			buf_appendf(log, "%d:", (int)frame.opcode);
			buf_append_bytes(log, frame.payload);
			buf_append_char(log, '|');
		} else if (event == WS_ERROR) {
			buf_appendf(log, "!%d", (int)code);
		}
	} while (event == WS_FRAME);
	ck_assert(event == WS_ERROR || len == 0);
	free(copy);
	return event == WS_MORE;
}

/* The log of `wire` cut before each of `cuts` (ascending). */
static void decode_cut(struct bytes wire, const size_t *cuts, size_t count, struct buf *log)
{
	struct ws_decoder decoder;
	size_t at = 0;
	bool ok = true;

	ws_decoder_init(&decoder, MAX_MESSAGE, MAX_FRAGMENTS);
	for (size_t i = 0; ok && i <= count; i++) {
		size_t end = i < count ? cuts[i] : wire.len;

		ok = feed(&decoder, wire.data + at, end - at, log);
		at = end;
	}
	if (ok && decoder.message_opcode == 0 && !decoder.in_payload) {
		ck_assert_ptr_null(decoder.message.data);
		ck_assert_ptr_null(decoder.control.data);
	}
	ws_decoder_finish(&decoder);
}

static void expect_cut(
    struct bytes wire, const size_t *cuts, size_t count, struct bytes expected, const char *name)
{
	struct buf log = BUF_INIT;

	decode_cut(wire, cuts, count, &log);
	if (!bytes_equal(buf_bytes(&log), expected))
		ck_abort_msg("%s, %zu cuts (first at %zu): got %s", name, count,
		    count ? cuts[0] : 0, buf_str(&log));
	buf_finish(&log);
}

/* Whole, cut anywhere in two, anywhere in three (if short), and byte by byte. */
static void expect_everywhere(struct bytes wire, struct bytes expected, const char *name)
{
	size_t *all = xcalloc(wire.len, sizeof(*all));

	expect_cut(wire, NULL, 0, expected, name);
	for (size_t a = 0; a <= wire.len; a++) {
		expect_cut(wire, &a, 1, expected, name);
		for (size_t b = a; wire.len < 60 && b <= wire.len; b++)
			expect_cut(wire, (size_t[]){ a, b }, 2, expected, name);
	}
	for (size_t i = 0; i < wire.len; i++)
		all[i] = i;
	expect_cut(wire, all, wire.len, expected, name);
	free(all);
}

struct frame {
	unsigned first;
	const char *payload;
	size_t len;
};

#define F(first, literal)                           \
	{                                           \
		first, literal, sizeof(literal) - 1 \
	}

static const struct {
	const char *name;
	struct frame frames[8];
	const char *log;
} vectors[] = {
	{ "a text", { F(FIN | 1, "hello") }, "1:hello|" },
	{ "an empty text", { F(FIN | 1, "") }, "1:|" },
	{ "an empty binary", { F(FIN | 2, "") }, "2:|" },
	{ "binary need not be UTF-8", { F(FIN | 2, "\xff\xfe") }, "2:\xff\xfe|" },
	{ "two messages", { F(FIN | 1, "a"), F(FIN | 2, "b") }, "1:a|2:b|" },
	{ "fragments", { F(1, "he"), F(0, "ll"), F(FIN | 0, "o") }, "1:hello|" },
	{ "empty fragments", { F(1, ""), F(0, ""), F(FIN | 0, "") }, "1:|" },
	{ "fragments, then a message", { F(2, "x"), F(FIN | 0, "y"), F(FIN | 1, "z") },
	    "2:xy|1:z|" },
	{ "control between fragments",
	    { F(1, "a"), F(FIN | 9, "p"), F(0, "b"), F(FIN | 10, ""), F(FIN | 0, "c") },
	    "9:p|10:|1:abc|" },
	{ "a close between fragments", { F(1, "a"), F(FIN | 8, "\x03\xe8") }, "8:\x03\xe8|" },
	{ "UTF-8 over fragments", { F(1, "\xf0\x9f"), F(0, "\x98"), F(FIN | 0, "\x80") },
	    "1:\xf0\x9f\x98\x80|" },
	{ "UTF-8 over fragments and a ping",
	    { F(1, "\xe2\x82"), F(FIN | 9, "\xff"), F(FIN | 0, "\xac") },
	    "9:\xff|1:\xe2\x82\xac|" },
	{ "ping and pong", { F(FIN | 9, ""), F(FIN | 10, "x") }, "9:|10:x|" },
	{ "an empty close", { F(FIN | 8, "") }, "8:|" },
	{ "a close with a reason",
	    { F(FIN | 8, "\x03\xe8"
			 "bye") },
	    "8:\x03\xe8"
	    "bye|" },

	{ "reserved bit 1", { F(FIN | 0x40 | 1, "a") }, "!1002" },
	{ "reserved bit 2", { F(FIN | 0x20 | 1, "a") }, "!1002" },
	{ "reserved bit 3", { F(FIN | 0x10 | 9, "a") }, "!1002" },
	{ "reserved data opcode", { F(FIN | 3, "a") }, "!1002" },
	{ "reserved data opcode 7", { F(FIN | 7, "a") }, "!1002" },
	{ "reserved control opcode", { F(FIN | 11, "") }, "!1002" },
	{ "reserved control opcode 15", { F(FIN | 15, "") }, "!1002" },
	{ "a fragmented ping", { F(9, "a") }, "!1002" },
	{ "a fragmented close", { F(8, "") }, "!1002" },
	{ "a continuation of nothing", { F(FIN | 0, "a") }, "!1002" },
	{ "an open continuation of nothing", { F(0, "a") }, "!1002" },
	{ "a continuation after the end", { F(FIN | 1, "a"), F(FIN | 0, "b") }, "1:a|!1002" },
	{ "a message inside a message", { F(1, "a"), F(FIN | 1, "b") }, "!1002" },
	{ "a binary inside a text", { F(1, "a"), F(2, "b") }, "!1002" },
	{ "a close of one byte", { F(FIN | 8, "\x03") }, "!1002" },
	{ "close code 0", { F(FIN | 8, "\0\0") }, "!1002" },
	{ "close code 1005", { F(FIN | 8, "\x03\xed") }, "!1002" },
	{ "close code 2999", { F(FIN | 8, "\x0b\xb7") }, "!1002" },
	{ "a reason that is no UTF-8", { F(FIN | 8, "\x03\xe8\xff") }, "!1007" },
	{ "a cut reason", { F(FIN | 8, "\x03\xe8\xe2\x82") }, "!1007" },

	{ "text that is no UTF-8",
	    { F(FIN | 1, "ab\xff"
			 "cd") },
	    "!1007" },
	{ "text that ends in a character", { F(FIN | 1, "ab\xe2\x82") }, "!1007" },
	{ "text that fails before its last fragment", { F(1, "\xed\xa0"), F(FIN | 0, "\x80") },
	    "!1007" },
	{ "text that ends in a character, in fragments", { F(1, "\xe2"), F(FIN | 0, "\x82") },
	    "!1007" },
	{ "a good message first", { F(FIN | 1, "ok"), F(FIN | 1, "\xc0") }, "1:ok|!1007" },

	{ "as many fragments as may be", { F(2, "a"), F(0, "b"), F(0, "c"), F(FIN | 0, "d") },
	    "2:abcd|" },
	{ "one fragment too many", { F(2, "a"), F(0, ""), F(0, ""), F(0, ""), F(FIN | 0, "") },
	    "!1009" },
	{ "the count starts anew",
	    { F(2, "a"), F(0, "b"), F(FIN | 0, "c"), F(2, "d"), F(0, "e"), F(0, "f"),
		F(FIN | 0, "g") },
	    "2:abc|2:defg|" },
};

/* Expected logs with NUL bytes would be cut by strlen; none above has one. */
START_TEST(vectors_give_the_same_log_however_they_are_cut)
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct buf wire = BUF_INIT;

		for (size_t f = 0; f < 8 && vectors[i].frames[f].payload; f++)
			add_frame(&wire, vectors[i].frames[f].first,
			    bytes_of(vectors[i].frames[f].payload, vectors[i].frames[f].len));
		expect_everywhere(buf_bytes(&wire), bytes_of_str(vectors[i].log), vectors[i].name);
		buf_finish(&wire);
	}
}
END_TEST

START_TEST(headers_are_judged_as_they_stand_on_the_wire)
{
	static const struct {
		const char *name;
		uint8_t wire[16];
		size_t len;
		const char *log;
	} cases[] = {
		{ "no mask", { 0x81, 0x01, 'a' }, 3, "!1002" },
		{ "no mask on a ping", { 0x89, 0x00 }, 2, "!1002" },
		{ "no mask, before a long length", { 0x81, 0x7f }, 2, "!1002" },
		{ "125 in 16 bits", { 0x81, 0xfe, 0, 125, 0, 0, 0, 0 }, 8, "!1002" },
		{ "65535 in 64 bits", { 0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0 }, 14,
		    "!1002" },
		{ "the top bit", { 0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 14,
		    "!1002" },
		{ "all bits", { 0x82, 0xff, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0 },
		    14, "!1002" },
		{ "2 GiB", { 0x82, 0xff, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0 }, 14, "!1009" },
		{ "2^63-1", { 0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0 }, 14,
		    "!1009" },
		{ "1001 of 1000", { 0x81, 0xfe, 1001 >> 8, 1001 & 255, 0, 0, 0, 0 }, 8, "!1009" },
		{ "a ping of 126", { 0x89, 0xfe, 0, 126, 0, 0, 0, 0 }, 8, "!1002" },
		{ "a close of 64 bits", { 0x88, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0 }, 14,
		    "!1002" },
		{ "nothing yet", { 0x81, 0xfe, 3 }, 3, "" },
		{ "a header without its payload", { 0x81, 0x85, 1, 2, 3, 4 }, 6, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect_everywhere(bytes_of(cases[i].wire, cases[i].len), bytes_of_str(cases[i].log),
		    cases[i].name);
}
END_TEST

START_TEST(lengths_around_their_encodings_come_whole)
{
	static const size_t lengths[] = { 0, 1, 7, 8, 9, 125, 126, 127, 999, 1000 };
	char text[1000];

	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct buf wire = BUF_INIT, expected = BUF_INIT;

		add_frame(&wire, FIN | 1, bytes_of(text, lengths[i]));
		buf_append_str(&expected, "1:");
		buf_append(&expected, text, lengths[i]);
		buf_append_char(&expected, '|');
		expect_everywhere(buf_bytes(&wire), buf_bytes(&expected), "length");
		buf_finish(&wire);
		buf_finish(&expected);
	}
}
END_TEST

START_TEST(a_message_of_64_bit_length_comes_whole)
{
	struct ws_decoder decoder;
	struct buf wire = BUF_INIT, log = BUF_INIT;
	uint8_t *big = xmalloc(200000);

	memset(big, 'y', 200000);
	add_frame(&wire, FIN | 2, bytes_of(big, 200000));
	ck_assert_uint_eq(wire.len, 200000 + 14);
	ws_decoder_init(&decoder, 200000, 1);
	for (size_t at = 0; at < wire.len; at += 1460)
		ck_assert(feed(
		    &decoder, wire.data + at, wire.len - at < 1460 ? wire.len - at : 1460, &log));
	ck_assert_uint_eq(log.len, 200000 + 3);
	ck_assert_mem_eq(log.data + 2, big, 200000);
	ws_decoder_finish(&decoder);
	buf_finish(&wire);
	buf_finish(&log);
	free(big);
}
END_TEST

START_TEST(fragments_count_together_against_the_limit)
{
	char text[600];
	struct buf wire = BUF_INIT;

	memset(text, 'x', sizeof(text));
	add_frame(&wire, 1, bytes_of(text, 600));
	add_frame(&wire, FIN | 0, bytes_of(text, 401));
	expect_everywhere(buf_bytes(&wire), BYTES_LITERAL("!1009"), "600 + 401");
	buf_finish(&wire);
}
END_TEST

START_TEST(a_whole_frame_is_lent_from_the_input_without_memory)
{
	struct ws_decoder decoder;
	struct ws_frame frame;
	enum ws_close_code code;
	struct buf wire = BUF_INIT;
	uint8_t *next;
	size_t len;

	add_frame(&wire, FIN | 1, BYTES_LITERAL("one"));
	add_frame(&wire, FIN | 9, BYTES_LITERAL("two"));
	next = wire.data;
	len = wire.len;
	ws_decoder_init(&decoder, MAX_MESSAGE, MAX_FRAGMENTS);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(ws_decode(&decoder, &next, &len, &frame, &code), WS_FRAME);
		ck_assert_ptr_eq(frame.payload.data + 3, next);
		ck_assert_ptr_null(decoder.message.data);
		ck_assert_ptr_null(decoder.control.data);
	}
	ck_assert_int_eq(ws_decode(&decoder, &next, &len, &frame, &code), WS_MORE);
	ws_decoder_finish(&decoder);
	buf_finish(&wire);
}
END_TEST

START_TEST(an_announced_length_costs_no_memory)
{
	uint8_t wire[] = { 0x82, 0xff, 0, 0, 0, 0, 0x7f, 255, 255, 255, 1, 2, 3, 4, 'a', 'b' };
	struct ws_decoder decoder;
	struct ws_frame frame;
	enum ws_close_code code;
	uint8_t *next = wire;
	size_t len = sizeof(wire);

	/* Refused before a byte is stored; and where 2 GiB are allowed, only what came is stored.
	 */
	ws_decoder_init(&decoder, 1 << 20, 1);
	ck_assert_int_eq(ws_decode(&decoder, &next, &len, &frame, &code), WS_ERROR);
	ck_assert_int_eq(code, WS_CLOSE_TOO_LARGE);
	ck_assert_ptr_null(decoder.message.data);
	ws_decoder_finish(&decoder);

	next = wire;
	len = sizeof(wire);
	ws_decoder_init(&decoder, SIZE_MAX, 1);
	ck_assert_int_eq(ws_decode(&decoder, &next, &len, &frame, &code), WS_MORE);
	ck_assert_uint_lt(decoder.message.cap, 100);
	ws_decoder_finish(&decoder);
}
END_TEST

START_TEST(memory_is_given_back_with_the_next_call)
{
	struct ws_decoder decoder;
	struct ws_frame frame;
	enum ws_close_code code;
	struct buf wire = BUF_INIT;
	uint8_t *next;
	size_t len;

	add_frame(&wire, FIN | 1, BYTES_LITERAL("hello"));
	next = wire.data;
	len = wire.len - 1;
	ws_decoder_init(&decoder, MAX_MESSAGE, MAX_FRAGMENTS);
	ck_assert_int_eq(ws_decode(&decoder, &next, &len, &frame, &code), WS_MORE);
	len = 1;
	ck_assert_int_eq(ws_decode(&decoder, &next, &len, &frame, &code), WS_FRAME);
	ck_assert(bytes_equal_str(frame.payload, "hello"));
	ck_assert_ptr_nonnull(decoder.message.data);
	ck_assert_int_eq(ws_decode(&decoder, &next, &len, &frame, &code), WS_MORE);
	ck_assert_ptr_null(decoder.message.data);
	ws_decoder_finish(&decoder);
	buf_finish(&wire);
}
END_TEST

START_TEST(no_input_is_fine)
{
	struct ws_decoder decoder;
	struct ws_frame frame;
	enum ws_close_code code;
	uint8_t *next = NULL;
	size_t len = 0;

	ws_decoder_init(&decoder, MAX_MESSAGE, MAX_FRAGMENTS);
	ck_assert_int_eq(ws_decode(&decoder, &next, &len, &frame, &code), WS_MORE);
	ws_decoder_finish(&decoder);
}
END_TEST

START_TEST(headers_are_written_in_their_shortest_form)
{
	static const struct {
		enum ws_opcode opcode;
		unsigned len;
		size_t payload_len;
		uint8_t header[16];
	} cases[] = {
		{ WS_TEXT, 2, 0, { 0x81, 0 } },
		{ WS_BINARY, 2, 125, { 0x82, 125 } },
		{ WS_TEXT, 4, 126, { 0x81, 126, 0, 126 } },
		{ WS_TEXT, 4, 65535, { 0x81, 126, 255, 255 } },
		{ WS_TEXT, 10, 65536, { 0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0 } },
		{ WS_TEXT, 10, 0x0102030405, { 0x81, 127, 0, 0, 0, 1, 2, 3, 4, 5 } },
		{ WS_CLOSE, 2, 2, { 0x88, 2 } },
		{ WS_PING, 2, 0, { 0x89, 0 } },
		{ WS_PONG, 2, 125, { 0x8a, 125 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t header[WS_HEADER_MAX];

		ck_assert_uint_eq(
		    ws_encode_header(cases[i].opcode, cases[i].payload_len, header), cases[i].len);
		ck_assert_mem_eq(header, cases[i].header, cases[i].len);
	}
}
END_TEST

START_TEST(masking_is_xor_from_any_start_and_twice_gives_it_back)
{
	static const uint8_t mask[4] = { 1, 2, 4, 128 };
	uint8_t data[64], once[64];

	random_bytes(data, sizeof(data));
	for (uint32_t at = 0; at < 8; at++) {
		for (size_t start = 0; start < 9; start++) {
			size_t len = 37;
			unsigned wrong = 0;

			memcpy(once, data, sizeof(data));
			ws_mask(once + start, len, mask, at);
			for (size_t i = 0; i < sizeof(data); i++) {
				bool inside = i >= start && i < start + len;
				uint8_t key = inside ? mask[(at + i - start) & 3] : 0;

				wrong += once[i] != (data[i] ^ key);
			}
			ck_assert_uint_eq(wrong, 0);
			ws_mask(once + start, len, mask, at);
			ck_assert_mem_eq(once, data, sizeof(data));
		}
	}
}
END_TEST

START_TEST(close_codes_are_those_of_the_standard)
{
	static const struct {
		int from, to;
	} legal[] = { { 1000, 1003 }, { 1007, 1014 }, { 3000, 4999 } };
	unsigned wrong = 0;

	for (int code = 0; code < 65536; code++) {
		uint8_t payload[2] = { (uint8_t)(code >> 8), (uint8_t)code };
		int expected = 0;

		for (size_t i = 0; i < ARRAY_LEN(legal); i++) {
			if (code >= legal[i].from && code <= legal[i].to)
				expected = code;
		}
		wrong += ws_close_code_of(bytes_of(payload, 2)) != expected;
	}
	ck_assert_uint_eq(wrong, 0);
	ck_assert_int_eq(ws_close_code_of((struct bytes){ 0 }), 1005);
	ck_assert_int_eq(ws_close_code_of(BYTES_LITERAL("\x03")), 0);
	ck_assert_int_eq(ws_close_code_of(BYTES_LITERAL("\x03\xe8\xc3\xa4")), 1000);
	ck_assert_int_eq(ws_close_code_of(BYTES_LITERAL("\x03\xe8\xc3")), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ws");
	TCase *in = tcase_create("in");
	TCase *out = tcase_create("out");

	tcase_set_timeout(in, 30);
	tcase_add_test(in, vectors_give_the_same_log_however_they_are_cut);
	tcase_add_test(in, headers_are_judged_as_they_stand_on_the_wire);
	tcase_add_test(in, lengths_around_their_encodings_come_whole);
	tcase_add_test(in, a_message_of_64_bit_length_comes_whole);
	tcase_add_test(in, fragments_count_together_against_the_limit);
	tcase_add_test(in, a_whole_frame_is_lent_from_the_input_without_memory);
	tcase_add_test(in, an_announced_length_costs_no_memory);
	tcase_add_test(in, memory_is_given_back_with_the_next_call);
	tcase_add_test(in, no_input_is_fine);
	tcase_add_test(in, close_codes_are_those_of_the_standard);
	suite_add_tcase(suite, in);
	tcase_add_test(out, headers_are_written_in_their_shortest_form);
	tcase_add_test(out, masking_is_xor_from_any_start_and_twice_gives_it_back);
	suite_add_tcase(suite, out);
	return support_run(suite);
}
