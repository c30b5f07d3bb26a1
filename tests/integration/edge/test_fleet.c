/* Edges among others: their leases. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/provision.h"
#include "support/support.h"
#include "walletwire/v1/edge.pb-c.h"
#include "world.h"

enum { WAIT_MS = 30000 };

static struct edge home, other;

/* The newest lease of one edge, as somebody else sees it. */
struct seen {
	const char *edge_id;
	pthread_mutex_t lock; /* guards what is below */
	unsigned times;
	bool draining, gone;
	uint64_t sockets;
};

static struct seen seen = { .lock = PTHREAD_MUTEX_INITIALIZER };
static struct bus *watcher;
static struct bus_kv_watch *watch;

static void see(void *arg, const char *key, struct bytes value)
{
	struct seen *at = arg;
	Walletwire__V1__EdgeLease *lease;

	if (!key || !value.data || strcmp(key, at->edge_id) != 0)
		return;
	lease = walletwire__v1__edge_lease__unpack(NULL, value.len, value.data);
	ck_assert_ptr_nonnull(lease);
	ck_assert_str_eq(lease->id, key);
	ck_assert_str_eq(lease->name, "edge");
	(void)pthread_mutex_lock(&at->lock);
	at->times++;
	at->draining = lease->draining;
	at->gone = lease->gone;
	at->sockets = lease->sockets;
	(void)pthread_mutex_unlock(&at->lock);
	walletwire__v1__edge_lease__free_unpacked(lease, NULL);
}

static struct seen look(void)
{
	struct seen copy;

	(void)pthread_mutex_lock(&seen.lock);
	copy = seen;
	(void)pthread_mutex_unlock(&seen.lock);
	return copy;
}

static void watch_leases_of(const struct edge *edge)
{
	struct err err = ERR_INIT;

	seen.edge_id = edge->id;
	watcher = support_nats_bus(&world.nats, "ops");
	ck_assert_ok(bus_kv_watch(watcher, BUCKET_EDGES, see, &seen, &watch, &err), err);
}

static void setup(void)
{
	world_start();
	world_start_edge(&home, "60s");
	watch_leases_of(&home);
}

static void teardown(void)
{
	bus_kv_unwatch(watch);
	bus_close(watcher);
	world_stop_edge(&home);
	world_stop();
}

static bool has_seen_lease(void *arg)
{
	(void)arg;
	return look().times > 0;
}

static bool has_seen_another(void *arg)
{
	return look().times > *(unsigned *)arg;
}

static bool has_seen_gone(void *arg)
{
	(void)arg;
	return look().gone;
}

START_TEST(a_ready_edge_has_a_lease_and_puts_it_again)
{
	unsigned before;

	ck_assert(support_wait(has_seen_lease, NULL, WAIT_MS));
	before = look().times;
	ck_assert(support_wait(has_seen_another, &before, WAIT_MS));
	ck_assert(!look().gone && !look().draining);
}
END_TEST

START_TEST(an_edge_that_stops_says_that_it_is_gone)
{
	world_start_edge(&other, "60s");
	bus_kv_unwatch(watch);
	bus_close(watcher);
	watch_leases_of(&other);
	ck_assert(support_wait(has_seen_lease, NULL, WAIT_MS));
	world_stop_edge(&other);
	ck_assert(support_wait(has_seen_gone, NULL, WAIT_MS));
}
END_TEST

START_TEST(a_lease_is_put_again_after_a_restart_of_nats)
{
	unsigned before;

	ck_assert(support_wait(has_seen_lease, NULL, WAIT_MS));
	support_nats_stop(&world.nats, SIGKILL);
	before = look().times;
	support_nats_restart(&world.nats);
	before += 1; /* what was in the bucket may be told once more */
	ck_assert(support_wait(has_seen_another, &before, WAIT_MS));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fleet");
	TCase *tc = tcase_create("leases");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_ready_edge_has_a_lease_and_puts_it_again);
	tcase_add_test(tc, an_edge_that_stops_says_that_it_is_gone);
	tcase_add_test(tc, a_lease_is_put_again_after_a_restart_of_nats);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
