/* ww stats: what edges count, all of them in a table, or one in full. */
#include <inttypes.h>
#include <stdio.h>

#include "cli.h"
#include "codec/json.h"
#include "connection.h"
#include "edge_table.h"

enum { ANSWER_MS = 2000 };

struct stats_options {
	struct connection_options connection;
	bool json;
};

static const struct option_row rows[] = {
	{ "json", OPTION_FLAG, offsetof(struct stats_options, json), NULL, NULL, 0, 0, NULL,
	    "a line of JSON for each edge, with everything it counts" },
	{ .name = NULL },
};

static const struct usage usage = {
	.command = "stats",
	.operands = "[EDGE]",
	.operands_max = 1,
	.help =
	    "Prints what edges count: a table of all, or everything of one (its id, or its "
	    "name).\nAn edge that has a lease and does not answer is missing, and the exit code "
	    "is 1 then.",
	.rows = rows,
	.more_rows = connection_rows,
};

static const struct edge_column columns[] = {
	{ "uptime", 7, COLUMN_MOST, "ww_edge_uptime_seconds", NULL, UNIT_SECONDS },
	{ "sockets", 8, COLUMN_SUM, "ww_edge_sockets", NULL, UNIT_NONE },
	{ "polling", 8, COLUMN_SUM, "ww_edge_sockets_by_transport", "polling", UNIT_NONE },
	{ "msgpack", 8, COLUMN_SUM, "ww_edge_sockets_by_parser", "msgpack", UNIT_NONE },
	{ "users", 7, COLUMN_SUM, "ww_edge_users", NULL, UNIT_NONE },
	{ "queue", 6, COLUMN_SUM, "ww_edge_queue_bytes", NULL, UNIT_BYTES },
	{ "in", 9, COLUMN_SUM, "ww_edge_events_in_total", NULL, UNIT_NONE },
	{ "out", 10, COLUMN_SUM, "ww_edge_packets_out_total", NULL, UNIT_NONE },
	{ "closes", 8, COLUMN_SUM, "ww_edge_closes_total", NULL, UNIT_NONE },
	{ "p50", 6, COLUMN_P50, "ww_edge_event_latency_seconds", NULL, UNIT_US },
	{ "p99", 6, COLUMN_P99, "ww_edge_event_latency_seconds", NULL, UNIT_US },
	{ "lag", 6, COLUMN_MOST, "ww_edge_loop_lag_microseconds", NULL, UNIT_US },
	{ "memory", 7, COLUMN_SUM, "process_resident_memory_bytes", NULL, UNIT_BYTES },
};

/* --- one edge in full --- */

static void append_quantiles(
    struct buf *out, const struct edge_stats *edge, const Walletwire__V1__EdgeHistogram *histogram)
{
	static const struct {
		const char *name;
		double q;
	} quantiles[] = { { "p50", 0.5 }, { "p99", 0.99 } };
	int64_t buckets[HISTOGRAM_BUCKETS + 1] = { 0 };
	char text[EDGE_VALUE_SIZE];

	edge_stats_add_buckets(edge, histogram->name, 1, buckets);
	for (size_t i = 0; i < ARRAY_LEN(quantiles); i++) {
		edge_table_value(
		    (double)histogram_quantile_us(buckets, quantiles[i].q), UNIT_US, text);
		buf_appendf(out, "%-40s %-18s %12s\n", histogram->name, quantiles[i].name, text);
	}
}

static void append_full(struct buf *out, const struct edge_stats *edge)
{
	buf_appendf(out, "%s  %s", edge->id, edge_stats_state(edge));
	if (edge->told)
		buf_appendf(out, "  version %s", edge->told->version);
	buf_append_char(out, '\n');
	for (size_t i = 0; edge->told && i < edge->told->n_numbers; i++) {
		const Walletwire__V1__EdgeNumber *number = edge->told->numbers[i];

		buf_appendf(
		    out, "%-40s %-18s %12" PRId64 "\n", number->name, number->label, number->value);
	}
	for (size_t i = 0; edge->told && i < edge->told->n_histograms; i++)
		append_quantiles(out, edge, edge->told->histograms[i]);
}

/* --- JSON --- */

static void append_member(struct buf *out, const char *name, const char *value)
{
	buf_appendf(out, ",\"%s\":", name);
	json_append_string(out, bytes_of_str(value));
}

/* "metric":number, or "metric":{"label":number,...}: cells of a metric stand together. */
static void append_numbers(struct buf *out, const Walletwire__V1__EdgeStats *told)
{
	const char *open = "";

	for (size_t i = 0; i < told->n_numbers; i++) {
		const Walletwire__V1__EdgeNumber *number = told->numbers[i];
		bool is_next = strcmp(open, number->name) == 0;

		if (open[0] && !is_next)
			buf_append_char(out, '}');
		if (i > 0)
			buf_append_char(out, ',');
		if (!is_next) {
			json_append_string(out, bytes_of_str(number->name));
			buf_append_str(out, number->label[0] ? ":{" : "");
		}
		open = number->label[0] ? number->name : "";
		if (number->label[0])
			json_append_string(out, bytes_of_str(number->label));
		buf_appendf(out, ":%" PRId64, number->value);
	}
	buf_append_str(out, open[0] ? "}" : "");
}

static void append_histograms(struct buf *out, const struct edge_stats *edge)
{
	for (size_t i = 0; i < edge->told->n_histograms; i++) {
		const Walletwire__V1__EdgeHistogram *histogram = edge->told->histograms[i];
		int64_t buckets[HISTOGRAM_BUCKETS + 1] = { 0 }, count = 0;

		edge_stats_add_buckets(edge, histogram->name, 1, buckets);
		for (size_t b = 0; b <= HISTOGRAM_BUCKETS; b++)
			count += buckets[b];
		buf_append_str(out, i > 0 ? "," : "");
		json_append_string(out, bytes_of_str(histogram->name));
		buf_appendf(out,
		    ":{\"count\":%" PRId64 ",\"sumUs\":%" PRId64 ",\"p50Us\":%" PRId64
		    ",\"p99Us\":%" PRId64 "}",
		    count, histogram->sum_us, histogram_quantile_us(buckets, 0.5),
		    histogram_quantile_us(buckets, 0.99));
	}
}

static void append_json(struct buf *out, const struct edge_stats *edge)
{
	buf_append_str(out, "{\"id\":");
	json_append_string(out, bytes_of_str(edge->id));
	append_member(out, "name", edge->name);
	append_member(out, "state", edge_stats_state(edge));
	if (edge->told) {
		append_member(out, "version", edge->told->version);
		buf_append_str(out, ",\"numbers\":{");
		append_numbers(out, edge->told);
		buf_append_str(out, "},\"histograms\":{");
		append_histograms(out, edge);
		buf_append_char(out, '}');
	}
	buf_append_str(out, "}\n");
}

/* --- the command --- */

static void print(const struct edge_stats_list *list, bool is_json, bool is_one)
{
	struct buf out = BUF_INIT;

	if (!is_json && !is_one)
		edge_table_append(&out, columns, ARRAY_LEN(columns), list, NULL);
	for (size_t i = 0; (is_json || is_one) && i < list->len; i++) {
		if (is_json)
			append_json(&out, &list->edges[i]);
		else
			append_full(&out, &list->edges[i]);
	}
	(void)fwrite(out.data, 1, out.len, stdout);
	buf_finish(&out);
}

static enum status check(const struct edge_stats_list *list, struct err *err)
{
	size_t missing = edge_stats_missing(list);

	if (list->len == 0)
		return err_set(err, STATUS_NOT_FOUND, "no edge has a lease");
	if (missing == 0)
		return STATUS_OK;
	return err_set(err, STATUS_TIMEOUT, "%zu of %zu edges did not answer", missing, list->len);
}

enum cli_exit cmd_stats(int argc, char **argv)
{
	struct stats_options opt = { 0 };
	struct option_list operands;
	enum cli_exit code;
	struct edge_stats_list list = { 0 };
	struct bus *bus = NULL;
	struct err err = ERR_INIT;
	enum status s;

	if (!cli_options(&usage, &opt, &operands, argc, argv, &code))
		return code;
	s = connection_open(&opt.connection, "ops", &bus, &err);
	if (s == STATUS_OK)
		s = edge_stats_ask(
		    bus, ANSWER_MS, operands.len ? operands.at[0] : NULL, &list, &err);
	if (s == STATUS_OK) {
		print(&list, opt.json, operands.len > 0);
		s = check(&list, &err);
	}
	edge_stats_finish(&list);
	bus_close(bus);
	return s ? cli_failed("stats", &err) : CLI_OK;
}
