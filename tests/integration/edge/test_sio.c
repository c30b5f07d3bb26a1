/* Socket.IO over an engine in this process, without NATS: what the edge's own events do not use. */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attrs.h"
#include "client.h"
#include "engine/engine.h"
#include "engine/sio.h"
#include "poller.h"
#include "support/support.h"

static struct engine engine;
static struct engine_app app;
static struct engine_path path;
static struct sio_config sio;

/* What the last acknowledgement was, told by the loop to the test. */
static struct {
	pthread_mutex_t lock;
	bool told;
	enum status status;
	char args[64];
	size_t attachments;
} outcome = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void on_ack(void *arg, enum status s, const struct json *args,
    const struct socketio_attachments *attachments)
{
	struct buf text = BUF_INIT;

	(void)arg;
	if (args)
		json_append_value(&text, args);
	(void)pthread_mutex_lock(&outcome.lock);
	outcome.told = true;
	outcome.status = s;
	outcome.attachments = attachments ? attachments->len : 0;
	(void)snprintf(outcome.args, sizeof(outcome.args), "%s", buf_str(&text));
	(void)pthread_mutex_unlock(&outcome.lock);
	buf_finish(&text);
}

static bool is_told(void *arg)
{
	bool told;

	(void)arg;
	(void)pthread_mutex_lock(&outcome.lock);
	told = outcome.told;
	(void)pthread_mutex_unlock(&outcome.lock);
	return told;
}

static void on_connect(struct sio_socket *socket, const struct json *auth)
{
	(void)auth;
	sio_accept(socket, NULL);
}

/* "ask <ms>": the server asks the client, which has so long to answer. */
static void on_event(struct sio_socket *socket, const struct sio_event *event)
{
	int64_t ms = 0;

	(void)json_int(json_at(event->args, 1), &ms);
	sio_emit_with_ack(socket, BYTES_LITERAL("[\"question\",1]"), NULL, ms, on_ack, NULL);
}

static void on_leave(struct sio_socket *socket)
{
	(void)socket;
}

static void on_excess(struct sio_socket *socket, const struct sio_event *event, int64_t wait_ms)
{
	ck_assert_int_gt(wait_ms, 0);
	sio_answer(socket, &event->ack, BYTES_LITERAL("[\"excess\"]"), NULL);
}

static const struct sio_namespace namespaces[] = { { .name = "/",
    .on_connect = on_connect,
    .on_event = on_event,
    .on_leave = on_leave,
    .on_excess = on_excess } };

enum { STRIKES = 50, EVENTS = 30 };

static void start(struct rate_rule strikes, struct rate_rule events)
{
	struct engine_config cfg = {
		.id = "test",
		.listen = "127.0.0.1:0",
		.origins = "",
		.admission = { "", "", 0, 0 },
		.paths = &path,
		.paths_len = 1,
		.loops = 1,
		.http_threads = 2,
		.head_timeout_ms = 5000,
		.body_timeout_ms = 5000,
		.ping_interval_ms = 25000,
		.ping_timeout_ms = 20000,
		.upgrade_timeout_ms = 5000,
		.slow_timeout_ms = 10000,
		.max_payload = 100000,
		.max_message = 100000,
		.max_sessions = 100,
		.max_body_memory = 1 << 20,
		.queue = { 1 << 20, 1024 },
		.strikes = strikes,
	};
	struct err err = ERR_INIT;

	sio = (struct sio_config){ .namespaces = namespaces,
		.namespaces_len = 1,
		.connect_timeout_ms = 10000,
		.attachment_timeout_ms = 300,
		.max_packet = 100000,
		.max_attachments = 10,
		.events = events };
	app = sio_app(&sio);
	path = (struct engine_path){ "/socket.io/", &app };
	engine = (struct engine){ 0 };
	outcome.told = false;
	ck_assert_ok(engine_init(&engine, &cfg, &err), err);
	ck_assert_ok(engine_start(&engine, &err), err);
	ck_assert_ok(engine_listen(&engine, &err), err);
}

static void setup(void)
{
	start((struct rate_rule){ 0 }, (struct rate_rule){ 0 });
}

static void setup_limits(void)
{
	start(rate_rule(1, STRIKES), rate_rule(1, EVENTS));
}

static void teardown(void)
{
	engine_drain(&engine, NULL);
	engine_finish(&engine);
}

static struct client *joined(void)
{
	struct client *client = malloc(sizeof(*client));

	client_open(client, http_front_port(engine.front));
	client_send(client, "40");
	(void)client_expect(client, "40{\"sid\":\"");
	return client;
}

static void leave(struct client *client)
{
	client_close(client);
	free(client);
}

static void expect_outcome(enum status s, const char *args)
{
	ck_assert(support_wait(is_told, NULL, 10000));
	(void)pthread_mutex_lock(&outcome.lock);
	ck_assert_int_eq(outcome.status, s);
	ck_assert_str_eq(outcome.args, args);
	outcome.told = false;
	(void)pthread_mutex_unlock(&outcome.lock);
}

START_TEST(the_server_is_told_what_the_client_answers)
{
	struct client *client = joined();

	client_send(client, "42[\"ask\",10000]");
	ck_assert_str_eq(client_expect(client, "question"), "420[\"question\",1]");
	client_send(client, "437[\"of nothing that was asked\"]");
	client_send(client, "430[\"yes\",2]");
	expect_outcome(STATUS_OK, "[\"yes\",2]");
	client_send(client, "430[\"twice\"]"); /* nobody waits for it any more */
	client_send(client, "42[\"ask\",10000]");
	ck_assert_str_eq(client_expect(client, "question"), "421[\"question\",1]");
	leave(client);
}
END_TEST

START_TEST(an_answer_may_bring_attachments)
{
	static const unsigned char blob[] = { 0x82, 0x83, 0, 0, 0, 0, 1, 2, 3 };
	struct client *client = joined();

	client_send(client, "42[\"ask\",10000]");
	(void)client_expect(client, "question");
	client_send(client, "461-0[{\"_placeholder\":true,\"num\":0}]");
	client_send_raw(client, blob, sizeof(blob));
	expect_outcome(STATUS_OK, "[{\"_placeholder\":true,\"num\":0}]");
	(void)pthread_mutex_lock(&outcome.lock);
	ck_assert_uint_eq(outcome.attachments, 1);
	(void)pthread_mutex_unlock(&outcome.lock);
	leave(client);
}
END_TEST

START_TEST(a_client_that_does_not_answer_is_not_waited_for)
{
	struct client *client = joined();

	client_send(client, "42[\"ask\",100]");
	(void)client_expect(client, "question");
	expect_outcome(STATUS_TIMEOUT, "");
	client_send(client, "430[\"late\"]");
	client_send(client, "42[\"ask\",10000]");
	(void)client_expect(client, "question");
	leave(client);
}
END_TEST

START_TEST(a_client_that_leaves_owes_nothing)
{
	struct client *client = joined();

	client_send(client, "42[\"ask\",10000]");
	(void)client_expect(client, "question");
	client_send(client, "41");
	expect_outcome(STATUS_UNAVAILABLE, "");
	client_send(client, "40");
	(void)client_expect(client, "40{\"sid\":\"");
	leave(client);
}
END_TEST

START_TEST(attachments_that_never_come_end_the_session)
{
	struct client *client = joined();

	client_send(client, "451-[\"x\",{\"_placeholder\":true,\"num\":0}]");
	ck_assert_ptr_null(client_next(client));
	ck_assert_int_eq(client->close_code, 1005);
	leave(client);
}
END_TEST

/* The engine finds out that a client has gone while it queues something for it. */
START_TEST(a_client_that_floods_and_vanishes_takes_nobody_with_it)
{
	static char flood[60000 * 8];
	struct linger at_once = { .l_onoff = 1 };
	static const unsigned char connect[] = { 0x81, 0x82, 0, 0, 0, 0, '4', '0' };
	struct client *client;

	for (size_t i = 0; i < sizeof(flood); i += sizeof(connect))
		memcpy(flood + i, connect, sizeof(connect));
	for (int round = 0; round < 5; round++) {
		client = malloc(sizeof(*client));
		client_open(client, http_front_port(engine.front));
		(void)send(client->fd, flood, sizeof(flood), MSG_NOSIGNAL | MSG_DONTWAIT);
		(void)setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		leave(client);
	}
	leave(joined());
}
END_TEST

/* 1 MiB for all bodies that are on their way: sixteen of 90 KB are too many. */
START_TEST(bodies_that_are_never_finished_fill_no_memory)
{
	enum { POSTS = 16, PART = 90000 };
	static char part[PART];
	int fds[POSTS];
	int refused = 0;
	struct client *client = joined();

	memset(part, '4', sizeof(part));
	for (int i = 0; i < POSTS; i++) {
		struct poller poller;
		char head[512];
		int len;

		poller_open(&poller, http_front_port(engine.front));
		len = snprintf(head, sizeof(head),
		    "POST /socket.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: a\r\n"
		    "Content-Length: 99999\r\n\r\n",
		    poller.sid);
		fds[i] = client_connect(http_front_port(engine.front));
		ck_assert_int_eq(send(fds[i], head, (size_t)len, MSG_NOSIGNAL), len);
		(void)send(fds[i], part, sizeof(part), MSG_NOSIGNAL);
	}
	for (int i = 0; i < POSTS; i++) {
		char answer[32] = "";
		struct pollfd pfd = { .fd = fds[i], .events = POLLIN };

		if (poll(&pfd, 1, 300) == 1 && recv(fds[i], answer, sizeof(answer) - 1, 0) > 0)
			refused += strncmp(answer, "HTTP/1.1 503", 12) == 0;
		(void)close(fds[i]);
	}
	ck_assert_int_ge(refused, POSTS - (1 << 20) / PART);
	ck_assert_int_lt(refused, POSTS);
	leave(client);
}
END_TEST

/* What no client needs to send, and which of it may come in a row: the first and then the second.
 */
static const struct {
	const char *what, *first, *second;
	size_t len;
} floods[] = {
	{ "packets that mean nothing", "6", "6", 0 },
	{ "pongs that nobody asked for", "3", "3", 0 },
	{ "acknowledgements that nobody waits for", "437[]", "438[1]", 0 },
	{ "leaving and joining", "41", "40", 0 },
	{ "joining what does not exist", "40/none,", "40/none,", 0 },
	{ "WebSocket pings", "\x89\x80\0\0\0\0", "\x89\x81\0\0\0\0x", 6 },
	{ "WebSocket pongs", "\x8a\x80\0\0\0\0", "\x8a\x81\0\0\0\0x", 6 },
};

static void flood(struct client *client, int i, int n)
{
	while (n-- > 0) {
		const char *text = n % 2 ? floods[i].first : floods[i].second;

		if (!floods[i].len)
			client_send(client, text);
		else
			client_send_raw(client, text, floods[i].len + (n % 2 == 0));
	}
}

static void expect_alive(struct client *client)
{
	client_send(client, "42[\"ask\",10000]");
	(void)client_expect(client, "question");
}

START_TEST(who_sends_what_is_of_no_use_is_closed_in_the_end)
{
	struct client *client = joined(), *other = joined();

	flood(client, _i, STRIKES / 2 - 1); /* an even number: it ends with the second */
	expect_alive(client);
	flood(client, _i, STRIKES + 20);
	while (client_next(client))
		continue;
	ck_assert_int_eq(client->close_code, 1005);
	expect_alive(other);
	leave(client);
	leave(other);
}
END_TEST

static int count_answers(struct client *client, int events, const char *what)
{
	int n = 0;

	for (int i = 0; i < events; i++)
		n += strstr(client_next(client), what) != NULL;
	return n;
}

START_TEST(events_over_the_rate_are_refused_by_themselves)
{
	struct client *client = joined();
	int refused;

	for (int i = 0; i < EVENTS + 10; i++)
		client_send(client, "427[\"ask\",10000]");
	refused = count_answers(client, EVENTS + 10, "437[\"excess\"]");
	ck_assert_int_ge(refused, 1);
	ck_assert_int_le(refused, 10);
	leave(client);
}
END_TEST

START_TEST(who_does_not_heed_refusals_is_closed)
{
	struct client *client = joined();

	for (int i = 0; i < EVENTS + STRIKES + 30; i++)
		client_send(client, "427[\"ask\",10000]");
	while (client_next(client))
		continue;
	ck_assert_int_eq(client->close_code, 1005);
	leave(client);
}
END_TEST

/* One body may hold as many packets as fit. */
START_TEST(a_post_full_of_nothing_ends_its_session)
{
	struct poller poller;
	char body[400];

	poller_open(&poller, http_front_port(engine.front));
	for (size_t i = 0; i + 1 < sizeof(body); i++)
		body[i] = i % 2 ? '\x1e' : '6';
	body[sizeof(body) - 1] = '\0';
	poller_post(&poller, http_front_port(engine.front), body);
	ck_assert_int_eq(poller.status, 200);
	poller_get(&poller, http_front_port(engine.front));
	ck_assert_str_eq(poller.body, "1");
}
END_TEST

static TCase *limits_case(void)
{
	TCase *tc = tcase_create("limits");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup_limits, teardown);
	tcase_add_loop_test(
	    tc, who_sends_what_is_of_no_use_is_closed_in_the_end, 0, (int)ARRAY_LEN(floods));
	tcase_add_test(tc, events_over_the_rate_are_refused_by_themselves);
	tcase_add_test(tc, who_does_not_heed_refusals_is_closed);
	tcase_add_test(tc, a_post_full_of_nothing_ends_its_session);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("sio");
	TCase *tc = tcase_create("sio");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_server_is_told_what_the_client_answers);
	tcase_add_test(tc, an_answer_may_bring_attachments);
	tcase_add_test(tc, a_client_that_does_not_answer_is_not_waited_for);
	tcase_add_test(tc, a_client_that_leaves_owes_nothing);
	tcase_add_test(tc, attachments_that_never_come_end_the_session);
	tcase_add_test(tc, a_client_that_floods_and_vanishes_takes_nobody_with_it);
	tcase_add_test(tc, bodies_that_are_never_finished_fill_no_memory);
	suite_add_tcase(suite, tc);
	suite_add_tcase(suite, limits_case());
	return support_run(suite);
}
