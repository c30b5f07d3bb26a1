/* The metrics as tables. */
#include "stats.h"

RELAY_METRICS(relay, "ww_outbox", "events");
METRIC(set_aside, METRIC_COUNTER, "ww_outbox_set_aside_total",
    "Rows moved to the table dead because they can't be published");
METRIC(dead, METRIC_GAUGE, "ww_outbox_dead",
    "Rows in the table dead, 100000 at most; told by the active replica");

void stats_register(void)
{
	relay_metrics_register(&relay_metrics);
	metrics_register(&set_aside);
	metrics_register(&dead);
}

const struct relay_metrics *stats_relay(void)
{
	return &relay_metrics;
}

void stats_set_aside(int64_t n)
{
	metric_add(&set_aside, 0, n);
}

void stats_dead(int64_t n)
{
	metric_set(&dead, n);
}
