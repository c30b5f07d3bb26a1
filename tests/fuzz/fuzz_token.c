/*
 * Tokens: any text, claims that were signed with the right key, headers and claims that were
 * signed, and a good token with bytes changed. A token that passes twice passes with the same
 * claims, one that is signed is never refused for its signature, and no text but the good one is
 * good.
 *
 * Input: which of the four, then
 *   - the text of a token;
 *   - claims in JSON;
 *   - a header, NUL, claims;
 *   - pairs of bytes: where in the good token (modulo its length), and what to put there.
 */
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "fuzz.h"
#include "token/gate.h"

enum {
	KINDS = 4,
	LEEWAY_S = 5,
	MAX_LIFE_S = 86400,
	CACHE_MAX = 64, /* small, so that it overflows */
	DIGEST_SIZE = 32,
};

#define NOW_S INT64_C(1700000000)
#define KID "k1"
#define SECRET "0123456789abcdef0123456789abcdef"
#define ISSUER "issuer"
#define AUDIENCE "audience"
#define GOOD_CLAIMS                                                                \
	"{\"sub\":\"alice\",\"iat\":1699999990,\"exp\":1700003600,\"jti\":\"t1\"," \
	"\"iss\":\"" ISSUER "\",\"aud\":[\"other\",\"" AUDIENCE "\"]}"

static char keys_dir[64];
static char key_file[96];
static struct token_verifier *verifier;
static char *good;

/* --- the verifier, made once --- */

static void clean_up(void)
{
	token_verifier_free(verifier);
	free(good);
	(void)unlink(key_file);
	(void)rmdir(keys_dir);
}

static void write_key(void)
{
	const char *tmp = getenv("TMPDIR");
	FILE *file;
	char *made;

	(void)snprintf(keys_dir, sizeof(keys_dir), "%s/fuzz_token.XXXXXX",
	    tmp && strlen(tmp) < 32 ? tmp : "/tmp");
	made = mkdtemp(keys_dir);
	assert(made);
	(void)snprintf(key_file, sizeof(key_file), "%s/" KID ".hs256", keys_dir);
	file = fopen(key_file, "w");
	assert(file);
	(void)fputs(SECRET "\n", file);
	(void)fclose(file);
}

static void set_up(void)
{
	struct token_config cfg = {
		.keys_dir = keys_dir,
		.issuer = ISSUER,
		.audience = AUDIENCE,
		.leeway_s = LEEWAY_S,
		.max_life_s = MAX_LIFE_S,
		.cache_max = CACHE_MAX,
	};
	enum status s;

	if (verifier)
		return;
	write_key();
	s = token_verifier_new(&cfg, &verifier, NULL);
	assert(!s);
	s = token_mint(keys_dir, KID, GOOD_CLAIMS, &good, NULL);
	assert(!s);
	(void)atexit(clean_up);
}

/* --- what must hold of any token --- */

/* Every claim that a good token has was in its bounds. */
static void check_claims(const struct token_claims *claims)
{
	assert(claims->sub[0] && strcmp(claims->kid, KID) == 0);
	assert(claims->exp_s > NOW_S - LEEWAY_S && claims->iat_s <= NOW_S + LEEWAY_S);
	assert(claims->exp_s >= claims->iat_s && claims->exp_s - claims->iat_s <= MAX_LIFE_S);
}

static void expect_same(const struct token_claims *a, const struct token_claims *b)
{
	assert(strcmp(a->sub, b->sub) == 0 && strcmp(a->jti, b->jti) == 0);
	assert(strcmp(a->role, b->role) == 0 && strcmp(a->country, b->country) == 0);
	assert(strcmp(a->lang, b->lang) == 0 && strcmp(a->tier, b->tier) == 0);
	assert(strcmp(a->kid, b->kid) == 0 && a->iat_s == b->iat_s && a->exp_s == b->exp_s);
}

/* What passed passes again, out of the cache. */
static enum token_verdict verify(struct bytes token)
{
	struct token_claims claims, again;
	enum token_verdict verdict = token_verify(verifier, token, NOW_S, &claims);

	if (verdict == TOKEN_OK) {
		check_claims(&claims);
		verdict = token_verify(verifier, token, NOW_S, &again);
		assert(verdict == TOKEN_OK);
		expect_same(&claims, &again);
	}
	return verdict;
}

static void append_base64url(struct buf *out, struct bytes data)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < data.len; i++) {
		bits = bits << 8 | data.data[i];
		for (have += 8; have >= 6; have -= 6)
			buf_append_char(out, digits[bits >> (have - 6) & 63]);
	}
	if (have)
		buf_append_char(out, digits[bits << (6 - have) & 63]);
}

/* One text for any bytes. */
static void check_base64url(struct bytes text)
{
	uint8_t *data = xmalloc(text.len / 4 * 3 + 3);
	struct buf again = BUF_INIT;
	size_t len;

	if (gate_base64url(text, data, &len)) {
		append_base64url(&again, bytes_of(data, len));
		assert(bytes_equal(buf_bytes(&again), text));
	}
	buf_finish(&again);
	free(data);
}

/* --- the four kinds of input --- */

static void check_text(struct bytes text)
{
	struct gate_token open;
	enum token_verdict gate = gate_open(text, &open);
	enum token_verdict verdict = verify(text);

	if (gate) {
		assert(verdict == gate);
	} else {
		assert(open.alg && open.kid && open.typ && open.payload);
		gate_finish(&open);
	}
	check_base64url(text);
}

static bool speaks_of_claims(enum token_verdict verdict)
{
	switch (verdict) {
	case TOKEN_OK:
	case TOKEN_MALFORMED:
	case TOKEN_EXPIRED:
	case TOKEN_NOT_YET:
	case TOKEN_ISSUER:
	case TOKEN_AUDIENCE:
		return true;
	default:
		return false;
	}
}

static void check_minted(struct bytes claims)
{
	char *text = xcalloc(1, claims.len + 1);
	char *token;

	if (claims.len)
		memcpy(text, claims.data, claims.len);
	if (token_mint(keys_dir, KID, text, &token, NULL) == STATUS_OK) {
		assert(speaks_of_claims(verify(bytes_of_str(token))));
		free(token);
	}
	free(text);
}

static void sign(struct bytes header, struct bytes claims, struct buf *token)
{
	uint8_t digest[DIGEST_SIZE];
	unsigned len = sizeof(digest);

	append_base64url(token, header);
	buf_append_char(token, '.');
	append_base64url(token, claims);
	(void)HMAC(
	    EVP_sha256(), SECRET, (int)strlen(SECRET), token->data, token->len, digest, &len);
	buf_append_char(token, '.');
	append_base64url(token, bytes_of(digest, len));
}

static void check_signed(struct bytes header, struct bytes claims)
{
	struct buf token = BUF_INIT;
	struct gate_token open;
	enum token_verdict verdict;

	sign(header, claims, &token);
	verdict = verify(buf_bytes(&token));
	if (gate_open(buf_bytes(&token), &open) == TOKEN_OK) {
		assert(verdict != TOKEN_SIGNATURE && verdict != TOKEN_MISSING);
		assert(verdict != TOKEN_OK || strcmp(open.alg, "HS256") == 0);
		assert((verdict == TOKEN_KEY) == (strcmp(open.kid, KID) != 0));
		gate_finish(&open);
	} else {
		assert(verdict == TOKEN_MALFORMED);
	}
	buf_finish(&token);
}

static void check_changed(struct bytes edits)
{
	size_t len = strlen(good);
	char *token = xmemdup(good, len);

	while (edits.len) {
		size_t at = fuzz_choice(&edits) % len;

		token[at] = (char)fuzz_choice(&edits);
	}
	assert((verify(bytes_of(token, len)) == TOKEN_OK) == (memcmp(token, good, len) == 0));
	free(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = bytes_of(data, size);
	struct bytes header;

	set_up();
	switch (fuzz_choice(&input) % KINDS) {
	case 0:
		check_text(input);
		break;
	case 1:
		check_minted(input);
		break;
	case 2:
		header = fuzz_take_text(&input);
		check_signed(header, input);
		break;
	default:
		check_changed(input);
		break;
	}
	return 0;
}
