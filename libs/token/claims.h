/* claims: what a payload says, strictly typed. Pure. Internal to libs/token. */
#ifndef TOKEN_CLAIMS_H
#define TOKEN_CLAIMS_H

#include <jansson.h>

#include "token/token.h"

struct claims_rules {
	const char *issuer, *audience; /* empty: any */
	int leeway_s, max_life_s;
};

struct claims_read {
	struct token_claims claims;
	int64_t nbf_s; /* 0 if there is none */
	bool issuer_ok, audience_ok;
};

/* TOKEN_OK or TOKEN_MALFORMED: a claim is missing, has another type, or is out of bounds. */
enum token_verdict claims_read(const json_t *payload, const struct claims_rules *rules,
    struct claims_read *ret_read) MUST_CHECK;

/* TOKEN_OK, TOKEN_EXPIRED or TOKEN_NOT_YET. */
enum token_verdict claims_check_time(const struct token_claims *claims, int64_t nbf_s,
    const struct claims_rules *rules, int64_t now_s) MUST_CHECK;

#endif
