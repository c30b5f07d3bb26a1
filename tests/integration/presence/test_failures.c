/* ww-presence killed, cut off, stopped and ended in the midst of its work: in the end edges know
 * what is true. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/proxy.h"
#include "world.h"

enum { FRIENDS = 2000 };

static struct postgres *pg;
static struct world world;
static struct world_edge *one = &world.edges[0], *two = &world.edges[1];

static void setup(void)
{
	world_start(&world, pg);
}

static void teardown(void)
{
	world_stop(&world);
}

static const char *friend(int i)
{
	static char id[32];

	(void)snprintf(id, sizeof(id), "friend-%d", i);
	return id;
}

/* Every third is away. */
static PresenceStatus status_of(int i)
{
	return i % 3 == 0 ? PRESENCE(AWAY) : PRESENCE(ONLINE);
}

static void say_friends(int from, int to)
{
	for (int i = from; i < to; i++)
		edge_say(two, friend(i), 1, status_of(i));
}

/* The comparison of what alice is shown with the truth finds no difference. */
static void check_alice(int from, int to)
{
	for (int i = from; i < to; i++)
		edge_wait_shows(one, "alice", friend(i), status_of(i));
}

static bool has_spoken(void *arg)
{
	return edge_generation(arg) > 0;
}

/* The first says nothing after its first word, so that everything waits in it. */
START_TEST(thousands_of_changes_waited_in_the_one_that_is_killed)
{
	struct err err = ERR_INIT;

	world_spawn(&world, 0, "--batch-interval=60s");
	ck_assert(support_wait(has_spoken, one, WORLD_WAIT_MS));
	world_spawn(&world, 1, NULL);
	edge_wish(one, "alice");
	world_add_many(&world, "alice", FRIENDS);
	say_friends(0, FRIENDS);
	ck_assert_ok(bus_flush(world.edge, WORLD_WAIT_MS, &err), err);
	ck_assert_int_eq(edge_shows(one, "alice", friend(0)), PRESENCE(UNSPECIFIED));
	world_kill(&world, 0, SIGKILL);
	check_alice(0, FRIENDS);
	(void)edge_check_numbers(one);
}
END_TEST

START_TEST(the_one_that_speaks_is_cut_off_from_nats_alone)
{
	struct proxy *proxy = proxy_start(world.nats.port);
	uint64_t generation;

	world_spawn_at(&world, 0, proxy_port(proxy), NULL);
	world_spawn(&world, 1, NULL);
	(void)world_friends(&world, "add", "alice", friend(1), "ok");
	edge_wish(one, "alice");
	edge_say(two, friend(1), 1, PRESENCE(ONLINE));
	edge_wait_shows(one, "alice", friend(1), PRESENCE(ONLINE));
	generation = edge_generation(one);
	proxy_cut(proxy);
	edge_say(two, friend(1), 1, PRESENCE(AWAY));
	while (edge_shows(one, "alice", friend(1)) != PRESENCE(AWAY)) {
		edge_heartbeat(one);
		edge_heartbeat(two);
		(void)usleep(20000);
	}
	ck_assert_uint_gt(edge_generation(one), generation);
	/* It is back, and says nothing beside the other one. */
	proxy_mend(proxy);
	generation = edge_generation(one);
	for (int i = 2; i < 30; i++) {
		(void)world_friends(&world, "add", "alice", friend(i), "ok");
		edge_say(two, friend(i), 1, status_of(i));
	}
	check_alice(2, 30);
	ck_assert_uint_eq(edge_generation(one), generation);
	world_kill(&world, 1, SIGKILL);
	edge_say(two, friend(1), 1, PRESENCE(ONLINE));
	edge_wait_shows(one, "alice", friend(1), PRESENCE(ONLINE));
	world_kill(&world, 0, SIGTERM);
	proxy_stop(proxy);
}
END_TEST

/* What it did not hear in that time is nobody's silence. */
START_TEST(the_one_that_speaks_stands_still_for_longer_than_an_edge_may)
{
	enum { STOPPED_S = 4 };

	world_spawn(&world, 0, "--edge-silence=2s");
	(void)world_friends(&world, "add", "alice", friend(1), "ok");
	edge_wish(one, "alice");
	edge_say(two, friend(1), 1, PRESENCE(ONLINE));
	edge_wait_shows(one, "alice", friend(1), PRESENCE(ONLINE));
	edge_mark(one);
	ck_assert_int_eq(kill(world.replicas[0], SIGSTOP), 0);
	(void)sleep(STOPPED_S); /* which is what is tested: time passes, and nobody is to blame */
	ck_assert_int_eq(kill(world.replicas[0], SIGCONT), 0);
	edge_wish(one, "alice");
	do {
		edge_heartbeat(one);
		edge_heartbeat(two);
		(void)usleep(20000);
	} while (edge_lists(one, "alice") == 0);
	ck_assert_int_eq(edge_shows(one, "alice", friend(1)), PRESENCE(ONLINE));
	ck_assert_uint_eq(edge_changes(one, friend(1)), 0);
}
END_TEST

START_TEST(an_edge_that_stood_still_for_longer_than_it_may_comes_back)
{
	world_spawn(&world, 0, "--edge-silence=1s");
	(void)world_friends(&world, "add", "alice", friend(1), "ok");
	edge_wish(one, "alice");
	edge_say(two, friend(1), 1, PRESENCE(ONLINE));
	edge_wait_shows(one, "alice", friend(1), PRESENCE(ONLINE));
	while (edge_shows(one, "alice", friend(1)) != PRESENCE(OFFLINE)) {
		edge_heartbeat(one);
		(void)usleep(20000);
	}
	while (edge_shows(one, "alice", friend(1)) != PRESENCE(ONLINE)) {
		edge_heartbeat(one);
		edge_heartbeat(two); /* and is asked for all it has */
		(void)usleep(20000);
	}
	ck_assert_int_eq(edge_shows(one, "alice", friend(1)), PRESENCE(ONLINE));
}
END_TEST

static atomic_bool flood_is_over;
static atomic_int flooded;

static void *flood(void *arg)
{
	(void)arg;
	for (int i = 0; !atomic_load(&flood_is_over); i = (i + 1) % FRIENDS) {
		edge_say(two, friend(i), 1, i % 2 ? PRESENCE(AWAY) : PRESENCE(ONLINE));
		atomic_fetch_add(&flooded, 1);
	}
	return NULL;
}

static bool has_flooded(void *arg)
{
	return atomic_load(&flooded) >= *(int *)arg;
}

/* world_kill() wants it to end well. */
START_TEST(the_one_that_speaks_is_ended_in_a_flood_of_reports)
{
	pthread_t flooder;
	int enough = FRIENDS;

	world_spawn(&world, 0, NULL);
	world_spawn(&world, 1, NULL);
	edge_wish(one, "alice");
	world_add_many(&world, "alice", FRIENDS);
	ck_assert_int_eq(pthread_create(&flooder, NULL, flood, NULL), 0);
	ck_assert(support_wait(has_flooded, &enough, WORLD_WAIT_MS));
	world_kill(&world, 0, SIGTERM);
	enough = atomic_load(&flooded) + FRIENDS;
	ck_assert(support_wait(has_flooded, &enough, WORLD_WAIT_MS));
	atomic_store(&flood_is_over, true);
	ck_assert_int_eq(pthread_join(flooder, NULL), 0);
	say_friends(0, FRIENDS);
	check_alice(0, FRIENDS);
	(void)edge_check_numbers(one);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("presence_failures");
	TCase *tc = tcase_create("failures");

	pg = postgres_start();
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, thousands_of_changes_waited_in_the_one_that_is_killed);
	tcase_add_test(tc, the_one_that_speaks_is_cut_off_from_nats_alone);
	tcase_add_test(tc, the_one_that_speaks_stands_still_for_longer_than_an_edge_may);
	tcase_add_test(tc, an_edge_that_stood_still_for_longer_than_it_may_comes_back);
	tcase_add_test(tc, the_one_that_speaks_is_ended_in_a_flood_of_reports);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
