/* The metrics as tables. */
#include "stats.h"

#include "kind.h"
#include "metrics/metrics.h"
#include "service/audit_relay.h"

static const char *const kind_labels[] = {
#define X(kind, event, class) #kind,
#include "events.def"
#undef X
};

static const char *const status_labels[] = {
#define X(name, wire, temporary, stream, level, text) wire,
#include "status.def"
#undef X
};

static const char *const cause_names[] = {
#define X(name, label, text) label,
#include "cause.def"
#undef X
};

METRIC_LABELLED(events, METRIC_COUNTER, "ww_notifications_events_total",
    "Events applied, by kind of payload", "kind", kind_labels);
METRIC(rows, METRIC_COUNTER, "ww_notifications_rows_total", "Mailbox rows written");
METRIC(duplicates, METRIC_COUNTER, "ww_notifications_duplicates_total",
    "Events that came again after they had been applied");
METRIC(stale, METRIC_COUNTER, "ww_notifications_stale_total",
    "Events whose version was not newer than the stored one");
METRIC(dlq, METRIC_COUNTER, "ww_notifications_dlq_total", "Events moved to the dead-letter stream");
METRIC(failed, METRIC_COUNTER, "ww_notifications_failed_batches_total",
    "Batches that failed and were tried again");
METRIC(rings, METRIC_COUNTER, "ww_notifications_rings_total", "Deliveries published");
METRIC(gaps, METRIC_COUNTER, "ww_notifications_gaps_total",
    "Times that a missing number of the stream was waited for in vain");
METRIC(changed, METRIC_COUNTER, "ww_notifications_changed_total",
    "Inbox items that users have moved on");
METRIC(expired, METRIC_COUNTER, "ww_notifications_expired_total",
    "Inbox items that expired while they were unread");
METRIC(recalled, METRIC_COUNTER, "ww_notifications_recalled_total", "Inbox items taken back");
METRIC(erased, METRIC_COUNTER, "ww_notifications_erased_total",
    "Mailbox items made void because their user was erased");
METRIC(balances, METRIC_COUNTER, "ww_notifications_balance_changes_total",
    "Balances the back end was asked for that were new");
METRIC(unasked, METRIC_COUNTER, "ww_notifications_refreshes_dropped_total",
    "Users whose balances were not asked for after a movement because too many were pending");
METRIC_LABELLED(asked, METRIC_COUNTER, "ww_notifications_balance_questions_total",
    "Questions to the back end about a user's balances, by how they ended; conflict: a balance"
    " changed meanwhile",
    "status", status_labels);
METRIC(questions, METRIC_GAUGE, "ww_notifications_balance_questions_pending",
    "Users whose balances are being asked for, or will be");
METRIC(batches, METRIC_COUNTER, "ww_notifications_batches_total", "Batches committed");
METRIC(applier, METRIC_GAUGE, "ww_notifications_applier",
    "1 if this replica applies events, 0 if it stands by");
METRIC(
    in_hand, METRIC_GAUGE, "ww_notifications_in_hand", "Events fetched and not yet acknowledged");
METRIC(waiting, METRIC_GAUGE, "ww_notifications_waiting",
    "Events that still waited in the stream when the last ones were fetched; told by the replica"
    " that applies");
METRIC(stream_seq, METRIC_GAUGE, "ww_notifications_stream_seq",
    "The highest number of the stream that was applied");
METRIC_LABELLED(trouble, METRIC_GAUGE, "ww_notifications_trouble",
    "1 for what keeps this replica from applying events or standing by, \"none\" for nothing",
    "cause", cause_names);
static struct histogram batch_seconds = {
	.name = "ww_notifications_batch_seconds",
	.help = "Time from the first statement of a batch to its last ring",
};

static struct metric *const counters[STATS_COUNTERS] = {
	[STATS_ROWS] = &rows,
	[STATS_DUPLICATES] = &duplicates,
	[STATS_STALE] = &stale,
	[STATS_DLQ] = &dlq,
	[STATS_FAILED] = &failed,
	[STATS_RINGS] = &rings,
	[STATS_GAPS] = &gaps,
	[STATS_CHANGED] = &changed,
	[STATS_EXPIRED] = &expired,
	[STATS_RECALLED] = &recalled,
	[STATS_ERASED] = &erased,
	[STATS_BALANCES] = &balances,
	[STATS_UNASKED] = &unasked,
};
static struct metric *const gauges[STATS_GAUGES] = {
	[STATS_APPLIER] = &applier,
	[STATS_IN_HAND] = &in_hand,
	[STATS_STREAM_SEQ] = &stream_seq,
	[STATS_WAITING] = &waiting,
	[STATS_QUESTIONS] = &questions,
};

void stats_register(void)
{
	metrics_register(&events);
	for (size_t i = 0; i < STATS_COUNTERS; i++)
		metrics_register(counters[i]);
	metrics_register(&batches);
	metrics_register(&asked);
	for (size_t i = 0; i < STATS_GAUGES; i++)
		metrics_register(gauges[i]);
	metrics_register(&trouble);
	stats_cause(CAUSE_STARTING);
	metrics_register_histogram(&batch_seconds);
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

void stats_event(int kind)
{
	metric_add(&events, (size_t)kind - 1, 1);
}

void stats_batch(int64_t us)
{
	metric_inc(&batches);
	histogram_observe(&batch_seconds, us);
}

void stats_asked(enum status outcome)
{
	metric_add(&asked, outcome, 1);
}

void stats_cause(enum cause cause)
{
	for (size_t i = 0; i < CAUSE_COUNT; i++)
		metric_set_cell(&trouble, i, i == cause);
}
