/* stats: what this service counts, for /metrics. Any thread. */
#ifndef PRESENCE_STATS_H
#define PRESENCE_STATS_H

#include <stdint.h>

enum stats_counter {
	STATS_REPORTS,   /* heard from edges */
	STATS_MISSED,    /* times an edge was asked for its whole table */
	STATS_MALFORMED, /* reports that could not be read */
	STATS_CHANGES,   /* users whose friends were told */
	STATS_LISTS,     /* lists of friends told */
	STATS_BATCHES,   /* messages to edges */
	STATS_EXCESS,    /* times somebody had too many sockets */
	STATS_FAILED,    /* turns that could not be finished */
	STATS_COUNTERS
};

enum stats_gauge {
	STATS_SPEAKS,  /* 1: this replica tells the edges */
	STATS_USERS,   /* known: online, away, or gone a moment ago */
	STATS_DEVICES, /* of these, by loop of an edge */
	STATS_GAUGES
};

void stats_register(void); /* once, before threads exist */
void stats_count(enum stats_counter counter, int64_t n);
void stats_set(enum stats_gauge gauge, int64_t n);

#endif
