/* How far a consumer is, asked by an edge, which may read nothing of its stream. */
#include <signal.h>
#include <stdatomic.h>

#include "bus/provision.h"
#include "support/nats.h"
#include "support/support.h"

enum { WAIT_MS = 30000, SHORT_MS = 500 };

static struct support_nats nats;
static struct bus *bus, *backend;
static struct bus_port *port;

static void ignore(void *arg, struct bus_msg *msg)
{
	(void)arg;
	(void)msg;
}

static void setup(void)
{
	struct bus_port_config cfg = { .queue_max = 100, .linger_ms = 0, .on_msg = ignore };
	struct err err = ERR_INIT;

	support_nats_start(&nats);
	support_nats_provision(&nats);
	bus = support_nats_bus(&nats, "edge");
	backend = support_nats_bus(&nats, "backend");
	ck_assert_ok(bus_port_new(bus, &cfg, &port, &err), err);
}

static void teardown(void)
{
	bus_port_free(port);
	bus_close(backend);
	bus_close(bus);
	support_nats_stop(&nats, SIGTERM);
}

struct told {
	bool is_known;
	uint64_t waiting;
	atomic_bool done;
};

static void note(void *arg, enum status status, struct bus_msg *reply)
{
	struct told *told = arg;

	told->is_known = !status && bus_waiting_of(bus_msg_data(reply), &told->waiting);
	atomic_store(&told->done, true);
}

static bool is_done(void *arg)
{
	return atomic_load(&((struct told *)arg)->done);
}

static struct told ask(const char *stream, const char *consumer, int timeout_ms)
{
	struct told told = { .waiting = 0 };

	bus_port_consumer_ask(port, stream, consumer, timeout_ms, note, &told);
	ck_assert(support_wait(is_done, &told, WAIT_MS));
	return told;
}

static void ck_waiting(uint64_t n)
{
	struct told told = ask(STREAM_EVENTS, CONSUMER_NOTIFICATIONS, WAIT_MS);

	ck_assert(told.is_known);
	ck_assert_uint_eq(told.waiting, n);
}

static void publish(const char *id)
{
	struct err err = ERR_INIT;
	struct bus_ack ack;

	ck_assert_ok(
	    bus_publish_stored(backend, "ww.event.kyc", id, BYTES_LITERAL("x"), NULL, &ack, &err),
	    err);
}

START_TEST(what_nobody_has_acknowledged_waits)
{
	struct bus *reader = support_nats_bus(&nats, "notifications");
	struct bus_pull *pull = NULL;
	struct bus_msg *msgs[2];
	struct err err = ERR_INIT;
	size_t len = 0;

	ck_waiting(0);
	publish("1");
	publish("2");
	publish("3");
	ck_waiting(3);
	ck_assert_ok(
	    bus_pull_open(reader, STREAM_EVENTS, CONSUMER_NOTIFICATIONS, &pull, &err), err);
	ck_assert_ok(bus_pull_fetch(pull, msgs, 2, WAIT_MS, &len, &err), err);
	ck_waiting(3); /* two of them in hand */
	bus_pull_close(pull);
	for (size_t i = 0; i < len; i++)
		bus_msg_unref(msgs[i]);
	bus_close(reader);
}
END_TEST

START_TEST(what_may_not_be_asked_or_is_not_there_is_not_known)
{
	ck_assert(!ask(STREAM_EVENTS, CONSUMER_AUDIT, SHORT_MS).is_known);
	ck_assert(!ask(STREAM_DLQ, CONSUMER_NOTIFICATIONS, SHORT_MS).is_known);
}
END_TEST

START_TEST(both_numbers_have_to_be_there)
{
	static const struct {
		const char *json;
		bool is_known;
		uint64_t waiting;
	} replies[] = {
		{ "{\"num_ack_pending\":2,\"num_redelivered\":9,\"num_pending\":40}", true, 42 },
		{ "{\"num_pending\":40}", false, 0 }, { "{\"num_ack_pending\":2}", false, 0 },
		{ "{\"error\":{\"code\":404}}", false, 0 }, { "", false, 0 },
		{ "\"num_ack_pending\":1,\"num_pending\":", true,
		    1 }, /* cut off: no bytes beyond */
	};

	for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
		uint64_t waiting = 0;

		ck_assert_int_eq(
		    bus_waiting_of(bytes_of_str(replies[i].json), &waiting), replies[i].is_known);
		if (replies[i].is_known)
			ck_assert_uint_eq(waiting, replies[i].waiting);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bus_port_consumer");
	TCase *tc = tcase_create("consumer"), *pure = tcase_create("reply");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_nobody_has_acknowledged_waits);
	tcase_add_test(tc, what_may_not_be_asked_or_is_not_there_is_not_known);
	tcase_add_test(pure, both_numbers_have_to_be_there);
	suite_add_tcase(suite, tc);
	suite_add_tcase(suite, pure);
	return support_run(suite);
}
