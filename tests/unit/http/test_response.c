/* Whole answers, byte by byte. */
#include <string.h>

#include "base/attrs.h"
#include "http/http.h"
#include "test_http.h"

static const struct {
	int status;
	const char *type, *body, *headers;
	const char *before_date, *after_date;
} responses[] = {
	{ 200, "text/plain", "hello", NULL, "HTTP/1.1 200 OK\r\n",
	    "Content-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello" },
	{ 200, "text/html", "ok", "Cache-Control: no-store\r\nX: y\r\n", "HTTP/1.1 200 OK\r\n",
	    "Content-Type: text/html\r\nContent-Length: 2\r\nCache-Control: no-store\r\nX: y\r\n"
	    "Connection: close\r\n\r\nok" },
	{ 200, NULL, "", NULL, "HTTP/1.1 200 OK\r\n",
	    "Content-Length: 0\r\nConnection: close\r\n\r\n" },
	{ 204, "text/plain", "", "Vary: Origin\r\n", "HTTP/1.1 204 No Content\r\n",
	    "Content-Length: 0\r\nVary: Origin\r\nConnection: close\r\n\r\n" },
	{ 304, "text/html", "", "ETag: \"x\"\r\n", "HTTP/1.1 304 Not Modified\r\n",
	    "ETag: \"x\"\r\nConnection: close\r\n\r\n" },
	{ 413, NULL, "", "", "HTTP/1.1 413 Content Too Large\r\n",
	    "Content-Length: 0\r\nConnection: close\r\n\r\n" },
};

START_TEST(response_is_formatted_as_the_table_says)
{
	struct buf out = BUF_INIT;
	const char *text, *date, *after;

	http_append_response(&out, responses[_i].status, responses[_i].type,
	    bytes_of_str(responses[_i].body), responses[_i].headers);
	text = buf_str(&out);
	date = strstr(text, "Date: ");
	ck_assert_ptr_nonnull(date);
	after = strstr(date, "\r\n") + 2;
	ck_assert_uint_eq((size_t)(date - text), strlen(responses[_i].before_date));
	ck_assert_mem_eq(text, responses[_i].before_date, (size_t)(date - text));
	ck_assert_str_eq(after, responses[_i].after_date);
	buf_finish(&out);
}
END_TEST

START_TEST(response_is_appended)
{
	struct buf out = BUF_INIT;

	buf_append_str(&out, "HTTP/1.1 100 Continue\r\n\r\n");
	http_append_response(&out, 400, NULL, bytes_of(NULL, 0), NULL);
	ck_assert_ptr_eq(strstr(buf_str(&out), "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 Bad "
					       "Request\r\n"),
	    buf_str(&out));
	buf_finish(&out);
}
END_TEST

START_TEST(body_may_hold_any_byte)
{
	struct buf out = BUF_INIT;

	http_append_response(&out, 200, NULL, bytes_of("a\0\r\n\0", 5), NULL);
	ck_assert_mem_eq(out.data + out.len - 9, "\r\n\r\na\0\r\n\0", 9);
	buf_finish(&out);
}
END_TEST

static const struct {
	int status;
	const char *line;
} lines[] = {
	{ 403, "HTTP/1.1 403 Forbidden\r\n" },
	{ 404, "HTTP/1.1 404 Not Found\r\n" },
	{ 405, "HTTP/1.1 405 Method Not Allowed\r\n" },
	{ 408, "HTTP/1.1 408 Request Timeout\r\n" },
	{ 411, "HTTP/1.1 411 Length Required\r\n" },
	{ 429, "HTTP/1.1 429 Too Many Requests\r\n" },
	{ 431, "HTTP/1.1 431 Request Header Fields Too Large\r\n" },
	{ 500, "HTTP/1.1 500 Internal Server Error\r\n" },
	{ 503, "HTTP/1.1 503 Service Unavailable\r\n" },
};

START_TEST(status_has_its_reason)
{
	struct buf out = BUF_INIT;

	http_append_response(&out, lines[_i].status, NULL, bytes_of(NULL, 0), NULL);
	ck_assert_mem_eq(out.data, lines[_i].line, strlen(lines[_i].line));
	buf_finish(&out);
}
END_TEST

TCase *response_case(void)
{
	TCase *tcase = tcase_create("response");

	tcase_add_loop_test(
	    tcase, response_is_formatted_as_the_table_says, 0, (int)ARRAY_LEN(responses));
	tcase_add_test(tcase, response_is_appended);
	tcase_add_test(tcase, body_may_hold_any_byte);
	tcase_add_loop_test(tcase, status_has_its_reason, 0, (int)ARRAY_LEN(lines));
	return tcase;
}
