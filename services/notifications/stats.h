/* stats: what this service counts, for /metrics. Any thread. */
#ifndef NOTIFICATIONS_STATS_H
#define NOTIFICATIONS_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/status.h"

enum stats_counter {
	STATS_ROWS,       /* mailbox rows written */
	STATS_DUPLICATES, /* events that had been applied before */
	STATS_STALE,      /* states older than what was stored */
	STATS_DLQ,        /* events given up */
	STATS_FAILED,     /* batches that had to be tried again */
	STATS_RINGS,      /* deliveries published */
	STATS_GAPS,       /* numbers of the stream that never came */
	STATS_CHANGED,    /* inbox items moved by users */
	STATS_EXPIRED,    /* inbox items that expired while unread */
	STATS_RECALLED,   /* inbox items taken back */
	STATS_ERASED,     /* mailbox items made void because their user is erased */
	STATS_BALANCES,   /* balances that the back end said and that were new */
	STATS_UNASKED,    /* movements whose balances were not asked for: too many were pending */
	STATS_COUNTERS
};

enum stats_gauge {
	STATS_APPLIER,    /* 1: this replica applies events */
	STATS_IN_HAND,    /* events fetched and not yet acknowledged */
	STATS_STREAM_SEQ, /* the highest event applied */
	STATS_WAITING,    /* events that were not fetched when the last ones were */
	STATS_QUESTIONS,  /* users whose balances are being asked for, or will be */
	STATS_GAUGES
};

void stats_register(void); /* once, before threads exist */
void stats_count(enum stats_counter counter, int64_t n);
void stats_set(enum stats_gauge gauge, int64_t n);
void stats_event(int kind);            /* an event was applied, by kind of payload */
void stats_batch(int64_t us);          /* a batch was committed and rung */
void stats_asked(enum status outcome); /* the back end was asked for balances */
void stats_cause(enum cause cause);    /* why nothing is applied; CAUSE_NONE: it is */

#endif
