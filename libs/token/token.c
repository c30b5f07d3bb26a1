/*
 * A verification holds no lock while it computes: it borrows the key set, and what it found is
 * remembered only if that set is still the one in use. So a token that was being verified while its
 * key went may pass that once, and never again.
 */
#include "token/token.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"
#include "token/cache.h"
#include "token/claims.h"
#include "token/gate.h"
#include "token/keys.h"
#include "token/signature.h"

struct token_verifier {
	/* never change */
	char *keys_dir, *issuer, *audience;
	struct claims_rules rules;
	EVP_MD *sha256; /* fetched once: OpenSSL 3 takes longer to find it than to use it */

	/* under lock */
	pthread_mutex_t lock;
	struct keyset *keys;
	unsigned generation; /* of keys */
	struct cache cache;

	/* counted by any thread */
	_Atomic uint64_t verified, cached, refused;
};

static const struct {
	const char *code, *text;
} verdicts[] = {
	[TOKEN_OK] = { "token_ok", "the token is good" },
	[TOKEN_MISSING] = { "token_missing", "a token is required" },
	[TOKEN_MALFORMED] = { "token_malformed", "this is not a token we can read" },
	[TOKEN_EXPIRED] = { "token_expired", "the token has expired" },
	[TOKEN_NOT_YET] = { "token_not_yet", "the token is not valid yet" },
	[TOKEN_SIGNATURE] = { "token_signature", "the token's signature is wrong" },
	[TOKEN_ALGORITHM] = { "token_algorithm",
	    "the token's algorithm is not the one of its key" },
	[TOKEN_KEY] = { "token_key", "the token's key is not known" },
	[TOKEN_ISSUER] = { "token_issuer", "the token was issued by somebody else" },
	[TOKEN_AUDIENCE] = { "token_audience", "the token is for somebody else" },
	[TOKEN_REVOKED] = { "token_revoked", "the token was revoked" },
	[TOKEN_ROLE] = { "token_role", "the token's role may not do this" },
	[TOKEN_IN_QUERY] = { "token_in_query", "a token must not be in the URL" },
};

_Static_assert(ARRAY_LEN(verdicts) == TOKEN_VERDICTS, "a row per verdict");

const char *token_verdict_code(enum token_verdict verdict)
{
	assert((unsigned)verdict < TOKEN_VERDICTS);
	return verdicts[verdict].code;
}

const char *token_verdict_text(enum token_verdict verdict)
{
	assert((unsigned)verdict < TOKEN_VERDICTS);
	return verdicts[verdict].text;
}

enum status token_verifier_new(
    const struct token_config *cfg, struct token_verifier **ret_verifier, struct err *err)
{
	struct token_verifier *verifier;
	struct keyset *keys;
	enum status s = keyset_load(cfg->keys_dir, NULL, &keys, err);

	if (s)
		return s;
	verifier = xcalloc(1, sizeof(*verifier));
	verifier->keys = keys;
	verifier->keys_dir = xstrdup(cfg->keys_dir);
	verifier->issuer = xstrdup(cfg->issuer ? cfg->issuer : "");
	verifier->audience = xstrdup(cfg->audience ? cfg->audience : "");
	verifier->rules = (struct claims_rules){ verifier->issuer, verifier->audience,
		cfg->leeway_s, cfg->max_life_s };
	verifier->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	assert(verifier->sha256 && "SHA-256 is there");
	cache_init(&verifier->cache, cfg->cache_max);
	(void)pthread_mutex_init(&verifier->lock, NULL);
	*ret_verifier = verifier;
	return STATUS_OK;
}

void token_verifier_free(struct token_verifier *verifier)
{
	if (!verifier)
		return;
	keyset_unref(verifier->keys);
	cache_finish(&verifier->cache);
	EVP_MD_free(verifier->sha256);
	(void)pthread_mutex_destroy(&verifier->lock);
	free(verifier->keys_dir);
	free(verifier->issuer);
	free(verifier->audience);
	free(verifier);
}

/* Backwards, because dropping moves the last entry into the gap. */
static void forget_changed(struct cache *cache, const struct keyset *old, const struct keyset *now)
{
	for (size_t i = cache->len; i-- > 0;) {
		const char *kid = cache->slots[i]->claims.kid;
		const struct key *old_key = keyset_find(old, kid);
		const struct key *key = keyset_find(now, kid);

		if (!key || !old_key || !key_equal(key, old_key))
			cache_drop(cache, cache->slots[i]);
	}
}

enum status token_verifier_reload(struct token_verifier *verifier, struct err *err)
{
	struct keyset *old = verifier->keys; /* only this thread replaces it */
	struct keyset *keys;
	enum status s = keyset_load(verifier->keys_dir, old, &keys, err);

	if (!keys || keyset_equal(keys, old)) {
		keyset_unref(keys);
		return s;
	}
	(void)pthread_mutex_lock(&verifier->lock);
	verifier->keys = keys;
	verifier->generation++;
	forget_changed(&verifier->cache, old, keys);
	(void)pthread_mutex_unlock(&verifier->lock);
	keyset_unref(old);
	return s;
}

bool token_key_is_used(struct token_verifier *verifier, uint64_t print)
{
	bool used;

	(void)pthread_mutex_lock(&verifier->lock);
	used = keyset_has_print(verifier->keys, print);
	(void)pthread_mutex_unlock(&verifier->lock);
	return used;
}

unsigned token_keys_generation(struct token_verifier *verifier)
{
	unsigned generation;

	(void)pthread_mutex_lock(&verifier->lock);
	generation = verifier->generation;
	(void)pthread_mutex_unlock(&verifier->lock);
	return generation;
}

static void digest(
    const struct token_verifier *verifier, struct bytes token, uint8_t ret_id[static CACHE_ID_SIZE])
{
	int ok = EVP_Digest(token.data, token.len, ret_id, NULL, verifier->sha256, NULL);

	assert(ok == 1);
}

/* Is it remembered? Then *ret_verdict says what it is worth now; else *ret_keys is borrowed. */
static bool recall(struct token_verifier *verifier, const uint8_t *id, int64_t now_s,
    struct token_claims *ret_claims, enum token_verdict *ret_verdict, struct keyset **ret_keys)
{
	struct cache_entry *entry;

	(void)pthread_mutex_lock(&verifier->lock);
	entry = cache_find(&verifier->cache, id);
	if (!entry) {
		*ret_keys = keyset_ref(verifier->keys);
	} else {
		*ret_verdict =
		    claims_check_time(&entry->claims, entry->nbf_s, &verifier->rules, now_s);
		if (*ret_verdict == TOKEN_OK)
			*ret_claims = entry->claims;
		else if (*ret_verdict == TOKEN_EXPIRED)
			cache_drop(&verifier->cache, entry);
	}
	(void)pthread_mutex_unlock(&verifier->lock);
	return entry != NULL;
}

/* Only if the keys it was verified with are still in use. */
static void remember(struct token_verifier *verifier, const struct cache_entry *entry,
    const struct keyset *keys, int64_t now_s)
{
	(void)pthread_mutex_lock(&verifier->lock);
	if (verifier->keys == keys)
		cache_add(&verifier->cache, entry, now_s);
	(void)pthread_mutex_unlock(&verifier->lock);
}

/* libjwt takes no other type than JWT; issuers that sign with a key pair write "at+jwt" (RFC 9068).
 * Whatever else such a key signs (logout tokens, proofs) is no access token (RFC 8725
 * section 3.11). */
static bool type_is_ours(const char *typ, enum key_alg alg)
{
	return !*typ || strcasecmp(typ, "JWT") == 0 ||
	       (alg != KEY_HS256 && strcasecmp(typ, "at+jwt") == 0);
}

static enum token_verdict check_key(const struct token_verifier *verifier,
    const struct keyset *keys, struct bytes token, const struct gate_token *open)
{
	const struct key *key = keyset_find(keys, open->kid);

	if (!key)
		return TOKEN_KEY;
	if (strcmp(open->alg, key_alg_name(key->alg)) != 0)
		return TOKEN_ALGORITHM;
	if (!type_is_ours(open->typ, key->alg))
		return TOKEN_MALFORMED;
	return signature_is_good(key, verifier->sha256, token, open) ? TOKEN_OK : TOKEN_SIGNATURE;
}

static enum token_verdict check_claims(
    const struct token_verifier *verifier, int64_t now_s, const struct claims_read *read)
{
	enum token_verdict verdict =
	    claims_check_time(&read->claims, read->nbf_s, &verifier->rules, now_s);

	if (verdict)
		return verdict;
	if (!read->issuer_ok)
		return TOKEN_ISSUER;
	return read->audience_ok ? TOKEN_OK : TOKEN_AUDIENCE;
}

static enum token_verdict verify_open(const struct token_verifier *verifier,
    const struct keyset *keys, struct bytes token, int64_t now_s, const struct gate_token *open,
    struct claims_read *ret_read)
{
	enum token_verdict verdict = check_key(verifier, keys, token, open);

	if (!verdict)
		verdict = claims_read(open->payload, &verifier->rules, ret_read);
	if (!verdict)
		verdict = check_claims(verifier, now_s, ret_read);
	return verdict;
}

/* The whole way, for a token that is not remembered. */
static enum token_verdict verify_new(struct token_verifier *verifier, const struct keyset *keys,
    struct bytes token, int64_t now_s, struct cache_entry *entry)
{
	struct gate_token open;
	struct claims_read read;
	enum token_verdict verdict = gate_open(token, &open);

	if (verdict)
		return verdict;
	verdict = verify_open(verifier, keys, token, now_s, &open, &read);
	if (!verdict) {
		entry->claims = read.claims;
		memcpy(entry->claims.kid, open.kid, strlen(open.kid) + 1);
		entry->claims.key_print = key_print(keyset_find(keys, open.kid));
		entry->nbf_s = read.nbf_s;
		entry->forget_s = read.claims.exp_s + verifier->rules.leeway_s;
	}
	gate_finish(&open);
	return verdict;
}

static enum token_verdict verify(struct token_verifier *verifier, struct bytes token, int64_t now_s,
    struct token_claims *ret_claims)
{
	struct cache_entry entry = { .used = false };
	struct keyset *keys = NULL;
	enum token_verdict verdict;

	digest(verifier, token, entry.id);
	if (recall(verifier, entry.id, now_s, ret_claims, &verdict, &keys)) {
		if (!verdict)
			atomic_fetch_add_explicit(&verifier->cached, 1, memory_order_relaxed);
		return verdict;
	}
	verdict = verify_new(verifier, keys, token, now_s, &entry);
	if (!verdict) {
		atomic_fetch_add_explicit(&verifier->verified, 1, memory_order_relaxed);
		remember(verifier, &entry, keys, now_s);
		*ret_claims = entry.claims;
	}
	keyset_unref(keys);
	return verdict;
}

enum token_verdict token_verify(struct token_verifier *verifier, struct bytes token, int64_t now_s,
    struct token_claims *ret_claims)
{
	enum token_verdict verdict;

	/* Before it is even hashed. */
	if (token.len == 0)
		verdict = TOKEN_MISSING;
	else if (token.len > TOKEN_MAX)
		verdict = TOKEN_MALFORMED;
	else
		verdict = verify(verifier, token, now_s, ret_claims);
	if (verdict)
		atomic_fetch_add_explicit(&verifier->refused, 1, memory_order_relaxed);
	return verdict;
}

struct token_stats token_verifier_stats(struct token_verifier *verifier)
{
	struct token_stats stats = {
		.verified = atomic_load_explicit(&verifier->verified, memory_order_relaxed),
		.cached = atomic_load_explicit(&verifier->cached, memory_order_relaxed),
		.refused = atomic_load_explicit(&verifier->refused, memory_order_relaxed),
	};

	(void)pthread_mutex_lock(&verifier->lock);
	stats.remembered = verifier->cache.len;
	(void)pthread_mutex_unlock(&verifier->lock);
	return stats;
}
