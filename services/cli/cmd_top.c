/* ww top: what edges do, over and over. */
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "connection.h"
#include "edge_table.h"

enum { ANSWER_MS = 2000, MS_PER_S = 1000 };

#define CLEAR_SCREEN "\033[H\033[2J"

struct top_options {
	struct connection_options connection;
	int64_t interval_ms, count;
};

static const struct option_row rows[] = {
	{ "interval", OPTION_DURATION, offsetof(struct top_options, interval_ms), NULL, "1s", 100,
	    3600000, "TIME", "how often to ask, 100ms at least" },
	{ "count", OPTION_INT, offsetof(struct top_options, count), NULL, NULL, 1, INT64_MAX, "N",
	    "stop after having asked so often" },
	{ .name = NULL },
};

static const struct usage usage = {
	.command = "top",
	.help = "Shows what every edge does, until Ctrl-C: rates, and the latency, of the time "
		"since the last look.",
	.rows = rows,
	.more_rows = connection_rows,
};

static const struct edge_column columns[] = {
	{ "sockets", 8, COLUMN_SUM, "ww_edge_sockets", NULL, UNIT_NONE },
	{ "conn/s", 7, COLUMN_RATE, "ww_edge_handshakes_total", NULL, UNIT_NONE },
	{ "close/s", 7, COLUMN_RATE, "ww_edge_closes_total", NULL, UNIT_NONE },
	{ "in/s", 7, COLUMN_RATE, "ww_edge_events_in_total", NULL, UNIT_NONE },
	{ "out/s", 8, COLUMN_RATE, "ww_edge_packets_out_total", NULL, UNIT_NONE },
	{ "p99", 6, COLUMN_P99, "ww_edge_event_latency_seconds", NULL, UNIT_US },
	{ "lag", 6, COLUMN_MOST, "ww_edge_loop_lag_microseconds", NULL, UNIT_US },
	{ "queue", 6, COLUMN_SUM, "ww_edge_queue_bytes", NULL, UNIT_BYTES },
	{ "memory", 7, COLUMN_SUM, "process_resident_memory_bytes", NULL, UNIT_BYTES },
};

static void show(const struct edge_stats_list *now, const struct edge_stats_list *earlier)
{
	struct buf out = BUF_INIT;

	if (isatty(STDOUT_FILENO))
		buf_append_str(&out, CLEAR_SCREEN);
	edge_table_append(&out, columns, ARRAY_LEN(columns), now, earlier->edges ? earlier : NULL);
	buf_append_char(&out, '\n');
	(void)fwrite(out.data, 1, out.len, stdout);
	buf_finish(&out);
}

/* False at a signal. */
static bool pause_ms(int64_t ms, const sigset_t *signals)
{
	struct timespec ts = { .tv_sec = ms / MS_PER_S, .tv_nsec = ms % MS_PER_S * 1000000L };

	return sigtimedwait(signals, NULL, &ts) < 0;
}

static enum status watch(
    struct bus *bus, const struct top_options *opt, const sigset_t *signals, struct err *err)
{
	struct edge_stats_list now = { 0 }, earlier = { 0 };
	enum status s = STATUS_OK;

	for (int64_t left = opt->count ? opt->count : INT64_MAX; left > 0; left--) {
		s = edge_stats_ask(bus, ANSWER_MS, NULL, &now, err);
		if (s)
			break;
		show(&now, &earlier);
		edge_stats_finish(&earlier);
		earlier = now;
		now = (struct edge_stats_list){ 0 };
		/* Nobody reads any more: as good as Ctrl-C. */
		if (fflush(stdout) != 0 || (left > 1 && !pause_ms(opt->interval_ms, signals)))
			break;
	}
	edge_stats_finish(&earlier);
	return s;
}

enum cli_exit cmd_top(int argc, char **argv)
{
	struct top_options opt = { 0 };
	struct option_list operands;
	enum cli_exit code;
	struct bus *bus = NULL;
	struct err err = ERR_INIT;
	sigset_t signals;
	enum status s;

	if (!cli_options(&usage, &opt, &operands, argc, argv, &code))
		return code;
	/* Before there are threads, so that only pause_ms() takes them. */
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	s = connection_open(&opt.connection, "ops", &bus, &err);
	if (s == STATUS_OK)
		s = watch(bus, &opt, &signals, &err);
	bus_close(bus);
	return s ? cli_failed("top", &err) : CLI_OK;
}
