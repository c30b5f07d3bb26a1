/* ww token: a signed token, for development, tests and examples. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "claims.h"
#include "cli.h"
#include "options.h"
#include "token/token.h"

enum { TTL_MAX_MS = 86400000 }; /* edges refuse tokens that live longer */

struct token_options {
	const char *user, *kid, *keys_dir, *issuer, *audience;
	struct option_list claims;
	int64_t ttl_ms;
};

#define ROW(field, name, type, env, dflt, min, max, value, help)                               \
	{                                                                                      \
		name, type, offsetof(struct token_options, field), env, dflt, min, max, value, \
		    help                                                                       \
	}

static const struct option_row rows[] = {
	ROW(user, "user", OPTION_TEXT, NULL, NULL, 0, 0, "ID", "whose token (claim sub)"),
	ROW(ttl_ms, "ttl", OPTION_DURATION, NULL, "1h", 1000, TTL_MAX_MS, "TIME",
	    "how long it is good, at most 24h"),
	ROW(claims, "claim", OPTION_LIST, NULL, NULL, 0, 0, "NAME=VALUE",
	    "another claim, or another value for one; may be given again"),
	ROW(kid, "kid", OPTION_TEXT, "WW_TOKEN_KID", "dev", 0, 0, "NAME",
	    "sign with KEYS/NAME.hs256"),
	ROW(keys_dir, "keys-dir", OPTION_TEXT, "WW_KEYS_DIR", NULL, 0, 0, "KEYS",
	    "the folder of keys that the edges read"),
	ROW(issuer, "issuer", OPTION_TEXT, "WW_TOKEN_ISSUER", NULL, 0, 0, "TEXT", "claim iss"),
	ROW(audience, "audience", OPTION_TEXT, "WW_TOKEN_AUDIENCE", NULL, 0, 0, "TEXT",
	    "claim aud"),
	{ .name = NULL },
};

static const struct usage usage = {
	.command = "token",
	.help = "Prints a token signed with HS256. It has sub, jti (random), iat and exp.\n"
		"\n"
		"  ww token --user alice\n"
		"  ww token --user root --ttl 15m --claim role=ops --claim country=DE",
	.rows = rows,
};

static enum status print_token(const struct token_options *opt, struct err *err)
{
	struct claims_request request = { .user = opt->user,
		.issuer = opt->issuer,
		.audience = opt->audience,
		.now_s = clock_wall_ms() / 1000,
		.ttl_s = opt->ttl_ms / 1000,
		.extra = opt->claims };
	struct buf claims = BUF_INIT;
	char *token = NULL;
	enum status s = claims_append(&claims, &request, err);

	if (s == STATUS_OK)
		s = token_mint(opt->keys_dir, opt->kid, buf_str(&claims), &token, err);
	if (s == STATUS_OK)
		(void)puts(token);
	free(token);
	buf_finish(&claims);
	return s;
}

enum cli_exit cmd_token(int argc, char **argv)
{
	struct token_options opt = { 0 };
	struct option_list operands;
	enum cli_exit code;
	struct err err = ERR_INIT;

	if (!cli_options(&usage, &opt, &operands, argc, argv, &code))
		return code;
	if (!opt.user)
		return cli_misused("token", "--user ID is missing");
	if (!opt.keys_dir)
		return cli_misused("token", "--keys-dir KEYS (or WW_KEYS_DIR) is missing");
	return print_token(&opt, &err) ? cli_failed("token", &err) : CLI_OK;
}
