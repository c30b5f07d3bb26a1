/* The front over real sockets: routes, the gate on the wire, adoption by a real loop. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attrs.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "client.h"
#include "http/cors.h"
#include "http/http.h"
#include "loop/loop.h"
#include "support/support.h"
#include "test_bodies.h"

#define HOST "Host: test\r\n"
#define HANDSHAKE                                                                         \
	"GET /ws?EIO=4 HTTP/1.1\r\n" HOST "Upgrade: websocket\r\nConnection: Upgrade\r\n" \
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

enum { WAIT_MS = 20000, FLOOR = 1024 };

/* The server: what the edge will be, with an echo for a protocol. */

struct server {
	struct loop *loop;
	struct http_front *front;
	struct http_cors *cors;
	int port;
	atomic_int guests; /* adopted and not closed yet */
	atomic_int below_floor;
	atomic_int adopt_status; /* of the last one that failed */
};

struct guest {
	struct server *server;
	struct loop_fd *lfd;
	int fd;
	char accept[29];
};

static void on_hello(void *arg, struct http_request *req)
{
	(void)arg;
	if (strcmp(http_method(req), "GET") != 0 && strcmp(http_method(req), "HEAD") != 0)
		http_respond(
		    req, 405, "text/plain", BYTES_LITERAL("GET it\n"), "Allow: GET, HEAD\r\n");
	else
		http_respond(req, 200, "text/plain", BYTES_LITERAL("hello\n"), NULL);
}

static void on_tell(void *arg, struct http_request *req)
{
	struct buf body = BUF_INIT;
	char x[32];
	bool has_x = http_query_param(req, "x", x, sizeof(x));

	(void)arg;
	buf_appendf(&body, "%s|%s|%s|%s|%s|%s", http_method(req), http_path(req), http_query(req),
	    has_x ? x : "-", http_header(req, "x-thing") ? http_header(req, "x-thing") : "-",
	    http_peer(req));
	http_respond(req, 200, "text/plain", buf_bytes(&body), "X-More: 1\r\n");
	buf_finish(&body);
}

static void on_large(void *arg, struct http_request *req)
{
	char *body = xcalloc(1, 50000);

	(void)arg;
	(void)memset(body, 'x', 50000);
	http_respond(req, 200, "text/plain", bytes_of(body, 50000), NULL);
	free(body);
}

static void on_nothing(void *arg, struct http_request *req)
{
	(void)arg;
	http_respond(req, 204, NULL, bytes_of(NULL, 0), NULL);
}

static void on_cors(void *arg, struct http_request *req)
{
	static const int statuses[] = {
		[HTTP_ORIGIN_NONE] = 200,
		[HTTP_ORIGIN_ALLOWED] = 200,
		[HTTP_ORIGIN_FOREIGN] = 403,
		[HTTP_ORIGIN_MALFORMED] = 400,
	};
	struct server *of = arg;
	struct buf headers = BUF_INIT;

	if (strcmp(http_method(req), "OPTIONS") == 0) {
		http_cors_append_preflight(of->cors, req, &headers);
		http_respond(req, 204, NULL, bytes_of(NULL, 0), buf_str(&headers));
	} else {
		http_cors_append_headers(of->cors, req, &headers);
		http_respond(req, statuses[http_cors_judge(of->cors, req)], "text/plain",
		    BYTES_LITERAL("judged\n"), buf_str(&headers));
	}
	buf_finish(&headers);
}

static void guest_on_ready(void *arg, int events)
{
	struct guest *guest = arg;
	char data[256];
	ssize_t n = recv(loop_fd_number(guest->lfd), data, sizeof(data), 0);

	(void)events;
	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0 && send(loop_fd_number(guest->lfd), data, (size_t)n, MSG_NOSIGNAL) == n)
		return;
	loop_fd_close(guest->lfd);
	atomic_fetch_sub(&guest->server->guests, 1);
	free(guest);
}

static void guest_enter(void *arg)
{
	struct guest *guest = arg;
	char head[256];
	int len = snprintf(head, sizeof(head),
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: %s\r\n\r\n",
	    guest->accept);

	guest->lfd = loop_fd_open(guest->server->loop, guest->fd, guest_on_ready, guest);
	loop_fd_want(guest->lfd, LOOP_READABLE);
	(void)send(guest->fd, head, (size_t)len, MSG_NOSIGNAL); /* if it left, reading will tell */
}

static void on_ws(void *arg, struct http_request *req)
{
	struct server *server = arg;
	const char *wrong = http_websocket_check(req);
	struct err err = ERR_INIT;
	struct guest *guest;
	char accept[29];
	enum status s;
	int fd;

	if (wrong) {
		http_respond(req, 400, "text/plain", bytes_of_str(wrong), NULL);
		return;
	}
	http_websocket_accept(http_header(req, "Sec-WebSocket-Key"), accept);
	s = http_adopt(req, &fd, NULL, &err);
	if (s) {
		atomic_store(&server->adopt_status, (int)s);
		return;
	}
	if (fd < FLOOR)
		atomic_fetch_add(&server->below_floor, 1);
	guest = xcalloc(1, sizeof(*guest));
	guest->server = server;
	guest->fd = fd;
	(void)memcpy(guest->accept, accept, sizeof(accept));
	atomic_fetch_add(&server->guests, 1);
	loop_post(server->loop, guest_enter, guest);
}

static const struct http_route routes[] = {
	{ .path = "/hello", .fn = on_hello },
	{ .path = "/slashed/", .fn = on_hello },
	{ .path = "/tell", .fn = on_tell },
	{ .path = "/large", .fn = on_large },
	{ .path = "/nothing", .fn = on_nothing },
	{ .path = "/cors", .fn = on_cors },
	{ .path = "/ws", .fn = on_ws },
};

static struct server server;

static void start_server(void)
{
	struct err err = ERR_INIT;
	struct http_config cfg = { .bind = "127.0.0.1:0",
		.threads = 8,
		.request_timeout_ms = 60000,
		.server_name = "test",
		.routes = routes,
		.routes_len = ARRAY_LEN(routes),
		.arg = &server };

	(void)memset(&server, 0, sizeof(server));
	ck_assert_ok(http_cors_new("https://app.example", &server.cors, &err), err);
	server.loop = loop_new("guests");
	ck_assert_ok(loop_start(server.loop, &err), err);
	ck_assert_ok(http_front_new(&cfg, &server.front, &err), err);
	server.port = http_front_port(server.front);
	ck_assert_int_gt(server.port, 0);
}

static void stop_server(void)
{
	http_front_free(server.front);
	loop_stop(server.loop);
	loop_join(server.loop);
	loop_free(server.loop);
	http_cors_free(server.cors);
}

static bool no_guests(void *arg)
{
	(void)arg;
	return atomic_load(&server.guests) == 0;
}

static int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	int count = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		count++;
	(void)closedir(dir);
	return count;
}

/* Routes and answers */

static const struct {
	const char *target;
	int status;
} targets[] = {
	{ "/hello", 200 },
	{ "/hello?", 200 },
	{ "/hello?a=/x", 200 },
	{ "/slashed/", 200 },
	{ "/slashed", 404 },
	{ "/", 404 },
	{ "/Hello", 404 },
	{ "/hello/", 404 },
	{ "/hello/more", 404 },
	{ "/hellomore", 404 },
	{ "//hello", 404 },
	{ "/./hello", 404 },
	{ "/x/../hello", 404 },
	{ "/%68ello", 404 },
	{ "/hello%00", 404 },
	{ "/hello%3f", 404 },
};

START_TEST(route_matches_the_exact_path_alone)
{
	struct answer answer;
	char text[256];

	(void)snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" HOST "\r\n", targets[_i].target);
	client_ask(server.port, text, &answer);
	ck_assert_msg(
	    answer.status == targets[_i].status, "%s: %s", targets[_i].target, answer.text);
}
END_TEST

START_TEST(handler_decides_about_the_method)
{
	struct answer answer;

	client_ask(server.port, "DELETE /hello HTTP/1.1\r\n" HOST "\r\n", &answer);
	ck_assert_int_eq(answer.status, 405);
	ck_assert_ptr_nonnull(strstr(answer.text, "\r\nAllow: GET, HEAD\r\n"));
	client_ask(server.port,
	    "OPTIONS /hello HTTP/1.1\r\n" HOST "Origin: http://x\r\n"
	    "Access-Control-Request-Method: GET\r\n\r\n",
	    &answer);
	ck_assert_int_eq(answer.status, 405); /* civetweb would have answered this one itself */
}
END_TEST

START_TEST(handler_sees_the_request_as_it_was_sent)
{
	struct answer answer;

	client_ask(server.port, "GET /tell?x=a%20b&y=%41 HTTP/1.1\r\n" HOST "X-Thing:  v w\r\n\r\n",
	    &answer);
	ck_assert_int_eq(answer.status, 200);
	ck_assert_str_eq(
	    answer.text + answer.head_len, "GET|/tell|x=a%20b&y=%41|a b|v w|127.0.0.1");
	ck_assert_ptr_nonnull(strstr(answer.text, "\r\nX-More: 1\r\n"));
}
END_TEST

START_TEST(answer_has_its_length_and_closes)
{
	struct answer answer;

	client_ask(
	    server.port, "GET /hello HTTP/1.1\r\n" HOST "Connection: keep-alive\r\n\r\n", &answer);
	ck_assert_ptr_nonnull(strstr(answer.text, "\r\nContent-Length: 6\r\n"));
	ck_assert_ptr_nonnull(strstr(answer.text, "\r\nConnection: close\r\n"));
	ck_assert_str_eq(answer.text + answer.head_len, "hello\n");
	client_ask(server.port, "GET /large HTTP/1.1\r\n" HOST "\r\n", &answer);
	ck_assert_uint_eq(answer.body_len, 50000);
	client_ask(server.port, "GET /nothing HTTP/1.1\r\n" HOST "\r\n", &answer);
	ck_assert_int_eq(answer.status, 204);
	ck_assert_uint_eq(answer.body_len, 0);
	ck_assert_ptr_nonnull(strstr(answer.text, "\r\nContent-Length: 0\r\n"));
	ck_assert_ptr_null(strstr(answer.text, "Content-Type"));
}
END_TEST

START_TEST(head_gets_the_length_without_the_body)
{
	struct answer answer;

	client_ask(server.port, "HEAD /hello HTTP/1.1\r\n" HOST "\r\n", &answer);
	ck_assert_int_eq(answer.status, 200);
	ck_assert_ptr_nonnull(strstr(answer.text, "\r\nContent-Length: 6\r\n"));
	ck_assert_uint_eq(answer.body_len, 0);
}
END_TEST

static const struct {
	const char *head;
	int status;
	const char *said; /* NULL: nothing about the origin */
} visits[] = {
	{ "GET /cors HTTP/1.1\r\n" HOST, 200, NULL },
	{ "GET /cors HTTP/1.1\r\n" HOST "Origin: https://app.example\r\n", 200,
	    "\r\nAccess-Control-Allow-Origin: https://app.example\r\nVary: Origin\r\n" },
	{ "GET /cors HTTP/1.1\r\n" HOST "Origin: http://test\r\n", 200,
	    "\r\nAccess-Control-Allow-Origin: http://test\r\nVary: Origin\r\n" },
	{ "GET /cors HTTP/1.1\r\n" HOST "Origin: https://foreign\r\n", 403, NULL },
	{ "GET /cors HTTP/1.1\r\n" HOST "Origin: https://a b\r\n", 400, NULL },
	{ "OPTIONS /cors HTTP/1.1\r\n" HOST "Origin: https://app.example\r\n"
	  "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x-a\r\n",
	    204,
	    "\r\nAccess-Control-Allow-Origin: https://app.example\r\nVary: Origin\r\n"
	    "Access-Control-Allow-Methods: GET,HEAD,PUT,PATCH,POST,DELETE\r\n"
	    "Access-Control-Allow-Headers: x-a\r\nVary: Access-Control-Request-Headers\r\n" },
};

START_TEST(page_of_another_origin_hears_what_the_table_says)
{
	struct answer answer;
	char text[512];

	(void)snprintf(text, sizeof(text), "%s\r\n", visits[_i].head);
	client_ask(server.port, text, &answer);
	ck_assert_msg(answer.status == visits[_i].status, "%s%s", text, answer.text);
	ck_assert_ptr_nonnull(
	    strstr(answer.text, visits[_i].said ? visits[_i].said : "\r\nVary: Origin\r\n"));
	if (!visits[_i].said)
		ck_assert_ptr_null(strstr(answer.text, "Access-Control"));
}
END_TEST

START_TEST(body_that_never_comes_does_not_hold_the_answer)
{
	struct answer answer;

	client_ask(server.port,
	    "POST /hello HTTP/1.1\r\n" HOST "Content-Length: 1000000\r\n\r\nabc", &answer);
	ck_assert_int_eq(answer.status, 405);
	ck_assert(answer.closed); /* and its worker is free */
}
END_TEST

/* The gate */

static const struct {
	const char *text;
	int status;
} wire[] = {
	{ "GET /hello HTTP/1.1\r\n\r\n", 400 },
	{ "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400 },
	{ "GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
	    400 },
	{ "GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3abc\r\n\r\nabc", 400 },
	{ "GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400 },
	{ "GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: "
	  "chunked\r\n\r\n",
	    400 },
	{ "GET /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411 },
	{ "GET /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400 },
	/* what civetweb lets through or loses */
	{ "GET /hello HTTP/1.1\nHost: a\n\n", 400 },
	{ "GET /hello HTTP/1.1\r\nHost: a\n\n", 400 },
	{ "GET /hello HTTP/1.1\r\nHost: a\r\n\n", 400 },
	{ "GET /hello HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400 },
	{ "GET /hello HTTP/1.1\r\nHost : a\r\n\r\n", 400 },
	{ "GET /hello HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400 },
	{ "GET /hello HTTP/1.1\r\nHost: a\r\n: x\r\nContent-Length: 3\r\n\r\nabc", 400 },
	{ "GET /hello HTTP/1.1\r\n Host: a\r\n\r\n", 400 },
	{ "GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "GET /hello  HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "GET /hello HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n", 200 },
	{ "GET /hello HTTP/1.1\r\nHost: a\r\nX:y\r\n\r\n", 200 },
	{ "GET http://a/hello HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
	{ "GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", 505 },
	{ "GET /hello HTTP/1.0\r\nHost: a\r\n\r\n", 200 },
	{ "BREW /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
};

START_TEST(gate_answers_as_the_table_says)
{
	struct answer answer;

	client_ask(server.port, wire[_i].text, &answer);
	ck_assert_msg(answer.status == wire[_i].status, "%s\n%s", wire[_i].text, answer.text);
}
END_TEST

static const struct {
	int lines;
	int status;
} crowds[] = { { 60, 200 }, { 61, 431 }, { 64, 431 }, { 65, 431 }, { 500, 431 } };

START_TEST(more_than_sixty_lines_are_refused)
{
	static char text[16384];
	struct answer answer;
	size_t len = (size_t)snprintf(text, sizeof(text), "GET /hello HTTP/1.1\r\n" HOST);

	for (int i = 1; i < crowds[_i].lines; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "X-%d: %d\r\n", i, i);
	(void)snprintf(text + len, sizeof(text) - len, "\r\n");
	client_ask(server.port, text, &answer);
	ck_assert_msg(answer.status == crowds[_i].status, "%d: %s", crowds[_i].lines, answer.text);
}
END_TEST

/* Lengths around the 16,384 bytes of a worker's buffer, with the end in every way it may come. */
START_TEST(large_head_is_answered_or_refused)
{
	static const char *const ends[] = { "\r\n\r\n", "\n\n", "\r\n\n" };
	static char text[20000];
	struct answer answer;

	for (size_t total = 16370; total <= 16400; total++) {
		const char *end = ends[(total + (size_t)_i) % ARRAY_LEN(ends)];
		int len = snprintf(text, sizeof(text),
		    "%sGET /hello HTTP/1.1\r\n" HOST "X: ", _i == 0 ? "" : "\r\n");

		(void)memset(text + len, 'x', total - (size_t)len);
		(void)memcpy(text + total - strlen(end), end, strlen(end) + 1);
		client_ask(server.port, text, &answer);
		if (end == ends[0] && total <= 16384)
			ck_assert_int_eq(answer.status, 200);
		else
			ck_assert_int_ne(answer.status, 200);
	}
}
END_TEST

/* Adoption */

static void expect_echo(int fd, const char *text)
{
	char data[64];
	size_t len = strlen(text);

	client_send(fd, text);
	ck_assert_int_eq(recv(fd, data, len, MSG_WAITALL), (ssize_t)len);
	ck_assert_mem_eq(data, text, len);
}

static int adopted_client(void)
{
	int fd = client_connect(server.port);

	client_send(fd, HANDSHAKE);
	ck_assert_int_eq(client_read_head(fd), 101);
	return fd;
}

enum { VISITORS = 4, VISITS = 750 };

struct visitor {
	pthread_t thread;
	int good;
};

/* In a thread of its own: no assertions here, they are for the test's thread. */
static void *visit(void *arg)
{
	struct visitor *visitor = arg;

	for (int i = 0; i < VISITS; i++) {
		int fd = client_connect(server.port);
		char data[5];

		if (send(fd, HANDSHAKE, strlen(HANDSHAKE), MSG_NOSIGNAL) > 0 &&
		    client_read_head(fd) == 101 && send(fd, "after", 5, MSG_NOSIGNAL) == 5 &&
		    recv(fd, data, 5, MSG_WAITALL) == 5 && memcmp(data, "after", 5) == 0)
			visitor->good++;
		(void)close(fd);
	}
	return NULL;
}

static bool descriptors_are(void *arg)
{
	return count_entries("/proc/self/fd") == *(int *)arg;
}

START_TEST(three_thousand_upgrades_lose_nothing_and_leak_nothing)
{
	struct visitor visitors[VISITORS] = { 0 };
	int before;

	(void)close(adopted_client()); /* whatever is opened once is open now */
	ck_assert(support_wait(no_guests, NULL, WAIT_MS));
	before = count_entries("/proc/self/fd");
	for (int i = 0; i < VISITORS; i++)
		ck_assert_int_eq(pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]), 0);
	for (int i = 0; i < VISITORS; i++)
		ck_assert_int_eq(pthread_join(visitors[i].thread, NULL), 0);
	for (int i = 0; i < VISITORS; i++)
		ck_assert_int_eq(visitors[i].good, VISITS);
	ck_assert_int_eq(atomic_load(&server.below_floor), 0);
	ck_assert(support_wait(no_guests, NULL, WAIT_MS));
	ck_assert_msg(support_wait(descriptors_are, &before, WAIT_MS), "%d descriptors, %d before",
	    count_entries("/proc/self/fd"), before);
}
END_TEST

START_TEST(idle_adopted_connections_hold_no_thread)
{
	enum { IDLE = 2000 };
	static int fds[IDLE];
	int threads = count_entries("/proc/self/task");
	struct answer answer;

	for (int i = 0; i < IDLE; i++)
		fds[i] = adopted_client();
	ck_assert_int_eq(atomic_load(&server.guests), IDLE);
	ck_assert_int_eq(count_entries("/proc/self/task"), threads);
	client_ask(server.port, "GET /hello HTTP/1.1\r\n" HOST "\r\n", &answer);
	ck_assert_int_eq(answer.status, 200);
	for (int i = 0; i < IDLE; i++) {
		if (i % 100 == 0)
			expect_echo(fds[i], "still there");
		(void)close(fds[i]);
	}
	ck_assert(support_wait(no_guests, NULL, WAIT_MS));
}
END_TEST

START_TEST(bytes_before_the_101_are_answered_400)
{
	struct answer answer;

	client_ask(server.port, HANDSHAKE "\x81\x85hello", &answer);
	ck_assert_int_eq(answer.status, 400);
	ck_assert_int_eq(atomic_load(&server.adopt_status), STATUS_INVALID);
	client_ask(server.port, "\r\n" HANDSHAKE, &answer); /* civetweb skips these two */
	ck_assert_int_eq(answer.status, 400);
	client_ask(server.port, HANDSHAKE HANDSHAKE, &answer); /* a pipelined request */
	ck_assert_int_eq(answer.status, 400);
	ck_assert_int_eq(atomic_load(&server.guests), 0);
}
END_TEST

START_TEST(head_in_pieces_is_adopted_as_well)
{
	int fd = client_connect(server.port);

	for (const char *at = HANDSHAKE; *at; at++)
		ck_assert_int_eq(send(fd, at, 1, MSG_NOSIGNAL), 1);
	ck_assert_int_eq(client_read_head(fd), 101);
	expect_echo(fd, "one");
	expect_echo(fd, "two");
	(void)close(fd);
	ck_assert(support_wait(no_guests, NULL, WAIT_MS));
}
END_TEST

START_TEST(adoption_without_a_free_descriptor_is_answered_503)
{
	struct rlimit limit, before;
	struct answer answer;
	int fd, refused;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	limit.rlim_cur = FLOOR + 2; /* the dead socket and one adopted */
	fd = client_connect(server.port);
	refused = client_connect(server.port);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	client_send(fd, HANDSHAKE);
	ck_assert_int_eq(client_read_head(fd), 101);
	client_send(refused, HANDSHAKE);
	client_read_answer(refused, &answer);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_int_eq(answer.status, 503);
	ck_assert_int_eq(atomic_load(&server.adopt_status), STATUS_UNAVAILABLE);
	expect_echo(fd, "unharmed");
	(void)close(fd);
	(void)close(adopted_client());
	ck_assert(support_wait(no_guests, NULL, WAIT_MS));
}
END_TEST

START_TEST(client_that_left_at_once_is_noticed)
{
	for (int i = 0; i < 50; i++) {
		int fd = client_connect(server.port);

		client_send(fd, HANDSHAKE);
		(void)close(fd);
	}
	(void)close(adopted_client());
	ck_assert(support_wait(no_guests, NULL, WAIT_MS));
}
END_TEST

/* The front's life */

START_TEST(slow_head_is_cut)
{
	struct err err = ERR_INIT;
	struct http_config cfg = { .bind = "127.0.0.1:0",
		.threads = 1,
		.request_timeout_ms = 300,
		.server_name = "impatient",
		.routes = routes,
		.routes_len = ARRAY_LEN(routes) };
	struct http_front *front;
	struct pollfd polled = { .events = POLLIN };
	int64_t deadline_ms = clock_mono_ms() + WAIT_MS;
	struct answer answer;

	ck_assert_ok(http_front_new(&cfg, &front, &err), err);
	polled.fd = client_connect(http_front_port(front));
	/* It never falls silent: a byte at a time, until the other end has had enough. */
	while (poll(&polled, 1, 20) == 0) {
		ck_assert_int_lt(clock_mono_ms(), deadline_ms);
		(void)send(polled.fd, "x", 1, MSG_NOSIGNAL);
	}
	client_read_answer(polled.fd, &answer);
	ck_assert_int_ne(answer.status, 200);
	client_ask(http_front_port(front), "GET /hello HTTP/1.1\r\n" HOST "\r\n", &answer);
	ck_assert_int_eq(answer.status, 200); /* its only worker is free again */
	http_front_free(front);
}
END_TEST

START_TEST(front_that_stopped_accepting_answers_503)
{
	struct answer answer;
	int fd = adopted_client();

	http_front_stop_accepting(server.front);
	client_ask(server.port, "GET /hello HTTP/1.1\r\n" HOST "\r\n", &answer);
	ck_assert_int_eq(answer.status, 503);
	client_ask(server.port, HANDSHAKE, &answer);
	ck_assert_int_eq(answer.status, 503);
	expect_echo(fd, "adopted ones go on");
	(void)close(fd);
	ck_assert(support_wait(no_guests, NULL, WAIT_MS));
}
END_TEST

static void on_admin(void *arg, struct http_request *req)
{
	http_respond(req, 200, "text/plain", bytes_of_str(arg), NULL);
}

START_TEST(process_has_several_fronts)
{
	static const struct http_route admin_routes[] = { { .path = "/healthz", .fn = on_admin } };
	static char text[] = "ok\n";
	struct err err = ERR_INIT;
	struct http_config cfg = { .bind = "127.0.0.1:0",
		.threads = 2,
		.request_timeout_ms = 5000,
		.server_name = "admin",
		.routes = admin_routes,
		.routes_len = 1,
		.arg = text };
	struct http_front *admin;
	struct answer answer;
	int fd;

	ck_assert_ok(http_front_new(&cfg, &admin, &err), err);
	ck_assert_int_ne(http_front_port(admin), server.port);
	client_ask(http_front_port(admin), "GET /healthz HTTP/1.1\r\n" HOST "\r\n", &answer);
	ck_assert_str_eq(answer.text + answer.head_len, "ok\n");
	client_ask(http_front_port(admin), "GET /hello HTTP/1.1\r\n" HOST "\r\n", &answer);
	ck_assert_int_eq(answer.status, 404);
	client_ask(server.port, "GET /healthz HTTP/1.1\r\n" HOST "\r\n", &answer);
	ck_assert_int_eq(answer.status, 404);
	http_front_free(admin);
	fd = adopted_client(); /* the other one does not care */
	expect_echo(fd, "unharmed");
	(void)close(fd);
	ck_assert(support_wait(no_guests, NULL, WAIT_MS));
}
END_TEST

START_TEST(port_in_use_is_told)
{
	struct err err = ERR_INIT;
	char bind[32];
	struct http_config cfg = {
		.bind = bind, .threads = 1, .request_timeout_ms = 1000, .server_name = "second"
	};
	struct http_front *front;

	(void)snprintf(bind, sizeof(bind), "127.0.0.1:%d", server.port);
	ck_assert_int_eq(http_front_new(&cfg, &front, &err), STATUS_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(err.msg, bind));
	ck_assert_msg(strstr(err.msg, "in use") != NULL, "%s", err.msg);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("front");
	TCase *answers = tcase_create("answers");
	TCase *gate = tcase_create("gate");
	TCase *adoption = tcase_create("adoption");
	TCase *life = tcase_create("life");

	tcase_add_checked_fixture(answers, start_server, stop_server);
	tcase_add_checked_fixture(gate, start_server, stop_server);
	tcase_add_checked_fixture(adoption, start_server, stop_server);
	tcase_add_checked_fixture(life, start_server, stop_server);
	tcase_set_timeout(answers, 30);
	tcase_set_timeout(gate, 30);
	tcase_set_timeout(adoption, 60);
	tcase_set_timeout(life, 30);

	tcase_add_loop_test(
	    answers, route_matches_the_exact_path_alone, 0, (int)ARRAY_LEN(targets));
	tcase_add_test(answers, handler_decides_about_the_method);
	tcase_add_test(answers, handler_sees_the_request_as_it_was_sent);
	tcase_add_test(answers, answer_has_its_length_and_closes);
	tcase_add_test(answers, head_gets_the_length_without_the_body);
	tcase_add_loop_test(
	    answers, page_of_another_origin_hears_what_the_table_says, 0, (int)ARRAY_LEN(visits));
	tcase_add_test(answers, body_that_never_comes_does_not_hold_the_answer);
	tcase_add_loop_test(gate, gate_answers_as_the_table_says, 0, (int)ARRAY_LEN(wire));
	tcase_add_loop_test(gate, more_than_sixty_lines_are_refused, 0, (int)ARRAY_LEN(crowds));
	tcase_add_loop_test(gate, large_head_is_answered_or_refused, 0, 3);
	tcase_add_test(adoption, three_thousand_upgrades_lose_nothing_and_leak_nothing);
	tcase_add_test(adoption, idle_adopted_connections_hold_no_thread);
	tcase_add_test(adoption, bytes_before_the_101_are_answered_400);
	tcase_add_test(adoption, head_in_pieces_is_adopted_as_well);
	tcase_add_test(adoption, adoption_without_a_free_descriptor_is_answered_503);
	tcase_add_test(adoption, client_that_left_at_once_is_noticed);
	tcase_add_test(life, slow_head_is_cut);
	tcase_add_test(life, front_that_stopped_accepting_answers_503);
	tcase_add_test(life, process_has_several_fronts);
	tcase_add_test(life, port_in_use_is_told);
	suite_add_tcase(suite, answers);
	suite_add_tcase(suite, gate);
	suite_add_tcase(suite, adoption);
	suite_add_tcase(suite, bodies_case());
	suite_add_tcase(suite, life);
	return support_run(suite);
}
