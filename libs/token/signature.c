/*
 * HS256 is libjwt's; RS256 and ES256 are EVP's, over keys that were parsed once: libjwt parses the
 * PEM for every token, which costs twenty and five times the check itself. The gate stands before
 * both.
 */
#include "token/signature.h"

#include <assert.h>
#include <jwt.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <string.h>

enum {
	ES256_HALF = 32, /* r and s, big-endian (RFC 7518 section 3.4) */
	ES256_RAW = 64,
	ES256_DER_MAX = 80, /* at most 72 are needed */
};

static bool hs256_is_good(const struct key *key, struct bytes token)
{
	char text[TOKEN_MAX + 1];
	jwt_t *jwt = NULL;
	bool good;

	assert(token.len <= TOKEN_MAX && key->secret_len > 0);
	memcpy(text, token.data, token.len);
	text[token.len] = '\0';
	good = jwt_decode(&jwt, text, key->secret, (int)key->secret_len) == 0;
	/* The gate compared the name already; this is what libjwt made of it. */
	good = good && jwt_get_alg(jwt) == JWT_ALG_HS256;
	jwt_free(jwt);
	return good;
}

static bool evp_is_good(
    const struct key *key, const EVP_MD *sha256, struct bytes input, struct bytes signature)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool good = md && EVP_DigestVerifyInit(md, NULL, sha256, NULL, key->public) == 1 &&
		    EVP_DigestVerify(md, signature.data, signature.len, input.data, input.len) == 1;

	EVP_MD_CTX_free(md);
	if (!good)
		ERR_clear_error(); /* the queue is the thread's, and others use OpenSSL on it */
	return good;
}

/* r and s side by side become the DER that OpenSSL checks. Returns its length, 0 on failure. */
static size_t es256_to_der(
    const uint8_t raw[static ES256_RAW], uint8_t ret_der[static ES256_DER_MAX])
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, ES256_HALF, NULL);
	BIGNUM *s = BN_bin2bn(raw + ES256_HALF, ES256_HALF, NULL);
	int len = 0;

	if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
		r = s = NULL; /* the signature's now */
		if (i2d_ECDSA_SIG(sig, NULL) <= ES256_DER_MAX)
			len = i2d_ECDSA_SIG(sig, &ret_der);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return len > 0 ? (size_t)len : 0;
}

static bool es256_is_good(
    const struct key *key, const EVP_MD *sha256, const struct gate_token *open)
{
	uint8_t der[ES256_DER_MAX];
	size_t len;

	if (open->signature_len != ES256_RAW)
		return false;
	len = es256_to_der(open->signature, der);
	return len && evp_is_good(key, sha256, open->signing_input, bytes_of(der, len));
}

bool signature_is_good(
    const struct key *key, const EVP_MD *sha256, struct bytes token, const struct gate_token *open)
{
	switch (key->alg) {
	case KEY_HS256:
		return hs256_is_good(key, token);
	case KEY_RS256:
		return evp_is_good(key, sha256, open->signing_input,
		    bytes_of(open->signature, open->signature_len));
	case KEY_ES256:
		return es256_is_good(key, sha256, open);
	case KEY_ALGS:
		break;
	}
	assert(false && "an algorithm of keys.h");
	return false;
}
