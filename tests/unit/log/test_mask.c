/* What is masked in log lines, and what must not be. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "log/log.h"
#include "support/support.h"

#define HEAD "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0"
#define BODY "eyJzdWIiOiJhbGljZSJ9"

static const struct row {
	const char *in, *out;
} rows[] = {
	/* tokens */
	{ HEAD "." BODY ".c2lnbmF0dXJl", "***" },
	{ "token " HEAD "." BODY ".c2lnbmF0dXJl refused", "token *** refused" },
	{ "auth=" HEAD "." BODY ".sig_-x&x=1", "auth=***&x=1" },
	{ "\"" HEAD "." BODY ".sig\",", "\"***\"," },
	{ "two " HEAD "." BODY ".s1 " HEAD "." BODY ".s2", "two *** ***" },
	{ "unsigned " HEAD "." BODY ".", "unsigned ***" },
	{ "cut " HEAD "." BODY, "cut ***" },
	{ "Bearer" HEAD "." BODY ".sig", "Bearer***" },
	{ "five " HEAD ".a.b.c.d end", "five *** end" },
	{ "eyA.b.c", "***" },
	/* not tokens */
	{ "", "" },
	{ "e", "e" },
	{ "ey", "ey" },
	{ "keyed.by.name", "keyed.by.name" },
	{ "they.are.three", "they.are.three" },
	{ "ey.dots", "ey.dots" },
	{ "eyes. Then", "eyes. Then" },
	{ "eyrie.com", "eyrie.com" },
	{ "subject ww.svc.notifications.open", "subject ww.svc.notifications.open" },
	/* card numbers: 13 to 19 digits that pass Luhn */
	{ "4111111111111111", "***" },
	{ "card 4111111111111111 declined", "card *** declined" },
	{ "card 4111 1111 1111 1111 declined", "card *** declined" },
	{ "card 4111-1111-1111-1111, declined", "card ***, declined" },
	{ "amex 3782 822463 10005", "amex ***" },
	{ "amex 378282246310005.", "amex ***." },
	{ "diners 3056 930902 5904", "diners ***" },
	{ "thirteen 4222222222222", "thirteen ***" },
	{ "thirteen 4222 2222 2222 2", "thirteen ***" },
	{ "nineteen 6304000000000000000", "nineteen ***" },
	{ "two 4111111111111111 5555555555554444", "two *** ***" },
	{ "two 4111 1111 1111 1111 5555 5555 5555 4444", "two *** ***" },
	{ "pan=4111111111111111;", "pan=***;" },
	{ "x4111111111111111y", "x***y" },
	{ "\xc3\xa9"
	  "4111111111111111\xc3\xa9",
	    "\xc3\xa9***\xc3\xa9" },
	{ "1234-4111111111111111", "1234-***" },
	/* not card numbers */
	{ "4111111111111112", "4111111111111112" },
	{ "411111111111", "411111111111" },
	{ "42424242424242424242", "42424242424242424242" },
	{ "4111  1111  1111  1111", "4111  1111  1111  1111" },
	{ "1 2 3 4 5 6 7 8 9 10 11 12 13 14", "1 2 3 4 5 6 7 8 9 10 11 12 13 14" },
	{ "2025-01-23 10:30:45.123", "2025-01-23 10:30:45.123" },
	{ "seq 9007199254740", "seq 9007199254740" },
};

START_TEST(text_is_masked_as_the_table_says)
{
	const struct row *row = &rows[_i];
	char text[512];

	(void)snprintf(text, sizeof(text), "%s", row->in);
	log_mask(text);
	ck_assert_str_eq(text, row->out);
}
END_TEST

START_TEST(masking_twice_changes_nothing_more)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "%s", rows[_i].out);
	log_mask(text);
	ck_assert_str_eq(text, rows[_i].out);
}
END_TEST

START_TEST(every_length_of_a_passing_number_is_masked)
{
	/* 0 digits pass Luhn at any length, so only the length decides. */
	for (size_t len = 1; len <= 24; len++) {
		char text[32] = "";

		memset(text, '0', len);
		text[len] = '\0';
		log_mask(text);
		if (len >= 13 && len <= 19)
			ck_assert_str_eq(text, "***");
		else
			ck_assert_uint_eq(strlen(text), len);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mask");
	TCase *tcase = tcase_create("mask");

	tcase_add_loop_test(tcase, text_is_masked_as_the_table_says, 0, (int)ARRAY_LEN(rows));
	tcase_add_loop_test(tcase, masking_twice_changes_nothing_more, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(tcase, every_length_of_a_passing_number_is_masked);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
