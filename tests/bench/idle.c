/*
 * bench_idle: what an idle, signed-in WebSocket costs a Socket.IO server.
 *
 * Opens N of them, each as another user, and holds them for a while. Prints the server's resident
 * memory and threads before and after, its CPU while nothing but pings happened, and apart from it
 * what the kernel's memory grew by, which is that of both ends and of whatever else is on the
 * machine. Start it through `./dev bench idle`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client.h"
#include "report.h"
#include "usage.h"

enum { CONNECT_MS = 120000, SETTLE_MS = 2000 /* what comes right after signing in */ };

struct args {
	const char *keys_dir;
	char *token;
};

static const char *token_of(void *arg, size_t index)
{
	struct args *args = arg;

	return bench_lend_token(&args->token, args->keys_dir, "idle-%zu", index);
}

struct look {
	long rss_kib, threads, slab_kib;
};

/* Memory of the kernel's own objects: sockets, their buffers, descriptors, timers. */
static long slab_kib(void)
{
	char line[256];
	long kib = 0;
	FILE *file = fopen("/proc/meminfo", "re");

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "Slab:", 5) == 0)
			kib = strtol(line + 5, NULL, 10);
	}
	if (file)
		(void)fclose(file);
	return kib;
}

static struct look look_at(int pid)
{
	struct look look = { .slab_kib = slab_kib() };

	if (!bench_process(pid, &look.rss_kib, &look.threads)) {
		(void)fprintf(stderr, "there is no process %d\n", pid);
		exit(EXIT_FAILURE);
	}
	return look;
}

/* Returns for how long. */
static double hold(struct bench_pool *pool, int64_t ms)
{
	int64_t started = clock_mono_ms();

	while (clock_mono_ms() < started + ms && !pool->failed)
		bench_pool_poll(pool, 100);
	return (double)(clock_mono_ms() - started) / 1000;
}

static void measure(struct bench_pool *pool, int pid, int64_t hold_ms)
{
	struct look before = look_at(pid), after;
	int64_t started = clock_mono_ms();
	double connect_s, hold_s;
	struct bench_usage usage;
	char group[32];

	(void)bench_pool_connect(pool, 200, CONNECT_MS);
	connect_s = (double)(clock_mono_ms() - started) / 1000;
	(void)hold(pool, SETTLE_MS);
	(void)snprintf(group, sizeof(group), "server=%d", pid);
	bench_usage_init(&usage, group);
	hold_s = hold(pool, hold_ms);
	bench_usage_read(&usage);
	after = look_at(pid);
	(void)printf("{\"sockets\":%zu,\"wanted\":%zu,\"connectSeconds\":%.2f,\"rssBeforeKiB\":%ld,"
		     "\"rssAfterKiB\":%ld,\"bytesPerSocket\":%ld,\"kernelBytesPerSocket\":%ld,"
		     "\"cpuMsPerSecond\":%.2f,\"threadsBefore\":%ld,\"threadsAfter\":%ld}\n",
	    pool->ready, pool->len, connect_s, before.rss_kib, after.rss_kib,
	    pool->ready ? (after.rss_kib - before.rss_kib) * 1024 / (long)pool->ready : 0,
	    pool->ready ? (after.slab_kib - before.slab_kib) * 1024 / (long)pool->ready : 0,
	    (double)usage.at[0].cpu_us / 1000 / hold_s, before.threads, after.threads);
}

int main(int argc, char **argv)
{
	struct bench_pool pool;
	struct args args = { 0 };
	bool ok;

	if (argc != 6) {
		(void)fprintf(
		    stderr, "usage: bench_idle PORT SERVER_PID KEYS_DIR SOCKETS HOLD_SECONDS\n");
		return 2;
	}
	args.keys_dir = argv[3];
	bench_pool_init(&pool, (int)strtol(argv[1], NULL, 10), strtoul(argv[4], NULL, 10));
	pool.token = token_of;
	pool.arg = &args;
	measure(&pool, (int)strtol(argv[2], NULL, 10), strtol(argv[5], NULL, 10) * 1000);
	ok = pool.ready == pool.len;
	bench_pool_finish(&pool);
	free(args.token);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
