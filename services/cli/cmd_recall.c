/* ww recall: takes back what an event said, from every inbox and mailbox. */
#include <stdio.h>

#include "cli.h"
#include "connection.h"
#include "walletwire/v1/notifications.pb-c.h"

struct recall_options {
	struct connection_options connection;
	const char *asked_by;
};

static const struct option_row rows[] = {
	ROW_ASKED_BY(struct recall_options, asked_by),
	{ .name = NULL },
};

static const struct usage usage = {
	.command = "recall",
	.operands = "TYPE ID",
	.operands_max = 2,
	.help = "Takes back what an event said: its text is blanked, whoever had it unread has one "
		"less\n"
		"to read, and screens that show it are told. TYPE is the kind it was published as, "
		"ID\n"
		"its id:\n"
		"\n"
		"  ww recall security login-4711\n"
		"\n"
		"Saying it again is fine.",
	.rows = rows,
	.more_rows = connection_rows,
};

static enum status recall(const struct recall_options *opt, const struct option_list *operands,
    uint32_t *ret_n, struct arena *arena, struct err *err)
{
	Walletwire__V1__RecallRequest request = WALLETWIRE__V1__RECALL_REQUEST__INIT;
	const ProtobufCMessage *reply = NULL;
	enum status s;

	request.type = arena_strdup(arena, operands->at[0]);
	request.id = arena_strdup(arena, operands->at[1]);
	request.asked_by = arena_strdup(arena, opt->asked_by);
	s = connection_ask_once(&opt->connection, "ops", "ww.backend.notifications.recall",
	    &request.base, &walletwire__v1__recall_reply__descriptor, arena, &reply, err);
	if (s == STATUS_OK)
		*ret_n = ((const Walletwire__V1__RecallReply *)(const void *)reply)->recalled;
	return s;
}

enum cli_exit cmd_recall(int argc, char **argv)
{
	struct recall_options opt = { 0 };
	struct option_list operands;
	enum cli_exit code;
	struct err err = ERR_INIT;
	struct arena arena;
	uint32_t n = 0;
	enum status s;

	if (!cli_options(&usage, &opt, &operands, argc, argv, &code))
		return code;
	if (operands.len != 2)
		return cli_misused("recall", "give the type of the event and its id");
	arena_init(&arena, ANSWER_MEMORY);
	s = recall(&opt, &operands, &n, &arena, &err);
	arena_finish(&arena);
	if (s)
		return cli_failed("recall", &err);
	(void)printf(n ? "recalled %s/%s\n" : "%s/%s: nobody had it any more\n", operands.at[0],
	    operands.at[1]);
	return CLI_OK;
}
