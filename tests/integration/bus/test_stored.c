/* Publishing into streams and pulling from them, with the server dying in between. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "bus/provision.h"
#include "support/nats.h"
#include "support/support.h"

enum {
	WAIT_MS = 20000,
	MANY = 10000,
	BATCH = 256,
};

static struct support_nats nats;

static void setup(void)
{
	support_nats_start(&nats);
	support_nats_provision(&nats);
}

static void teardown(void)
{
	support_nats_stop(&nats, SIGTERM);
}

START_TEST(stored_message_is_acknowledged_with_its_place)
{
	struct bus *bus = support_nats_bus(&nats, "backend");
	struct err err = ERR_INIT;
	struct bus_ack ack;

	for (uint64_t i = 1; i <= 3; i++) {
		ck_assert_ok(bus_publish_stored(bus, "ww.event.balance", NULL, BYTES_LITERAL("b"),
				 NULL, &ack, &err),
		    err);
		ck_assert_uint_eq(ack.stream_seq, i);
		ck_assert(!ack.duplicate);
	}
	bus_close(bus);
}
END_TEST

START_TEST(message_with_a_known_id_is_told_as_duplicate)
{
	struct bus *bus = support_nats_bus(&nats, "backend");
	struct err err = ERR_INIT;
	struct bus_ack ack;

	for (int i = 0; i < 3; i++) {
		ck_assert_ok(bus_publish_stored(bus, "ww.event.payment", "payment/7",
				 BYTES_LITERAL("p"), NULL, &ack, &err),
		    err);
		ck_assert_uint_eq(ack.stream_seq, 1);
		ck_assert(ack.duplicate == (i > 0));
	}
	bus_close(bus);
}
END_TEST

START_TEST(publish_that_no_stream_takes_fails)
{
	struct bus *bus = support_nats_bus(&nats, "edge");
	struct err err = ERR_INIT;
	struct bus_ack ack;

	ck_assert_int_eq(
	    bus_publish_stored(bus, "ww.svc.chat.send", NULL, BYTES_LITERAL("x"), NULL, &ack, &err),
	    STATUS_UNAVAILABLE);
	bus_close(bus);
}
END_TEST

START_TEST(full_stream_refuses_for_now)
{
	struct bus *bus = support_nats_bus(&nats, "edge");
	static uint8_t large[64 << 10];
	struct err err = ERR_INIT;
	struct bus_ack ack;
	enum status s = STATUS_OK;

	/* WW_AUDIT holds 64 MiB in these tests. */
	for (int i = 0; i < 1100 && s == STATUS_OK; i++)
		s = bus_publish_stored(
		    bus, "ww.audit.edge", NULL, bytes_of(large, sizeof(large)), NULL, &ack, &err);
	ck_assert_int_eq(s, STATUS_UNAVAILABLE);
	bus_close(bus);
}
END_TEST

START_TEST(what_is_larger_than_an_event_may_be_is_refused_for_good)
{
	struct bus *bus = support_nats_bus(&nats, "backend");
	static uint8_t large[(64 << 10) + 8192];
	struct err err = ERR_INIT;
	struct bus_ack ack;

	ck_assert_int_eq(bus_publish_stored(bus, "ww.event.kyc", NULL,
			     bytes_of(large, sizeof(large)), NULL, &ack, &err),
	    STATUS_TOO_LARGE);
	bus_close(bus);
}
END_TEST

/* Pulls until `n` messages came; each acked. Returns how many. */
static size_t pull_and_ack(struct bus_pull *pull, size_t n)
{
	struct bus_msg *msgs[BATCH];
	int64_t deadline = clock_mono_ms() + WAIT_MS;
	struct err err = ERR_INIT;
	size_t got = 0, len;

	while (got < n && clock_mono_ms() < deadline) {
		ck_assert_ok(bus_pull_fetch(pull, msgs, BATCH, 500, &len, &err), err);
		for (size_t i = 0; i < len; i++) {
			ck_assert_ok(bus_msg_ack(msgs[i], &err), err);
			bus_msg_unref(msgs[i]);
		}
		got += len;
	}
	return got;
}

START_TEST(pulled_messages_come_in_order_with_headers_and_are_gone_when_acked)
{
	struct bus *from = support_nats_bus(&nats, "notifications");
	struct bus *bus = support_nats_bus(&nats, "backend");
	const struct bus_header headers[] = { { "Reason", "a\r\nForged: 1" }, { NULL, NULL } };
	struct err err = ERR_INIT;
	struct bus_msg *msgs[10];
	struct bus_pull *pull;
	struct bus_ack ack;
	size_t n = 0, got;

	for (int i = 0; i < 5; i++)
		ck_assert_ok(bus_publish_stored(bus, "ww.event.card", NULL, BYTES_LITERAL("c"),
				 headers, &ack, &err),
		    err);
	ck_assert_ok(bus_pull_open(from, STREAM_EVENTS, CONSUMER_NOTIFICATIONS, &pull, &err), err);
	while (n < 5) {
		ck_assert_ok(bus_pull_fetch(pull, msgs + n, 10 - n, WAIT_MS, &got, &err), err);
		n += got;
	}
	for (size_t i = 0; i < 5; i++) {
		ck_assert_uint_eq(bus_msg_stream_seq(msgs[i]), i + 1);
		ck_assert_uint_eq(bus_msg_delivered(msgs[i]), 1);
		ck_assert_str_eq(bus_msg_subject(msgs[i]), "ww.event.card");
		ck_assert_ptr_nonnull(strstr(bus_msg_header(msgs[i], "Reason"), "Forged"));
		ck_assert_ptr_null(bus_msg_header(msgs[i], "Forged"));
		ck_assert_ok(bus_msg_ack(msgs[i], &err), err);
		bus_msg_unref(msgs[i]);
	}
	ck_assert_ok(bus_flush(from, WAIT_MS, &err), err);
	ck_assert_ok(bus_pull_fetch(pull, msgs, 10, 100, &got, &err), err);
	ck_assert_uint_eq(got, 0);
	bus_pull_close(pull);
	bus_close(bus);
	bus_close(from);
}
END_TEST

START_TEST(message_in_progress_is_not_redelivered_and_another_one_is)
{
	struct bus *from = support_nats_bus(&nats, "notifications");
	struct bus *bus = support_nats_bus(&nats, "backend");
	struct bus_msg *first[2], *again[2];
	struct err err = ERR_INIT;
	struct bus_pull *pull;
	struct bus_ack ack;
	size_t n = 0, got = 0;

	for (int i = 0; i < 2; i++)
		ck_assert_ok(bus_publish_stored(
				 bus, "ww.event.kyc", NULL, BYTES_LITERAL("k"), NULL, &ack, &err),
		    err);
	ck_assert_ok(bus_pull_open(from, STREAM_EVENTS, CONSUMER_NOTIFICATIONS, &pull, &err), err);
	while (n < 2) {
		ck_assert_ok(bus_pull_fetch(pull, first + n, 2 - n, WAIT_MS, &got, &err), err);
		n += got;
	}
	/* AckWait is 5 s: the one that is kept in progress stays away, the other comes again. */
	for (int64_t deadline = clock_mono_ms() + 60000;; got = 0) {
		ck_assert(clock_mono_ms() < deadline);
		ck_assert_ok(bus_msg_in_progress(first[0], &err), err);
		ck_assert_ok(bus_pull_fetch(pull, again, 2, 500, &got, &err), err);
		if (got > 0)
			break;
	}
	ck_assert_uint_eq(got, 1);
	ck_assert_uint_eq(bus_msg_stream_seq(again[0]), bus_msg_stream_seq(first[1]));
	ck_assert_uint_eq(bus_msg_delivered(again[0]), 2);
	bus_msg_unref(again[0]);
	bus_msg_unref(first[0]);
	bus_msg_unref(first[1]);
	bus_pull_close(pull);
	bus_close(bus);
	bus_close(from);
}
END_TEST

START_TEST(pull_of_a_missing_consumer_fails_and_creates_none)
{
	struct bus *bus = support_nats_bus(&nats, "ops");
	struct err err = ERR_INIT;
	struct bus_pull *pull;

	ck_assert_int_eq(
	    bus_pull_open(bus, STREAM_EVENTS, "nobody", &pull, &err), STATUS_NOT_FOUND);
	ck_assert_int_eq(
	    bus_pull_open(bus, STREAM_EVENTS, "nobody", &pull, &err), STATUS_NOT_FOUND);
	bus_close(bus);
}
END_TEST

struct outcomes {
	atomic_uchar told[MANY];
	atomic_uint ok, failed, duplicates, twice;
};

static void count_outcome(
    void *arg, uint64_t tag, enum status status, struct bus_ack ack, const char *reason)
{
	struct outcomes *outcomes = arg;

	(void)reason;
	if (atomic_fetch_add(&outcomes->told[tag], 1) != 0)
		(void)atomic_fetch_add(&outcomes->twice, 1);
	if (status == STATUS_OK)
		(void)atomic_fetch_add(&outcomes->ok, 1);
	else
		(void)atomic_fetch_add(&outcomes->failed, 1);
	if (ack.duplicate)
		(void)atomic_fetch_add(&outcomes->duplicates, 1);
}

static void check_told_once(struct outcomes *outcomes)
{
	ck_assert_uint_eq(atomic_load(&outcomes->twice), 0);
	for (int i = 0; i < MANY; i++)
		ck_assert_uint_eq(atomic_load(&outcomes->told[i]), 1);
}

static void publish_range(struct bus *bus, struct outcomes *outcomes, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to; i++) {
		char id[32];

		(void)snprintf(id, sizeof(id), "deposit/%llu", (unsigned long long)i);
		bus_publish_stored_async(bus, "ww.event.deposit", id, BYTES_LITERAL("12345678"),
		    NULL, i, count_outcome, outcomes);
	}
}

START_TEST(each_of_ten_thousand_outcomes_is_told_once)
{
	struct outcomes *outcomes = xcalloc(1, sizeof(*outcomes));
	struct bus *from = support_nats_bus(&nats, "notifications");
	struct bus *bus = support_nats_bus(&nats, "backend");
	struct err err = ERR_INIT;
	struct bus_pull *pull;

	publish_range(bus, outcomes, 0, MANY);
	bus_publish_wait(bus);
	check_told_once(outcomes);
	ck_assert_uint_eq(atomic_load(&outcomes->ok), MANY);
	ck_assert_uint_eq(atomic_load(&outcomes->duplicates), 0);
	ck_assert_ok(bus_pull_open(from, STREAM_EVENTS, CONSUMER_NOTIFICATIONS, &pull, &err), err);
	ck_assert_uint_eq(pull_and_ack(pull, MANY), MANY);
	bus_pull_close(pull);
	bus_close(bus);
	bus_close(from);
	free(outcomes);
}
END_TEST

START_TEST(outcomes_are_told_once_though_the_server_dies_and_a_retry_makes_no_double)
{
	struct outcomes *outcomes = xcalloc(1, sizeof(*outcomes));
	struct outcomes *retried = xcalloc(1, sizeof(*retried));
	struct bus *from = support_nats_bus(&nats, "notifications");
	struct bus *bus = support_nats_bus(&nats, "backend");
	struct err err = ERR_INIT;
	struct bus_msg *extra;
	struct bus_pull *pull;
	size_t n;

	publish_range(bus, outcomes, 0, MANY / 2);
	support_nats_stop(&nats, SIGKILL);
	publish_range(bus, outcomes, MANY / 2, MANY / 2 + 1500);
	support_nats_restart(&nats);
	ck_assert_ok(bus_wait_connected(bus, WAIT_MS, &err), err);
	publish_range(bus, outcomes, MANY / 2 + 1500, MANY);
	bus_publish_wait(bus);
	check_told_once(outcomes);
	ck_assert_uint_gt(atomic_load(&outcomes->failed), 0);
	ck_assert_uint_eq(atomic_load(&outcomes->ok) + atomic_load(&outcomes->failed), MANY);

	/* Again, all of them: what was stored is known by its id, so the stream has each one once.
	 */
	while (atomic_load(&retried->ok) < MANY) {
		memset(retried, 0, sizeof(*retried));
		ck_assert_ok(bus_wait_connected(bus, WAIT_MS, &err), err);
		publish_range(bus, retried, 0, MANY);
		bus_publish_wait(bus);
		check_told_once(retried);
	}
	ck_assert_uint_ge(atomic_load(&retried->duplicates), atomic_load(&outcomes->ok));
	ck_assert_ok(bus_wait_connected(from, WAIT_MS, &err), err);
	ck_assert_ok(bus_pull_open(from, STREAM_EVENTS, CONSUMER_NOTIFICATIONS, &pull, &err), err);
	ck_assert_uint_eq(pull_and_ack(pull, MANY), MANY);
	ck_assert_ok(bus_pull_fetch(pull, &extra, 1, 500, &n, &err), err);
	ck_assert_uint_eq(n, 0);
	bus_pull_close(pull);
	bus_close(bus);
	bus_close(from);
	free(outcomes);
	free(retried);
}
END_TEST

START_TEST(close_tells_the_outcomes_that_are_open)
{
	struct outcomes *outcomes = xcalloc(1, sizeof(*outcomes));
	struct bus *bus = support_nats_bus(&nats, "backend");

	ck_assert_int_eq(kill(nats.pid, SIGSTOP), 0);
	publish_range(bus, outcomes, 0, 100);
	bus_close(bus);
	ck_assert_uint_eq(atomic_load(&outcomes->ok) + atomic_load(&outcomes->failed), 100);
	ck_assert_uint_eq(atomic_load(&outcomes->twice), 0);
	ck_assert_int_eq(kill(nats.pid, SIGCONT), 0);
	free(outcomes);
}
END_TEST

START_TEST(pull_goes_on_after_a_server_restart)
{
	struct bus *from = support_nats_bus(&nats, "notifications");
	struct bus *bus = support_nats_bus(&nats, "backend");
	struct err err = ERR_INIT;
	struct bus_msg *msgs[1];
	struct bus_pull *pull;
	struct bus_ack ack;
	size_t n = 0;

	ck_assert_ok(bus_pull_open(from, STREAM_EVENTS, CONSUMER_NOTIFICATIONS, &pull, &err), err);
	support_nats_stop(&nats, SIGKILL);
	/* Nothing is invented meanwhile, and nothing blocks for longer than asked. */
	while (bus_pull_fetch(pull, msgs, 1, 100, &n, &err) == STATUS_OK)
		ck_assert_uint_eq(n, 0);
	support_nats_restart(&nats);
	ck_assert_ok(bus_wait_connected(bus, WAIT_MS, &err), err);
	while (bus_publish_stored(
	    bus, "ww.event.limit", "limit/1", BYTES_LITERAL("l"), NULL, &ack, &err))
		ck_assert(status_is_temporary(err.status));
	for (int64_t deadline = clock_mono_ms() + 60000; n == 0;) {
		ck_assert_msg(clock_mono_ms() < deadline, "nothing came: %s", err.msg);
		if (bus_pull_fetch(pull, msgs, 1, 500, &n, &err))
			ck_assert_msg(status_is_temporary(err.status), "%s", err.msg);
	}
	ck_assert_uint_eq(bus_msg_stream_seq(msgs[0]), ack.stream_seq);
	bus_msg_unref(msgs[0]);
	bus_pull_close(pull);
	bus_close(bus);
	bus_close(from);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bus_stored");
	TCase *tc = tcase_create("stored");

	tcase_set_timeout(tc, 150);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, stored_message_is_acknowledged_with_its_place);
	tcase_add_test(tc, message_with_a_known_id_is_told_as_duplicate);
	tcase_add_test(tc, publish_that_no_stream_takes_fails);
	tcase_add_test(tc, full_stream_refuses_for_now);
	tcase_add_test(tc, what_is_larger_than_an_event_may_be_is_refused_for_good);
	tcase_add_test(tc, pulled_messages_come_in_order_with_headers_and_are_gone_when_acked);
	tcase_add_test(tc, message_in_progress_is_not_redelivered_and_another_one_is);
	tcase_add_test(tc, pull_of_a_missing_consumer_fails_and_creates_none);
	tcase_add_test(tc, each_of_ten_thousand_outcomes_is_told_once);
	tcase_add_test(
	    tc, outcomes_are_told_once_though_the_server_dies_and_a_retry_makes_no_double);
	tcase_add_test(tc, close_tells_the_outcomes_that_are_open);
	tcase_add_test(tc, pull_goes_on_after_a_server_restart);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
