/* The generated permissions, as the server applies them. */
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attrs.h"
#include "base/clock.h"
#include "bus/provision.h"
#include "support/nats.h"
#include "support/support.h"

enum { WAIT_MS = 20000 };

static struct support_nats nats;

static void setup(void)
{
	support_nats_start(&nats);
}

static void setup_provisioned(void)
{
	support_nats_start(&nats);
	support_nats_provision(&nats);
}

static void teardown(void)
{
	support_nats_stop(&nats, SIGTERM);
}

struct heard {
	atomic_int forbidden, allowed;
};

static void hear(void *arg, struct bus_msg *msg)
{
	struct heard *heard = arg;

	if (bytes_equal_str(bus_msg_data(msg), "allowed"))
		(void)atomic_fetch_add(&heard->allowed, 1);
	else
		(void)atomic_fetch_add(&heard->forbidden, 1);
}

static bool heard_allowed(void *arg)
{
	return atomic_load(&((struct heard *)arg)->allowed) > 0;
}

/* `forbidden` publishes first, then `allowed`: the listener hears the second only. */
static const struct {
	const char *subject, *listener, *allowed, *forbidden;
} core_pairs[] = {
	{ "ww.rt.user.alice", "edge", "notifications", "backend" },
	{ "ww.rt.user.alice", "edge", "notifications", "chat" },
	{ "ww.rt.user.alice", "edge", "notifications", "edge" },
	{ "ww.rt.all", "edge", "notifications", "presence" },
	{ "ww.rt.room.r1", "edge", "chat", "notifications" },
	{ "ww.rt.presence.e1", "edge", "presence", "edge" },
	{ "ww.presence.report.e1", "presence", "edge", "presence" },
	{ "ww.svc.chat.send", "chat", "edge", "backend" },
	{ "ww.backend.notifications.revoke", "notifications", "backend", "edge" },
	{ "ww.edge.e1.drain", "edge", "ops", "chat" },
};

START_TEST(forbidden_publish_does_not_arrive)
{
	struct bus *listener = support_nats_bus(&nats, core_pairs[_i].listener);
	struct bus *allowed = support_nats_bus(&nats, core_pairs[_i].allowed);
	struct bus *forbidden = support_nats_bus(&nats, core_pairs[_i].forbidden);
	struct heard heard = { 0 };
	struct err err = ERR_INIT;
	struct bus_sub *sub;

	ck_assert_ok(
	    bus_subscribe(listener, core_pairs[_i].subject, NULL, hear, &heard, &sub, &err), err);
	ck_assert_ok(bus_flush(listener, WAIT_MS, &err), err);
	ck_assert_ok(
	    bus_publish(forbidden, core_pairs[_i].subject, BYTES_LITERAL("forbidden"), &err), err);
	ck_assert_ok(bus_flush(forbidden, WAIT_MS, &err), err);
	ck_assert_ok(
	    bus_publish(allowed, core_pairs[_i].subject, BYTES_LITERAL("allowed"), &err), err);
	ck_assert(support_wait(heard_allowed, &heard, WAIT_MS));
	ck_assert_int_eq(atomic_load(&heard.forbidden), 0);
	bus_unsubscribe(sub);
	bus_close(listener);
	bus_close(allowed);
	bus_close(forbidden);
}
END_TEST

static const struct {
	const char *user, *subject;
} may_store[] = {
	{ "backend", "ww.event.balance" },
	{ "backend", "ww.event.announcement" },
	{ "chat", "ww.event.chat" },
	{ "notifications", "ww.dlq.event" },
	{ "edge", "ww.audit.edge" },
	{ "notifications", "ww.audit.notifications" },
}, may_not_store[] = {
	{ "backend", "ww.event.chat" },
	{ "chat", "ww.event.balance" },
	{ "edge", "ww.event.balance" },
	{ "edge", "ww.dlq.event" },
	{ "audit", "ww.audit.edge" },
	{ "edge", "ww.audit.notifications" },
};

START_TEST(streams_take_events_from_who_may_publish_them)
{
	for (size_t i = 0; i < ARRAY_LEN(may_store); i++) {
		struct bus *bus = support_nats_bus(&nats, may_store[i].user);
		struct err err = ERR_INIT;
		struct bus_ack ack;

		ck_assert_ok(bus_publish_stored(bus, may_store[i].subject, NULL, BYTES_LITERAL("x"),
				 NULL, &ack, &err),
		    err);
		bus_close(bus);
	}
}
END_TEST

static void count_silence(
    void *arg, uint64_t tag, enum status status, struct bus_ack ack, const char *reason)
{
	(void)tag;
	(void)ack;
	(void)reason;
	/* The server says nothing to a forbidden publish but in an asynchronous error. */
	(void)atomic_fetch_add((atomic_uint *)arg, status == STATUS_TIMEOUT);
}

START_TEST(streams_take_events_from_nobody_else)
{
	struct bus *buses[ARRAY_LEN(may_not_store)];
	atomic_uint silent = 0;

	for (size_t i = 0; i < ARRAY_LEN(buses); i++) {
		buses[i] = support_nats_bus(&nats, may_not_store[i].user);
		bus_publish_stored_async(buses[i], may_not_store[i].subject, NULL,
		    BYTES_LITERAL("x"), NULL, i, count_silence, &silent);
	}
	for (size_t i = 0; i < ARRAY_LEN(buses); i++) {
		bus_publish_wait(buses[i]);
		bus_close(buses[i]);
	}
	ck_assert_uint_eq(atomic_load(&silent), ARRAY_LEN(may_not_store));
}
END_TEST

static const char *const pairs_that_ask[][4] = {
	/* who asks, subject, who serves, answer arrives */
	{ "edge", "ww.svc.chat.send", "chat", "yes" },
	{ "edge", "ww.svc.notifications.open", "notifications", "yes" },
	{ "edge", "ww.svc.presence.get", "presence", "yes" },
	{ "chat", "ww.svc.presence.friends_among", "presence", "yes" },
	{ "ops", "ww.backend.chat.hold", "chat", "yes" },
	{ "edge", "ww.edge.e2.stats", "edge", "yes" },
	{ "ops", "ww.edge.e2.stats", "edge", "yes" },
	{ "ops", "ww.svc.notifications.list", "notifications", "yes" },
	{ "backend", "ww.backend.notifications.revoke", "notifications", "yes" },
	{ "notifications", "ww.backend.notifications.balance_get", "backend", "yes" },
};

static void echo(void *arg, struct bus_msg *msg)
{
	struct err err = ERR_INIT;

	/* A failure shows as an answer that does not arrive. */
	if (bus_respond(arg, bus_msg_reply(msg), bus_msg_data(msg), &err))
		return;
}

START_TEST(answers_arrive_where_asking_is_allowed)
{
	struct bus *asking = support_nats_bus(&nats, pairs_that_ask[_i][0]);
	struct bus *serving = support_nats_bus(&nats, pairs_that_ask[_i][2]);
	struct err err = ERR_INIT;
	struct bus_msg *reply;
	struct bus_sub *sub;

	ck_assert_ok(
	    bus_subscribe(serving, pairs_that_ask[_i][1], "q", echo, serving, &sub, &err), err);
	ck_assert_ok(bus_flush(serving, WAIT_MS, &err), err);
	ck_assert_ok(
	    bus_request(asking, pairs_that_ask[_i][1], BYTES_LITERAL("?"), WAIT_MS, &reply, &err),
	    err);
	bus_msg_unref(reply);
	bus_unsubscribe(sub);
	bus_close(asking);
	bus_close(serving);
}
END_TEST

START_TEST(nobody_listens_on_the_inbox_of_another_user)
{
	struct bus *spy = support_nats_bus(&nats, "edge");
	struct bus *service = support_nats_bus(&nats, "chat");
	struct bus *ops = support_nats_bus(&nats, "ops");
	struct bus *last = support_nats_bus(&nats, "notifications");
	struct bus_sub *spying, *listening, *serving;
	struct heard heard = { 0 };
	struct err err = ERR_INIT;
	struct bus_msg *reply;

	ck_assert_ok(bus_subscribe(spy, "_INBOX.ops.>", NULL, hear, &heard, &spying, &err), err);
	ck_assert_ok(bus_subscribe(spy, "ww.rt.all", NULL, hear, &heard, &listening, &err), err);
	ck_assert_ok(bus_flush(spy, WAIT_MS, &err), err);
	ck_assert_ok(
	    bus_subscribe(service, "ww.svc.chat.*", "chat", echo, service, &serving, &err), err);
	ck_assert_ok(bus_flush(service, WAIT_MS, &err), err);
	ck_assert_ok(
	    bus_request(ops, "ww.svc.chat.send", BYTES_LITERAL("secret"), WAIT_MS, &reply, &err),
	    err);
	bus_msg_unref(reply);
	/* What the spy hears next shows that it heard nothing before. */
	ck_assert_ok(bus_publish(last, "ww.rt.all", BYTES_LITERAL("allowed"), &err), err);
	ck_assert(support_wait(heard_allowed, &heard, WAIT_MS));
	ck_assert_int_eq(atomic_load(&heard.forbidden), 0);
	bus_unsubscribe(spying);
	bus_unsubscribe(listening);
	bus_unsubscribe(serving);
	bus_close(spy);
	bus_close(service);
	bus_close(ops);
	bus_close(last);
}
END_TEST

static const struct {
	const char *user, *password;
} strangers[] = {
	{ "edge", "wrong" },
	{ "edge", NULL },
	{ "nobody", "nobody" },
	{ "sys", "" },
};

START_TEST(strangers_are_refused)
{
	struct bus_config cfg = { .url = nats.url,
		.user = strangers[_i].user,
		.password = strangers[_i].password,
		.name = "stranger" };
	struct err err = ERR_INIT;
	struct bus *bus;
	enum status s = bus_open(&cfg, &bus, &err);

	if (s == STATUS_OK) {
		s = bus_wait_connected(bus, WAIT_MS, &err);
		bus_close(bus);
	}
	ck_assert_int_eq(s, STATUS_UNAUTHORIZED);
}
END_TEST

START_TEST(client_without_a_name_is_refused)
{
	static const char hello[] = "CONNECT {\"verbose\":false}\r\nPING\r\n";
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)nats.port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct buf heard = BUF_INIT;
	ssize_t n;

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(write(fd, hello, strlen(hello)), (ssize_t)strlen(hello));
	/* The server says why and hangs up; it would answer PONG and stay. */
	while ((n = read(fd, buf_reserve(&heard, 4096), 4096)) > 0) {
		heard.len += (size_t)n;
		if (strstr(buf_str(&heard), "PONG"))
			break;
	}
	ck_assert_ptr_nonnull(strstr(buf_str(&heard), "-ERR 'Authorization Violation'"));
	ck_assert_ptr_null(strstr(buf_str(&heard), "PONG"));
	buf_finish(&heard);
	(void)close(fd);
}
END_TEST

static const char *const denied_api[] = {
	"$JS.API.ACCOUNT.PURGE.APP",
	"$JS.API.STREAM.PURGE.WW_EVENTS",
	"$JS.API.STREAM.DELETE.WW_EVENTS",
};

START_TEST(streams_survive_every_users_attempts_to_empty_them)
{
	struct bus *backend = support_nats_bus(&nats, "backend");
	struct bus *notifications = support_nats_bus(&nats, "notifications");
	struct err err = ERR_INIT;
	struct bus_msg *msgs[2];
	struct bus_pull *pull;
	struct bus_ack ack;
	size_t n = 0;

	ck_assert_ok(
	    bus_publish_stored(backend, "ww.event.kyc", NULL, BYTES_LITERAL("x"), NULL, &ack, &err),
	    err);
	for (size_t i = 0; bus_users[i]; i++) {
		struct bus *bus = support_nats_bus(&nats, bus_users[i]);

		/* bus_respond() takes the subject, since any reply subject of another client's
		 * passes it. */
		for (size_t j = 0; j < ARRAY_LEN(denied_api); j++)
			ck_assert_ok(bus_respond(bus, denied_api[j], BYTES_LITERAL(""), &err), err);
		ck_assert_ok(bus_flush(bus, WAIT_MS, &err), err);
		bus_close(bus);
	}
	ck_assert_ok(
	    bus_pull_open(notifications, STREAM_EVENTS, CONSUMER_NOTIFICATIONS, &pull, &err), err);
	for (int64_t deadline = clock_mono_ms() + WAIT_MS; n == 0 && clock_mono_ms() < deadline;)
		ck_assert_ok(bus_pull_fetch(pull, msgs, 2, 500, &n, &err), err);
	ck_assert_uint_eq(n, 1);
	bus_msg_unref(msgs[0]);
	bus_pull_close(pull);
	bus_close(notifications);
	bus_close(backend);
}
END_TEST

static uint64_t letters(struct bus *ops)
{
	struct bus_pull *pull = NULL;
	struct err err = ERR_INIT;
	uint64_t n;

	ck_assert_ok(bus_pull_open_from(ops, STREAM_DLQ, 1, &pull, &err), err);
	n = bus_pull_pending(pull);
	bus_pull_close(pull);
	return n;
}

START_TEST(dead_letters_are_the_operators_alone)
{
	struct bus *ops = support_nats_bus(&nats, "ops");
	struct bus *notifications = support_nats_bus(&nats, "notifications");
	struct err err = ERR_INIT;
	struct bus_ack ack;

	ck_assert_ok(bus_publish_stored(
			 notifications, "ww.dlq.event", NULL, BYTES_LITERAL("x"), NULL, &ack, &err),
	    err);
	for (size_t i = 0; bus_users[i]; i++) {
		struct bus *bus = support_nats_bus(&nats, bus_users[i]);

		if (strcmp(bus_users[i], "ops") != 0)
			ck_assert_ok(bus_respond(bus, "$JS.API.STREAM.MSG.DELETE.WW_DLQ",
					 BYTES_LITERAL("{\"seq\":1}"), &err),
			    err);
		ck_assert_ok(bus_flush(bus, WAIT_MS, &err), err);
		bus_close(bus);
	}
	ck_assert_uint_eq(letters(ops), 1);
	ck_assert_ok(bus_delete_stored(ops, STREAM_DLQ, 1, &err), err);
	ck_assert_uint_eq(letters(ops), 0);
	bus_close(notifications);
	bus_close(ops);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bus_permissions");
	TCase *core = tcase_create("core");
	TCase *streams = tcase_create("streams");

	/* One server for all of these: it is started before the first, and nothing of theirs stays
	 * in it. */
	tcase_set_timeout(core, 60);
	tcase_add_unchecked_fixture(core, setup, teardown);
	tcase_add_loop_test(core, forbidden_publish_does_not_arrive, 0, (int)ARRAY_LEN(core_pairs));
	tcase_add_loop_test(
	    core, answers_arrive_where_asking_is_allowed, 0, (int)ARRAY_LEN(pairs_that_ask));
	tcase_add_test(core, nobody_listens_on_the_inbox_of_another_user);
	tcase_add_loop_test(core, strangers_are_refused, 0, (int)ARRAY_LEN(strangers));
	tcase_add_test(core, client_without_a_name_is_refused);
	suite_add_tcase(suite, core);
	tcase_set_timeout(streams, 60);
	tcase_add_checked_fixture(streams, setup_provisioned, teardown);
	tcase_add_test(streams, streams_take_events_from_who_may_publish_them);
	tcase_add_test(streams, streams_take_events_from_nobody_else);
	tcase_add_test(streams, streams_survive_every_users_attempts_to_empty_them);
	tcase_add_test(streams, dead_letters_are_the_operators_alone);
	suite_add_tcase(suite, streams);
	return support_run(suite);
}
