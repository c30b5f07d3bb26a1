/* status: the table is whole, and wire codes lead back to their row. */
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "support/support.h"

START_TEST(every_wire_code_leads_back_to_its_status)
{
	for (int i = 0; i < STATUS_COUNT; i++) {
		enum status s = (enum status)i;

		ck_assert_str_ne(status_wire(s), "");
		ck_assert_str_ne(status_text(s), "");
		ck_assert_int_eq(status_from_wire(status_wire(s)), s);
	}
}
END_TEST

START_TEST(unknown_codes_and_values_are_internal)
{
	ck_assert_int_eq(status_from_wire("no_such_code"), STATUS_INTERNAL);
	ck_assert_int_eq(status_from_wire(""), STATUS_INTERNAL);
	ck_assert_str_eq(status_wire(STATUS_COUNT), "internal");
	ck_assert_str_eq(status_text((enum status)1000), status_text(STATUS_INTERNAL));
}
END_TEST

START_TEST(ok_is_zero_and_acknowledged)
{
	ck_assert_int_eq(STATUS_OK, 0);
	ck_assert_int_eq(status_stream(STATUS_OK), STREAM_ACK);
	ck_assert_int_eq(
	    status_stream(STATUS_CONFLICT), STREAM_ACK); /* a redelivery is a success */
}
END_TEST

START_TEST(temporary_failures_are_held_and_permanent_ones_are_not)
{
	for (int i = 0; i < STATUS_COUNT; i++) {
		enum status s = (enum status)i;

		ck_assert_int_eq(status_is_temporary(s), status_stream(s) == STREAM_HOLD);
	}
	ck_assert(status_is_temporary(STATUS_UNAVAILABLE));
	ck_assert(!status_is_temporary(STATUS_INVALID));
}
END_TEST

START_TEST(only_our_own_bugs_are_errors_in_the_log)
{
	for (int i = 0; i < STATUS_COUNT; i++)
		ck_assert_int_eq(status_log_level((enum status)i) == 3, i == STATUS_INTERNAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("status");
	TCase *tcase = tcase_create("table");

	tcase_add_test(tcase, every_wire_code_leads_back_to_its_status);
	tcase_add_test(tcase, unknown_codes_and_values_are_internal);
	tcase_add_test(tcase, ok_is_zero_and_acknowledged);
	tcase_add_test(tcase, temporary_failures_are_held_and_permanent_ones_are_not);
	tcase_add_test(tcase, only_our_own_bugs_are_errors_in_the_log);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
