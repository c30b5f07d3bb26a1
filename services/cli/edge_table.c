/* Every cell is made of the edges of its line: one of them, or all. */
#include "edge_table.h"

#include <stdio.h>
#include <string.h>

#include "base/attrs.h"

enum { EDGE_WIDTH = 24, STATE_WIDTH = 9, MS_PER_S = 1000 };

/* --- values --- */

static void scaled(double value, double base, const char *const *units, char *ret_text)
{
	size_t i = 0;

	while (value >= base && units[i + 1]) {
		value /= base;
		i++;
	}
	(void)snprintf(
	    ret_text, EDGE_VALUE_SIZE, value < 10 && i > 0 ? "%.1f%s" : "%.0f%s", value, units[i]);
}

static void span(long long s, char *ret_text)
{
	if (s < 60)
		(void)snprintf(ret_text, EDGE_VALUE_SIZE, "%llds", s);
	else if (s < 3600)
		(void)snprintf(ret_text, EDGE_VALUE_SIZE, "%lldm%02llds", s / 60, s % 60);
	else if (s < 86400)
		(void)snprintf(ret_text, EDGE_VALUE_SIZE, "%lldh%02lldm", s / 3600, s % 3600 / 60);
	else
		(void)snprintf(
		    ret_text, EDGE_VALUE_SIZE, "%lldd%02lldh", s / 86400, s % 86400 / 3600);
}

void edge_table_value(
    double value, enum edge_column_unit unit, char ret_text[static EDGE_VALUE_SIZE])
{
	static const char *const bytes[] = { "B", "K", "M", "G", "T", NULL };
	static const char *const times[] = { "us", "ms", "s", NULL };

	switch (unit) {
	case UNIT_NONE:
		(void)snprintf(ret_text, EDGE_VALUE_SIZE, "%.0f", value);
		break;
	case UNIT_BYTES:
		scaled(value, 1024, bytes, ret_text);
		break;
	case UNIT_US:
		scaled(value, 1000, times, ret_text);
		break;
	case UNIT_SECONDS:
		span((long long)value, ret_text);
		break;
	}
}

/* --- cells --- */

/* The edges of a line that answered, with what they said earlier. */
struct line {
	const struct edge_stats *now; /* `len` of them */
	size_t len;
	const struct edge_stats_list *earlier_list; /* NULL: none */
	double seconds;                             /* since then */
};

static const struct edge_stats *earlier_of(const struct line *line, const struct edge_stats *edge)
{
	const struct edge_stats *earlier =
	    line->earlier_list ? edge_stats_find(line->earlier_list, edge->id) : NULL;

	return earlier && earlier->told ? earlier : NULL;
}

static double value_sum(const struct line *line, const struct edge_column *column)
{
	int64_t sum = 0;

	for (size_t i = 0; i < line->len; i++)
		sum += edge_stats_number(&line->now[i], column->metric, column->label);
	return (double)sum;
}

static double value_most(const struct line *line, const struct edge_column *column)
{
	int64_t most = 0;

	for (size_t i = 0; i < line->len; i++) {
		int64_t n = edge_stats_number(&line->now[i], column->metric, column->label);

		most = n > most ? n : most;
	}
	return (double)most;
}

/* Negative: there is nothing to compare with. */
static double value_rate(const struct line *line, const struct edge_column *column)
{
	int64_t more = 0;
	bool is_known = false;

	for (size_t i = 0; i < line->len; i++) {
		const struct edge_stats *earlier = earlier_of(line, &line->now[i]);

		if (!earlier || !line->now[i].told)
			continue;
		is_known = true;
		more += edge_stats_number(&line->now[i], column->metric, column->label) -
			edge_stats_number(earlier, column->metric, column->label);
	}
	return is_known && line->seconds > 0 ? (double)more / line->seconds : -1;
}

static double value_quantile(const struct line *line, const struct edge_column *column)
{
	int64_t buckets[HISTOGRAM_BUCKETS + 1] = { 0 }, count = 0;

	for (size_t i = 0; i < line->len; i++) {
		const struct edge_stats *earlier = earlier_of(line, &line->now[i]);

		edge_stats_add_buckets(&line->now[i], column->metric, 1, buckets);
		if (earlier && line->now[i].told)
			edge_stats_add_buckets(earlier, column->metric, -1, buckets);
	}
	for (size_t i = 0; i <= HISTOGRAM_BUCKETS; i++)
		count += buckets[i];
	return count
		   ? (double)histogram_quantile_us(buckets, column->kind == COLUMN_P50 ? 0.5 : 0.99)
		   : -1;
}

static void append_cell(struct buf *out, const struct line *line, const struct edge_column *column)
{
	static double (*const kinds[])(const struct line *, const struct edge_column *) = {
		[COLUMN_SUM] = value_sum,
		[COLUMN_MOST] = value_most,
		[COLUMN_RATE] = value_rate,
		[COLUMN_P50] = value_quantile,
		[COLUMN_P99] = value_quantile,
	};
	double value = kinds[column->kind](line, column);
	char text[EDGE_VALUE_SIZE] = "-";

	if (value >= 0)
		edge_table_value(value, column->unit, text);
	buf_appendf(out, " %*s", column->width, text);
}

/* --- lines --- */

static void append_head(struct buf *out, const struct edge_column *columns, size_t len)
{
	buf_appendf(out, "%-*s %-*s", EDGE_WIDTH, "edge", STATE_WIDTH, "state");
	for (size_t i = 0; i < len; i++)
		buf_appendf(out, " %*s", columns[i].width, columns[i].title);
	buf_append_char(out, '\n');
}

static void append_line(
    struct buf *out, const struct edge_column *columns, size_t len, const struct line *line)
{
	for (size_t i = 0; i < len; i++)
		append_cell(out, line, &columns[i]);
	buf_append_char(out, '\n');
}

void edge_table_append(struct buf *out, const struct edge_column *columns, size_t columns_len,
    const struct edge_stats_list *now, const struct edge_stats_list *earlier)
{
	struct line line = { .earlier_list = earlier };

	if (earlier)
		line.seconds = (double)(now->at_ms - earlier->at_ms) / MS_PER_S;
	append_head(out, columns, columns_len);
	for (size_t i = 0; i < now->len; i++) {
		const struct edge_stats *edge = &now->edges[i];

		line.now = edge;
		line.len = 1;
		buf_appendf(out, "%-*s %-*s", EDGE_WIDTH, edge->id, edge->told ? STATE_WIDTH : 0,
		    edge_stats_state(edge));
		append_line(out, columns, edge->told ? columns_len : 0, &line);
	}
	buf_appendf(out, "%-*s %-*s", EDGE_WIDTH, "all", STATE_WIDTH, "");
	line.now = now->edges;
	line.len = now->len;
	append_line(out, columns, columns_len, &line);
}
