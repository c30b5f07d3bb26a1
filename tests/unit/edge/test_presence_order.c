/* Which batches of presence count, and which show that one before them was missed. */
#include "presence_order.h"
#include "support/support.h"

static const struct row {
	struct presence_order before;
	uint64_t generation, number;
	bool is_empty;
	enum presence_place place;
	struct presence_order after;
} rows[] = {
	/* the first ones heard */
	{ { 0, 0 }, 1, 1, false, PRESENCE_FIRST, { 1, 1 } },
	{ { 0, 0 }, 9, 1, true, PRESENCE_FIRST, { 9, 1 } },
	{ { 0, 0 }, 9, 0, true, PRESENCE_FIRST, { 9, 0 } },
	{ { 0, 0 }, 9, 2, false, PRESENCE_GAP, { 9, 2 } },
	{ { 0, 0 }, 9, 2, true, PRESENCE_GAP, { 9, 2 } },
	/* in order, and a heartbeat between */
	{ { 3, 7 }, 3, 8, false, PRESENCE_NEXT, { 3, 8 } },
	{ { 3, 7 }, 3, 7, true, PRESENCE_AGAIN, { 3, 7 } },
	{ { 3, 1 }, 3, 1, true, PRESENCE_AGAIN, { 3, 1 } },
	{ { 3, 1 }, 3, 2, false, PRESENCE_NEXT, { 3, 2 } },
	/* missed */
	{ { 3, 7 }, 3, 9, false, PRESENCE_GAP, { 3, 9 } },
	{ { 3, 7 }, 3, 8, true, PRESENCE_GAP, { 3, 8 } },
	{ { 3, 1 }, 3, 2, true, PRESENCE_GAP, { 3, 2 } },
	/* heard before */
	{ { 3, 7 }, 3, 7, false, PRESENCE_AGAIN, { 3, 7 } },
	{ { 3, 7 }, 3, 6, false, PRESENCE_OLD, { 3, 7 } },
	{ { 3, 7 }, 3, 1, true, PRESENCE_OLD, { 3, 7 } },
	/* generations */
	{ { 3, 7 }, 2, 8, false, PRESENCE_OLD, { 3, 7 } },
	{ { 3, 7 }, 2, 99, true, PRESENCE_OLD, { 3, 7 } },
	{ { 3, 7 }, 5, 1, false, PRESENCE_FIRST, { 5, 1 } },
	{ { 3, 7 }, 5, 1, true, PRESENCE_FIRST, { 5, 1 } },
	{ { 3, 7 }, 5, 8, false, PRESENCE_GAP, { 5, 8 } },
	{ { 3, UINT64_MAX }, UINT64_MAX, 1, false, PRESENCE_FIRST, { UINT64_MAX, 1 } },
};

START_TEST(a_batch_is_judged_by_the_one_before)
{
	const struct row *row = &rows[_i];
	struct presence_order order = row->before;

	ck_assert_int_eq(
	    presence_order_take(&order, row->generation, row->number, row->is_empty), row->place);
	ck_assert_uint_eq(order.generation, row->after.generation);
	ck_assert_uint_eq(order.number, row->after.number);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("presence_order");
	TCase *tc = tcase_create("presence_order");

	tcase_add_loop_test(
	    tc, a_batch_is_judged_by_the_one_before, 0, sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
