/*
 * edge_stats: what edges count, asked of all of them at once.
 *
 * An edge that has a lease and does not answer in time is missing: it is listed without numbers,
 * and nobody waits longer for it.
 */
#ifndef CLI_EDGE_STATS_H
#define CLI_EDGE_STATS_H

#include "fleet.h"
#include "metrics/metrics.h"

struct edge_stats {
	char *id, *name;
	Walletwire__V1__EdgeStats *told; /* NULL: it is missing */
};

struct edge_stats_list {
	struct edge_stats *edges; /* in the order of their ids */
	size_t len;
	int64_t at_ms; /* when it was asked, on clock_mono_ms() */
};

/* Every edge that has a lease, or the one that `id_or_name` names unless it is NULL. */
enum status edge_stats_ask(struct bus *bus, int timeout_ms, const char *id_or_name,
    struct edge_stats_list *ret_list, struct err *err) MUST_CHECK;
void edge_stats_finish(struct edge_stats_list *list);

const struct edge_stats *edge_stats_find(const struct edge_stats_list *list, const char *id);
size_t edge_stats_missing(const struct edge_stats_list *list);

/* "up", "draining" or "missing" */
const char *edge_stats_state(const struct edge_stats *edge);

/* Sum over the labels of a metric, or the cell of one; 0 for a metric the edge does not have. */
int64_t edge_stats_number(
    const struct edge_stats *edge, const char *metric, const char *label_or_null);

/* Adds `sign` times the buckets of a histogram. */
void edge_stats_add_buckets(const struct edge_stats *edge, const char *metric, int sign,
    int64_t buckets[static HISTOGRAM_BUCKETS + 1]);

#endif
