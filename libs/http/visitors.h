/*
 * visitors: how often each address has come of late.
 *
 * A table of fixed size with a bucket (base/rate.h) per address; IPv6 counts by /64, since that is
 * what one subscriber has. Memory does not grow with the number of addresses: where there is no
 * room left, the bucket that has been full for longest is given away, which loses nothing, and if
 * none is full the one that will be next. Which addresses share a place is not foreseeable from
 * outside.
 *
 * Threads: any; a short mutex.
 */
#ifndef HTTP_VISITORS_H
#define HTTP_VISITORS_H

#include "base/address.h"
#include "base/rate.h"

struct visitors;

/* Room for `max` addresses, at least. */
struct visitors *visitors_new(struct rate_rule rule, size_t max);
void visitors_free(struct visitors *visitors); /* NULL is fine */

/* One more visit: 0, or after how many milliseconds it would be let in. */
int64_t visitors_admit(
    struct visitors *visitors, const struct address *address, int64_t now_us) MUST_CHECK;

#endif
