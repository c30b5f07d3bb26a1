/* Keys of buckets from a loop: what was put is what any server answers. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "bus/provision.h"
#include "support/nats.h"
#include "support/support.h"

enum { WAIT_MS = 30000, VALUE_MAX = 64 };

static struct support_nats nats;
static struct bus *bus;
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
	bus = support_nats_bus(&nats, "edge");
	ck_assert_ok(bus_port_new(bus, &cfg, &port, &err), err);
}

static void teardown(void)
{
	bus_port_free(port);
	bus_close(bus);
	support_nats_stop(&nats, SIGTERM);
}

struct told {
	enum status status;
	char value[VALUE_MAX];
	atomic_bool done;
};

static void note(void *arg, enum status status, struct bus_msg *reply)
{
	struct told *told = arg;
	struct bytes value = reply ? bus_msg_data(reply) : bytes_of(NULL, 0);

	told->status = status;
	(void)snprintf(
	    told->value, sizeof(told->value), "%.*s", (int)value.len, (const char *)value.data);
	atomic_store(&told->done, true);
}

static bool is_done(void *arg)
{
	struct told *told = arg;

	return atomic_load(&told->done);
}

static enum status put(const char *bucket, const char *key, const char *value)
{
	struct told told = { .status = STATUS_INTERNAL };

	bus_port_kv_put(port, bucket, key, bytes_of_str(value), WAIT_MS, note, &told);
	ck_assert(support_wait(is_done, &told, WAIT_MS));
	return told.status;
}

static struct told get(const char *bucket, const char *key)
{
	struct told told = { .status = STATUS_INTERNAL };

	bus_port_kv_get(port, bucket, key, WAIT_MS, note, &told);
	ck_assert(support_wait(is_done, &told, WAIT_MS));
	return told;
}

static void ck_value(const char *key, const char *value)
{
	struct told told = get(BUCKET_TRACKING, key);

	ck_assert_int_eq(told.status, STATUS_OK);
	ck_assert_str_eq(told.value, value);
}

START_TEST(what_was_put_last_is_what_is_got)
{
	support_nats_provision(&nats);
	ck_assert_int_eq(put(BUCKET_TRACKING, "a=2Eb.c_d-1", "one"), STATUS_OK);
	ck_value("a=2Eb.c_d-1", "one");
	ck_assert_int_eq(put(BUCKET_TRACKING, "a=2Eb.c_d-1", "two"), STATUS_OK);
	ck_value("a=2Eb.c_d-1", "two");
}
END_TEST

START_TEST(an_empty_value_is_a_value)
{
	support_nats_provision(&nats);
	ck_assert_int_eq(put(BUCKET_TRACKING, "k", ""), STATUS_OK);
	ck_value("k", "");
}
END_TEST

START_TEST(a_key_nobody_put_is_not_found)
{
	support_nats_provision(&nats);
	ck_assert_int_eq(put(BUCKET_TRACKING, "a.b", "x"), STATUS_OK);
	ck_assert_int_eq(get(BUCKET_TRACKING, "a").status, STATUS_NOT_FOUND);
	ck_assert_int_eq(get(BUCKET_TRACKING, "a.c").status, STATUS_NOT_FOUND);
}
END_TEST

START_TEST(what_was_put_outlives_the_server)
{
	struct err err = ERR_INIT;

	support_nats_provision(&nats);
	ck_assert_int_eq(put(BUCKET_TRACKING, "k", "kept"), STATUS_OK);
	support_nats_stop(&nats, SIGKILL);
	support_nats_restart(&nats);
	while (bus_port_stats(port).reconnects < 1)
		ck_assert_ok(bus_wait_connected(bus, WAIT_MS, &err), err);
	ck_value("k", "kept");
}
END_TEST

/* The server itself answers a put that no stream takes; nobody answers such a get. */
START_TEST(a_bucket_that_is_not_there_is_no_value)
{
	struct told told = { .status = STATUS_INTERNAL };

	ck_assert_int_eq(put(BUCKET_TRACKING, "k", "x"), STATUS_UNAVAILABLE);
	bus_port_kv_get(port, BUCKET_TRACKING, "k", 500, note, &told);
	ck_assert(support_wait(is_done, &told, WAIT_MS));
	ck_assert(status_is_temporary(told.status));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bus_port_kv");
	TCase *tc = tcase_create("keys");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_was_put_last_is_what_is_got);
	tcase_add_test(tc, an_empty_value_is_a_value);
	tcase_add_test(tc, a_key_nobody_put_is_not_found);
	tcase_add_test(tc, what_was_put_outlives_the_server);
	tcase_add_test(tc, a_bucket_that_is_not_there_is_no_value);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
