/* Connecting, publishing, subscribing, asking: against a real nats-server. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "support/nats.h"
#include "support/support.h"

enum { WAIT_MS = 20000, ASKERS = 8, ROUNDS = 10 };

static struct support_nats nats;

static void setup(void)
{
	support_nats_start(&nats);
}

static void teardown(void)
{
	support_nats_stop(&nats, SIGTERM);
}

struct inbox {
	atomic_int count;
	atomic_int bad;
	struct bus_msg *last; /* kept by reference; set by the delivery thread before count rises */
	struct bus *answer_on;
};

static void keep(void *arg, struct bus_msg *msg)
{
	struct inbox *inbox = arg;

	bus_msg_unref(inbox->last);
	inbox->last = bus_msg_ref(msg);
	(void)atomic_fetch_add(&inbox->count, 1);
}

static void answer(void *arg, struct bus_msg *msg)
{
	struct inbox *inbox = arg;
	struct err err = ERR_INIT;

	if (bus_respond(inbox->answer_on, bus_msg_reply(msg), bus_msg_data(msg), &err))
		(void)atomic_fetch_add(&inbox->bad, 1);
	(void)atomic_fetch_add(&inbox->count, 1);
}

static bool has_one(void *arg)
{
	struct inbox *inbox = arg;

	return atomic_load(&inbox->count) >= 1;
}

START_TEST(published_message_reaches_the_subscriber)
{
	struct bus *from = support_nats_bus(&nats, "notifications");
	struct bus *to = support_nats_bus(&nats, "edge");
	struct inbox inbox = { 0 };
	struct err err = ERR_INIT;
	struct bus_sub *sub;

	ck_assert_ok(bus_subscribe(to, "ww.rt.user.*", NULL, keep, &inbox, &sub, &err), err);
	ck_assert_ok(bus_flush(to, WAIT_MS, &err), err);
	ck_assert_ok(bus_publish(from, "ww.rt.user.alice", BYTES_LITERAL("hi"), &err), err);
	ck_assert(support_wait(has_one, &inbox, WAIT_MS));
	ck_assert_str_eq(bus_msg_subject(inbox.last), "ww.rt.user.alice");
	ck_assert(bytes_equal_str(bus_msg_data(inbox.last), "hi"));
	ck_assert_ptr_null(bus_msg_reply(inbox.last));
	ck_assert_ptr_null(bus_msg_header(inbox.last, "Nats-Msg-Id"));
	bus_unsubscribe(sub);
	bus_close(from);
	bus_close(to);
	/* A message outlives the connection it came by. */
	ck_assert(bytes_equal_str(bus_msg_data(inbox.last), "hi"));
	bus_msg_unref(inbox.last);
}
END_TEST

START_TEST(request_is_answered_by_the_service)
{
	struct bus *service = support_nats_bus(&nats, "chat");
	struct bus *edge = support_nats_bus(&nats, "edge");
	struct inbox inbox = { .answer_on = service };
	struct err err = ERR_INIT;
	struct bus_msg *reply;
	struct bus_sub *sub;

	ck_assert_ok(
	    bus_subscribe(service, "ww.svc.chat.*", "chat", answer, &inbox, &sub, &err), err);
	ck_assert_ok(bus_flush(service, WAIT_MS, &err), err);
	for (int i = 0; i < 100; i++) {
		char text[16];

		(void)snprintf(text, sizeof(text), "%d", i);
		ck_assert_ok(bus_request(edge, "ww.svc.chat.send", bytes_of_str(text), WAIT_MS,
				 &reply, &err),
		    err);
		ck_assert(bytes_equal_str(bus_msg_data(reply), text));
		bus_msg_unref(reply);
	}
	ck_assert_int_eq(atomic_load(&inbox.bad), 0);
	bus_unsubscribe(sub);
	bus_close(edge);
	bus_close(service);
}
END_TEST

START_TEST(request_that_nobody_serves_fails_at_once)
{
	struct bus *edge = support_nats_bus(&nats, "edge");
	struct err err = ERR_INIT;
	struct bus_msg *reply;
	int64_t started = clock_mono_ms();

	ck_assert_int_eq(
	    bus_request(edge, "ww.svc.chat.send", BYTES_LITERAL(""), 3600000, &reply, &err),
	    STATUS_UNAVAILABLE);
	ck_assert_int_lt(clock_mono_ms() - started, 60000);
	bus_close(edge);
}
END_TEST

START_TEST(request_without_answer_times_out)
{
	struct bus *service = support_nats_bus(&nats, "chat");
	struct bus *edge = support_nats_bus(&nats, "edge");
	struct inbox inbox = { 0 };
	struct err err = ERR_INIT;
	struct bus_msg *reply;
	struct bus_sub *sub;

	ck_assert_ok(
	    bus_subscribe(service, "ww.svc.chat.*", "chat", keep, &inbox, &sub, &err), err);
	ck_assert_ok(bus_flush(service, WAIT_MS, &err), err);
	ck_assert_int_eq(
	    bus_request(edge, "ww.svc.chat.send", BYTES_LITERAL(""), 100, &reply, &err),
	    STATUS_TIMEOUT);
	ck_assert(support_wait(has_one, &inbox, WAIT_MS));
	/* An answer after the time-out finds nobody and does no harm. */
	ck_assert_ok(
	    bus_respond(service, bus_msg_reply(inbox.last), BYTES_LITERAL("late"), &err), err);
	ck_assert_ok(bus_flush(service, WAIT_MS, &err), err);
	ck_assert_int_eq(bus_request(edge, "ww.svc.chat.send", BYTES_LITERAL(""), 50, &reply, &err),
	    STATUS_TIMEOUT);
	bus_unsubscribe(sub);
	bus_msg_unref(inbox.last);
	bus_close(edge);
	bus_close(service);
}
END_TEST

static void ask_from_callback(void *arg, struct bus_msg *msg)
{
	struct inbox *inbox = arg;
	struct bus_msg *reply = NULL;
	struct err err = ERR_INIT;

	(void)msg;
	(void)atomic_fetch_add(
	    &inbox->count, bus_request(inbox->answer_on, "ww.backend.notifications.balance_get",
			       BYTES_LITERAL("?"), WAIT_MS, &reply, &err) == STATUS_UNAVAILABLE);
}

START_TEST(waiting_on_the_delivery_thread_is_a_bug_found_at_once)
{
	struct bus *service = support_nats_bus(&nats, "notifications");
	struct bus *edge = support_nats_bus(&nats, "edge");
	struct inbox inbox = { .answer_on = service };
	struct err err = ERR_INIT;
	struct bus_sub *sub;

	ck_assert_ok(bus_subscribe(service, "ww.svc.notifications.*", NULL, ask_from_callback,
			 &inbox, &sub, &err),
	    err);
	ck_assert_ok(bus_flush(service, WAIT_MS, &err), err);
	ck_assert_ok(bus_publish(edge, "ww.svc.notifications.open", BYTES_LITERAL(""), &err), err);
	ck_assert(support_wait(has_one, &inbox, WAIT_MS));
}
END_TEST

START_TEST(malformed_reply_subject_is_refused)
{
	struct bus *service = support_nats_bus(&nats, "chat");
	struct err err = ERR_INIT;

	ck_assert_int_eq(
	    bus_respond(service, "x 0\r\n\r\nPUB ww.rt.all 0\r\n", BYTES_LITERAL(""), &err),
	    STATUS_INVALID);
	bus_close(service);
}
END_TEST

static void unsubscribe_itself(void *arg, struct bus_msg *msg)
{
	struct bus_sub **sub = arg;

	(void)msg;
	bus_unsubscribe(*sub);
	*sub = NULL;
}

START_TEST(callback_may_unsubscribe_itself)
{
	struct bus *from = support_nats_bus(&nats, "notifications");
	struct bus *to = support_nats_bus(&nats, "edge");
	struct inbox inbox = { 0 };
	struct bus_sub *once, *after;
	struct err err = ERR_INIT;

	ck_assert_ok(
	    bus_subscribe(to, "ww.rt.all", NULL, unsubscribe_itself, (void *)&once, &once, &err),
	    err);
	ck_assert_ok(bus_subscribe(to, "ww.rt.user.a", NULL, keep, &inbox, &after, &err), err);
	ck_assert_ok(bus_flush(to, WAIT_MS, &err), err);
	for (int i = 0; i < 10; i++)
		ck_assert_ok(bus_publish(from, "ww.rt.all", BYTES_LITERAL("x"), &err), err);
	ck_assert_ok(bus_publish(from, "ww.rt.user.a", BYTES_LITERAL("x"), &err), err);
	ck_assert(support_wait(has_one, &inbox, WAIT_MS));
	ck_assert_ptr_null(once);
	bus_unsubscribe(after);
	bus_close(to);
	bus_close(from);
	bus_msg_unref(inbox.last);
}
END_TEST

struct events {
	atomic_int connected, disconnected;
};

/* Whoever waits for the connection may go on before the callback has run. */
static bool was_told(void *arg)
{
	return atomic_load(&((struct events *)arg)->connected) > 0;
}

static void count_connected(void *arg)
{
	(void)atomic_fetch_add(&((struct events *)arg)->connected, 1);
}

static void count_disconnected(void *arg)
{
	(void)atomic_fetch_add(&((struct events *)arg)->disconnected, 1);
}

static bool connected_twice(void *arg)
{
	return atomic_load(&((struct events *)arg)->connected) >= 2;
}

static bool disconnected_once(void *arg)
{
	return atomic_load(&((struct events *)arg)->disconnected) >= 1;
}

static struct bus *open_counting(struct events *events)
{
	struct bus_config cfg = { .url = nats.url,
		.user = "edge",
		.password = "edge",
		.name = "counting",
		.on_connected = count_connected,
		.on_disconnected = count_disconnected,
		.arg = events };
	struct err err = ERR_INIT;
	struct bus *bus;

	ck_assert_ok(bus_open(&cfg, &bus, &err), err);
	return bus;
}

/* Asks again and again, each time for an answer. */
struct asker {
	struct bus *bus;
	atomic_int answered;
	atomic_bool stop;
	int lost;
};

static void *ask(void *arg)
{
	struct asker *asker = arg;

	while (!atomic_load(&asker->stop)) {
		struct err err = ERR_INIT;
		struct bus_msg *reply;

		if (bus_request(
			asker->bus, "ww.svc.chat.send", BYTES_LITERAL("x"), 2000, &reply, &err)) {
			asker->lost++;
			continue;
		}
		bus_msg_unref(reply);
		(void)atomic_fetch_add(&asker->answered, 1);
	}
	return NULL;
}

struct progress {
	struct asker *askers;
	int enough;
};

static bool all_went_on(void *arg)
{
	const struct progress *progress = arg;

	for (int i = 0; i < ASKERS; i++) {
		if (atomic_load(&progress->askers[i].answered) < progress->enough)
			return false;
	}
	return true;
}

/* One of two replicas comes and goes, again and again, while others ask. */
START_TEST(member_that_drains_loses_no_request)
{
	struct bus *stays = support_nats_bus(&nats, "chat");
	struct inbox staying = { .answer_on = stays };
	struct asker askers[ASKERS] = { 0 };
	pthread_t threads[ASKERS];
	struct err err = ERR_INIT;
	struct bus_sub *sub;
	int served = 0;

	ck_assert_ok(
	    bus_subscribe(stays, "ww.svc.chat.*", "chat", answer, &staying, &sub, &err), err);
	ck_assert_ok(bus_flush(stays, WAIT_MS, &err), err);
	for (int i = 0; i < ASKERS; i++) {
		askers[i].bus = support_nats_bus(&nats, "edge");
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
	}
	for (int round = 1; round <= ROUNDS; round++) {
		struct bus *goes = support_nats_bus(&nats, "chat");
		struct inbox going = { .answer_on = goes };
		struct progress progress = { askers, round * 20 };
		struct bus_sub *subs[3] = { NULL };

		ck_assert_ok(
		    bus_subscribe(goes, "ww.svc.chat.*", "chat", answer, &going, &subs[1], &err),
		    err);
		ck_assert(support_wait(all_went_on, &progress, WAIT_MS));
		bus_drain(subs, ARRAY_LEN(subs), WAIT_MS);
		served += atomic_load(&going.count);
		ck_assert_int_eq(atomic_load(&going.bad), 0);
		bus_close(goes);
	}
	for (int i = 0; i < ASKERS; i++)
		atomic_store(&askers[i].stop, true);
	for (int i = 0; i < ASKERS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_int_eq(askers[i].lost, 0);
		bus_close(askers[i].bus);
	}
	ck_assert_int_gt(served, 0);
	bus_unsubscribe(sub);
	bus_close(stays);
}
END_TEST

START_TEST(bus_opened_without_server_connects_when_it_comes)
{
	struct events events = { 0 };
	struct inbox inbox = { 0 };
	struct err err = ERR_INIT;
	struct bus_sub *sub;
	struct bus *bus, *from;

	support_nats_stop(&nats, SIGKILL);
	bus = open_counting(&events);
	ck_assert(!bus_is_connected(bus));
	ck_assert_int_eq(bus_wait_connected(bus, 50, &err), STATUS_UNAVAILABLE);
	/* Nothing is kept for later, but a subscription made now is live once there is a server. */
	ck_assert_int_eq(
	    bus_publish(bus, "ww.svc.chat.send", BYTES_LITERAL("old"), &err), STATUS_UNAVAILABLE);
	ck_assert_ok(bus_subscribe(bus, "ww.rt.all", NULL, keep, &inbox, &sub, &err), err);

	support_nats_restart(&nats);
	ck_assert_ok(bus_wait_connected(bus, WAIT_MS, &err), err);
	ck_assert(support_wait(was_told, &events, WAIT_MS));
	ck_assert_int_eq(atomic_load(&events.connected), 1);
	ck_assert_ok(bus_flush(bus, WAIT_MS, &err), err);
	from = support_nats_bus(&nats, "notifications");
	ck_assert_ok(bus_publish(from, "ww.rt.all", BYTES_LITERAL("x"), &err), err);
	ck_assert(support_wait(has_one, &inbox, WAIT_MS));
	bus_unsubscribe(sub);
	bus_close(from);
	bus_close(bus);
	bus_msg_unref(inbox.last);
}
END_TEST

START_TEST(subscription_lives_on_after_a_server_restart)
{
	struct events events = { 0 };
	struct bus *bus = open_counting(&events);
	struct inbox inbox = { 0 };
	struct err err = ERR_INIT;
	struct bus_sub *sub;
	struct bus *from;

	ck_assert_ok(bus_wait_connected(bus, WAIT_MS, &err), err);
	ck_assert_ok(bus_subscribe(bus, "ww.rt.all", NULL, keep, &inbox, &sub, &err), err);
	support_nats_stop(&nats, SIGKILL);
	ck_assert(support_wait(disconnected_once, &events, WAIT_MS));
	support_nats_restart(&nats);
	ck_assert(support_wait(connected_twice, &events, WAIT_MS));
	ck_assert_ok(bus_flush(bus, WAIT_MS, &err), err);
	from = support_nats_bus(&nats, "notifications");
	ck_assert_ok(bus_publish(from, "ww.rt.all", BYTES_LITERAL("x"), &err), err);
	ck_assert(support_wait(has_one, &inbox, WAIT_MS));
	bus_unsubscribe(sub);
	bus_close(from);
	bus_close(bus);
	bus_msg_unref(inbox.last);
}
END_TEST

START_TEST(close_flushes_what_was_published)
{
	struct bus *from = support_nats_bus(&nats, "notifications");
	struct bus *to = support_nats_bus(&nats, "edge");
	struct inbox inbox = { 0 };
	struct err err = ERR_INIT;
	struct bus_sub *sub;

	ck_assert_ok(bus_subscribe(to, "ww.rt.all", NULL, keep, &inbox, &sub, &err), err);
	ck_assert_ok(bus_flush(to, WAIT_MS, &err), err);
	ck_assert_ok(bus_publish(from, "ww.rt.all", BYTES_LITERAL("last words"), &err), err);
	bus_close(from);
	ck_assert(support_wait(has_one, &inbox, WAIT_MS));
	bus_unsubscribe(sub);
	bus_close(to);
	bus_msg_unref(inbox.last);
}
END_TEST

START_TEST(what_is_larger_than_the_server_takes_is_refused)
{
	struct bus *from = support_nats_bus(&nats, "notifications");
	static uint8_t large[(2 << 20) + 1];
	struct err err = ERR_INIT;

	ck_assert_int_eq(
	    bus_publish(from, "ww.rt.all", bytes_of(large, sizeof(large)), &err), STATUS_TOO_LARGE);
	ck_assert_ok(bus_publish(from, "ww.rt.all", bytes_of(large, sizeof(large) - 1), &err), err);
	ck_assert_ok(bus_flush(from, WAIT_MS, &err), err);
	bus_close(from);
}
END_TEST

static const struct {
	const char *url, *user, *word;
} bad_settings[] = {
	{ "tls://127.0.0.1:4222", "edge", "TLS is refused" },
	{ "nats://127.0.0.1:4222,tls://127.0.0.1:4222", "edge", "TLS is refused" },
	{ "127.0.0.1:4222", "edge", "nats://" },
	{ "nats://127.0.0.1:4222,http://127.0.0.1", "edge", "nats://" },
	{ ",", "edge", "nats://" },
	{ NULL, "edge", "nats://" },
	{ "nats://127.0.0.1:4222", "e.d", "user" },
	{ "nats://127.0.0.1:4222", "e\r\n", "user" },
	{ "nats://127.0.0.1:4222", "", "user" },
	{ "nats://127.0.0.1:4222", NULL, "user" },
};

START_TEST(settings_that_cannot_work_are_refused)
{
	struct bus_config cfg = {
		.url = bad_settings[_i].url, .user = bad_settings[_i].user, .name = "x"
	};
	struct err err = ERR_INIT;
	struct bus *bus;

	ck_assert_int_eq(bus_open(&cfg, &bus, &err), STATUS_INVALID);
	ck_assert_msg(strstr(err.msg, bad_settings[_i].word) != NULL, "%s", err.msg);
}
END_TEST

struct tls_server {
	int port;
	char url[64];
	char *crt, *key, *log;
};

static void tls_server_init(struct tls_server *server)
{
	const char *dir = support_tmp_dir();
	pid_t pid;

	server->port = support_free_port();
	(void)snprintf(server->url, sizeof(server->url), "nats://127.0.0.1:%d", server->port);
	server->crt = xasprintf("%s/tls-%d.crt", dir, server->port);
	server->key = xasprintf("%s/tls-%d.key", dir, server->port);
	server->log = xasprintf("%s/tls-%d.log", dir, server->port);
	pid = support_spawn((const char *[]){ "openssl", "req", "-x509", "-newkey", "ec",
				"-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "2",
				"-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
				"-keyout", server->key, "-out", server->crt, NULL },
	    server->log);
	ck_assert_int_eq(support_stop(pid, 0), 0);
}

static pid_t tls_server_start(const struct tls_server *server)
{
	char port[16];
	pid_t pid;

	(void)snprintf(port, sizeof(port), "%d", server->port);
	pid = support_spawn((const char *[]){ "nats-server", "-a", "127.0.0.1", "-p", port, "--tls",
				"--tlscert", server->crt, "--tlskey", server->key, NULL },
	    server->log);
	ck_assert(support_wait_port(server->port, WAIT_MS));
	return pid;
}

static void tls_server_finish(struct tls_server *server)
{
	free(server->log);
	free(server->key);
	free(server->crt);
}

START_TEST(server_that_wants_tls_is_refused_with_the_way_out)
{
	struct tls_server server;
	struct bus_config cfg = { .url = server.url, .user = "edge", .name = "x" };
	struct err err = ERR_INIT;
	struct bus *bus;
	pid_t pid;

	tls_server_init(&server);
	pid = tls_server_start(&server);
	ck_assert_int_eq(bus_open(&cfg, &bus, &err), STATUS_INVALID);
	ck_assert_msg(strstr(err.msg, "wants TLS") && strstr(err.msg, "leaf"), "%s", err.msg);
	(void)support_stop(pid, SIGTERM);
	tls_server_finish(&server);
}
END_TEST

/* A handshake that was ended by an alert; who only asks for INFO hangs up. */
static bool is_refused_by_us(void *arg)
{
	const struct tls_server *server = arg;

	return strstr(support_read_file(server->log), "error: tls:") != NULL;
}

/* Whatever the environment said when this process began. */
START_TEST(no_authority_is_trusted)
{
	ck_assert_str_eq(getenv("SSL_CERT_FILE"), "/dev/null");
	ck_assert_str_eq(getenv("SSL_CERT_DIR"), "/dev/null");
}
END_TEST

START_TEST(server_that_wants_tls_and_comes_later_is_never_connected_to)
{
	struct tls_server server;
	struct bus_config cfg = { .url = server.url, .user = "edge", .name = "x" };
	struct err err = ERR_INIT;
	struct bus *bus;
	pid_t pid;

	tls_server_init(&server);
	ck_assert_ok(bus_open(&cfg, &bus, &err), err);
	pid = tls_server_start(&server);
	/* Which nats.c begins without a word. */
	ck_assert_msg(support_wait(is_refused_by_us, &server, WAIT_MS), "TLS is taken");
	ck_assert_int_eq(bus_wait_connected(bus, 50, &err), STATUS_INVALID);
	ck_assert_msg(strstr(err.msg, "wants TLS") != NULL, "%s", err.msg);
	bus_close(bus);
	(void)support_stop(pid, SIGTERM);
	tls_server_finish(&server);
}
END_TEST

START_TEST(subject_with_a_line_break_never_reaches_the_server)
{
	struct bus *bus = support_nats_bus(&nats, "notifications");
	struct err err = ERR_INIT;

	/* Our own bug, so it ends the process. */
	ck_assert_int_eq(
	    bus_publish(bus, "ww.rt.all 0\r\n\r\nPUB ww.rt.user.x 0\r\n", BYTES_LITERAL(""), &err),
	    STATUS_INVALID);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bus_core");
	TCase *tc = tcase_create("core");
	TCase *settings = tcase_create("settings");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, published_message_reaches_the_subscriber);
	tcase_add_test(tc, request_is_answered_by_the_service);
	tcase_add_test(tc, request_that_nobody_serves_fails_at_once);
	tcase_add_test(tc, request_without_answer_times_out);
	tcase_add_test(tc, malformed_reply_subject_is_refused);
	tcase_add_test(tc, callback_may_unsubscribe_itself);
	tcase_add_test(tc, member_that_drains_loses_no_request);
	tcase_add_test(tc, bus_opened_without_server_connects_when_it_comes);
	tcase_add_test(tc, subscription_lives_on_after_a_server_restart);
	tcase_add_test(tc, close_flushes_what_was_published);
	tcase_add_test(tc, what_is_larger_than_the_server_takes_is_refused);
	tcase_add_test_raise_signal(
	    tc, waiting_on_the_delivery_thread_is_a_bug_found_at_once, SIGABRT);
	tcase_add_test_raise_signal(
	    tc, subject_with_a_line_break_never_reaches_the_server, SIGABRT);
	suite_add_tcase(suite, tc);
	tcase_set_timeout(settings, 60);
	tcase_add_test(settings, server_that_wants_tls_is_refused_with_the_way_out);
	tcase_add_test(settings, no_authority_is_trusted);
	tcase_add_test(settings, server_that_wants_tls_and_comes_later_is_never_connected_to);
	tcase_add_loop_test(settings, settings_that_cannot_work_are_refused, 0,
	    (int)(sizeof(bad_settings) / sizeof(bad_settings[0])));
	suite_add_tcase(suite, settings);
	return support_run(suite);
}
