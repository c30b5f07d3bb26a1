/* socketio_packed: what clients pack, what they must not, and our text in their encoding. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "codec/json.h"
#include "codec/socketio_packed.h"
#include "spelt.h"
#include "support/support.h"

/* A packet that was read, with the memory it borrows from. */
struct unpacked {
	uint8_t *packed;
	struct socketio_packet packet;
	struct json *payload;
	struct socketio_attachments attachments;
};

/* From memory of exactly its size, so that a byte read too far is seen. */
static enum status unpack(struct bytes packed, struct unpacked *ret, struct err *err)
{
	*ret = (struct unpacked){ .packed = xmalloc(packed.len) };
	if (packed.len)
		memcpy(ret->packed, packed.data, packed.len);
	return socketio_unpack(bytes_of(ret->packed, packed.len), JSON_TEXT_MAX, &ret->packet,
	    &ret->payload, &ret->attachments, err);
}

static void release(struct unpacked *unpacked)
{
	json_free(unpacked->payload);
	free(unpacked->packed);
}

static struct unpacked unpack_spelt(const char *spelt)
{
	struct buf buf = BUF_INIT;
	struct unpacked unpacked;
	struct err err = ERR_INIT;
	enum status s;

	spelt_append(&buf, spelt);
	s = unpack(buf_bytes(&buf), &unpacked, &err);
	buf_finish(&buf);
	ck_assert_msg(s == STATUS_OK, "%s: %s", spelt, err.msg);
	return unpacked;
}

static enum status status_of(const char *spelt)
{
	struct buf buf = BUF_INIT;
	struct unpacked unpacked;
	enum status s;

	spelt_append(&buf, spelt);
	s = unpack(buf_bytes(&buf), &unpacked, NULL);
	buf_finish(&buf);
	release(&unpacked);
	return s;
}

/* The payload as text, "" if there is none. Valid until the next call. */
static const char *payload_text(const struct unpacked *unpacked)
{
	static char text[4096];
	struct buf buf = BUF_INIT;

	if (unpacked->payload)
		json_append_value(&buf, unpacked->payload);
	ck_assert_uint_lt(buf.len, sizeof(text));
	memcpy(text, buf_str(&buf), buf.len + 1);
	buf_finish(&buf);
	return text;
}

START_TEST(packets_of_clients_are_read)
{
	static const struct {
		const char *spelt;
		enum socketio_type type;
		bool has_id;
		const char *nsp;
		uint64_t id;
		const char *json;
	} cases[] = {
		/* socket.io-client with socket.io-msgpack-parser 3 */
		{ "83 'type' 00 'data' 81 'token' 't' 'nsp' '/'", SOCKETIO_CONNECT, false, "/", 0,
		    "{\"token\":\"t\"}" },
		{ "83 'type' 00 'data' d40000 'nsp' '/'", SOCKETIO_CONNECT, false, "/", 0, "" },
		{ "85 'type' 02 'data' 92 'x' 01 'options' 81 'compress' c3 'id' 07 'nsp' '/'",
		    SOCKETIO_EVENT, true, "/", 7, "[\"x\",1]" },
		{ "85 'type' 02 'data' 91 'x' 'options' 81 'compress' c3 'id' d40000 'nsp' '/'",
		    SOCKETIO_EVENT, false, "/", 0, "[\"x\"]" },
		{ "84 'type' 03 'id' 00 'data' 90 'nsp' '/ops'", SOCKETIO_ACK, true, "/ops", 0,
		    "[]" },
		{ "82 'type' 01 'nsp' '/'", SOCKETIO_DISCONNECT, false, "/", 0, "" },
		/* python-socketio */
		{ "84 'type' 01 'data' c0 'nsp' '/' 'id' c0", SOCKETIO_DISCONNECT, false, "/", 0,
		    "" },
		{ "84 'type' 05 'data' 91 'x' 'nsp' '/' 'id' 01", SOCKETIO_EVENT, true, "/", 1,
		    "[\"x\"]" },
		{ "84 'type' 06 'data' 90 'nsp' '/' 'id' 01", SOCKETIO_ACK, true, "/", 1, "[]" },
		/* forms that no encoder prefers, but any may choose */
		{ "de 0002 d904 74797065 cc02 da0003 6e7370 db00000001 2f", SOCKETIO_EVENT, false,
		    "/", 0, "" },
		{ "82 'nsp' '/a?x=1' 'type' ce 00000004", SOCKETIO_CONNECT_ERROR, false, "/a?x=1",
		    0, "" },
		{ "83 'type' d0 02 'nsp' '/' 'id' cf 00038d7ea4c67fff", SOCKETIO_EVENT, true, "/",
		    UINT64_C(999999999999999), "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct unpacked unpacked = unpack_spelt(cases[i].spelt);

		ck_assert_int_eq(unpacked.packet.type, cases[i].type);
		ck_assert_int_eq(unpacked.packet.has_id, cases[i].has_id);
		ck_assert_uint_eq(unpacked.packet.id, cases[i].id);
		ck_assert_msg(
		    bytes_equal_str(unpacked.packet.nsp, cases[i].nsp), "%s", cases[i].spelt);
		ck_assert_uint_eq(unpacked.packet.json.len, 0);
		ck_assert_uint_eq(unpacked.packet.attachments, 0);
		ck_assert_str_eq(payload_text(&unpacked), cases[i].json);
		release(&unpacked);
	}
}
END_TEST

START_TEST(what_is_no_packet_is_refused)
{
	static const char *const cases[] = {
		"",
		"00",
		"c0",
		"'x'",
		"90",
		"93 02 'nsp' '/'",
		"80",
		"c1",
		/* type */
		"81 'nsp' '/'",
		"82 'type' c0 'nsp' '/'",
		"82 'type' d40000 'nsp' '/'",
		"82 'type' 07 'nsp' '/'",
		"82 'type' ff 'nsp' '/'",
		"82 'type' cf 0000000100000002 'nsp' '/'",
		"82 'type' cb 4000000000000000 'nsp' '/'",
		"82 'type' '2' 'nsp' '/'",
		"82 'type' c3 'nsp' '/'",
		/* nsp */
		"81 'type' 02",
		"82 'type' 02 'nsp' c0",
		"82 'type' 02 'nsp' 00",
		"82 'type' 02 'nsp' ''",
		"82 'type' 02 'nsp' 'ops'",
		"82 'type' 02 'nsp' '/a,b'",
		"82 'type' 02 'nsp' a2 2f00",
		"82 'type' 02 'nsp' a2 2fff",
		"82 'type' 02 'nsp' c4 01 2f",
		/* id */
		"83 'type' 02 'nsp' '/' 'id' ff",
		"83 'type' 02 'nsp' '/' 'id' '1'",
		"83 'type' 02 'nsp' '/' 'id' cb 3ff0000000000000",
		"83 'type' 02 'nsp' '/' 'id' c2",
		"83 'type' 02 'nsp' '/' 'id' 90",
		"83 'type' 02 'nsp' '/' 'id' d40001",
		"83 'type' 02 'nsp' '/' 'id' c7010000",
		"83 'type' 02 'nsp' '/' 'id' cf 00038d7ea4c68000", /* 16 digits */
		"83 'type' 02 'nsp' '/' 'id' cf ffffffffffffffff",
		"83 'type' 00 'nsp' '/' 'id' 01",
		"83 'type' 01 'nsp' '/' 'id' 01",
		"83 'type' 04 'nsp' '/' 'id' 01",
		"83 'type' 03 'nsp' '/' 'data' 90",
		"84 'type' 03 'nsp' '/' 'data' 90 'id' c0",
		"83 'type' 06 'nsp' '/' 'data' 90",
		/* keys of the packet */
		"83 'type' 02 'nsp' '/' 'type' 02",
		"83 'type' 02 'nsp' '/' 'nsp' '/'",
		"83 'nsp' c0 'type' 02 'nsp' '/'",
		"84 'type' 02 'nsp' '/' 'data' c0 'data' 90",
		"84 'type' 02 'nsp' '/' 'id' d40000 'id' 01",
		"83 'type' 02 'nsp' '/' 01 02",
		"83 'type' 02 'nsp' '/' c4 01 61 02",
		"83 'type' 02 'nsp' '/' c0 c0",
		"83 'type' 02 'nsp' '/' 90 c0",
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_msg(status_of(cases[i]) == STATUS_INVALID, "%s was taken", cases[i]);
}
END_TEST

/* EVENTs with one argument: their data is ["x",<argument>]. */
static void spell_event(struct buf *out, const char *argument)
{
	spelt_append(out, "83 'type' 02 'nsp' '/' 'data' 92 'x'");
	spelt_append(out, argument);
}

START_TEST(values_become_what_json_would_have_made_them)
{
	static const struct {
		const char *spelt, *json;
	} cases[] = {
		{ "a1 00", "\"\xef\xbf\xbd\"" },
		{ "a3 610062", "\"a\xef\xbf\xbd"
			       "b\"" },
		{ "c0", "null" },
		{ "d40000", "null" },
		{ "c2", "false" },
		{ "c3", "true" },
		{ "00", "0" },
		{ "7f", "127" },
		{ "ff", "-1" },
		{ "e0", "-32" },
		{ "cc ff", "255" },
		{ "cd ffff", "65535" },
		{ "ce ffffffff", "4294967295" },
		{ "cf 7fffffffffffffff", "9223372036854775807" },
		{ "d0 80", "-128" },
		{ "d0 7f", "127" },
		{ "d1 8000", "-32768" },
		{ "d2 80000000", "-2147483648" },
		{ "d3 8000000000000000", "-9223372036854775808" },
		{ "d3 0000000000000001", "1" },
		{ "ca 3fc00000", "1.5" },
		{ "cb 3fb999999999999a", "0.1" },
		{ "cb bff0000000000000", "-1.0" },
		{ "''", "\"\"" },
		{ "'abc'", "\"abc\"" },
		{ "d9 02 c3a4", "\"\xc3\xa4\"" },
		{ "da 0001 0a", "\"\\n\"" },
		{ "db 00000004 f09f9880", "\"\xf0\x9f\x98\x80\"" },
		{ "90", "[]" },
		{ "dc 0002 01 02", "[1,2]" },
		{ "dd 00000001 c0", "[null]" },
		{ "80", "{}" },
		{ "82 'z' 01 'a' 81 '' c0", "{\"z\":1,\"a\":{\"\":null}}" },
		{ "de 0001 d901 61 01", "{\"a\":1}" },
		{ "df 00000001 'a' 01", "{\"a\":1}" },
		{ "81 '_placeholder' c2", "{\"_placeholder\":false}" },
		{ "81 '_placeholder' 01", "{\"_placeholder\":1}" },
		/* dates of notepack */
		{ "d700 0000000000000000", "\"1970-01-01T00:00:00.000Z\"" },
		{ "d700 0000019492b6dc83", "\"2025-01-23T10:30:45.123Z\"" },
		{ "d700 ffffffffffffffff", "\"1969-12-31T23:59:59.999Z\"" },
		{ "d700 0000e677d21fdbff", "\"9999-12-31T23:59:59.999Z\"" },
		{ "d700 ffffc77cedd32800", "\"0001-01-01T00:00:00.000Z\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf buf = BUF_INIT;
		struct buf expected = BUF_INIT;
		struct unpacked unpacked;
		struct err err = ERR_INIT;

		spell_event(&buf, cases[i].spelt);
		ck_assert_ok(unpack(buf_bytes(&buf), &unpacked, &err), err);
		buf_appendf(&expected, "[\"x\",%s]", cases[i].json);
		ck_assert_str_eq(payload_text(&unpacked), buf_str(&expected));
		buf_finish(&buf);
		buf_finish(&expected);
		release(&unpacked);
	}
}
END_TEST

START_TEST(values_that_json_has_not_are_refused)
{
	static const char *const cases[] = {
		"cf 8000000000000000", "cf ffffffffffffffff", "ca 7f800000", "ca ffc00000",
		"cb 7ff0000000000000", "cb fff0000000000000", "cb 7ff8000000000000", /* numbers */
		"a1 ff", "a2 c080", "a3 eda080", "a2 c3",                            /* text */
		"81 a1 00 01", "81 a1 ff 01", "81 01 01", "81 c0 01", "81 c3 01", "81 90 01",
		"81 c4 01 61 01", "81 d40000 01", /* keys */
		"82 'a' 01 'a' 01", "82 'a' c0 d901 61 c0", "91 81 'k' 82 '' 01 '' 02",
		"81 '_placeholder' c3", "82 '_placeholder' c3 'num' 00",
		"91 81 'a' 82 'num' 00 '_placeholder' c3",
		"92 c4 01 00 82 '_placeholder' c3 'num' 00", /* placeholders */
		"d401 00", "d4ff 00", "d6ff 00000000", "d7ff 0000000000000000", "c7 01 01 00",
		"c7 00 7f", /* extensions */
		"d700 7fffffffffffffff", "d700 8000000000000000", "d700 0000e677d21fdc00",
		"d700 ffffc77cedd327ff", /* dates */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf buf = BUF_INIT;
		struct unpacked unpacked;

		spell_event(&buf, cases[i]);
		ck_assert_msg(unpack(buf_bytes(&buf), &unpacked, NULL) == STATUS_INVALID,
		    "%s was taken", cases[i]);
		buf_finish(&buf);
		release(&unpacked);
	}
}
END_TEST

START_TEST(binary_becomes_an_attachment_in_every_form)
{
	static const struct {
		const char *spelt, *binary;
	} cases[] = {
		{ "c4 00", "" },
		{ "c4 03 010203", "010203" },
		{ "c5 0001 ff", "ff" },
		{ "c6 00000002 0000", "0000" },
		{ "d400 01", "01" },
		{ "d500 0102", "0102" },
		{ "d600 01020304", "01020304" },
		{ "d800 000102030405060708090a0b0c0d0e0f", "000102030405060708090a0b0c0d0e0f" },
		{ "c7 00 00", "" },
		{ "c7 01 00 00", "00" },                             /* not undefined */
		{ "c7 08 00 0000000000000000", "0000000000000000" }, /* not a date */
		{ "c8 0001 00 05", "05" },
		{ "c8 0008 00 0000000000000000", "0000000000000000" },
		{ "c9 00000001 00 00", "00" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf buf = BUF_INIT;
		struct buf binary = BUF_INIT;
		struct unpacked unpacked;
		struct err err = ERR_INIT;

		spell_event(&buf, cases[i].spelt);
		spelt_append(&binary, cases[i].binary);
		ck_assert_ok(unpack(buf_bytes(&buf), &unpacked, &err), err);
		ck_assert_str_eq(
		    payload_text(&unpacked), "[\"x\",{\"_placeholder\":true,\"num\":0}]");
		ck_assert_int_eq(unpacked.packet.type, SOCKETIO_EVENT);
		ck_assert_uint_eq(unpacked.packet.attachments, 1);
		ck_assert_uint_eq(unpacked.attachments.len, 1);
		ck_assert_msg(
		    bytes_equal(unpacked.attachments.list[0], buf_bytes(&binary)), "row %zu", i);
		ck_assert_msg(binary.len == 0 || unpacked.attachments.list[0].data + binary.len ==
						     unpacked.packed + buf.len,
		    "row %zu is no loan", i);
		buf_finish(&buf);
		buf_finish(&binary);
		release(&unpacked);
	}
}
END_TEST

START_TEST(attachments_are_numbered_as_they_stand_in_data)
{
	struct unpacked unpacked = unpack_spelt(
	    "84 'more' 91 c4 01 09 'type' 02 'data' 93 'x' c4 01 01 81 'k' 92 d400 02 c4 01 01"
	    "'nsp' '/'");

	ck_assert_str_eq(payload_text(&unpacked),
	    "[\"x\",{\"_placeholder\":true,\"num\":0},{\"k\":[{\"_placeholder\":true,\"num\":1},"
	    "{\"_placeholder\":true,\"num\":2}]}]");
	ck_assert_uint_eq(unpacked.attachments.len, 3);
	ck_assert(socketio_placeholders_ok(unpacked.payload, unpacked.attachments.len));
	ck_assert(!socketio_placeholders_ok(unpacked.payload, 2));
	release(&unpacked);
}
END_TEST

START_TEST(there_are_at_most_64_attachments)
{
	for (unsigned count = SOCKETIO_ATTACHMENTS_CAP; count <= SOCKETIO_ATTACHMENTS_CAP + 1;
	     count++) {
		struct buf buf = BUF_INIT;
		struct unpacked unpacked;
		enum status s;

		spelt_append(&buf, "83 'type' 02 'nsp' '/' 'data' dc 00");
		buf_append_char(&buf, (char)count);
		for (unsigned i = 0; i < count; i++)
			spelt_append(&buf, "c4 00");
		s = unpack(buf_bytes(&buf), &unpacked, NULL);
		ck_assert_int_eq(s, count > SOCKETIO_ATTACHMENTS_CAP ? STATUS_INVALID : STATUS_OK);
		buf_finish(&buf);
		release(&unpacked);
	}
}
END_TEST

/* `levels` arrays as data, in the innermost of which stands `inner`. */
static enum status status_at_depth(unsigned levels, const char *inner)
{
	struct buf buf = BUF_INIT;
	struct unpacked unpacked;
	enum status s;

	spelt_append(&buf, "83 'type' 02 'nsp' '/' 'data'");
	for (unsigned i = 0; i < levels; i++)
		buf_append_char(&buf, '\x91');
	spelt_append(&buf, inner);
	s = unpack(buf_bytes(&buf), &unpacked, NULL);
	if (!s)
		(void)payload_text(&unpacked); /* asserts the depth of the tree */
	buf_finish(&buf);
	release(&unpacked);
	return s;
}

START_TEST(data_nests_as_deep_as_json_does_with_its_placeholders)
{
	static const struct {
		const char *inner;
		unsigned levels; /* around it */
	} cases[] = {
		{ "00", JSON_DEPTH_MAX },
		{ "'a'", JSON_DEPTH_MAX },
		{ "d40000", JSON_DEPTH_MAX },
		{ "d700 0000000000000000", JSON_DEPTH_MAX },
		{ "90", JSON_DEPTH_MAX - 1 },
		{ "81 'a' 00", JSON_DEPTH_MAX - 1 },
		{ "c4 01 00", JSON_DEPTH_MAX - 1 },
		{ "c7 01 00 00", JSON_DEPTH_MAX - 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ck_assert_msg(status_at_depth(cases[i].levels, cases[i].inner) == STATUS_OK, "%s",
		    cases[i].inner);
		ck_assert_msg(
		    status_at_depth(cases[i].levels + 1, cases[i].inner) == STATUS_INVALID, "%s",
		    cases[i].inner);
	}
	ck_assert_int_eq(status_at_depth(40, "00"), STATUS_INVALID);
}
END_TEST

START_TEST(bombs_cut_packets_and_trailing_bytes_are_refused)
{
	static const char *const bombs[] = { "dd 01000000", "df 01000000", "df ffffffff",
		"dd 003d0900 dd 003d0900 dd 003d0900", "db ffffffff", "c6 7fffffff" };
	struct buf buf = BUF_INIT;
	struct unpacked unpacked;

	for (size_t i = 0; i < ARRAY_LEN(bombs); i++) {
		ck_assert_int_eq(status_of(bombs[i]), STATUS_INVALID);
		spell_event(&buf, bombs[i]);
		ck_assert_int_eq(unpack(buf_bytes(&buf), &unpacked, NULL), STATUS_INVALID);
		release(&unpacked);
		buf_finish(&buf);
	}
	spelt_append(&buf, "85 'type' 02 'data' 92 'x' 82 'a' cb 3fb999999999999a 'b' c4 02 0102"
			   "'options' 81 'compress' c3 'id' cd 0100 'nsp' '/ops'");
	for (size_t len = 0; len < buf.len; len++) {
		ck_assert_int_eq(unpack(bytes_of(buf.data, len), &unpacked, NULL), STATUS_INVALID);
		release(&unpacked);
	}
	ck_assert_int_eq(unpack(buf_bytes(&buf), &unpacked, NULL), STATUS_OK);
	release(&unpacked);
	spelt_append(&buf, "c0");
	ck_assert_int_eq(unpack(buf_bytes(&buf), &unpacked, NULL), STATUS_INVALID);
	release(&unpacked);
	buf_finish(&buf);
}
END_TEST

START_TEST(every_byte_may_be_anything)
{
	struct buf buf = BUF_INIT;

	spelt_append(&buf, "84 'type' 03 'data' 93 'x' d700 0000000000000000 81 'b' c4 02 0102"
			   "'id' cd 0100 'nsp' '/ops'");
	for (size_t at = 0; at < buf.len; at++) {
		uint8_t was = buf.data[at];

		for (unsigned byte = 0; byte <= 0xff; byte++) {
			struct unpacked unpacked;
			enum status s;

			buf.data[at] = (uint8_t)byte;
			s = unpack(buf_bytes(&buf), &unpacked, NULL);
			ck_assert_msg(s == STATUS_OK || s == STATUS_INVALID, "%zu: %02x", at, byte);
			release(&unpacked);
		}
		buf.data[at] = was;
	}
	buf_finish(&buf);
}
END_TEST

START_TEST(only_what_is_not_binary_counts_for_the_size)
{
	enum { LARGE = 2 * JSON_TEXT_MAX };
	static const struct {
		const char *header;
		enum status s;
	} cases[] = { { "c6 00020000", STATUS_OK }, { "db 00020000", STATUS_TOO_LARGE },
		{ "dd 00020000", STATUS_TOO_LARGE } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf buf = BUF_INIT;
		struct unpacked unpacked;

		spell_event(&buf, cases[i].header);
		memset(buf_reserve(&buf, LARGE), 'a', LARGE);
		if (cases[i].header[1] == 'd')
			memset(buf.data + buf.len, 0, LARGE);
		buf.len += LARGE;
		ck_assert_int_eq(unpack(buf_bytes(&buf), &unpacked, NULL), cases[i].s);
		buf_finish(&buf);
		release(&unpacked);
	}
}
END_TEST

/* --- our text --- */

START_TEST(text_is_packed_to_the_byte)
{
	static const struct {
		const char *text, *spelt;
	} cases[] = {
		{ "0{\"sid\":\"abc\"}", "83 'type' 00 'nsp' '/' 'data' 81 'sid' 'abc'" },
		{ "0/ops,{\"sid\":\"abc\"}", "83 'type' 00 'nsp' '/ops' 'data' 81 'sid' 'abc'" },
		{ "1", "82 'type' 01 'nsp' '/'" },
		{ "1/ops,", "82 'type' 01 'nsp' '/ops'" },
		{ "4{\"message\":\"no\"}", "83 'type' 04 'nsp' '/' 'data' 81 'message' 'no'" },
		{ "2[\"x\"]", "83 'type' 02 'nsp' '/' 'data' 91 'x'" },
		{ "27[\"x\"]", "84 'type' 02 'id' 07 'nsp' '/' 'data' 91 'x'" },
		{ "3/ops,300[]", "84 'type' 03 'id' cd 012c 'nsp' '/ops' 'data' 90" },
		{ "2[\"x\",0,127,128,255,256,65535,65536,4294967295,4294967296]",
		    "83 'type' 02 'nsp' '/' 'data' 9a 'x' 00 7f cc80 ccff cd0100 cdffff ce00010000"
		    "ceffffffff cf0000000100000000" },
		{ "2[\"x\",-1,-32,-33,-128,-129,-32768,-32769,-2147483648,-2147483649]",
		    "83 'type' 02 'nsp' '/' 'data' 9a 'x' ff e0 d0df d080 d1ff7f d18000 d2ffff7fff"
		    "d280000000 d3ffffffff7fffffff" },
		{ "2[\"x\",0.1,1.0,1e2,-0.5]",
		    "83 'type' 02 'nsp' '/' 'data' 95 'x' cb3fb999999999999a cb3ff0000000000000"
		    "cb4059000000000000 cbbfe0000000000000" },
		{ "2[\"x\",null,true,false,{},[],\"\"]",
		    "83 'type' 02 'nsp' '/' 'data' 97 'x' c0 c3 c2 80 90 ''" },
		{ "2[\"\\u00e4\\n\"]", "83 'type' 02 'nsp' '/' 'data' 91 a3 c3a4 0a" },
		{ "2[\"x\",{\"_placeholder\":true,\"num\":0}]",
		    "83 'type' 02 'nsp' '/' 'data' 92 'x' 82 '_placeholder' c3 'num' 00" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf packed = BUF_INIT;
		struct buf expected = BUF_INIT;
		struct err err = ERR_INIT;

		ck_assert_ok(socketio_pack(bytes_of_str(cases[i].text), NULL, &packed, &err), err);
		spelt_append(&expected, cases[i].spelt);
		ck_assert_msg(
		    bytes_equal(buf_bytes(&packed), buf_bytes(&expected)), "%s", cases[i].text);
		buf_finish(&packed);
		buf_finish(&expected);
	}
}
END_TEST

START_TEST(attachments_are_put_where_their_placeholders_stand)
{
	static const struct socketio_attachments attachments = {
		.list = { { (const uint8_t *)"\x01\x02", 2 }, { NULL, 0 } },
		.len = 2,
	};
	static const struct {
		const char *text, *spelt;
	} cases[] = {
		{ "52-[\"x\",{\"_placeholder\":true,\"num\":1},{\"k\":{\"_placeholder\":true,"
		  "\"num\":0}}]",
		    "83 'type' 02 'nsp' '/' 'data' 93 'x' c400 81 'k' c4020102" },
		{ "62-/ops,7[{\"num\":0,\"_placeholder\":true}]",
		    "84 'type' 03 'id' 07 'nsp' '/ops' 'data' 91 c4020102" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf packed = BUF_INIT;
		struct buf expected = BUF_INIT;
		struct err err = ERR_INIT;

		ck_assert_ok(
		    socketio_pack(bytes_of_str(cases[i].text), &attachments, &packed, &err), err);
		spelt_append(&expected, cases[i].spelt);
		ck_assert_msg(
		    bytes_equal(buf_bytes(&packed), buf_bytes(&expected)), "%s", cases[i].text);
		buf_finish(&packed);
		buf_finish(&expected);
	}
}
END_TEST

START_TEST(what_is_no_text_packet_packs_to_nothing)
{
	static const struct socketio_attachments one = { .list = { { NULL, 0 } }, .len = 1 };
	static const struct {
		const char *text;
		const struct socketio_attachments *attachments;
	} cases[] = {
		{ "", NULL },
		{ "7", NULL },
		{ "3[]", NULL },
		{ "2[", NULL },
		{ "2[\"x\"]]", NULL },
		{ "42[\"x\"]", NULL }, /* Engine.IO's 4 is not the packet's */
		{ "2[\"x\",{\"a\":1,\"a\":1}]", NULL },
		{ "2[\"x\"]", &one },
		{ "51-[\"x\",{\"_placeholder\":true,\"num\":0}]", NULL },
		{ "52-[\"x\",{\"_placeholder\":true,\"num\":0}]", &one },
		{ "51-[\"x\",{\"_placeholder\":true,\"num\":1}]", &one },
		{ "51-[\"x\",{\"_placeholder\":true}]", &one },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf packed = BUF_INIT;

		ck_assert_msg(socketio_pack(bytes_of_str(cases[i].text), cases[i].attachments,
				  &packed, NULL) == STATUS_INVALID,
		    "%s was taken", cases[i].text);
		ck_assert_uint_eq(packed.len, 0);
		buf_finish(&packed);
	}
}
END_TEST

START_TEST(lengths_take_their_shortest_form)
{
	static const struct {
		size_t len;
		const char *header;
	} cases[] = { { 31, "bf" }, { 32, "d920" }, { 255, "d9ff" }, { 256, "da0100" },
		{ 65535, "daffff" }, { 65536, "db00010000" }, { 1 << 20, "db00100000" } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf text = BUF_INIT;
		struct buf packed = BUF_INIT;
		struct buf expected = BUF_INIT;
		struct err err = ERR_INIT;

		buf_append_str(&text, "2[\"x\",\"");
		memset(buf_reserve(&text, cases[i].len), 'a', cases[i].len);
		text.len += cases[i].len;
		buf_append_str(&text, "\"]");
		spell_event(&expected, cases[i].header);
		memset(buf_reserve(&expected, cases[i].len), 'a', cases[i].len);
		expected.len += cases[i].len;
		ck_assert_ok(socketio_pack(buf_bytes(&text), NULL, &packed, &err), err);
		ck_assert_msg(
		    bytes_equal(buf_bytes(&packed), buf_bytes(&expected)), "%zu", cases[i].len);
		buf_finish(&text);
		buf_finish(&packed);
		buf_finish(&expected);
	}
}
END_TEST

START_TEST(the_last_element_of_an_event_can_be_replaced)
{
	struct buf packed = BUF_INIT;
	struct buf other = BUF_INIT;
	struct err err = ERR_INIT;

	ck_assert_ok(
	    socketio_pack(BYTES_LITERAL("2[\"x\",{\"a\":[1]},\"\"]"), NULL, &packed, &err), err);
	ck_assert_ok(
	    socketio_pack(BYTES_LITERAL("2[\"x\",{\"a\":[1]},\"offset\"]"), NULL, &other, &err),
	    err);
	packed.len--; /* "" is one byte */
	spelt_append(&packed, "'offset'");
	ck_assert(bytes_equal(buf_bytes(&packed), buf_bytes(&other)));
	buf_finish(&packed);
	buf_finish(&other);
}
END_TEST

START_TEST(what_was_packed_reads_as_it_was_written)
{
	static const char *const cases[] = {
		"0{\"sid\":\"abc\",\"pid\":\"def\"}",
		"0/ops,{}",
		"1",
		"4/x,{\"message\":\"no\",\"data\":{\"code\":\"forbidden\"}}",
		"4\"no\"",
		"2[\"x\"]",
		"2[7]",
		"2/ops,999999999999999[\"x\",[],{}]",
		"30[{\"ok\":true,\"items\":[{\"id\":\"a\",\"amount\":\"12.50\"},null]}]",
		"2[\"x\",9223372036854775807,-9223372036854775808,9007199254740993]",
		"2[\"x\",0.1,1e+300,2.5e-10,-1.5,100.0]",
		"2[\"x\",\"\\\"\\\\\\b\\n\\u0001\xc3\xa4\xf0\x9f\x98\x80\\u2028\"]",
		"2[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf packed = BUF_INIT;
		struct unpacked unpacked;
		struct socketio_packet packet;
		struct err err = ERR_INIT;

		ck_assert_ok(socketio_parse(bytes_of_str(cases[i]), &packet, &err), err);
		ck_assert_ok(socketio_pack(bytes_of_str(cases[i]), NULL, &packed, &err), err);
		ck_assert_ok(unpack(buf_bytes(&packed), &unpacked, &err), err);
		ck_assert_int_eq(unpacked.packet.type, packet.type);
		ck_assert(bytes_equal(unpacked.packet.nsp, packet.nsp));
		ck_assert_int_eq(unpacked.packet.has_id, packet.has_id);
		ck_assert_uint_eq(unpacked.packet.id, packet.id);
		ck_assert_msg(bytes_equal_str(packet.json, payload_text(&unpacked)), "%s became %s",
		    cases[i], payload_text(&unpacked));
		buf_finish(&packed);
		release(&unpacked);
	}
}
END_TEST

static TCase *unpacking(void)
{
	TCase *tcase = tcase_create("unpack");

	tcase_add_test(tcase, packets_of_clients_are_read);
	tcase_add_test(tcase, what_is_no_packet_is_refused);
	tcase_add_test(tcase, values_become_what_json_would_have_made_them);
	tcase_add_test(tcase, values_that_json_has_not_are_refused);
	tcase_add_test(tcase, binary_becomes_an_attachment_in_every_form);
	tcase_add_test(tcase, attachments_are_numbered_as_they_stand_in_data);
	tcase_add_test(tcase, there_are_at_most_64_attachments);
	tcase_add_test(tcase, data_nests_as_deep_as_json_does_with_its_placeholders);
	tcase_add_test(tcase, bombs_cut_packets_and_trailing_bytes_are_refused);
	tcase_add_test(tcase, every_byte_may_be_anything);
	tcase_add_test(tcase, only_what_is_not_binary_counts_for_the_size);
	return tcase;
}

static TCase *packing(void)
{
	TCase *tcase = tcase_create("pack");

	tcase_add_test(tcase, text_is_packed_to_the_byte);
	tcase_add_test(tcase, attachments_are_put_where_their_placeholders_stand);
	tcase_add_test(tcase, what_is_no_text_packet_packs_to_nothing);
	tcase_add_test(tcase, lengths_take_their_shortest_form);
	tcase_add_test(tcase, the_last_element_of_an_event_can_be_replaced);
	tcase_add_test(tcase, what_was_packed_reads_as_it_was_written);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("socketio_packed");

	suite_add_tcase(suite, unpacking());
	suite_add_tcase(suite, packing());
	return support_run(suite);
}
