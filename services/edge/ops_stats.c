/*
 * Two tables name every metric that is shown: numbers, which are added up, and reasons, which are
 * listed by their labels. An edge of another version may lack some and have others.
 */
#include "ops_stats.h"

#include <stddef.h>
#include <string.h>

#include "base/attrs.h"
#include "metrics/metrics.h"

typedef Walletwire__V1__OpsEdge OpsEdge;
typedef Walletwire__V1__OpsCountEntry OpsCountEntry;

enum { REASONS_MAX = 64 };

#define LATENCY "ww_edge_event_latency_seconds"

static const struct number_row {
	const char *metric, *label; /* NULL: all of its labels */
	size_t field;               /* an int64_t of OpsEdge */
} number_rows[] = {
	{ "ww_edge_uptime_seconds", NULL, offsetof(OpsEdge, uptime_s) },
	{ "process_resident_memory_bytes", NULL, offsetof(OpsEdge, resident_bytes) },
	{ "ww_edge_sockets", NULL, offsetof(OpsEdge, sockets) },
	{ "ww_edge_sockets_by_transport", "polling", offsetof(OpsEdge, polling) },
	{ "ww_edge_users", NULL, offsetof(OpsEdge, users) },
	{ "ww_edge_queue_bytes", NULL, offsetof(OpsEdge, queue_bytes) },
	{ "ww_edge_loop_lag_microseconds", NULL, offsetof(OpsEdge, loop_lag_us) },
	{ "ww_edge_events_in_total", NULL, offsetof(OpsEdge, events_in) },
	{ "ww_edge_packets_out_total", "keep", offsetof(OpsEdge, events_out) },
	{ "ww_edge_packets_out_total", "state", offsetof(OpsEdge, events_out) },
	{ "ww_edge_packets_out_total", "hint", offsetof(OpsEdge, events_out) },
	{ "ww_edge_client_bytes_total", "in", offsetof(OpsEdge, bytes_in) },
	{ "ww_edge_client_bytes_total", "out", offsetof(OpsEdge, bytes_out) },
	{ "ww_edge_connects_total", NULL, offsetof(OpsEdge, connects) },
};

/* Where a list and its length are. */
#define LIST(name) offsetof(OpsEdge, name), offsetof(OpsEdge, n_##name)

static const struct reason_row {
	const char *metric;
	const char *prefix; /* so that what is refused at three places is told apart */
	const char *bare;   /* the label that clients are told without it */
	size_t list, length;
} reason_rows[] = {
	{ "ww_edge_closes_total", "", "", LIST(closes) },
	{ "ww_edge_handshakes_refused_total", "", "", LIST(refusals) },
	{ "ww_edge_connect_refusals_total", "token_", "too_many_sockets", LIST(refusals) },
	{ "ww_edge_events_refused_total", "event_", "", LIST(refusals) },
	{ "ww_edge_recoveries_total", "", "", LIST(recoveries) },
};

static char *borrow(const char *text)
{
	return (char *)(uintptr_t)text;
}

static void *at(OpsEdge *edge, size_t offset)
{
	return (char *)edge + offset;
}

static void take_number(OpsEdge *edge, const Walletwire__V1__EdgeNumber *number)
{
	for (size_t i = 0; i < ARRAY_LEN(number_rows); i++) {
		const struct number_row *row = &number_rows[i];

		if (strcmp(row->metric, number->name) == 0 &&
		    (!row->label || strcmp(row->label, number->label) == 0))
			*(int64_t *)at(edge, row->field) += number->value;
	}
}

/* The entry of a key, a new one if need be; NULL if there are too many. */
static OpsCountEntry *entry_of(
    OpsEdge *edge, const struct reason_row *row, char *key, struct arena *arena)
{
	OpsCountEntry ***list = at(edge, row->list);
	size_t *length = at(edge, row->length);
	OpsCountEntry *entry;

	for (size_t i = 0; i < *length; i++) {
		if (strcmp((*list)[i]->key, key) == 0)
			return (*list)[i];
	}
	if (*length == REASONS_MAX)
		return NULL;
	if (!*list)
		*list = arena_alloc(arena, REASONS_MAX * sizeof(OpsCountEntry *));
	entry = arena_alloc(arena, sizeof(*entry));
	walletwire__v1__ops_count_entry__init(entry);
	entry->key = key;
	(*list)[(*length)++] = entry;
	return entry;
}

static void add_reason(OpsEdge *edge, const struct reason_row *row,
    const Walletwire__V1__EdgeNumber *number, struct arena *arena)
{
	bool is_bare = strcmp(number->label, row->bare) == 0;
	char *key = arena_printf(arena, "%s%s", is_bare ? "" : row->prefix, number->label);
	OpsCountEntry *entry = entry_of(edge, row, key, arena);

	if (entry)
		entry->value += number->value;
}

static void take_reason(
    OpsEdge *edge, const Walletwire__V1__EdgeNumber *number, struct arena *arena)
{
	for (size_t i = 0; i < ARRAY_LEN(reason_rows); i++) {
		if (number->value && strcmp(reason_rows[i].metric, number->name) == 0)
			add_reason(edge, &reason_rows[i], number, arena);
	}
}

static void take_latency(
    OpsEdge *edge, const Walletwire__V1__EdgeHistogram *told, struct arena *arena)
{
	Walletwire__V1__OpsLatency *latency = edge->latency;
	int64_t *buckets;

	if (strcmp(told->name, LATENCY) != 0 || told->n_buckets != HISTOGRAM_BUCKETS + 1)
		return;
	buckets = arena_memdup(arena, told->buckets, told->n_buckets * sizeof(*buckets));
	latency->buckets = buckets;
	latency->n_buckets = told->n_buckets;
	for (size_t i = 0; i < told->n_buckets; i++)
		latency->count += buckets[i];
	latency->sum_us = told->sum_us;
	latency->p50_us = histogram_quantile_us(buckets, 0.5);
	latency->p95_us = histogram_quantile_us(buckets, 0.95);
	latency->p99_us = histogram_quantile_us(buckets, 0.99);
}

OpsEdge *ops_edge_new(const Walletwire__V1__EdgeLease *lease, struct arena *arena)
{
	OpsEdge *edge = arena_alloc(arena, sizeof(*edge));

	walletwire__v1__ops_edge__init(edge);
	edge->id = arena_strdup(arena, lease->id);
	edge->name = arena_strdup(arena, lease->name);
	edge->version = arena_strdup(arena, lease->version);
	edge->address = arena_strdup(arena, lease->address);
	edge->state = WALLETWIRE__V1__OPS_STATE__OPS_STATE_SILENT;
	edge->sockets = (int64_t)lease->sockets;
	edge->latency = arena_alloc(arena, sizeof(*edge->latency));
	walletwire__v1__ops_latency__init(edge->latency);
	return edge;
}

void ops_edge_fill(OpsEdge *edge, const Walletwire__V1__EdgeStats *told, struct arena *arena)
{
	edge->state = told->draining ? WALLETWIRE__V1__OPS_STATE__OPS_STATE_DRAINING
				     : WALLETWIRE__V1__OPS_STATE__OPS_STATE_UP;
	edge->sockets = 0; /* counted now */
	for (size_t i = 0; i < told->n_numbers; i++) {
		take_number(edge, told->numbers[i]);
		take_reason(edge, told->numbers[i], arena);
	}
	for (size_t i = 0; i < told->n_histograms; i++)
		take_latency(edge, told->histograms[i], arena);
}

Walletwire__V1__OpsService *ops_service_new(const char *name, struct arena *arena)
{
	Walletwire__V1__OpsService *service = arena_alloc(arena, sizeof(*service));

	walletwire__v1__ops_service__init(service);
	service->name = borrow(name);
	service->state = WALLETWIRE__V1__OPS_STATE__OPS_STATE_SILENT;
	return service;
}

void ops_service_fill(Walletwire__V1__OpsService *service,
    const Walletwire__V1__ServiceStatsReply *told, struct arena *arena)
{
	if (told->error) {
		service->state = WALLETWIRE__V1__OPS_STATE__OPS_STATE_FAILING;
		return;
	}
	service->state = WALLETWIRE__V1__OPS_STATE__OPS_STATE_UP;
	service->instance = arena_strdup(arena, told->instance);
	service->uptime_s = told->uptime_s;
	service->resident_bytes = told->resident_bytes;
	service->requests = told->requests;
	service->failures = told->failures;
}
