/* ww export: everything held about a user, as lines of JSON. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/timestamp.h"
#include "cli.h"
#include "codec/json.h"
#include "codec/reflect.h"
#include "connection.h"
#include "letters.h"
#include "traces.h"
#include "walletwire/v1/chat.pb-c.h"
#include "walletwire/v1/edge.pb-c.h"
#include "walletwire/v1/notifications.pb-c.h"

enum { PROGRESS_MS = 1000 };

struct export_options {
	struct connection_options connection;
	const char *output, *asked_by;
	bool no_chat;
};

static const struct option_row rows[] = {
	{ "output", OPTION_TEXT, offsetof(struct export_options, output), NULL, NULL, 0, 0, "FILE",
	    "write there, not to standard output; must not exist, and is readable to its owner"
	    " alone" },
	{ "no-chat", OPTION_FLAG, offsetof(struct export_options, no_chat), NULL, NULL, 0, 0, NULL,
	    "there is no ww-chat here" },
	ROW_ASKED_BY(struct export_options, asked_by),
	{ .name = NULL },
};

static const struct usage usage = {
	.command = "export",
	.operands = "USER",
	.operands_max = 1,
	.help =
	    "Writes down everything that is held about a user, one row a line of JSON: its own\n"
	    "row, the inbox in all states, the mailbox with its copies of chat messages,\n"
	    "balances, what announcements were read, transfers, chat messages the user has sent,\n"
	    "revocations, friends, privacy and when they were last seen, their rooms, what they\n"
	    "have said there, blocks and reports, what their sockets follow, and dead letters "
	    "that\n"
	    "name them.\n"
	    "\n"
	    "Pages are read one after the other: what changes meanwhile may be in either form.",
	.rows = rows,
	.more_rows = connection_rows,
};

struct export
{
	const struct export_options *opt;
	const char *user;
	struct bus *bus;
	FILE *out;
	uint64_t lines;
	int64_t told_ms;
};

static void write_line(struct export *export, struct buf *line)
{
	int64_t now = clock_mono_ms();

	buf_append_char(line, '\n');
	(void)fwrite(line->data, 1, line->len, export->out);
	buf_finish(line);
	export->lines++;
	if (now - export->told_ms < PROGRESS_MS)
		return;
	export->told_ms = now;
	(void)fprintf(stderr, "%" PRIu64 " lines\n", export->lines);
}

static enum status export_page(struct export *export, const char *subject, struct buf *after,
    struct arena *arena, struct err *err)
{
	Walletwire__V1__ExportRequest request = WALLETWIRE__V1__EXPORT_REQUEST__INIT;
	const Walletwire__V1__ExportReply *reply;
	const ProtobufCMessage *message = NULL;
	enum status s;

	request.user_id = arena_strdup(arena, export->user);
	request.after = arena_strdup(arena, buf_str(after));
	request.asked_by = arena_strdup(arena, export->opt->asked_by);
	s = connection_ask(export->bus, &export->opt->connection, subject, &request.base,
	    &walletwire__v1__export_reply__descriptor, arena, &message, err);
	if (s)
		return s;
	reply = (const Walletwire__V1__ExportReply *)(const void *)message;
	for (size_t i = 0; i < reply->n_records; i++) {
		struct buf line = BUF_INIT;

		reflect_append_json(&line, &reply->records[i]->base);
		write_line(export, &line);
	}
	buf_finish(after);
	buf_append_str(after, reply->next);
	return STATUS_OK;
}

static enum status chat_page(struct export *export, const char *subject, struct buf *after,
    struct arena *arena, struct err *err)
{
	Walletwire__V1__ChatExportRequest request = WALLETWIRE__V1__CHAT_EXPORT_REQUEST__INIT;
	const Walletwire__V1__ChatExportReply *reply;
	const ProtobufCMessage *message = NULL;
	enum status s;

	request.user_id = arena_strdup(arena, export->user);
	request.after = arena_strdup(arena, buf_str(after));
	request.asked_by = arena_strdup(arena, export->opt->asked_by);
	s = connection_ask(export->bus, &export->opt->connection, subject, &request.base,
	    &walletwire__v1__chat_export_reply__descriptor, arena, &message, err);
	if (s)
		return err_prefix(err, "ww-chat (--no-chat if there is none)");
	reply = (const void *)message;
	for (size_t i = 0; i < reply->n_records; i++) {
		struct buf line = BUF_INIT;

		buf_append_str(&line, "{\"chat\":");
		reflect_append_json(&line, &reply->records[i]->base);
		buf_append_char(&line, '}');
		write_line(export, &line);
	}
	buf_finish(after);
	buf_append_str(after, reply->next);
	return STATUS_OK;
}

typedef enum status (*page_fn)(struct export *export, const char *subject, struct buf *after,
    struct arena *arena, struct err *err);

static enum status export_rows(
    struct export *export, const char *subject, page_fn page, struct err *err)
{
	struct buf after = BUF_INIT;
	struct arena arena;
	enum status s;

	arena_init(&arena, ANSWER_MEMORY);
	do {
		arena_reset(&arena);
		s = page(export, subject, &after, &arena, err);
	} while (s == STATUS_OK && after.len > 0);
	arena_finish(&arena);
	buf_finish(&after);
	return s;
}

static enum status export_sockets(
    struct export *export, const struct traces *traces, struct err *err)
{
	struct trace_sockets sockets;
	struct arena arena;
	enum status s = traces_sockets(traces, &sockets, err);

	if (s)
		return s;
	arena_init(&arena, ANSWER_MEMORY);
	for (size_t i = 0; i < sockets.len; i++) {
		const struct trace_socket *socket = &sockets.at[i];
		ProtobufCMessage *value = NULL;
		struct err ignored = ERR_INIT;
		struct buf line = BUF_INIT;

		arena_reset(&arena);
		buf_append_str(&line, "{\"tracking\":{\"key\":");
		json_append_string(&line, bytes_of_str(socket->key));
		buf_append_str(&line, ",\"value\":");
		if (reflect_unpack(&walletwire__v1__tracking__descriptor, socket->value, &arena,
			&value, &ignored))
			buf_append_str(&line, "null");
		else
			reflect_append_json(&line, value);
		buf_append_str(&line, "}}");
		write_line(export, &line);
	}
	arena_finish(&arena);
	traces_sockets_free(&sockets);
	return STATUS_OK;
}

static enum status export_letter(void *arg, struct bus_msg *letter, Walletwire__V1__Event *event,
    enum mention mention, struct arena *arena, struct err *err)
{
	struct export *export = arg;
	char when[TIMESTAMP_TEXT_SIZE] = "";
	struct buf line = BUF_INIT;

	(void)mention;
	(void)arena;
	(void)err;
	(void)timestamp_format(bus_msg_stored_ms(letter), when);
	buf_appendf(&line, "{\"letter\":{\"seq\":%" PRIu64 ",\"storedAt\":\"%s\",\"subject\":",
	    bus_msg_stream_seq(letter), when);
	json_append_string(&line, bytes_of_str(letter_header(letter, "Ww-Subject")));
	buf_append_str(&line, ",\"event\":");
	reflect_append_json(&line, &event->base);
	buf_append_str(&line, "}}");
	write_line(export, &line);
	return STATUS_OK;
}

static enum status export_all(struct export *export, struct err *err)
{
	struct traces traces = { export->bus, export->user,
		(int)export->opt->connection.timeout_ms };
	size_t unreadable = 0;
	enum status s = export_rows(export, "ww.backend.notifications.export", export_page, err);

	if (s == STATUS_OK)
		s = export_rows(export, "ww.backend.presence.export", export_page, err);
	if (s == STATUS_OK && !export->opt->no_chat)
		s = export_rows(export, "ww.backend.chat.export", chat_page, err);
	if (s == STATUS_OK)
		s = export_sockets(export, &traces, err);
	if (s == STATUS_OK)
		s = traces_letters(&traces, export_letter, export, &unreadable, err);
	if (s == STATUS_OK && (fflush(export->out) != 0 || ferror(export->out)))
		s = err_set(err, STATUS_INTERNAL, "it can't be written down: %s", strerror(errno));
	if (unreadable > 0)
		(void)fprintf(stderr,
		    "%zu dead letters hold no event, so nobody knows whom they name\n", unreadable);
	return s;
}

/* Personal data: for its owner alone, and never into a file that others may have open. */
static enum status open_output(const char *path, FILE **ret_out, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	*ret_out = fd < 0 ? NULL : fdopen(fd, "w");
	if (*ret_out)
		return STATUS_OK;
	if (fd >= 0)
		(void)close(fd);
	return err_set(err, STATUS_INVALID, "--output %s: %s", path, strerror(errno));
}

/* Half of it would look like all. */
static void close_output(const char *path, FILE *out, bool complete)
{
	(void)fclose(out);
	if (!complete)
		(void)unlink(path);
}

static enum status export_to(struct export *export, struct err *err)
{
	const char *path = export->opt->output;
	enum status s = STATUS_OK;

	export->out = stdout;
	if (path)
		s = open_output(path, &export->out, err);
	if (s)
		return s;
	s = export_all(export, err);
	if (path)
		close_output(path, export->out, s == STATUS_OK);
	return s;
}

static enum cli_exit run(const struct export_options *opt, const char *user)
{
	struct export export = { .opt = opt, .user = user, .told_ms = clock_mono_ms() };
	struct err err = ERR_INIT;
	enum status s = connection_open(&opt->connection, "ops", &export.bus, &err);

	if (s == STATUS_OK)
		s = export_to(&export, &err);
	bus_close(export.bus);
	if (s)
		return cli_failed("export", &err);
	(void)fprintf(stderr, "%" PRIu64 " lines about %s\n", export.lines, user);
	return CLI_OK;
}

enum cli_exit cmd_export(int argc, char **argv)
{
	struct export_options opt = { 0 };
	struct option_list operands;
	enum cli_exit code;

	if (!cli_options(&usage, &opt, &operands, argc, argv, &code))
		return code;
	if (operands.len != 1)
		return cli_misused("export", "give the user");
	return run(&opt, operands.at[0]);
}
