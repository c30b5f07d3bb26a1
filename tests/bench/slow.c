/*
 * bench_slow: what clients that stop reading do to all others.
 *
 * Every event goes to ten of N clients, in turn, and to all of a few more users, whose clients
 * either read as well (the run to compare with) or stop reading after they have signed in. The edge
 * has to close those as slow consumers; each then comes again and stops again, so that there is
 * one all the time. Latencies are those of the N, from the moment an event was due. Start it
 * through `./dev bench slow`.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/xalloc.h"
#include "client.h"
#include "report.h"

enum { OTHERS_EACH = 10, SLOW_MAX = 200, RATE = 100, TEXT_SIZE = 4000, LOOK_MS = 250 };

#define CLOSES "ww_edge_closes_total{reason=\"slow_consumer\"}"

struct args {
	int port, admin_port, pid;
	const char *keys_dir, *nats_url, *password;
	size_t others, slow;
	bool is_mute;
	int seconds;
};

struct bench {
	struct args args;
	struct bench_pool pool;
	struct bus *bus;
	char run[ID_SIZE];
	char *token;
	char (*users)[ID_SIZE + 32];
	int64_t *latencies_us;
	size_t received, expected;
	/* of the slow ones */
	long closes_before, rounds;
	int64_t round_started_ms, longest_round_ms;
	long rss_before, rss_max, rss_after;
};

static bool is_other(const struct bench *bench, const struct bench_socket *socket)
{
	return socket->index < bench->args.others;
}

static const char *token_of(void *arg, size_t index)
{
	struct bench *bench = arg;

	return bench_lend_token(&bench->token, bench->args.keys_dir, "%s", bench->users[index]);
}

static void on_packet(void *arg, struct bench_socket *socket, struct bytes packet)
{
	struct bench *bench = arg;
	int64_t due, now = clock_mono_us();
	size_t number;

	if (is_other(bench, socket) && bench_read_due(packet, &number, &due) &&
	    bench->received < bench->expected)
		bench->latencies_us[bench->received++] = now - due;
}

static void on_lost(void *arg, struct bench_socket *socket, const char *why)
{
	struct bench *bench = arg;

	if (is_other(bench, socket) && bench->pool.failed++ == 0)
		(void)fprintf(stderr, "a client that reads was lost: %s\n", why);
}

static void publish(struct bench *bench, size_t number, int64_t due)
{
	char *users[OTHERS_EACH + SLOW_MAX];
	struct bench_event event = { .run = bench->run,
		.number = number,
		.due_us = due,
		.users = users,
		.size = TEXT_SIZE };

	for (size_t i = 0; i < OTHERS_EACH; i++)
		users[event.users_len++] =
		    bench->users[(number * OTHERS_EACH + i) % bench->args.others];
	for (size_t i = 0; i < bench->args.slow; i++)
		users[event.users_len++] = bench->users[bench->args.others + i];
	bench_publish(bench->bus, &event);
}

static void begin_round(struct bench *bench)
{
	for (size_t i = bench->args.others; i < bench->pool.len; i++)
		bench_socket_start(&bench->pool, &bench->pool.sockets[i]);
	bench->round_started_ms = clock_mono_ms();
}

/* Once all of them have been closed they come again. */
static void look(struct bench *bench)
{
	struct buf text = BUF_INIT;
	long rss, threads, closes;
	int64_t round_ms = clock_mono_ms() - bench->round_started_ms;

	bench_scrape(bench->args.admin_port, &text);
	closes = bench_metric(&text, CLOSES) - bench->closes_before;
	buf_finish(&text);
	if (bench_process(bench->args.pid, &rss, &threads) && rss > bench->rss_max)
		bench->rss_max = rss;
	if (!bench->args.is_mute || closes < (bench->rounds + 1) * (long)bench->args.slow)
		return;
	bench->rounds++;
	if (round_ms > bench->longest_round_ms)
		bench->longest_round_ms = round_ms;
	begin_round(bench);
}

static void run(struct bench *bench)
{
	int64_t start = clock_mono_us() + 100000;
	int64_t next_look_ms = 0, give_up_ms;
	size_t events = (size_t)bench->args.seconds * RATE;

	for (size_t sent = 0; sent < events && !bench->pool.failed;) {
		int64_t due = start + (int64_t)sent * 1000000 / RATE;

		if (clock_mono_us() >= due)
			publish(bench, sent++, due);
		if (clock_mono_ms() >= next_look_ms) {
			look(bench);
			next_look_ms = clock_mono_ms() + LOOK_MS;
		}
		bench_pool_poll(&bench->pool, 1);
	}
	give_up_ms = clock_mono_ms() + 10000;
	while (bench->received < bench->expected && clock_mono_ms() < give_up_ms &&
	       !bench->pool.failed)
		bench_pool_poll(&bench->pool, 10);
}

static bool prepare(struct bench *bench)
{
	const struct args *args = &bench->args;
	struct bench_pool *pool = &bench->pool;
	struct buf text = BUF_INIT;
	long threads;

	id_random(bench->run);
	bench_pool_init(pool, args->port, args->others + args->slow);
	bench->users = xcalloc(pool->len, sizeof(*bench->users));
	for (size_t i = 0; i < pool->len; i++) {
		(void)snprintf(
		    bench->users[i], sizeof(*bench->users), "slow-%s-%zu", bench->run, i);
		pool->sockets[i].is_mute = args->is_mute && i >= args->others;
	}
	bench->expected = (size_t)args->seconds * RATE * OTHERS_EACH;
	bench->latencies_us = xcalloc(bench->expected, sizeof(*bench->latencies_us));
	pool->token = token_of;
	pool->on_packet = on_packet;
	pool->arg = bench;
	bench->bus = bench_bus(args->nats_url, "backend", args->password);
	if (!bench_pool_connect(pool, 50, 60000))
		return false;
	pool->on_lost = on_lost;
	bench->round_started_ms = clock_mono_ms();
	bench_scrape(args->admin_port, &text);
	bench->closes_before = bench_metric(&text, CLOSES);
	buf_finish(&text);
	return bench_process(args->pid, &bench->rss_before, &threads);
}

static void print(const struct bench *bench)
{
	const int64_t *us = bench->latencies_us;
	size_t n = bench->received;

	(void)printf(
	    "{\"others\":%zu,\"slow\":%zu,\"slowRead\":%s,\"expected\":%zu,\"received\":%zu,"
	    "\"p50ms\":%.2f,\"p99ms\":%.2f,\"p999ms\":%.2f,\"maxMs\":%.2f,",
	    bench->args.others, bench->args.slow, bench->args.is_mute ? "false" : "true",
	    bench->expected, n, bench_percentile_ms(us, n, 0.5), bench_percentile_ms(us, n, 0.99),
	    bench_percentile_ms(us, n, 0.999), bench_percentile_ms(us, n, 1));
	(void)printf("\"slowCloses\":%ld,\"longestUntilClosedMs\":%lld,\"rssBeforeKiB\":%ld,"
		     "\"rssMaxKiB\":%ld,\"rssAfterKiB\":%ld}\n",
	    bench->rounds * (long)bench->args.slow, (long long)bench->longest_round_ms,
	    bench->rss_before, bench->rss_max, bench->rss_after);
}

int main(int argc, char **argv)
{
	struct bench bench = { 0 };
	long threads;
	bool ok;

	if (argc != 11) {
		(void)fprintf(stderr,
		    "usage: bench_slow PORT ADMIN_PORT EDGE_PID KEYS_DIR NATS_URL "
		    "PASSWORD OTHERS SLOW read|mute SECONDS\n");
		return 2;
	}
	bench.args = (struct args){
		.port = atoi(argv[1]),
		.admin_port = atoi(argv[2]),
		.pid = atoi(argv[3]),
		.keys_dir = argv[4],
		.nats_url = argv[5],
		.password = argv[6],
		.others = strtoul(argv[7], NULL, 10),
		.slow = strtoul(argv[8], NULL, 10),
		.is_mute = strcmp(argv[9], "mute") == 0,
		.seconds = atoi(argv[10]),
	};
	if (bench.args.slow > SLOW_MAX || !prepare(&bench))
		return EXIT_FAILURE;
	run(&bench);
	bus_publish_wait(bench.bus);
	(void)bench_process(bench.args.pid, &bench.rss_after, &threads);
	bench_sort(bench.latencies_us, bench.received);
	print(&bench);
	ok = bench.received == bench.expected && !bench.pool.failed &&
	     (!bench.args.is_mute || bench.rounds > 0);
	bus_close(bench.bus);
	bench_pool_finish(&bench.pool);
	free(bench.latencies_us);
	free(bench.users);
	free(bench.token);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
