/* Tokens of our own, for people at a terminal and for tests. */
#include <jwt.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "token/gate.h"
#include "token/keys.h"

static enum status check_claims(const char *claims_json, struct err *err)
{
	struct bytes text = bytes_of_str(claims_json);
	json_t *claims;

	if (text.len > GATE_PART_MAX)
		return err_set(err, STATUS_TOO_LARGE, "claims: more than %d bytes", GATE_PART_MAX);
	claims = gate_parse(text);
	if (!claims)
		return err_set(
		    err, STATUS_INVALID, "claims: not a JSON object with every key once");
	json_decref(claims);
	return STATUS_OK;
}

/* The text is libjwt's; NULL on failure. */
static char *encode(const struct key *key, const char *claims_json)
{
	char *text = NULL;
	jwt_t *jwt = NULL;

	if (jwt_new(&jwt) != 0)
		return NULL;
	if (jwt_set_alg(jwt, JWT_ALG_HS256, key->secret, (int)key->secret_len) == 0 &&
	    jwt_add_header(jwt, "kid", key->kid) == 0 && jwt_add_grants_json(jwt, claims_json) == 0)
		text = jwt_encode_str(jwt);
	jwt_free(jwt);
	return text;
}

enum status token_mint(const char *keys_dir, const char *kid, const char *claims_json,
    char **ret_token, struct err *err)
{
	struct key *key;
	char *text;
	enum status s;

	if (!key_kid_is_valid(kid))
		return err_set(err, STATUS_INVALID, "kid: 1 to 64 of A-Z a-z 0-9 _ . -");
	s = check_claims(claims_json, err);
	if (s)
		return s;
	s = key_load_secret(keys_dir, kid, &key, err);
	if (s)
		return s;
	text = encode(key, claims_json);
	key_unref(key);
	if (!text)
		return err_set(err, STATUS_INTERNAL, "libjwt can't make a token of these claims");
	if (strlen(text) > TOKEN_MAX) {
		free(text);
		return err_set(
		    err, STATUS_TOO_LARGE, "the token is longer than %d bytes", TOKEN_MAX);
	}
	*ret_token = text;
	return STATUS_OK;
}
