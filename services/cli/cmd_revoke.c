/* ww revoke: ends tokens before their time, on live sockets too. */
#include <stdio.h>

#include "cli.h"
#include "connection.h"
#include "walletwire/v1/notifications.pb-c.h"

struct revoke_options {
	struct connection_options connection;
	const char *user, *token, *reason, *asked_by;
};

#define ROW(field, name, value, help)                                                        \
	{                                                                                    \
		name, OPTION_TEXT, offsetof(struct revoke_options, field), NULL, NULL, 0, 0, \
		    value, help                                                              \
	}

static const struct option_row rows[] = {
	ROW(user, "user", "ID", "every token of this user issued until now"),
	ROW(token, "token", "JTI", "the one token with this claim jti"),
	ROW(reason, "reason", "TEXT", "why, for the record and for the client"),
	ROW_ASKED_BY(struct revoke_options, asked_by),
	{ .name = NULL },
};

static const struct usage usage = {
	.command = "revoke",
	.help = "Ends tokens before they expire; sockets that were opened with them are closed.",
	.rows = rows,
	.more_rows = connection_rows,
};

static enum status revoke(const struct revoke_options *opt, struct arena *arena, struct err *err)
{
	Walletwire__V1__RevokeRequest request;
	const ProtobufCMessage *reply = NULL;

	walletwire__v1__revoke_request__init(&request);
	if (opt->user) {
		request.what_case = WALLETWIRE__V1__REVOKE_REQUEST__WHAT_USER_ID;
		request.user_id = arena_strdup(arena, opt->user);
	} else {
		request.what_case = WALLETWIRE__V1__REVOKE_REQUEST__WHAT_TOKEN_ID;
		request.token_id = arena_strdup(arena, opt->token);
	}
	request.reason = arena_strdup(arena, opt->reason ? opt->reason : "");
	request.asked_by = arena_strdup(arena, opt->asked_by);
	return connection_ask_once(&opt->connection, "ops", "ww.backend.notifications.revoke",
	    &request.base, &walletwire__v1__revoke_reply__descriptor, arena, &reply, err);
}

enum cli_exit cmd_revoke(int argc, char **argv)
{
	struct revoke_options opt = { 0 };
	struct option_list operands;
	enum cli_exit code;
	struct err err = ERR_INIT;
	struct arena arena;
	enum status s;

	if (!cli_options(&usage, &opt, &operands, argc, argv, &code))
		return code;
	if (!opt.user == !opt.token)
		return cli_misused("revoke", "give either --user ID or --token JTI");
	arena_init(&arena, ANSWER_MEMORY);
	s = revoke(&opt, &arena, &err);
	arena_finish(&arena);
	if (s)
		return cli_failed("revoke", &err);
	(void)printf("revoked %s %s\n", opt.user ? "every token of" : "token",
	    opt.user ? opt.user : opt.token);
	return CLI_OK;
}
