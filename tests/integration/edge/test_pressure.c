/* Clients that read slowly, or not at all: an engine in this process, without NATS. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "client.h"
#include "engine/engine.h"
#include "engine/sio.h"
#include "poller.h"
#include "support/support.h"

enum { RECEIVE_BUFFER = 4096, PING_TIMEOUT_MS = 1500, SLOW_TIMEOUT_MS = 1000 };

static struct engine engine;
static struct engine_app app;
static struct engine_path path;
static struct sio_config sio;

static void on_connect(struct sio_socket *socket, const struct json *auth)
{
	(void)auth;
	sio_accept(socket, NULL);
}

/* What the event's name asks for. */
static enum frame_class class_of(struct bytes name)
{
	if (bytes_equal_str(name, "hints"))
		return FRAME_HINT;
	return bytes_equal_str(name, "states") ? FRAME_STATE : FRAME_KEEP;
}

/* An item without its end. All states are versions of one. */
static struct frame *make_item(enum frame_class class, int64_t n, int64_t size)
{
	struct buf text = BUF_INIT;
	struct frame *frame;

	buf_appendf(&text, "42[\"item\",{\"n\":%lld,\"pad\":\"", (long long)n);
	for (int64_t i = 0; i < size; i++)
		buf_append_char(&text, 'x');
	buf_append_char(&text, '"');
	frame = frame_new(class, buf_bytes(&text), class == FRAME_STATE ? "key" : NULL);
	buf_finish(&text);
	return frame;
}

/* "<class> <count> <size>": so many of that size, all in this turn. */
static void on_event(struct sio_socket *socket, const struct sio_event *event)
{
	int64_t count = 0, size = 0;

	(void)json_int(json_at(event->args, 1), &count);
	(void)json_int(json_at(event->args, 2), &size);
	for (int64_t n = 0; n < count; n++) {
		struct frame *frame = make_item(class_of(event->name), n, size);

		sio_push(socket, frame, 0, NULL);
		frame_unref(frame);
	}
}

static atomic_bool has_left;

static void on_leave(struct sio_socket *socket)
{
	(void)socket;
	atomic_store(&has_left, true);
}

static bool left(void *arg)
{
	(void)arg;
	return atomic_load(&has_left);
}

static const struct sio_namespace namespaces[] = {
	{ .name = "/", .on_connect = on_connect, .on_event = on_event, .on_leave = on_leave },
};

static void start(unsigned queue_packets)
{
	struct engine_config cfg = {
		.id = "test",
		.listen = "127.0.0.1:0",
		.origins = "",
		.paths = &path,
		.paths_len = 1,
		.loops = 1,
		.http_threads = 2,
		.head_timeout_ms = 5000,
		.body_timeout_ms = 20000,
		.ping_interval_ms = 200,
		.ping_timeout_ms = PING_TIMEOUT_MS,
		.upgrade_timeout_ms = 5000,
		.admission = { "", "", 0, 0 },
		.slow_timeout_ms = SLOW_TIMEOUT_MS,
		.max_payload = 100000,
		.max_message = 100000,
		.max_sessions = 100,
		.max_body_memory = 1 << 20,
		.queue = { 1 << 20, queue_packets },
	};
	struct err err = ERR_INIT;

	sio = (struct sio_config){ .namespaces = namespaces,
		.namespaces_len = 1,
		.connect_timeout_ms = 10000,
		.attachment_timeout_ms = 10000,
		.max_packet = 100000,
		.max_attachments = 10 };
	app = sio_app(&sio);
	path = (struct engine_path){ "/socket.io/", &app };
	engine = (struct engine){ 0 };
	ck_assert_ok(engine_init(&engine, &cfg, &err), err);
	ck_assert_ok(engine_start(&engine, &err), err);
	ck_assert_ok(engine_listen(&engine, &err), err);
}

static void setup(void)
{
	start(1024);
}

static void setup_short(void)
{
	start(16);
}

static void teardown(void)
{
	engine_drain(&engine, NULL);
	engine_finish(&engine);
}

static struct client *joined(int receive_buffer)
{
	struct client *client = malloc(sizeof(*client));

	client_open_small(client, http_front_port(engine.front), receive_buffer);
	client_send(client, "40");
	(void)client_expect(client, "40{\"sid\":\"");
	return client;
}

static void leave(struct client *client)
{
	client_close(client);
	free(client);
}

/* A rate, not a wait. */
static void pause_ms(int ms)
{
	struct timespec pause = { .tv_nsec = ms * 1000000L };

	(void)nanosleep(&pause, NULL);
}

static void expect_item(struct client *client, int n)
{
	char start[48];

	(void)snprintf(start, sizeof(start), "42[\"item\",{\"n\":%d,", n);
	ck_assert_ptr_nonnull(strstr(client_expect(client, "\"item\""), start));
}

/*
 * 900 KB take this client more than three times the ping timeout. Were pings behind them, it would
 * answer none in time.
 */
START_TEST(a_slow_reader_that_answers_pings_is_kept_and_gets_everything)
{
	enum { ITEMS = 900, MS_EACH = 5 };
	struct client *client = joined(RECEIVE_BUFFER);
	int before_ping = ITEMS;

	client_send(client, "42[\"items\",900,1000]");
	client->pings = 0;
	for (int n = 0; n < ITEMS; n++) {
		expect_item(client, n);
		if (client->pings && before_ping == ITEMS)
			before_ping = n;
		pause_ms(MS_EACH);
	}
	ck_assert_int_lt(before_ping, ITEMS / 2);
	ck_assert_uint_gt(client->pings, 1);
	leave(client);
}
END_TEST

static bool has_sessions(void *wanted)
{
	return atomic_load(&engine.sessions) == *(int *)wanted;
}

static void expect_sessions(int n)
{
	ck_assert(support_wait(has_sessions, &n, 10000));
}

START_TEST(a_client_that_neither_reads_nor_sends_is_given_up)
{
	struct client *client = joined(RECEIVE_BUFFER);

	client_send(client, "42[\"items\",300,1000]");
	expect_sessions(0);
	leave(client);
}
END_TEST

/* Noops of Engine.IO: the client seems to live, but takes nothing of what waits. */
static bool is_alone_meanwhile(void *client)
{
	static const unsigned char noop[] = { 0x81, 0x81, 0, 0, 0, 0, '6' };

	(void)send(((struct client *)client)->fd, noop, sizeof(noop), MSG_NOSIGNAL);
	return atomic_load(&engine.sessions) == 0;
}

START_TEST(a_client_that_sends_but_takes_nothing_of_half_a_queue_is_slow)
{
	struct client *client = joined(RECEIVE_BUFFER);

	client_send(client, "42[\"items\",900,1000]");
	ck_assert(support_wait(is_alone_meanwhile, client, 20000));
	leave(client);
}
END_TEST

START_TEST(an_item_that_does_not_fit_ends_the_session)
{
	struct client *client = joined(RECEIVE_BUFFER);
	int items = 0;

	atomic_store(&has_left, false);
	client_send(client, "42[\"items\",2000,1000]");
	ck_assert(support_wait(left, NULL, 10000));
	while (client_next(client))
		items++;
	ck_assert_int_lt(items, 500); /* what was on its way, not the megabyte that waited */
	expect_sessions(0);
	leave(client);
}
END_TEST

START_TEST(a_turn_may_bring_more_than_the_queue_holds_to_a_client_that_reads)
{
	struct client *client = joined(0);

	client_send(client, "42[\"items\",300,100]");
	for (int n = 0; n < 300; n++)
		expect_item(client, n);
	leave(client);
}
END_TEST

START_TEST(states_and_hints_end_no_session)
{
	struct client *client = joined(RECEIVE_BUFFER);

	client_send(client, "42[\"hints\",2000,1000]");
	client_send(client, "42[\"states\",2000,1000]");
	client_send(client, "42[\"items\",900,1000]"); /* which the hints make room for */
	(void)client_expect(client, "{\"n\":1999,");
	for (int n = 0; n < 900; n++)
		expect_item(client, n);
	leave(client);
}
END_TEST

START_TEST(a_frame_that_comes_in_pieces_shows_that_its_client_lives)
{
	enum { PIECES = 60, PIECE = 500 };
	static const unsigned char head[] = { 0x81, 0xfe, PIECES * PIECE >> 8,
		(PIECES * PIECE) & 255, 0, 0, 0, 0 };
	struct client *client = joined(0);
	char piece[PIECE];

	memset(piece, '6', sizeof(piece)); /* a noop of Engine.IO, whatever follows its type */
	client_send_raw(client, head, sizeof(head));
	for (int i = 0; i < PIECES; i++) {
		client_send_raw(client, piece, sizeof(piece));
		pause_ms(2 * PING_TIMEOUT_MS / PIECES);
	}
	client_send(client, "42[\"items\",1,1]");
	expect_item(client, 0);
	leave(client);
}
END_TEST

START_TEST(a_body_that_comes_in_pieces_shows_that_its_client_lives)
{
	enum { PIECES = 60, PIECE = 500 };
	struct poller poller;
	char head[512], piece[PIECE], answer[32] = "";
	struct client client;
	int len;

	poller_open(&poller, http_front_port(engine.front));
	client.fd = client_connect(http_front_port(engine.front));
	len = snprintf(head, sizeof(head),
	    "POST /socket.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: a\r\n"
	    "Content-Length: %d\r\n\r\n",
	    poller.sid, PIECES * PIECE);
	memset(piece, '6', sizeof(piece));
	client_send_raw(&client, head, (size_t)len);
	for (int i = 0; i < PIECES; i++) {
		client_send_raw(&client, piece, sizeof(piece));
		pause_ms(2 * PING_TIMEOUT_MS / PIECES);
	}
	ck_assert_int_gt(recv(client.fd, answer, sizeof(answer) - 1, 0), 0);
	ck_assert_msg(strncmp(answer, "HTTP/1.1 200", 12) == 0, "%s", answer);
	(void)close(client.fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pressure");
	TCase *tc = tcase_create("pressure");
	TCase *tight = tcase_create("short queue");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_slow_reader_that_answers_pings_is_kept_and_gets_everything);
	tcase_add_test(tc, a_client_that_neither_reads_nor_sends_is_given_up);
	tcase_add_test(tc, a_client_that_sends_but_takes_nothing_of_half_a_queue_is_slow);
	tcase_add_test(tc, an_item_that_does_not_fit_ends_the_session);
	tcase_add_test(tc, states_and_hints_end_no_session);
	tcase_add_test(tc, a_frame_that_comes_in_pieces_shows_that_its_client_lives);
	tcase_add_test(tc, a_body_that_comes_in_pieces_shows_that_its_client_lives);
	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tight, setup_short, teardown);
	tcase_add_test(tight, a_turn_may_bring_more_than_the_queue_holds_to_a_client_that_reads);
	suite_add_tcase(suite, tight);
	return support_run(suite);
}
