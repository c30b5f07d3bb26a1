/* ww erase: takes away everything held about a user. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/message.h"
#include "bus/provision.h"
#include "cli.h"
#include "connection.h"
#include "traces.h"
#include "walletwire/v1/chat.pb-c.h"
#include "walletwire/v1/notifications.pb-c.h"

#define NOTIFICATIONS "ww.backend.notifications.erase"
#define PRESENCE "ww.backend.presence.erase"

enum { PROGRESS_MS = 1000, WAIT_STEP_MS = 100, MSG_ID_SIZE = 64 };

struct erase_options {
	struct connection_options connection;
	const char *asked_by;
	int64_t wait_ms;
	bool yes, no_chat;
};

#define ROW(field, name, type, dflt, min, max, value, help)                                     \
	{                                                                                       \
		name, type, offsetof(struct erase_options, field), NULL, dflt, min, max, value, \
		    help                                                                        \
	}

static const struct option_row rows[] = {
	ROW(yes, "yes", OPTION_FLAG, NULL, 0, 0, NULL, "do not ask"),
	ROW(wait_ms, "wait", OPTION_DURATION, "1m", 1, 86400000, "TIME",
	    "how long to wait until what was published before is applied"),
	ROW(no_chat, "no-chat", OPTION_FLAG, NULL, 0, 0, NULL, "there is no ww-chat here"),
	ROW_ASKED_BY(struct erase_options, asked_by),
	{ .name = NULL },
};

static const struct usage usage = {
	.command = "erase",
	.operands = "USER",
	.operands_max = 1,
	.help =
	    "Ends every token of a user, then takes away what is held about them: inbox, mailbox,\n"
	    "balances, transfers, what announcements they read, chat messages they have sent, in\n"
	    "their rooms and in everybody's mailbox, memberships, blocks and reports, "
	    "friendships,\n"
	    "privacy, when they were last seen, what their sockets follow, and dead letters that\n"
	    "name them.\n"
	    "What others were told of a common transaction stays theirs.\n"
	    "\n"
	    "Saying it again is fine, and finishes what was interrupted. The wallet has to stop\n"
	    "publishing about the user first: what it publishes later is stored again.\n"
	    "docs/erasure.md tells what stays, and why.",
	.rows = rows,
	.more_rows = connection_rows,
};

struct erase {
	const struct erase_options *opt;
	const char *user;
	struct bus *bus;
	Walletwire__V1__EraseCounts done;
	Walletwire__V1__ChatEraseCounts chat;
	uint32_t letters_gone, letters_kept, sockets;
	size_t unreadable;
	int64_t told_ms;
};

/* --- the rows of the services --- */

static const struct count {
	const char *name, *what;
	size_t offset; /* in struct erase */
} counts[] = {
#define COUNT(name, field, what)                          \
	{                                                 \
		name, what, offsetof(struct erase, field) \
	}
	COUNT("mailbox", done.mailbox, "items made void"),
	COUNT("inbox", done.inbox, "items removed"),
	COUNT("bodies", done.bodies, "texts that nobody else was told, removed"),
	COUNT("balances", done.balances, "removed"),
	COUNT("marks", done.marks, "of announcements, removed"),
	COUNT("transfers", done.transfers, "removed, or left to their other parties"),
	COUNT("messages", done.sent, "sent in chat, blanked for everybody"),
	COUNT("friends", done.friends, "who were told, and see nothing of them any more"),
	COUNT("presence", done.presence, "privacy and last seen, removed"),
	COUNT("said", chat.messages, "in rooms, blanked for everybody"),
	COUNT("rooms", chat.rooms, "left"),
	COUNT("blocks", chat.blocks, "removed"),
	COUNT("reports", chat.reports, "by the user removed, of the user blanked"),
	COUNT("sockets", sockets, "whose channels were remembered, forgotten"),
	COUNT("letters", letters_gone, "dead letters removed"),
	COUNT("", letters_kept, "of them kept for others, without the user"),
#undef COUNT
};

static uint32_t *at(void *base, size_t offset)
{
	return (uint32_t *)(void *)((char *)base + offset);
}

/* Every field of the message is a count. */
static void add_counts(ProtobufCMessage *sum, const ProtobufCMessage *piece)
{
	const ProtobufCMessageDescriptor *type = sum->descriptor;

	for (unsigned i = 0; i < type->n_fields; i++) {
		const uint32_t *n =
		    (const uint32_t *)(const void *)((const char *)piece + type->fields[i].offset);

		*at(sum, type->fields[i].offset) += *n;
	}
}

static void tell_progress(struct erase *erase, const Walletwire__V1__EraseReply *reply)
{
	int64_t now = clock_mono_ms();

	if (now - erase->told_ms < PROGRESS_MS)
		return;
	erase->told_ms = now;
	if (reply->at->waiting)
		(void)fprintf(stderr, "waiting until event %" PRIu64 " is applied\n",
		    reply->at->events_up_to);
	else
		(void)fprintf(
		    stderr, "%" PRIu32 " items of the mailbox are void\n", erase->done.mailbox);
}

static enum status ask_piece(struct erase *erase, const char *subject,
    Walletwire__V1__EraseProgress *progress, bool first, bool *ret_more, struct arena *arena,
    struct err *err)
{
	Walletwire__V1__EraseRequest request = WALLETWIRE__V1__ERASE_REQUEST__INIT;
	const Walletwire__V1__EraseReply *reply;
	const ProtobufCMessage *message = NULL;
	enum status s;

	request.user_id = arena_strdup(arena, erase->user);
	request.at = first ? NULL : progress;
	request.asked_by = arena_strdup(arena, erase->opt->asked_by);
	s = connection_ask(erase->bus, &erase->opt->connection, subject, &request.base,
	    &walletwire__v1__erase_reply__descriptor, arena, &message, err);
	if (s)
		return s;
	reply = (const Walletwire__V1__EraseReply *)(const void *)message;
	if (!reply->at || !reply->erased)
		return err_set(err, STATUS_INTERNAL, "the answer does not say how far it is");
	*progress = *reply->at;
	*ret_more = reply->more;
	add_counts(&erase->done.base, &reply->erased->base);
	tell_progress(erase, reply);
	return STATUS_OK;
}

static void pause_a_moment(void)
{
	const struct timespec pause = { .tv_nsec = WAIT_STEP_MS * 1000000L };

	(void)nanosleep(&pause, NULL);
}

/* Asks again and again; while events have to be applied first, with pauses. */
static enum status erase_rows(struct erase *erase, const char *subject, struct err *err)
{
	Walletwire__V1__EraseProgress progress = WALLETWIRE__V1__ERASE_PROGRESS__INIT;
	int64_t until = clock_mono_ms() + erase->opt->wait_ms;
	bool more = true, first = true;
	enum status s = STATUS_OK;
	struct arena arena;

	arena_init(&arena, ANSWER_MEMORY);
	for (; more && s == STATUS_OK; first = false) {
		arena_reset(&arena);
		s = ask_piece(erase, subject, &progress, first, &more, &arena, err);
		if (s || !progress.waiting)
			continue;
		if (clock_mono_ms() > until)
			s = err_set(err, STATUS_UNAVAILABLE,
			    "event %" PRIu64 " and those before it are not applied yet: nothing but"
			    " the tokens of %s has gone (does ww-notifications apply events?)",
			    progress.events_up_to, erase->user);
		else
			pause_a_moment();
	}
	arena_finish(&arena);
	return s;
}

/* --- what ww-chat keeps --- */

static enum status ask_chat(
    struct erase *erase, bool *ret_more, bool *ret_waiting, struct arena *arena, struct err *err)
{
	Walletwire__V1__ChatEraseRequest request = WALLETWIRE__V1__CHAT_ERASE_REQUEST__INIT;
	const Walletwire__V1__ChatEraseReply *reply;
	const ProtobufCMessage *message = NULL;
	enum status s;

	request.user_id = arena_strdup(arena, erase->user);
	request.asked_by = arena_strdup(arena, erase->opt->asked_by);
	s = connection_ask(erase->bus, &erase->opt->connection, "ww.backend.chat.erase",
	    &request.base, &walletwire__v1__chat_erase_reply__descriptor, arena, &message, err);
	if (s)
		return err_prefix(err, "ww-chat (--no-chat if there is none)");
	reply = (const void *)message;
	*ret_more = reply->more;
	*ret_waiting = reply->waiting;
	if (reply->erased)
		add_counts(&erase->chat.base, &reply->erased->base);
	return STATUS_OK;
}

static enum status ask_chat_until_told(struct erase *erase, bool *ret_waited, struct err *err)
{
	int64_t until = clock_mono_ms() + erase->opt->wait_ms;
	enum status s = STATUS_OK;
	bool more = true, waiting = false;
	struct arena arena;

	*ret_waited = false;
	arena_init(&arena, ANSWER_MEMORY);
	while (more && !s) {
		arena_reset(&arena);
		s = ask_chat(erase, &more, &waiting, &arena, err);
		if (s || !waiting)
			continue;
		*ret_waited = true;
		if (clock_mono_ms() > until)
			s = err_set(err, STATUS_UNAVAILABLE,
			    "ww-chat has events of %s that are not in the stream yet: say it again"
			    " when it has published them",
			    erase->user);
		else
			pause_a_moment();
	}
	arena_finish(&arena);
	return s;
}

/*
 * After the tokens have ended, so that nothing more is said. What it takes away is told to those
 * who saw it, by events that name the user, and others may have been on their way: their copies go
 * by a second look at the mailbox.
 */
static enum status erase_chat(struct erase *erase, struct err *err)
{
	bool waited = false;
	enum status s = STATUS_OK;

	if (!erase->opt->no_chat)
		s = ask_chat_until_told(erase, &waited, err);
	if (s || (!waited && erase->chat.messages + erase->chat.rooms == 0))
		return s;
	return erase_rows(erase, NOTIFICATIONS, err);
}

/* --- what NATS keeps --- */

/* What is left of it for the others, stored as a letter before the old one goes. */
static enum status store_rest(struct erase *erase, struct bus_msg *letter,
    Walletwire__V1__Event *event, struct arena *arena, struct err *err)
{
	static const char *const names[] = { "Ww-Reason", "Ww-Subject", "Ww-Stream-Seq",
		"Ww-Msg-Id" };
	struct bus_header headers[ARRAY_LEN(names) + 1] = { { NULL, NULL } };
	char msg_id[MSG_ID_SIZE];
	struct bus_ack ack;
	size_t n = 0;

	mention_remove(event, erase->user);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value = bus_msg_header(letter, names[i]);

		if (value && value[0])
			headers[n++] = (struct bus_header){ names[i], value };
	}
	/* Of the letter, so that who was interrupted before the old one went stores no second. */
	(void)snprintf(msg_id, sizeof(msg_id), "rest/%" PRIu64 "/%" PRId64,
	    bus_msg_stream_seq(letter), bus_msg_stored_ms(letter));
	return bus_publish_stored(erase->bus, "ww.dlq.event", msg_id,
	    message_pack(&event->base, arena), headers, &ack, err);
}

static enum status erase_letter(void *arg, struct bus_msg *letter, Walletwire__V1__Event *event,
    enum mention mention, struct arena *arena, struct err *err)
{
	struct erase *erase = arg;
	enum status s = STATUS_OK;

	if (mention == MENTION_SHARED) {
		s = store_rest(erase, letter, event, arena, err);
		erase->letters_kept++;
	}
	if (s == STATUS_OK)
		s = bus_erase_stored(erase->bus, STREAM_DLQ, bus_msg_stream_seq(letter), err);
	erase->letters_gone++;
	return s == STATUS_NOT_FOUND ? STATUS_OK : s; /* somebody has replayed it meanwhile */
}

static enum status erase_sockets(struct erase *erase, const struct traces *traces, struct err *err)
{
	struct trace_sockets sockets;
	enum status s = traces_sockets(traces, &sockets, err);

	for (size_t i = 0; i < sockets.len && s == STATUS_OK; i++) {
		s = bus_kv_purge(erase->bus, BUCKET_TRACKING, sockets.at[i].key, err);
		erase->sockets++;
	}
	traces_sockets_free(&sockets);
	return s;
}

/* --- the command --- */

static void print_counts(struct erase *erase)
{
	(void)printf("%s is erased\n", erase->user);
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		(void)printf("  %-10s %8" PRIu32 "  %s\n", counts[i].name,
		    *at(erase, counts[i].offset), counts[i].what);
	if (erase->unreadable > 0)
		(void)printf("  %zu dead letters hold no event, so nobody knows whom they name: "
			     "see `ww dlq list`\n",
		    erase->unreadable);
}

static enum cli_exit run(const struct erase_options *opt, const char *user)
{
	struct erase erase = { .opt = opt,
		.user = user,
		.done = WALLETWIRE__V1__ERASE_COUNTS__INIT,
		.chat = WALLETWIRE__V1__CHAT_ERASE_COUNTS__INIT,
		.told_ms = clock_mono_ms() };
	struct traces traces = { NULL, user, (int)opt->connection.timeout_ms };
	struct err err = ERR_INIT;
	enum status s = connection_open(&opt->connection, "ops", &erase.bus, &err);

	traces.bus = erase.bus;
	if (s == STATUS_OK)
		s = erase_rows(&erase, NOTIFICATIONS, &err);
	/* The tokens have gone: nobody comes back under them. */
	if (s == STATUS_OK)
		s = erase_rows(&erase, PRESENCE, &err);
	if (s == STATUS_OK)
		s = erase_chat(&erase, &err);
	/* Only now: what is given up while events are applied is a letter too. */
	if (s == STATUS_OK)
		s = traces_letters(&traces, erase_letter, &erase, &erase.unreadable, &err);
	if (s == STATUS_OK)
		s = erase_sockets(&erase, &traces, &err);
	bus_close(erase.bus);
	if (s) {
		(void)err_prefix(&err, "not finished, say it again");
		return cli_failed("erase", &err);
	}
	print_counts(&erase);
	return CLI_OK;
}

/* Whatever does not start with y is a no. */
static bool is_wanted(const char *user)
{
	char answer[16] = "";

	(void)fprintf(stderr,
	    "This ends every token of %s and takes away everything held about them. It can't be\n"
	    "undone; `ww export %s` writes it down first. Go on? [y/N] ",
	    user, user);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

enum cli_exit cmd_erase(int argc, char **argv)
{
	struct erase_options opt = { 0 };
	struct option_list operands;
	enum cli_exit code;

	if (!cli_options(&usage, &opt, &operands, argc, argv, &code))
		return code;
	if (operands.len != 1)
		return cli_misused("erase", "give the user");
	if (!opt.yes && !isatty(STDIN_FILENO))
		return cli_misused("erase", "there is nobody to ask: say --yes");
	if (!opt.yes && !is_wanted(operands.at[0])) {
		(void)fputs("nothing was done\n", stderr);
		return CLI_FAILED;
	}
	return run(&opt, operands.at[0]);
}
