/* The metrics as tables. */
#include "stats.h"

#include "metrics/metrics.h"

METRIC(published, METRIC_COUNTER, "ww_outbox_published_total", "Events stored by the stream");
METRIC(duplicates, METRIC_COUNTER, "ww_outbox_duplicates_total",
    "Events that were stored by an earlier try already");
METRIC(failed, METRIC_COUNTER, "ww_outbox_failed_total", "Tries to publish that failed");
METRIC(set_aside, METRIC_COUNTER, "ww_outbox_set_aside_total",
    "Rows moved to the table dead because they can't be published");
METRIC(active, METRIC_GAUGE, "ww_outbox_active", "1 if this replica publishes, 0 if it stands by");
METRIC(waiting, METRIC_GAUGE, "ww_outbox_waiting",
    "Rows in the outbox, 100000 at most; told by the active replica");
METRIC(oldest, METRIC_GAUGE, "ww_outbox_oldest_seconds",
    "Age of the oldest row in the outbox; told by the active replica");
METRIC(dead, METRIC_GAUGE, "ww_outbox_dead",
    "Rows in the table dead, 100000 at most; told by the active replica");

static struct metric *const counters[STATS_COUNTERS] = {
	[STATS_PUBLISHED] = &published,
	[STATS_DUPLICATES] = &duplicates,
	[STATS_FAILED] = &failed,
	[STATS_SET_ASIDE] = &set_aside,
};
static struct metric *const gauges[STATS_GAUGES] = {
	[STATS_ACTIVE] = &active,
	[STATS_WAITING] = &waiting,
	[STATS_OLDEST_SECONDS] = &oldest,
	[STATS_DEAD] = &dead,
};

void stats_register(void)
{
	for (int i = 0; i < STATS_COUNTERS; i++)
		metrics_register(counters[i]);
	for (int i = 0; i < STATS_GAUGES; i++)
		metrics_register(gauges[i]);
}

void stats_count(enum stats_counter counter, int64_t n)
{
	metric_add(counters[counter], 0, n);
}

void stats_set(enum stats_gauge gauge, int64_t n)
{
	metric_set(gauges[gauge], n);
}
