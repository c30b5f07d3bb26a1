/* A full bucket lies in the past; each token that is taken moves that further into the future. */
#include "base/rate.h"

#include <assert.h>

enum { US_PER_S = 1000000, US_PER_MS = 1000 };

struct rate_rule rate_rule(int64_t per_s, int64_t burst)
{
	int64_t token_us;

	assert(per_s >= 0 && per_s <= RATE_PER_S_MAX && burst >= 1 && burst <= RATE_PER_S_MAX);
	if (per_s == 0)
		return (struct rate_rule){ 0 };
	token_us = US_PER_S / per_s;
	return (struct rate_rule){ .token_us = token_us, .depth_us = token_us * burst };
}

int64_t rate_take(const struct rate_rule *rule, struct rate_bucket *bucket, int64_t now_us)
{
	int64_t from_us = bucket->full_at_us > now_us ? bucket->full_at_us : now_us;
	int64_t over_us = from_us + rule->token_us - now_us - rule->depth_us;

	if (over_us > 0)
		return (over_us + US_PER_MS - 1) / US_PER_MS;
	bucket->full_at_us = from_us + rule->token_us;
	return 0;
}
