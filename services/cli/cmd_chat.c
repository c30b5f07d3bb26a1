/* ww chat: rooms as one of their members sees them, and what is kept of them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/message.h"
#include "base/timestamp.h"
#include "cli.h"
#include "codec/reflect.h"
#include "connection.h"
#include "walletwire/v1/chat.pb-c.h"

struct chat_options {
	struct connection_options connection;
	const char *asked_by;
	int64_t limit, before;
	bool json;
};

#define ROW(field, name, type, dflt, min, max, value, help)                                    \
	{                                                                                      \
		name, type, offsetof(struct chat_options, field), NULL, dflt, min, max, value, \
		    help                                                                       \
	}

static const struct option_row rows[] = {
	ROW(json, "json", OPTION_FLAG, NULL, 0, 0, NULL,
	    "rooms, history, reports: a line of JSON for each"),
	ROW(limit, "limit", OPTION_INT, "50", 1, 100, "N", "history: so many at most"),
	ROW(before, "before", OPTION_INT, "0", 0, INT64_MAX, "SEQ",
	    "history: those before this number"),
	ROW_ASKED_BY(struct chat_options, asked_by),
	{ .name = NULL },
};

static const struct usage usage = {
	.command = "chat",
	.operands = "rooms USER | history USER ROOM | reports | hold ROOM | release ROOM",
	.operands_max = 3,
	.help = "rooms    a user's rooms, the one with the newest activity first\n"
		"history  what a member of a room may see of it, the oldest first\n"
		"reports  what was reported, by whom and why, the newest first\n"
		"hold     nothing of a room expires, and what is edited or deleted is kept too\n"
		"release  it does again; what should have expired meanwhile goes at once",
	.rows = rows,
	.more_rows = connection_rows,
};

/* One verb of the command. */
struct chat {
	const struct chat_options *opt;
	const struct option_list *operands;
	struct bus *bus;
	struct arena *arena;
};

static enum status ask(struct chat *chat, const char *subject, const ProtobufCMessage *request,
    const ProtobufCMessageDescriptor *type, const void **ret_reply, struct err *err)
{
	const ProtobufCMessage *message = NULL;
	enum status s = connection_ask(
	    chat->bus, &chat->opt->connection, subject, request, type, chat->arena, &message, err);

	*ret_reply = message;
	return s;
}

static Walletwire__V1__Caller *caller_of(struct chat *chat)
{
	Walletwire__V1__Caller *caller = MESSAGE_NEW(chat->arena, caller);

	caller->user_id = arena_strdup(chat->arena, chat->operands->at[1]);
	return caller;
}

/* A page, and where the next one begins ("" if there is none). */
typedef enum status (*page_fn)(struct chat *chat, char *before, char **ret_next, struct err *err);

static enum status all_pages(struct chat *chat, page_fn page, struct err *err)
{
	char *before = arena_strdup(chat->arena, "");
	enum status s;

	do
		s = page(chat, before, &before, err);
	while (!s && before[0]);
	return s;
}

/* --- rooms --- */

static void print_room(const Walletwire__V1__ChatRoomEntry *room)
{
	char type[64], role[64];

	reflect_enum_word(&walletwire__v1__room_type__descriptor, (int)room->type, type);
	reflect_enum_word(&walletwire__v1__room_role__descriptor, (int)room->role, role);
	(void)printf("%-20s  %-6s  %-7s  %3zu members  %6" PRIu64 " messages  %4" PRIu64
		     " unread  %s\n",
	    room->id, type, role, room->n_members, room->newest_seq, room->unread, room->name);
}

static enum status rooms_page(struct chat *chat, char *before, char **ret_next, struct err *err)
{
	Walletwire__V1__ChatRoomsRequest request = WALLETWIRE__V1__CHAT_ROOMS_REQUEST__INIT;
	const Walletwire__V1__ChatRoomsReply *reply;
	const void *message;
	enum status s;

	request.caller = caller_of(chat);
	request.before = before;
	s = ask(chat, "ww.svc.chat.rooms", &request.base,
	    &walletwire__v1__chat_rooms_reply__descriptor, &message, err);
	if (s)
		return s;
	reply = message;
	for (size_t i = 0; i < reply->n_rooms; i++) {
		if (chat->opt->json)
			cli_print_json(&reply->rooms[i]->base);
		else
			print_room(reply->rooms[i]);
	}
	*ret_next = reply->next;
	return STATUS_OK;
}

static enum status rooms(struct chat *chat, struct err *err)
{
	return all_pages(chat, rooms_page, err);
}

/* --- history --- */

static void print_message(const Walletwire__V1__ChatMessage *message)
{
	char when[TIMESTAMP_TEXT_SIZE] = "";
	const char *note = message->deleted ? "(deleted)" : message->edited_at ? "(edited) " : "";

	(void)timestamp_format(message_time_us(message->timestamp) / 1000, when);
	(void)printf("%6" PRIu64 "  %s  %-20s  %s%s\n", message->seq, when, message->sender_id,
	    note, message->text);
}

static enum status history(struct chat *chat, struct err *err)
{
	Walletwire__V1__ChatHistoryRequest request = WALLETWIRE__V1__CHAT_HISTORY_REQUEST__INIT;
	const Walletwire__V1__ChatHistoryReply *reply;
	const void *message;
	enum status s;

	request.caller = caller_of(chat);
	request.of_case = WALLETWIRE__V1__CHAT_HISTORY_REQUEST__OF_ROOM_ID;
	request.room_id = arena_strdup(chat->arena, chat->operands->at[2]);
	request.limit = (uint32_t)chat->opt->limit;
	request.before = (uint64_t)chat->opt->before;
	s = ask(chat, "ww.svc.chat.history", &request.base,
	    &walletwire__v1__chat_history_reply__descriptor, &message, err);
	if (s)
		return s;
	reply = message;
	for (size_t i = 0; i < reply->n_messages; i++) {
		if (chat->opt->json)
			cli_print_json(&reply->messages[i]->base);
		else
			print_message(reply->messages[i]);
	}
	return STATUS_OK;
}

/* --- reports --- */

static void print_report(const Walletwire__V1__ChatReport *report)
{
	char when[TIMESTAMP_TEXT_SIZE] = "";

	(void)timestamp_format(message_time_us(report->timestamp) / 1000, when);
	(void)printf("%s  %s/%" PRIu64 "  by %s  of %s\n    reason: %s\n    text: %s\n", when,
	    report->room_id, report->seq, report->reporter_id, report->sender_id, report->reason,
	    report->text);
}

static enum status reports_page(struct chat *chat, char *before, char **ret_next, struct err *err)
{
	Walletwire__V1__ChatReportsRequest request = WALLETWIRE__V1__CHAT_REPORTS_REQUEST__INIT;
	const Walletwire__V1__ChatReportsReply *reply;
	const void *message;
	enum status s;

	request.before = before;
	request.asked_by = arena_strdup(chat->arena, chat->opt->asked_by);
	s = ask(chat, "ww.backend.chat.reports", &request.base,
	    &walletwire__v1__chat_reports_reply__descriptor, &message, err);
	if (s)
		return s;
	reply = message;
	for (size_t i = 0; i < reply->n_reports; i++) {
		if (chat->opt->json)
			cli_print_json(&reply->reports[i]->base);
		else
			print_report(reply->reports[i]);
	}
	*ret_next = reply->next;
	return STATUS_OK;
}

static enum status reports(struct chat *chat, struct err *err)
{
	return all_pages(chat, reports_page, err);
}

/* --- hold --- */

static enum status set_hold(struct chat *chat, bool release, struct err *err)
{
	Walletwire__V1__ChatHoldRequest request = WALLETWIRE__V1__CHAT_HOLD_REQUEST__INIT;
	const Walletwire__V1__ChatHoldReply *reply;
	const void *message;
	enum status s;

	request.room_id = arena_strdup(chat->arena, chat->operands->at[1]);
	request.release = release;
	request.asked_by = arena_strdup(chat->arena, chat->opt->asked_by);
	s = ask(chat, "ww.backend.chat.hold", &request.base,
	    &walletwire__v1__chat_hold_reply__descriptor, &message, err);
	if (s)
		return s;
	reply = message;
	(void)printf("%" PRIu64 " messages %s\n", reply->messages,
	    release ? "expire again" : "are held, and all that follow");
	return STATUS_OK;
}

static enum status hold(struct chat *chat, struct err *err)
{
	return set_hold(chat, /* release= */ false, err);
}

static enum status release(struct chat *chat, struct err *err)
{
	return set_hold(chat, /* release= */ true, err);
}

/* --- the command --- */

static const struct chat_verb {
	const char *name;
	size_t operands;
	enum status (*run)(struct chat *chat, struct err *err);
} verbs[] = {
	{ "rooms", 2, rooms },
	{ "history", 3, history },
	{ "reports", 1, reports },
	{ "hold", 2, hold },
	{ "release", 2, release },
};

static const struct chat_verb *find_verb(const struct option_list *operands)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs) && operands->len > 0; i++) {
		if (strcmp(verbs[i].name, operands->at[0]) == 0 &&
		    operands->len == verbs[i].operands)
			return &verbs[i];
	}
	return NULL;
}

enum cli_exit cmd_chat(int argc, char **argv)
{
	struct chat_options opt = { 0 };
	struct option_list operands;
	struct chat chat = { &opt, &operands, NULL, NULL };
	const struct chat_verb *verb;
	struct err err = ERR_INIT;
	struct arena arena;
	enum cli_exit code;
	enum status s;

	if (!cli_options(&usage, &opt, &operands, argc, argv, &code))
		return code;
	verb = find_verb(&operands);
	if (!verb)
		return cli_misused("chat", "say what to do, and to which user or room");
	arena_init(&arena, ANSWER_MEMORY);
	chat.arena = &arena;
	s = connection_open(&opt.connection, "ops", &chat.bus, &err);
	if (!s)
		s = verb->run(&chat, &err);
	bus_close(chat.bus);
	arena_finish(&arena);
	return s ? cli_failed("chat", &err) : CLI_OK;
}
