/* What the gate lets through and what it refuses. */
#include <stdio.h>

#include "base/attrs.h"
#include "test_http.h"

static const struct {
	const char *lines;
	int status;
} judged[] = {
	{ "Host: a", 0 },
	{ "host: a.example:8080", 0 },
	{ "Host: [::1]:80", 0 },
	{ "Host: a|Content-Length: 0", 0 },
	{ "Host: a|content-length: 123456789012345", 0 },
	{ "Host: a|X-Anything: \"()<>@,;:\\ ", 0 },
	/* Host */
	{ "", 400 },
	{ "Accept: */*", 400 },
	{ "Host: a|Host: a", 400 },
	{ "Host: a|HOST: b", 400 },
	{ "Host: ", 400 },
	{ "Host: a b", 400 },
	{ "Host: a,b", 400 },
	{ "Host: user@a", 400 },
	{ "Host: a/b", 400 },
	/* Content-Length */
	{ "Host: a|Content-Length: 5|Content-Length: 5", 400 },
	{ "Host: a|Content-Length: 5|content-length: 6", 400 },
	{ "Host: a|Content-Length: 5abc", 400 },
	{ "Host: a|Content-Length: +5", 400 },
	{ "Host: a|Content-Length: -5", 400 },
	{ "Host: a|Content-Length: 5 ", 400 },
	{ "Host: a|Content-Length: 5, 5", 400 },
	{ "Host: a|Content-Length: 0x5", 400 },
	{ "Host: a|Content-Length: ", 400 },
	{ "Host: a|Content-Length: 1234567890123456", 400 },
	/* Transfer-Encoding */
	{ "Host: a|Transfer-Encoding: chunked", 411 },
	{ "Host: a|Transfer-Encoding: identity", 411 },
	{ "Host: a|Transfer-Encoding: chunked|Content-Length: 5", 400 },
	{ "Host: a|Content-Length: 5|transfer-encoding: chunked", 400 },
	{ "Host: a|Transfer-Encoding: chunked|Transfer-Encoding: chunked", 400 },
	/* names */
	{ "Host: a|Content-Length;: 5", 400 },
	{ "Host: a|(x): 5", 400 },
	{ "Host: a|X\"Y: 5", 400 },
};

START_TEST(head_is_judged_as_the_table_says)
{
	struct http_head head = head_of(judged[_i].lines);
	const char *why = "";
	int status = head_judge(&head, /* takes_body= */ false, &why);

	ck_assert_msg(status == judged[_i].status, "%s: %d", judged[_i].lines, status);
	ck_assert_int_eq(why != NULL, status != 0);
}
END_TEST

/* On a route that takes bodies. */
static const struct {
	const char *lines;
	int status;
} with_body[] = {
	{ "Host: a", 0 },
	{ "Host: a|Content-Length: 5", 0 },
	{ "Host: a|Transfer-Encoding: chunked", 0 },
	{ "Host: a|transfer-encoding: Chunked", 0 },
	{ "Host: a|Transfer-Encoding: ", 400 },
	{ "Host: a|Transfer-Encoding: chunked ", 400 },
	{ "Host: a|Transfer-Encoding: chunked,", 400 },
	{ "Host: a|Transfer-Encoding: xchunked", 400 },
	{ "Host: a|Transfer-Encoding: gzip, chunked", 400 },
	{ "Host: a|Transfer-Encoding: chunked, chunked", 400 },
	{ "Host: a|Transfer-Encoding: chunked;q=1", 400 },
	{ "Host: a|Transfer-Encoding: identity", 400 },
	{ "Host: a|Transfer-Encoding: chunked|Transfer-Encoding: chunked", 400 },
	{ "Host: a|Transfer-Encoding: chunked|Content-Length: 5", 400 },
	{ "Host: a|Content-Length: 5|Content-Length: 5", 400 },
	{ "Transfer-Encoding: chunked", 400 },
};

START_TEST(head_of_a_request_with_body_is_judged_as_the_table_says)
{
	struct http_head head = head_of(with_body[_i].lines);
	const char *why = "";
	int status = head_judge(&head, /* takes_body= */ true, &why);

	ck_assert_msg(status == with_body[_i].status, "%s: %d", with_body[_i].lines, status);
	ck_assert_int_eq(why != NULL, status != 0);
}
END_TEST

START_TEST(sixty_lines_pass_and_one_more_does_not)
{
	char text[2048] = "Host: a";
	size_t len = 7;
	struct http_head head;
	const char *why;

	for (int i = 1; i < HEAD_LINES_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "|X-%d: %d", i, i);
	head = head_of(text);
	ck_assert_int_eq(head_judge(&head, /* takes_body= */ false, &why), 0);
	(void)snprintf(text + len, sizeof(text) - len, "|X-More: 1");
	head = head_of(text);
	ck_assert_int_eq(head_judge(&head, /* takes_body= */ false, &why), 431);
}
END_TEST

START_TEST(target_that_is_no_path_is_refused)
{
	static const char *const targets[] = { "*", "http://a/", "a", "" };
	struct http_head head = head_of("Host: a");
	const char *why;

	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		head.path = targets[i];
		ck_assert_int_eq(head_judge(&head, /* takes_body= */ false, &why), 400);
	}
}
END_TEST

START_TEST(transfer_encoding_in_http_1_0_is_malformed)
{
	struct http_head head = head_of("Host: a|Transfer-Encoding: chunked");
	const char *why;

	head.version = "1.0";
	ck_assert_int_eq(head_judge(&head, /* takes_body= */ false, &why), 400);
	ck_assert_int_eq(head_judge(&head, /* takes_body= */ true, &why), 400);
}
END_TEST

TCase *gate_case(void)
{
	TCase *tcase = tcase_create("gate");

	tcase_add_loop_test(tcase, head_is_judged_as_the_table_says, 0, (int)ARRAY_LEN(judged));
	tcase_add_loop_test(tcase, head_of_a_request_with_body_is_judged_as_the_table_says, 0,
	    (int)ARRAY_LEN(with_body));
	tcase_add_test(tcase, sixty_lines_pass_and_one_more_does_not);
	tcase_add_test(tcase, target_that_is_no_path_is_refused);
	tcase_add_test(tcase, transfer_encoding_in_http_1_0_is_malformed);
	return tcase;
}
