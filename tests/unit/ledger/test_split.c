/* The bytes of each record are those that came, and nothing is read beyond a message. */
#include <string.h>

#include "base/attrs.h"
#include "ledger/record.h"
#include "ledger/split.h"
#include "support/support.h"

START_TEST(records_are_split_as_they_were_packed)
{
	struct bytes rest = BYTES_LITERAL("\x0a\x03"
					  "abc\x0a\x00\x0a\x01z");
	struct bytes record;

	ck_assert(ledger_split(&rest, &record));
	ck_assert(bytes_equal_str(record, "abc"));
	ck_assert(ledger_split(&rest, &record));
	ck_assert_uint_eq(record.len, 0);
	ck_assert(ledger_split(&rest, &record));
	ck_assert(bytes_equal_str(record, "z"));
	ck_assert(!ledger_split(&rest, &record));
	ck_assert_uint_eq(rest.len, 0);
}
END_TEST

START_TEST(what_is_malformed_is_left)
{
	const struct bytes bad[] = {
		BYTES_LITERAL("\x0a"),
		BYTES_LITERAL("\x0a\x02x"),
		BYTES_LITERAL("\x12\x01x"),
		BYTES_LITERAL("\x0a\x80"),
		BYTES_LITERAL("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"),
		BYTES_LITERAL("\x0a\xff\xff\xff\xff\x0fx"),
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct bytes rest = bad[i], record;

		ck_assert(!ledger_split(&rest, &record));
		ck_assert_uint_eq(rest.len, bad[i].len);
	}
}
END_TEST

/* PostgreSQL takes no other text, and an id is what a repetition is known by. */
START_TEST(a_record_that_can_t_be_stored_is_none)
{
	const struct bytes bad[] = {
		BYTES_LITERAL(""),
		BYTES_LITERAL("\x10\x01"),             /* no id */
		BYTES_LITERAL("\x0a\x01x"),            /* no time */
		BYTES_LITERAL("\x0a\x01\xff\x10\x01"), /* no UTF-8 */
		BYTES_LITERAL("\x0a\x01x\x10\x01\x3a\x03\x0a\x01\xc0"),
		BYTES_LITERAL("\x0a\x01x\x10\x01\x2a\x03\x12\x01\xc0"),
		BYTES_LITERAL("\x0a\x05x"),
	};
	struct arena arena;

	arena_init(&arena, SIZE_MAX);
	ck_assert_ptr_nonnull(ledger_record_unpack(BYTES_LITERAL("\x0a\x01x\x10\x01"), &arena));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_ptr_null(ledger_record_unpack(bad[i], &arena));
	arena_finish(&arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ledger_split");
	TCase *tcase = tcase_create("split");

	tcase_add_test(tcase, records_are_split_as_they_were_packed);
	tcase_add_test(tcase, what_is_malformed_is_left);
	tcase_add_test(tcase, a_record_that_can_t_be_stored_is_none);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
