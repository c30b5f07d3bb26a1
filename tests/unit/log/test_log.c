/* Log lines as a collector reads them: captured from standard error and parsed as JSON. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "log/log.h"
#include "support/support.h"

#define TOKEN "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln"

static int capture_fd, real_stderr;

static void capture_start(void)
{
	char path[] = "/tmp/test_log.XXXXXX";

	capture_fd = mkstemp(path);
	ck_assert_int_ge(capture_fd, 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(fcntl(capture_fd, F_SETFL, O_APPEND), 0);
	real_stderr = dup(STDERR_FILENO);
	ck_assert_int_eq(dup2(capture_fd, STDERR_FILENO), STDERR_FILENO);
	log_init("edge");
}

static void capture_stop(void)
{
	(void)dup2(real_stderr, STDERR_FILENO);
	(void)close(real_stderr);
	(void)close(capture_fd);
}

/* Everything written since capture_start(); the caller's to free(). */
static char *captured(void)
{
	struct buf buf = BUF_INIT;
	off_t at = 0;
	ssize_t got;

	while ((got = pread(capture_fd, buf_reserve(&buf, 65536), 65536, at)) > 0) {
		buf.len += (size_t)got;
		at += got;
	}
	(void)buf_str(&buf);
	return (char *)buf_take(&buf, NULL);
}

/* The only line, parsed. The caller's to json_decref(). */
static json_t *captured_line(void)
{
	char *text = captured();
	json_error_t why;
	json_t *line;

	ck_assert_ptr_nonnull(strchr(text, '\n'));
	ck_assert_str_eq(strchr(text, '\n'), "\n");
	ck_assert_uint_le(strlen(text), PIPE_BUF);
	line = json_loads(text, JSON_REJECT_DUPLICATES, &why);
	ck_assert_msg(line != NULL, "%s in %s", why.text, text);
	free(text);
	return line;
}

static const char *field(const json_t *line, const char *key)
{
	return json_string_value(json_object_get(line, key));
}

START_TEST(line_has_time_svc_level_and_msg_in_that_order)
{
	static const char *const keys[] = { "time", "svc", "level", "msg" };
	json_t *line;
	int64_t ms;
	const char *key;
	json_t *value;
	size_t n = 0;
	struct err err = ERR_INIT;

	log_info("ready on port %d", 8080);
	line = captured_line();
	json_object_foreach(line, key, value)
	{
		ck_assert_uint_lt(n, ARRAY_LEN(keys));
		ck_assert_str_eq(key, keys[n++]);
	}
	ck_assert_uint_eq(n, ARRAY_LEN(keys));
	ck_assert_str_eq(field(line, "svc"), "edge");
	ck_assert_str_eq(field(line, "level"), "info");
	ck_assert_str_eq(field(line, "msg"), "ready on port 8080");
	ck_assert_uint_eq(strlen(field(line, "time")), strlen("2025-01-23T10:30:45.123Z"));
	ck_assert_ok(timestamp_parse(bytes_of_str(field(line, "time")), &ms, &err), err);
	json_decref(line);
}
END_TEST

START_TEST(context_is_on_every_line_of_its_thread)
{
	json_t *line;

	log_context("req", "r1");
	log_context("conn", "c1");
	log_context("user", "alice");
	log_context("conn", NULL);
	log_warn("slow");
	line = captured_line();
	ck_assert_str_eq(field(line, "req"), "r1");
	ck_assert_str_eq(field(line, "user"), "alice");
	ck_assert_ptr_null(json_object_get(line, "conn"));
	json_decref(line);
}
END_TEST

START_TEST(lines_within_a_trace_say_so_until_it_is_taken_away)
{
	struct trace trace;
	json_t *line;

	ck_assert(trace_parse("00-0000000000000000411111111111abcd-4111111111111111-01", &trace));
	log_trace(&trace);
	ck_assert_mem_eq(log_trace_now(), &trace, sizeof(trace));
	log_info("inside");
	line = captured_line();
	/* whole, also where they look like something that is masked */
	ck_assert_str_eq(field(line, "trace_id"), "0000000000000000411111111111abcd");
	ck_assert_str_eq(field(line, "span_id"), "4111111111111111");
	json_decref(line);
	log_trace(NULL);
	ck_assert(!trace_is_set(log_trace_now()));
}
END_TEST

START_TEST(a_line_without_a_trace_does_not_speak_of_one)
{
	static const struct trace none;
	json_t *line;

	log_trace(&none);
	log_info("outside");
	line = captured_line();
	ck_assert_ptr_null(json_object_get(line, "trace_id"));
	ck_assert_ptr_null(json_object_get(line, "span_id"));
	json_decref(line);
}
END_TEST

static void *log_without_context(void *arg)
{
	(void)arg;
	log_info("elsewhere");
	return NULL;
}

START_TEST(context_stays_in_its_thread)
{
	pthread_t thread;
	json_t *line;

	log_context("user", "alice");
	ck_assert_int_eq(pthread_create(&thread, NULL, log_without_context, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	line = captured_line();
	ck_assert_ptr_null(json_object_get(line, "user"));
	json_decref(line);
}
END_TEST

START_TEST(context_is_cut_between_characters_and_masked)
{
	struct buf euros = BUF_INIT;
	json_t *line;

	buf_append_str(&euros, "ab");
	for (int i = 0; i < 40; i++)
		buf_append_str(&euros, "\xe2\x82\xac");
	log_context("user", buf_str(&euros));
	log_context("req", "before 4111111111111111 " TOKEN);
	log_info("x");
	line = captured_line();
	ck_assert_uint_eq(strlen(field(line, "user")), 62); /* the next one would end at 65 */
	ck_assert_str_eq(field(line, "req"), "before *** ***");
	log_context("user", NULL);
	log_context("req", NULL);
	json_decref(line);
	buf_finish(&euros);
}
END_TEST

START_TEST(failure_has_status_and_the_level_of_its_row)
{
	struct err err = ERR_INIT;
	json_t *line;

	err_set(&err, STATUS_UNAVAILABLE, "connection lost");
	log_failure(&err, "store item %d", 7);
	line = captured_line();
	ck_assert_str_eq(field(line, "msg"), "store item 7: connection lost");
	ck_assert_str_eq(field(line, "status"), "unavailable");
	ck_assert_str_eq(field(line, "level"), "warn");
	json_decref(line);
}
END_TEST

static const struct level_row {
	enum log_level now;
	int lines; /* of the four writers and one INTERNAL, one CONFLICT failure */
} level_rows[] = { { LOG_DEBUG, 6 }, { LOG_INFO, 4 }, { LOG_WARN, 3 }, { LOG_ERROR, 2 } };

START_TEST(lines_below_the_level_are_not_written)
{
	const struct level_row *row = &level_rows[_i];
	struct err loud = ERR_INIT, quiet = ERR_INIT;
	char *text;
	int lines = 0;

	err_set(&loud, STATUS_INTERNAL, "broken");
	err_set(&quiet, STATUS_CONFLICT, "done before");
	log_set_level(row->now);
	log_debug("d");
	log_info("i");
	log_warn("w");
	log_error("e");
	log_failure(&loud, "f");
	log_failure(&quiet, "f");
	text = captured();
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	ck_assert_int_eq(lines, row->lines);
	ck_assert(log_enabled(row->now));
	ck_assert(row->now == LOG_DEBUG || !log_enabled(row->now - 1));
	free(text);
}
END_TEST

START_TEST(level_names_are_known)
{
	enum log_level level = LOG_INFO;

	ck_assert(log_level_parse("debug", &level) && level == LOG_DEBUG);
	ck_assert(log_level_parse("info", &level) && level == LOG_INFO);
	ck_assert(log_level_parse("warn", &level) && level == LOG_WARN);
	ck_assert(log_level_parse("error", &level) && level == LOG_ERROR);
	ck_assert(!log_level_parse("INFO", &level));
	ck_assert(!log_level_parse("", &level));
	ck_assert_int_eq(level, LOG_ERROR);
}
END_TEST

static const struct escape_row {
	const char *in, *out;
} escape_rows[] = {
	{ "a \"quoted\" \\ word", "a \"quoted\" \\ word" },
	{ "line\nbreak\ttab\rreturn", "line\nbreak\ttab\rreturn" },
	{ "bell \a esc \x1b[31m del \x7f", "bell \a esc \x1b[31m del \x7f" },
	{ "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x92\xb0", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x92\xb0" },
	{ "\xff", "\xef\xbf\xbd" },
	{ "cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd" },
	{ "overlong \xc0\xaf", "overlong \xef\xbf\xbd\xef\xbf\xbd" },
	{ "surrogate \xed\xa0\x80", "surrogate \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "reordered \xe2\x80\xae", "reordered \xef\xbf\xbd" },
	{ "control \xc2\x9b", "control \xef\xbf\xbd" },
};

START_TEST(any_bytes_make_a_valid_line)
{
	const struct escape_row *row = &escape_rows[_i];
	char *text;
	json_t *line;

	log_info("%s", row->in);
	line = captured_line();
	ck_assert_str_eq(field(line, "msg"), row->out);
	json_decref(line);
	text = captured();
	for (const char *c = text; *c && *c != '\n'; c++)
		ck_assert((unsigned char)*c >= 0x20 && *c != 0x7f);
	free(text);
}
END_TEST

START_TEST(long_message_is_cut_and_the_rest_of_the_line_is_not)
{
	static const char *const pieces[] = { "x", "\xe2\x82\xac", "\x01", "\xff", "\"" };
	struct buf text = BUF_INIT;
	json_t *line;
	const char *msg;

	for (int i = 0; i < 70000; i++)
		buf_append_str(&text, pieces[_i]);
	log_context("user", "alice");
	log_error("%s", buf_str(&text));
	line = captured_line();
	msg = field(line, "msg");
	ck_assert_str_eq(msg + strlen(msg) - 3, "...");
	ck_assert_uint_gt(strlen(msg), 500);
	ck_assert(text_is_utf8(bytes_of_str(msg)));
	ck_assert_str_eq(field(line, "user"), "alice");
	log_context("user", NULL);
	json_decref(line);
	buf_finish(&text);
}
END_TEST

START_TEST(cut_point_never_breaks_a_line)
{
	/* Every length around the bound, so that each kind of cut happens. */
	for (int len = 3600; len < PIPE_BUF + 8; len++) {
		json_t *line;

		log_info("%0*d\xe2\x82\xac\n\xe2\x82\xac", len, 1);
		line = captured_line();
		json_decref(line);
		ck_assert_int_eq(ftruncate(capture_fd, 0), 0);
	}
}
END_TEST

START_TEST(token_across_the_bound_is_masked)
{
	struct buf text = BUF_INIT;
	char *line;

	for (int i = 0; i < 4000; i++)
		buf_append_char(&text, i % 8 ? 'x' : ' ');
	buf_append_str(&text, " eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9");
	for (int i = 0; i < 3000; i++)
		buf_append_char(&text, 'A');
	buf_append_str(&text, ".sig");
	log_info("%s", buf_str(&text));
	line = captured();
	ck_assert_ptr_null(strstr(line, "eyJ"));
	free(line);
	buf_finish(&text);
}
END_TEST

START_TEST(messages_and_failures_are_masked)
{
	struct err err = ERR_INIT;
	char *text;

	err_set(&err, STATUS_INVALID, "bad card 4111111111111111");
	log_failure(&err, "token %s", TOKEN);
	text = captured();
	ck_assert_ptr_nonnull(strstr(text, "\"token ***: bad card ***\""));
	free(text);
}
END_TEST

START_TEST(errno_survives_logging)
{
	ck_assert_int_eq(close(STDERR_FILENO), 0); /* so that writing fails */
	errno = ENOENT;
	log_info("x");
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

enum { THREADS = 4, LINES = 500, ALL_LINES = THREADS * LINES };

static void *log_many(void *arg)
{
	const char *name = arg;

	log_context("conn", name);
	for (int i = 0; i < LINES; i++)
		log_info("line %d of %s %0200d", i, name, i);
	return NULL;
}

START_TEST(lines_of_many_threads_do_not_interleave)
{
	static char names[THREADS][2] = { "a", "b", "c", "d" };
	pthread_t threads[THREADS];
	char *text, *at, *end;
	int lines = 0;

	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, log_many, names[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		log_set_level(LOG_INFO);
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	}
	text = captured();
	for (at = text; (end = strchr(at, '\n')); at = end + 1) {
		json_t *line = json_loadb(at, (size_t)(end - at), JSON_REJECT_DUPLICATES, NULL);

		ck_assert_ptr_nonnull(line);
		ck_assert_ptr_nonnull(field(line, "conn"));
		json_decref(line);
		lines++;
	}
	ck_assert_int_eq(lines, ALL_LINES);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *tcase = tcase_create("lines");

	tcase_add_checked_fixture(tcase, capture_start, capture_stop);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, line_has_time_svc_level_and_msg_in_that_order);
	tcase_add_test(tcase, context_is_on_every_line_of_its_thread);
	tcase_add_test(tcase, context_stays_in_its_thread);
	tcase_add_test(tcase, lines_within_a_trace_say_so_until_it_is_taken_away);
	tcase_add_test(tcase, a_line_without_a_trace_does_not_speak_of_one);
	tcase_add_test(tcase, context_is_cut_between_characters_and_masked);
	tcase_add_test(tcase, failure_has_status_and_the_level_of_its_row);
	tcase_add_loop_test(
	    tcase, lines_below_the_level_are_not_written, 0, (int)ARRAY_LEN(level_rows));
	tcase_add_test(tcase, level_names_are_known);
	tcase_add_loop_test(tcase, any_bytes_make_a_valid_line, 0, (int)ARRAY_LEN(escape_rows));
	tcase_add_loop_test(tcase, long_message_is_cut_and_the_rest_of_the_line_is_not, 0, 5);
	tcase_add_test(tcase, cut_point_never_breaks_a_line);
	tcase_add_test(tcase, token_across_the_bound_is_masked);
	tcase_add_test(tcase, messages_and_failures_are_masked);
	tcase_add_test(tcase, errno_survives_logging);
	tcase_add_test(tcase, lines_of_many_threads_do_not_interleave);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
