/*
 * Rendering reads each cell once, without a lock: numbers of one metric may be a few adds apart,
 * but a histogram's count is the sum of the very buckets that were written, so it never contradicts
 * itself.
 */
#include "metrics/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	REFRESHERS_MAX = 16,
	US_PER_S = 1000000,
};

/* Written at start only, before there are threads. */
static struct metric *metrics, **metrics_end = &metrics;
static struct histogram *histograms, **histograms_end = &histograms;
static struct {
	void (*refresh)(void *arg);
	void *arg;
} refreshers[REFRESHERS_MAX];
static size_t refreshers_len;

static bool is_registered(const char *name)
{
	for (const struct metric *metric = metrics; metric; metric = metric->next) {
		if (strcmp(metric->name, name) == 0)
			return true;
	}
	for (const struct histogram *histogram = histograms; histogram;
	     histogram = histogram->next) {
		if (strcmp(histogram->name, name) == 0)
			return true;
	}
	return false;
}

void metrics_register(struct metric *metric)
{
	assert(!is_registered(metric->name));
	*metrics_end = metric;
	metrics_end = &metric->next;
}

void metrics_register_histogram(struct histogram *histogram)
{
	assert(!is_registered(histogram->name));
	*histograms_end = histogram;
	histograms_end = &histogram->next;
}

void metrics_on_render(void (*refresh)(void *arg), void *arg)
{
	assert(refreshers_len < REFRESHERS_MAX);
	refreshers[refreshers_len].refresh = refresh;
	refreshers[refreshers_len++].arg = arg;
}

int64_t metrics_resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long long pages = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%*s %lld", &pages) != 1)
		pages = 0;
	(void)fclose(file);
	return pages * sysconf(_SC_PAGESIZE);
}

void histogram_observe(struct histogram *histogram, int64_t us)
{
	int64_t bound = HISTOGRAM_FIRST_US;
	size_t i = 0;

	if (us < 0)
		us = 0; /* a clock that was set back */
	while (i < HISTOGRAM_BUCKETS && us > bound) {
		bound *= 2;
		i++;
	}
	atomic_fetch_add_explicit(&histogram->buckets[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&histogram->sum_us, us, memory_order_relaxed);
}

/* `quote`: in a label value, where a quote would end it. */
static void append_escaped(struct buf *out, const char *text, bool quote)
{
	for (; *text; text++) {
		if (*text == '\n') {
			buf_append_str(out, "\\n");
			continue;
		}
		if (*text == '\\' || (quote && *text == '"'))
			buf_append_char(out, '\\');
		buf_append_char(out, *text);
	}
}

static void append_head(struct buf *out, const char *name, const char *help, const char *type)
{
	buf_appendf(out, "# HELP %s ", name);
	append_escaped(out, help, /* quote= */ false);
	buf_appendf(out, "\n# TYPE %s %s\n", name, type);
}

static void append_metric(void *arg, const struct metric *metric)
{
	struct buf *out = arg;

	append_head(
	    out, metric->name, metric->help, metric->kind == METRIC_GAUGE ? "gauge" : "counter");
	for (size_t i = 0; i < metric->count; i++) {
		buf_append_str(out, metric->name);
		if (metric->label) {
			buf_appendf(out, "{%s=\"", metric->label);
			append_escaped(out, metric->values[i], /* quote= */ true);
			buf_append_str(out, "\"}");
		}
		buf_appendf(out, " %" PRId64 "\n", metric_get(metric, i));
	}
}

static void append_seconds(struct buf *out, int64_t us)
{
	buf_appendf(out, "%" PRId64 ".%06d", us / US_PER_S, (int)(us % US_PER_S));
}

static void append_histogram(void *arg, const struct histogram *histogram)
{
	struct buf *out = arg;
	int64_t bound = HISTOGRAM_FIRST_US, count = 0;

	append_head(out, histogram->name, histogram->help, "histogram");
	for (size_t i = 0; i <= HISTOGRAM_BUCKETS; i++, bound *= 2) {
		count += atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
		buf_appendf(out, "%s_bucket{le=\"", histogram->name);
		if (i < HISTOGRAM_BUCKETS)
			append_seconds(out, bound);
		else
			buf_append_str(out, "+Inf");
		buf_appendf(out, "\"} %" PRId64 "\n", count);
	}
	buf_appendf(out, "%s_sum ", histogram->name);
	append_seconds(out, atomic_load_explicit(&histogram->sum_us, memory_order_relaxed));
	buf_appendf(out, "\n%s_count %" PRId64 "\n", histogram->name, count);
}

int64_t histogram_quantile_us(const int64_t buckets[HISTOGRAM_BUCKETS + 1], double q)
{
	int64_t count = 0, from = 0, to = HISTOGRAM_FIRST_US;
	double left;

	for (size_t i = 0; i <= HISTOGRAM_BUCKETS; i++)
		count += buckets[i];
	left = q * (double)count;
	/* Beyond the last bound there is nothing to spread over. */
	for (size_t i = 0; count > 0 && i < HISTOGRAM_BUCKETS; i++, from = to, to *= 2) {
		if (buckets[i] > 0 && left <= (double)buckets[i])
			return from + (int64_t)((double)(to - from) * left / (double)buckets[i]);
		left -= (double)buckets[i];
	}
	return from;
}

void metrics_visit(const struct metrics_visitor *visitor, void *arg)
{
	for (size_t i = 0; i < refreshers_len; i++)
		refreshers[i].refresh(refreshers[i].arg);
	for (const struct metric *metric = metrics; metric; metric = metric->next)
		visitor->metric(arg, metric);
	for (const struct histogram *histogram = histograms; histogram; histogram = histogram->next)
		visitor->histogram(arg, histogram);
}

void metrics_render(struct buf *out)
{
	static const struct metrics_visitor text = { append_metric, append_histogram };

	metrics_visit(&text, out);
}
