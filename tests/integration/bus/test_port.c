/* The port of loops: interest, requests, and what a server's death does to them. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "support/nats.h"
#include "support/support.h"

enum {
	WAIT_MS = 30000,
	MANY = 10000,
	CHURN_MS = 8000,
	USERS = 4,
};

static struct support_nats nats;

static void setup(void)
{
	support_nats_start(&nats);
}

static void teardown(void)
{
	support_nats_stop(&nats, SIGTERM);
}

struct world {
	struct bus *edge_bus, *service_bus;
	struct bus_port *port;
	atomic_uint got; /* messages of wanted subjects */
	char last[64];   /* subject of the newest; read after `got` rose */
	struct bus_sub *serving;
	atomic_uint served;
};

static void on_msg(void *arg, struct bus_msg *msg)
{
	struct world *w = arg;

	(void)snprintf(w->last, sizeof(w->last), "%s", bus_msg_subject(msg));
	(void)atomic_fetch_add(&w->got, 1);
}

/* The service rings the user's doorbell, then answers. */
static void ring_and_answer(void *arg, struct bus_msg *msg)
{
	struct world *w = arg;
	struct bytes user = bus_msg_data(msg);
	struct err err = ERR_INIT;
	char subject[64];

	(void)snprintf(
	    subject, sizeof(subject), "ww.rt.user.%.*s", (int)user.len, (const char *)user.data);
	(void)atomic_fetch_add(&w->served, 1);
	if (bus_publish(w->service_bus, subject, user, &err) ||
	    bus_respond(w->service_bus, bus_msg_reply(msg), user, &err))
		return; /* shows as an answer that does not arrive */
}

static void open_world(struct world *w, size_t queue_max, int linger_ms)
{
	struct bus_port_config cfg = {
		.queue_max = queue_max, .linger_ms = linger_ms, .on_msg = on_msg, .arg = w
	};
	struct err err = ERR_INIT;

	memset(w, 0, sizeof(*w));
	w->edge_bus = support_nats_bus(&nats, "edge");
	w->service_bus = support_nats_bus(&nats, "notifications");
	ck_assert_ok(bus_port_new(w->edge_bus, &cfg, &w->port, &err), err);
}

static void serve(struct world *w, bus_msg_fn fn)
{
	struct err err = ERR_INIT;

	ck_assert_ok(bus_subscribe(w->service_bus, "ww.svc.notifications.*", "notifications", fn, w,
			 &w->serving, &err),
	    err);
	ck_assert_ok(bus_flush(w->service_bus, WAIT_MS, &err), err);
}

static void close_world(struct world *w)
{
	bus_unsubscribe(w->serving);
	bus_port_free(w->port);
	bus_close(w->edge_bus);
	bus_close(w->service_bus);
}

static void ring(struct world *w, const char *subject)
{
	struct err err = ERR_INIT;

	ck_assert_ok(bus_publish(w->service_bus, subject, BYTES_LITERAL("ring"), &err), err);
}

struct at_least {
	atomic_uint *counter;
	unsigned n;
};

static bool is_at_least(void *arg)
{
	struct at_least *a = arg;

	return atomic_load(a->counter) >= a->n;
}

static void wait_for(atomic_uint *counter, unsigned n)
{
	struct at_least a = { counter, n };

	ck_assert_msg(support_wait(is_at_least, &a, WAIT_MS), "%u of %u", atomic_load(counter), n);
}

struct outcomes {
	struct world *world;
	atomic_uint told, ok, unavailable, timeout, other;
	atomic_uint wrong;      /* told twice, or with another's answer */
	atomic_uint got_before; /* doorbells that had come when the answer did */
	_Atomic pthread_t teller;
};

struct ask {
	struct outcomes *outcomes;
	atomic_uint told;
	char text[16];
};

static void count_outcome(void *arg, enum status status, struct bus_msg *reply)
{
	struct ask *ask = arg;
	struct outcomes *o = ask->outcomes;

	if (atomic_fetch_add(&ask->told, 1) != 0)
		(void)atomic_fetch_add(&o->wrong, 1);
	if ((status == STATUS_OK) != (reply != NULL) ||
	    (reply && !bytes_equal_str(bus_msg_data(reply), ask->text)))
		(void)atomic_fetch_add(&o->wrong, 1);
	atomic_store(&o->got_before, atomic_load(&o->world->got));
	atomic_store(&o->teller, pthread_self());
	(void)atomic_fetch_add(status == STATUS_OK            ? &o->ok
			       : status == STATUS_UNAVAILABLE ? &o->unavailable
			       : status == STATUS_TIMEOUT     ? &o->timeout
							      : &o->other,
	    1);
	(void)atomic_fetch_add(&o->told, 1);
}

static void ask_one(
    struct world *w, struct ask *ask, struct outcomes *outcomes, const char *text, int timeout_ms)
{
	ask->outcomes = outcomes;
	(void)snprintf(ask->text, sizeof(ask->text), "%s", text);
	bus_port_request(w->port, "ww.svc.notifications.open", bytes_of_str(ask->text), timeout_ms,
	    count_outcome, ask);
}

START_TEST(interest_is_live_before_a_later_request_is_served)
{
	struct outcomes outcomes = { .world = NULL };
	struct ask *asks = xcalloc(500, sizeof(*asks));
	struct world w;

	open_world(&w, 1000, 30000);
	outcomes.world = &w;
	serve(&w, ring_and_answer);
	/* The service rings before it answers: a doorbell that found no interest would be missing.
	 */
	for (unsigned i = 0; i < 500; i++) {
		char user[16], subject[64];

		(void)snprintf(user, sizeof(user), "u%u", i);
		(void)snprintf(subject, sizeof(subject), "ww.rt.user.%s", user);
		bus_port_want(w.port, subject);
		ask_one(&w, &asks[i], &outcomes, user, WAIT_MS);
		wait_for(&outcomes.told, i + 1);
		ck_assert_uint_eq(atomic_load(&outcomes.got_before), i + 1);
	}
	ck_assert_uint_eq(atomic_load(&outcomes.ok), 500);
	ck_assert_uint_eq(atomic_load(&outcomes.wrong), 0);
	ck_assert_uint_eq(bus_port_stats(w.port).subjects, 500);
	close_world(&w);
	free(asks);
}
END_TEST

START_TEST(ten_thousand_requests_at_once_are_each_answered_once)
{
	struct outcomes outcomes = { .world = NULL };
	struct ask *asks = xcalloc(MANY, sizeof(*asks));
	struct world w;

	open_world(&w, MANY, 30000);
	outcomes.world = &w;
	serve(&w, ring_and_answer);
	for (int i = 0; i < MANY; i++) {
		char text[16];

		(void)snprintf(text, sizeof(text), "%d", i);
		ask_one(&w, &asks[i], &outcomes, text, 60000);
	}
	wait_for(&outcomes.told, MANY);
	ck_assert_uint_eq(atomic_load(&outcomes.ok), MANY);
	ck_assert_uint_eq(atomic_load(&outcomes.wrong), 0);
	ck_assert_uint_eq(bus_port_stats(w.port).requests_open, 0);
	close_world(&w);
	free(asks);
}
END_TEST

START_TEST(request_that_nobody_serves_is_told_unavailable)
{
	struct outcomes outcomes = { .world = NULL };
	struct ask ask = { 0 };
	struct world w;

	open_world(&w, 10, 30000);
	outcomes.world = &w;
	ask_one(&w, &ask, &outcomes, "x", 3600000);
	wait_for(&outcomes.told, 1);
	ck_assert_uint_eq(atomic_load(&outcomes.unavailable), 1);
	close_world(&w);
}
END_TEST

static void say_nothing(void *arg, struct bus_msg *msg)
{
	struct world *w = arg;

	(void)msg;
	(void)atomic_fetch_add(&w->served, 1);
}

START_TEST(unanswered_requests_time_out_in_the_order_of_their_deadlines)
{
	struct outcomes late = { .world = NULL }, early = { .world = NULL };
	struct ask *asks = xcalloc(200, sizeof(*asks));
	struct world w;

	open_world(&w, 1000, 30000);
	late.world = early.world = &w;
	serve(&w, say_nothing);
	for (int i = 0; i < 100; i++) {
		ask_one(&w, &asks[2 * i], &late, "x", 3600000 + i);
		ask_one(&w, &asks[2 * i + 1], &early, "x", 300 - i);
	}
	wait_for(&early.told, 100);
	ck_assert_uint_eq(atomic_load(&early.timeout), 100);
	ck_assert_uint_eq(atomic_load(&late.told), 0);
	close_world(&w);
	/* The rest was ended by bus_port_free(), which waits until all were told. */
	ck_assert_uint_eq(atomic_load(&late.unavailable), 100);
	ck_assert_uint_eq(atomic_load(&late.wrong) + atomic_load(&early.wrong), 0);
	free(asks);
}
END_TEST

static bool is_disconnected(void *arg)
{
	return !bus_is_connected(arg);
}

START_TEST(refusals_are_called_back_from_another_thread)
{
	struct outcomes outcomes = { .world = NULL };
	struct ask *asks = xcalloc(100, sizeof(*asks));
	struct world w;

	open_world(&w, 1000, 30000);
	outcomes.world = &w;
	support_nats_stop(&nats, SIGKILL);
	/* what is sent before the loss is noticed waits for its deadline instead */
	ck_assert(support_wait(is_disconnected, w.edge_bus, WAIT_MS));
	for (unsigned i = 0; i < 100; i++) {
		ask_one(&w, &asks[i], &outcomes, "x", 60000);
		wait_for(&outcomes.told, i + 1);
		ck_assert(!pthread_equal(atomic_load(&outcomes.teller), pthread_self()));
	}
	ck_assert_uint_eq(atomic_load(&outcomes.unavailable), 100);
	ck_assert(!bus_port_publish(w.port, "ww.svc.chat.send", BYTES_LITERAL("x")));
	close_world(&w);
	free(asks);
}
END_TEST

START_TEST(full_queue_refuses)
{
	struct outcomes outcomes = { .world = NULL };
	struct ask *asks = xcalloc(MANY, sizeof(*asks));
	struct world w;

	open_world(&w, 1, 30000);
	outcomes.world = &w;
	serve(&w, ring_and_answer);
	for (int i = 0; i < MANY; i++)
		ask_one(&w, &asks[i], &outcomes, "x", 60000);
	wait_for(&outcomes.told, MANY);
	ck_assert_uint_gt(atomic_load(&outcomes.unavailable), 0);
	ck_assert_uint_eq(atomic_load(&outcomes.ok) + atomic_load(&outcomes.unavailable), MANY);
	ck_assert_uint_eq(atomic_load(&outcomes.wrong), 0);
	close_world(&w);
	free(asks);
}
END_TEST

struct subjects {
	struct world *world;
	size_t live, lingering;
};

static bool counts_are(void *arg)
{
	struct subjects *s = arg;
	struct bus_stats stats = bus_port_stats(s->world->port);

	return stats.subjects == s->live && stats.lingering == s->lingering;
}

static void expect_subjects(struct world *w, size_t live, size_t lingering)
{
	struct subjects s = { w, live, lingering };
	struct bus_stats stats;

	if (support_wait(counts_are, &s, WAIT_MS))
		return;
	stats = bus_port_stats(w->port);
	ck_abort_msg("%zu live, %zu lingering", stats.subjects, stats.lingering);
}

/* A request goes behind the interest, so that its answer means: the server has the subscription. */
static void settle(struct world *w)
{
	struct outcomes outcomes = { .world = w };
	struct ask ask = { 0 };

	ask_one(w, &ask, &outcomes, "settle", WAIT_MS);
	wait_for(&outcomes.told, 1);
}

/* The same without the pauses of polling. */
static void settle_at_once(struct world *w)
{
	struct outcomes outcomes = { .world = w };
	struct ask ask = { 0 };

	ask_one(w, &ask, &outcomes, "settle", WAIT_MS);
	while (atomic_load(&outcomes.told) == 0)
		(void)sched_yield();
}

START_TEST(interest_is_counted_and_lingers)
{
	struct world w;

	open_world(&w, 100, 500);
	bus_port_want(w.port, "ww.rt.user.a");
	bus_port_want(w.port, "ww.rt.user.a");
	bus_port_want(w.port, "ww.rt.all");
	settle(&w);
	bus_port_unwant(w.port, "ww.rt.user.a");
	expect_subjects(&w, 2, 0);
	bus_port_unwant(w.port, "ww.rt.user.a");
	expect_subjects(&w, 1, 1);
	/* Wanted again while it lingers: it was never gone. */
	bus_port_want(w.port, "ww.rt.user.a");
	expect_subjects(&w, 2, 0);
	ring(&w, "ww.rt.user.a");
	wait_for(&w.got, 1);
	bus_port_unwant(w.port, "ww.rt.user.a");
	expect_subjects(&w, 1, 0);
	/* Really gone: the second doorbell is heard, the first was not. */
	ring(&w, "ww.rt.user.a");
	ring(&w, "ww.rt.all");
	wait_for(&w.got, 2);
	ck_assert_str_eq(w.last, "ww.rt.all");
	close_world(&w);
}
END_TEST

START_TEST(interest_of_a_moment_leaves_nothing)
{
	struct world w;

	open_world(&w, 100, 0);
	for (int i = 0; i < 1000; i++) {
		bus_port_want(w.port, "ww.rt.user.a");
		bus_port_unwant(w.port, "ww.rt.user.a");
	}
	expect_subjects(&w, 0, 0);
	close_world(&w);
}
END_TEST

START_TEST(interest_is_live_again_after_a_server_restart)
{
	struct world w;
	struct err err = ERR_INIT;

	open_world(&w, 100, 30000);
	bus_port_want(w.port, "ww.rt.user.before");
	settle(&w);
	for (int round = 0; round < 2; round++) {
		unsigned before = atomic_load(&w.got);

		support_nats_stop(&nats, SIGKILL);
		bus_port_want(w.port, "ww.rt.user.meanwhile");
		support_nats_restart(&nats);
		while (bus_port_stats(w.port).reconnects < (unsigned)round + 1)
			ck_assert_ok(bus_wait_connected(w.edge_bus, WAIT_MS, &err), err);
		ck_assert_ok(bus_wait_connected(w.service_bus, WAIT_MS, &err), err);
		settle(&w);
		while (bus_flush(w.service_bus, WAIT_MS, &err))
			ck_assert(status_is_temporary(err.status));
		ring(&w, "ww.rt.user.before");
		ring(&w, "ww.rt.user.meanwhile");
		wait_for(&w.got, before + 2);
		ck_assert_uint_eq(atomic_load(&w.got), before + 2);
	}
	close_world(&w);
}
END_TEST

START_TEST(dropped_on_purpose_are_exactly_the_next_ones)
{
	struct world w;

	open_world(&w, 100, 30000);
	bus_port_want(w.port, "ww.rt.user.*");
	bus_port_want(w.port, "ww.rt.all");
	settle(&w);
	bus_port_drop_next(w.port, "ww.rt.user.", 2);
	ring(&w, "ww.rt.all");
	ring(&w, "ww.rt.user.a");
	ring(&w, "ww.rt.user.b");
	ring(&w, "ww.rt.user.c");
	wait_for(&w.got, 2);
	ck_assert_str_eq(w.last, "ww.rt.user.c");
	ck_assert_uint_eq(bus_port_stats(w.port).msgs_in, 2);
	close_world(&w);
}
END_TEST

struct churn {
	struct world *world;
	atomic_bool stop;
	atomic_uint rung;
};

static void *keep_ringing(void *arg)
{
	static const uint8_t
	    payload[16384]; /* copied between looking the subscription up and using it */
	struct churn *churn = arg;
	struct err err = ERR_INIT;

	for (unsigned i = 0; !atomic_load(&churn->stop); i++) {
		char subject[64];

		(void)snprintf(subject, sizeof(subject), "ww.rt.user.u%u", i % USERS);
		if (bus_publish(churn->world->service_bus, subject,
			bytes_of(payload, sizeof(payload)), &err) == STATUS_OK)
			(void)atomic_fetch_add(&churn->rung, 1);
		/* Now and then wait for the server, so that it and the client keep up under a
		 * sanitizer. */
		if (i % 256 == 0 && bus_flush(churn->world->service_bus, WAIT_MS, &err))
			ck_assert(status_is_temporary(err.status));
	}
	return NULL;
}

static void for_each_user(
    struct world *w, void (*change)(struct bus_port *port, const char *subject))
{
	for (unsigned i = 0; i < USERS; i++) {
		char subject[64];

		(void)snprintf(subject, sizeof(subject), "ww.rt.user.u%u", i);
		change(w->port, subject);
	}
}

/*
 * nats.c 3.4.1 uses a subscription after free when it is destroyed while its messages arrive. Few
 * subjects, so that most messages are for one that is just going: with the delay of the graveyard
 * set to 0 this fails within seconds.
 */
START_TEST(churn_of_interest_under_fire_is_safe)
{
	struct churn churn = { .world = NULL };
	int64_t until = clock_mono_ms() + CHURN_MS;
	unsigned rounds = 0;
	pthread_t ringer;
	struct world w;

	open_world(&w, 1000, 0);
	churn.world = &w;
	ck_assert_int_eq(pthread_create(&ringer, NULL, keep_ringing, &churn), 0);
	for (; clock_mono_ms() < until; rounds++) {
		for_each_user(&w, bus_port_want);
		settle_at_once(&w);
		for_each_user(&w, bus_port_unwant);
	}
	atomic_store(&churn.stop, true);
	ck_assert_int_eq(pthread_join(ringer, NULL), 0);
	ck_assert_uint_gt(atomic_load(&w.got), 0);
	ck_assert_uint_gt(rounds, 10);
	close_world(&w);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bus_port");
	TCase *tc = tcase_create("port");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, interest_is_live_before_a_later_request_is_served);
	tcase_add_test(tc, ten_thousand_requests_at_once_are_each_answered_once);
	tcase_add_test(tc, request_that_nobody_serves_is_told_unavailable);
	tcase_add_test(tc, unanswered_requests_time_out_in_the_order_of_their_deadlines);
	tcase_add_test(tc, refusals_are_called_back_from_another_thread);
	tcase_add_test(tc, full_queue_refuses);
	tcase_add_test(tc, interest_is_counted_and_lingers);
	tcase_add_test(tc, interest_of_a_moment_leaves_nothing);
	tcase_add_test(tc, interest_is_live_again_after_a_server_restart);
	tcase_add_test(tc, dropped_on_purpose_are_exactly_the_next_ones);
	tcase_add_test(tc, churn_of_interest_under_fire_is_safe);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
