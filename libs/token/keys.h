/*
 * keys: the key directory. A key has one algorithm, fixed by its file's name; the token has no say.
 *
 * Keys and key sets never change once made and are counted references, so that a thread can verify
 * with a set that is being replaced. Internal to libs/token.
 */
#ifndef TOKEN_KEYS_H
#define TOKEN_KEYS_H

#include <openssl/evp.h>
#include <stdatomic.h>

#include "base/bytes.h"
#include "base/err.h"

enum {
	KID_MAX = 64,
	KEY_DIGEST_SIZE = 32,
	KEYS_MAX = 256,
};

enum key_alg { KEY_HS256, KEY_RS256, KEY_ES256, KEY_ALGS };

struct key {
	char kid[KID_MAX + 1];
	enum key_alg alg;
	uint8_t digest[KEY_DIGEST_SIZE]; /* of kid, algorithm and file: equal means unchanged */
	uint8_t *secret;                 /* HS256 */
	size_t secret_len;
	EVP_PKEY *public; /* RS256, ES256 */
	_Atomic unsigned refs;
};

struct keyset {
	struct key *keys[KEYS_MAX]; /* in the order of their kids */
	size_t len;
	_Atomic unsigned refs;
};

const char *key_alg_name(enum key_alg alg); /* "HS256" */
bool key_kid_is_valid(const char *kid);     /* [A-Za-z0-9_.-]{1,64}, not starting with a dot */
uint64_t key_print(const struct key *key);  /* see struct token_claims */
bool key_equal(const struct key *a, const struct key *b);

/* The key in <dir>/<kid>.hs256. */
enum status key_load_secret(
    const char *dir, const char *kid, struct key **ret_key, struct err *err) MUST_CHECK;
void key_unref(struct key *key); /* NULL is fine */

/*
 * Loads the directory. With `old`, unchanged keys are shared with it, and a file that can't be used
 * leaves its old key in place while all others are loaded; the failure is returned nevertheless.
 * *ret_set is NULL only if the directory can't be read, or, without `old`, on any failure.
 */
enum status keyset_load(
    const char *dir, const struct keyset *old, struct keyset **ret_set, struct err *err) MUST_CHECK;

struct keyset *keyset_ref(struct keyset *set);
void keyset_unref(struct keyset *set); /* NULL is fine */

/* Lent by the set; NULL if there is none. */
struct key *keyset_find(const struct keyset *set, const char *kid);
bool keyset_has_print(const struct keyset *set, uint64_t print);
bool keyset_equal(const struct keyset *a, const struct keyset *b);

#endif
