/*
 * bench_latency: from "a back end publishes" to "the client has it", with everything stored
 * between.
 *
 * Publishes at a fixed rate, whatever happens to earlier events, and measures from the moment an
 * event was due, so that a stall counts against every event that had to wait for it (no coordinated
 * omission). Each event goes to one of N users, each with one socket. Start it through
 * `./dev bench latency`.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/id.h"
#include "client.h"
#include "report.h"

struct bench {
	const char *keys_dir;
	char *token;
	char run[ID_SIZE];
	int64_t *latencies_us;
	size_t received, expected, doubled;
	bool *seen;
};

static const char *token_of(void *arg, size_t index)
{
	struct bench *bench = arg;

	return bench_lend_token(&bench->token, bench->keys_dir, "lat-%s-%zu", bench->run, index);
}

static void on_packet(void *arg, struct bench_socket *socket, struct bytes packet)
{
	struct bench *bench = arg;
	int64_t due, now = clock_mono_us();
	size_t number;

	(void)socket;
	if (!bench_read_due(packet, &number, &due) || number >= bench->expected)
		return;
	if (bench->seen[number]) {
		bench->doubled++;
		return;
	}
	bench->seen[number] = true;
	bench->latencies_us[bench->received++] = now - due;
}

static void publish(
    struct bus *bus, const struct bench *bench, size_t number, size_t users, int64_t due)
{
	char user[64];
	char *list[] = { user };
	struct bench_event event = {
		.run = bench->run, .number = number, .due_us = due, .users = list, .users_len = 1
	};

	(void)snprintf(user, sizeof(user), "lat-%s-%zu", bench->run, number % users);
	bench_publish(bus, &event);
}

static double percentile_ms(const struct bench *bench, double p)
{
	return bench_percentile_ms(bench->latencies_us, bench->received, p);
}

static void run(struct bench *bench, struct bench_pool *pool, struct bus *bus, int rate)
{
	int64_t start = clock_mono_us() + 100000;
	size_t sent = 0;
	int64_t give_up;

	while (sent < bench->expected && !pool->failed) {
		int64_t due = start + (int64_t)sent * 1000000 / rate;

		if (clock_mono_us() >= due)
			publish(bus, bench, sent++, pool->len, due);
		bench_pool_poll(pool, clock_mono_us() >= due ? 0 : 1);
	}
	give_up = clock_mono_ms() + 10000;
	while (bench->received < bench->expected && clock_mono_ms() < give_up && !pool->failed)
		bench_pool_poll(pool, 10);
}

int main(int argc, char **argv)
{
	struct bench bench = { 0 };
	struct bench_pool pool;
	struct bus *bus;
	int rate, seconds;

	if (argc != 8) {
		(void)fprintf(stderr,
		    "usage: bench_latency PORT KEYS_DIR NATS_URL PASSWORD USERS RATE SECONDS\n");
		return 2;
	}
	bench.keys_dir = argv[2];
	rate = (int)strtol(argv[6], NULL, 10);
	seconds = (int)strtol(argv[7], NULL, 10);
	bench.expected = (size_t)rate * (size_t)seconds;
	bench.latencies_us = calloc(bench.expected, sizeof(*bench.latencies_us));
	bench.seen = calloc(bench.expected, sizeof(*bench.seen));
	id_random(bench.run);
	bench_pool_init(&pool, (int)strtol(argv[1], NULL, 10), (size_t)strtol(argv[5], NULL, 10));
	pool.token = token_of;
	pool.on_packet = on_packet;
	pool.arg = &bench;
	bus = bench_bus(argv[3], "backend", argv[4]);
	if (!bench_pool_connect(&pool, 50, 60000))
		return EXIT_FAILURE;
	run(&bench, &pool, bus, rate);
	bus_publish_wait(bus);
	bench_sort(bench.latencies_us, bench.received);
	(void)printf(
	    "{\"rate\":%d,\"seconds\":%d,\"users\":%zu,\"expected\":%zu,\"received\":%zu,"
	    "\"doubled\":%zu,\"p50ms\":%.2f,\"p99ms\":%.2f,\"p999ms\":%.2f,\"maxMs\":%.2f}\n",
	    rate, seconds, pool.len, bench.expected, bench.received, bench.doubled,
	    percentile_ms(&bench, 0.5), percentile_ms(&bench, 0.99), percentile_ms(&bench, 0.999),
	    percentile_ms(&bench, 1));
	bus_close(bus);
	bench_pool_finish(&pool);
	free(bench.token);
	return bench.received == bench.expected && bench.doubled == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
