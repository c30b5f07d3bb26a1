/* reflect, from protobuf bytes: decoded within bounds, and nothing invalid gets past it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/xalloc.h"
#include "codec/reflect.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "on_stack.h"
#include "sample.pb-c.h"
#include "support/support.h"

static struct arena arena;
static const ProtobufCMessageDescriptor *const sample = &walletwire__test__sample__descriptor;

static void setup(void)
{
	arena_init(&arena, 1 << 20);
}

static void teardown(void)
{
	arena_finish(&arena);
}

static enum status unpack(struct bytes data, Walletwire__Test__Sample **ret_sample, struct err *err)
{
	ProtobufCMessage *message = NULL;
	/* From memory of exactly that size, so that a byte read beyond it shows. */
	uint8_t *copy = xmemdup(data.data, data.len);
	enum status s = reflect_unpack(sample, bytes_of(copy, data.len), &arena, &message, err);

	free(copy);
	*ret_sample = (Walletwire__Test__Sample *)message;
	return s;
}

static enum status unpack_packed(const Walletwire__Test__Sample *message, struct err *err)
{
	Walletwire__Test__Sample *got;
	uint8_t *data = xmalloc(protobuf_c_message_get_packed_size(&message->base));
	size_t len = protobuf_c_message_pack(&message->base, data);
	enum status s = unpack(bytes_of(data, len), &got, err);

	free(data);
	return s;
}

START_TEST(a_packed_message_comes_back)
{
	Walletwire__Test__Sample *got;
	MESSAGE(Walletwire__Test__Sample, message, walletwire__test__sample__init);
	MESSAGE(Walletwire__Test__Inner, inner, walletwire__test__inner__init);
	MESSAGE(Walletwire__V1__Decimal, amount, walletwire__v1__decimal__init);
	MESSAGE(Google__Protobuf__Timestamp, at, google__protobuf__timestamp__init);
	uint32_t numbers[] = { 1, 2, 300 };
	struct err err = ERR_INIT;
	uint8_t data[500];
	size_t len;

	inner.name = "\xc3\xa4";
	amount.units = 1 - DECIMAL_UNITS_LIMIT;
	amount.scale = 18;
	at.seconds = INT64_C(-62135596800);
	at.nanos = 999999999;
	message.a_string = "hello";
	message.a_uint64 = 9007199254740991;
	message.a_kind = WALLETWIRE__TEST__SAMPLE_KIND__OTHER_PREFIX;
	message.a_bytes = (ProtobufCBinaryData){ 2, (uint8_t *)"\0\xff" };
	message.inner = &inner;
	message.amount = &amount;
	message.at = &at;
	message.n_numbers = 3;
	message.numbers = numbers;
	message.choice_case = WALLETWIRE__TEST__SAMPLE__CHOICE_UP_TO;
	len = protobuf_c_message_pack(&message.base, data);
	ck_assert_ok(unpack(bytes_of(data, len), &got, &err), err);
	ck_assert_str_eq(got->a_string, "hello");
	ck_assert_str_eq(got->inner->name, "\xc3\xa4");
	ck_assert_int_eq(got->amount->units, amount.units);
	ck_assert_uint_eq(got->n_numbers, 3);
	ck_assert_uint_eq(got->numbers[2], 300);
	ck_assert_uint_eq(got->a_bytes.len, 2);
	ck_assert_int_eq(got->choice_case, WALLETWIRE__TEST__SAMPLE__CHOICE_UP_TO);
}
END_TEST

START_TEST(no_bytes_are_an_empty_message)
{
	Walletwire__Test__Sample *got;
	ProtobufCMessage *message;
	struct err err = ERR_INIT;

	ck_assert_ok(unpack(BYTES_LITERAL(""), &got, &err), err);
	ck_assert_str_eq(got->a_string, "");
	ck_assert_ok(reflect_unpack(sample, (struct bytes){ 0 }, &arena, &message, &err), err);
}
END_TEST

/* Keys: field << 3 | wire type, as varints. Field 13 a_string = 0x6a, 15 inner = 0x7a, 22 names =
 * 0xb2 0x01, 26 totals = 0xd2 0x01, 29 by_name = 0xea 0x01. */
START_TEST(bytes_that_are_not_valid_are_refused)
{
	static const struct {
		const char *name;
		const char *data;
		size_t len;
		const char *field;
	} cases[] = {
#define ROW(name, data, field) { name, data, sizeof(data) - 1, field }
		ROW("NUL in a string",
		    "\x6a\x03"
		    "a\0b",
		    "a_string"),
		ROW("only a NUL", "\x6a\x01\0", "a_string"),
		ROW("a bad string that a later one replaces",
		    "\x6a\x01\xff\x6a\x01"
		    "a",
		    "a_string"),
		ROW("no UTF-8 in a string", "\x6a\x02\xc3(", "a_string"),
		ROW("NUL in a nested string", "\x7a\x03\x0a\x01\0", "name"),
		ROW("no UTF-8 in a repeated string",
		    "\xb2\x01\x01"
		    "a\xb2\x01\x01\x80",
		    "names"),
		ROW("NUL in a map key", "\xd2\x01\x05\x0a\x01\0\x10\x01", "key"),
		ROW("NUL in a oneof string", "\xea\x01\x01\0", "by_name"),
		ROW("a map key twice", "\xd2\x01\x03\x0a\x01k\xd2\x01\x03\x0a\x01k", "totals"),
		ROW("an unknown enum value", "\x60\x63", "a_kind"),
		ROW("an unknown enum value among many", "\xaa\x01\x02\x01\x63", "kinds"),
		ROW("an unknown enum value in a oneof", "\x98\x02\x63", "by_kind"),
		ROW("2^53 in a uint64", "\x48\x80\x80\x80\x80\x80\x80\x80\x10", "a_uint64"),
		ROW("2^64-1 in a uint64", "\x48\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		    "a_uint64"),
		ROW("-2^63 in an int64", "\x30\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", "a_int64"),
		ROW("a Decimal of scale 19", "\x8a\x01\x02\x10\x13", "amount"),
		ROW("a Decimal of 2^53 units", "\x8a\x01\x09\x08\x80\x80\x80\x80\x80\x80\x80\x10",
		    "amount"),
		ROW("a Timestamp of 10^9 nanos", "\x82\x01\x06\x10\x80\x94\xeb\xdc\x03", "at"),
		ROW("a Timestamp of year 10000", "\x82\x01\x07\x08\x80\xdc\xef\xff\xaf\x07", "at"),
		ROW("a cut string",
		    "\x6a\x05"
		    "ab",
		    ""),
		ROW("a cut key", "\xea", ""),
		ROW("a cut varint", "\x48\x80", ""),
		ROW("a varint of 11 bytes", "\x48\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", ""),
		ROW("a group", "\x6b", ""),
		ROW("wire type 7", "\x6f", ""),
		ROW("a string as a varint", "\x68\x01", ""),
		ROW("a cut fixed64", "\x51\x01\x02", ""),
		ROW("field 0", "\x02\x01x", ""),
		ROW("field 0 in two bytes", "\x82\0\x01x", ""),
		ROW("a key of 36 bits", "\x80\x80\x80\x80\x80\x02", ""),
#undef ROW
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		Walletwire__Test__Sample *got;
		enum status s = unpack(bytes_of(cases[i].data, cases[i].len), &got, &err);

		ck_assert_msg(s == STATUS_INVALID, "%s was taken", cases[i].name);
		ck_assert_msg(
		    strcmp(err.field, cases[i].field) == 0, "%s: %s", cases[i].name, err.msg);
	}
}
END_TEST

START_TEST(unknown_fields_are_tolerated)
{
	Walletwire__Test__Sample *got;
	struct err err = ERR_INIT;

	/* Fields 1000 to 1003: a varint, bytes with NUL and no UTF-8, 4 and 8 fixed bytes. */
	ck_assert_ok(unpack(BYTES_LITERAL("\xc0\x3e\x05\xca\x3e\x02\0\xff\xd5\x3e"
					  "abcd"
					  "\xd9\x3e"
					  "abcdefgh"
					  "\x6a\x01x"),
			 &got, &err),
	    err);
	ck_assert_str_eq(got->a_string, "x");
}
END_TEST

START_TEST(the_last_value_and_the_last_oneof_member_count)
{
	Walletwire__Test__Sample *got;
	struct err err = ERR_INIT;

	ck_assert_ok(unpack(BYTES_LITERAL("\x6a\x01"
					  "a\x6a\x01"
					  "b\xea\x01\x01x\xf0\x01\x07"),
			 &got, &err),
	    err);
	ck_assert_str_eq(got->a_string, "b");
	ck_assert_int_eq(got->choice_case, WALLETWIRE__TEST__SAMPLE__CHOICE_UP_TO);
	ck_assert_uint_eq(got->up_to, 7);
}
END_TEST

START_TEST(a_map_has_at_most_256_keys)
{
	MESSAGE(Walletwire__Test__Sample, message, walletwire__test__sample__init);
	Walletwire__Test__Sample__TotalsEntry entries[257], *pointers[257];
	char keys[257][16];
	struct err err = ERR_INIT;

	for (int i = 0; i < 257; i++) {
		(void)snprintf(keys[i], sizeof(keys[i]), "k%d", i);
		walletwire__test__sample__totals_entry__init(&entries[i]);
		entries[i].key = keys[i];
		pointers[i] = &entries[i];
	}
	message.totals = pointers;
	message.n_totals = 256;
	ck_assert_ok(unpack_packed(&message, &err), err);
	message.n_totals = 257;
	ck_assert_int_eq(unpack_packed(&message, &err), STATUS_INVALID);
	ck_assert_str_eq(err.field, "totals");
}
END_TEST

START_TEST(more_bytes_than_the_limit_are_too_large)
{
	Walletwire__Test__Sample *got;
	struct err err = ERR_INIT;
	uint8_t *data = xcalloc(1, REFLECT_UNPACK_MAX + 1);

	ck_assert_int_eq(
	    unpack(bytes_of(data, REFLECT_UNPACK_MAX + 1), &got, &err), STATUS_TOO_LARGE);
	free(data);
}
END_TEST

START_TEST(the_arenas_limit_holds_against_many_small_fields)
{
	struct buf data = BUF_INIT;
	Walletwire__Test__Sample *got;
	struct err err = ERR_INIT;

	while (data.len < 65536)
		buf_append(&data, "\xc2\x01\x00", 3); /* an empty message in `inners` */
	arena_init(&arena, 100000);
	ck_assert_int_eq(unpack(buf_bytes(&data), &got, &err), STATUS_INVALID);
	ck_assert_uint_le(arena.used, 100000 + 64);
	buf_finish(&data);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reflect_unpack");
	TCase *tcase = tcase_create("reflect_unpack");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_packed_message_comes_back);
	tcase_add_test(tcase, no_bytes_are_an_empty_message);
	tcase_add_test(tcase, bytes_that_are_not_valid_are_refused);
	tcase_add_test(tcase, unknown_fields_are_tolerated);
	tcase_add_test(tcase, the_last_value_and_the_last_oneof_member_count);
	tcase_add_test(tcase, a_map_has_at_most_256_keys);
	tcase_add_test(tcase, more_bytes_than_the_limit_are_too_large);
	tcase_add_test(tcase, the_arenas_limit_holds_against_many_small_fields);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
