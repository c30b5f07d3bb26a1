/* What operators are shown of what edges and services tell. */
#include <stdio.h>
#include <string.h>

#include "base/attrs.h"
#include "codec/reflect.h"
#include "metrics/metrics.h"
#include "ops_stats.h"
#include "support/support.h"

enum { ARENA_MAX = 1 << 20, NUMBERS_MAX = 100 };

static struct arena arena;
static Walletwire__V1__EdgeLease lease;
static Walletwire__V1__EdgeStats told;
static Walletwire__V1__EdgeNumber *numbers[NUMBERS_MAX];

static void setup(void)
{
	static char id[] = "e-1", name[] = "e", version[] = "9", address[] = "0.0.0.0:3000";

	arena_init(&arena, ARENA_MAX);
	walletwire__v1__edge_lease__init(&lease);
	lease.id = id;
	lease.name = name;
	lease.version = version;
	lease.address = address;
	lease.sockets = 5;
	walletwire__v1__edge_stats__init(&told);
	told.numbers = numbers;
}

static void teardown(void)
{
	arena_finish(&arena);
}

static void tell(const char *name, const char *label, int64_t value)
{
	Walletwire__V1__EdgeNumber *number = arena_alloc(&arena, sizeof(*number));

	ck_assert_uint_lt(told.n_numbers, NUMBERS_MAX);
	walletwire__v1__edge_number__init(number);
	number->name = arena_strdup(&arena, name);
	number->label = arena_strdup(&arena, label);
	number->value = value;
	numbers[told.n_numbers++] = number;
}

static Walletwire__V1__OpsEdge *filled(void)
{
	Walletwire__V1__OpsEdge *edge = ops_edge_new(&lease, &arena);

	ops_edge_fill(edge, &told, &arena);
	return edge;
}

static bool has(const Walletwire__V1__OpsEdge *edge, const char *json)
{
	struct buf out = BUF_INIT;
	bool found;

	reflect_append_json(&out, &edge->base);
	found = strstr(buf_str(&out), json) != NULL;
	if (!found)
		(void)fprintf(stderr, "%s\n", buf_str(&out));
	buf_finish(&out);
	return found;
}

START_TEST(an_edge_that_does_not_answer_is_what_its_lease_says)
{
	const Walletwire__V1__OpsEdge *edge = ops_edge_new(&lease, &arena);

	ck_assert(has(edge, "{\"id\":\"e-1\",\"name\":\"e\",\"version\":\"9\",\"address\":"
			    "\"0.0.0.0:3000\",\"state\":\"silent\",\"uptimeS\":0,"
			    "\"residentBytes\":0,\"sockets\":5,"));
	ck_assert(has(edge, "\"closes\":{},\"refusals\":{},\"recoveries\":{},\"latency\":{"
			    "\"count\":0,"));
}
END_TEST

START_TEST(numbers_are_added_up_over_the_labels_that_are_meant)
{
	tell("ww_edge_sockets", "", 7);
	tell("ww_edge_sockets_by_transport", "polling", 3);
	tell("ww_edge_sockets_by_transport", "websocket", 4);
	tell("ww_edge_packets_out_total", "control", 1000);
	tell("ww_edge_packets_out_total", "keep", 1);
	tell("ww_edge_packets_out_total", "state", 20);
	tell("ww_edge_packets_out_total", "hint", 300);
	tell("ww_edge_client_bytes_total", "in", 8);
	tell("ww_edge_client_bytes_total", "out", 9);
	tell("ww_edge_of_another_version", "x", 6);
	ck_assert(has(filled(), "\"state\":\"up\""));
	ck_assert(has(filled(), "\"sockets\":7,\"polling\":3,"));
	ck_assert(has(filled(), "\"eventsOut\":321,\"bytesIn\":8,\"bytesOut\":9,"));
	told.draining = true;
	ck_assert(has(filled(), "\"state\":\"draining\""));
}
END_TEST

START_TEST(reasons_are_those_that_have_happened_by_where_they_did)
{
	tell("ww_edge_closes_total", "client", 2);
	tell("ww_edge_closes_total", "drain", 0);
	tell("ww_edge_handshakes_refused_total", "rate_limited", 1);
	tell("ww_edge_connect_refusals_total", "expired", 3);
	tell("ww_edge_connect_refusals_total", "too_many_sockets", 4);
	tell("ww_edge_events_refused_total", "rate", 5);
	tell("ww_edge_recoveries_total", "too_many", 6);
	ck_assert(has(filled(), "\"closes\":{\"client\":2},\"refusals\":{\"rate_limited\":1,"
				"\"token_expired\":3,\"too_many_sockets\":4,\"event_rate\":5},"
				"\"recoveries\":{\"too_many\":6}"));
}
END_TEST

START_TEST(more_reasons_than_there_are_do_no_harm)
{
	char label[24];

	for (int i = 0; i < NUMBERS_MAX; i++) {
		(void)snprintf(label, sizeof(label), "reason_%d", i);
		tell("ww_edge_closes_total", label, 1);
	}
	ck_assert_uint_eq(filled()->n_closes, 64);
}
END_TEST

/* It is a map, in which a key that stands twice is no JSON that everybody reads. */
START_TEST(a_reason_that_is_told_twice_stands_once)
{
	tell("ww_edge_closes_total", "client", 1);
	tell("ww_edge_closes_total", "client", 2);
	ck_assert(has(filled(), "\"closes\":{\"client\":3}"));
}
END_TEST

static void tell_latency(const char *name, size_t n_buckets)
{
	static int64_t buckets[2 * HISTOGRAM_BUCKETS];
	static Walletwire__V1__EdgeHistogram histogram, *histograms[] = { &histogram };

	memset(buckets, 0, sizeof(buckets));
	buckets[0] = 90;                /* up to 64 us */
	buckets[HISTOGRAM_BUCKETS] = 1; /* beyond all bounds */
	buckets[4] = 9;                 /* up to 1,024 us */
	walletwire__v1__edge_histogram__init(&histogram);
	histogram.name = (char *)(uintptr_t)name;
	histogram.buckets = buckets;
	histogram.n_buckets = n_buckets;
	histogram.sum_us = 1234;
	told.histograms = histograms;
	told.n_histograms = 1;
}

START_TEST(latency_is_told_whole)
{
	const Walletwire__V1__OpsLatency *latency;

	tell_latency("ww_edge_event_latency_seconds", HISTOGRAM_BUCKETS + 1);
	latency = filled()->latency;
	ck_assert_int_eq(latency->count, 100);
	ck_assert_int_eq(latency->sum_us, 1234);
	ck_assert_uint_eq(latency->n_buckets, HISTOGRAM_BUCKETS + 1);
	ck_assert_int_eq(latency->buckets[4], 9);
	ck_assert(latency->p50_us > 0 && latency->p50_us <= 64);
	ck_assert(latency->p95_us > 512 && latency->p95_us <= 1024);
	ck_assert_int_ge(latency->p99_us, latency->p95_us);
}
END_TEST

START_TEST(what_is_no_latency_of_ours_is_left_out)
{
	tell_latency("ww_edge_another", HISTOGRAM_BUCKETS + 1);
	ck_assert_int_eq(filled()->latency->count, 0);
	tell_latency("ww_edge_event_latency_seconds", HISTOGRAM_BUCKETS + 2);
	ck_assert_int_eq(filled()->latency->count, 0);
}
END_TEST

START_TEST(a_service_is_up_failing_or_silent)
{
	Walletwire__V1__OpsService *service = ops_service_new("chat", &arena);
	Walletwire__V1__ServiceStatsReply reply = WALLETWIRE__V1__SERVICE_STATS_REPLY__INIT;
	Walletwire__V1__Error error = WALLETWIRE__V1__ERROR__INIT;

	ck_assert_int_eq(service->state, WALLETWIRE__V1__OPS_STATE__OPS_STATE_SILENT);
	reply.error = &error;
	ops_service_fill(service, &reply, &arena);
	ck_assert_int_eq(service->state, WALLETWIRE__V1__OPS_STATE__OPS_STATE_FAILING);
	reply.error = NULL;
	reply.instance = (char[]){ "c1" };
	reply.requests = 3;
	ops_service_fill(service, &reply, &arena);
	ck_assert_int_eq(service->state, WALLETWIRE__V1__OPS_STATE__OPS_STATE_UP);
	ck_assert_str_eq(service->instance, "c1");
	ck_assert_int_eq(service->requests, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ops_stats");
	TCase *tc = tcase_create("ops_stats");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_edge_that_does_not_answer_is_what_its_lease_says);
	tcase_add_test(tc, numbers_are_added_up_over_the_labels_that_are_meant);
	tcase_add_test(tc, reasons_are_those_that_have_happened_by_where_they_did);
	tcase_add_test(tc, more_reasons_than_there_are_do_no_harm);
	tcase_add_test(tc, a_reason_that_is_told_twice_stands_once);
	tcase_add_test(tc, latency_is_told_whole);
	tcase_add_test(tc, what_is_no_latency_of_ours_is_left_out);
	tcase_add_test(tc, a_service_is_up_failing_or_silent);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
