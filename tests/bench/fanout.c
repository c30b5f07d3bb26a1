/*
 * bench_fanout: how fast what is said to everybody reaches N sockets, whoever says it.
 *
 * Knows nothing of the system but Socket.IO. COMMAND reads lines "<number> <microseconds>" from its
 * standard input and broadcasts an event for each, with the text "due <number> <microseconds> ".
 * `burst`: all at once; `single`: the next one when everybody has the one before. Every socket must
 * get each once and in order. Start it through
 * `./dev bench fanout`.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "client.h"
#include "report.h"
#include "usage.h"

extern char **environ;

enum { GIVE_UP_MS = 60000, WARM_UP = 3 };

struct bench {
	const char *keys_dir;
	char *token;
	uint32_t *next; /* the number that socket i has to get */
	size_t received, wrong;
	int64_t *latencies_us; /* of the last socket of each broadcast */
	size_t *had;           /* how many sockets have broadcast i */
	size_t broadcasts, sockets;
	int to_command;
	pid_t command;
};

static const char *token_of(void *arg, size_t index)
{
	struct bench *bench = arg;

	return bench_lend_token(&bench->token, bench->keys_dir, "user-%zu", index);
}

static void on_packet(void *arg, struct bench_socket *socket, struct bytes packet)
{
	struct bench *bench = arg;
	size_t number;
	int64_t due_us;

	if (!bench_read_due(packet, &number, &due_us))
		return;
	if (number >= bench->broadcasts || number != bench->next[socket->index]) {
		bench->wrong++;
		return;
	}
	bench->next[socket->index]++;
	bench->received++;
	if (++bench->had[number] == bench->sockets)
		bench->latencies_us[number] = clock_mono_us() - due_us;
}

static bool command_start(struct bench *bench, char **argv)
{
	posix_spawn_file_actions_t actions;
	int pipes[2];
	bool ok;

	if (pipe(pipes) != 0)
		return false;
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, pipes[0], STDIN_FILENO);
	(void)posix_spawn_file_actions_addclose(&actions, pipes[0]);
	(void)posix_spawn_file_actions_addclose(&actions, pipes[1]);
	ok = posix_spawnp(&bench->command, argv[0], &actions, NULL, argv, environ) == 0;
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)close(pipes[0]);
	bench->to_command = pipes[1];
	return ok;
}

static bool command_stop(const struct bench *bench)
{
	int status = 0;

	(void)close(bench->to_command);
	return waitpid(bench->command, &status, 0) == bench->command && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

static void broadcast(const struct bench *bench, size_t number)
{
	char line[64];
	int len = snprintf(line, sizeof(line), "%zu %lld\n", number, (long long)clock_mono_us());

	if (write(bench->to_command, line, (size_t)len) != len)
		perror("write");
}

static bool wait_for(struct bench *bench, struct bench_pool *pool, size_t received)
{
	int64_t give_up = clock_mono_ms() + GIVE_UP_MS;

	while (bench->received < received && !bench->wrong && !pool->failed &&
	       clock_mono_ms() < give_up)
		bench_pool_poll(pool, 100);
	return bench->received == received && !bench->wrong && !pool->failed;
}

/* The first ones, one by one, do not count: they find everything cold. */
static bool measure(struct bench *bench, struct bench_pool *pool, bool single, int64_t *ret_us)
{
	int64_t started_us = 0;

	for (size_t i = 0; i < bench->broadcasts; i++) {
		if (i == WARM_UP)
			started_us = clock_mono_us();
		broadcast(bench, i);
		if ((single || i < WARM_UP) && !wait_for(bench, pool, (i + 1) * bench->sockets))
			return false;
	}
	if (!wait_for(bench, pool, bench->broadcasts * bench->sockets))
		return false;
	*ret_us = clock_mono_us() - started_us;
	return true;
}

static void print(const struct bench *bench, const struct bench_usage *usage,
    const struct bench_usage *own, int64_t took_us)
{
	size_t counted = bench->broadcasts - WARM_UP;
	size_t frames = counted * bench->sockets;

	bench_sort(bench->latencies_us + WARM_UP, counted);
	(void)printf(
	    "{\"sockets\":%zu,\"broadcasts\":%zu,\"seconds\":%.3f,\"framesPerSecond\":%.0f,"
	    "\"p50ms\":%.2f,\"maxMs\":%.2f,",
	    bench->sockets, counted, (double)took_us / 1e6, (double)frames * 1e6 / (double)took_us,
	    bench_percentile_ms(bench->latencies_us + WARM_UP, counted, 0.5),
	    bench_percentile_ms(bench->latencies_us + WARM_UP, counted, 1));
	bench_usage_print(usage, frames);
	(void)printf(",\"benchCpu\":%.2f}\n", (double)own->at[0].cpu_us / (double)took_us);
}

static bool run(
    struct bench *bench, struct bench_pool *pool, bool single, const char *pids, char **command)
{
	struct bench_usage usage, own;
	int64_t took_us = 0;
	bool ok;

	if (!bench_pool_connect(pool, 100, GIVE_UP_MS) || !command_start(bench, command))
		return false;
	bench_usage_init(&usage, pids);
	bench_usage_init_self(&own);
	ok = measure(bench, pool, single, &took_us);
	bench_usage_read(&usage);
	bench_usage_read(&own);
	ok = command_stop(bench) && ok;
	if (ok)
		print(bench, &usage, &own, took_us);
	else
		(void)fprintf(stderr, "%zu of %zu received, %zu out of order\n", bench->received,
		    bench->broadcasts * bench->sockets, bench->wrong);
	return ok;
}

int main(int argc, char **argv)
{
	struct bench bench = { 0 };
	struct bench_pool pool;
	bool ok;

	if (argc < 8) {
		(void)fprintf(stderr,
		    "usage: bench_fanout PORT KEYS_DIR SOCKETS BROADCASTS burst|single "
		    "NAME=PID,... COMMAND...\n");
		return 2;
	}
	bench.keys_dir = argv[2];
	bench.sockets = strtoul(argv[3], NULL, 10);
	bench.broadcasts = strtoul(argv[4], NULL, 10) + WARM_UP;
	bench.next = xcalloc(bench.sockets, sizeof(*bench.next));
	bench.latencies_us = xcalloc(bench.broadcasts, sizeof(*bench.latencies_us));
	bench.had = xcalloc(bench.broadcasts, sizeof(*bench.had));
	bench_pool_init(&pool, (int)strtol(argv[1], NULL, 10), bench.sockets);
	pool.token = token_of;
	pool.on_packet = on_packet;
	pool.arg = &bench;
	ok = run(&bench, &pool, strcmp(argv[5], "single") == 0, argv[6], argv + 7);
	bench_pool_finish(&pool);
	free(bench.token);
	free(bench.next);
	free(bench.latencies_us);
	free(bench.had);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
