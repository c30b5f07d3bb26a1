/* stats: what this program counts, for /metrics. Any thread. */
#ifndef OUTBOX_STATS_H
#define OUTBOX_STATS_H

#include <stdint.h>

enum stats_counter {
	STATS_PUBLISHED,  /* events stored by the stream */
	STATS_DUPLICATES, /* events that the stream had already */
	STATS_FAILED,     /* tries to publish that failed */
	STATS_SET_ASIDE,  /* rows that can't be published */
	STATS_COUNTERS
};

enum stats_gauge {
	STATS_ACTIVE,         /* 1: this replica publishes */
	STATS_WAITING,        /* rows in the outbox */
	STATS_OLDEST_SECONDS, /* the age of the oldest of them */
	STATS_DEAD,           /* rows that were set aside and are still there */
	STATS_GAUGES
};

void stats_register(void); /* once, before threads exist */
void stats_count(enum stats_counter counter, int64_t n);
void stats_set(enum stats_gauge gauge, int64_t n);

#endif
