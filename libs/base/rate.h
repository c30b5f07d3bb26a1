/*
 * rate: how often something may happen: so often a second, and so many at once after a rest.
 *
 * A token bucket, held as the one number that says when it will be full again. Pure integer
 * arithmetic, and the time is passed in (microseconds of any clock that does not go back).
 */
#ifndef BASE_RATE_H
#define BASE_RATE_H

#include <stdbool.h>
#include <stdint.h>

enum { RATE_PER_S_MAX = 1000000 };

/* A rule, shared by any number of buckets. All zero: no limit. */
struct rate_rule {
	int64_t token_us; /* until a token that was taken is back */
	int64_t depth_us; /* until an empty bucket is full */
};

/* One bucket. All zero: full. */
struct rate_bucket {
	int64_t full_at_us;
};

/* `per_s` (0: no limit) and `burst` (at least 1) are at most RATE_PER_S_MAX. */
struct rate_rule rate_rule(int64_t per_s, int64_t burst);

/* Takes a token; returns 0, or after how many milliseconds there will be one: nothing was taken. */
int64_t rate_take(const struct rate_rule *rule, struct rate_bucket *bucket, int64_t now_us);

#endif
