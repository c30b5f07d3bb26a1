/* id: characters of base64url, never twice. */
#include <stdlib.h>
#include <string.h>

#include "base/attrs.h"
#include "base/clock.h"
#include "base/id.h"
#include "support/support.h"

START_TEST(an_id_is_twenty_characters_that_are_safe_anywhere)
{
	for (int i = 0; i < 1000; i++) {
		char id[ID_SIZE];

		id_random(id);
		ck_assert_uint_eq(strlen(id), ID_LEN);
		ck_assert_uint_eq(strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					     "0123456789-_"),
		    ID_LEN);
	}
}
END_TEST

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

START_TEST(ids_do_not_repeat)
{
	static char ids[10000][ID_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		id_random(ids[i]);
	qsort(ids, ARRAY_LEN(ids), sizeof(ids[0]), compare);
	for (size_t i = 1; i < ARRAY_LEN(ids); i++)
		ck_assert_str_ne(ids[i - 1], ids[i]);
}
END_TEST

START_TEST(random_below_stays_below_and_reaches_every_value)
{
	unsigned seen[7] = { 0 };

	for (int i = 0; i < 10000; i++) {
		uint64_t n = random_below(ARRAY_LEN(seen));

		ck_assert_uint_lt(n, ARRAY_LEN(seen));
		seen[n]++;
	}
	for (size_t i = 0; i < ARRAY_LEN(seen); i++)
		ck_assert_uint_gt(
		    seen[i], 0); /* (6/7)^10000 would be the chance of a false alarm */
	ck_assert_uint_eq(random_below(1), 0);
}
END_TEST

START_TEST(the_clocks_agree_on_their_units_and_do_not_go_back)
{
	int64_t wall_ms = clock_wall_ms(), wall_us = clock_wall_us();
	int64_t mono_ms = clock_mono_ms(), mono_us = clock_mono_us();

	ck_assert_int_gt(wall_ms, INT64_C(1700000000000));
	ck_assert_int_ge(wall_us / 1000, wall_ms);
	ck_assert_int_ge(mono_us / 1000, mono_ms);
	ck_assert_int_ge(clock_mono_us(), mono_us);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("id");
	TCase *tcase = tcase_create("id");

	tcase_add_test(tcase, an_id_is_twenty_characters_that_are_safe_anywhere);
	tcase_add_test(tcase, ids_do_not_repeat);
	tcase_add_test(tcase, random_below_stays_below_and_reaches_every_value);
	tcase_add_test(tcase, the_clocks_agree_on_their_units_and_do_not_go_back);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
