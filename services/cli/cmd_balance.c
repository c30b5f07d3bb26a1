/* ww balance: a user's wallets, as the user's screens would get them now. */
#include <stdio.h>

#include "base/decimal.h"
#include "base/message.h"
#include "base/timestamp.h"
#include "cli.h"
#include "connection.h"
#include "walletwire/v1/notifications.pb-c.h"

struct balance_options {
	struct connection_options connection;
	const char *wallet;
	bool json;
};

#define ROW(field, name, type, value, help)                                                        \
	{                                                                                          \
		name, type, offsetof(struct balance_options, field), NULL, NULL, 0, 0, value, help \
	}

static const struct option_row rows[] = {
	ROW(wallet, "wallet", OPTION_TEXT, "ID", "only this one"),
	ROW(json, "json", OPTION_FLAG, NULL, "the answer as JSON"),
	{ .name = NULL },
};

static const struct usage usage = {
	.command = "balance",
	.operands = "USER",
	.operands_max = 1,
	.help =
	    "A user's wallets, as a screen of theirs would get them now: from the rows if these "
	    "were\n"
	    "confirmed a moment ago, else asked of the back end.",
	.rows = rows,
	.more_rows = connection_rows,
};

static void append_amount(struct buf *out, const Walletwire__V1__Decimal *amount)
{
	if (amount)
		decimal_append(out, amount->units, amount->scale);
	else
		buf_append_str(out, "-");
}

static void print_wallet(const Walletwire__V1__BalanceUpdate *wallet)
{
	struct buf available = BUF_INIT, pending = BUF_INIT;
	char when[TIMESTAMP_TEXT_SIZE] = "";

	append_amount(&available, wallet->available_balance);
	append_amount(&pending, wallet->pending_balance);
	if (wallet->timestamp)
		(void)timestamp_format(message_time_us(wallet->timestamp) / 1000, when);
	(void)printf("%-24s  %18s %-4s  pending %14s  version %llu  %s\n", wallet->wallet_id,
	    buf_str(&available), wallet->currency, buf_str(&pending),
	    (unsigned long long)wallet->version, when);
	buf_finish(&available);
	buf_finish(&pending);
}

static void print_wallets(const ProtobufCMessage *message)
{
	const Walletwire__V1__BalancesReply *reply = (const void *)message;

	for (size_t i = 0; i < reply->n_balances; i++)
		print_wallet(reply->balances[i]);
}

static enum status ask(const struct balance_options *opt, const char *user, struct arena *arena,
    const ProtobufCMessage **ret_reply, struct err *err)
{
	Walletwire__V1__Caller caller = WALLETWIRE__V1__CALLER__INIT;
	Walletwire__V1__BalancesRequest request = WALLETWIRE__V1__BALANCES_REQUEST__INIT;

	caller.user_id = arena_strdup(arena, user);
	request.caller = &caller;
	request.wallet_id = arena_strdup(arena, opt->wallet ? opt->wallet : "");
	return connection_ask_once(&opt->connection, "ops", "ww.svc.notifications.balances",
	    &request.base, &walletwire__v1__balances_reply__descriptor, arena, ret_reply, err);
}

enum cli_exit cmd_balance(int argc, char **argv)
{
	struct balance_options opt = { 0 };
	const ProtobufCMessage *reply = NULL;
	struct option_list operands;
	enum cli_exit code;
	struct err err = ERR_INIT;
	struct arena arena;
	enum status s;

	if (!cli_options(&usage, &opt, &operands, argc, argv, &code))
		return code;
	if (operands.len != 1)
		return cli_misused("balance", "give the user");
	arena_init(&arena, ANSWER_MEMORY);
	s = ask(&opt, operands.at[0], &arena, &reply, &err);
	if (s == STATUS_OK)
		(opt.json ? cli_print_json : print_wallets)(reply);
	arena_finish(&arena);
	return s ? cli_failed("balance", &err) : CLI_OK;
}
