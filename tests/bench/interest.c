/*
 * bench_interest: what interest costs nats-server: an edge wants the doorbells of more and more
 * users; at each step the memory of the server, the time until it knows them all, and messages a
 * second to users that are wanted and to users that nobody wants. Start it through `./dev bench
 * interest`, on a stack whose own edge has no clients.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "report.h"
#include "usage.h"

enum {
	EDGES = 50, /* at a million that is about what an edge has; on one connection alone it would
		       not stand */
	MESSAGES = 200000,
	AT_ONCE = 5000, /* messages that are on their way */
	SIZE = 400,     /* bytes, as a doorbell with a payment in it */
	GIVE_UP_MS = 600000,
	LOOK_US = 200,
	WANT_LOOK_US = 10000,
	SETTLE_US = 500000,
};

static const size_t steps[] = { 10000, 100000, 1000000 };

struct bench {
	struct bus *edges[EDGES], *notifications;
	struct bus_port *ports[EDGES];
	struct bench_usage nats;
	_Atomic size_t heard;
	size_t wanted;
};

static void on_bell(void *arg, struct bus_msg *msg)
{
	struct bench *bench = arg;

	(void)msg;
	bench->heard++;
}

static void wait_for(const struct bench *bench, size_t n)
{
	int64_t until = clock_mono_ms() + GIVE_UP_MS;

	while (atomic_load(&bench->heard) < n) {
		if (clock_mono_ms() > until) {
			(void)fprintf(stderr, "%zu of %zu messages came\n", bench->heard, n);
			exit(EXIT_FAILURE);
		}
		(void)usleep(LOOK_US);
	}
}

static void ring(const struct bench *bench, const char *who, size_t user)
{
	static const uint8_t bell[SIZE];
	struct err err = ERR_INIT;
	char subject[64];

	(void)snprintf(subject, sizeof(subject), "ww.rt.user.%s-%07zu", who, user);
	bench_must(bus_publish(bench->notifications, subject, bytes_of(bell, SIZE), &err), &err);
}

/* Until nothing rings any more of what was rung while waiting. */
static void settle(struct bench *bench)
{
	size_t before;

	do {
		before = atomic_load(&bench->heard);
		(void)usleep(SETTLE_US);
	} while (atomic_load(&bench->heard) != before);
}

/* More users, until the server knows the last ones of every edge; an edge sends its subscriptions
 * in order. */
static double want(struct bench *bench, size_t users)
{
	int64_t began_us = clock_mono_us();
	int64_t until = clock_mono_ms() + GIVE_UP_MS;
	char subject[64];
	double ms;

	for (; bench->wanted < users; bench->wanted++) {
		(void)snprintf(subject, sizeof(subject), "ww.rt.user.user-%07zu", bench->wanted);
		bus_port_want(bench->ports[bench->wanted % EDGES], subject);
	}
	for (size_t i = 0; i < EDGES; i++) {
		bench->heard = 0;
		while (!atomic_load(&bench->heard)) {
			if (clock_mono_ms() > until) {
				(void)fprintf(stderr, "an interest was not known in time\n");
				exit(EXIT_FAILURE);
			}
			ring(bench, "user", users - 1 - i);
			(void)usleep(WANT_LOOK_US);
		}
	}
	ms = (double)(clock_mono_us() - began_us) / 1000;
	settle(bench);
	return ms;
}

/* The server has read everything before it. */
static void flush(const struct bench *bench)
{
	struct err err = ERR_INIT;

	bench_must(bus_flush(bench->notifications, GIVE_UP_MS, &err), &err);
}

/* A step through all users that meets each once: it shares no factor with their number. */
static size_t pick(size_t i, size_t users)
{
	return i * 7919 % users;
}

static double publish(struct bench *bench, const char *who, double *ret_cpu_us)
{
	int64_t began_us = clock_mono_us();
	bool is_wanted = who[0] == 'u';

	bench_usage_mark(&bench->nats);
	bench->heard = 0;
	for (size_t i = 0; i < MESSAGES; i++) {
		ring(bench, who, pick(i, bench->wanted));
		if ((i + 1) % AT_ONCE > 0)
			continue;
		flush(bench);
		if (is_wanted)
			wait_for(bench, i + 1);
	}
	bench_usage_read(&bench->nats);
	*ret_cpu_us = (double)bench->nats.at[0].cpu_us / MESSAGES;
	return MESSAGES / ((double)(clock_mono_us() - began_us) / 1e6);
}

static void measure(struct bench *bench, size_t users, long base_kib)
{
	double wanted_cpu_us, nobody_cpu_us;
	size_t more = users - bench->wanted;
	double ms = want(bench, users);
	double wanted = publish(bench, "user", &wanted_cpu_us);
	double nobody = publish(bench, "nobody", &nobody_cpu_us);

	(void)printf("{\"interests\":%zu,\"natsMiB\":%.1f,\"bytesEach\":%.0f,\"usToAddOne\":%.1f,"
		     "\"wantedPerSecond\":%.0f,\"wantedCpuUs\":%.2f,\"nobodyPerSecond\":%.0f,"
		     "\"nobodyCpuUs\":%.2f}\n",
	    users, (double)bench->nats.at[0].pss_kib / 1024,
	    (double)(bench->nats.at[0].pss_kib - base_kib) * 1024 / (double)users,
	    ms * 1000 / (double)more, wanted, wanted_cpu_us, nobody, nobody_cpu_us);
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	struct bus_port_config port = { .queue_max = 1000, .linger_ms = 1000 };
	struct bench bench = { 0 };
	struct err err = ERR_INIT;
	long base_kib;

	if (argc != 5) {
		(void)fprintf(stderr, "usage: bench_interest NATS_URL EDGE_PASSWORD "
				      "NOTIFICATIONS_PASSWORD nats=PID\n");
		return 2;
	}
	port.on_msg = on_bell;
	port.arg = &bench;
	bench_usage_init(&bench.nats, argv[4]);
	bench.notifications = bench_bus(argv[1], "notifications", argv[3]);
	for (size_t i = 0; i < EDGES; i++) {
		bench.edges[i] = bench_bus(argv[1], "edge", argv[2]);
		bench_must(bus_port_new(bench.edges[i], &port, &bench.ports[i], &err), &err);
	}
	bench_usage_read(&bench.nats);
	base_kib = bench.nats.at[0].pss_kib;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		measure(&bench, steps[i], base_kib);
	for (size_t i = 0; i < EDGES; i++) {
		bus_port_free(bench.ports[i]);
		bus_close(bench.edges[i]);
	}
	bus_close(bench.notifications);
	return EXIT_SUCCESS;
}
