/* One array for the hand to go round in, one hash to find by; every entry is in both. */
#include "base/xalloc.h"

#define uthash_malloc(size) xmalloc(size)

#include "token/cache.h"

#include <stdlib.h>

enum { SWEEP = 4 }; /* entries looked at for expiry by each add, so that the dead don't pile up */

void cache_init(struct cache *cache, size_t max)
{
	*cache = (struct cache){ .max = max };
	cache->slots = xcalloc(max, sizeof(struct cache_entry *));
}

void cache_drop(struct cache *cache, struct cache_entry *entry)
{
	struct cache_entry *last = cache->slots[--cache->len];

	cache->slots[entry->slot] = last;
	last->slot = entry->slot;
	HASH_DEL(cache->by_id, entry); /* NOLINT: the analyzer can't follow uthash's list */
	free(entry);
}

void cache_finish(struct cache *cache)
{
	while (cache->len)
		cache_drop(cache, cache->slots[cache->len - 1]);
	free(cache->slots);
	*cache = (struct cache){ 0 };
}

/* NOLINTNEXTLINE(readability-function-size): the macro's lines, not ours */
static struct cache_entry *find(const struct cache *cache, const uint8_t *id)
{
	struct cache_entry *entry;

	HASH_FIND(hh, cache->by_id, id, CACHE_ID_SIZE, entry);
	return entry;
}

struct cache_entry *cache_find(struct cache *cache, const uint8_t id[static CACHE_ID_SIZE])
{
	struct cache_entry *entry = find(cache, id);

	if (entry)
		entry->used = true;
	return entry;
}

static struct cache_entry *under_hand(struct cache *cache)
{
	if (cache->hand >= cache->len)
		cache->hand = 0;
	return cache->slots[cache->hand];
}

static void sweep(struct cache *cache, int64_t now_s)
{
	for (int i = 0; i < SWEEP && cache->len; i++) {
		struct cache_entry *entry = under_hand(cache);

		if (entry->forget_s <= now_s)
			cache_drop(cache, entry);
		else
			cache->hand++;
	}
}

static void make_room(struct cache *cache)
{
	while (cache->len == cache->max) {
		struct cache_entry *entry = under_hand(cache);

		if (!entry->used) {
			cache_drop(cache, entry);
		} else {
			entry->used = false;
			cache->hand++;
		}
	}
}

/* NOLINTNEXTLINE(readability-function-size): the macro's lines, not ours */
static void add(struct cache *cache, struct cache_entry *entry)
{
	entry->slot = cache->len;
	cache->slots[cache->len++] = entry;
	HASH_ADD(hh, cache->by_id, id, CACHE_ID_SIZE, entry);
}

void cache_add(struct cache *cache, const struct cache_entry *entry, int64_t now_s)
{
	if (cache->max == 0 || find(cache, entry->id))
		return;
	sweep(cache, now_s);
	make_room(cache);
	add(cache, xmemdup(entry, sizeof(*entry)));
}
