/* The metrics as tables. */
#include "stats.h"

#include "metrics/metrics.h"
#include "service/audit_relay.h"

METRIC(reports, METRIC_COUNTER, "ww_presence_reports_total", "Reports heard from edges");
METRIC(missed, METRIC_COUNTER, "ww_presence_missed_reports_total",
    "Times an edge was asked for everything, because something of it was missed");
METRIC(malformed, METRIC_COUNTER, "ww_presence_malformed_reports_total",
    "Reports that could not be read");
METRIC(changes, METRIC_COUNTER, "ww_presence_changes_total",
    "Changes of a user's status that friends were told");
METRIC(lists, METRIC_COUNTER, "ww_presence_lists_total",
    "Lists of friends told to sockets that had none");
METRIC(batches, METRIC_COUNTER, "ww_presence_batches_total", "Messages to edges");
METRIC(excess, METRIC_COUNTER, "ww_presence_excess_total",
    "Times a user had too many sockets over all edges");
METRIC(failed, METRIC_COUNTER, "ww_presence_failed_turns_total",
    "Times that edges could not be told, which is tried again");
METRIC(speaks, METRIC_GAUGE, "ww_presence_speaker",
    "1 if this replica tells the edges, 0 if it stands by");
METRIC(users, METRIC_GAUGE, "ww_presence_users",
    "Users that are online or away, or went a moment ago");
METRIC(devices, METRIC_GAUGE, "ww_presence_devices",
    "Loops of edges at which a user has sockets, over all users");

static struct metric *const counters[STATS_COUNTERS] = {
	[STATS_REPORTS] = &reports,
	[STATS_MISSED] = &missed,
	[STATS_MALFORMED] = &malformed,
	[STATS_CHANGES] = &changes,
	[STATS_LISTS] = &lists,
	[STATS_BATCHES] = &batches,
	[STATS_EXCESS] = &excess,
	[STATS_FAILED] = &failed,
};
static struct metric *const gauges[STATS_GAUGES] = {
	[STATS_SPEAKS] = &speaks,
	[STATS_USERS] = &users,
	[STATS_DEVICES] = &devices,
};

void stats_register(void)
{
	for (size_t i = 0; i < STATS_COUNTERS; i++)
		metrics_register(counters[i]);
	for (size_t i = 0; i < STATS_GAUGES; i++)
		metrics_register(gauges[i]);
	audit_relay_register();
}

void stats_count(enum stats_counter counter, int64_t n)
{
	metric_add(counters[counter], 0, n);
}

void stats_set(enum stats_gauge gauge, int64_t n)
{
	metric_set(gauges[gauge], n);
}
