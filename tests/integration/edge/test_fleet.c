/* Edges among others: their leases, how they go away, what they tell of themselves. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus/provision.h"
#include "client.h"
#include "counts.h"
#include "drain.h"
#include "engine/metrics.h"
#include "metrics.h"
#include "metrics/metrics.h"
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

/* --- ww, as an operator runs it --- */

/* Starts `ww words...`, whose output goes to a file; returns the exit code. */
static int run_ww(const char *const *words)
{
	char program[512], out[512];
	const char *argv[16] = { program };
	size_t n = 1;
	int status;

	(void)snprintf(program, sizeof(program), "%s/ww", getenv("WW_BIN_DIR"));
	(void)snprintf(out, sizeof(out), "%s/ww.out", world.nats.dir);
	(void)setenv("WW_NATS_URL", world.nats.url, 1);
	(void)setenv("WW_NATS_PASSWORD", "ops", 1);
	while (*words)
		argv[n++] = *words++;
	(void)remove(out);
	ck_assert_int_gt(waitpid(support_spawn(argv, out), &status, 0), 0);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define WW(...) run_ww((const char *const[]){ __VA_ARGS__, NULL })

static const char *output(void)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/ww.out", world.nats.dir);
	return support_read_file(path);
}

#define ck_assert_says(what) \
	ck_assert_msg(strstr(output(), what), "not said: %s\n%s", what, output())

/* The lease of an edge that answers nothing. */
static void put_lease_of(const char *id)
{
	struct bus *bus = support_nats_bus(&world.nats, "edge");
	Walletwire__V1__EdgeLease lease = WALLETWIRE__V1__EDGE_LEASE__INIT;
	char name[] = "edge";
	struct err err = ERR_INIT;
	uint8_t packed[256];

	lease.id = (char *)(uintptr_t)id; /* protobuf-c is not const-correct */
	lease.name = name;
	ck_assert_ok(bus_kv_put(bus, BUCKET_EDGES, id,
			 bytes_of(packed, walletwire__v1__edge_lease__pack(&lease, packed)), &err),
	    err);
	bus_close(bus);
}

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
static bool asks_missing_edge(int port)
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
	return !asks_missing_edge(*(int *)arg);
}

static bool is_asked_again(void *arg)
{
	return asks_missing_edge(*(int *)arg);
}

/* A session on polling at `owner`, signed in through the edge at `port`. */
static struct poller *poll_as(const char *user, const struct edge *owner, int port)
{
	struct poller *poller = malloc(sizeof(*poller));
	char packet[TOKEN_MAX];

	poller_open(poller, http_front_port(owner->engine.front));
	client_connect_packet(world.keys_dir, user, packet);
	poller_post(poller, port, packet);
	ck_assert_str_eq(poller->body, "ok");
	(void)poller_expect(poller, (const int[]){ port, port }, "40{\"sid\":\"");
	return poller;
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
	ck_assert_msg(asks_missing_edge(port), "a fresh edge knows too little to refuse");
	ck_assert(support_wait(is_refused_at_once, &port, WAIT_MS));
	/* An edge that has just started is known, and so is one that has stopped. */
	world_start_edge(&other, "60s");
	free(poll_as("ada", &other, port));
	world_stop_edge(&other);
	ck_assert(!asks_missing_edge(port));

	/* Another connection: what was heard over the old one says nothing. */
	support_nats_stop(&world.nats, SIGKILL);
	support_nats_restart(&world.nats);
	ck_assert(support_wait(is_asked_again, &port, WAIT_MS));
	bus_unsubscribe(sub);
	bus_close(bus);
}
END_TEST

/* --- an edge that goes away --- */

enum { MANY = 20 };

static struct client *sign_in(const char *user)
{
	struct client *client = malloc(sizeof(*client));

	client_open(client, http_front_port(home.engine.front));
	ck_assert(client_sign_in(client, world.keys_dir, user));
	return client;
}

static void expect_end(struct client *client)
{
	while (client_next(client)) {}
	ck_assert_int_eq(client->close_code, 1005); /* none: every client comes back after it */
	client_close(client);
	free(client);
}

static long drain_ms(const char *text)
{
	static const char start[] = "[\"server:drain\",{\"reconnectInMs\":";
	const char *at = strstr(text, start);
	char *end;
	long ms;

	ck_assert_ptr_nonnull(at);
	ms = strtol(at + strlen(start), &end, 10);
	/* The offset follows: what comes after a reconnect goes on from here. */
	ck_assert_int_eq(strncmp(end, "},\"", 3), 0);
	return ms;
}

static bool is_empty(void *arg)
{
	const struct edge *edge = arg;

	return atomic_load(&edge->engine.sessions) == 0;
}

static bool has_seen_draining(void *arg)
{
	(void)arg;
	return look().draining;
}

static void expect_handshake_refused(void)
{
	static const char request[] = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n"
				      "Host: 127.0.0.1\r\n\r\n";
	int fd = client_connect(http_front_port(home.engine.front));
	char answer[1024];
	size_t len = 0;
	ssize_t got;

	ck_assert_int_eq(
	    send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
	while ((got = recv(fd, answer + len, sizeof(answer) - 1 - len, 0)) > 0)
		len += (size_t)got;
	(void)close(fd);
	answer[len] = '\0';
	ck_assert_ptr_nonnull(strstr(answer, "HTTP/1.1 503 "));
	ck_assert_ptr_nonnull(strstr(answer, "Retry-After: "));
}

START_TEST(every_socket_of_an_edge_that_goes_away_is_told_its_time_and_closed)
{
	struct client *clients[MANY];
	int port = http_front_port(home.engine.front);
	struct poller *poller = poll_as("polls", &home, port);
	long sum = 0, most = 0;

	for (int i = 0; i < MANY; i++)
		clients[i] = sign_in("many");
	drain_begin(&home, 2000);
	ck_assert_str_eq(edge_not_ready(&home), "draining\n");
	for (int i = 0; i < MANY; i++) {
		long ms = drain_ms(client_expect(clients[i], "server:drain"));

		sum += ms;
		most = ms > most ? ms : most;
		ck_assert_int_le(ms, 2000);
	}
	/* Spread over the time, not all at one end of it. */
	ck_assert_int_gt(most, 1000);
	ck_assert_int_lt(sum, 1900 * MANY);
	(void)drain_ms(poller_expect(poller, (const int[]){ port, port }, "server:drain"));
	expect_handshake_refused();
	ck_assert(support_wait(has_seen_draining, NULL, WAIT_MS));
	for (int i = 0; i < MANY; i++)
		expect_end(clients[i]);
	while (strcmp(poller->body, "1") != 0) /* Engine.IO's close packet */
		poller_get(poller, port);
	ck_assert(support_wait(is_empty, &home, WAIT_MS));
	free(poller);
}
END_TEST

START_TEST(a_session_lives_on_until_its_time)
{
	int port = http_front_port(home.engine.front);
	struct poller *poller = poll_as("stays", &home, port);

	drain_begin(&home, 3600000);
	(void)poller_expect(poller, (const int[]){ port, port }, "server:drain");
	mailbox_ring(world.mailbox, "stays", mailbox_append(world.mailbox, "stays"));
	(void)poller_expect(poller, (const int[]){ port, port }, "security:alert");
	poller_post(poller, port, "421[\"notifications:unread\"]");
	(void)poller_expect(poller, (const int[]){ port, port }, "431[{\"ok\":true,\"total\":1");
	free(poller);
}
END_TEST

START_TEST(who_signs_in_while_the_edge_goes_away_is_told_too)
{
	struct client *client = malloc(sizeof(*client));

	client_open(client, http_front_port(home.engine.front));
	drain_begin(&home, 3600000);
	ck_assert(client_sign_in(client, world.keys_dir, "late"));
	(void)drain_ms(client_expect(client, "server:drain"));
	client_close(client);
	free(client);
}
END_TEST

/* Stock clients disconnect before they look at what comes with the close packet. */
START_TEST(on_polling_the_close_comes_after_all_else_and_alone)
{
	int port = http_front_port(home.engine.front);
	struct poller *poller = poll_as("rest", &home, port);
	bool is_told = false;

	mailbox_ring(world.mailbox, "rest", mailbox_append(world.mailbox, "rest"));
	drain_begin(&home, 0);
	/* The item may come to the loop before the drain, or after it, or too late. */
	for (poller_get(poller, port); strcmp(poller->body, "1") != 0; poller_get(poller, port)) {
		is_told |= strstr(poller->body, "server:drain") != NULL;
		ck_assert_ptr_null(strstr(poller->body, "\x1e"
							"1"));
	}
	ck_assert(is_told);
	free(poller);
}
END_TEST

START_TEST(who_never_signs_in_is_closed_with_the_rest)
{
	struct client *client = malloc(sizeof(*client));

	client_open(client, http_front_port(home.engine.front));
	drain_begin(&home, 0);
	expect_end(client);
	ck_assert(support_wait(is_empty, &home, WAIT_MS));
}
END_TEST

START_TEST(a_sooner_end_counts)
{
	struct client *client = sign_in("sooner");

	drain_begin(&home, 3600000);
	(void)drain_ms(client_expect(client, "server:drain"));
	drain_begin(&home, 3600000); /* later, if only by a little */
	drain_begin(&home, 1000);
	ck_assert_int_le(drain_ms(client_expect(client, "server:drain")), 1000);
	expect_end(client);
	ck_assert(support_wait(is_empty, &home, WAIT_MS));
}
END_TEST

static uint64_t ask_drain(struct bus *bus, uint64_t within_ms)
{
	Walletwire__V1__DrainRequest request = WALLETWIRE__V1__DRAIN_REQUEST__INIT;
	Walletwire__V1__DrainReply *reply;
	struct bus_msg *msg;
	struct err err = ERR_INIT;
	char subject[128];
	uint8_t packed[16];
	uint64_t sockets;

	request.within_ms = within_ms;
	(void)snprintf(subject, sizeof(subject), "ww.edge.%s.drain", home.id);
	ck_assert_ok(bus_request(bus, subject,
			 bytes_of(packed, walletwire__v1__drain_request__pack(&request, packed)),
			 5000, &msg, &err),
	    err);
	reply = walletwire__v1__drain_reply__unpack(
	    NULL, bus_msg_data(msg).len, bus_msg_data(msg).data);
	bus_msg_unref(msg);
	ck_assert_ptr_nonnull(reply);
	ck_assert_ptr_null(reply->error);
	sockets = reply->sockets;
	walletwire__v1__drain_reply__free_unpacked(reply, NULL);
	return sockets;
}

START_TEST(an_operator_asks_an_edge_to_go_away_and_how_far_it_is)
{
	struct client *client = sign_in("asked");

	ck_assert_uint_eq(ask_drain(watcher, 1000), 1);
	(void)drain_ms(client_expect(client, "server:drain"));
	/* A later end starts nothing. */
	ck_assert_uint_le(ask_drain(watcher, 3600000), 1);
	expect_end(client);
	ck_assert(support_wait(is_empty, &home, WAIT_MS));
	ck_assert_uint_eq(ask_drain(watcher, 0), 0);
	ck_assert_str_eq(edge_not_ready(&home), "draining\n");
}
END_TEST

START_TEST(ww_drain_names_an_edge_and_waits_until_it_is_empty)
{
	struct client *client;

	ck_assert_int_eq(WW("drain"), 2);
	ck_assert_int_eq(WW("drain", "nobody"), 1);
	ck_assert_says("there is no edge \"nobody\", but edge-");
	put_lease_of("edge-second");
	ck_assert_int_eq(WW("drain", "edge"), 1);
	ck_assert_says("2 edges are named \"edge\", give an id: edge-");
	ck_assert_int_eq(WW("drain", "edge-second"), 1);
	ck_assert_says("nobody answers ww.edge.edge-second.drain");

	client = sign_in("moved");
	free(poll_as("away", &home, http_front_port(home.engine.front))); /* and polls no more */
	ck_assert_int_eq(WW("drain", home.id, "--within", "500ms"), 0);
	ck_assert_says(": 2 sockets are left\n");
	ck_assert_says(": 0 sockets are left\n");
	(void)drain_ms(client_expect(client, "server:drain"));
	expect_end(client);
}
END_TEST

/* --- what an edge tells of itself --- */

static void setup_counted(void)
{
	engine_metrics_register(&home.engine);
	edge_metrics_register(&home);
	setup();
}

static bool has_packets(void *arg)
{
	(void)arg;
	return count_of("\nww_edge_queue_packets ") > 0;
}

START_TEST(gauges_follow_connections_through_their_lives)
{
	int port = http_front_port(home.engine.front);
	struct poller *poller = poll_as("polls", &home, port);
	struct client *client = sign_in("watches");

	expect_count("\nww_edge_sockets ", 2);
	expect_count("\nww_edge_sockets_by_transport{transport=\"polling\"} ", 1);
	expect_count("\nww_edge_sockets_by_transport{transport=\"websocket\"} ", 1);
	expect_count("\nww_edge_sockets_by_parser{parser=\"json\"} ", 2);
	expect_count("\nww_edge_users ", 2);
	expect_count("\nww_edge_draining ", 0);
	client_close(client);
	expect_count("\nww_edge_sockets_by_transport{transport=\"websocket\"} ", 0);
	expect_count("\nww_edge_sockets_by_parser{parser=\"json\"} ", 1);
	expect_count("\nww_edge_users ", 1);

	client_upgrade(client, port, poller->sid);
	expect_count("\nww_edge_sockets_by_transport{transport=\"polling\"} ", 0);
	expect_count("\nww_edge_sockets_by_transport{transport=\"websocket\"} ", 1);
	client_close(client);
	expect_count("\nww_edge_sockets_by_transport{transport=\"websocket\"} ", 0);
	expect_count("\nww_edge_sockets_by_parser{parser=\"json\"} ", 0);
	expect_count("\nww_edge_users ", 0);
	free(client);
	free(poller);
}
END_TEST

START_TEST(gauges_follow_what_waits_for_clients)
{
	int port = http_front_port(home.engine.front);
	struct poller *poller = poll_as("waits", &home, port);

	while (has_packets(NULL)) /* a ping may wait at any time */
		poller_get(poller, port);
	mailbox_ring(world.mailbox, "waits", mailbox_append(world.mailbox, "waits"));
	ck_assert(support_wait(has_packets, NULL, WAIT_MS));
	ck_assert_int_gt(count_of("\nww_edge_queue_bytes "), 0);
	(void)poller_expect(poller, (const int[]){ port, port }, "security:alert");
	while (has_packets(NULL))
		poller_get(poller, port);
	while (count_of("\nww_edge_queue_bytes ") > 0)
		poller_get(poller, port);
	free(poller);
}
END_TEST

static Walletwire__V1__EdgeStats *ask_stats(struct bus *bus)
{
	Walletwire__V1__EdgeStats *stats;
	struct bus_msg *msg;
	struct err err = ERR_INIT;
	char subject[128];

	(void)snprintf(subject, sizeof(subject), "ww.edge.%s.stats", home.id);
	ck_assert_ok(bus_request(bus, subject, bytes_of(NULL, 0), 5000, &msg, &err), err);
	stats =
	    walletwire__v1__edge_stats__unpack(NULL, bus_msg_data(msg).len, bus_msg_data(msg).data);
	bus_msg_unref(msg);
	ck_assert_ptr_nonnull(stats);
	return stats;
}

/* Every sample of /metrics that is no histogram's stands in the answer, and nothing else. */
START_TEST(an_edge_tells_over_nats_what_stands_in_its_metrics)
{
	struct client *client = sign_in("counted");
	Walletwire__V1__EdgeStats *stats = ask_stats(watcher);
	struct buf text = BUF_INIT;
	size_t samples = 0;

	ck_assert_str_eq(stats->id, home.id);
	ck_assert_str_eq(stats->name, "edge");
	ck_assert(!stats->draining);
	metrics_render(&text);
	for (size_t i = 0; i < stats->n_numbers; i++)
		ck_assert_ptr_nonnull(strstr(buf_str(&text), stats->numbers[i]->name));
	for (const char *at = strchr(buf_str(&text), '\n'); at && at[1]; at = strchr(at + 1, '\n'))
		samples +=
		    at[1] != '#' && strncmp(at + 1, "ww_edge_event_latency_seconds", 29) != 0;
	ck_assert_uint_eq(stats->n_numbers, samples);
	ck_assert_uint_eq(stats->n_histograms, 1);
	ck_assert_uint_eq(stats->histograms[0]->n_buckets, HISTOGRAM_BUCKETS + 1);
	buf_finish(&text);
	walletwire__v1__edge_stats__free_unpacked(stats, NULL);
	client_close(client);
	free(client);
}
END_TEST

START_TEST(ww_stats_lists_every_edge_and_those_that_are_missing)
{
	struct client *client = sign_in("shown");

	ck_assert_int_eq(WW("stats"), 0);
	ck_assert_says(home.id);
	ck_assert_says(" up ");
	ck_assert_int_eq(WW("stats", "edge"), 0);
	ck_assert_says(
	    "ww_edge_sockets_by_transport             websocket                     1\n");
	ck_assert_says("ww_edge_event_latency_seconds            p99 ");
	ck_assert_int_eq(WW("stats", home.id, "--json"), 0);
	ck_assert_says("\"name\":\"edge\",\"state\":\"up\",\"version\":");
	ck_assert_says("\"ww_edge_sockets\":1,");
	ck_assert_says("\"ww_edge_sockets_by_parser\":{\"json\":1,\"msgpack\":0},");
	ck_assert_says("\"ww_edge_event_latency_seconds\":{\"count\":");

	put_lease_of("edge-second");
	ck_assert_int_eq(WW("stats"), 1);
	ck_assert_says("edge-second              missing");
	ck_assert_says("1 of 2 edges did not answer");
	ck_assert_int_eq(WW("stats", "edge-second", "--json"), 1);
	ck_assert_says("{\"id\":\"edge-second\",\"name\":\"edge\",\"state\":\"missing\"}\n");
	ck_assert_int_eq(WW("stats", "nobody"), 1);
	ck_assert_says("there is no edge \"nobody\"");
	client_close(client);
	free(client);
}
END_TEST

START_TEST(ww_top_looks_as_often_as_it_is_told)
{
	const char *at;
	unsigned heads = 0;

	put_lease_of("edge-second");
	ck_assert_int_eq(WW("top", "--count", "2", "--interval", "100ms"), 0);
	for (at = output(); (at = strstr(at, "conn/s")); at++)
		heads++;
	ck_assert_uint_eq(heads, 2);
	ck_assert_says("edge-second              missing");
	ck_assert_ptr_null(strchr(output(), '\033')); /* it is no terminal */
	ck_assert_int_eq(WW("top", "--interval", "1ms"), 2);
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
	tc = tcase_create("drain");
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, every_socket_of_an_edge_that_goes_away_is_told_its_time_and_closed);
	tcase_add_test(tc, a_session_lives_on_until_its_time);
	tcase_add_test(tc, who_signs_in_while_the_edge_goes_away_is_told_too);
	tcase_add_test(tc, on_polling_the_close_comes_after_all_else_and_alone);
	tcase_add_test(tc, a_sooner_end_counts);
	tcase_add_test(tc, who_never_signs_in_is_closed_with_the_rest);
	tcase_add_test(tc, an_operator_asks_an_edge_to_go_away_and_how_far_it_is);
	tcase_add_test(tc, ww_drain_names_an_edge_and_waits_until_it_is_empty);
	suite_add_tcase(suite, tc);
	tc = tcase_create("stats");
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup_counted, teardown);
	tcase_add_test(tc, gauges_follow_connections_through_their_lives);
	tcase_add_test(tc, gauges_follow_what_waits_for_clients);
	tcase_add_test(tc, an_edge_tells_over_nats_what_stands_in_its_metrics);
	tcase_add_test(tc, ww_stats_lists_every_edge_and_those_that_are_missing);
	tcase_add_test(tc, ww_top_looks_as_often_as_it_is_told);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
