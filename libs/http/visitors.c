/*
 * Rows of eight places each; an address may only be in the row its hash names. So a visit looks at
 * eight places and never moves one. What the kernel has not been asked for by a visit costs no
 * memory.
 */
#include "http/visitors.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/id.h"
#include "base/xalloc.h"

enum { ROW = 8, V6_SUBSCRIBER_BYTES = 8 };

/* One that was never used is that of the address :: and has been full forever. */
struct place {
	struct address address;
	struct rate_bucket bucket;
};

struct visitors {
	struct rate_rule rule;
	size_t rows; /* a power of two */
	uint64_t seeds[2];
	pthread_mutex_t lock;
	struct place *places; /* guarded by lock */
};

struct visitors *visitors_new(struct rate_rule rule, size_t max)
{
	struct visitors *visitors = xcalloc(1, sizeof(*visitors));

	visitors->rule = rule;
	visitors->rows = 1;
	while (visitors->rows * ROW < max)
		visitors->rows *= 2;
	random_bytes(visitors->seeds, sizeof(visitors->seeds));
	visitors->places = xcalloc(visitors->rows * ROW, sizeof(*visitors->places));
	(void)pthread_mutex_init(&visitors->lock, NULL);
	return visitors;
}

void visitors_free(struct visitors *visitors)
{
	if (!visitors)
		return;
	(void)pthread_mutex_destroy(&visitors->lock);
	free(visitors->places);
	free(visitors);
}

/* The finalizer of MurmurHash3. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
	x = (x ^ x >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ x >> 33;
}

static struct place *row_of(const struct visitors *visitors, const struct address *address)
{
	uint64_t halves[2];
	uint64_t hash;

	memcpy(halves, address->bytes, sizeof(halves));
	hash = mix(mix(halves[0] ^ visitors->seeds[0]) + (halves[1] ^ visitors->seeds[1]));
	return &visitors->places[(hash & (visitors->rows - 1)) * ROW];
}

/* The address's own place, or the one it is given. */
static struct place *place_of(struct place *row, const struct address *address)
{
	struct place *oldest = row;

	for (struct place *place = row; place < row + ROW; place++) {
		if (memcmp(&place->address, address, sizeof(*address)) == 0)
			return place;
		if (place->bucket.full_at_us < oldest->bucket.full_at_us)
			oldest = place;
	}
	*oldest = (struct place){ .address = *address };
	return oldest;
}

int64_t visitors_admit(struct visitors *visitors, const struct address *address, int64_t now_us)
{
	struct address subscriber = *address;
	int64_t wait_ms;

	if (!address_is_v4(address))
		memset(
		    subscriber.bytes + V6_SUBSCRIBER_BYTES, 0, ADDRESS_BYTES - V6_SUBSCRIBER_BYTES);
	(void)pthread_mutex_lock(&visitors->lock);
	wait_ms = rate_take(
	    &visitors->rule, &place_of(row_of(visitors, &subscriber), &subscriber)->bucket, now_us);
	(void)pthread_mutex_unlock(&visitors->lock);
	return wait_ms;
}
