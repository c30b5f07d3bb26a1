/* stats: what this service counts, for /metrics. Any thread. */
#ifndef AUDIT_STATS_H
#define AUDIT_STATS_H

#include <stdbool.h>
#include <stdint.h>

enum stats_counter {
	STATS_RECORDS,
	STATS_DUPLICATES,
	STATS_UNREADABLE,
	STATS_GAPS,
	STATS_LOST,
	STATS_HEADS,
	STATS_HEADS_FAILED,
	STATS_DROPPED,
	STATS_FAILED,
};

void stats_register(void); /* once, before threads exist */
void stats_count(enum stats_counter counter, int64_t n);
void stats_active(bool active);
void stats_broken(bool broken);
void stats_waiting(int64_t messages);

#endif
