/*
 * bench_storm: a full edge for many minutes, and then its death.
 *
 * Holds N signed-in WebSockets, each another user's, on the first edge, with events at a fixed rate
 * to users in a random order, and looks at the edge every ten seconds. Then the edge is killed
 * (SIGKILL), and all clients come at once to the second one, with what they recover with. Every
 * event must have reached its user once. Start it through `./dev bench storm`.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/xalloc.h"
#include "client.h"
#include "db/db.h"
#include "report.h"

enum {
	LOOK_MS = 10000,
	RETRY_MS = 10, /* clients that were lost come again */
	BACK_WITHIN_MS = 120000,
	SETTLE_MS = 12000, /* PostgreSQL's sessions report what they did within ten seconds */
	FILES_SPARE = 200,
};

struct args {
	int ports[2], admin_ports[2], service_admin_port, pid;
	const char *keys_dir, *nats_url, *password, *dsn;
	size_t sockets;
	int rate, seconds;
};

struct span {
	long first, last, max;
};

struct tally {
	long open, since, heads, commits;
};

struct bench {
	struct args args;
	struct bench_pool pool;
	struct bus *bus;
	struct db *db;
	char run[ID_SIZE];
	char **tokens;
	struct span rss, threads, files;
	/* events */
	int64_t started_us;
	size_t sent, received, doubled, seen_len;
	bool *seen;
	/* the storm */
	int64_t killed_us;
	int64_t *back_us;
	bool *is_back;
	size_t back, lost, failed;
};

static void user_of(const struct bench *bench, size_t index, char ret_user[static 64])
{
	(void)snprintf(ret_user, 64, "storm-%s-%zu", bench->run, index);
}

/* Clients keep their tokens: the second edge has to verify them, not this program to sign. */
static const char *token_of(void *arg, size_t index)
{
	struct bench *bench = arg;
	char user[64];

	user_of(bench, index, user);
	if (!bench->tokens[index])
		bench->tokens[index] = bench_token(bench->args.keys_dir, user);
	return bench->tokens[index];
}

static void on_packet(void *arg, struct bench_socket *socket, struct bytes packet)
{
	struct bench *bench = arg;
	size_t number;
	int64_t due;

	(void)socket;
	if (!bench_read_due(packet, &number, &due) || number >= bench->seen_len)
		return;
	if (bench->seen[number])
		bench->doubled++;
	else
		bench->received++;
	bench->seen[number] = true;
}

static void on_ready(void *arg, struct bench_socket *socket)
{
	struct bench *bench = arg;

	if (!bench->killed_us || bench->is_back[socket->index])
		return;
	bench->is_back[socket->index] = true;
	bench->back_us[bench->back++] = clock_mono_us() - bench->killed_us;
}

/* The first loss of each is the death of its edge; another one is a failed attempt. */
static void on_lost(void *arg, struct bench_socket *socket, const char *why)
{
	struct bench *bench = arg;

	(void)socket;
	if (bench->lost < bench->pool.len && bench->killed_us) {
		bench->lost++;
		return;
	}
	if (bench->failed++ < 10)
		(void)fprintf(stderr, "a client was lost: %s\n", why);
}

/* --- traffic --- */

static void publish_due(struct bench *bench)
{
	int64_t due = bench->started_us + (int64_t)bench->sent * 1000000 / bench->args.rate;
	char user[64];
	char *list[] = { user };
	struct bench_event event = { .run = bench->run, .users = list, .users_len = 1 };

	if (clock_mono_us() < due || bench->sent == bench->seen_len)
		return;
	user_of(bench, random_below(bench->pool.len), user);
	event.number = bench->sent++;
	event.due_us = due;
	bench_publish(bench->bus, &event);
}

/* --- what it costs --- */

static void note(struct span *span, long value)
{
	if (!span->max)
		span->first = value;
	span->last = value;
	span->max = value > span->max ? value : span->max;
}

static void look(struct bench *bench)
{
	long rss = 0, threads = 0;

	(void)bench_process(bench->args.pid, &rss, &threads);
	note(&bench->rss, rss);
	note(&bench->threads, threads);
	note(&bench->files, bench_files(bench->args.pid));
}

enum { COMMITS };
static const struct db_statement statements[] = {
	[COMMITS] = { "commits",
	    "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()" },
};

static long count_commits(struct bench *bench)
{
	struct db_params params;
	struct db_result *result = NULL;
	struct err err = ERR_INIT;
	long commits;

	db_params_init(&params);
	if (db_run(bench->db, COMMITS, &params, &result, &err)) {
		(void)fprintf(stderr, "%s\n", err.msg);
		exit(EXIT_FAILURE);
	}
	commits = (long)db_get_int(result, 0, 0);
	db_result_free(result);
	return commits;
}

static struct tally count(struct bench *bench)
{
	struct buf text = BUF_INIT;
	struct tally tally;

	bench_scrape(bench->args.service_admin_port, &text);
	tally.open = bench_metric(&text, "ww_notifications_open_total{status=\"ok\"}");
	tally.since = bench_metric(&text, "ww_notifications_since_total{status=\"ok\"}");
	tally.heads = bench_metric(&text, "ww_notifications_heads_total{status=\"ok\"}");
	tally.commits = count_commits(bench);
	buf_finish(&text);
	return tally;
}

/* --- the phases --- */

static void serve_until(struct bench *bench, int64_t until_ms)
{
	while (clock_mono_ms() < until_ms && !bench->failed) {
		publish_due(bench);
		bench_pool_poll(&bench->pool, 1);
	}
}

static void hold(struct bench *bench)
{
	int64_t until = clock_mono_ms() + (int64_t)bench->args.seconds * 1000;
	int64_t next;

	bench->started_us = clock_mono_us();
	for (next = clock_mono_ms(); next < until && !bench->failed; next += LOOK_MS) {
		look(bench);
		serve_until(bench, next + LOOK_MS < until ? next + LOOK_MS : until);
	}
	look(bench);
}

static void start_idle(struct bench *bench)
{
	for (size_t i = 0; i < bench->pool.len; i++) {
		if (bench->pool.sockets[i].state == BENCH_IDLE)
			bench_socket_start(&bench->pool, &bench->pool.sockets[i]);
	}
}

static void storm(struct bench *bench)
{
	int64_t give_up = clock_mono_ms() + BACK_WITHIN_MS, next_start = 0;

	bench->pool.port = bench->args.ports[1];
	bench->killed_us = clock_mono_us();
	(void)kill(bench->args.pid, SIGKILL);
	while (bench->back < bench->pool.len && clock_mono_ms() < give_up) {
		if (clock_mono_ms() >= next_start) {
			start_idle(bench);
			next_start = clock_mono_ms() + RETRY_MS;
		}
		publish_due(bench);
		bench_pool_poll(&bench->pool, 1);
	}
	bench->seen_len = bench->sent; /* nothing is published any more */
	give_up = clock_mono_ms() + SETTLE_MS;
	while (clock_mono_ms() < give_up)
		bench_pool_poll(&bench->pool, 10);
}

static bool prepare(struct bench *bench)
{
	const struct args *args = &bench->args;
	struct bench_pool *pool = &bench->pool;
	struct db_config db = { .dsn = args->dsn,
		.application_name = "bench",
		.statements = statements,
		.statements_len = 1,
		.statement_timeout_ms = 10000,
		.lock_timeout_ms = 5000 };
	struct err err = ERR_INIT;

	if (bench_raise_files() < args->sockets + FILES_SPARE) {
		(void)fprintf(stderr,
		    "%zu open files are allowed here (ulimit -Hn), %zu sockets need more\n",
		    bench_raise_files(), args->sockets);
		return false;
	}
	id_random(bench->run);
	bench_pool_init(pool, args->ports[0], args->sockets);
	bench->tokens = xcalloc(pool->len, sizeof(*bench->tokens));
	bench->back_us = xcalloc(pool->len, sizeof(*bench->back_us));
	bench->is_back = xcalloc(pool->len, sizeof(*bench->is_back));
	bench->seen_len = (size_t)args->rate * ((size_t)args->seconds + BACK_WITHIN_MS / 1000);
	bench->seen = xcalloc(bench->seen_len, sizeof(*bench->seen));
	pool->token = token_of;
	pool->on_packet = on_packet;
	pool->on_ready = on_ready;
	pool->arg = bench;
	pool->recovers = true;
	bench->bus = bench_bus(args->nats_url, "backend", args->password);
	if (db_open(&db, &bench->db, &err)) {
		(void)fprintf(stderr, "%s\n", err.msg);
		return false;
	}
	return true;
}

static void print_span(const char *name, const struct span *span)
{
	(void)printf("\"%s\":{\"first\":%ld,\"last\":%ld,\"max\":%ld},", name, span->first,
	    span->last, span->max);
}

static void print_recoveries(int admin_port)
{
	static const char *const outcomes[] = { "recovered", "bad_pid", "epoch", "ahead",
		"too_many", "too_old" };
	struct buf text = BUF_INIT;
	char name[96];

	bench_scrape(admin_port, &text);
	(void)printf("\"recoveries\":{");
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
		(void)snprintf(
		    name, sizeof(name), "ww_edge_recoveries_total{outcome=\"%s\"}", outcomes[i]);
		(void)printf("%s\"%s\":%ld", i ? "," : "", outcomes[i], bench_metric(&text, name));
	}
	(void)printf("},");
	buf_finish(&text);
}

static void print(struct bench *bench, const struct tally *before, const struct tally *after)
{
	const int64_t *us = bench->back_us;
	size_t n = bench->back;

	bench_sort(bench->back_us, n);
	(void)printf("\"back\":%zu,\"failedAttempts\":%zu,\"firstBackMs\":%.0f,\"p50BackMs\":%.0f,"
		     "\"p99BackMs\":%.0f,\"lastBackMs\":%.0f,",
	    n, bench->failed, bench_percentile_ms(us, n, 0), bench_percentile_ms(us, n, 0.5),
	    bench_percentile_ms(us, n, 0.99), bench_percentile_ms(us, n, 1));
	print_recoveries(bench->args.admin_ports[1]);
	(void)printf("\"open\":%ld,\"since\":%ld,\"heads\":%ld,\"commits\":%ld,",
	    after->open - before->open, after->since - before->since, after->heads - before->heads,
	    after->commits - before->commits);
	(void)printf("\"events\":%zu,\"received\":%zu,\"doubled\":%zu}\n", bench->sent,
	    bench->received, bench->doubled);
}

static bool run(struct bench *bench)
{
	struct tally before, after;
	int64_t started = clock_mono_ms();

	if (!bench_pool_connect(&bench->pool, 200, 120000))
		return false;
	(void)printf("{\"sockets\":%zu,\"connectSeconds\":%.1f,\"heldSeconds\":%d,",
	    bench->pool.len, (double)(clock_mono_ms() - started) / 1000, bench->args.seconds);
	bench->pool.on_lost = on_lost;
	hold(bench);
	print_span("rssKiB", &bench->rss);
	print_span("threads", &bench->threads);
	print_span("files", &bench->files);
	before = count(bench);
	storm(bench);
	after = count(bench);
	print(bench, &before, &after);
	return bench->back == bench->pool.len && bench->received == bench->sent &&
	       !bench->doubled && !bench->failed;
}

static void finish(struct bench *bench)
{
	bus_publish_wait(bench->bus);
	bus_close(bench->bus);
	db_close(bench->db);
	bench_pool_finish(&bench->pool);
	for (size_t i = 0; i < bench->args.sockets; i++)
		free(bench->tokens[i]);
	free(bench->tokens);
	free(bench->back_us);
	free(bench->is_back);
	free(bench->seen);
}

int main(int argc, char **argv)
{
	struct bench bench = { 0 };
	bool ok;

	if (argc != 14) {
		(void)fprintf(stderr,
		    "usage: bench_storm PORT ADMIN_PORT PID PORT2 ADMIN_PORT2 SERVICE_ADMIN_PORT "
		    "KEYS_DIR NATS_URL PASSWORD DATABASE_URL SOCKETS RATE SECONDS\n");
		return 2;
	}
	bench.args = (struct args){
		.ports = { atoi(argv[1]), atoi(argv[4]) },
		.admin_ports = { atoi(argv[2]), atoi(argv[5]) },
		.pid = atoi(argv[3]),
		.service_admin_port = atoi(argv[6]),
		.keys_dir = argv[7],
		.nats_url = argv[8],
		.password = argv[9],
		.dsn = argv[10],
		.sockets = strtoul(argv[11], NULL, 10),
		.rate = atoi(argv[12]),
		.seconds = atoi(argv[13]),
	};
	if (!prepare(&bench))
		return EXIT_FAILURE;
	ok = run(&bench);
	finish(&bench);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
