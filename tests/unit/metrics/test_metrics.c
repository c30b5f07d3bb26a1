/* What Prometheus reads. Each test runs in its own process, so each registers what it needs. */
#include <check.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/metrics.h"
#include "metrics/process.h"
#include "support/support.h"

static const char *const reasons[] = { "slow", "a \"b\" \\ c\nd", "gone" };

METRIC(sockets, METRIC_GAUGE, "ww_test_sockets", "Open sockets");
METRIC(events, METRIC_COUNTER, "ww_test_events_total", "Events \"so far\"\nwith \\ and break");
METRIC_LABELLED(
    closes, METRIC_COUNTER, "ww_test_closes_total", "Closes by reason", "reason", reasons);
static struct histogram latency = { .name = "ww_test_latency_seconds", .help = "Latency" };

static struct buf text;

static const char *render(void)
{
	buf_finish(&text);
	metrics_render(&text);
	return buf_str(&text);
}

static void drop_text(void)
{
	buf_finish(&text);
}

/* The number that follows `sample` and a space at the start of a line. */
static int64_t value_of(const char *sample)
{
	const char *at = buf_str(&text);
	size_t len = strlen(sample);

	while (strncmp(at, sample, len) != 0 || at[len] != ' ') {
		at = strchr(at, '\n');
		ck_assert_msg(at && *++at, "%s is missing in:\n%s", sample, buf_str(&text));
	}
	return strtoll(at + len, NULL, 10);
}

START_TEST(nothing_registered_renders_nothing)
{
	metrics_render(&text);
	ck_assert_uint_eq(text.len, 0);
}
END_TEST

START_TEST(metrics_render_in_order_with_help_and_type)
{
	metrics_register(&sockets);
	metrics_register(&events);
	metrics_register(&closes);
	metric_set(&sockets, -3);
	metric_inc(&events);
	metric_add(&events, 0, 41);
	metric_add(&closes, 2, 7);
	ck_assert_int_eq(metric_get(&closes, 2), 7);
	ck_assert_str_eq(render(),
	    "# HELP ww_test_sockets Open sockets\n"
	    "# TYPE ww_test_sockets gauge\n"
	    "ww_test_sockets -3\n"
	    "# HELP ww_test_events_total Events \"so far\"\\nwith \\\\ and break\n"
	    "# TYPE ww_test_events_total counter\n"
	    "ww_test_events_total 42\n"
	    "# HELP ww_test_closes_total Closes by reason\n"
	    "# TYPE ww_test_closes_total counter\n"
	    "ww_test_closes_total{reason=\"slow\"} 0\n"
	    "ww_test_closes_total{reason=\"a \\\"b\\\" \\\\ c\\nd\"} 0\n"
	    "ww_test_closes_total{reason=\"gone\"} 7\n");
}
END_TEST

static const struct bucket_row {
	int64_t us;
	const char *first;  /* the first bucket that counts it */
	const char *before; /* the one before, which does not; NULL: none */
} bucket_rows[] = {
	{ -5, "0.000064", NULL },
	{ 0, "0.000064", NULL },
	{ 64, "0.000064", NULL },
	{ 65, "0.000128", "0.000064" },
	{ 128, "0.000128", "0.000064" },
	{ 1000000, "1.048576", "0.524288" },
	{ 536870912, "536.870912", "268.435456" },
	{ 536870913, "+Inf", "536.870912" },
	{ INT64_MAX / 2, "+Inf", "536.870912" },
};

START_TEST(observation_counts_from_its_bucket_upwards)
{
	const struct bucket_row *row = &bucket_rows[_i];
	char sample[100];

	metrics_register_histogram(&latency);
	histogram_observe(&latency, row->us);
	(void)render();
	(void)snprintf(
	    sample, sizeof(sample), "ww_test_latency_seconds_bucket{le=\"%s\"}", row->first);
	ck_assert_int_eq(value_of(sample), 1);
	if (row->before) {
		(void)snprintf(sample, sizeof(sample), "ww_test_latency_seconds_bucket{le=\"%s\"}",
		    row->before);
		ck_assert_int_eq(value_of(sample), 0);
	}
	ck_assert_int_eq(value_of("ww_test_latency_seconds_bucket{le=\"+Inf\"}"), 1);
	ck_assert_int_eq(value_of("ww_test_latency_seconds_count"), 1);
}
END_TEST

START_TEST(histogram_has_cumulative_buckets_sum_and_count)
{
	int buckets = 0;

	metrics_register_histogram(&latency);
	histogram_observe(&latency, 50);
	histogram_observe(&latency, 100);
	histogram_observe(&latency, 2500000);
	ck_assert_ptr_nonnull(strstr(render(), "# TYPE ww_test_latency_seconds histogram\n"));
	ck_assert_int_eq(value_of("ww_test_latency_seconds_bucket{le=\"0.000064\"}"), 1);
	ck_assert_int_eq(value_of("ww_test_latency_seconds_bucket{le=\"0.000128\"}"), 2);
	ck_assert_int_eq(value_of("ww_test_latency_seconds_bucket{le=\"2.097152\"}"), 2);
	ck_assert_int_eq(value_of("ww_test_latency_seconds_bucket{le=\"4.194304\"}"), 3);
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "\nww_test_latency_seconds_sum 2.500150\n"));
	ck_assert_int_eq(value_of("ww_test_latency_seconds_count"), 3);
	for (const char *at = buf_str(&text); (at = strstr(at, "_bucket{")); at++)
		buckets++;
	ck_assert_int_eq(buckets, HISTOGRAM_BUCKETS + 1);
}
END_TEST

static void set_gauge(void *arg)
{
	metric_set(&sockets, *(int *)arg);
}

START_TEST(gauges_are_refreshed_before_each_rendering)
{
	int now = 5;

	metrics_register(&sockets);
	metrics_on_render(set_gauge, &now);
	(void)render();
	ck_assert_int_eq(value_of("ww_test_sockets"), 5);
	now = 6;
	(void)render();
	ck_assert_int_eq(value_of("ww_test_sockets"), 6);
}
END_TEST

START_TEST(registering_twice_aborts)
{
	metrics_register(&sockets);
	metrics_register(&sockets);
}
END_TEST

enum { THREADS = 4, ROUNDS = 20000, ALL_ROUNDS = THREADS * ROUNDS };

static void *count_many(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		metric_inc(&events);
		metric_add(&closes, 1, 2);
		metric_set(&sockets, i);
		histogram_observe(&latency, i);
	}
	return arg;
}

START_TEST(no_add_is_lost_between_threads)
{
	pthread_t threads[THREADS];

	metrics_register(&sockets);
	metrics_register(&events);
	metrics_register(&closes);
	metrics_register_histogram(&latency);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, count_many, NULL), 0);
	for (int i = 0; i < 20; i++) {
		(void)render();
		ck_assert_int_eq(value_of("ww_test_latency_seconds_count"),
		    value_of("ww_test_latency_seconds_bucket{le=\"+Inf\"}"));
	}
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	(void)render();
	ck_assert_int_eq(value_of("ww_test_events_total"), ALL_ROUNDS);
	ck_assert_int_eq(metric_get(&closes, 1), INT64_C(2) * ALL_ROUNDS);
	ck_assert_int_eq(value_of("ww_test_latency_seconds_count"), ALL_ROUNDS);
	ck_assert_int_eq(atomic_load(&latency.sum_us), (int64_t)ALL_ROUNDS * (ROUNDS - 1) / 2);
}
END_TEST

START_TEST(a_quantile_lies_in_the_bucket_that_reaches_it)
{
	int64_t buckets[HISTOGRAM_BUCKETS + 1] = { 0 };

	ck_assert_int_eq(histogram_quantile_us(buckets, 0.5), 0);
	buckets[0] = 50; /* up to 64 us */
	buckets[3] = 49; /* 256 to 512 us */
	ck_assert_int_eq(histogram_quantile_us(buckets, 0.25), 31);
	ck_assert_int_gt(histogram_quantile_us(buckets, 0.99), 500);
	ck_assert_int_le(histogram_quantile_us(buckets, 0.99), 512);
	buckets[HISTOGRAM_BUCKETS] = 1; /* beyond the last bound: that bound is all that is known */
	ck_assert_int_eq(histogram_quantile_us(buckets, 1),
	    (int64_t)HISTOGRAM_FIRST_US << (HISTOGRAM_BUCKETS - 1));
}
END_TEST

static void count_metric(void *arg, const struct metric *metric)
{
	*(int64_t *)arg += metric_get(metric, 0);
}

static void count_histogram(void *arg, const struct histogram *histogram)
{
	*(int64_t *)arg += atomic_load(&histogram->sum_us);
}

START_TEST(a_visitor_sees_everything_refreshed)
{
	static const struct metrics_visitor visitor = { count_metric, count_histogram };
	int64_t sum = 0;
	int now = 1000;

	metrics_register(&sockets);
	metrics_register(&events);
	metrics_register_histogram(&latency);
	metrics_on_render(set_gauge, &now);
	metric_set(&events, 10);
	histogram_observe(&latency, 100);
	metrics_visit(&visitor, &sum);
	ck_assert_int_eq(sum, 1110);
}
END_TEST

static const char *why_not_ready(void *arg)
{
	return *(const char **)arg;
}

START_TEST(a_process_tells_whether_it_is_ready_and_what_it_has_of_the_machine)
{
	const char *why = "starting";

	metrics_register_process(why_not_ready, &why);
	metrics_render(&text);
	ck_assert_int_eq(value_of("ww_ready"), 0);
	ck_assert_int_eq(value_of("process_resident_memory_bytes") % 4096, 0);
	ck_assert_int_gt(value_of("process_resident_memory_bytes"), 4096);
	ck_assert_int_gt(value_of("process_max_fds"), 0);
	ck_assert_int_gt(value_of("process_start_time_seconds"), 1700000000);
	why = NULL;
	buf_finish(&text);
	metrics_render(&text);
	ck_assert_int_eq(value_of("ww_ready"), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tcase = tcase_create("rendering");

	tcase_add_checked_fixture(tcase, NULL, drop_text);
	tcase_add_test(tcase, nothing_registered_renders_nothing);
	tcase_add_test(tcase, metrics_render_in_order_with_help_and_type);
	tcase_add_loop_test(tcase, observation_counts_from_its_bucket_upwards, 0,
	    (int)(sizeof(bucket_rows) / sizeof(bucket_rows[0])));
	tcase_add_test(tcase, histogram_has_cumulative_buckets_sum_and_count);
	tcase_add_test(tcase, gauges_are_refreshed_before_each_rendering);
	tcase_add_test(tcase, a_quantile_lies_in_the_bucket_that_reaches_it);
	tcase_add_test(tcase, a_visitor_sees_everything_refreshed);
	tcase_add_test_raise_signal(tcase, registering_twice_aborts, SIGABRT);
	tcase_add_test(tcase, no_add_is_lost_between_threads);
	tcase_add_test(tcase, a_process_tells_whether_it_is_ready_and_what_it_has_of_the_machine);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
