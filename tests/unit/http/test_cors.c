/* Who may talk to us, what the answer says about it, and what never gets into an answer. */
#include "http/cors.h"

#include <stdio.h>
#include <string.h>

#include "base/attrs.h"
#include "test_http.h"

#define LIST "https://app.example, http://localhost:5173"
#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X256 X64 X64 X64 X64

static const struct {
	const char *origins;
	const char *blamed; /* NULL: well-formed */
} settings[] = {
	{ "", NULL },
	{ "  ", NULL },
	{ "*", NULL },
	{ " * ", NULL },
	{ "https://a", NULL },
	{ "https://a.b-c.example:65535", NULL },
	{ "HTTPS://A", NULL },
	{ "http://[::1]:3000", NULL },
	{ "http://127.0.0.1", NULL },
	{ "capacitor://localhost", NULL },
	{ "https://a,https://b", NULL },
	{ " https://a , https://b c+d-e.f://g ,", NULL },
	{ "*,https://a", "\"*\"" },
	{ "https://a *", "\"*\"" },
	{ "null", "\"null\"" },
	{ "a.example", "\"a.example\"" },
	{ "https://a, a.example", "\"a.example\"" },
	{ "//a", "\"//a\"" },
	{ "://a", "\"://a\"" },
	{ "1http://a", "\"1http://a\"" },
	{ "ht_tp://a", "\"ht_tp://a\"" },
	{ "https://", "\"https://\"" },
	{ "https://a/", "\"https://a/\"" },
	{ "https://a/path", "\"https://a/path\"" },
	{ "https://a?q", "\"https://a?q\"" },
	{ "https://user@a", "\"https://user@a\"" },
	{ "https://*.a", "\"https://*.a\"" },
	{ "https://a:", "\"https://a:\"" },
	{ "https://a:0", "\"https://a:0\"" },
	{ "https://a:65536", "\"https://a:65536\"" },
	{ "https://a:000080", "\"https://a:000080\"" },
	{ "https://a:8o", "\"https://a:8o\"" },
	{ "https://a:80:80", "\"https://a:80:80\"" },
	{ "https://[]", "\"https://[]\"" },
	{ "https://[::1", "\"https://[::1\"" },
	{ "https://[g]", "\"https://[g]\"" },
	{ "https://a\r\nX:y", "\"https://a" },
	{ "https://b\xC3\xBC.example", "\"https://b" },
	{ "https://" X256, "\"https://" },
};

START_TEST(setting_is_read_as_the_table_says)
{
	struct err err = ERR_INIT;
	struct http_cors *cors = NULL;
	enum status s = http_cors_new(settings[_i].origins, &cors, &err);

	if (!settings[_i].blamed) {
		ck_assert_ok(s, err);
	} else {
		ck_assert_msg(s == STATUS_INVALID, "%s", settings[_i].origins);
		ck_assert_msg(strstr(err.msg, settings[_i].blamed) != NULL, "%s", err.msg);
	}
	http_cors_free(cors);
}
END_TEST

static struct http_cors *cors_of(const char *origins)
{
	struct err err = ERR_INIT;
	struct http_cors *cors = NULL;

	ck_assert_ok(http_cors_new(origins, &cors, &err), err);
	return cors;
}

static const struct {
	const char *origins, *lines;
	enum http_origin origin;
} judged[] = {
	/* our own pages alone */
	{ "", "Host: a", HTTP_ORIGIN_NONE },
	{ "", "Host: a|Origin: https://a", HTTP_ORIGIN_ALLOWED },
	{ "", "Host: a|Origin: http://a", HTTP_ORIGIN_ALLOWED },
	{ "", "Host: A|Origin: HTTP://a", HTTP_ORIGIN_ALLOWED },
	{ "", "Host: a:3000|Origin: http://a:3000", HTTP_ORIGIN_ALLOWED },
	{ "", "Host: [::1]:3000|Origin: http://[::1]:3000", HTTP_ORIGIN_ALLOWED },
	{ "", "Host: a:3000|Origin: http://a", HTTP_ORIGIN_FOREIGN },
	{ "", "Host: a|Origin: http://a:3000", HTTP_ORIGIN_FOREIGN },
	{ "", "Host: a|Origin: http://b", HTTP_ORIGIN_FOREIGN },
	{ "", "Host: a|Origin: http://a.b", HTTP_ORIGIN_FOREIGN },
	{ "", "Host: a|Origin: http://b.a", HTTP_ORIGIN_FOREIGN },
	{ "", "Host: a|Origin: a", HTTP_ORIGIN_FOREIGN },
	{ "", "Host: a|Origin: http://a/", HTTP_ORIGIN_FOREIGN },
	{ "", "Host: a|Origin: http://x@a", HTTP_ORIGIN_FOREIGN },
	{ "", "Host: a|Origin: x://http://a", HTTP_ORIGIN_FOREIGN },
	{ "", "Host: a|Origin: null", HTTP_ORIGIN_FOREIGN },
	{ "", "Host: null|Origin: null", HTTP_ORIGIN_FOREIGN },
	/* a list, and our own */
	{ LIST, "Host: a", HTTP_ORIGIN_NONE },
	{ LIST, "Host: a|Origin: https://app.example", HTTP_ORIGIN_ALLOWED },
	{ LIST, "Host: a|Origin: HTTPS://App.Example", HTTP_ORIGIN_ALLOWED },
	{ LIST, "Host: a|origin: http://localhost:5173", HTTP_ORIGIN_ALLOWED },
	{ LIST, "Host: a|Origin: https://a", HTTP_ORIGIN_ALLOWED },
	{ LIST, "Host: a|Origin: http://app.example", HTTP_ORIGIN_FOREIGN },
	{ LIST, "Host: a|Origin: https://app.example:443", HTTP_ORIGIN_FOREIGN },
	{ LIST, "Host: a|Origin: https://app.example.evil", HTTP_ORIGIN_FOREIGN },
	{ LIST, "Host: a|Origin: https://evil.app.example", HTTP_ORIGIN_FOREIGN },
	{ LIST, "Host: a|Origin: https://app.exampl", HTTP_ORIGIN_FOREIGN },
	{ LIST, "Host: a|Origin: http://localhost", HTTP_ORIGIN_FOREIGN },
	{ LIST, "Host: a|Origin: null", HTTP_ORIGIN_FOREIGN },
	/* any */
	{ "*", "Host: a", HTTP_ORIGIN_NONE },
	{ "*", "Host: a|Origin: https://b", HTTP_ORIGIN_ALLOWED },
	{ "*", "Host: a|Origin: null", HTTP_ORIGIN_ALLOWED },
	{ "*", "Host: a|Origin: file://", HTTP_ORIGIN_ALLOWED },
	/* malformed */
	{ "", "Host: a|Origin: http://a|Origin: http://a", HTTP_ORIGIN_MALFORMED },
	{ "*", "Host: a|Origin: http://a|origin: http://b", HTTP_ORIGIN_MALFORMED },
	{ "*", "Host: a|Origin: ", HTTP_ORIGIN_MALFORMED },
	{ "*", "Host: a|Origin: http://a http://b", HTTP_ORIGIN_ALLOWED },
	{ "", "Host: a|Origin: http://a http://b", HTTP_ORIGIN_MALFORMED },
	{ "*", "Host: a|Origin: http://a\r\nX: y", HTTP_ORIGIN_MALFORMED },
	{ "*", "Host: a|Origin: http://a\x7f", HTTP_ORIGIN_MALFORMED },
	{ "*", "Host: a|Origin: http://a\t", HTTP_ORIGIN_MALFORMED },
	{ "*", "Host: a|Origin: http://\xC3\xA4", HTTP_ORIGIN_ALLOWED },
	{ LIST, "Host: a|Origin: http://\xC3\xA4", HTTP_ORIGIN_MALFORMED },
	{ "*", "Host: a|Origin: " X256, HTTP_ORIGIN_ALLOWED },
	{ "*", "Host: a|Origin: x" X256, HTTP_ORIGIN_MALFORMED },
};

START_TEST(origin_is_judged_as_the_table_says)
{
	struct http_cors *cors = cors_of(judged[_i].origins);
	struct http_head head = head_of(judged[_i].lines);
	enum http_origin origin = cors_judge(cors, &head);

	ck_assert_msg(origin == judged[_i].origin, "\"%s\", %s: %d", judged[_i].origins,
	    judged[_i].lines, (int)origin);
	http_cors_free(cors);
}
END_TEST

#define ALLOW(origin) "Access-Control-Allow-Origin: " origin "\r\n"
#define VARY "Vary: Origin\r\n"

static const struct {
	const char *origins, *lines, *headers;
} answers[] = {
	{ "", "Host: a", "" },
	{ "", "Host: a|Origin: http://a", "" },
	{ "", "Host: a|Origin: http://b", "" },
	{ "*", "Host: a", ALLOW("*") },
	{ "*", "Host: a|Origin: http://b", ALLOW("*") },
	{ "*", "Host: a|Origin: http://b\r\nX: y", ALLOW("*") },
	{ LIST, "Host: a", VARY },
	{ LIST, "Host: a|Origin: https://app.example", ALLOW("https://app.example") VARY },
	{ LIST, "Host: a|Origin: https://APP.example", ALLOW("https://APP.example") VARY },
	{ LIST, "Host: a|Origin: http://a", ALLOW("http://a") VARY },
	{ LIST, "Host: a|Origin: http://b", VARY },
	{ LIST, "Host: a|Origin: null", VARY },
	{ LIST, "Host: a|Origin: https://app.example|Origin: https://app.example", VARY },
	{ LIST, "Host: a|Origin: https://app.example\r\nX: y", VARY },
	{ LIST, "Host: a|Origin: https://app.example\n", VARY },
};

START_TEST(headers_are_as_the_table_says)
{
	struct http_cors *cors = cors_of(answers[_i].origins);
	struct http_head head = head_of(answers[_i].lines);
	struct buf out = BUF_INIT;

	cors_append_headers(cors, &head, &out);
	ck_assert_str_eq(buf_str(&out), answers[_i].headers);
	buf_finish(&out);
	http_cors_free(cors);
}
END_TEST

#define METHODS "Access-Control-Allow-Methods: GET,HEAD,PUT,PATCH,POST,DELETE\r\n"
#define VARY_NAMES "Vary: Access-Control-Request-Headers\r\n"
#define NAMES(names) "Access-Control-Allow-Headers: " names "\r\n" VARY_NAMES
#define ASK "Host: a|Origin: https://app.example|Access-Control-Request-Headers: "

static const struct {
	const char *origins, *lines, *headers;
} preflights[] = {
	{ "", "Host: a", METHODS VARY_NAMES },
	{ "*", "Host: a|Origin: http://b", ALLOW("*") METHODS VARY_NAMES },
	{ "*", ASK "content-type", ALLOW("*") METHODS NAMES("content-type") },
	{ LIST, ASK "x-a, x-b", ALLOW("https://app.example") VARY METHODS NAMES("x-a, x-b") },
	{ LIST, "Host: a|Origin: http://b", VARY METHODS VARY_NAMES },
	/* names that are none are not said back */
	{ "*", ASK "", ALLOW("*") METHODS VARY_NAMES },
	{ "*", ASK "a\r\nX: y", ALLOW("*") METHODS VARY_NAMES },
	{ "*", ASK "a\n", ALLOW("*") METHODS VARY_NAMES },
	{ "*", ASK "a:b", ALLOW("*") METHODS VARY_NAMES },
	{ "*", ASK "a\tb", ALLOW("*") METHODS VARY_NAMES },
	{ "*", ASK "a;b", ALLOW("*") METHODS VARY_NAMES },
	{ "*", ASK "\xC3\xA4", ALLOW("*") METHODS VARY_NAMES },
	{ "*", ASK "a|Access-Control-Request-Headers: b", ALLOW("*") METHODS VARY_NAMES },
	{ "*", ASK X256 X256 X256 X256, ALLOW("*") METHODS NAMES(X256 X256 X256 X256) },
	{ "*", ASK X256 X256 X256 X256 "x", ALLOW("*") METHODS VARY_NAMES },
};

START_TEST(preflight_is_answered_as_the_table_says)
{
	struct http_cors *cors = cors_of(preflights[_i].origins);
	struct http_head head = head_of(preflights[_i].lines);
	struct buf out = BUF_INIT;

	cors_append_preflight(cors, &head, &out);
	ck_assert_str_eq(buf_str(&out), preflights[_i].headers);
	buf_finish(&out);
	http_cors_free(cors);
}
END_TEST

TCase *cors_case(void)
{
	TCase *tcase = tcase_create("cors");

	tcase_add_loop_test(tcase, setting_is_read_as_the_table_says, 0, (int)ARRAY_LEN(settings));
	tcase_add_loop_test(tcase, origin_is_judged_as_the_table_says, 0, (int)ARRAY_LEN(judged));
	tcase_add_loop_test(tcase, headers_are_as_the_table_says, 0, (int)ARRAY_LEN(answers));
	tcase_add_loop_test(
	    tcase, preflight_is_answered_as_the_table_says, 0, (int)ARRAY_LEN(preflights));
	return tcase;
}
