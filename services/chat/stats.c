/* The metrics as tables. */
#include "stats.h"

#include "metrics/metrics.h"
#include "service/audit_relay.h"

METRIC(messages, METRIC_COUNTER, "ww_chat_messages_total", "Messages stored");
METRIC(retries, METRIC_COUNTER, "ww_chat_retries_total",
    "Sends that had been stored by an earlier try already");
METRIC(recipients, METRIC_COUNTER, "ww_chat_recipients_total",
    "Members that stored messages were for, senders included");
METRIC(typing, METRIC_COUNTER, "ww_chat_typing_hints_total", "Typing hints published");
METRIC(friends_asked, METRIC_COUNTER, "ww_chat_friends_asked_total",
    "Times ww-presence was asked who is a friend");
METRIC(rooms_refused, METRIC_COUNTER, "ww_chat_rooms_refused_total",
    "Rooms refused because their maker is in too many, or has made too many");
METRIC(upkeep_failed, METRIC_COUNTER, "ww_chat_failed_upkeep_total",
    "Times that partitions could not be made or dropped, which is tried again");
RELAY_METRICS(events, "ww_chat_outbox", "chat events");

static struct metric *const counters[STATS_COUNTERS] = {
	[STATS_MESSAGES] = &messages,
	[STATS_RETRIES] = &retries,
	[STATS_RECIPIENTS] = &recipients,
	[STATS_TYPING] = &typing,
	[STATS_FRIENDS_ASKED] = &friends_asked,
	[STATS_ROOMS_REFUSED] = &rooms_refused,
	[STATS_UPKEEP_FAILED] = &upkeep_failed,
};

void stats_register(void)
{
	for (size_t i = 0; i < STATS_COUNTERS; i++)
		metrics_register(counters[i]);
	relay_metrics_register(&events_metrics);
	audit_relay_register();
}

const struct relay_metrics *stats_events(void)
{
	return &events_metrics;
}

void stats_count(enum stats_counter counter, int64_t n)
{
	metric_add(counters[counter], 0, n);
}
