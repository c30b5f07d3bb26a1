/* The metrics as tables. */
#include "stats.h"

#include "metrics/metrics.h"

METRIC(records, METRIC_COUNTER, "ww_ledger_records_total", "Records added to a chain");
METRIC(duplicates, METRIC_COUNTER, "ww_ledger_duplicates_total",
    "Records that came again and were in a chain already");
METRIC(unreadable, METRIC_COUNTER, "ww_ledger_unreadable_total",
    "Pieces of messages that hold no record, kept as they are");
METRIC(gaps, METRIC_COUNTER, "ww_ledger_gaps_total",
    "Times that messages were found gone from the stream before they were read");
METRIC(lost, METRIC_COUNTER, "ww_ledger_lost_messages_total",
    "Messages that were gone, as far as it is known how many");
METRIC(heads, METRIC_COUNTER, "ww_ledger_heads_total", "Heads and anchors signed");
METRIC(heads_failed, METRIC_COUNTER, "ww_ledger_heads_failed_total",
    "Times that a head did not reach the table, the file or the stream");
METRIC(dropped, METRIC_COUNTER, "ww_ledger_dropped_partitions_total",
    "Partitions dropped because the policy keeps records no longer");
METRIC(failed, METRIC_COUNTER, "ww_ledger_failed_turns_total",
    "Turns of the writer that failed, for whatever reason; they are taken again");
METRIC(active, METRIC_GAUGE, "ww_ledger_active", "1 if this replica writes, 0 if it stands by");
METRIC(broken, METRIC_GAUGE, "ww_ledger_broken",
    "1 if the chain is not what was written, so that nothing is added to it");
METRIC(waiting, METRIC_GAUGE, "ww_ledger_waiting",
    "Messages of the stream that are not stored yet; told by the active replica");

static struct metric *const counters[] = {
	[STATS_RECORDS] = &records,
	[STATS_DUPLICATES] = &duplicates,
	[STATS_UNREADABLE] = &unreadable,
	[STATS_GAPS] = &gaps,
	[STATS_LOST] = &lost,
	[STATS_HEADS] = &heads,
	[STATS_HEADS_FAILED] = &heads_failed,
	[STATS_DROPPED] = &dropped,
	[STATS_FAILED] = &failed,
};

void stats_register(void)
{
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		metrics_register(counters[i]);
	metrics_register(&active);
	metrics_register(&broken);
	metrics_register(&waiting);
}

void stats_count(enum stats_counter counter, int64_t n)
{
	metric_add(counters[counter], 0, n);
}

void stats_active(bool is_active)
{
	metric_set(&active, is_active);
}

void stats_broken(bool is_broken)
{
	metric_set(&broken, is_broken);
}

void stats_waiting(int64_t messages)
{
	metric_set(&waiting, messages);
}
