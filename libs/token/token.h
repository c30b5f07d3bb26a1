/*
 * token: who is this, says a JWT (RFC 7519).
 *
 * libjwt 1.10 obeys the algorithm the token names, accepts an empty key and checks no time, so a
 * gate comes first: at most 4 KiB, three parts, nesting of header and payload scanned, `kid` known,
 * `alg` equal to the one configured for that key. Only then HS256 goes to libjwt; RS256 and ES256
 * are verified over keys that were loaded once. Then exp, nbf, iat, iss and aud are checked,
 * strictly typed. A token that passed is remembered by its SHA-256 until it expires or its key
 * goes.
 *
 * A token has one verdict, the first that applies: missing, malformed (as a text), key, algorithm,
 * signature; malformed (in its claims: one is missing, of another type or out of bounds, or the
 * token lives longer than max_life_s); expired, not yet (nbf, or iat, lies ahead), issuer,
 * audience. jwt.h is included nowhere else (docs/adr/0006-token-gate.md).
 *
 * Threads: a verifier may be used by any number of threads.
 */
#ifndef TOKEN_TOKEN_H
#define TOKEN_TOKEN_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

/* Why a token was refused; the wire code is "token_<name>" (docs/protocol.md). */
enum token_verdict {
	TOKEN_OK,
	TOKEN_MISSING,
	TOKEN_MALFORMED,
	TOKEN_EXPIRED,
	TOKEN_NOT_YET,
	TOKEN_SIGNATURE,
	TOKEN_ALGORITHM,
	TOKEN_KEY, /* unknown kid */
	TOKEN_ISSUER,
	TOKEN_AUDIENCE,
	TOKEN_REVOKED,  /* given by the caller's own list, never by token_verify() */
	TOKEN_IN_QUERY, /* given by the caller, never by token_verify() */
	TOKEN_ROLE,     /* likewise */
	TOKEN_VERDICTS
};

const char *token_verdict_code(enum token_verdict verdict); /* "token_expired" */
const char *token_verdict_text(enum token_verdict verdict); /* a sentence for people */

enum { TOKEN_MAX = 4096, TOKEN_CLAIM_SIZE = 129 };

struct token_claims {
	char sub[TOKEN_CLAIM_SIZE]; /* the user: 1 to 128 bytes of clean UTF-8 */
	char jti[TOKEN_CLAIM_SIZE]; /* may be empty */
	char role[33];              /* "ops" or empty */
	char country[33], lang[33], tier[33];
	char kid[65];
	/* Tells the key from all others, also from another one of the same kid. */
	uint64_t key_print;
	int64_t iat_s, exp_s; /* seconds since 1970 */
};

struct token_config {
	/*
	 * <kid>.hs256 (a raw secret of at least 32 bytes; its last line break is dropped),
	 * <kid>.rs256.pem, <kid>.es256.pem (public keys). A kid has one file. Replace files by
	 * renaming over them.
	 */
	const char *keys_dir;
	const char *issuer;   /* empty: not checked */
	const char *audience; /* empty: not checked */
	int leeway_s;         /* 5 */
	int max_life_s;       /* exp - iat at most this: 86400 */
	size_t cache_max;     /* tokens remembered */
};

struct token_verifier;

/* Loads the keys; fails if the directory has none or one is unusable, naming the file. */
enum status token_verifier_new(const struct token_config *cfg, struct token_verifier **ret_verifier,
    struct err *err) MUST_CHECK;
void token_verifier_free(struct token_verifier *verifier);

/*
 * Load what changed in the directory; keys that went make their tokens invalid at once (an emptied
 * directory: all tokens). On failure the old keys stay: all of them if the directory can't be read,
 * else the old key of each file that can't be used. Call it every few seconds from any one thread.
 */
enum status token_verifier_reload(struct token_verifier *verifier, struct err *err) MUST_CHECK;

/* For those who live on after a token was verified: is its key still in use? */
bool token_key_is_used(struct token_verifier *verifier, uint64_t key_print);
/* Changes with the keys: whoever finds it changed asks again. */
unsigned token_keys_generation(struct token_verifier *verifier);

/* `now_s` in seconds since 1970. *ret_claims is written on TOKEN_OK only. */
enum token_verdict token_verify(struct token_verifier *verifier, struct bytes token, int64_t now_s,
    struct token_claims *ret_claims) MUST_CHECK;

struct token_stats {
	uint64_t verified, cached, refused;
	size_t remembered;
};
struct token_stats token_verifier_stats(struct token_verifier *verifier);

/*
 * A signed token, for `ww token`, tests and examples: HS256 with the key file
 * <keys_dir>/<kid>.hs256. claims_json holds every claim. *ret_token is the caller's to free().
 */
enum status token_mint(const char *keys_dir, const char *kid, const char *claims_json,
    char **ret_token, struct err *err) MUST_CHECK;

#endif
