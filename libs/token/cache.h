/*
 * cache: tokens that passed, by the SHA-256 of their text. Bounded; what was not used since the
 * hand came by last goes first (the clock algorithm). Not thread-safe: the verifier locks. Internal
 * to libs/token.
 */
#ifndef TOKEN_CACHE_H
#define TOKEN_CACHE_H

#include <uthash.h>

#include "token/token.h"

enum { CACHE_ID_SIZE = 32 };

struct cache_entry {
	uint8_t id[CACHE_ID_SIZE];
	struct token_claims claims;
	int64_t nbf_s;
	int64_t forget_s; /* of no use from then on */
	size_t slot;
	bool used;
	UT_hash_handle hh;
};

struct cache {
	struct cache_entry *by_id;
	struct cache_entry **slots;
	size_t len, max, hand;
};

void cache_init(struct cache *cache, size_t max); /* 0: remembers nothing */
void cache_finish(struct cache *cache);

/* NULL if it is not remembered. Lent until the next call that changes the cache. */
struct cache_entry *cache_find(struct cache *cache, const uint8_t id[static CACHE_ID_SIZE]);

/* Remembers a copy; an entry with that id stays as it is. */
void cache_add(struct cache *cache, const struct cache_entry *entry, int64_t now_s);
void cache_drop(struct cache *cache, struct cache_entry *entry);

#endif
