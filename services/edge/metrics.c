/* Every metric of ww-edge, declared in one place. */
#include "metrics.h"

#include "base/attrs.h"
#include "base/clock.h"
#include "metrics/metrics.h"

static const int close_codes[] = {
#define X(name, label, code, text) [CLOSE_##name] = code,
#include "close.def"
#undef X
};

_Static_assert(ARRAY_LEN(close_codes) == CLOSE_REASONS, "a code per reason");

static const char *const close_labels[] = {
#define X(name, label, code, text) [CLOSE_##name] = label,
#include "close.def"
#undef X
};

static const char *const status_labels[] = {
#define X(name, wire, temporary, stream, level, text) [STATUS_##name] = wire,
#include "status.def"
#undef X
};

static const char *const verdict_labels[TOKEN_VERDICTS] = {
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
};

static const char *const class_labels[] = {
	[FRAME_CONTROL] = "control",
	[FRAME_KEEP] = "keep",
	[FRAME_STATE] = "state",
	[FRAME_HINT] = "hint",
};

METRIC(sockets, METRIC_GAUGE, "ww_edge_sockets", "Connections held now");
METRIC(subjects, METRIC_GAUGE, "ww_edge_subjects", "Subjects this edge listens to");
METRIC(
    lag, METRIC_GAUGE, "ww_edge_loop_lag_microseconds", "Longest turn of any loop since last read");
METRIC(handshakes, METRIC_COUNTER, "ww_edge_handshakes_total", "Connections adopted");
METRIC(
    handshakes_refused, METRIC_COUNTER, "ww_edge_handshakes_refused_total", "Handshakes refused");
METRIC(connects, METRIC_COUNTER, "ww_edge_connects_total", "Sockets that joined a namespace");
METRIC_LABELLED(refusals, METRIC_COUNTER, "ww_edge_connect_refusals_total", "CONNECTs refused",
    "reason", verdict_labels);
METRIC_LABELLED(
    closes, METRIC_COUNTER, "ww_edge_closes_total", "Connections ended", "reason", close_labels);
METRIC(events_in, METRIC_COUNTER, "ww_edge_events_in_total", "Events received from clients");
METRIC_LABELLED(calls, METRIC_COUNTER, "ww_edge_calls_total", "Requests to services, by outcome",
    "status", status_labels);
METRIC_LABELLED(packets_out, METRIC_COUNTER, "ww_edge_packets_out_total",
    "Packets queued for clients", "class", class_labels);
METRIC(conflated, METRIC_COUNTER, "ww_edge_states_conflated_total",
    "States replaced by a newer version while they waited");
METRIC(
    hints_dropped, METRIC_COUNTER, "ww_edge_hints_dropped_total", "Hints that found a queue full");
METRIC(holes, METRIC_COUNTER, "ww_edge_holes_total", "Gaps found in a user's mailbox numbers");
METRIC(
    holes_late, METRIC_COUNTER, "ww_edge_holes_late_total", "Gaps the late doorbell filled itself");
METRIC(sinces, METRIC_COUNTER, "ww_edge_since_total", "Mailbox intervals fetched");
METRIC(since_items, METRIC_COUNTER, "ww_edge_since_items_total", "Items fetched that way");
METRIC(snapshots, METRIC_COUNTER, "ww_edge_snapshots_total", "State snapshots fetched after a gap");
METRIC(swept, METRIC_COUNTER, "ww_edge_swept_users_total", "Users whose head was compared");
METRIC(findings, METRIC_COUNTER, "ww_edge_sweep_findings_total", "Users found behind by the sweep");

static struct histogram latency = {
	.name = "ww_edge_event_latency_seconds",
	.help = "From commit to the socket's queue",
};

static void refresh(void *arg)
{
	struct edge *edge = arg;
	int64_t worst = 0;

	metric_set(&sockets, atomic_load(&edge->sockets));
	metric_set(&subjects, (int64_t)bus_port_stats(edge->port).subjects);
	for (size_t i = 0; i < edge->loops_len; i++) {
		int64_t us = loop_lag_us(edge->loops[i].loop);

		worst = us > worst ? us : worst;
	}
	metric_set(&lag, worst);
}

void edge_metrics_register(struct edge *edge)
{
	struct metric *const all[] = { &sockets, &subjects, &lag, &handshakes, &handshakes_refused,
		&connects, &refusals, &closes, &events_in, &calls, &packets_out, &conflated,
		&hints_dropped, &holes, &holes_late, &sinces, &since_items, &snapshots, &swept,
		&findings };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		metrics_register(all[i]);
	metrics_register_histogram(&latency);
	metrics_on_render(refresh, edge);
}

void count_handshake(void)
{
	metric_inc(&handshakes);
}

void count_handshake_refused(void)
{
	metric_inc(&handshakes_refused);
}

void count_connect(void)
{
	metric_inc(&connects);
}

void count_refusal(enum token_verdict verdict)
{
	metric_add(&refusals, verdict, 1);
}

void count_close(enum close_reason reason)
{
	metric_add(&closes, reason, 1);
}

void count_event_in(void)
{
	metric_inc(&events_in);
}

void count_call(enum status status)
{
	metric_add(&calls, status, 1);
}

void count_push(enum frame_class class, enum outq_result result)
{
	if (result == OUTQ_QUEUED || result == OUTQ_REPLACED)
		metric_add(&packets_out, class, 1);
	if (result == OUTQ_REPLACED)
		metric_inc(&conflated);
	else if (result == OUTQ_DROPPED)
		metric_inc(&hints_dropped);
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

void observe_latency(int64_t applied_us)
{
	int64_t us = clock_wall_us() - applied_us;

	histogram_observe(&latency, us > 0 ? us : 0);
}

int close_reason_code(enum close_reason reason)
{
	return close_codes[reason];
}
