/* metrics: what ww-edge counts; rendered on its admin port. */
#ifndef EDGE_METRICS_H
#define EDGE_METRICS_H

#include "edge.h"

/* Which limit an event was over. */
enum event_limit {
	EVENT_RATE,     /* events a second */
	EVENT_STATUS,   /* what others are told of */
	EVENT_INVALID,  /* what its payload may be: text too long, a number too large */
	EVENT_CALLS,    /* questions under way */
	EVENT_CHANNELS, /* channels joined */
	EVENT_LIMITS
};

enum presence_report {
	PRESENCE_REPORT_WHOLE,   /* a table, in as many parts as it takes */
	PRESENCE_REPORT_CHANGES, /* likewise */
	PRESENCE_REPORT_HEARTBEAT,
	PRESENCE_REPORTS
};

enum presence_batch_outcome {
	PRESENCE_BATCH_TAKEN,
	PRESENCE_BATCH_OLD,
	PRESENCE_BATCH_MALFORMED,
	PRESENCE_BATCH_OUTCOMES
};

enum presence_shown { PRESENCE_SHOWN_LIST, PRESENCE_SHOWN_UPDATE, PRESENCE_SHOWN };

enum static_outcome {
	STATIC_SENT,
	STATIC_UNCHANGED, /* the client had it */
	STATIC_NOT_FOUND,
	STATIC_METHOD, /* neither GET nor HEAD */
	STATIC_OUTCOMES
};

void edge_metrics_register(struct edge *edge);

/* Records for the audit that are lost. Any thread. */
enum trail_loss {
	TRAIL_NOT_STORED, /* the stream is full or away */
	TRAIL_TOO_MANY,   /* of what clients can provoke */
};
void count_trail_lost(enum trail_loss why, size_t records);
void count_connect(void);                       /* a CONNECT that was answered */
void count_refusal(enum token_verdict verdict); /* a CONNECT that was refused */
void count_refusal_crowded(void);               /* for too many sockets of its user */
void count_recovery(enum recovery outcome);
void count_users(int by); /* with sockets on a loop; +1 or -1 */
void count_views(int by); /* rooms that sockets have open; +1 or -1 */
void count_event_in(void);
void count_event_refused(enum event_limit limit);
void count_track_given_up(void);
void count_call(enum status status);
void count_relay(enum status status); /* asked of another edge */
void count_relayed(void);             /* asked by another edge */
void count_hole(void);                /* found in a mailbox */
void count_hole_filled(void);         /* by the late doorbell itself */
void count_since(size_t items);
void count_snapshot(void);
void count_sweep(size_t users);
void count_sweep_finding(void); /* somebody was behind and nothing had followed */
void count_presence_report(enum presence_report kind);
void count_presence_batch(enum presence_batch_outcome outcome); /* by each loop */
void count_presence_gap(void);                                  /* likewise */
void count_presence_shown(enum presence_shown what);
void count_presence_behind(void);
void count_presence_excess(void);
void count_static(enum static_outcome outcome);
void observe_latency(int64_t applied_us);

#endif
