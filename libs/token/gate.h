/*
 * gate: what a token must be before anything is believed of it or any library sees it.
 *
 * Pure functions: bytes in, a verdict out. No key is known here. Internal to libs/token.
 */
#ifndef TOKEN_GATE_H
#define TOKEN_GATE_H

#include <jansson.h>

#include "token/token.h"

enum {
	GATE_DEPTH_MAX =
	    16, /* of JSON nesting; jansson and libjwt recurse, and our stacks may be small */
	GATE_PART_MAX = TOKEN_MAX / 4 * 3, /* bytes of a decoded part */
};

/* A token that is well formed. Nothing in it is true yet. */
struct gate_token {
	json_t *header, *payload;
	const char *alg, *kid, *typ; /* lent by the header; kid and typ are "" if it has none */
	struct bytes signing_input;  /* lent by the token */
	uint8_t signature[GATE_PART_MAX];
	size_t signature_len;
};

/* TOKEN_OK, TOKEN_MISSING or TOKEN_MALFORMED. After TOKEN_OK call gate_finish(). */
enum token_verdict gate_open(struct bytes token, struct gate_token *ret_open) MUST_CHECK;
void gate_finish(struct gate_token *open);

/*
 * RFC 4648 section 5 without padding, and strict: one text for any bytes, so unused bits must be
 * zero. `ret_data` has room for 3 bytes of each 4 characters begun.
 */
bool gate_base64url(struct bytes text, uint8_t *ret_data, size_t *ret_len) MUST_CHECK;

/* Does JSON text, well formed or not, nest at most GATE_DEPTH_MAX deep? */
bool gate_depth_ok(struct bytes json) MUST_CHECK;

/* Scanned, then parsed: an object without duplicate keys, or NULL. */
json_t *gate_parse(struct bytes json) MUST_CHECK;

#endif
