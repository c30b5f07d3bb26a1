/* Each row seals those before it, and what became of one that does not fit is told. */
#include <stdio.h>

#include "base/attrs.h"
#include "base/hex.h"
#include "ledger/chain.h"
#include "support/support.h"

enum { LEN = 9 };

static char texts[LEN][16];
static struct ledger_row rows[LEN];
static struct ledger_chain chain;
static size_t good;

static void setup(void)
{
	struct ledger_hash hash = ledger_first(0);

	chain = (struct ledger_chain){ .hash = hash };
	for (int i = 0; i < LEN; i++) {
		int len = snprintf(texts[i], sizeof(texts[i]), "record %d", i + 1);

		rows[i].number = i + 1;
		rows[i].stored_us = 1000 + i / 2;
		rows[i].record = bytes_of(texts[i], (size_t)len);
		rows[i].hash = hash = ledger_next(&hash, rows[i].record);
	}
}

#define ck_assert_fault(fault)                                                               \
	do {                                                                                 \
		ck_assert_str_eq(ledger_fault_text(ledger_follow(&chain, rows, LEN, &good)), \
		    ledger_fault_text(fault));                                               \
		ck_assert_int_eq(chain.number, 3);                                           \
		ck_assert_uint_eq(good, 3);                                                  \
	} while (0)

/* SHA-256 as sha256sum(1) says it, so that anybody can check a chain without this program. */
START_TEST(hashes_are_what_everybody_would_compute)
{
	struct ledger_hash first = ledger_first(0), abc = ledger_digest(BYTES_LITERAL("abc"));
	char text[LEDGER_HASH_TEXT_SIZE];

	hex_encode(bytes_of(abc.at, sizeof(abc.at)), text);
	ck_assert_str_eq(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	abc = ledger_digest(BYTES_LITERAL("walletwire-audit/1 shard 0"));
	ck_assert(ledger_hash_equal(&first, &abc));
	abc = ledger_first(1);
	ck_assert(!ledger_hash_equal(&first, &abc));
}
END_TEST

START_TEST(a_good_chain_is_followed_to_its_end_in_any_pieces)
{
	ck_assert_int_eq(ledger_follow(&chain, rows, 4, &good), LEDGER_GOOD);
	ck_assert_int_eq(ledger_follow(&chain, rows + 4, 0, &good), LEDGER_GOOD);
	ck_assert_uint_eq(good, 0);
	ck_assert_int_eq(ledger_follow(&chain, rows + 4, LEN - 4, &good), LEDGER_GOOD);
	ck_assert_int_eq(chain.number, LEN);
	ck_assert_int_eq(chain.stored_us, rows[LEN - 1].stored_us);
	ck_assert(ledger_hash_equal(&chain.hash, &rows[LEN - 1].hash));
}
END_TEST

START_TEST(a_record_a_hash_or_a_time_that_was_edited)
{
	texts[3][0] = 'R';
	ck_assert_fault(LEDGER_EDITED);
	setup();
	rows[3].hash.at[31] ^= 1;
	ck_assert_fault(LEDGER_EDITED);
	setup();
	rows[3].stored_us = 999;
	ck_assert_fault(LEDGER_EDITED);
}
END_TEST

START_TEST(a_number_that_is_missing)
{
	for (int i = 3; i < LEN; i++)
		rows[i].number++;
	ck_assert_fault(LEDGER_MISSING);
}
END_TEST

START_TEST(a_row_put_in_under_a_number_of_its_own_or_another_s)
{
	for (int i = LEN - 1; i > 3; i--) {
		rows[i] = rows[i - 1];
		rows[i].number++;
	}
	rows[3].hash = ledger_first(7);
	ck_assert_fault(LEDGER_INSERTED);
	setup();
	rows[3].number = 3;
	ck_assert_fault(LEDGER_INSERTED);
}
END_TEST

START_TEST(rows_that_changed_places)
{
	static const int others[] = { 4, 8 };

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct ledger_row moved;

		setup();
		moved = rows[3];
		rows[3] = rows[others[i]];
		rows[others[i]] = moved;
		rows[3].number = 4;
		rows[others[i]].number = others[i] + 1;
		ck_assert_fault(LEDGER_REORDERED);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ledger_chain");
	TCase *tcase = tcase_create("chain");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, hashes_are_what_everybody_would_compute);
	tcase_add_test(tcase, a_good_chain_is_followed_to_its_end_in_any_pieces);
	tcase_add_test(tcase, a_record_a_hash_or_a_time_that_was_edited);
	tcase_add_test(tcase, a_number_that_is_missing);
	tcase_add_test(tcase, a_row_put_in_under_a_number_of_its_own_or_another_s);
	tcase_add_test(tcase, rows_that_changed_places);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
