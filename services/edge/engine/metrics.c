/* Every metric of the engine, declared in one place. */
#include "engine/metrics.h"

#include <pthread.h>

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

static const char *const class_labels[] = {
	[FRAME_CONTROL] = "control",
	[FRAME_KEEP] = "keep",
	[FRAME_STATE] = "state",
	[FRAME_HINT] = "hint",
};

static const char *const refusal_labels[] = {
	[ERROR_UNKNOWN_TRANSPORT] = "unknown_transport",
	[ERROR_UNKNOWN_SID] = "unknown_sid",
	[ERROR_BAD_METHOD] = "bad_method",
	[ERROR_BAD_REQUEST] = "bad_request",
	[ERROR_FORBIDDEN] = "forbidden",
	[ERROR_UNSUPPORTED_VERSION] = "unsupported_version",
	[ERROR_RATE_LIMITED] = "rate_limited",
	[REFUSED_FULL] = "full",
	[REFUSED_DRAINING] = "draining",
	[REFUSED_ADOPTION] = "adoption",
	[REFUSED_BODIES] = "body_memory",
	[REFUSED_BODY_SLOW] = "body_timeout",
	[REFUSED_BODY_LARGE] = "body_too_large",
	[REFUSED_BODY_MALFORMED] = "body_malformed",
};

_Static_assert(ARRAY_LEN(refusal_labels) == REFUSALS, "a label per refusal");

static const char *const transport_labels[] = { "polling", "websocket" };
static const char *const parser_labels[] = { "json", "msgpack" };

enum { HINT_FOUND_FULL, HINT_MADE_ROOM };

static const char *const hint_labels[] = {
	[HINT_FOUND_FULL] = "found_full",
	[HINT_MADE_ROOM] = "made_room",
};

METRIC(sockets, METRIC_GAUGE, "ww_edge_sockets", "Connections held now");
METRIC_LABELLED(transports, METRIC_GAUGE, "ww_edge_sockets_by_transport",
    "Connections held now, by what they are on", "transport", transport_labels);
METRIC_LABELLED(parsers, METRIC_GAUGE, "ww_edge_sockets_by_parser",
    "Connections held now that have said something, by its encoding", "parser", parser_labels);
METRIC(queue_bytes, METRIC_GAUGE, "ww_edge_queue_bytes", "Bytes that wait for clients");
METRIC(queue_packets, METRIC_GAUGE, "ww_edge_queue_packets", "Packets that wait for clients");
METRIC(lag, METRIC_GAUGE, "ww_edge_loop_lag_microseconds",
    "Longest turn of any loop within the last 15 to 30 seconds");
METRIC(requests, METRIC_GAUGE, "ww_edge_http_requests", "HTTP requests adopted and not answered");
METRIC(upgrades, METRIC_COUNTER, "ww_edge_upgrades_total",
    "Sessions that moved from polling to a WebSocket");
METRIC(upgrades_late, METRIC_COUNTER, "ww_edge_upgrades_late_total",
    "WebSockets that did not become a session's in time");
METRIC(handshakes, METRIC_COUNTER, "ww_edge_handshakes_total", "Connections adopted");
METRIC_LABELLED(handshakes_refused, METRIC_COUNTER, "ww_edge_handshakes_refused_total",
    "Requests refused before they were a session's", "reason", refusal_labels);
METRIC(heads_refused, METRIC_COUNTER, "ww_edge_heads_refused_total",
    "HTTP heads that were malformed, too large or too slow");
METRIC_LABELLED(
    closes, METRIC_COUNTER, "ww_edge_closes_total", "Connections ended", "reason", close_labels);
METRIC_LABELLED(packets_out, METRIC_COUNTER, "ww_edge_packets_out_total",
    "Packets queued for clients", "class", class_labels);
METRIC(conflated, METRIC_COUNTER, "ww_edge_states_conflated_total",
    "States replaced by a newer version while they waited");
METRIC_LABELLED(hints_dropped, METRIC_COUNTER, "ww_edge_hints_dropped_total",
    "Hints that were not sent: they found a queue full, or made room in one", "reason",
    hint_labels);
METRIC_LABELLED(refused, METRIC_COUNTER, "ww_edge_packets_refused_total",
    "Packets that did not fit into a queue, so that its socket was closed as slow", "class",
    class_labels);
METRIC(stalled, METRIC_COUNTER, "ww_edge_stalled_total",
    "Sockets closed as slow because nothing of half a queue was taken in time");

enum { BYTES_IN, BYTES_OUT };

static const char *const direction_labels[] = { [BYTES_IN] = "in", [BYTES_OUT] = "out" };

METRIC_LABELLED(client_bytes, METRIC_COUNTER, "ww_edge_client_bytes_total",
    "Bytes read from and written to the connections of clients, without the heads of requests",
    "direction", direction_labels);

enum { LAG_WINDOW_MS = 15000 };

/* A loop tells its worst turn once, but there may be several who ask. */
static struct {
	pthread_mutex_t lock; /* guards what is below */
	int64_t began_ms, worst_us, worst_before_us;
} lag_window = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int64_t windowed_lag_us(int64_t now_us)
{
	int64_t now_ms = clock_mono_ms(), age_ms, worst_us;

	(void)pthread_mutex_lock(&lag_window.lock);
	age_ms = now_ms - lag_window.began_ms;
	if (age_ms >= LAG_WINDOW_MS) {
		lag_window.worst_before_us = age_ms < 2 * LAG_WINDOW_MS ? lag_window.worst_us : 0;
		lag_window.worst_us = 0;
		lag_window.began_ms = now_ms;
	}
	if (now_us > lag_window.worst_us)
		lag_window.worst_us = now_us;
	worst_us = lag_window.worst_us > lag_window.worst_before_us ? lag_window.worst_us
								    : lag_window.worst_before_us;
	(void)pthread_mutex_unlock(&lag_window.lock);
	return worst_us;
}

static void refresh(void *arg)
{
	struct engine *engine = arg;
	int64_t worst = 0;

	metric_set(&sockets, atomic_load(&engine->sessions));
	if (engine->front)
		metric_set(&heads_refused, (int64_t)http_front_refused(engine->front));
	metric_set(&requests, atomic_load(&engine->exchanges));
	for (size_t i = 0; i < engine->loops_started; i++) {
		int64_t us = loop_lag_us(engine->loops[i].loop);

		worst = us > worst ? us : worst;
	}
	metric_set(&lag, windowed_lag_us(worst));
}

void engine_metrics_register(struct engine *engine)
{
	struct metric *const all[] = { &sockets, &transports, &parsers, &queue_bytes,
		&queue_packets, &requests, &lag, &handshakes, &handshakes_refused, &heads_refused,
		&upgrades, &upgrades_late, &closes, &packets_out, &conflated, &hints_dropped,
		&refused, &stalled, &client_bytes };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		metrics_register(all[i]);
	metrics_on_render(refresh, engine);
}

void count_handshake(void)
{
	metric_inc(&handshakes);
}

void count_handshake_refused(enum refusal refusal)
{
	metric_add(&handshakes_refused, refusal, 1);
}

void count_upgrade(void)
{
	metric_inc(&upgrades);
}

void count_upgrade_late(void)
{
	metric_inc(&upgrades_late);
}

void count_close(enum close_reason reason)
{
	metric_add(&closes, reason, 1);
}

void count_push(enum frame_class class, enum outq_result result)
{
	if (result == OUTQ_QUEUED || result == OUTQ_REPLACED)
		metric_add(&packets_out, class, 1);
	if (result == OUTQ_REPLACED)
		metric_inc(&conflated);
	else if (result == OUTQ_DROPPED)
		metric_add(&hints_dropped, HINT_FOUND_FULL, 1);
	else if (result == OUTQ_FULL)
		metric_add(&refused, class, 1);
}

void count_hints_evicted(unsigned hints)
{
	metric_add(&hints_dropped, HINT_MADE_ROOM, hints);
}

void count_stalled(void)
{
	metric_inc(&stalled);
}

void count_session(struct session *session)
{
	struct session_counted *was = &session->counted;
	struct session_counted is = { 0 };

	if (session->state != SESSION_DEAD)
		is = (struct session_counted){ .is_counted = true,
			.is_websocket = session->ws != NULL,
			.bytes = session->out.bytes,
			.packets = session->out.count };
	if (was->is_counted != is.is_counted || was->is_websocket != is.is_websocket) {
		metric_add(&transports, was->is_websocket, was->is_counted ? -1 : 0);
		metric_add(&transports, is.is_websocket, is.is_counted ? 1 : 0);
	}
	if (was->bytes != is.bytes || was->packets != is.packets) {
		metric_add(&queue_bytes, 0, (int64_t)is.bytes - (int64_t)was->bytes);
		metric_add(&queue_packets, 0, (int64_t)is.packets - (int64_t)was->packets);
	}
	*was = is;
}

void count_bytes_in(size_t bytes)
{
	metric_add(&client_bytes, BYTES_IN, (int64_t)bytes);
}

void count_bytes_out(size_t bytes)
{
	metric_add(&client_bytes, BYTES_OUT, (int64_t)bytes);
}

void count_parser(bool is_packed, int by)
{
	metric_add(&parsers, is_packed, by);
}

int close_reason_code(enum close_reason reason)
{
	return close_codes[reason];
}
