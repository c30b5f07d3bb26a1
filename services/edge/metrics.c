/* Every metric of ww-edge but those of its engine, declared in one place. */
#include "metrics.h"

#include "base/attrs.h"
#include "base/clock.h"
#include "metrics/metrics.h"
#include "metrics/process.h"

static const char *const status_labels[] = {
#define X(name, wire, temporary, stream, level, text) [STATUS_##name] = wire,
#include "status.def"
#undef X
};

enum { REFUSAL_CROWDED = TOKEN_VERDICTS, REFUSALS_OF_CONNECTS };

static const char *const verdict_labels[REFUSALS_OF_CONNECTS] = {
	[TOKEN_OK] = "ok",
	[TOKEN_MISSING] = "missing",
	[TOKEN_MALFORMED] = "malformed",
	[TOKEN_EXPIRED] = "expired",
	[TOKEN_NOT_YET] = "not_yet",
	[TOKEN_SIGNATURE] = "signature",
	[TOKEN_ALGORITHM] = "algorithm",
	[TOKEN_KEY] = "key",
	[TOKEN_ISSUER] = "issuer",
	[TOKEN_AUDIENCE] = "audience",
	[TOKEN_REVOKED] = "revoked",
	[TOKEN_IN_QUERY] = "in_query",
	[TOKEN_ROLE] = "role",
	[REFUSAL_CROWDED] = "too_many_sockets",
};

static const char *const recovery_labels[RECOVERY_OUTCOMES] = {
	[RECOVERY_DONE] = "recovered",
	[RECOVERY_BAD_PID] = "bad_pid",
	[RECOVERY_EPOCH] = "epoch",
	[RECOVERY_AHEAD] = "ahead",
	[RECOVERY_TOO_MANY] = "too_many",
	[RECOVERY_TOO_OLD] = "too_old",
};

static const char *const event_limit_labels[EVENT_LIMITS] = {
	[EVENT_RATE] = "rate",
	[EVENT_STATUS] = "status",
	[EVENT_INVALID] = "invalid",
	[EVENT_CALLS] = "calls",
	[EVENT_CHANNELS] = "channels",
};

static const char *const presence_report_labels[PRESENCE_REPORTS] = {
	[PRESENCE_REPORT_WHOLE] = "whole",
	[PRESENCE_REPORT_CHANGES] = "changes",
	[PRESENCE_REPORT_HEARTBEAT] = "heartbeat",
};

static const char *const presence_batch_labels[PRESENCE_BATCH_OUTCOMES] = {
	[PRESENCE_BATCH_TAKEN] = "taken",
	[PRESENCE_BATCH_OLD] = "old",
	[PRESENCE_BATCH_MALFORMED] = "malformed",
};

static const char *const presence_shown_labels[PRESENCE_SHOWN] = {
	[PRESENCE_SHOWN_LIST] = "friends",
	[PRESENCE_SHOWN_UPDATE] = "update",
};

static const char *const static_labels[STATIC_OUTCOMES] = {
	[STATIC_SENT] = "sent",
	[STATIC_UNCHANGED] = "unchanged",
	[STATIC_NOT_FOUND] = "not_found",
	[STATIC_METHOD] = "method",
};

enum { NATS_IN, NATS_OUT };
static const char *const direction_labels[] = { [NATS_IN] = "in", [NATS_OUT] = "out" };

METRIC(uptime, METRIC_GAUGE, "ww_edge_uptime_seconds", "Time since the start");
METRIC(draining, METRIC_GAUGE, "ww_edge_draining", "1 while clients are moved away");
METRIC(users_here, METRIC_GAUGE, "ww_edge_users",
    "Users with sockets here; one with sockets on two loops counts twice");
METRIC_LABELLED(nats_msgs, METRIC_COUNTER, "ww_edge_nats_messages_total",
    "Doorbells heard, requests and answers sent", "direction", direction_labels);
METRIC_LABELLED(nats_bytes, METRIC_COUNTER, "ww_edge_nats_bytes_total", "Their bytes", "direction",
    direction_labels);
METRIC(nats_reconnects, METRIC_COUNTER, "ww_edge_nats_reconnects_total",
    "Times the connection to NATS was another one");
METRIC(nats_slow, METRIC_COUNTER, "ww_edge_nats_slow_reports_total",
    "Times NATS dropped messages for this edge");
METRIC(nats_strays, METRIC_COUNTER, "ww_edge_nats_strays_total",
    "Messages dropped because they were delivered on another subject than their own");
METRIC(nats_queue, METRIC_GAUGE, "ww_edge_nats_queue", "Messages that wait to be sent to NATS");
METRIC(subjects, METRIC_GAUGE, "ww_edge_subjects", "Subjects this edge listens to");
static const char *const trail_labels[] = {
	[TRAIL_NOT_STORED] = "not_stored", [TRAIL_TOO_MANY] = "too_many"
};
METRIC_LABELLED(trail_lost, METRIC_COUNTER, "ww_edge_audit_lost_total",
    "Connects, refusals and denials that are not in the audit record", "reason", trail_labels);
METRIC(connects, METRIC_COUNTER, "ww_edge_connects_total", "Sockets that joined a namespace");
METRIC_LABELLED(refusals, METRIC_COUNTER, "ww_edge_connect_refusals_total", "CONNECTs refused",
    "reason", verdict_labels);
METRIC_LABELLED(recoveries, METRIC_COUNTER, "ww_edge_recoveries_total",
    "CONNECTs that brought a pid, by outcome", "outcome", recovery_labels);
METRIC(room_views, METRIC_GAUGE, "ww_edge_room_views", "Chat rooms that sockets have open");
METRIC(events_in, METRIC_COUNTER, "ww_edge_events_in_total", "Events received from clients");
METRIC_LABELLED(events_refused, METRIC_COUNTER, "ww_edge_events_refused_total",
    "Events over a limit", "reason", event_limit_labels);
METRIC(tracks_given_up, METRIC_COUNTER, "ww_edge_tracks_given_up_total",
    "Transfers no longer tracked because they did not appear, or not for this user");
METRIC_LABELLED(calls, METRIC_COUNTER, "ww_edge_calls_total", "Requests to services, by outcome",
    "status", status_labels);
METRIC_LABELLED(relays, METRIC_COUNTER, "ww_edge_relays_total",
    "Requests for sessions of other edges, by outcome", "status", status_labels);
METRIC(relayed, METRIC_COUNTER, "ww_edge_relayed_total", "Requests that came through other edges");
METRIC(holes, METRIC_COUNTER, "ww_edge_holes_total", "Gaps found in a user's mailbox numbers");
METRIC(
    holes_late, METRIC_COUNTER, "ww_edge_holes_late_total", "Gaps the late doorbell filled itself");
METRIC(sinces, METRIC_COUNTER, "ww_edge_since_total", "Mailbox intervals fetched");
METRIC(since_items, METRIC_COUNTER, "ww_edge_since_items_total", "Items fetched that way");
METRIC(snapshots, METRIC_COUNTER, "ww_edge_snapshots_total", "State snapshots fetched after a gap");
METRIC(swept, METRIC_COUNTER, "ww_edge_swept_users_total", "Users whose head was compared");
METRIC(findings, METRIC_COUNTER, "ww_edge_sweep_findings_total", "Users found behind by the sweep");

METRIC_LABELLED(presence_reports, METRIC_COUNTER, "ww_edge_presence_reports_total",
    "What loops told of their sockets", "kind", presence_report_labels);
METRIC_LABELLED(presence_batches, METRIC_COUNTER, "ww_edge_presence_batches_total",
    "What loops were told of friends; each loop counts for itself", "outcome",
    presence_batch_labels);
METRIC(presence_gaps, METRIC_COUNTER, "ww_edge_presence_gaps_total",
    "Times a loop had missed a batch, or heard none, and asked for all friends again");
METRIC_LABELLED(presence_shown, METRIC_COUNTER, "ww_edge_presence_shown_total",
    "Events of presence that sockets were shown", "event", presence_shown_labels);
METRIC(presence_behind, METRIC_COUNTER, "ww_edge_presence_behind_total",
    "Times a socket took updates too slowly and is shown a list instead");
METRIC(presence_excess, METRIC_COUNTER, "ww_edge_presence_excess_total",
    "Sockets closed because their user has too many over all edges");

METRIC_LABELLED(static_requests, METRIC_COUNTER, "ww_edge_static_requests_total",
    "Requests for files and for paths that nothing has, while files are served", "outcome",
    static_labels);

static struct histogram latency = {
	.name = "ww_edge_event_latency_seconds",
	.help = "From commit to the socket's queue",
};

static int64_t started_ms;

static void refresh(void *arg)
{
	struct edge *edge = arg;
	struct bus_stats nats = bus_port_stats(edge->port);

	metric_set(&uptime, (clock_mono_ms() - started_ms) / 1000);
	metric_set(&draining, atomic_load(&edge->draining));
	metric_set(&subjects, (int64_t)nats.subjects);
	metric_set_cell(&nats_msgs, NATS_IN, (int64_t)nats.msgs_in);
	metric_set_cell(&nats_msgs, NATS_OUT, (int64_t)nats.msgs_out);
	metric_set_cell(&nats_bytes, NATS_IN, (int64_t)nats.bytes_in);
	metric_set_cell(&nats_bytes, NATS_OUT, (int64_t)nats.bytes_out);
	metric_set(&nats_reconnects, (int64_t)nats.reconnects);
	metric_set(&nats_slow, (int64_t)nats.slow_reports);
	metric_set(&nats_strays, (int64_t)nats.strays);
	metric_set(&nats_queue, (int64_t)nats.queue);
}

static const char *not_ready(void *edge)
{
	return edge_not_ready(edge);
}

void edge_metrics_register(struct edge *edge)
{
	struct metric *const all[] = { &uptime, &draining, &users_here, &subjects, &room_views,
		&trail_lost, &connects, &refusals, &recoveries, &events_in, &events_refused,
		&tracks_given_up, &calls, &relays, &relayed, &holes, &holes_late, &sinces,
		&since_items, &snapshots, &swept, &findings, &nats_msgs, &nats_bytes,
		&nats_reconnects, &nats_slow, &nats_strays, &nats_queue, &presence_reports,
		&presence_batches, &presence_gaps, &presence_shown, &presence_behind,
		&presence_excess, &static_requests };

	started_ms = clock_mono_ms();
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		metrics_register(all[i]);
	metrics_register_histogram(&latency);
	metrics_on_render(refresh, edge);
	metrics_register_process(not_ready, edge);
}

void count_trail_lost(enum trail_loss why, size_t records)
{
	metric_add(&trail_lost, why, (int64_t)records);
}

void count_connect(void)
{
	metric_inc(&connects);
}

void count_refusal(enum token_verdict verdict)
{
	metric_add(&refusals, verdict, 1);
}

void count_refusal_crowded(void)
{
	metric_add(&refusals, REFUSAL_CROWDED, 1);
}

void count_recovery(enum recovery outcome)
{
	metric_add(&recoveries, outcome, 1);
}

void count_users(int by)
{
	metric_add(&users_here, 0, by);
}

void count_views(int by)
{
	metric_add(&room_views, 0, by);
}

void count_event_in(void)
{
	metric_inc(&events_in);
}

void count_event_refused(enum event_limit limit)
{
	metric_add(&events_refused, limit, 1);
}

void count_track_given_up(void)
{
	metric_inc(&tracks_given_up);
}

void count_call(enum status status)
{
	metric_add(&calls, status, 1);
}

void count_relay(enum status status)
{
	metric_add(&relays, status, 1);
}

void count_relayed(void)
{
	metric_inc(&relayed);
}

void count_hole(void)
{
	metric_inc(&holes);
}

void count_hole_filled(void)
{
	metric_inc(&holes_late);
}

void count_since(size_t items)
{
	metric_inc(&sinces);
	metric_add(&since_items, 0, (int64_t)items);
}

void count_snapshot(void)
{
	metric_inc(&snapshots);
}

void count_sweep(size_t users)
{
	metric_add(&swept, 0, (int64_t)users);
}

void count_sweep_finding(void)
{
	metric_inc(&findings);
}

void count_presence_report(enum presence_report kind)
{
	metric_add(&presence_reports, kind, 1);
}

void count_presence_batch(enum presence_batch_outcome outcome)
{
	metric_add(&presence_batches, outcome, 1);
}

void count_presence_gap(void)
{
	metric_inc(&presence_gaps);
}

void count_presence_shown(enum presence_shown what)
{
	metric_add(&presence_shown, what, 1);
}

void count_presence_behind(void)
{
	metric_inc(&presence_behind);
}

void count_presence_excess(void)
{
	metric_inc(&presence_excess);
}

void count_static(enum static_outcome outcome)
{
	metric_add(&static_requests, outcome, 1);
}

void observe_latency(int64_t applied_us)
{
	int64_t us = clock_wall_us() - applied_us;

	histogram_observe(&latency, us > 0 ? us : 0);
}
