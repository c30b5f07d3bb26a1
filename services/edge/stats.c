/*
 * The registry of metrics as a message. Nothing is named here, so that a metric that is declared
 * once shows everywhere.
 */
#include "stats.h"

#include "base/arena.h"
#include "calls.h"
#include "metrics/metrics.h"
#include "relay.h"
#include "walletwire/v1/edge.pb-c.h"

enum { NUMBERS_MAX = 1024, HISTOGRAMS_MAX = 16, ARENA_MAX = 1 << 20 };

/* A message that is filled. */
struct filling {
	struct arena *arena;
	Walletwire__V1__EdgeStats *stats;
};

/* Names and labels outlive the message; protobuf-c is not const-correct. */
static char *borrow(const char *text)
{
	return (char *)(uintptr_t)text;
}

static void add_metric(void *arg, const struct metric *metric)
{
	struct filling *filling = arg;
	Walletwire__V1__EdgeStats *stats = filling->stats;

	for (size_t i = 0; i < metric->count && stats->n_numbers < NUMBERS_MAX; i++) {
		Walletwire__V1__EdgeNumber *number = arena_alloc(filling->arena, sizeof(*number));

		walletwire__v1__edge_number__init(number);
		number->name = borrow(metric->name);
		if (metric->label)
			number->label = borrow(metric->values[i]);
		number->value = metric_get(metric, i);
		stats->numbers[stats->n_numbers++] = number;
	}
}

static void add_histogram(void *arg, const struct histogram *histogram)
{
	struct filling *filling = arg;
	Walletwire__V1__EdgeStats *stats = filling->stats;
	Walletwire__V1__EdgeHistogram *out = arena_alloc(filling->arena, sizeof(*out));

	if (stats->n_histograms == HISTOGRAMS_MAX)
		return;
	walletwire__v1__edge_histogram__init(out);
	out->name = borrow(histogram->name);
	out->buckets = arena_alloc(filling->arena, sizeof(histogram->buckets));
	for (; out->n_buckets <= HISTOGRAM_BUCKETS; out->n_buckets++)
		out->buckets[out->n_buckets] =
		    atomic_load_explicit(&histogram->buckets[out->n_buckets], memory_order_relaxed);
	out->sum_us = atomic_load_explicit(&histogram->sum_us, memory_order_relaxed);
	stats->histograms[stats->n_histograms++] = out;
}

static void answer(const struct relay_call *call, struct arena *arena)
{
	static const struct metrics_visitor visitor = { add_metric, add_histogram };
	const struct edge *edge = call->el->edge;
	Walletwire__V1__EdgeStats stats = WALLETWIRE__V1__EDGE_STATS__INIT;
	struct filling filling = { arena, &stats };

	stats.id = borrow(edge->id);
	stats.name = edge->cfg.edge_name;
	stats.version = borrow(WW_VERSION);
	stats.draining = atomic_load(&edge->draining);
	stats.numbers = arena_alloc(arena, NUMBERS_MAX * sizeof(stats.numbers[0]));
	stats.histograms = arena_alloc(arena, HISTOGRAMS_MAX * sizeof(stats.histograms[0]));
	metrics_visit(&visitor, &filling);
	(void)call_respond(call->el, bus_msg_reply(call->msg), &stats.base);
}

void stats_serve(void *arg)
{
	struct relay_call *call = arg;
	struct arena arena;

	arena_init(&arena, ARENA_MAX);
	if (bus_msg_reply(call->msg) && !call->el->closed)
		answer(call, &arena);
	arena_finish(&arena);
	relay_call_free(call);
}
