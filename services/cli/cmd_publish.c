/* ww publish: events of a back end into the stream, one from options or many from lines of JSON. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/trace.h"
#include "base/xalloc.h"
#include "cli.h"
#include "codec/json.h"
#include "connection.h"
#include "event_flags.h"
#include "lines.h"
#include "publisher.h"

enum {
	EVENT_MEMORY = 4 << 20, /* of one event while it is read */
};

struct publish_options {
	struct connection_options connection;
	struct event_flags flags;
	const char *json, *traceparent;
	int64_t patience_ms;
	bool quiet, check;
};

#define ROW(field, name, type, value, help)                                                        \
	{                                                                                          \
		name, type, offsetof(struct publish_options, field), NULL, NULL, 0, 0, value, help \
	}

static const struct option_row rows[] = {
	ROW(flags.users, "user", OPTION_LIST, "ID", "whom it concerns; may be given again"),
	ROW(flags.set, "set", OPTION_LIST, "FIELD=VALUE",
	    "a field of the kind, see below; may be given again"),
	ROW(flags.id, "id", OPTION_TEXT, "ID",
	    "names the event; with the kind it is the idempotency key"),
	ROW(flags.priority, "priority", OPTION_TEXT, "WORD", "low, normal, high or critical"),
	ROW(flags.title, "title", OPTION_TEXT, "TEXT",
	    "title in the inbox instead of the kind's own"),
	ROW(flags.text, "text", OPTION_TEXT, "TEXT", "text in the inbox instead of the kind's own"),
	ROW(flags.occurred_at, "occurred-at", OPTION_TEXT, "TIME", "when, as 2025-01-23T10:30:45Z"),
	ROW(flags.expires_at, "expires-at", OPTION_TEXT, "TIME", "when the inbox drops it"),
	ROW(json, "json", OPTION_TEXT, "FILE",
	    "publish every line of FILE (-: standard input) instead"),
	ROW(traceparent, "traceparent", OPTION_TEXT, "TEXT",
	    "the trace they belong to (W3C Trace Context)"),
	{ "patience", OPTION_DURATION, offsetof(struct publish_options, patience_ms), NULL, "30s",
	    0, 86400000, "TIME", "how long to try again while the stream is full or NATS away" },
	ROW(check, "check", OPTION_FLAG, NULL, "only read and check, publish nothing"),
	ROW(quiet, "quiet", OPTION_FLAG, NULL, "no line per event, only failures and the summary"),
	{ .name = NULL },
};

static void print_kinds(FILE *out, const struct option_list *operands)
{
	(void)fputs(
	    "\nkinds and what --set takes (money as a decimal; what is missing is empty):\n", out);
	event_print_kinds(out, operands->len ? operands->at[0] : NULL);
}

static const struct usage usage = {
	.command = "publish",
	.operands = "[KIND]",
	.operands_max = 1,
	.help =
	    "Publishes events as a wallet back end does and waits until the stream has stored "
	    "them.\n"
	    "\n"
	    "  ww publish security --user alice --set severity=high --set \"message=New login\"\n"
	    "  ww publish transaction --set transactionId=t1 --set type=p2p --set amount=12.50 \\\n"
	    "      --set currency=EUR --set status=completed --set sender.userId=alice \\\n"
	    "      --set recipient.userId=bob\n"
	    "  ww publish --json events.jsonl\n"
	    "  ww announce --title Maintenance --text \"Sunday, 02:00 UTC\" \\\n"
	    "      --set segment.countries=DE --set segment.countries=AT\n"
	    "\n"
	    "A line of JSON is one event:\n"
	    "  {\"userIds\":[\"alice\"],\"security\":{\"severity\":\"high\",\"message\":\"New "
	    "login\"}}\n"
	    "Lines that can't be published are reported by number; the others are published. Exit\n"
	    "code 0: all were stored, 1: not all, 2: the command line is wrong.",
	.rows = rows,
	.more_rows = connection_rows,
	.epilogue = print_kinds,
};

/* Where events go: into the stream, or with --check nowhere. */
struct sink {
	struct bus *bus;
	struct publisher *publisher; /* NULL: only check */
	size_t good, bad;
};

static enum status sink_open(const struct publish_options *opt, struct sink *sink, struct err *err)
{
	enum status s;

	*sink = (struct sink){ 0 };
	if (opt->check)
		return STATUS_OK;
	s = connection_open(&opt->connection, "backend", &sink->bus, err);
	if (s == STATUS_OK)
		sink->publisher = publisher_new(sink->bus, opt->quiet, opt->patience_ms);
	if (sink->publisher)
		publisher_trace(sink->publisher, opt->traceparent);
	return s;
}

static void sink_close(struct sink *sink)
{
	bus_close(sink->bus); /* first: no acknowledgement comes after it */
	publisher_free(sink->publisher);
}

static void take_line(struct sink *sink, size_t line, struct bytes text, struct arena *arena)
{
	struct event_defaults defaults = { .occurred_ms = clock_wall_ms() };
	Walletwire__V1__Event *event = NULL;
	struct err err = ERR_INIT;

	arena_reset(arena);
	if (event_from_json(text, &defaults, arena, &event, &err)) {
		(void)fprintf(stderr, "line %zu: %s\n", line, err.msg);
		sink->bad++;
		return;
	}
	sink->good++;
	if (sink->publisher)
		publisher_add(sink->publisher, line, event);
}

static bool is_blank(struct bytes line)
{
	for (size_t i = 0; i < line.len; i++) {
		if (!strchr(" \t\r", line.data[i]))
			return false;
	}
	return true;
}

/* Returns false if reading or publishing could not go on to the end. */
static bool take_lines(struct sink *sink, struct lines *lines, struct arena *arena)
{
	for (;;) {
		struct err err = ERR_INIT;
		struct bytes line;
		bool more = false;
		enum status s;

		/* Whoever writes the lines may wait to hear of those before. */
		if (sink->publisher && lines_must_wait(lines))
			publisher_settle(sink->publisher);
		if (sink->publisher && publisher_gave_up(sink->publisher)) {
			(void)fprintf(
			    stderr, "ww publish: gave up after line %zu\n", lines->number);
			return false;
		}
		s = lines_next(lines, &line, &more, &err);
		if (s == STATUS_TOO_LARGE) {
			(void)fprintf(stderr, "line %zu: %s\n", lines->number, err.msg);
			sink->bad++;
		} else if (s) {
			(void)cli_failed("publish", &err);
			return false;
		} else if (!more) {
			return true;
		} else if (!is_blank(line)) {
			take_line(sink, lines->number, line, arena);
		}
	}
}

static enum cli_exit summarise(const struct sink *sink)
{
	struct publisher_totals totals = { 0 };

	if (!sink->publisher) {
		(void)printf("good %zu, bad %zu\n", sink->good, sink->bad);
		return sink->bad ? CLI_FAILED : CLI_OK;
	}
	totals = publisher_totals(sink->publisher);
	(void)printf("published %zu, duplicates %zu, failed %zu\n", totals.published,
	    totals.duplicates, totals.failed + sink->bad);
	return totals.failed + sink->bad ? CLI_FAILED : CLI_OK;
}

static enum cli_exit publish_lines(struct sink *sink, int fd)
{
	struct lines *lines = xmalloc(sizeof(*lines));
	enum cli_exit code;
	struct arena arena;
	bool whole;

	arena_init(&arena, EVENT_MEMORY);
	lines_init(lines, fd, JSON_TEXT_MAX);
	whole = take_lines(sink, lines, &arena);
	if (sink->publisher)
		publisher_settle(sink->publisher);
	code = summarise(sink);
	lines_finish(lines);
	free(lines);
	arena_finish(&arena);
	return whole ? code : CLI_FAILED;
}

static enum cli_exit publish_json(const struct publish_options *opt)
{
	bool from_stdin = strcmp(opt->json, "-") == 0;
	int fd = from_stdin ? STDIN_FILENO : open(opt->json, O_RDONLY | O_CLOEXEC);
	enum cli_exit code = CLI_FAILED;
	struct err err = ERR_INIT;
	struct sink sink;

	if (fd < 0) {
		(void)err_set(&err, STATUS_NOT_FOUND, "%s: %s", opt->json, strerror(errno));
		return cli_failed("publish", &err);
	}
	if (sink_open(opt, &sink, &err))
		(void)cli_failed("publish", &err);
	else
		code = publish_lines(&sink, fd);
	sink_close(&sink);
	if (!from_stdin)
		(void)close(fd);
	return code;
}

static enum cli_exit publish_event(
    const struct publish_options *opt, const Walletwire__V1__Event *event)
{
	enum cli_exit code = CLI_OK;
	struct err err = ERR_INIT;
	struct sink sink;

	if (sink_open(opt, &sink, &err)) {
		code = cli_failed("publish", &err);
	} else if (sink.publisher) {
		publisher_add(sink.publisher, 0, event);
		publisher_settle(sink.publisher);
		code = publisher_totals(sink.publisher).failed ? CLI_FAILED : CLI_OK;
	}
	sink_close(&sink);
	return code;
}

static enum cli_exit publish_flags(const struct publish_options *opt)
{
	Walletwire__V1__Event *event = NULL;
	struct err err = ERR_INIT;
	enum cli_exit code;
	struct arena arena;

	arena_init(&arena, EVENT_MEMORY);
	if (event_from_flags(&opt->flags, clock_wall_ms(), &arena, &event, &err))
		code = cli_misused("publish", "%s", err.msg);
	else
		code = publish_event(opt, event);
	arena_finish(&arena);
	return code;
}

static enum cli_exit publish(struct publish_options *opt, const struct option_list *operands)
{
	struct trace trace;

	opt->flags.kind = operands->len ? operands->at[0] : NULL;
	if (!opt->json == !opt->flags.kind)
		return cli_misused("publish", "give either the kind of one event or --json FILE");
	if (opt->json && (opt->flags.users.len || opt->flags.set.len || opt->flags.id))
		return cli_misused(
		    "publish", "--json takes everything from the lines, no --user, --set, --id");
	if (opt->traceparent && !trace_parse(opt->traceparent, &trace))
		return cli_misused("publish", "--traceparent: not as W3C Trace Context has it: "
					      "00-<32 digits>-<16 digits>-<2 digits>");
	return opt->json ? publish_json(opt) : publish_flags(opt);
}

enum cli_exit cmd_publish(int argc, char **argv)
{
	struct publish_options *opt = xcalloc(1, sizeof(*opt));
	struct option_list operands;
	enum cli_exit code;

	if (cli_options(&usage, opt, &operands, argc, argv, &code))
		code = publish(opt, &operands);
	free(opt);
	return code;
}

/* ww announce: the kind that people publish by hand, without its name. */
enum cli_exit cmd_announce(int argc, char **argv)
{
	char **with_kind = xcalloc((size_t)argc + 2, sizeof(*with_kind));
	char kind[] = "announcement";
	enum cli_exit code;

	with_kind[0] = argv[0];
	with_kind[1] = kind;
	for (int i = 1; i < argc; i++)
		with_kind[i + 1] = argv[i];
	code = cmd_publish(argc + 1, with_kind);
	free(with_kind);
	return code;
}
