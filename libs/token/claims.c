/* A claim that is not exactly what it should be makes the token malformed: none is guessed at. */
#include "token/claims.h"

#include <string.h>

#include "base/text.h"

static const int64_t time_max_s = INT64_C(253402300799); /* the end of the year 9999 */

/* An optional text of at most size - 1 bytes; empty if it is absent. */
static bool read_text(const json_t *payload, const char *name, char *ret_text, size_t size)
{
	const json_t *value = json_object_get(payload, name);
	size_t len;

	ret_text[0] = '\0';
	if (!value)
		return true;
	len = json_string_length(value);
	if (!json_is_string(value) || len >= size ||
	    !text_is_clean(bytes_of(json_string_value(value), len)))
		return false;
	memcpy(ret_text, json_string_value(value), len + 1);
	return true;
}

/* Seconds since 1970, a whole number: "1e9" and 1.5 are none (RFC 7519 would allow them). */
static bool read_time(const json_t *payload, const char *name, bool required, int64_t *ret_s)
{
	const json_t *value = json_object_get(payload, name);

	*ret_s = 0;
	if (!value)
		return !required;
	*ret_s = json_integer_value(value);
	return json_is_integer(value) && *ret_s >= 0 && *ret_s <= time_max_s;
}

/* iss: exactly the issuer. */
static bool read_issuer(const json_t *payload, const char *issuer, bool *ret_ok)
{
	const json_t *value = json_object_get(payload, "iss");

	if (value && !json_is_string(value))
		return false;
	*ret_ok = !*issuer || (value && strcmp(json_string_value(value), issuer) == 0);
	return true;
}

/* aud: the audience, or an array of texts that has it (RFC 7519 section 4.1.3). */
static bool read_audience(const json_t *payload, const char *audience, bool *ret_ok)
{
	const json_t *value = json_object_get(payload, "aud");
	const json_t *one;
	size_t i;

	*ret_ok = !*audience;
	if (!value)
		return true;
	if (json_is_string(value)) {
		*ret_ok |= strcmp(json_string_value(value), audience) == 0;
		return true;
	}
	if (!json_is_array(value))
		return false;
	json_array_foreach(value, i, one)
	{
		if (!json_is_string(one))
			return false;
		*ret_ok |= strcmp(json_string_value(one), audience) == 0;
	}
	return true;
}

enum token_verdict claims_read(
    const json_t *payload, const struct claims_rules *rules, struct claims_read *ret_read)
{
	struct token_claims *out = &ret_read->claims;
	bool ok;

	memset(ret_read, 0, sizeof(*ret_read));
	ok = read_text(payload, "sub", out->sub, sizeof(out->sub)) && out->sub[0] &&
	     read_text(payload, "jti", out->jti, sizeof(out->jti)) &&
	     read_text(payload, "role", out->role, sizeof(out->role)) &&
	     read_text(payload, "country", out->country, sizeof(out->country)) &&
	     read_text(payload, "lang", out->lang, sizeof(out->lang)) &&
	     read_text(payload, "tier", out->tier, sizeof(out->tier)) &&
	     read_time(payload, "exp", /* required= */ true, &out->exp_s) &&
	     read_time(payload, "iat", /* required= */ true, &out->iat_s) &&
	     read_time(payload, "nbf", /* required= */ false, &ret_read->nbf_s) &&
	     read_issuer(payload, rules->issuer, &ret_read->issuer_ok) &&
	     read_audience(payload, rules->audience, &ret_read->audience_ok);
	if (!ok || out->exp_s < out->iat_s || out->exp_s - out->iat_s > rules->max_life_s)
		return TOKEN_MALFORMED;
	return TOKEN_OK;
}

enum token_verdict claims_check_time(const struct token_claims *claims, int64_t nbf_s,
    const struct claims_rules *rules, int64_t now_s)
{
	if (now_s - rules->leeway_s >= claims->exp_s)
		return TOKEN_EXPIRED;
	/* An iat to come would stretch the life that exp - iat bounds. */
	if (now_s + rules->leeway_s < nbf_s || now_s + rules->leeway_s < claims->iat_s)
		return TOKEN_NOT_YET;
	return TOKEN_OK;
}
