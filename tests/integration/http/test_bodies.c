/*
 * Requests that are adopted while their body is on its way. The server answers with what it got, so
 * that a byte lost, doubled or taken from elsewhere shows.
 */
#include "test_bodies.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/attrs.h"
#include "base/xalloc.h"
#include "client.h"
#include "http/body.h"
#include "http/http.h"
#include "loop/loop.h"
#include "support/support.h"

enum { WAIT_S = 20, BUFFER = 16384, MEGABYTE = 1 << 20 };

/*
 * The server: adopts a request and reads so many bytes behind its head as its X-Raw says; without
 * that header, the body that the head announces.
 */

static struct {
	struct loop *loop;
	struct http_front *front;
	int port;
	atomic_int adopt_status; /* of the last one that failed */
	/* A request with X-Hold stays in its handler from `entered` to `released`. */
	sem_t entered, released;
} server;

struct reader {
	struct loop_fd *lfd;
	int fd;
	size_t early_len;
	bool is_raw;
	size_t expected; /* raw bytes */
	struct buf raw;
	struct http_body body;
};

/* FNV-1a: bytes in another order or from elsewhere show. */
static uint64_t hash_of(struct bytes bytes)
{
	uint64_t hash = 14695981039346656037U;

	for (size_t i = 0; i < bytes.len; i++)
		hash = (hash ^ bytes.data[i]) * 1099511628211U;
	return hash;
}

static void format_result(char text[static 64], struct bytes got)
{
	(void)snprintf(text, 64, "%zu %016llx", got.len, (unsigned long long)hash_of(got));
}

static void reader_end(struct reader *reader)
{
	loop_fd_close(reader->lfd);
	buf_finish(&reader->raw);
	http_body_finish(&reader->body);
	free(reader);
}

static void reader_answer(struct reader *reader, int status, struct bytes got)
{
	struct buf out = BUF_INIT;
	char headers[64], result[64];

	(void)snprintf(headers, sizeof(headers), "X-Early: %zu\r\n", reader->early_len);
	format_result(result, got);
	http_append_response(&out, status, "text/plain", bytes_of_str(result), headers);
	(void)send(reader->fd, out.data, out.len, MSG_NOSIGNAL);
	buf_finish(&out);
	reader_end(reader);
}

static void reader_take(struct reader *reader, struct bytes input)
{
	static const int statuses[] = {
		[HTTP_BODY_DONE] = 200,
		[HTTP_BODY_TOO_LARGE] = 413,
		[HTTP_BODY_MALFORMED] = 400,
	};
	enum http_body_state state;

	if (reader->is_raw) {
		buf_append_bytes(&reader->raw, input);
		if (reader->raw.len >= reader->expected)
			reader_answer(reader, 200, buf_bytes(&reader->raw));
		return;
	}
	state = http_body_feed(&reader->body, input);
	if (state != HTTP_BODY_MORE)
		reader_answer(reader, statuses[state], buf_bytes(&reader->body.data));
}

static void reader_on_ready(void *arg, int events)
{
	struct reader *reader = arg;
	char data[8192];
	ssize_t n = recv(reader->fd, data, sizeof(data), 0);

	(void)events;
	if (n > 0)
		reader_take(reader, bytes_of(data, (size_t)n));
	else if (n == 0 || errno != EAGAIN)
		reader_end(reader);
}

static void reader_enter(void *arg)
{
	struct reader *reader = arg;
	struct buf early = reader->raw;

	reader->raw = (struct buf)BUF_INIT;
	reader->lfd = loop_fd_open(server.loop, reader->fd, reader_on_ready, reader);
	loop_fd_want(reader->lfd, LOOP_READABLE);
	if (early.len == 0 && http_body_wants_continue(&reader->body))
		(void)send(reader->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL);
	reader_take(reader, buf_bytes(&early));
	buf_finish(&early);
}

static void hold(void)
{
	struct timespec deadline;

	(void)clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += WAIT_S;
	(void)sem_post(&server.entered);
	(void)sem_timedwait(&server.released, &deadline);
}

static void on_body(void *arg, struct http_request *req)
{
	struct reader *reader = xcalloc(1, sizeof(*reader));
	const char *raw = http_header(req, "X-Raw");
	struct err err = ERR_INIT;
	enum status s;

	(void)arg;
	reader->is_raw = raw != NULL;
	reader->expected = raw ? strtoul(raw, NULL, 10) : 0;
	http_body_init(&reader->body, req, MEGABYTE);
	if (http_header(req, "X-Hold"))
		hold();
	s = http_adopt(req, &reader->fd, &reader->raw, &err);
	if (s) {
		atomic_store(&server.adopt_status, (int)s);
		http_body_finish(&reader->body);
		free(reader);
		return;
	}
	reader->early_len = reader->raw.len;
	loop_post(server.loop, reader_enter, reader);
}

static void on_bodiless(void *arg, struct http_request *req)
{
	(void)arg;
	http_respond(req, 200, "text/plain", BYTES_LITERAL("ok\n"), NULL);
}

static const struct http_route routes[] = {
	{ .path = "/body", .fn = on_body, .takes_body = true },
	{ .path = "/bodiless", .fn = on_bodiless },
};

static void start_server(void)
{
	struct err err = ERR_INIT;
	struct http_config cfg = { .bind = "127.0.0.1:0",
		.threads = 4,
		.request_timeout_ms = 60000,
		.server_name = "bodies",
		.routes = routes,
		.routes_len = ARRAY_LEN(routes) };

	(void)memset(&server, 0, sizeof(server));
	ck_assert_int_eq(sem_init(&server.entered, 0, 0), 0);
	ck_assert_int_eq(sem_init(&server.released, 0, 0), 0);
	server.loop = loop_new("readers");
	ck_assert_ok(loop_start(server.loop, &err), err);
	ck_assert_ok(http_front_new(&cfg, &server.front, &err), err);
	server.port = http_front_port(server.front);
}

static void stop_server(void)
{
	http_front_free(server.front);
	loop_stop(server.loop);
	loop_join(server.loop);
	loop_free(server.loop);
	(void)sem_destroy(&server.entered);
	(void)sem_destroy(&server.released);
}

static void wait_entered(void)
{
	struct timespec deadline;

	(void)clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += WAIT_S;
	ck_assert_int_eq(sem_timedwait(&server.entered, &deadline), 0);
}

static void release(void)
{
	ck_assert_int_eq(sem_post(&server.released), 0);
}

/* Bytes that repeat nowhere, so that none can stand for another. */
static void fill(uint8_t *data, size_t len)
{
	uint32_t x = 2463534242U;

	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		data[i] = (uint8_t)x;
	}
}

static size_t early_of(const struct answer *answer)
{
	const char *line = strstr(answer->text, "X-Early: ");

	ck_assert_msg(line != NULL, "%s", answer->text);
	return strtoul(line + 9, NULL, 10);
}

static void expect_got(const struct answer *answer, struct bytes sent)
{
	char result[64];

	format_result(result, sent);
	ck_assert_msg(answer->status == 200, "%s", answer->text);
	ck_assert_str_eq(answer->text + answer->head_len, result);
}

/* A head that says what follows; with `total` not 0 it is padded to that many bytes. */
static void append_head(struct buf *out, size_t raw, const char *headers, size_t total)
{
	buf_appendf(out, "POST /body HTTP/1.1\r\nHost: test\r\nX-Raw: %zu\r\n%s", raw, headers);
	if (total) {
		buf_append_str(out, "X-Pad: ");
		while (out->len < total - 4)
			buf_append_char(out, 'x');
		buf_append_str(out, "\r\n");
	}
	buf_append_str(out, "\r\n");
}

/* Lengths of a body's pieces: in one write with the head, while the handler holds, and later. */
static const struct {
	size_t with_head, held, later;
} pieces[] = {
	{ 100, 0, 0 },
	{ 1, 0, 0 },
	{ 0, 1, 0 },
	{ 0, 0, 1 },
	{ 1, 1, 1 },
	{ 0, 5000, 0 },
	{ 5000, 5000, 5000 },
	{ 16000, 20000, 0 },
	{ 1, 0, MEGABYTE - 1 },
	{ 0, 0, MEGABYTE },
	{ 9000, 10000, MEGABYTE },
};

START_TEST(nothing_is_lost_or_doubled_whenever_it_comes)
{
	size_t len = pieces[_i].with_head + pieces[_i].held + pieces[_i].later;
	uint8_t *body = xcalloc(1, len);
	int fd = client_connect(server.port);
	struct buf first = BUF_INIT;
	struct answer answer;

	fill(body, len);
	append_head(&first, len, "X-Hold: 1\r\n", 0);
	buf_append(&first, body, pieces[_i].with_head);
	client_send_bytes(fd, first.data, first.len);
	wait_entered();
	client_send_bytes(fd, body + pieces[_i].with_head, pieces[_i].held);
	release();
	client_send_bytes(fd, body + len - pieces[_i].later, pieces[_i].later);
	client_read_answer(fd, &answer);
	expect_got(&answer, bytes_of(body, len));
	ck_assert_uint_eq(early_of(&answer), pieces[_i].with_head);
	buf_finish(&first);
	free(body);
}
END_TEST

START_TEST(megabyte_in_one_write_arrives)
{
	struct buf all = BUF_INIT;
	int fd = client_connect(server.port);
	struct answer answer;
	size_t head_len;

	append_head(&all, MEGABYTE, "", 0);
	head_len = all.len;
	fill(buf_reserve(&all, MEGABYTE), MEGABYTE);
	all.len += MEGABYTE;
	client_send_bytes(fd, all.data, all.len);
	client_read_answer(fd, &answer);
	expect_got(&answer, bytes_of(all.data + head_len, MEGABYTE));
	ck_assert_uint_le(early_of(&answer), BUFFER - head_len);
	buf_finish(&all);
}
END_TEST

START_TEST(request_a_byte_at_a_time_arrives)
{
	struct buf all = BUF_INIT;
	int fd = client_connect(server.port);
	struct answer answer;
	size_t head_len;

	append_head(&all, 300, "", 0);
	head_len = all.len;
	fill(buf_reserve(&all, 300), 300);
	all.len += 300;
	for (size_t i = 0; i < all.len; i++)
		client_send_bytes(fd, all.data + i, 1);
	client_read_answer(fd, &answer);
	expect_got(&answer, bytes_of(all.data + head_len, 300));
	buf_finish(&all);
}
END_TEST

/* Up to its last byte the worker's buffer is full of head; the body then begins in the kernel. */
START_TEST(body_behind_a_head_as_large_as_the_buffer_arrives)
{
	static uint8_t body[500];

	fill(body, sizeof(body));
	for (size_t total = BUFFER - 20; total <= BUFFER; total++) {
		struct buf all = BUF_INIT;
		int fd = client_connect(server.port);
		struct answer answer;

		append_head(&all, sizeof(body), "", total);
		ck_assert_uint_eq(all.len, total);
		buf_append(&all, body, sizeof(body));
		client_send_bytes(fd, all.data, all.len);
		client_read_answer(fd, &answer);
		expect_got(&answer, bytes_of(body, sizeof(body)));
		ck_assert_uint_eq(early_of(&answer), BUFFER - total);
		buf_finish(&all);
	}
}
END_TEST

/* The kernel counts a FIN as a byte received. */
START_TEST(client_that_closed_its_side_is_counted_right)
{
	static const size_t early[] = { 0, 1, 100 };

	for (size_t i = 0; i < ARRAY_LEN(early); i++) {
		uint8_t body[200];
		int fd = client_connect(server.port);
		struct buf first = BUF_INIT;
		struct answer answer;

		fill(body, sizeof(body));
		append_head(&first, early[i], "X-Hold: 1\r\n", 0);
		buf_append(&first, body, early[i]);
		client_send_bytes(fd, first.data, first.len);
		wait_entered();
		ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
		release();
		client_read_answer(fd, &answer);
		expect_got(&answer, bytes_of(body, early[i]));
		ck_assert_uint_eq(early_of(&answer), early[i]);
		buf_finish(&first);
	}
}
END_TEST

/* Out of line they would be skipped by reads, and the count would be beyond what was read. */
START_TEST(urgent_bytes_are_ordinary_bytes)
{
	static const char body[] = "abXcdYef";
	int fd = client_connect(server.port);
	struct buf first = BUF_INIT;
	struct answer answer;

	append_head(&first, 8, "X-Hold: 1\r\n", 0);
	client_send_bytes(fd, first.data, first.len - 1);
	ck_assert_int_eq(send(fd, "\n", 1, MSG_OOB), 1);
	wait_entered();
	client_send(fd, "ab");
	ck_assert_int_eq(send(fd, "X", 1, MSG_OOB), 1);
	client_send(fd, "cd");
	release();
	ck_assert_int_eq(send(fd, "Y", 1, MSG_OOB), 1);
	client_send(fd, "ef");
	client_read_answer(fd, &answer);
	expect_got(&answer, bytes_of_str(body));
	ck_assert_uint_eq(early_of(&answer), 0);
	buf_finish(&first);
}
END_TEST

/* As those are that come before the front has made its listener keep urgent bytes in line. */
START_TEST(early_bytes_that_cannot_be_counted_are_answered_503)
{
	struct answer answer;
	int off = 0;

	for (int fd = 0; fd < 1024; fd++)
		(void)setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &off, sizeof(off));
	client_ask(server.port, "POST /body HTTP/1.1\r\nHost: a\r\nX-Raw: 3\r\n\r\nabc", &answer);
	ck_assert_int_eq(answer.status, 503);
	ck_assert_int_eq(atomic_load(&server.adopt_status), STATUS_UNAVAILABLE);
	client_ask(server.port, "POST /body HTTP/1.1\r\nHost: a\r\nX-Raw: 0\r\n\r\n", &answer);
	expect_got(&answer, bytes_of(NULL, 0));
}
END_TEST

/* civetweb skips it, and what it then takes for the buffer's begin is not. */
START_TEST(white_space_before_the_request_is_refused)
{
	for (size_t i = 1; i <= 64; i++) {
		struct buf all = BUF_INIT;
		struct answer answer;

		for (size_t k = 0; k < i; k++)
			buf_append_char(&all, "\r\n \t"[k % 4]);
		append_head(&all, 3, "", 0);
		buf_append_str(&all, "abc");
		client_ask(server.port, buf_str(&all), &answer);
		ck_assert_int_eq(answer.status, 400);
		ck_assert_int_eq(atomic_load(&server.adopt_status), STATUS_INVALID);
		buf_finish(&all);
	}
}
END_TEST

START_TEST(client_that_reset_is_forgotten)
{
	struct linger at_once = { .l_onoff = 1 };
	struct answer answer;

	for (int i = 0; i < 20; i++) {
		int fd = client_connect(server.port);

		client_send(
		    fd, "POST /body HTTP/1.1\r\nHost: a\r\nX-Raw: 9\r\nX-Hold: 1\r\n\r\nabc");
		wait_entered();
		ck_assert_int_eq(
		    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
		(void)close(fd);
		release();
	}
	client_ask(server.port, "POST /body HTTP/1.1\r\nHost: a\r\nX-Raw: 3\r\n\r\nabc", &answer);
	expect_got(&answer, BYTES_LITERAL("abc"));
}
END_TEST

/* Of each connection the buffer holds what earlier ones left there. */
START_TEST(each_gets_its_own_bytes_only)
{
	enum { CLIENTS = 4, ROUNDS = 150 };
	uint8_t body[6000];

	fill(body, sizeof(body));
	for (int round = 0; round < ROUNDS; round++) {
		int fds[CLIENTS];
		size_t at[CLIENTS], len[CLIENTS];
		struct answer answer;

		for (size_t i = 0; i < CLIENTS; i++) {
			struct buf first = BUF_INIT;

			len[i] = ((size_t)round * 739 + i * 1543) % 3000 + 1;
			at[i] = ((size_t)round * 31 + i * 17) % 3000;
			fds[i] = client_connect(server.port);
			append_head(&first, len[i], "", 0);
			buf_append(&first, body + at[i], len[i] / 2);
			client_send_bytes(fds[i], first.data, first.len);
			buf_finish(&first);
		}
		for (size_t i = 0; i < CLIENTS; i++) {
			client_send_bytes(fds[i], body + at[i] + len[i] / 2, len[i] - len[i] / 2);
			client_read_answer(fds[i], &answer);
			expect_got(&answer, bytes_of(body + at[i], len[i]));
		}
	}
}
END_TEST

static const struct {
	const char *text;
	int status;
} wire[] = {
	{ "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nX-Raw: 5\r\n\r\n"
	  "0\r\n\r\n",
	    200 },
	{ "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\nX-Raw: 5\r\n\r\n"
	  "0\r\n\r\n",
	    200 },
	{ "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nX-Raw: 3\r\n\r\nabc", 200 },
	{ "GET /body HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nX-Raw: 3\r\n\r\nabc", 200 },
	{ "POST /body HTTP/1.0\r\nHost: a\r\nContent-Length: 3\r\nX-Raw: 3\r\n\r\nabc", 200 },
	{ "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n"
	  "X-Raw: 3\r\n\r\nabc",
	    200 },
	{ "POST /body HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
	{ "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400 },
	{ "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", 400 },
	{ "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 400 },
	{ "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
	  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	    400 },
	{ "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n"
	  "\r\n0\r\n\r\n",
	    400 },
	{ "POST /bodiless HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	    411 },
	{ "POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411 },
};

START_TEST(gate_lets_bodies_through_as_the_table_says)
{
	struct answer answer;

	client_ask(server.port, wire[_i].text, &answer);
	ck_assert_msg(answer.status == wire[_i].status, "%s\n%s", wire[_i].text, answer.text);
}
END_TEST

/* A body of a megabyte in chunks whose sizes have nothing to do with those of the writes. */
START_TEST(chunked_megabyte_is_decoded)
{
	static const size_t sizes[] = { 1, 700, 65536, 16384, 3 };
	uint8_t *body = xcalloc(1, MEGABYTE);
	struct buf all = BUF_INIT;
	int fd = client_connect(server.port);
	struct answer answer;

	fill(body, MEGABYTE);
	buf_append_str(
	    &all, "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (size_t at = 0, i = 0; at < MEGABYTE; i++) {
		size_t size = sizes[i % ARRAY_LEN(sizes)];

		if (size > MEGABYTE - at)
			size = MEGABYTE - at;
		buf_appendf(&all, "%zx\r\n", size);
		buf_append(&all, body + at, size);
		buf_append_str(&all, "\r\n");
		at += size;
	}
	buf_append_str(&all, "0\r\n\r\n");
	for (size_t at = 0; at < all.len; at += 10007)
		client_send_bytes(fd, all.data + at, all.len - at < 10007 ? all.len - at : 10007);
	client_read_answer(fd, &answer);
	expect_got(&answer, bytes_of(body, MEGABYTE));
	buf_finish(&all);
	free(body);
}
END_TEST

START_TEST(client_that_asks_hears_100_before_its_body)
{
	int fd = client_connect(server.port);
	struct answer answer;

	client_send(fd, "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
			"Expect: 100-continue\r\n\r\n");
	ck_assert_int_eq(client_read_head(fd), 100);
	client_send(fd, "abc");
	client_read_answer(fd, &answer);
	expect_got(&answer, BYTES_LITERAL("abc"));
}
END_TEST

static const struct {
	const char *text;
	int status;
} decoded[] = {
	{ "GET /body HTTP/1.1\r\nHost: a\r\n\r\n", 200 },
	{ "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 200 },
	{ "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1", 200 },
	{ "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n", 413 },
	{ "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n"
	  "Expect: 100-continue\r\n\r\n",
	    413 },
	{ "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n", 413 },
	{ "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc", 400 },
};

START_TEST(body_is_answered_as_the_table_says)
{
	struct answer answer;

	client_ask(server.port, decoded[_i].text, &answer);
	ck_assert_msg(answer.status == decoded[_i].status, "%s\n%s", decoded[_i].text, answer.text);
}
END_TEST

TCase *bodies_case(void)
{
	TCase *tcase = tcase_create("bodies");

	tcase_add_checked_fixture(tcase, start_server, stop_server);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(
	    tcase, nothing_is_lost_or_doubled_whenever_it_comes, 0, (int)ARRAY_LEN(pieces));
	tcase_add_test(tcase, megabyte_in_one_write_arrives);
	tcase_add_test(tcase, request_a_byte_at_a_time_arrives);
	tcase_add_test(tcase, body_behind_a_head_as_large_as_the_buffer_arrives);
	tcase_add_test(tcase, client_that_closed_its_side_is_counted_right);
	tcase_add_test(tcase, urgent_bytes_are_ordinary_bytes);
	tcase_add_test(tcase, early_bytes_that_cannot_be_counted_are_answered_503);
	tcase_add_test(tcase, white_space_before_the_request_is_refused);
	tcase_add_test(tcase, client_that_reset_is_forgotten);
	tcase_add_test(tcase, each_gets_its_own_bytes_only);
	tcase_add_loop_test(
	    tcase, gate_lets_bodies_through_as_the_table_says, 0, (int)ARRAY_LEN(wire));
	tcase_add_test(tcase, chunked_megabyte_is_decoded);
	tcase_add_test(tcase, client_that_asks_hears_100_before_its_body);
	tcase_add_loop_test(tcase, body_is_answered_as_the_table_says, 0, (int)ARRAY_LEN(decoded));
	return tcase;
}
