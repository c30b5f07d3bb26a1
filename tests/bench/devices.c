/*
 * bench_devices: what it costs NATS that everybody learns of N devices: a key for each in a bucket
 * that two replicas watch, written and then renewed, or words about them in reports that two
 * replicas hear: each alone, or by 25, as a loop has them that reports every 100 ms of 250 changes
 * a second. As fast as each goes. The figures behind docs/adr/0012-presence.md. Start it through
 * `./dev bench devices`, on a stack without replicas of its own.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/message.h"
#include "bus/provision.h"
#include "report.h"
#include "usage.h"
#include "walletwire/v1/presence.pb-c.h"

enum {
	REPLICAS = 2,
	GIVE_UP_MS = 60000,
	AT_ONCE = 1000, /* puts that are not acknowledged yet */
	LOOK_US = 200,
};

#define EDGE "edge-1-AAAAAAAAAAAAAAAAAAAA"
#define SUBJECT "ww.presence.report." EDGE

struct bench {
	size_t devices;
	struct bus *edge;
	struct bus_port *port;
	struct replica {
		struct bus *keys, *reports; /* only edges may watch a bucket of this kind */
		struct bus_kv_watch *watch;
		struct bus_sub *sub;
	} replicas[REPLICAS];
	struct bench_usage nats;
	_Atomic size_t watching, stored, refused, heard;
	uint64_t number;
};

/* --- waiting --- */

static void give_up(const char *what)
{
	(void)fprintf(stderr, "%s did not come\n", what);
	exit(EXIT_FAILURE);
}

static void wait_for(const _Atomic size_t *count, size_t n, const char *what)
{
	int64_t until = clock_mono_ms() + GIVE_UP_MS;

	while (atomic_load(count) < n) {
		if (clock_mono_ms() > until)
			give_up(what);
		(void)usleep(LOOK_US);
	}
}

/* --- a key for each --- */

static void on_key(void *arg, const char *key, struct bytes value)
{
	struct bench *bench = arg;

	(void)value;
	if (key)
		bench->heard++;
	else
		bench->watching++;
}

static void on_put(void *arg, enum status status, struct bus_msg *reply)
{
	struct bench *bench = arg;

	(void)reply;
	bench->refused += status != STATUS_OK;
	bench->stored++;
}

static void put(struct bench *bench, size_t device)
{
	char key[64], value[128];
	int len;

	(void)snprintf(key, sizeof(key), "user-%07zu.AAAAAAAAAAAAAAAAAAAA", device);
	len = snprintf(value, sizeof(value), "{\"edge\":\"" EDGE "\",\"status\":1,\"number\":%zu}",
	    (size_t)bench->number);
	bus_port_kv_put(bench->port, BUCKET_TRACKING, key, bytes_of(value, (size_t)len), GIVE_UP_MS,
	    on_put, bench);
}

static void put_all(struct bench *bench)
{
	bench->stored = bench->heard = 0;
	bench->number++;
	for (size_t i = 0; i < bench->devices; i++) {
		if (i >= AT_ONCE)
			wait_for(&bench->stored, i - AT_ONCE + 1, "an acknowledgement");
		put(bench, i);
	}
	wait_for(&bench->stored, bench->devices, "an acknowledgement");
	wait_for(&bench->heard, REPLICAS * bench->devices, "a change of a key");
}

/* --- words in reports --- */

static void on_report(void *arg, struct bus_msg *msg)
{
	struct bench *bench = arg;

	(void)msg;
	bench->heard++;
}

static void report(struct bench *bench, size_t first, size_t len)
{
	Walletwire__V1__PresenceReport report = WALLETWIRE__V1__PRESENCE_REPORT__INIT;
	struct err err = ERR_INIT;
	struct arena arena;

	arena_init(&arena, SIZE_MAX);
	report.edge = (char[]){ EDGE };
	report.number = ++bench->number;
	report.users = arena_alloc(&arena, len * sizeof(*report.users));
	for (size_t i = 0; i < len; i++) {
		Walletwire__V1__PresenceReportUser *word =
		    MESSAGE_NEW(&arena, presence_report_user);

		word->user_id = arena_printf(&arena, "user-%07zu", first + i);
		word->sockets = 1;
		word->status = WALLETWIRE__V1__PRESENCE_STATUS__PRESENCE_STATUS_ONLINE;
		report.users[report.n_users++] = word;
	}
	bench_must(
	    bus_publish(bench->edge, SUBJECT, message_pack(&report.base, &arena), &err), &err);
	arena_finish(&arena);
}

static void report_all(struct bench *bench, size_t words)
{
	size_t reports = 0;

	bench->heard = 0;
	for (size_t first = 0; first < bench->devices; first += words, reports++)
		report(
		    bench, first, words < bench->devices - first ? words : bench->devices - first);
	wait_for(&bench->heard, REPLICAS * reports, "a report");
}

/* --- measuring --- */

static void write_keys(struct bench *bench)
{
	put_all(bench);
}

static void report_one(struct bench *bench)
{
	report_all(bench, 1);
}

static void report_many(struct bench *bench)
{
	report_all(bench, 25);
}

static const struct way {
	const char *name;
	void (*run)(struct bench *bench);
	size_t rounds;
} ways[] = {
	{ "keysWritten", write_keys, 1 },
	{ "keysRenewed", write_keys, 5 },
	{ "reportsOfOne", report_one, 20 },
	{ "reportsOf25", report_many, 200 },
};

static int64_t own_cpu_us(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
	       usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void measure(struct bench *bench, const struct way *way)
{
	int64_t began_us = clock_mono_us(), own_us = own_cpu_us();
	double rounds = (double)way->rounds;

	bench_usage_mark(&bench->nats);
	for (size_t i = 0; i < way->rounds; i++)
		way->run(bench);
	bench_usage_read(&bench->nats);
	(void)printf(",\"%s\":{\"ms\":%.1f,\"natsCpuMs\":%.1f,\"clientsCpuMs\":%.1f}", way->name,
	    (double)(clock_mono_us() - began_us) / 1000 / rounds,
	    (double)bench->nats.at[0].cpu_us / 1000 / rounds,
	    (double)(own_cpu_us() - own_us) / 1000 / rounds);
}

/* --- life --- */

/* Connections of their own, as replicas have. */
static void listen(struct bench *bench, struct replica *replica, char **argv)
{
	struct err err = ERR_INIT;

	replica->keys = bench_bus(argv[1], "edge", argv[2]);
	bench_must(
	    bus_kv_watch(replica->keys, BUCKET_TRACKING, on_key, bench, &replica->watch, &err),
	    &err);
	replica->reports = bench_bus(argv[1], "presence", argv[3]);
	bench_must(bus_subscribe(replica->reports, "ww.presence.report.*", NULL, on_report, bench,
		       &replica->sub, &err),
	    &err);
	bench_must(bus_flush(replica->reports, GIVE_UP_MS, &err), &err);
}

static void prepare(struct bench *bench, char **argv)
{
	struct bus_port_config port = { .queue_max = 2 * AT_ONCE, .linger_ms = 1000 };
	struct err err = ERR_INIT;

	bench_usage_init(&bench->nats, argv[4]);
	bench->edge = bench_bus(argv[1], "edge", argv[2]);
	bench_must(bus_port_new(bench->edge, &port, &bench->port, &err), &err);
	for (size_t i = 0; i < REPLICAS; i++)
		listen(bench, &bench->replicas[i], argv);
	wait_for(&bench->watching, REPLICAS, "the bucket");
}

static void finish(struct bench *bench)
{
	for (size_t i = 0; i < REPLICAS; i++) {
		bus_kv_unwatch(bench->replicas[i].watch);
		bus_unsubscribe(bench->replicas[i].sub);
		bus_close(bench->replicas[i].keys);
		bus_close(bench->replicas[i].reports);
	}
	bus_port_free(bench->port);
	bus_close(bench->edge);
}

int main(int argc, char **argv)
{
	struct bench bench = { 0 };

	if (argc != 6) {
		(void)fprintf(stderr,
		    "usage: bench_devices NATS_URL EDGE_PASSWORD PRESENCE_PASSWORD nats=PID "
		    "DEVICES\n");
		return 2;
	}
	bench.devices = strtoul(argv[5], NULL, 10);
	prepare(&bench, argv);
	(void)printf("{\"devices\":%zu", bench.devices);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		measure(&bench, &ways[i]);
	(void)printf(",\"refused\":%zu}\n", bench.refused);
	finish(&bench);
	return bench.refused ? EXIT_FAILURE : EXIT_SUCCESS;
}
