/*
 * bench_idle: what an idle, signed-in WebSocket costs an edge.
 *
 * Opens N of them, each as another user, holds them for a while, and prints the edge's resident
 * memory and threads before and after. Start it through `./dev bench idle`.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "client.h"
#include "report.h"

struct args {
	const char *keys_dir;
	char *token;
};

static const char *token_of(void *arg, size_t index)
{
	struct args *args = arg;
	char user[32];

	free(args->token);
	(void)snprintf(user, sizeof(user), "idle-%zu", index);
	args->token = bench_token(args->keys_dir, user);
	return args->token;
}

int main(int argc, char **argv)
{
	struct bench_pool pool;
	struct args args = { 0 };
	long rss_before, rss_after, threads_before, threads_after;
	int64_t started, connected, until;
	int pid, sockets;

	if (argc != 6) {
		(void)fprintf(
		    stderr, "usage: bench_idle PORT EDGE_PID KEYS_DIR SOCKETS HOLD_SECONDS\n");
		return 2;
	}
	pid = (int)strtol(argv[2], NULL, 10);
	args.keys_dir = argv[3];
	sockets = (int)strtol(argv[4], NULL, 10);
	if (!bench_process(pid, &rss_before, &threads_before)) {
		(void)fprintf(stderr, "there is no process %d\n", pid);
		return EXIT_FAILURE;
	}
	bench_pool_init(&pool, (int)strtol(argv[1], NULL, 10), (size_t)sockets);
	pool.token = token_of;
	pool.arg = &args;
	started = clock_mono_ms();
	(void)bench_pool_connect(&pool, 200, 120000);
	connected = clock_mono_ms();
	until = connected + strtol(argv[5], NULL, 10) * 1000;
	while (clock_mono_ms() < until && !pool.failed)
		bench_pool_poll(&pool, 100);
	if (!bench_process(pid, &rss_after, &threads_after)) {
		(void)fprintf(stderr, "the edge is gone\n");
		return EXIT_FAILURE;
	}
	(void)printf("{\"sockets\":%zu,\"wanted\":%d,\"connectSeconds\":%.2f,\"rssBeforeKiB\":%ld,"
		     "\"rssAfterKiB\":%ld,\"bytesPerSocket\":%ld,\"threadsBefore\":%ld,"
		     "\"threadsAfter\":%ld}\n",
	    pool.ready, sockets, (double)(connected - started) / 1000, rss_before, rss_after,
	    pool.ready ? (rss_after - rss_before) * 1024 / (long)pool.ready : 0, threads_before,
	    threads_after);
	(void)fflush(stdout);
	sockets -= (int)pool.ready;
	bench_pool_finish(&pool);
	free(args.token);
	return sockets == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
