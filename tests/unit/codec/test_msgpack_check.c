/* msgpack_check: whole values pass, and nothing that announces more than it holds. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "codec/msgpack_check.h"
#include "spelt.h"
#include "support/support.h"

enum { DEPTH = 3 };

/* In memory of exactly its size, so that a byte read too far is seen. */
static bool check(struct bytes packed, unsigned max_depth, size_t *ret_binary)
{
	uint8_t *copy = xmalloc(packed.len ? packed.len : 1);
	bool ok;

	if (packed.len)
		memcpy(copy, packed.data, packed.len);
	ok = msgpack_check(bytes_of(copy, packed.len), max_depth, ret_binary);
	free(copy);
	return ok;
}

static const struct {
	const char *spelt;
	size_t binary;
} whole[] = {
	{ "00", 0 },
	{ "7f", 0 },
	{ "e0", 0 },
	{ "ff", 0 },
	{ "c0", 0 },
	{ "c2", 0 },
	{ "c3", 0 },
	{ "ca 00000000", 0 },
	{ "cb 0000000000000000", 0 },
	{ "cc 00", 0 },
	{ "cd 0000", 0 },
	{ "ce 00000000", 0 },
	{ "cf 0000000000000000", 0 },
	{ "d0 00", 0 },
	{ "d1 0000", 0 },
	{ "d2 00000000", 0 },
	{ "d3 0000000000000000", 0 },
	{ "''", 0 },
	{ "'abc'", 0 },
	{ "d9 00", 0 },
	{ "d9 02 6161", 0 },
	{ "da 0001 61", 0 },
	{ "db 00000001 61", 0 },
	{ "c4 00", 0 },
	{ "c4 02 0102", 2 },
	{ "c5 0001 01", 1 },
	{ "c6 00000001 01", 1 },
	{ "d4 00 00", 2 },
	{ "d5 00 0000", 3 },
	{ "d6 00 00000000", 5 },
	{ "d7 00 0000000000000000", 9 },
	{ "d8 00 00000000000000000000000000000000", 17 },
	{ "c7 00 00", 1 },
	{ "c7 02 00 0102", 3 },
	{ "c8 0001 00 01", 2 },
	{ "c9 00000001 00 01", 2 },
	{ "90", 0 },
	{ "93 01 'a' c0", 0 },
	{ "dc 0002 01 02", 0 },
	{ "dd 00000002 01 02", 0 },
	{ "80", 0 },
	{ "82 'a' 01 'b' 02", 0 },
	{ "de 0001 'a' 01", 0 },
	{ "df 00000001 'a' 01", 0 },
	{ "92 91 90 91 90", 0 },
	{ "82 'a' 81 'b' 81 'c' c4 01 07 'd' 91 c4 03 010203", 4 },
};

START_TEST(every_whole_value_passes)
{
	for (size_t i = 0; i < ARRAY_LEN(whole); i++) {
		struct buf buf = BUF_INIT;
		size_t binary;

		spelt_append(&buf, whole[i].spelt);
		ck_assert_msg(check(buf_bytes(&buf), DEPTH, &binary), "%s", whole[i].spelt);
		ck_assert_msg(binary == whole[i].binary, "%s: %zu", whole[i].spelt, binary);
		buf_finish(&buf);
	}
}
END_TEST

START_TEST(a_value_cut_anywhere_or_followed_by_anything_is_refused)
{
	for (size_t i = 0; i < ARRAY_LEN(whole); i++) {
		struct buf buf = BUF_INIT;
		size_t binary, len;

		spelt_append(&buf, whole[i].spelt);
		len = buf.len;
		for (size_t cut = 0; cut < len; cut++)
			ck_assert_msg(!check(bytes_of(buf.data, cut), DEPTH, &binary),
			    "%s, %zu bytes of it", whole[i].spelt, cut);
		buf_append_char(&buf, '\0');
		ck_assert_msg(!check(buf_bytes(&buf), DEPTH, &binary), "%s 00", whole[i].spelt);
		buf_finish(&buf);
	}
}
END_TEST

START_TEST(bombs_are_refused)
{
	static const char *const cases[] = {
		"c1", "91 c1", "dd 01000000", "df 01000000", "dd ffffffff", "df ffffffff",
		"df ffffffff 00000000", "dc ffff", "de ffff", "db ffffffff", "db ffffffff 6161",
		"c6 ffffffff", "c9 ffffffff", "c9 ffffffff 00 00", "9f", "8f",
		"93 dd 00000002 01",             /* each fits into what is left, not both */
		"92 dd 00000003 dd 00000003 00", /* the same */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf buf = BUF_INIT;
		size_t binary;

		spelt_append(&buf, cases[i]);
		ck_assert_msg(!check(buf_bytes(&buf), DEPTH, &binary), "%s", cases[i]);
		buf_finish(&buf);
	}
}
END_TEST

START_TEST(nested_counts_are_summed)
{
	struct buf buf = BUF_INIT;
	size_t binary;

	for (unsigned i = 0; i < 20; i++)
		spelt_append(&buf, "dd 00000040");
	ck_assert(!check(buf_bytes(&buf), MSGPACK_DEPTH_CAP, &binary));
	buf_finish(&buf);
}
END_TEST

START_TEST(arrays_and_maps_nest_as_deep_as_they_may)
{
	for (unsigned depth = 1; depth <= MSGPACK_DEPTH_CAP; depth++) {
		struct buf buf = BUF_INIT;
		size_t binary;

		for (unsigned i = 1; i < depth; i++)
			spelt_append(&buf, i % 2 ? "91" : "81 'k'");
		spelt_append(&buf, "90");
		ck_assert(check(buf_bytes(&buf), depth, &binary));
		ck_assert(!check(buf_bytes(&buf), depth - 1, &binary));
		buf_finish(&buf);
	}
}
END_TEST

START_TEST(a_million_levels_cost_no_stack)
{
	enum { LEVELS = 1000000 };
	uint8_t *packed = xmalloc(LEVELS);
	size_t binary;

	memset(packed, 0x91, LEVELS);
	ck_assert(!msgpack_check(bytes_of(packed, LEVELS), MSGPACK_DEPTH_CAP, &binary));
	free(packed);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("msgpack_check");
	TCase *tcase = tcase_create("msgpack_check");

	tcase_add_test(tcase, every_whole_value_passes);
	tcase_add_test(tcase, a_value_cut_anywhere_or_followed_by_anything_is_refused);
	tcase_add_test(tcase, bombs_are_refused);
	tcase_add_test(tcase, nested_counts_are_summed);
	tcase_add_test(tcase, arrays_and_maps_nest_as_deep_as_they_may);
	tcase_add_test(tcase, a_million_levels_cost_no_stack);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
