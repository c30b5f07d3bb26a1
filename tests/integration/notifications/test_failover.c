/* Exactly once, in order, with counters that add up: while what it runs on is killed. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "world.h"

enum { EVENTS = 10000, USERS = 50, PER_USER = EVENTS / USERS };

static struct postgres *pg;
static struct world world;

/* Servers of the test's own: it kills them. */
static void setup(void)
{
	pg = postgres_start();
	world_start(&world, pg);
}

static void teardown(void)
{
	world_stop(&world);
	postgres_stop(pg);
}

/* --- publishing --- */

static atomic_int refused;

static void on_ack(
    void *arg, uint64_t tag, enum status status, struct bus_ack ack, const char *reason)
{
	(void)arg;
	(void)tag;
	(void)ack;
	(void)reason;
	if (status)
		(void)atomic_fetch_add(&refused, 1);
}

/* Event n of the run is the next one of user n % USERS: "e1", "e2" ... per user. */
static void publish_range(int from, int to)
{
	char json[192], subject[64];

	for (int n = from; n < to; n++) {
		struct bytes data;

		(void)snprintf(json, sizeof(json),
		    "{\"id\":\"u%d-%d\",\"userIds\":[\"u%d\"],\"payment\":{\"status\":"
		    "\"completed\","
		    "\"amount\":\"1.00\",\"currency\":\"USD\"}}",
		    n % USERS, n / USERS + 1, n % USERS);
		data = world_event(&world, json, subject);
		bus_publish_stored_async(
		    world.backend, subject, NULL, data, NULL, (uint64_t)n, on_ack, NULL);
	}
	bus_publish_wait(world.backend);
	ck_assert_int_eq(atomic_load(&refused), 0);
}

struct progress {
	uint64_t rows; /* wanted */
};

/* The mailboxes of all users together. */
static uint64_t rows_now(void)
{
	Walletwire__V1__HeadsRequest *in = MESSAGE_NEW(&world.arena, heads_request);
	const Walletwire__V1__HeadsReply *reply;
	uint64_t rows = 0;

	in->user_ids = arena_alloc(&world.arena, USERS * sizeof(char *));
	for (int i = 0; i < USERS; i++)
		in->user_ids[in->n_user_ids++] = arena_printf(&world.arena, "u%d", i);
	reply = world_ask(&world, "ww.svc.notifications.heads", in,
	    &walletwire__v1__heads_reply__descriptor, NULL);
	for (size_t i = 0; i < reply->n_heads; i++)
		rows += reply->heads[i]->seq;
	return rows;
}

static bool applied_so_many(void *arg)
{
	return rows_now() >= ((struct progress *)arg)->rows;
}

static void wait_rows(uint64_t rows)
{
	struct progress wanted = { rows };
	bool done = support_wait(applied_so_many, &wanted, WORLD_WAIT_MS);

	ck_assert_msg(done, "%lu of %lu rows", (unsigned long)rows_now(), (unsigned long)rows);
}

static void check_all(uint64_t per_user)
{
	char user[16], prefix[16];

	for (int i = 0; i < USERS; i++) {
		(void)snprintf(user, sizeof(user), "u%d", i);
		(void)snprintf(prefix, sizeof(prefix), "u%d-", i);
		world_check_mailbox(&world, user, prefix, per_user);
	}
}

/* --- doorbells: every number was rung, whatever was rung twice --- */

static void check_rings(uint64_t per_user)
{
	static bool rung[USERS][PER_USER + 1];
	size_t items = 0;

	memset(rung, 0, sizeof(rung));
	(void)pthread_mutex_lock(&world.lock);
	for (size_t i = 0; i < world.rings_len; i++) {
		const Delivery *d = world.rings[i];
		unsigned long user = strtoul(d->user_id + 1, NULL, 10);

		ck_assert(user < USERS);
		for (size_t j = 0; j < d->n_items; j++) {
			char id[32];

			(void)snprintf(
			    id, sizeof(id), "%s-%lu", d->user_id, (unsigned long)d->items[j]->seq);
			/* A number never means another item, however often it is rung. */
			ck_assert_str_eq(d->items[j]->notification->id, id);
			items += !rung[user][d->items[j]->seq];
			rung[user][d->items[j]->seq] = true;
		}
	}
	(void)pthread_mutex_unlock(&world.lock);
	ck_assert_uint_eq(items, USERS * per_user);
}

START_TEST(the_active_replica_killed_in_the_middle_of_10000_events)
{
	world_spawn(&world, 0, NULL);
	world_spawn(&world, 1, NULL);
	publish_range(0, EVENTS / 2);
	/* Both are killed in turn, so the one that is active is, whichever it is. */
	for (int i = 0; i < 4; i++) {
		uint64_t before = rows_now();

		publish_range(EVENTS / 2 + i * EVENTS / 8, EVENTS / 2 + (i + 1) * EVENTS / 8);
		wait_rows(before + 1);
		world_kill(&world, i % 2, SIGKILL);
		world_spawn(&world, i % 2, NULL);
	}
	wait_rows(EVENTS);
	check_all(PER_USER);
	check_rings(PER_USER);
	ck_assert_uint_eq(world.dead_len, 0);
}
END_TEST

START_TEST(the_only_replica_killed_in_the_middle_of_10000_events)
{
	world_spawn(&world, 0, NULL);
	publish_range(0, EVENTS);
	world_kill(&world, 0, SIGKILL);
	world_spawn(&world, 0, NULL);
	wait_rows(EVENTS);
	check_all(PER_USER);
	ck_assert_uint_eq(world.dead_len, 0);
}
END_TEST

START_TEST(postgresql_killed_in_the_middle_of_10000_events)
{
	world_spawn(&world, 0, NULL);
	publish_range(0, EVENTS / 2);
	postgres_kill(pg);
	publish_range(EVENTS / 2, EVENTS);
	postgres_restart(pg);
	wait_rows(EVENTS / 2);
	postgres_terminate_backends(pg);
	wait_rows(EVENTS);
	check_all(PER_USER);
	check_rings(PER_USER);
	ck_assert_uint_eq(world.dead_len, 0);
}
END_TEST

START_TEST(nats_killed_in_the_middle_of_10000_events)
{
	struct err err = ERR_INIT;

	world_spawn(&world, 0, NULL);
	publish_range(0, EVENTS / 2);
	support_nats_stop(&world.nats, SIGKILL);
	support_nats_restart(&world.nats);
	ck_assert_ok(bus_wait_connected(world.backend, WORLD_WAIT_MS, &err), err);
	ck_assert_ok(bus_wait_connected(world.edge, WORLD_WAIT_MS, &err), err);
	publish_range(EVENTS / 2, EVENTS);
	wait_rows(EVENTS);
	check_all(PER_USER);
	ck_assert_uint_eq(world.dead_len, 0);
}
END_TEST

/* --- users act while events are applied --- */

struct reader {
	pthread_t thread;
	struct world *world;
	atomic_bool stop;
	unsigned changed;
};

static void *read_all_the_time(void *arg)
{
	static const char *const verbs[] = { "seen", "read", "archive" };
	struct reader *reader = arg;
	char user[16];

	for (int i = 0; !atomic_load(&reader->stop); i++) {
		(void)snprintf(user, sizeof(user), "u%d", i % 5);
		reader->changed +=
		    world_select(reader->world, verbs[i % 3], user, NULL, i % 2 ? 0 : 100)->changed;
	}
	return NULL;
}

START_TEST(verbs_while_events_are_applied_keep_the_counters)
{
	struct reader reader = { .world = &world };
	struct world asking; /* the arena of a world belongs to one thread */
	char user[16];

	world_spawn(&world, 0, NULL);
	asking = world;
	arena_init(&asking.arena, SIZE_MAX);
	reader.world = &asking;
	ck_assert_int_eq(pthread_create(&reader.thread, NULL, read_all_the_time, &reader), 0);
	publish_range(0, EVENTS);
	world_wait_seq(&world, "u49", PER_USER, 1);
	atomic_store(&reader.stop, true);
	ck_assert_int_eq(pthread_join(reader.thread, NULL), 0);
	arena_finish(&asking.arena);
	ck_assert_uint_gt(reader.changed, 0);
	for (int i = 0; i < USERS; i++) {
		(void)snprintf(user, sizeof(user), "u%d", i);
		ck_assert_msg(world_verify(&world, user)->consistent, "%s", user);
		ck_assert_uint_eq(world_verify(&world, user)->inbox_rows, PER_USER);
	}
}
END_TEST

START_TEST(a_replica_that_ends_well_hands_over_without_a_wait)
{
	int64_t start;

	world_spawn(&world, 0, "--takeover-wait=60s");
	publish_range(0, USERS);
	wait_rows(USERS);
	world_kill(&world, 0, SIGTERM);
	world_spawn(&world, 1, "--takeover-wait=60s");
	start = clock_mono_ms();
	publish_range(USERS, 2 * USERS);
	wait_rows(2 * USERS);
	/* Not a measurement: waiting would have taken longer than the test is allowed. */
	ck_assert_int_lt(clock_mono_ms() - start, 60000);
	check_all(2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notifications_failover");
	TCase *tcase = tcase_create("failover");

	tcase_set_timeout(tcase, 240);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, the_active_replica_killed_in_the_middle_of_10000_events);
	tcase_add_test(tcase, the_only_replica_killed_in_the_middle_of_10000_events);
	tcase_add_test(tcase, postgresql_killed_in_the_middle_of_10000_events);
	tcase_add_test(tcase, nats_killed_in_the_middle_of_10000_events);
	tcase_add_test(tcase, verbs_while_events_are_applied_keep_the_counters);
	tcase_add_test(tcase, a_replica_that_ends_well_hands_over_without_a_wait);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
