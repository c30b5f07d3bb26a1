/* err: written once, cut when too long, never an error of its own. */
#include <string.h>

#include "base/err.h"
#include "support/support.h"

START_TEST(set_records_status_and_message_and_returns_the_status)
{
	struct err err = ERR_INIT;

	ck_assert_int_eq(err_set(&err, STATUS_NOT_FOUND, "room %s", "r1"), STATUS_NOT_FOUND);
	ck_assert_int_eq(err.status, STATUS_NOT_FOUND);
	ck_assert_str_eq(err.msg, "room r1");
	ck_assert_str_eq(err.field, "");
}
END_TEST

START_TEST(no_err_is_fine)
{
	ck_assert_int_eq(err_set(NULL, STATUS_TIMEOUT, "x"), STATUS_TIMEOUT);
	ck_assert_int_eq(err_invalid(NULL, "f", "x"), STATUS_INVALID);
}
END_TEST

START_TEST(invalid_names_the_field_and_set_forgets_it)
{
	struct err err = ERR_INIT;

	ck_assert_int_eq(err_invalid(&err, "amount", "has %d digits", 19), STATUS_INVALID);
	ck_assert_str_eq(err.field, "amount");
	ck_assert_str_eq(err.msg, "amount: has 19 digits");
	(void)err_set(&err, STATUS_INTERNAL, "other");
	ck_assert_str_eq(err.field, "");
}
END_TEST

START_TEST(prefix_goes_in_front_and_keeps_status_and_field)
{
	struct err err = ERR_INIT;

	(void)err_invalid(&err, "text", "is too long");
	ck_assert_int_eq(err_prefix(&err, "event %d", 7), STATUS_INVALID);
	ck_assert_str_eq(err.msg, "event 7: text: is too long");
	ck_assert_str_eq(err.field, "text");
}
END_TEST

START_TEST(a_cause_stays_with_its_failure_and_no_longer)
{
	struct err err = ERR_INIT;

	(void)err_set(&err, STATUS_UNAVAILABLE, "write: no space left");
	ck_assert_int_eq(err.cause, CAUSE_NONE);
	ck_assert_int_eq(err_blame(&err, err.status, CAUSE_POSTGRES_DISK), STATUS_UNAVAILABLE);
	(void)err_prefix(&err, "apply 7 events");
	ck_assert_str_eq(cause_text(err.cause), "PostgreSQL's disk is full");
	(void)err_set(&err, STATUS_INTERNAL, "other");
	ck_assert_int_eq(err.cause, CAUSE_NONE);
	ck_assert_int_eq(err_blame(NULL, STATUS_TIMEOUT, CAUSE_OTHER), STATUS_TIMEOUT);
}
END_TEST

START_TEST(long_messages_are_cut)
{
	struct err err = ERR_INIT;
	char longer[1000];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	(void)err_set(&err, STATUS_INTERNAL, "%s", longer);
	ck_assert_uint_eq(strlen(err.msg), sizeof(err.msg) - 1);
	(void)err_prefix(&err, "%s", longer);
	ck_assert_uint_eq(strlen(err.msg), sizeof(err.msg) - 1);
	(void)err_invalid(&err, longer, "%s", longer);
	ck_assert_uint_eq(strlen(err.field), sizeof(err.field) - 1);
	ck_assert_uint_eq(strlen(err.msg), sizeof(err.msg) - 1);
	ck_assert_int_eq(err.status, STATUS_INVALID);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("err");
	TCase *tcase = tcase_create("err");

	tcase_add_test(tcase, set_records_status_and_message_and_returns_the_status);
	tcase_add_test(tcase, no_err_is_fine);
	tcase_add_test(tcase, invalid_names_the_field_and_set_forgets_it);
	tcase_add_test(tcase, prefix_goes_in_front_and_keeps_status_and_field);
	tcase_add_test(tcase, a_cause_stays_with_its_failure_and_no_longer);
	tcase_add_test(tcase, long_messages_are_cut);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
