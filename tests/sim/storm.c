/*
 * Edges go, and their clients come back at the others: each by the back-off of stock clients,
 * through four stages that work in parallel and each first come, first served, with so many cores
 * and the CPU that was measured. Behind the first one an edge asks for so many clients at once and
 * the others wait there (services/edge/socket.c); a question that is older than an edge waits for
 * answers was answered for nothing, and its client comes once more.
 */
#include <stdlib.h>

#include "base/attrs.h"
#include "base/xalloc.h"
#include "measured.h"
#include "sim.h"

enum {
	TICK_MS = 10,
	TICKS = 60000, /* ten minutes */
	/* socket.io-client: 1 s, doubling up to 5 s, each half of it more or less; it waits 20 s.
	 */
	BACKOFF_MS = 1000,
	BACKOFF_MAX_MS = 5000,
	PATIENCE_MS = 20000,
	/* Of an edge: what it asks at once, and for how long. */
	OPENS_AT_ONCE = 128,
	ANSWER_MS = 5000,
};

enum { STAGES_MAX = 4 };

struct stage {
	const char *name;
	uint64_t cost_us; /* of one recovery; 0: there is none */
	uint64_t cores;
};

static const struct scenario {
	const char *what;
	uint64_t clients;
	uint64_t drain_ms; /* told to come over this time; 0: their edges were killed */
	uint64_t burst_ms; /* a bench whose clients have no back-off: all within this time */
	uint64_t edges;    /* that are left */
	struct stage stages[STAGES_MAX];
} scenarios[] = {
	{ "the bench: one edge of 18,000, two cores for everything (measured: 8.8 s)", EDGE_SOCKETS,
	    .burst_ms = 1000, .edges = 1, .stages = { { "both cores", RECOVERY_US, 2 } } },
	{ "1 of 56 edges is killed", EDGE_SOCKETS, .edges = 55,
	    .stages = { { "edges", RECOVERY_EDGE_US, 110 }, { "NATS", RECOVERY_NATS_US, 12 },
		{ "notifications", RECOVERY_SERVICE_US, 8 },
		{ "PostgreSQL", RECOVERY_POSTGRES_US, 8 } } },
	{ "a third of 56 is killed", 333000, .edges = 37,
	    .stages = { { "edges", RECOVERY_EDGE_US, 74 }, { "NATS", RECOVERY_NATS_US, 12 },
		{ "notifications", RECOVERY_SERVICE_US, 8 },
		{ "PostgreSQL", RECOVERY_POSTGRES_US, 8 } } },
	{ "a third of 556 is killed, one PostgreSQL of 16 cores", 3330000, .edges = 371,
	    .stages = { { "edges", RECOVERY_EDGE_US, 742 }, { "NATS", RECOVERY_NATS_US, 48 },
		{ "notifications", RECOVERY_SERVICE_US, 32 },
		{ "PostgreSQL", RECOVERY_POSTGRES_US, 16 } } },
	{ "the same, four PostgreSQLs of 16 cores", 3330000, .edges = 371,
	    .stages = { { "edges", RECOVERY_EDGE_US, 742 }, { "NATS", RECOVERY_NATS_US, 48 },
		{ "notifications", RECOVERY_SERVICE_US, 64 },
		{ "PostgreSQL", RECOVERY_POSTGRES_US, 64 } } },
	{ "the same third is drained over 5 min, one PostgreSQL", 3330000, .drain_ms = 300000,
	    .edges = 371,
	    .stages = { { "edges", RECOVERY_EDGE_US, 742 }, { "NATS", RECOVERY_NATS_US, 48 },
		{ "notifications", RECOVERY_SERVICE_US, 32 },
		{ "PostgreSQL", RECOVERY_POSTGRES_US, 16 } } },
	{ "a third of 5,556 is killed, one PostgreSQL of 16 cores", 33300000, .edges = 3704,
	    .stages = { { "edges", RECOVERY_EDGE_US, 7408 }, { "NATS", RECOVERY_NATS_US, 480 },
		{ "notifications", RECOVERY_SERVICE_US, 320 },
		{ "PostgreSQL", RECOVERY_POSTGRES_US, 16 } } },
	{ "the same, eight PostgreSQLs of 16 cores", 33300000, .edges = 3704,
	    .stages = { { "edges", RECOVERY_EDGE_US, 7408 }, { "NATS", RECOVERY_NATS_US, 480 },
		{ "notifications", RECOVERY_SERVICE_US, 320 },
		{ "PostgreSQL", RECOVERY_POSTGRES_US, 128 } } },
};

/* A stage's queue: how many there are of each tick and have not been served. The oldest go first.
 */
struct queue {
	uint64_t *came; /* by the tick in which they came, or behind the first stage were asked for:
			   [TICKS] */
	size_t oldest;
	uint64_t len;
	uint64_t left_us; /* of a tick's CPU, too little for one more */
	uint64_t busy_us;
};

struct storm {
	const struct scenario *scenario;
	struct sim_random random;
	uint64_t *begin; /* tries that begin in a tick */
	struct queue queues[STAGES_MAX];
	size_t stages;
	uint64_t waiting, asked; /* at edges behind the first stage; of the others */
	uint64_t back, wasted, half_ms, most_ms, last_ms;
};

static void begin_at(struct storm *storm, uint64_t ms, uint64_t n)
{
	size_t tick = ms / TICK_MS;

	storm->begin[tick < TICKS ? tick : TICKS - 1] += n;
}

static uint64_t backoff_ms(struct storm *storm, unsigned tries)
{
	uint64_t ms = BACKOFF_MS;

	for (; tries > 0 && ms < BACKOFF_MAX_MS; tries--)
		ms *= 2;
	if (ms > BACKOFF_MAX_MS)
		ms = BACKOFF_MAX_MS;
	return ms / 2 + sim_below(&storm->random, ms + 1);
}

static void storm_begin(struct storm *storm, const struct scenario *scenario)
{
	*storm = (struct storm){ .scenario = scenario, .random = { 1 } };
	storm->begin = xcalloc(TICKS, sizeof(*storm->begin));
	while (storm->stages < STAGES_MAX && scenario->stages[storm->stages].cost_us > 0)
		storm->queues[storm->stages++].came = xcalloc(TICKS, sizeof(uint64_t));
	for (uint64_t i = 0; i < scenario->clients; i++) {
		uint64_t at = scenario->burst_ms ? sim_below(&storm->random, scenario->burst_ms)
						 : backoff_ms(storm, 0);

		if (scenario->drain_ms)
			at += sim_below(&storm->random, scenario->drain_ms);
		begin_at(storm, at, 1);
	}
}

static void storm_end(struct storm *storm)
{
	free(storm->begin);
	for (size_t i = 0; i < storm->stages; i++)
		free(storm->queues[i].came);
}

static void push(struct queue *queue, size_t began, uint64_t n)
{
	if (n == 0)
		return;
	queue->came[began] += n;
	queue->len += n;
	if (began < queue->oldest)
		queue->oldest = began;
}

static void note_back(struct storm *storm, uint64_t now_ms, uint64_t n)
{
	uint64_t all = storm->scenario->clients;

	if (storm->back < all / 2 && storm->back + n >= all / 2)
		storm->half_ms = now_ms;
	if (storm->back < all * 99 / 100 && storm->back + n >= all * 99 / 100)
		storm->most_ms = now_ms;
	storm->back += n;
	storm->last_ms = now_ms;
}

static void again(struct storm *storm, size_t tick, uint64_t n)
{
	storm->wasted += n;
	for (uint64_t i = 0; i < n; i++)
		begin_at(storm, (tick + 1) * TICK_MS + backoff_ms(storm, 1), 1);
}

/* `n` that came in `began` leave a stage. */
static void leave(struct storm *storm, size_t stage, size_t began, size_t tick, uint64_t n)
{
	uint64_t waited_ms = (tick - began) * TICK_MS;

	if (stage > 0 && stage + 1 < storm->stages) {
		push(&storm->queues[stage + 1], began, n);
		return;
	}
	if (stage > 0)
		storm->asked -= n;
	if (waited_ms > (stage > 0 ? ANSWER_MS : PATIENCE_MS))
		again(storm, tick, n);
	else if (stage + 1 < storm->stages)
		storm->waiting += n;
	else
		note_back(storm, (tick + 1) * TICK_MS, n);
}

static void ask(struct storm *storm, size_t tick)
{
	uint64_t room = storm->scenario->edges * OPENS_AT_ONCE - storm->asked;
	uint64_t n = storm->waiting < room ? storm->waiting : room;

	storm->waiting -= n;
	storm->asked += n;
	push(&storm->queues[1], tick, n);
}

static void serve(struct storm *storm, size_t stage, size_t tick)
{
	const struct stage *spec = &storm->scenario->stages[stage];
	struct queue *queue = &storm->queues[stage];
	uint64_t us = queue->left_us + spec->cores * TICK_MS * 1000;
	uint64_t n = us / spec->cost_us;

	if (n > queue->len)
		n = queue->len;
	queue->busy_us += n * spec->cost_us;
	queue->left_us = n < queue->len ? us - n * spec->cost_us : 0;
	while (n > 0) {
		uint64_t some = queue->came[queue->oldest];

		if (some > n)
			some = n;
		queue->came[queue->oldest] -= some;
		queue->len -= some;
		n -= some;
		if (some > 0)
			leave(storm, stage, queue->oldest, tick, some);
		if (queue->came[queue->oldest] == 0 && queue->oldest < tick)
			queue->oldest++;
		else if (n > 0)
			break;
	}
}

static void storm_run(struct storm *storm)
{
	for (size_t tick = 0; tick < TICKS && storm->back < storm->scenario->clients; tick++) {
		push(&storm->queues[0], tick, storm->begin[tick]);
		if (storm->stages > 1)
			ask(storm, tick);
		for (size_t stage = 0; stage < storm->stages; stage++)
			serve(storm, stage, tick);
	}
}

/* The stage that is busy for the largest part of the time. */
static const char *busiest(const struct storm *storm, uint64_t *ret_percent)
{
	bool is_back = storm->back == storm->scenario->clients;
	uint64_t ms = is_back ? storm->last_ms : (uint64_t)TICKS * TICK_MS;
	const char *name = "";

	*ret_percent = 0;
	for (size_t i = 0; i < storm->stages; i++) {
		const struct stage *spec = &storm->scenario->stages[i];
		uint64_t all_us = spec->cores * ms * 1000;
		uint64_t percent = all_us ? storm->queues[i].busy_us * 100 / all_us : 0;

		if (percent >= *ret_percent) {
			*ret_percent = percent;
			name = spec->name;
		}
	}
	return name;
}

static void write_time(struct buf *out, uint64_t ms)
{
	if (ms)
		buf_appendf(out, "%.1f s | ", (double)ms / 1000);
	else
		buf_append_str(out, "not in 10 min | ");
}

void sim_storm(struct buf *out)
{
	buf_append_str(out,
	    "| what | come back | half | 99 % | last | answered for nothing | busiest |\n"
	    "| --- | --- | --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < ARRAY_LEN(scenarios); i++) {
		char clients[32], wasted[32];
		struct storm storm;
		uint64_t percent;
		const char *name;

		storm_begin(&storm, &scenarios[i]);
		storm_run(&storm);
		name = busiest(&storm, &percent);
		buf_appendf(out, "| %s | %s | ", scenarios[i].what,
		    sim_count(scenarios[i].clients, clients));
		write_time(out, storm.half_ms);
		write_time(out, storm.most_ms);
		write_time(out, storm.back == scenarios[i].clients ? storm.last_ms : 0);
		buf_appendf(
		    out, "%s | %s, %d %% |\n", sim_count(storm.wasted, wasted), name, (int)percent);
		storm_end(&storm);
	}
}
