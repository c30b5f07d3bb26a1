/* arena: memory is aligned, zeroed, apart from its neighbours, and bounded for protobuf-c. */
#include <string.h>

#include "base/arena.h"
#include "support/support.h"

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, 10000);
}

static void teardown(void)
{
	arena_finish(&arena);
}

static bool all_are(const uint8_t *data, size_t len, uint8_t value)
{
	while (len > 0 && data[len - 1] == value)
		len--;
	return len == 0;
}

START_TEST(memory_is_aligned_zeroed_and_disjoint)
{
	static const size_t sizes[] = { 0, 1, 7, 16, 17, 100, 4096, 5000, 1, 300000, 3, 2000000,
		8 };
	uint8_t *got[ARRAY_LEN(sizes)];

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		got[i] = arena_alloc(&arena, sizes[i]);
		ck_assert_uint_eq((uintptr_t)got[i] % _Alignof(max_align_t), 0);
		ck_assert(all_are(got[i], sizes[i], 0));
		memset(got[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		ck_assert(all_are(got[i], sizes[i], (uint8_t)(i + 1)));
}
END_TEST

START_TEST(copies_are_equal_and_terminated)
{
	const char raw[] = { 'a', '\0', 'b' };

	ck_assert_str_eq(arena_strdup(&arena, "hello"), "hello");
	ck_assert_str_eq(arena_strdup(&arena, ""), "");
	ck_assert_str_eq(arena_strndup(&arena, "hello", 2), "he");
	ck_assert_str_eq(arena_strndup(&arena, NULL, 0), "");
	ck_assert_str_eq(arena_printf(&arena, "%s/%d", "room", 12), "room/12");
	ck_assert_mem_eq(arena_memdup(&arena, raw, sizeof(raw)), raw, sizeof(raw));
	ck_assert_ptr_nonnull(arena_memdup(&arena, NULL, 0));
}
END_TEST

START_TEST(the_allocator_refuses_what_exceeds_the_limit)
{
	ProtobufCAllocator *allocator = arena_allocator(&arena);

	ck_assert_ptr_null(allocator->alloc(allocator->allocator_data, 10001));
	ck_assert_ptr_null(allocator->alloc(allocator->allocator_data, SIZE_MAX));
	for (int i = 0; i < 10; i++)
		ck_assert_ptr_nonnull(allocator->alloc(allocator->allocator_data, 992));
	ck_assert_ptr_null(allocator->alloc(allocator->allocator_data, 992));
	allocator->free(allocator->allocator_data, NULL);
}
END_TEST

START_TEST(our_own_requests_are_not_refused)
{
	(void)arena_alloc(&arena, 20000);
	ck_assert_uint_ge(arena.used, 20000);
	ck_assert_ptr_null(arena.allocator.alloc(arena.allocator.allocator_data, 1));
}
END_TEST

START_TEST(reset_gives_everything_back)
{
	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < 50; i++)
			memset(arena_alloc(&arena, 100), 0xff, 100);
		ck_assert_uint_ge(arena.used, 5000);
		arena_reset(&arena);
		ck_assert_uint_eq(arena.used, 0);
	}
	ck_assert_ptr_nonnull(arena.chunks); /* one chunk is kept for the next round */
	(void)arena_alloc(&arena, 1 << 20);
	arena_reset(&arena);
	ck_assert_ptr_null(arena.chunks); /* but not a large one */
	arena_reset(&arena);
	ck_assert_uint_eq(*(uint8_t *)arena_alloc(&arena, 1), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("arena");
	TCase *tcase = tcase_create("arena");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, memory_is_aligned_zeroed_and_disjoint);
	tcase_add_test(tcase, copies_are_equal_and_terminated);
	tcase_add_test(tcase, the_allocator_refuses_what_exceeds_the_limit);
	tcase_add_test(tcase, our_own_requests_are_not_refused);
	tcase_add_test(tcase, reset_gives_everything_back);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
