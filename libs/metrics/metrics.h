/*
 * metrics: counters, gauges and histograms, declared in tables, read by Prometheus.
 *
 * A module declares its metrics as static structs and registers them once at start. Adding to them
 * is one relaxed atomic add: any thread, no lock. A metric may have one label whose values are a
 * closed list known at compile time (a reason, a class), one counter each.
 */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };

/* One metric, or one per value of its label. `values` and `cells` have `count` entries. */
struct metric {
	const char *name; /* "ww_edge_closes_total" */
	const char *help;
	enum metric_kind kind;
	const char *label;         /* NULL: none, and count is 1 */
	const char *const *values; /* label values */
	size_t count;
	_Atomic int64_t *cells;
	struct metric *next; /* set by metrics_register() */
};

/* METRIC(edge_sockets, METRIC_GAUGE, "ww_edge_sockets", "Open sockets"); defines it, static. */
#define METRIC(id, kind_, name_, help_)                                                            \
	static _Atomic int64_t id##_cells[1];                                                      \
	static struct metric id = {                                                                \
		.name = (name_), .help = (help_), .kind = (kind_), .count = 1, .cells = id##_cells \
	}

/* The same with a label: `values_` is a static array of its values. */
#define METRIC_LABELLED(id, kind_, name_, help_, label_, values_)                  \
	static _Atomic int64_t id##_cells[sizeof(values_) / sizeof((values_)[0])]; \
	static struct metric id = { .name = (name_),                               \
		.help = (help_),                                                   \
		.kind = (kind_),                                                   \
		.label = (label_),                                                 \
		.values = (values_),                                               \
		.count = sizeof(values_) / sizeof((values_)[0]),                   \
		.cells = id##_cells }

static inline void metric_add(struct metric *metric, size_t cell, int64_t n)
{
	atomic_fetch_add_explicit(&metric->cells[cell], n, memory_order_relaxed);
}

static inline void metric_inc(struct metric *metric)
{
	metric_add(metric, 0, 1);
}

static inline void metric_set_cell(struct metric *metric, size_t cell, int64_t n)
{
	atomic_store_explicit(&metric->cells[cell], n, memory_order_relaxed);
}

static inline void metric_set(struct metric *metric, int64_t n)
{
	metric_set_cell(metric, 0, n);
}

static inline int64_t metric_get(const struct metric *metric, size_t cell)
{
	return atomic_load_explicit(&metric->cells[cell], memory_order_relaxed);
}

/*
 * A distribution of microseconds in buckets that double from 64 us: 24 buckets reach nine minutes.
 * Rendered in seconds, as Prometheus wants it.
 */
enum { HISTOGRAM_BUCKETS = 24, HISTOGRAM_FIRST_US = 64 };

struct histogram {
	const char *name; /* "ww_edge_event_latency_seconds" */
	const char *help;
	_Atomic int64_t buckets[HISTOGRAM_BUCKETS + 1]; /* the last one is +Inf */
	_Atomic int64_t sum_us;
	struct histogram *next;
};

void histogram_observe(struct histogram *histogram, int64_t us);

/*
 * The value that the share `q` (0 to 1) of what was observed does not exceed, as if it were spread
 * evenly within its bucket; 0 if nothing was observed.
 */
int64_t histogram_quantile_us(const int64_t buckets[HISTOGRAM_BUCKETS + 1], double q);

/* At start, before threads exist. Registering twice is a mistake (assert). */
void metrics_register(struct metric *metric);
void metrics_register_histogram(struct histogram *histogram);

/* Called before each rendering, to refresh gauges that are cheaper to read than to keep. */
void metrics_on_render(void (*refresh)(void *arg), void *arg);

/* What most processes tell: their memory that is not swapped out. */
int64_t metrics_resident_bytes(void);

/* Everything registered, in the order of registration. */
struct metrics_visitor {
	void (*metric)(void *arg, const struct metric *metric);
	void (*histogram)(void *arg, const struct histogram *histogram);
};
void metrics_visit(const struct metrics_visitor *visitor, void *arg);

/* Everything registered, in Prometheus text format 0.0.4. */
void metrics_render(struct buf *out);

#endif
