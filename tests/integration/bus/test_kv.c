/* Watching a bucket: every key, then the changes, and all of it again after a reconnect. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/provision.h"
#include "support/nats.h"
#include "support/support.h"

enum {
	WAIT_MS = 30000,
	KEYS = 50,
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

/* What a watcher was told: values by key number, and how often "that was all". */
struct seen {
	pthread_mutex_t lock;
	unsigned passes;
	unsigned keys_in_pass; /* told since the last "that was all" */
	unsigned keys_in_first_pass, keys_in_last_pass;
	char values[KEYS][16];
	bool empty_not_null;
};

#define SEEN_INIT                                 \
	{                                         \
		.lock = PTHREAD_MUTEX_INITIALIZER \
	}

static void see(void *arg, const char *key, struct bytes value)
{
	struct seen *seen = arg;

	(void)pthread_mutex_lock(&seen->lock);
	if (!key) {
		if (seen->passes++ == 0)
			seen->keys_in_first_pass = seen->keys_in_pass;
		seen->keys_in_last_pass = seen->keys_in_pass;
		seen->keys_in_pass = 0;
	} else {
		int n = atoi(key + strcspn(key, "0123456789"));

		seen->keys_in_pass++;
		(void)snprintf(seen->values[n], sizeof(seen->values[n]), "%.*s", (int)value.len,
		    value.data ? (const char *)value.data : "");
		seen->empty_not_null = value.data && value.len == 0;
	}
	(void)pthread_mutex_unlock(&seen->lock);
}

struct expectation {
	struct seen *seen;
	unsigned passes;
	int key;
	const char *value;
};

static bool is_met(void *arg)
{
	struct expectation *e = arg;
	bool met;

	(void)pthread_mutex_lock(&e->seen->lock);
	met = e->seen->passes >= e->passes &&
	      (e->key < 0 || strcmp(e->seen->values[e->key], e->value) == 0);
	(void)pthread_mutex_unlock(&e->seen->lock);
	return met;
}

static void expect(struct seen *seen, unsigned passes, int key, const char *value)
{
	struct expectation e = { seen, passes, key, value };

	ck_assert_msg(support_wait(is_met, &e, WAIT_MS), "passes %u (of %u), key %d is not %s",
	    seen->passes, passes, key, value ? value : "");
}

static void put(struct bus *bus, int key, const char *value)
{
	struct err err = ERR_INIT;
	char name[16];

	(void)snprintf(name, sizeof(name), "user.%d", key);
	ck_assert_ok(bus_kv_put(bus, BUCKET_TRACKING, name, bytes_of_str(value), &err), err);
}

START_TEST(watch_tells_what_is_there_then_changes)
{
	struct bus *writer = support_nats_bus(&nats, "edge");
	struct bus *reader = support_nats_bus(&nats, "edge");
	struct seen seen = SEEN_INIT;
	struct bus_kv_watch *watch;
	struct err err = ERR_INIT;

	for (int i = 0; i < KEYS; i++)
		put(writer, i, "old");
	ck_assert_ok(bus_kv_watch(reader, BUCKET_TRACKING, see, &seen, &watch, &err), err);
	expect(&seen, 1, KEYS - 1, "old");
	ck_assert_uint_eq(seen.keys_in_first_pass, KEYS);
	put(writer, 7, "new");
	expect(&seen, 1, 7, "new");
	put(writer, 7, "");
	expect(&seen, 1, 7, "");
	ck_assert(seen.empty_not_null);
	bus_kv_unwatch(watch);
	bus_close(reader);
	bus_close(writer);
}
END_TEST

START_TEST(watch_of_some_keys_is_told_of_no_other)
{
	struct bus *bus = support_nats_bus(&nats, "edge");
	struct seen seen = SEEN_INIT;
	struct bus_kv_watch *watch;
	struct err err = ERR_INIT;

	for (int i = 0; i < KEYS; i++)
		put(bus, i, "old");
	ck_assert_ok(
	    bus_kv_put(bus, BUCKET_TRACKING, "other.1", BYTES_LITERAL("others"), &err), err);
	ck_assert_ok(
	    bus_kv_watch_keys(bus, BUCKET_TRACKING, "user.7", see, &seen, &watch, &err), err);
	expect(&seen, 1, 7, "old");
	ck_assert_uint_eq(seen.keys_in_first_pass, 1);
	bus_kv_unwatch(watch);
	bus_close(bus);
}
END_TEST

START_TEST(a_purged_key_has_no_value_any_more)
{
	struct bus *bus = support_nats_bus(&nats, "edge");
	struct seen seen = SEEN_INIT;
	struct bus_kv_watch *watch;
	struct err err = ERR_INIT;

	put(bus, 3, "old");
	put(bus, 4, "stays");
	ck_assert_ok(bus_kv_watch(bus, BUCKET_TRACKING, see, &seen, &watch, &err), err);
	expect(&seen, 1, 3, "old");
	ck_assert_ok(bus_kv_purge(bus, BUCKET_TRACKING, "user.3", &err), err);
	expect(&seen, 1, 3, "");
	ck_assert(!seen.empty_not_null); /* deleted, not empty */
	expect(&seen, 1, 4, "stays");
	bus_kv_unwatch(watch);
	bus_close(bus);
}
END_TEST

START_TEST(watch_of_an_empty_bucket_says_that_was_all)
{
	struct bus *bus = support_nats_bus(&nats, "edge");
	struct seen seen = SEEN_INIT;
	struct bus_kv_watch *watch;
	struct err err = ERR_INIT;

	ck_assert_ok(bus_kv_watch(bus, BUCKET_REVOKED, see, &seen, &watch, &err), err);
	expect(&seen, 1, -1, NULL);
	ck_assert_uint_eq(seen.keys_in_first_pass, 0);
	bus_kv_unwatch(watch);
	bus_close(bus);
}
END_TEST

START_TEST(watch_starts_over_after_a_server_restart)
{
	struct bus *bus = support_nats_bus(&nats, "edge");
	struct seen seen = SEEN_INIT;
	struct bus_kv_watch *watch;
	struct err err = ERR_INIT;

	for (int i = 0; i < KEYS; i++)
		put(bus, i, "old");
	ck_assert_ok(bus_kv_watch(bus, BUCKET_TRACKING, see, &seen, &watch, &err), err);
	expect(&seen, 1, KEYS - 1, "old");
	for (unsigned round = 2; round <= 3; round++) {
		char value[16];

		support_nats_stop(&nats, SIGKILL);
		support_nats_restart(&nats);
		expect(&seen, round, -1, NULL);
		ck_assert_uint_eq(seen.keys_in_last_pass, KEYS);
		(void)snprintf(value, sizeof(value), "round %u", round);
		ck_assert_ok(bus_wait_connected(bus, WAIT_MS, &err), err);
		put(bus, 3, value);
		expect(&seen, round, 3, value);
		(void)pthread_mutex_lock(&seen.lock);
		seen.keys_in_pass = 0; /* that change belongs to no pass */
		(void)pthread_mutex_unlock(&seen.lock);
	}
	bus_kv_unwatch(watch);
	bus_close(bus);
}
END_TEST

START_TEST(watch_waits_for_server_and_bucket)
{
	struct bus_config cfg = { .user = "edge", .password = "edge", .name = "early" };
	struct support_nats later;
	struct seen seen = SEEN_INIT;
	struct bus_kv_watch *watch;
	struct err err = ERR_INIT;
	struct bus *bus;

	support_nats_start(&later); /* nothing is provisioned there */
	support_nats_stop(&later, SIGTERM);
	cfg.url = later.url;
	ck_assert_ok(bus_open(&cfg, &bus, &err), err);
	ck_assert_ok(bus_kv_watch(bus, BUCKET_TRACKING, see, &seen, &watch, &err), err);
	support_nats_restart(&later);
	ck_assert_ok(bus_wait_connected(bus, WAIT_MS, &err), err);
	support_nats_provision(&later);
	expect(&seen, 1, -1, NULL);
	put(bus, 1, "x");
	expect(&seen, 1, 1, "x");
	bus_kv_unwatch(watch);
	bus_close(bus);
	support_nats_stop(&later, SIGTERM);
}
END_TEST

START_TEST(unwatch_without_a_server_returns)
{
	struct bus *bus = support_nats_bus(&nats, "edge");
	struct seen seen = SEEN_INIT;
	struct bus_kv_watch *watch;
	struct err err = ERR_INIT;

	ck_assert_ok(bus_kv_watch(bus, BUCKET_TRACKING, see, &seen, &watch, &err), err);
	expect(&seen, 1, -1, NULL);
	support_nats_stop(&nats, SIGKILL);
	bus_kv_unwatch(watch);
	bus_close(bus);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bus_kv");
	TCase *tc = tcase_create("kv");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, watch_of_some_keys_is_told_of_no_other);
	tcase_add_test(tc, a_purged_key_has_no_value_any_more);
	tcase_add_test(tc, watch_tells_what_is_there_then_changes);
	tcase_add_test(tc, watch_of_an_empty_bucket_says_that_was_all);
	tcase_add_test(tc, watch_starts_over_after_a_server_restart);
	tcase_add_test(tc, watch_waits_for_server_and_bucket);
	tcase_add_test(tc, unwatch_without_a_server_returns);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
