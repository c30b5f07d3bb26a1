/* The memory of tokens: bounded, and forgetting the right ones. */
#include <check.h>
#include <string.h>

#include "base/attrs.h"
#include "support/support.h"
#include "token/cache.h"

static struct cache cache;

static struct cache_entry numbered(uint32_t n, int64_t forget_s)
{
	struct cache_entry entry = { .forget_s = forget_s };

	memcpy(entry.id, &n, sizeof(n));
	entry.claims.iat_s = n;
	return entry;
}

static void add(uint32_t n, int64_t forget_s, int64_t now_s)
{
	struct cache_entry entry = numbered(n, forget_s);

	cache_add(&cache, &entry, now_s);
}

static struct cache_entry *find(uint32_t n)
{
	struct cache_entry entry = numbered(n, 0);

	return cache_find(&cache, entry.id);
}

START_TEST(entry_is_found_by_its_id_only)
{
	cache_init(&cache, 10);
	add(1, 100, 0);
	add(2, 100, 0);
	ck_assert_ptr_nonnull(find(1));
	ck_assert_int_eq(find(2)->claims.iat_s, 2);
	ck_assert_ptr_null(find(3));
	cache_drop(&cache, find(1));
	ck_assert_ptr_null(find(1));
	ck_assert_ptr_nonnull(find(2));
	cache_finish(&cache);
}
END_TEST

START_TEST(same_id_twice_is_one_entry)
{
	cache_init(&cache, 10);
	add(1, 100, 0);
	add(1, 100, 0);
	ck_assert_uint_eq(cache.len, 1);
	cache_finish(&cache);
}
END_TEST

START_TEST(cache_never_holds_more_than_its_bound)
{
	cache_init(&cache, 10);
	for (uint32_t n = 0; n < 1000; n++) {
		add(n, 100, 0);
		if (n % 3)
			(void)find(n);
		ck_assert_uint_le(cache.len, 10);
		ck_assert_ptr_nonnull(find(n));
	}
	ck_assert_uint_eq(cache.len, 10);
	for (size_t i = 0; i < cache.len; i++)
		ck_assert_uint_eq(cache.slots[i]->slot, i);
	cache_finish(&cache);
}
END_TEST

START_TEST(entry_in_use_outlives_those_that_are_not)
{
	cache_init(&cache, 10);
	for (uint32_t n = 0; n < 5; n++)
		add(n, 100, 0);
	for (uint32_t n = 5; n < 200; n++) {
		for (uint32_t used = 0; used < 5; used++)
			ck_assert_ptr_nonnull(find(used));
		add(n, 100, 0);
	}
	cache_finish(&cache);
}
END_TEST

START_TEST(expired_entries_go_before_the_cache_is_full)
{
	cache_init(&cache, 1000);
	for (uint32_t n = 0; n < 100; n++)
		add(n, 50, 0);
	for (uint32_t n = 100; n < 200; n++)
		add(n, 500, 60);
	ck_assert_uint_eq(cache.len, 100);
	ck_assert_ptr_null(find(0));
	ck_assert_ptr_nonnull(find(150));
	cache_finish(&cache);
}
END_TEST

START_TEST(cache_of_none_remembers_nothing)
{
	cache_init(&cache, 0);
	add(1, 100, 0);
	ck_assert_ptr_null(find(1));
	cache_finish(&cache);
}
END_TEST

START_TEST(cache_of_one_remembers_the_last)
{
	cache_init(&cache, 1);
	add(1, 100, 0);
	(void)find(1);
	add(2, 100, 0);
	ck_assert_ptr_null(find(1));
	ck_assert_ptr_nonnull(find(2));
	cache_finish(&cache);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cache");
	TCase *tcase = tcase_create("cache");

	tcase_add_test(tcase, entry_is_found_by_its_id_only);
	tcase_add_test(tcase, same_id_twice_is_one_entry);
	tcase_add_test(tcase, cache_never_holds_more_than_its_bound);
	tcase_add_test(tcase, entry_in_use_outlives_those_that_are_not);
	tcase_add_test(tcase, expired_entries_go_before_the_cache_is_full);
	tcase_add_test(tcase, cache_of_none_remembers_nothing);
	tcase_add_test(tcase, cache_of_one_remembers_the_last);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
