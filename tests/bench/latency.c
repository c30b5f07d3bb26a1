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
#include "bus/bus.h"
#include "client.h"
#include "token/token.h"
#include "walletwire/v1/event.pb-c.h"

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
	struct err err = ERR_INIT;
	char claims[160];
	long long now = clock_wall_ms() / 1000;

	free(bench->token);
	bench->token = NULL;
	(void)snprintf(claims, sizeof(claims), "{\"sub\":\"lat-%s-%zu\",\"iat\":%lld,\"exp\":%lld}",
	    bench->run, index, now, now + 3600);
	if (token_mint(bench->keys_dir, "dev", claims, &bench->token, &err)) {
		(void)fprintf(stderr, "%s\n", err.msg);
		exit(EXIT_FAILURE);
	}
	return bench->token;
}

/* The payment's message is "due <number> <microseconds>". */
static void on_packet(void *arg, struct bench_socket *socket, struct bytes packet)
{
	struct bench *bench = arg;
	int64_t now = clock_mono_us();
	const char *at = memmem(packet.data, packet.len, "\"due ", 5);
	char *end;
	unsigned long number;
	long long due;

	(void)socket;
	if (!at)
		return;
	number = strtoul(at + 5, &end, 10);
	due = strtoll(end, NULL, 10);
	if (number >= bench->expected)
		return;
	if (bench->seen[number]) {
		bench->doubled++;
		return;
	}
	bench->seen[number] = true;
	bench->latencies_us[bench->received++] = now - due;
}

static void on_ack(
    void *arg, uint64_t tag, enum status status, struct bus_ack ack, const char *reason)
{
	(void)arg;
	(void)ack;
	if (status)
		(void)fprintf(
		    stderr, "event %llu was not stored: %s\n", (unsigned long long)tag, reason);
}

static void publish(
    struct bus *bus, const struct bench *bench, size_t number, size_t users, int64_t due)
{
	Walletwire__V1__Event event = WALLETWIRE__V1__EVENT__INIT;
	Walletwire__V1__MoneyEvent money = WALLETWIRE__V1__MONEY_EVENT__INIT;
	Walletwire__V1__Decimal amount = WALLETWIRE__V1__DECIMAL__INIT;
	char id[64], user[64], message[64], msg_id[80];
	char *users_list[] = { user };
	uint8_t packed[512];
	size_t len;

	(void)snprintf(id, sizeof(id), "%s-%zu", bench->run, number);
	(void)snprintf(user, sizeof(user), "lat-%s-%zu", bench->run, number % users);
	(void)snprintf(message, sizeof(message), "due %zu %lld", number, (long long)due);
	(void)snprintf(msg_id, sizeof(msg_id), "payment/%s", id);
	amount.units = 1234;
	amount.scale = 2;
	money.amount = &amount;
	money.currency = (char[]){ "EUR" };
	money.message = message;
	money.status = WALLETWIRE__V1__TRANSACTION_STATUS__TRANSACTION_STATUS_COMPLETED;
	event.id = id;
	event.user_ids = users_list;
	event.n_user_ids = 1;
	event.body_case = WALLETWIRE__V1__EVENT__BODY_PAYMENT;
	event.payment = &money;
	len = walletwire__v1__event__pack(&event, packed);
	bus_publish_stored_async(
	    bus, "ww.event.payment", msg_id, bytes_of(packed, len), number, on_ack, NULL);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double percentile_ms(const struct bench *bench, double p)
{
	size_t i = (size_t)((double)(bench->received - 1) * p);

	return bench->received ? (double)bench->latencies_us[i] / 1000 : 0;
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
	struct err err = ERR_INIT;
	struct bus_config bus_cfg = { .user = "backend", .name = "bench" };
	struct bus *bus = NULL;
	int rate, seconds;

	if (argc != 8) {
		(void)fprintf(stderr,
		    "usage: bench_latency PORT KEYS_DIR NATS_URL PASSWORD USERS RATE SECONDS\n");
		return 2;
	}
	bench.keys_dir = argv[2];
	bus_cfg.url = argv[3];
	bus_cfg.password = argv[4];
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
	if (bus_open(&bus_cfg, &bus, &err) || bus_wait_connected(bus, 5000, &err)) {
		(void)fprintf(stderr, "%s\n", err.msg);
		return EXIT_FAILURE;
	}
	if (!bench_pool_connect(&pool, 50, 60000))
		return EXIT_FAILURE;
	run(&bench, &pool, bus, rate);
	bus_publish_wait(bus);
	qsort(bench.latencies_us, bench.received, sizeof(*bench.latencies_us), compare);
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
