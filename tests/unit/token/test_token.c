/* Whole tokens: every verdict, three algorithms, forgeries, memory, reload, threads. */
#include <check.h>
#include <jwt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attrs.h"
#include "base/id.h"
#include "base/xalloc.h"
#include "forge.h"
#include "support/support.h"
#include "token/token.h"

#define NOW 1700000000
#define HS "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"hs\"}"
#define RS "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"rs\"}"
#define ES "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"es\"}"
#define TIMES "\"iat\":1700000000,\"exp\":1700003600"
#define FROM "\"iss\":\"bank\",\"aud\":\"ww\""
#define GOOD "{\"sub\":\"alice\"," TIMES "," FROM "}"
#define CHARS_32 "01234567890123456789012345678901"
#define CHARS_128 CHARS_32 CHARS_32 CHARS_32 CHARS_32

static EVP_PKEY *rsa, *rsa_other, *ec, *ec_other;
static char *rsa_public, *ec_public, *rsa_private, *ec_private;
static char *dir;
static struct token_verifier *verifier;
static struct token_claims claims;
static struct err err;

static void make_keys(void)
{
	rsa = forge_rsa(2048);
	rsa_other = forge_rsa(2048);
	ec = forge_ec("P-256");
	ec_other = forge_ec("P-256");
	rsa_public = forge_public_pem(rsa);
	ec_public = forge_public_pem(ec);
	rsa_private = forge_private_pem(rsa);
	ec_private = forge_private_pem(ec);
}

static void free_keys(void)
{
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(rsa_other);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(ec_other);
	free(rsa_public);
	free(ec_public);
	free(rsa_private);
	free(ec_private);
}

static void open_verifier(const char *issuer, const char *audience, size_t cache_max)
{
	struct token_config cfg = { .keys_dir = dir,
		.issuer = issuer,
		.audience = audience,
		.leeway_s = 5,
		.max_life_s = 86400,
		.cache_max = cache_max };

	token_verifier_free(verifier);
	ck_assert_ok(token_verifier_new(&cfg, &verifier, &err), err);
}

static void setup(void)
{
	err = (struct err)ERR_INIT;
	dir = forge_dir();
	forge_text_file(dir, "hs.hs256", FORGE_SECRET "\n");
	forge_text_file(dir, "rs.rs256.pem", rsa_public);
	forge_text_file(dir, "es.es256.pem", ec_public);
	open_verifier("bank", "ww", 100);
}

static void teardown(void)
{
	token_verifier_free(verifier);
	free(dir);
}

static enum token_verdict verify_at(const char *token, int64_t now_s)
{
	memset(&claims, 0, sizeof(claims));
	return token_verify(verifier, bytes_of_str(token), now_s, &claims);
}

/* Verifies, frees, and compares. */
static void assert_verdict(char *token, int64_t now_s, enum token_verdict expected)
{
	enum token_verdict verdict = verify_at(token, now_s);

	ck_assert_msg(verdict == expected, "%s, not %s: %s", token_verdict_code(verdict),
	    token_verdict_code(expected), token);
	ck_assert(verdict == TOKEN_OK || claims.sub[0] == '\0');
	free(token);
}

static char *hs256(const char *header, const char *payload)
{
	return forge_hs256(header, payload, FORGE_SECRET, strlen(FORGE_SECRET));
}

START_TEST(three_algorithms_are_verified_by_their_keys)
{
	assert_verdict(hs256(HS, GOOD), NOW, TOKEN_OK);
	ck_assert_str_eq(claims.kid, "hs");
	assert_verdict(forge_rs256(RS, GOOD, rsa), NOW, TOKEN_OK);
	ck_assert_str_eq(claims.kid, "rs");
	assert_verdict(forge_es256(ES, GOOD, ec), NOW, TOKEN_OK);
	ck_assert_str_eq(claims.kid, "es");
	ck_assert_str_eq(claims.sub, "alice");
	ck_assert_int_eq(claims.iat_s, 1700000000);
	ck_assert_int_eq(claims.exp_s, 1700003600);
}
END_TEST

START_TEST(claims_are_copied_out)
{
	assert_verdict(
	    hs256(HS, "{\"sub\":\"Zo\xc3\xab\",\"jti\":\"j-1\",\"role\":\"ops\",\"country\":\"DE\","
		      "\"lang\":\"de\",\"tier\":\"gold\",\"other\":{\"a\":[1,2]}," TIMES
		      ",\"iss\":\"bank\",\"aud\":[\"x\",\"ww\"]}"),
	    NOW, TOKEN_OK);
	ck_assert_str_eq(claims.sub, "Zo\xc3\xab");
	ck_assert_str_eq(claims.jti, "j-1");
	ck_assert_str_eq(claims.role, "ops");
	ck_assert_str_eq(claims.country, "DE");
	ck_assert_str_eq(claims.lang, "de");
	ck_assert_str_eq(claims.tier, "gold");
}
END_TEST

/* How a hostile token is signed. */
enum signer {
	SIGN_HS,       /* with the right secret */
	SIGN_HS_OTHER, /* with another one */
	SIGN_HS_EMPTY, /* with an empty one */
	SIGN_HS_RSA,   /* with the RSA public key's PEM, which everybody may have */
	SIGN_HS_EC,    /* with the EC public key's PEM */
	SIGN_RS,
	SIGN_RS_OTHER,
	SIGN_ES,
	SIGN_ES_OTHER,
	SIGN_ES_DER,
	SIGN_ES_LONG, /* a good one and two bytes more */
	SIGN_NOT,     /* empty signature */
	SIGN_ZEROS,   /* r = s = 0 (CVE-2022-21449) */
};

/* 64 bytes are 86 characters; two characters more make 66 bytes. */
static char *with_more(char *token)
{
	char *longer = xasprintf("%sAA", token);

	free(token);
	return longer;
}

static char *sign(const char *header, const char *payload, enum signer signer)
{
	static const uint8_t zeros[64];

	switch (signer) {
	case SIGN_HS:
		return hs256(header, payload);
	case SIGN_HS_OTHER:
		return forge_hs256(header, payload, CHARS_32, 32);
	case SIGN_HS_EMPTY:
		return forge_hs256(header, payload, "", 0);
	case SIGN_HS_RSA:
		return forge_hs256(header, payload, rsa_public, strlen(rsa_public));
	case SIGN_HS_EC:
		return forge_hs256(header, payload, ec_public, strlen(ec_public));
	case SIGN_RS:
		return forge_rs256(header, payload, rsa);
	case SIGN_RS_OTHER:
		return forge_rs256(header, payload, rsa_other);
	case SIGN_ES:
		return forge_es256(header, payload, ec);
	case SIGN_ES_OTHER:
		return forge_es256(header, payload, ec_other);
	case SIGN_ES_DER:
		return forge_es256_der(header, payload, ec);
	case SIGN_ES_LONG:
		return with_more(forge_es256(header, payload, ec));
	case SIGN_NOT:
		return forge_token(header, payload, "", 0);
	case SIGN_ZEROS:
		break;
	}
	return forge_token(header, payload, zeros, sizeof(zeros));
}

static const struct hostile_row {
	const char *header, *payload;
	enum signer signer;
	enum token_verdict verdict;
} hostile_rows[] = {
	/* algorithms */
	{ "{\"alg\":\"none\",\"kid\":\"hs\"}", GOOD, SIGN_NOT, TOKEN_ALGORITHM },
	{ "{\"alg\":\"none\",\"kid\":\"rs\"}", GOOD, SIGN_NOT, TOKEN_ALGORITHM },
	{ "{\"alg\":\"none\",\"kid\":\"hs\"}", GOOD, SIGN_HS, TOKEN_ALGORITHM },
	{ "{\"alg\":\"None\",\"kid\":\"hs\"}", GOOD, SIGN_NOT, TOKEN_ALGORITHM },
	{ "{\"alg\":\"\",\"kid\":\"hs\"}", GOOD, SIGN_NOT, TOKEN_ALGORITHM },
	{ "{\"alg\":\"hs256\",\"kid\":\"hs\"}", GOOD, SIGN_HS, TOKEN_ALGORITHM },
	{ "{\"alg\":\"HS384\",\"kid\":\"hs\"}", GOOD, SIGN_HS, TOKEN_ALGORITHM },
	{ "{\"alg\":\"HS256\",\"kid\":\"rs\"}", GOOD, SIGN_HS_RSA, TOKEN_ALGORITHM },
	{ "{\"alg\":\"HS256\",\"kid\":\"es\"}", GOOD, SIGN_HS_EC, TOKEN_ALGORITHM },
	{ "{\"alg\":\"RS256\",\"kid\":\"hs\"}", GOOD, SIGN_RS, TOKEN_ALGORITHM },
	{ "{\"alg\":\"ES256\",\"kid\":\"rs\"}", GOOD, SIGN_ES, TOKEN_ALGORITHM },
	{ "{\"alg\":\"PS256\",\"kid\":\"rs\"}", GOOD, SIGN_RS, TOKEN_ALGORITHM },
	/* keys */
	{ "{\"alg\":\"HS256\"}", GOOD, SIGN_HS, TOKEN_KEY },
	{ "{\"alg\":\"HS256\"}", GOOD, SIGN_HS_EMPTY, TOKEN_KEY },
	{ "{\"alg\":\"none\"}", GOOD, SIGN_NOT, TOKEN_KEY },
	{ "{\"alg\":\"HS256\",\"kid\":\"\"}", GOOD, SIGN_HS_EMPTY, TOKEN_KEY },
	{ "{\"alg\":\"HS256\",\"kid\":\"unknown\"}", GOOD, SIGN_HS, TOKEN_KEY },
	{ "{\"alg\":\"HS256\",\"kid\":\"unknown\"}", GOOD, SIGN_HS_EMPTY, TOKEN_KEY },
	{ "{\"alg\":\"HS256\",\"kid\":\"HS\"}", GOOD, SIGN_HS, TOKEN_KEY },
	{ "{\"alg\":\"HS256\",\"kid\":\"hs.hs256\"}", GOOD, SIGN_HS, TOKEN_KEY },
	{ "{\"alg\":\"HS256\",\"kid\":\"../../dev/null\"}", GOOD, SIGN_HS_EMPTY, TOKEN_KEY },
	{ "{\"alg\":\"HS256\",\"kid\":\"hs' OR '1'='1\"}", GOOD, SIGN_HS, TOKEN_KEY },
	{ "{\"alg\":\"HS256\",\"kid\":\"" CHARS_128 "\"}", GOOD, SIGN_HS, TOKEN_KEY },
	/* a key that the token brings along is not looked at */
	{ "{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"\"}}", GOOD, SIGN_HS_EMPTY,
	    TOKEN_KEY },
	/* signatures */
	{ HS, GOOD, SIGN_HS_OTHER, TOKEN_SIGNATURE },
	{ HS, GOOD, SIGN_HS_EMPTY, TOKEN_SIGNATURE },
	{ HS, GOOD, SIGN_HS_RSA, TOKEN_SIGNATURE },
	{ HS, GOOD, SIGN_NOT, TOKEN_SIGNATURE },
	{ HS, GOOD, SIGN_ZEROS, TOKEN_SIGNATURE },
	{ RS, GOOD, SIGN_RS_OTHER, TOKEN_SIGNATURE },
	{ RS, GOOD, SIGN_HS_RSA, TOKEN_SIGNATURE },
	{ RS, GOOD, SIGN_NOT, TOKEN_SIGNATURE },
	{ RS, GOOD, SIGN_ZEROS, TOKEN_SIGNATURE },
	{ ES, GOOD, SIGN_ES_OTHER, TOKEN_SIGNATURE },
	{ ES, GOOD, SIGN_ES_DER, TOKEN_SIGNATURE },
	{ ES, GOOD, SIGN_ES_LONG, TOKEN_SIGNATURE },
	{ ES, GOOD, SIGN_RS, TOKEN_SIGNATURE },
	{ ES, GOOD, SIGN_NOT, TOKEN_SIGNATURE },
	{ ES, GOOD, SIGN_ZEROS, TOKEN_SIGNATURE },
	/* types of token */
	{ "{\"alg\":\"HS256\",\"kid\":\"hs\"}", GOOD, SIGN_HS, TOKEN_OK },
	{ "{\"alg\":\"HS256\",\"kid\":\"hs\",\"typ\":\"jwt\"}", GOOD, SIGN_HS, TOKEN_OK },
	{ "{\"alg\":\"HS256\",\"kid\":\"hs\",\"typ\":\"at+jwt\"}", GOOD, SIGN_HS, TOKEN_MALFORMED },
	{ "{\"alg\":\"RS256\",\"kid\":\"rs\",\"typ\":\"at+jwt\"}", GOOD, SIGN_RS, TOKEN_OK },
	{ "{\"alg\":\"RS256\",\"kid\":\"rs\",\"typ\":\"logout+jwt\"}", GOOD, SIGN_RS,
	    TOKEN_MALFORMED },
	/* the first verdict that applies */
	{ "{\"alg\":\"HS256\",\"kid\":\"unknown\"}", "[]", SIGN_HS, TOKEN_MALFORMED },
	{ "{\"alg\":\"none\",\"kid\":\"unknown\"}", "{}", SIGN_NOT, TOKEN_KEY },
	{ HS, "{}", SIGN_HS_OTHER, TOKEN_SIGNATURE },
	/* exp and iat */
	{ HS, "{\"sub\":\"a\",\"iat\":1700000000," FROM "}", SIGN_HS, TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\",\"exp\":1700003600," FROM "}", SIGN_HS, TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\",\"iat\":1700000000,\"exp\":\"1700003600\"," FROM "}", SIGN_HS,
	    TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\",\"iat\":1700000000,\"exp\":1700003600.0," FROM "}", SIGN_HS,
	    TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\",\"iat\":1700000000,\"exp\":1.7e9," FROM "}", SIGN_HS,
	    TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\",\"iat\":1700000000,\"exp\":true," FROM "}", SIGN_HS,
	    TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\",\"iat\":1700000000,\"exp\":null," FROM "}", SIGN_HS,
	    TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\",\"iat\":\"1700000000\",\"exp\":1700003600," FROM "}", SIGN_HS,
	    TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\",\"iat\":-1,\"exp\":1," FROM "}", SIGN_HS, TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\",\"iat\":9223372036854775807,\"exp\":9223372036854775807," FROM "}",
	    SIGN_HS, TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\",\"iat\":-9223372036854775807,\"exp\":9223372036854775807," FROM "}",
	    SIGN_HS, TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\",\"iat\":1700003600,\"exp\":1700000000," FROM "}", SIGN_HS,
	    TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\",\"iat\":1700000000,\"exp\":1700086400," FROM "}", SIGN_HS, TOKEN_OK },
	{ HS, "{\"sub\":\"a\",\"iat\":1700000000,\"exp\":1700086401," FROM "}", SIGN_HS,
	    TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\",\"iat\":1699999990,\"exp\":1699999996," FROM "}", SIGN_HS, TOKEN_OK },
	{ HS, "{\"sub\":\"a\",\"iat\":1699999990,\"exp\":1699999995," FROM "}", SIGN_HS,
	    TOKEN_EXPIRED },
	{ HS, "{\"sub\":\"a\",\"iat\":1700000005,\"exp\":1700000100," FROM "}", SIGN_HS, TOKEN_OK },
	{ HS, "{\"sub\":\"a\",\"iat\":1700000006,\"exp\":1700000100," FROM "}", SIGN_HS,
	    TOKEN_NOT_YET },
	/* nbf */
	{ HS, "{\"sub\":\"a\",\"nbf\":1700000005," TIMES "," FROM "}", SIGN_HS, TOKEN_OK },
	{ HS, "{\"sub\":\"a\",\"nbf\":1700000006," TIMES "," FROM "}", SIGN_HS, TOKEN_NOT_YET },
	{ HS, "{\"sub\":\"a\",\"nbf\":\"x\"," TIMES "," FROM "}", SIGN_HS, TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\",\"nbf\":1.5," TIMES "," FROM "}", SIGN_HS, TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\",\"nbf\":-1," TIMES "," FROM "}", SIGN_HS, TOKEN_MALFORMED },
	/* iss and aud */
	{ HS, "{\"sub\":\"a\"," TIMES ",\"aud\":\"ww\"}", SIGN_HS, TOKEN_ISSUER },
	{ HS, "{\"sub\":\"a\"," TIMES ",\"iss\":\"Bank\",\"aud\":\"ww\"}", SIGN_HS, TOKEN_ISSUER },
	{ HS, "{\"sub\":\"a\"," TIMES ",\"iss\":\"banker\",\"aud\":\"ww\"}", SIGN_HS,
	    TOKEN_ISSUER },
	{ HS, "{\"sub\":\"a\"," TIMES ",\"iss\":\"\",\"aud\":\"ww\"}", SIGN_HS, TOKEN_ISSUER },
	{ HS, "{\"sub\":\"a\"," TIMES ",\"iss\":[\"bank\"],\"aud\":\"ww\"}", SIGN_HS,
	    TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\"," TIMES ",\"iss\":\"bank\"}", SIGN_HS, TOKEN_AUDIENCE },
	{ HS, "{\"sub\":\"a\"," TIMES ",\"iss\":\"bank\",\"aud\":\"w\"}", SIGN_HS, TOKEN_AUDIENCE },
	{ HS, "{\"sub\":\"a\"," TIMES ",\"iss\":\"bank\",\"aud\":[]}", SIGN_HS, TOKEN_AUDIENCE },
	{ HS, "{\"sub\":\"a\"," TIMES ",\"iss\":\"bank\",\"aud\":[\"a\",\"b\"]}", SIGN_HS,
	    TOKEN_AUDIENCE },
	{ HS, "{\"sub\":\"a\"," TIMES ",\"iss\":\"bank\",\"aud\":[\"ww\",1]}", SIGN_HS,
	    TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\"," TIMES ",\"iss\":\"bank\",\"aud\":{\"ww\":1}}", SIGN_HS,
	    TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\"," TIMES ",\"iss\":\"bank\",\"aud\":1}", SIGN_HS, TOKEN_MALFORMED },
	/* sub and the optional texts */
	{ HS, "{" TIMES "," FROM "}", SIGN_HS, TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"\"," TIMES "," FROM "}", SIGN_HS, TOKEN_MALFORMED },
	{ HS, "{\"sub\":7," TIMES "," FROM "}", SIGN_HS, TOKEN_MALFORMED },
	{ HS, "{\"sub\":null," TIMES "," FROM "}", SIGN_HS, TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"" CHARS_128 "\"," TIMES "," FROM "}", SIGN_HS, TOKEN_OK },
	{ HS, "{\"sub\":\"" CHARS_128 "x\"," TIMES "," FROM "}", SIGN_HS, TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\\u0007\"," TIMES "," FROM "}", SIGN_HS, TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\\u0000b\"," TIMES "," FROM "}", SIGN_HS, TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\\u202eb\"," TIMES "," FROM "}", SIGN_HS, TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\",\"jti\":1," TIMES "," FROM "}", SIGN_HS, TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\",\"jti\":\"" CHARS_128 "x\"," TIMES "," FROM "}", SIGN_HS,
	    TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\",\"role\":true," TIMES "," FROM "}", SIGN_HS, TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\",\"role\":\"" CHARS_32 "\"," TIMES "," FROM "}", SIGN_HS, TOKEN_OK },
	{ HS, "{\"sub\":\"a\",\"role\":\"" CHARS_32 "x\"," TIMES "," FROM "}", SIGN_HS,
	    TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\",\"tier\":[]," TIMES "," FROM "}", SIGN_HS, TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\",\"lang\":{}," TIMES "," FROM "}", SIGN_HS, TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\",\"country\":49," TIMES "," FROM "}", SIGN_HS, TOKEN_MALFORMED },
	/* duplicates: which one would the issuer mean? */
	{ HS, "{\"sub\":\"mallory\",\"sub\":\"alice\"," TIMES "," FROM "}", SIGN_HS,
	    TOKEN_MALFORMED },
	{ HS, "{\"sub\":\"a\"," TIMES ",\"exp\":1700000001," FROM "}", SIGN_HS, TOKEN_MALFORMED },
};

/* Twice, so that what was remembered of the first time shows. */
START_TEST(token_gets_the_verdict_of_the_table_also_the_second_time)
{
	const struct hostile_row *row = &hostile_rows[_i];
	char *token = sign(row->header, row->payload, row->signer);

	ck_assert_int_eq(verify_at(token, NOW), row->verdict);
	assert_verdict(token, NOW, row->verdict);
}
END_TEST

START_TEST(texts_that_are_no_token)
{
	char *huge = xmalloc(1 << 20);
	uint8_t none = 0;

	memset(huge, 'A', 1 << 20);
	ck_assert_int_eq(token_verify(verifier, bytes_of(NULL, 0), NOW, &claims), TOKEN_MISSING);
	ck_assert_int_eq(token_verify(verifier, bytes_of(&none, 1), NOW, &claims), TOKEN_MALFORMED);
	ck_assert_int_eq(
	    token_verify(verifier, bytes_of(huge, 1 << 20), NOW, &claims), TOKEN_MALFORMED);
	ck_assert_int_eq(
	    token_verify(verifier, bytes_of(huge, TOKEN_MAX), NOW, &claims), TOKEN_MALFORMED);
	free(huge);
	ck_assert_uint_eq(token_verifier_stats(verifier).refused, 4);
}
END_TEST

/* One bit anywhere in a good token, and it is good no more. */
START_TEST(every_flipped_bit_is_noticed)
{
	char *tokens[] = { hs256(HS, GOOD), forge_es256(ES, GOOD, ec), forge_rs256(RS, GOOD, rsa) };

	for (size_t t = 0; t < ARRAY_LEN(tokens); t++) {
		size_t len = strlen(tokens[t]);

		/* RS256 and ES256 by samples: they are slow under sanitizers. */
		for (size_t bit = 0; bit < len * 8; bit += t ? 1 + random_below(40) : 1) {
			tokens[t][bit / 8] = (char)(tokens[t][bit / 8] ^ 1 << bit % 8);
			ck_assert_int_ne(
			    token_verify(verifier, bytes_of(tokens[t], len), NOW, &claims),
			    TOKEN_OK);
			tokens[t][bit / 8] = (char)(tokens[t][bit / 8] ^ 1 << bit % 8);
		}
		assert_verdict(tokens[t], NOW, TOKEN_OK);
	}
}
END_TEST

START_TEST(issuer_and_audience_are_not_checked_if_none_is_set)
{
	open_verifier("", "", 0);
	assert_verdict(hs256(HS, "{\"sub\":\"a\"," TIMES "}"), NOW, TOKEN_OK);
	assert_verdict(
	    hs256(HS, "{\"sub\":\"a\"," TIMES ",\"iss\":\"x\",\"aud\":[\"y\"]}"), NOW, TOKEN_OK);
	assert_verdict(hs256(HS, "{\"sub\":\"a\"," TIMES ",\"aud\":1}"), NOW, TOKEN_MALFORMED);
	open_verifier(NULL, NULL, 0);
	assert_verdict(hs256(HS, "{\"sub\":\"a\"," TIMES "}"), NOW, TOKEN_OK);
}
END_TEST

static char *pem_of(bool elliptic, bool private)
{
	return private ? (elliptic ? ec_private : rsa_private)
		       : (elliptic ? ec_public : rsa_public);
}

/* Does libjwt, left alone, find the signature good? */
static bool libjwt_accepts(const char *token, bool elliptic)
{
	const char *pem = pem_of(elliptic, /* private= */ false);
	jwt_t *jwt = NULL;
	bool good = jwt_decode(&jwt, token, (const unsigned char *)pem, (int)strlen(pem)) == 0;

	jwt_free(jwt);
	return good;
}

/* A token that libjwt signed. */
static char *libjwt_token(bool elliptic, int n)
{
	const char *pem = pem_of(elliptic, /* private= */ true);
	char *grants = xasprintf("{\"sub\":\"u%d\"," TIMES "," FROM "}", n);
	jwt_t *jwt = NULL;
	char *token;

	ck_assert_int_eq(jwt_new(&jwt), 0);
	ck_assert_int_eq(jwt_set_alg(jwt, elliptic ? JWT_ALG_ES256 : JWT_ALG_RS256,
			     (const unsigned char *)pem, (int)strlen(pem)),
	    0);
	ck_assert_int_eq(jwt_add_header(jwt, "kid", elliptic ? "es" : "rs"), 0);
	ck_assert_int_eq(jwt_add_grants_json(jwt, grants), 0);
	token = jwt_encode_str(jwt);
	ck_assert_ptr_nonnull(token);
	jwt_free(jwt);
	free(grants);
	return token;
}

/* Both are asked about the same text. */
static void compare_with_libjwt(char *token, bool elliptic, bool good)
{
	enum token_verdict verdict = verify_at(token, NOW);

	ck_assert_msg(libjwt_accepts(token, elliptic) == good, "libjwt: %s", token);
	ck_assert_msg(verdict == (good ? TOKEN_OK : TOKEN_SIGNATURE), "%s: %s",
	    token_verdict_code(verdict), token);
	free(token);
}

START_TEST(evp_and_libjwt_agree_about_signatures)
{
	bool elliptic = _i;
	const char *header = elliptic ? ES : RS;

	for (int n = 0; n < 20; n++) {
		char *payload = xasprintf("{\"sub\":\"v%d\"," TIMES "," FROM "}", n);
		uint8_t sig[256];

		random_bytes(sig, sizeof(sig));
		compare_with_libjwt(libjwt_token(elliptic, n), elliptic, true);
		compare_with_libjwt(
		    elliptic ? forge_es256(header, payload, ec) : forge_rs256(header, payload, rsa),
		    elliptic, true);
		compare_with_libjwt(elliptic ? forge_es256(header, payload, ec_other)
					     : forge_rs256(header, payload, rsa_other),
		    elliptic, false);
		compare_with_libjwt(
		    forge_token(header, payload, sig, elliptic ? 64 : 256), elliptic, false);
		free(payload);
	}
}
END_TEST

START_TEST(token_is_verified_once_and_then_remembered)
{
	char *token = hs256(HS, GOOD);
	struct token_stats stats;

	ck_assert_int_eq(verify_at(token, NOW), TOKEN_OK);
	ck_assert_int_eq(verify_at(token, NOW + 1), TOKEN_OK);
	ck_assert_str_eq(claims.sub, "alice");
	ck_assert_str_eq(claims.kid, "hs");
	ck_assert_int_eq(claims.exp_s, 1700003600);
	stats = token_verifier_stats(verifier);
	ck_assert_uint_eq(stats.verified, 1);
	ck_assert_uint_eq(stats.cached, 1);
	ck_assert_uint_eq(stats.refused, 0);
	ck_assert_uint_eq(stats.remembered, 1);
	free(token);
}
END_TEST

START_TEST(remembered_token_expires_in_time_and_is_forgotten)
{
	char *token = hs256(HS, GOOD);

	ck_assert_int_eq(verify_at(token, NOW), TOKEN_OK);
	ck_assert_int_eq(verify_at(token, NOW + 3600 + 4), TOKEN_OK);
	ck_assert_int_eq(verify_at(token, NOW + 3600 + 5), TOKEN_EXPIRED);
	ck_assert_uint_eq(token_verifier_stats(verifier).remembered, 0);
	ck_assert_int_eq(verify_at(token, NOW + 3600 + 5), TOKEN_EXPIRED);
	free(token);
}
END_TEST

START_TEST(remembered_token_is_not_yet_valid_before_its_time)
{
	char *token = hs256(HS, "{\"sub\":\"a\",\"nbf\":1700000100," TIMES "," FROM "}");

	ck_assert_int_eq(verify_at(token, NOW + 100), TOKEN_OK);
	ck_assert_int_eq(verify_at(token, NOW + 94), TOKEN_NOT_YET);
	ck_assert_int_eq(verify_at(token, NOW + 95), TOKEN_OK);
	ck_assert_int_eq(verify_at(token, NOW - 6), TOKEN_NOT_YET);
	free(token);
}
END_TEST

START_TEST(refused_tokens_are_not_remembered)
{
	assert_verdict(sign(HS, GOOD, SIGN_HS_OTHER), NOW, TOKEN_SIGNATURE);
	assert_verdict(hs256(HS, GOOD), NOW + 4000, TOKEN_EXPIRED);
	assert_verdict(
	    hs256(HS, "{\"sub\":\"a\"," TIMES ",\"iss\":\"bank\"}"), NOW, TOKEN_AUDIENCE);
	ck_assert_uint_eq(token_verifier_stats(verifier).remembered, 0);
	ck_assert_uint_eq(token_verifier_stats(verifier).refused, 3);
}
END_TEST

static char *numbered(int n)
{
	char *payload = xasprintf("{\"sub\":\"u%d\"," TIMES "," FROM "}", n);
	char *token = hs256(HS, payload);

	free(payload);
	return token;
}

START_TEST(memory_is_bounded)
{
	for (int n = 0; n < 300; n++) {
		assert_verdict(numbered(n), NOW, TOKEN_OK);
		ck_assert_uint_le(token_verifier_stats(verifier).remembered, 100);
	}
	ck_assert_uint_eq(token_verifier_stats(verifier).remembered, 100);
	assert_verdict(numbered(299), NOW, TOKEN_OK);
	ck_assert_uint_eq(token_verifier_stats(verifier).cached, 1);
	open_verifier("bank", "ww", 0);
	assert_verdict(numbered(1), NOW, TOKEN_OK);
	assert_verdict(numbered(1), NOW, TOKEN_OK);
	ck_assert_uint_eq(token_verifier_stats(verifier).verified, 2);
}
END_TEST

START_TEST(token_of_a_withdrawn_key_is_refused_at_once)
{
	char *hs = hs256(HS, GOOD), *rs = forge_rs256(RS, GOOD, rsa);

	ck_assert_int_eq(verify_at(hs, NOW), TOKEN_OK);
	ck_assert_int_eq(verify_at(rs, NOW), TOKEN_OK);
	forge_remove(dir, "hs.hs256");
	ck_assert_ok(token_verifier_reload(verifier, &err), err);
	ck_assert_int_eq(verify_at(hs, NOW), TOKEN_KEY);
	ck_assert_int_eq(verify_at(rs, NOW), TOKEN_OK);
	ck_assert_uint_eq(
	    token_verifier_stats(verifier).cached, 1); /* the other one was not forgotten */
	free(hs);
	free(rs);
}
END_TEST

START_TEST(token_of_a_replaced_key_is_refused_at_once)
{
	char *old = hs256(HS, GOOD), *new = forge_hs256(HS, GOOD, CHARS_32, 32);

	ck_assert_int_eq(verify_at(old, NOW), TOKEN_OK);
	forge_text_file(dir, "hs.hs256", CHARS_32);
	ck_assert_ok(token_verifier_reload(verifier, &err), err);
	ck_assert_int_eq(verify_at(old, NOW), TOKEN_SIGNATURE);
	ck_assert_int_eq(verify_at(new, NOW), TOKEN_OK);
	free(old);
	free(new);
}
END_TEST

START_TEST(kid_that_changes_its_algorithm_takes_its_tokens_along)
{
	char *old = hs256(HS, GOOD);

	ck_assert_int_eq(verify_at(old, NOW), TOKEN_OK);
	forge_remove(dir, "hs.hs256");
	forge_text_file(dir, "hs.es256.pem", ec_public);
	ck_assert_ok(token_verifier_reload(verifier, &err), err);
	ck_assert_int_eq(verify_at(old, NOW), TOKEN_ALGORITHM);
	free(old);
}
END_TEST

static uint64_t print_of(const char *token)
{
	ck_assert_int_eq(verify_at(token, NOW), TOKEN_OK);
	return claims.key_print;
}

/* The same bytes under two names are two keys, and one name with other bytes is another key. */
START_TEST(key_is_told_from_every_other_one)
{
	char *token = hs256(HS, GOOD);
	char *copy = hs256("{\"alg\":\"HS256\",\"kid\":\"copy\"}", GOOD);
	unsigned generation = token_keys_generation(verifier);
	uint64_t print = print_of(token);

	ck_assert(token_key_is_used(verifier, print));
	ck_assert(!token_key_is_used(verifier, print + 1));
	ck_assert_ok(token_verifier_reload(verifier, &err), err);
	ck_assert_uint_eq(token_keys_generation(verifier), generation);
	forge_text_file(dir, "copy.hs256", FORGE_SECRET);
	ck_assert_ok(token_verifier_reload(verifier, &err), err);
	ck_assert_uint_ne(token_keys_generation(verifier), generation);
	ck_assert(print_of(copy) != print);
	ck_assert(print_of(token) == print); /* remembered */
	forge_text_file(dir, "hs.hs256", CHARS_32);
	ck_assert_ok(token_verifier_reload(verifier, &err), err);
	ck_assert(!token_key_is_used(verifier, print));
	print = print_of(copy);
	ck_assert(token_key_is_used(verifier, print));
	forge_remove(dir, "copy.hs256");
	ck_assert_ok(token_verifier_reload(verifier, &err), err);
	ck_assert(!token_key_is_used(verifier, print));
	free(token);
	free(copy);
}
END_TEST

START_TEST(key_that_comes_is_usable_after_reload)
{
	char *token = hs256("{\"alg\":\"HS256\",\"kid\":\"new\"}", GOOD);

	ck_assert_int_eq(verify_at(token, NOW), TOKEN_KEY);
	forge_text_file(dir, "new.hs256", FORGE_SECRET);
	ck_assert_int_eq(verify_at(token, NOW), TOKEN_KEY);
	ck_assert_ok(token_verifier_reload(verifier, &err), err);
	ck_assert_int_eq(verify_at(token, NOW), TOKEN_OK);
	free(token);
}
END_TEST

START_TEST(failed_reload_leaves_the_old_keys)
{
	char *token = hs256(HS, GOOD), *away = xasprintf("%s.away", dir);

	ck_assert_int_eq(verify_at(token, NOW), TOKEN_OK);
	forge_text_file(dir, "hs.hs256", "short");
	ck_assert_int_eq(token_verifier_reload(verifier, &err), STATUS_INVALID);
	ck_assert_ptr_nonnull(strstr(err.msg, "hs.hs256"));
	ck_assert_int_eq(verify_at(token, NOW), TOKEN_OK);
	ck_assert_int_eq(rename(dir, away), 0);
	ck_assert_int_eq(token_verifier_reload(verifier, &err), STATUS_NOT_FOUND);
	ck_assert_int_eq(verify_at(token, NOW), TOKEN_OK);
	ck_assert_uint_eq(token_verifier_stats(verifier).cached, 2);
	free(token);
	free(away);
}
END_TEST

START_TEST(verifier_without_keys_is_not_made)
{
	struct token_config cfg = { .keys_dir = "/nonexistent", .issuer = "", .audience = "" };
	struct token_verifier *none = NULL;

	ck_assert_int_eq(token_verifier_new(&cfg, &none, &err), STATUS_NOT_FOUND);
	ck_assert_ptr_null(none);
	ck_assert_ptr_nonnull(strstr(err.msg, "/nonexistent"));
	token_verifier_free(NULL);
}
END_TEST

START_TEST(minted_token_is_verified)
{
	char *token = NULL;

	ck_assert_ok(token_mint(dir, "hs", GOOD, &token, &err), err);
	assert_verdict(token, NOW, TOKEN_OK);
	ck_assert_str_eq(claims.sub, "alice");
	ck_assert_str_eq(claims.kid, "hs");
}
END_TEST

static const struct mint_row {
	const char *kid, *claims;
	enum status status;
} mint_rows[] = {
	{ "nobody", GOOD, STATUS_NOT_FOUND },
	{ "rs", GOOD, STATUS_NOT_FOUND },
	{ "", GOOD, STATUS_INVALID },
	{ "../x", GOOD, STATUS_INVALID },
	{ "hs", "", STATUS_INVALID },
	{ "hs", "[]", STATUS_INVALID },
	{ "hs", "{\"sub\":\"a\",\"sub\":\"b\"}", STATUS_INVALID },
	{ "hs", "{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}", STATUS_INVALID },
};

START_TEST(what_can_not_be_minted_is_refused)
{
	const struct mint_row *row = &mint_rows[_i];
	char *token = NULL;

	ck_assert_int_eq(token_mint(dir, row->kid, row->claims, &token, &err), row->status);
	ck_assert_ptr_null(token);
	ck_assert_str_ne(err.msg, "");
}
END_TEST

START_TEST(minted_token_is_never_too_long_to_be_verified)
{
	size_t largest = 0;

	for (int fill = 2900; fill < 3100; fill += 7) {
		char *json = xasprintf("{\"sub\":\"%0*d\"}", fill, 1);
		char *token = NULL;
		enum status s = token_mint(dir, "hs", json, &token, &err);

		ck_assert(s == STATUS_OK || s == STATUS_TOO_LARGE);
		if (s == STATUS_OK)
			largest = strlen(token);
		ck_assert_uint_le(largest, TOKEN_MAX);
		free(token);
		free(json);
	}
	ck_assert_uint_gt(largest, TOKEN_MAX - 20);
}
END_TEST

START_TEST(every_verdict_has_a_code_and_a_text)
{
	for (int v = 0; v < TOKEN_VERDICTS; v++) {
		ck_assert_int_eq(
		    strncmp(token_verdict_code((enum token_verdict)v), "token_", 6), 0);
		ck_assert_str_ne(token_verdict_text((enum token_verdict)v), "");
	}
	ck_assert_str_eq(token_verdict_code(TOKEN_NOT_YET), "token_not_yet");
	ck_assert_str_eq(token_verdict_code(TOKEN_IN_QUERY), "token_in_query");
}
END_TEST

enum { THREADS = 4, TOKENS = 12, ROUNDS = 150 };

static char *shared_tokens[TOKENS];
static _Atomic bool key_is_gone;
static _Atomic int failures;

static void *verify_many(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		int n = (int)random_below(TOKENS);
		bool was_gone = atomic_load(&key_is_gone);
		struct token_claims own;
		enum token_verdict verdict =
		    token_verify(verifier, bytes_of_str(shared_tokens[n]), NOW, &own);
		bool is_going = n % 3 == 0; /* signed with the key that will be withdrawn */

		if (verdict == TOKEN_OK && is_going && was_gone)
			atomic_fetch_add(&failures, 1);
		if (verdict != TOKEN_OK && !(is_going && verdict == TOKEN_KEY))
			atomic_fetch_add(&failures, 1);
	}
	return arg;
}

START_TEST(many_threads_verify_while_keys_change)
{
	pthread_t threads[THREADS];

	forge_text_file(dir, "going.hs256", FORGE_SECRET);
	open_verifier("bank", "ww", 5); /* smaller than the number of tokens, so that it evicts */
	for (int n = 0; n < TOKENS; n++) {
		char *payload = xasprintf("{\"sub\":\"u%d\"," TIMES "," FROM "}", n);

		shared_tokens[n] = n % 3 == 0
				       ? hs256("{\"alg\":\"HS256\",\"kid\":\"going\"}", payload)
				   : n % 3 == 1 ? forge_rs256(RS, payload, rsa)
						: forge_es256(ES, payload, ec);
		free(payload);
	}
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, verify_many, NULL), 0);
	for (int i = 0; i < 10; i++) {
		forge_text_file(dir, "flipping.hs256", i % 2 ? CHARS_32 : FORGE_SECRET);
		ck_assert_ok(token_verifier_reload(verifier, &err), err);
		ck_assert_uint_le(token_verifier_stats(verifier).remembered, 5);
	}
	forge_remove(dir, "going.hs256");
	ck_assert_ok(token_verifier_reload(verifier, &err), err);
	atomic_store(&key_is_gone, true);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_int_eq(atomic_load(&failures), 0);
	ck_assert_int_eq(verify_at(shared_tokens[0], NOW), TOKEN_KEY);
	for (int n = 0; n < TOKENS; n++)
		free(shared_tokens[n]);
}
END_TEST

/* The windows are small, so there are many of them. */
enum { WITHDRAWALS = 60 };

static _Atomic bool stop;

static void *verify_until_stopped(void *arg)
{
	struct token_claims own;

	while (!atomic_load(&stop))
		(void)!token_verify(verifier, bytes_of_str(arg), NOW, &own);
	return NULL;
}

START_TEST(token_verified_while_its_key_went_is_not_remembered)
{
	pthread_t threads[2];
	char *token = forge_rs256("{\"alg\":\"RS256\",\"kid\":\"going\"}", GOOD, rsa);

	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, verify_until_stopped, token), 0);
	for (int i = 0; i < WITHDRAWALS; i++) {
		forge_text_file(dir, "going.rs256.pem", rsa_public);
		ck_assert_ok(token_verifier_reload(verifier, &err), err);
		forge_remove(dir, "going.rs256.pem");
		ck_assert_ok(token_verifier_reload(verifier, &err), err);
		for (int n = 0; n < 20; n++)
			ck_assert_int_eq(verify_at(token, NOW), TOKEN_KEY);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	free(token);
}
END_TEST

static void add_verdict_tests(TCase *tcase)
{
	tcase_add_test(tcase, three_algorithms_are_verified_by_their_keys);
	tcase_add_test(tcase, claims_are_copied_out);
	tcase_add_loop_test(tcase, token_gets_the_verdict_of_the_table_also_the_second_time, 0,
	    (int)ARRAY_LEN(hostile_rows));
	tcase_add_test(tcase, texts_that_are_no_token);
	tcase_add_test(tcase, every_flipped_bit_is_noticed);
	tcase_add_test(tcase, issuer_and_audience_are_not_checked_if_none_is_set);
	tcase_add_loop_test(tcase, evp_and_libjwt_agree_about_signatures, 0, 2);
	tcase_add_test(tcase, every_verdict_has_a_code_and_a_text);
}

static void add_memory_tests(TCase *tcase)
{
	tcase_add_test(tcase, token_is_verified_once_and_then_remembered);
	tcase_add_test(tcase, remembered_token_expires_in_time_and_is_forgotten);
	tcase_add_test(tcase, remembered_token_is_not_yet_valid_before_its_time);
	tcase_add_test(tcase, refused_tokens_are_not_remembered);
	tcase_add_test(tcase, memory_is_bounded);
	tcase_add_test(tcase, token_of_a_withdrawn_key_is_refused_at_once);
	tcase_add_test(tcase, token_of_a_replaced_key_is_refused_at_once);
	tcase_add_test(tcase, kid_that_changes_its_algorithm_takes_its_tokens_along);
	tcase_add_test(tcase, key_is_told_from_every_other_one);
	tcase_add_test(tcase, key_that_comes_is_usable_after_reload);
	tcase_add_test(tcase, failed_reload_leaves_the_old_keys);
	tcase_add_test(tcase, verifier_without_keys_is_not_made);
	tcase_add_test(tcase, many_threads_verify_while_keys_change);
	tcase_add_test(tcase, token_verified_while_its_key_went_is_not_remembered);
}

static void add_mint_tests(TCase *tcase)
{
	tcase_add_test(tcase, minted_token_is_verified);
	tcase_add_loop_test(tcase, what_can_not_be_minted_is_refused, 0, (int)ARRAY_LEN(mint_rows));
	tcase_add_test(tcase, minted_token_is_never_too_long_to_be_verified);
}

int main(void)
{
	static const struct {
		const char *name;
		void (*add)(TCase *tcase);
	} cases[] = { { "verdicts", add_verdict_tests }, { "memory", add_memory_tests },
		{ "mint", add_mint_tests } };
	Suite *suite = suite_create("token");
	int exit_code;

	(void)support_tmp_dir();
	make_keys();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		TCase *tcase = tcase_create(cases[i].name);

		tcase_add_checked_fixture(tcase, setup, teardown);
		tcase_set_timeout(tcase, 120);
		cases[i].add(tcase);
		suite_add_tcase(suite, tcase);
	}
	exit_code = support_run(suite);
	free_keys();
	return exit_code;
}
