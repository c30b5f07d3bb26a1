/* ww friends: who may see whom online, as the wallet's back end would say it. */
#include <stdio.h>

#include "base/message.h"
#include "base/timestamp.h"
#include "cli.h"
#include "codec/reflect.h"
#include "connection.h"
#include "walletwire/v1/presence.pb-c.h"

struct friends_options {
	struct connection_options connection;
	const char *asked_by;
	bool json;
};

static const struct option_row rows[] = {
	{ "json", OPTION_FLAG, offsetof(struct friends_options, json), NULL, NULL, 0, 0, NULL,
	    "list: a line of JSON for each" },
	ROW_ASKED_BY(struct friends_options, asked_by),
	{ .name = NULL },
};

static const struct usage usage = {
	.command = "friends",
	.operands = "list USER | add USER FRIEND... | remove USER FRIEND... | set USER [FRIEND...]",
	.operands_max = OPTION_LIST_MAX,
	.help = "list    a user's friends, and what the user sees of them now\n"
		"add     makes them friends, both ways\n"
		"remove  ends it, both ways and at once\n"
		"set     these and nobody else",
	.rows = rows,
	.more_rows = connection_rows,
};

/* --- list --- */

static void print_friend(const Walletwire__V1__PresenceUpdate *friend)
{
	char when[TIMESTAMP_TEXT_SIZE] = "", status[64];

	if (friend->last_seen)
		(void)timestamp_format(message_time_us(friend->last_seen) / 1000, when);
	reflect_enum_word(
	    &walletwire__v1__presence_status__descriptor, (int)friend->status, status);
	(void)printf("%-24s  %-8s  %s\n", friend->user_id, status, when);
}

/* A page, and where the next one begins ("" if there is none). */
static enum status list_page(const struct friends_options *opt, struct bus *bus, const char *user,
    char *after, struct arena *arena, char **ret_next, struct err *err)
{
	Walletwire__V1__PresenceFriendsRequest request =
	    WALLETWIRE__V1__PRESENCE_FRIENDS_REQUEST__INIT;
	Walletwire__V1__Caller caller = WALLETWIRE__V1__CALLER__INIT;
	const Walletwire__V1__PresenceFriendsReply *reply;
	const ProtobufCMessage *message = NULL;
	enum status s;

	caller.user_id = arena_strdup(arena, user);
	request.caller = &caller;
	request.after = after;
	s = connection_ask(bus, &opt->connection, "ww.svc.presence.friends", &request.base,
	    &walletwire__v1__presence_friends_reply__descriptor, arena, &message, err);
	if (s)
		return s;
	reply = (const void *)message;
	for (size_t i = 0; i < reply->n_users; i++) {
		if (opt->json)
			cli_print_json(&reply->users[i]->base);
		else
			print_friend(reply->users[i]);
	}
	*ret_next = reply->next;
	return STATUS_OK;
}

static enum status list(const struct friends_options *opt, const struct option_list *operands,
    struct arena *arena, struct err *err)
{
	char *after = arena_strdup(arena, "");
	struct bus *bus = NULL;
	enum status s = connection_open(&opt->connection, "ops", &bus, err);

	if (s)
		return s;
	do
		s = list_page(opt, bus, operands->at[1], after, arena, &after, err);
	while (!s && after[0]);
	bus_close(bus);
	return s;
}

/* --- change --- */

#define CHANGE(NAME) WALLETWIRE__V1__FRIENDS_SET_REQUEST__CHANGE_##NAME

static enum status change(const struct friends_options *opt, const struct option_list *operands,
    struct arena *arena, struct err *err)
{
	Walletwire__V1__FriendsSetRequest request = WALLETWIRE__V1__FRIENDS_SET_REQUEST__INIT;
	Walletwire__V1__StringList list = WALLETWIRE__V1__STRING_LIST__INIT;
	const Walletwire__V1__FriendsSetReply *reply;
	const ProtobufCMessage *message = NULL;
	enum status s;

	list.n_values = operands->len - 2;
	list.values = arena_alloc(arena, list.n_values * sizeof(*list.values));
	for (size_t i = 0; i < list.n_values; i++)
		list.values[i] = arena_strdup(arena, operands->at[i + 2]);
	request.user_id = arena_strdup(arena, operands->at[1]);
	request.asked_by = arena_strdup(arena, opt->asked_by);
	/* The three share their place in the message. */
	request.replace = &list;
	request.change_case = strcmp(operands->at[0], "add") == 0      ? CHANGE(ADD)
			      : strcmp(operands->at[0], "remove") == 0 ? CHANGE(REMOVE)
								       : CHANGE(REPLACE);
	s = connection_ask_once(&opt->connection, "ops", "ww.backend.presence.friends_set",
	    &request.base, &walletwire__v1__friends_set_reply__descriptor, arena, &message, err);
	if (s)
		return s;
	reply = (const void *)message;
	(void)printf("%u added, %u removed\n", reply->added, reply->removed);
	return STATUS_OK;
}

static const struct friends_verb {
	const char *name;
	size_t operands_min, operands_max;
	enum status (*run)(const struct friends_options *opt, const struct option_list *operands,
	    struct arena *arena, struct err *err);
} verbs[] = {
	{ "list", 2, 2, list },
	{ "add", 3, OPTION_LIST_MAX, change },
	{ "remove", 3, OPTION_LIST_MAX, change },
	{ "set", 2, OPTION_LIST_MAX, change },
};

static const struct friends_verb *find_verb(const struct option_list *operands)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs) && operands->len > 0; i++) {
		if (strcmp(verbs[i].name, operands->at[0]) == 0 &&
		    operands->len >= verbs[i].operands_min &&
		    operands->len <= verbs[i].operands_max)
			return &verbs[i];
	}
	return NULL;
}

enum cli_exit cmd_friends(int argc, char **argv)
{
	struct friends_options opt = { 0 };
	const struct friends_verb *verb;
	struct option_list operands;
	enum cli_exit code;
	struct err err = ERR_INIT;
	struct arena arena;
	enum status s;

	if (!cli_options(&usage, &opt, &operands, argc, argv, &code))
		return code;
	verb = find_verb(&operands);
	if (!verb)
		return cli_misused("friends", "give list, add, remove or set, the user, and whom");
	arena_init(&arena, ANSWER_MEMORY);
	s = verb->run(&opt, &operands, &arena, &err);
	arena_finish(&arena);
	return s ? cli_failed("friends", &err) : CLI_OK;
}
