/* ww dlq: events that were given up, and publishing them once more. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/timestamp.h"
#include "base/xalloc.h"
#include "cli.h"
#include "codec/json.h"
#include "codec/reflect.h"
#include "connection.h"
#include "letters.h"
#include "replay.h"
#include "walletwire/v1/event.pb-c.h"

enum { EVENT_MEMORY = 4 << 20 }; /* of one event while it is shown */

struct dlq_options {
	struct connection_options connection;
	int64_t limit, from;
	bool json, show, reveal, all;
};

#define ROW(field, name, type, dflt, min, max, value, help)                                        \
	{                                                                                          \
		name, type, offsetof(struct dlq_options, field), NULL, dflt, min, max, value, help \
	}

static const struct option_row rows[] = {
	ROW(json, "json", OPTION_FLAG, NULL, 0, 0, NULL, "list: a line of JSON for each"),
	ROW(limit, "limit", OPTION_INT, "100", 1, INT64_MAX, "N", "list: so many at most"),
	ROW(from, "from", OPTION_INT, "1", 1, INT64_MAX, "SEQ", "list: from this number on"),
	ROW(show, "show", OPTION_FLAG, NULL, 0, 0, NULL,
	    "list: the events too, without what is sensitive (docs/sensitivity.md)"),
	ROW(reveal, "reveal", OPTION_FLAG, NULL, 0, 0, NULL,
	    "list: the whole events, with amounts, names and texts"),
	ROW(all, "all", OPTION_FLAG, NULL, 0, 0, NULL, "replay: all that are there now"),
	{ .name = NULL },
};

static const struct usage usage = {
	.command = "dlq",
	.operands = "list | replay SEQ... | replay --all",
	.operands_max = OPTION_LIST_MAX,
	.help =
	    "list    events that were given up, oldest first, with the reason\n"
	    "replay  publish them again on their own subjects, oldest first, and remove those "
	    "that\n"
	    "        the stream has taken\n"
	    "\n"
	    "Dead letters are kept for 30 days. An event that was applied already is not applied\n"
	    "again, so replaying one twice does no harm. `replay` signs in as ops, and as the "
	    "user\n"
	    "who may publish the event (backend, chat): WW_NATS_PASSWORDS_DIR has both passwords.",
	.rows = rows,
	.more_rows = connection_rows,
};

/* --- list --- */

struct listing {
	const struct dlq_options *opt;
	struct arena arena; /* of the event that is shown */
	uint64_t last;
};

static bool shows_events(const struct listing *listing)
{
	return listing->opt->show || listing->opt->reveal;
}

/* The event as JSON, or null if it is none. */
static void append_event(struct listing *listing, struct bus_msg *letter, struct buf *out)
{
	ProtobufCMessage *event = NULL;
	struct err err = ERR_INIT;

	arena_reset(&listing->arena);
	if (reflect_unpack(&walletwire__v1__event__descriptor, bus_msg_data(letter),
		&listing->arena, &event, &err))
		buf_append_str(out, "null");
	else if (listing->opt->reveal)
		reflect_append_json(out, event);
	else
		reflect_append_masked(out, event);
}

static void append_member(struct buf *out, const char *name, const char *value)
{
	buf_appendf(out, ",\"%s\":", name);
	json_append_string(out, bytes_of_str(value));
}

static void append_json(
    struct listing *listing, struct bus_msg *letter, const char *when, struct buf *out)
{
	buf_appendf(out, "{\"seq\":%" PRIu64, bus_msg_stream_seq(letter));
	append_member(out, "storedAt", when);
	append_member(out, "subject", letter_header(letter, "Ww-Subject"));
	append_member(out, "streamSeq", letter_header(letter, "Ww-Stream-Seq"));
	append_member(out, "msgId", letter_header(letter, "Ww-Msg-Id"));
	append_member(out, "reason", letter_header(letter, "Ww-Reason"));
	buf_appendf(out, ",\"bytes\":%zu", bus_msg_data(letter).len);
	if (shows_events(listing)) {
		buf_append_str(out, ",\"event\":");
		append_event(listing, letter, out);
	}
	buf_append_str(out, "}\n");
}

static void append_line(
    struct listing *listing, struct bus_msg *letter, const char *when, struct buf *out)
{
	buf_appendf(out, "%6" PRIu64 "  %s  %-22s  %s  (%s)\n", bus_msg_stream_seq(letter), when,
	    letter_header(letter, "Ww-Subject"), letter_header(letter, "Ww-Reason"),
	    letter_header(letter, "Ww-Msg-Id"));
	if (shows_events(listing)) {
		buf_append_str(out, "        ");
		append_event(listing, letter, out);
		buf_append_str(out, "\n");
	}
}

static enum status list_letter(void *arg, struct bus_msg *letter, struct err *err)
{
	struct listing *listing = arg;
	char when[TIMESTAMP_TEXT_SIZE] = "";
	struct buf out = BUF_INIT;

	(void)err;
	(void)timestamp_format(bus_msg_stored_ms(letter), when);
	if (listing->opt->json)
		append_json(listing, letter, when, &out);
	else
		append_line(listing, letter, when, &out);
	cli_print_lines(buf_bytes(&out));
	buf_finish(&out);
	listing->last = bus_msg_stream_seq(letter);
	return STATUS_OK;
}

static enum status list_all(const struct dlq_options *opt, struct bus *ops, struct err *err)
{
	struct listing listing = { .opt = opt };
	struct letters letters = { ops, (uint64_t)opt->from, (uint64_t)opt->limit,
		(int)opt->connection.timeout_ms };
	uint64_t pending = 0;
	enum status s;

	arena_init(&listing.arena, EVENT_MEMORY);
	s = letters_read(&letters, list_letter, &listing, &pending, err);
	arena_finish(&listing.arena);
	if (s == STATUS_OK && !opt->json && pending > letters.max)
		(void)printf("%" PRIu64 " more: --from %" PRIu64 "\n", pending - letters.max,
		    listing.last + 1);
	return s;
}

/* --- replay --- */

/* Numbers of letters; 0 is none. */
static uint64_t parse_seq(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return text[digits] || digits > 18 ? 0 : strtoull(text, NULL, 10);
}

static enum status replay_listed(
    struct replay *replay, const struct option_list *seqs, struct err *err)
{
	enum status s = STATUS_OK;

	for (size_t i = 1; i < seqs->len && s == STATUS_OK; i++)
		s = replay_one(replay, parse_seq(seqs->at[i]), err);
	return s;
}

static enum cli_exit run(const struct dlq_options *opt, const struct option_list *operands)
{
	bool is_replay = strcmp(operands->at[0], "replay") == 0;
	struct replay *replay = NULL;
	struct err err = ERR_INIT;
	struct bus *ops = NULL;
	size_t skipped = 0;
	enum status s = connection_open(&opt->connection, "ops", &ops, &err);

	if (s == STATUS_OK && is_replay) {
		replay = replay_new(&opt->connection, ops);
		s = opt->all ? replay_all(replay, &err) : replay_listed(replay, operands, &err);
		skipped = replay_skipped(replay);
		replay_free(replay);
	} else if (s == STATUS_OK) {
		s = list_all(opt, ops, &err);
	}
	bus_close(ops);
	if (s)
		return cli_failed("dlq", &err);
	return skipped ? CLI_FAILED : CLI_OK;
}

/* What is wrong with the operands, or NULL. */
static const char *misuse(const struct dlq_options *opt, const struct option_list *operands)
{
	if (operands->len == 1 && strcmp(operands->at[0], "list") == 0)
		return opt->all ? "--all is for replay" : NULL;
	if (operands->len == 0 || strcmp(operands->at[0], "replay") != 0)
		return "give list, or replay and what";
	if (opt->all == (operands->len > 1))
		return "give either the numbers of letters or --all";
	for (size_t i = 1; i < operands->len; i++) {
		if (parse_seq(operands->at[i]) == 0)
			return "what is replayed are numbers, as list shows them";
	}
	return NULL;
}

enum cli_exit cmd_dlq(int argc, char **argv)
{
	struct dlq_options opt = { 0 };
	struct option_list operands;
	enum cli_exit code;

	if (!cli_options(&usage, &opt, &operands, argc, argv, &code))
		return code;
	if (misuse(&opt, &operands))
		return cli_misused("dlq", "%s", misuse(&opt, &operands));
	return run(&opt, &operands);
}
