/*
 * bench_announce: one announcement to everybody: how long until SOCKETS sockets have it, and how
 * many doorbells rang for it. The caller counts what was written. Start it through
 * `./dev bench announce`.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/xalloc.h"
#include "client.h"
#include "report.h"
#include "walletwire/v1/event.pb-c.h"

enum { GIVE_UP_MS = 10000, LISTEN_MS = 3000 /* to doorbells, after the last socket */ };

struct bench {
	const char *keys_dir;
	char *token;
	char id[ID_SIZE];
	int64_t started_us;
	int64_t *latencies_us;
	size_t received;
	_Atomic size_t rings_all, rings_user;
};

static const char *token_of(void *arg, size_t index)
{
	struct bench *bench = arg;

	return bench_lend_token(&bench->token, bench->keys_dir, "user-%zu", index);
}

static void on_packet(void *arg, struct bench_socket *socket, struct bytes packet)
{
	struct bench *bench = arg;

	(void)socket;
	if (memmem(packet.data, packet.len, bench->id, strlen(bench->id)))
		bench->latencies_us[bench->received++] = clock_mono_us() - bench->started_us;
}

static void on_ring(void *arg, struct bus_msg *msg)
{
	(void)msg;
	(*(_Atomic size_t *)arg)++;
}

static void publish(struct bench *bench, struct bus *bus)
{
	Walletwire__V1__Event event = WALLETWIRE__V1__EVENT__INIT;
	Walletwire__V1__AnnouncementEvent announcement = WALLETWIRE__V1__ANNOUNCEMENT_EVENT__INIT;
	uint8_t packed[256];
	struct bus_ack ack;
	struct err err = ERR_INIT;

	event.id = bench->id;
	event.title = (char[]){ "Maintenance tonight" };
	event.text = (char[]){ "From two to three no money moves." };
	event.body_case = WALLETWIRE__V1__EVENT__BODY_ANNOUNCEMENT;
	event.announcement = &announcement;
	bench->started_us = clock_mono_us();
	bench_must(
	    bus_publish_stored(bus, "ww.event.announcement", NULL,
		bytes_of(packed, walletwire__v1__event__pack(&event, packed)), NULL, &ack, &err),
	    &err);
}

static void serve(struct bench_pool *pool, const struct bench *bench, size_t until, int64_t ms)
{
	int64_t give_up = clock_mono_ms() + ms;

	while (bench->received < until && clock_mono_ms() < give_up && !pool->failed)
		bench_pool_poll(pool, 10);
}

static bool run(struct bench *bench, struct bench_pool *pool, struct bus *bus, struct bus *ops)
{
	struct bus_sub *subs[2];
	struct err err = ERR_INIT;

	bench_must(
	    bus_subscribe(ops, "ww.rt.all", NULL, on_ring, &bench->rings_all, &subs[0], &err),
	    &err);
	bench_must(
	    bus_subscribe(ops, "ww.rt.user.*", NULL, on_ring, &bench->rings_user, &subs[1], &err),
	    &err);
	bench_must(bus_flush(ops, GIVE_UP_MS, &err), &err);
	if (!bench_pool_connect(pool, 50, 60000))
		return false;
	bench->rings_all = bench->rings_user = 0;
	publish(bench, bus);
	serve(pool, bench, pool->len, GIVE_UP_MS);
	serve(pool, bench, SIZE_MAX, LISTEN_MS);
	bench_sort(bench->latencies_us, bench->received);
	(void)printf("{\"sockets\":%zu,\"received\":%zu,\"ringsAll\":%zu,\"ringsUser\":%zu,",
	    pool->len, bench->received, bench->rings_all, bench->rings_user);
	bench_print_latencies(bench->latencies_us, bench->received);
	(void)printf("}\n");
	bus_unsubscribe(subs[0]);
	bus_unsubscribe(subs[1]);
	return bench->received == pool->len && bench->rings_all == 1 && bench->rings_user == 0;
}

int main(int argc, char **argv)
{
	struct bench bench = { 0 };
	struct bench_pool pool;
	struct bus *bus, *ops;
	bool ok;

	if (argc != 7) {
		(void)fprintf(stderr, "usage: bench_announce PORT KEYS_DIR NATS_URL PASSWORD "
				      "OPS_PASSWORD SOCKETS\n");
		return 2;
	}
	id_random(bench.id);
	bench.keys_dir = argv[2];
	bench_pool_init(&pool, (int)strtol(argv[1], NULL, 10), strtoul(argv[6], NULL, 10));
	bench.latencies_us = xcalloc(2 * pool.len, sizeof(*bench.latencies_us));
	pool.token = token_of;
	pool.on_packet = on_packet;
	pool.arg = &bench;
	bus = bench_bus(argv[3], "backend", argv[4]);
	ops = bench_bus(argv[3], "ops", argv[5]);
	ok = run(&bench, &pool, bus, ops);
	bus_close(ops);
	bus_close(bus);
	bench_pool_finish(&pool);
	free(bench.latencies_us);
	free(bench.token);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
