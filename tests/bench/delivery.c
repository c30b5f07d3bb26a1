/*
 * bench_delivery: how fast a backlog of stored events reaches sockets, whoever applies them.
 *
 * Knows nothing of the system it measures but Socket.IO: the process that applies is held
 * (SIGSTOP) while COMMAND publishes the backlog, then let go. Measured from there until every
 * socket has what is for its user; each event must come once. Users are user-0 and so on, events go
 * to them in turn; every (USERS / SOCKETS)-th has a socket, among them the one of the last event.
 * Start it through `./dev bench delivery`.
 */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "client.h"
#include "report.h"
#include "usage.h"

extern char **environ;

enum { GIVE_UP_MS = 60000 };

struct bench {
	const char *keys_dir;
	char *token;
	size_t users, every, events;
	size_t received, expected, doubled, strangers;
	bool *seen;
};

static const char *token_of(void *arg, size_t index)
{
	struct bench *bench = arg;

	return bench_lend_token(
	    &bench->token, bench->keys_dir, "user-%zu", index * bench->every + bench->every - 1);
}

static void on_packet(void *arg, struct bench_socket *socket, struct bytes packet)
{
	struct bench *bench = arg;
	size_t number;
	int64_t due;

	if (!bench_read_due(packet, &number, &due) || number >= bench->events)
		return;
	if (number % bench->users != socket->index * bench->every + bench->every - 1)
		bench->strangers++;
	else if (bench->seen[number])
		bench->doubled++;
	else
		bench->received++;
	bench->seen[number] = true;
}

/* Serves the sockets meanwhile. */
static bool publish(struct bench_pool *pool, char **command)
{
	int status = 0;
	pid_t pid;

	if (posix_spawnp(&pid, command[0], NULL, NULL, command, environ) != 0)
		return false;
	while (waitpid(pid, &status, WNOHANG) == 0)
		bench_pool_poll(pool, 10);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Returns how long it took, in microseconds. */
static int64_t deliver(struct bench *bench, struct bench_pool *pool)
{
	int64_t start = clock_mono_us();

	while (bench->received < bench->expected && !pool->failed &&
	       clock_mono_us() - start < (int64_t)GIVE_UP_MS * 1000)
		bench_pool_poll(pool, 100);
	return clock_mono_us() - start;
}

static void print(const struct bench *bench, const struct bench_pool *pool,
    const struct bench_usage *usage, int64_t took_us)
{
	(void)printf("{\"events\":%zu,\"users\":%zu,\"sockets\":%zu,\"expected\":%zu,"
		     "\"received\":%zu,\"doubled\":%zu,\"strangers\":%zu,\"seconds\":%.2f,"
		     "\"perSecond\":%.0f,",
	    bench->events, bench->users, pool->len, bench->expected, bench->received,
	    bench->doubled, bench->strangers, (double)took_us / 1e6,
	    (double)bench->events * 1e6 / (double)took_us);
	bench_usage_print(usage, bench->events);
	(void)printf("}\n");
}

static bool run(struct bench *bench, struct bench_pool *pool, struct bench_usage *usage,
    pid_t applies, char **command)
{
	int64_t took_us;
	bool published;

	if (!bench_pool_connect(pool, 50, 60000))
		return false;
	(void)kill(applies, SIGSTOP);
	published = publish(pool, command);
	bench_usage_mark(usage);
	(void)kill(applies, SIGCONT);
	if (!published) {
		(void)fprintf(stderr, "%s failed\n", command[0]);
		return false;
	}
	took_us = deliver(bench, pool);
	bench_usage_read(usage);
	print(bench, pool, usage, took_us);
	return bench->received == bench->expected && !bench->doubled && !bench->strangers;
}

int main(int argc, char **argv)
{
	struct bench bench = { 0 };
	struct bench_usage usage;
	struct bench_pool pool;
	bool ok;

	if (argc < 9) {
		(void)fprintf(stderr, "usage: bench_delivery PORT KEYS_DIR USERS SOCKETS EVENTS "
				      "HELD_PID NAME=PID,... "
				      "COMMAND...\n");
		return 2;
	}
	bench.keys_dir = argv[2];
	bench.users = strtoul(argv[3], NULL, 10);
	bench.every = bench.users / strtoul(argv[4], NULL, 10);
	bench.events = strtoul(argv[5], NULL, 10);
	bench.expected = bench.events / bench.every;
	bench.seen = xcalloc(bench.events, sizeof(*bench.seen));
	bench_usage_init(&usage, argv[7]);
	bench_pool_init(&pool, (int)strtol(argv[1], NULL, 10), bench.users / bench.every);
	pool.token = token_of;
	pool.on_packet = on_packet;
	pool.arg = &bench;
	ok = run(&bench, &pool, &usage, (pid_t)strtol(argv[6], NULL, 10), argv + 8);
	bench_pool_finish(&pool);
	free(bench.token);
	free(bench.seen);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
