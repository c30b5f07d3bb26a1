/* stats: what this service counts, for /metrics. Any thread. */
#ifndef CHAT_STATS_H
#define CHAT_STATS_H

#include <stdint.h>

#include "service/relay.h"

enum stats_counter {
	STATS_MESSAGES,   /* stored */
	STATS_RETRIES,    /* of a send that had been stored */
	STATS_RECIPIENTS, /* of stored messages */
	STATS_TYPING,     /* hints published */
	STATS_FRIENDS_ASKED,
	STATS_ROOMS_REFUSED, /* their maker is in too many, or has made too many */
	STATS_UPKEEP_FAILED,
	STATS_COUNTERS
};

void stats_register(void); /* once, before threads exist */
const struct relay_metrics *stats_events(void);
void stats_count(enum stats_counter counter, int64_t n);

#endif
