/* Edges among others: their leases, and what follows from them. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/provision.h"
#include "client.h"
#include "poller.h"
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

/* --- sessions of edges that are not there --- */

/* What others hear of requests to an edge that does not exist; the bus of an edge hears it. */
static _Atomic unsigned asked;

static void on_asked(void *arg, struct bus_msg *msg)
{
	(void)arg;
	(void)msg;
	atomic_fetch_add(&asked, 1);
}

/* A GET at `port` for a session of an edge that there is none of: was that edge asked? */
static bool asks_nobody(int port)
{
	struct poller *poller = calloc(1, sizeof(*poller));
	unsigned before = atomic_load(&asked);

	(void)snprintf(poller->sid, sizeof(poller->sid), "nobody-1234.%s", "AAAAAAAAAAAAAAAAAAAA");
	poller_get(poller, port);
	ck_assert_int_eq(poller->status, 400);
	ck_assert_str_eq(poller->body, "{\"code\":1,\"message\":\"Session ID unknown\"}");
	free(poller);
	/* The answer to the GET waits for the other edge, so what was asked has been heard. */
	return atomic_load(&asked) != before;
}

static bool is_refused_at_once(void *arg)
{
	return !asks_nobody(*(int *)arg);
}

static bool is_asked_again(void *arg)
{
	return asks_nobody(*(int *)arg);
}

static void expect_poll_and_post(const struct edge *owner, int port)
{
	struct poller *poller = malloc(sizeof(*poller));
	char packet[TOKEN_MAX];

	poller_open(poller, http_front_port(owner->engine.front));
	client_connect_packet(world.keys_dir, "ada", packet);
	poller_post(poller, port, packet);
	ck_assert_str_eq(poller->body, "ok");
	(void)poller_expect(poller, (const int[]){ port, port }, "40{\"sid\":\"");
	free(poller);
}

START_TEST(edges_without_a_lease_are_not_asked_and_those_with_one_are)
{
	struct bus *bus = support_nats_bus(&world.nats, "edge");
	struct bus_sub *sub;
	struct err err = ERR_INIT;
	int port = http_front_port(home.engine.front);

	ck_assert_ok(
	    bus_subscribe(bus, "ww.edge.nobody-1234.*", NULL, on_asked, NULL, &sub, &err), err);
	ck_assert_ok(bus_flush(bus, 5000, &err), err);
	ck_assert_msg(asks_nobody(port), "a fresh edge knows too little to refuse");
	ck_assert(support_wait(is_refused_at_once, &port, WAIT_MS));
	/* An edge that has just started is known, and so is one that has stopped. */
	world_start_edge(&other, "60s");
	expect_poll_and_post(&other, port);
	world_stop_edge(&other);
	ck_assert(!asks_nobody(port));

	/* Another connection: what was heard over the old one says nothing. */
	support_nats_stop(&world.nats, SIGKILL);
	support_nats_restart(&world.nats);
	ck_assert(support_wait(is_asked_again, &port, WAIT_MS));
	bus_unsubscribe(sub);
	bus_close(bus);
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
	tcase_add_test(tc, edges_without_a_lease_are_not_asked_and_those_with_one_are);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
