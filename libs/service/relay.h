/*
 * relay: a thread that moves the rows of an outbox to a stream, on one replica at a time.
 *
 * It holds an advisory lock on its own connection: who loses the connection loses the lock. The
 * others try for it four times a second. It keeps no cursor: its user reads the oldest rows,
 * publishes them, and deletes what the stream has acknowledged. What a crash leaves in the table
 * although it was stored is published again under the same message id, and the stream drops it. A
 * failure leaves the rows where they are: the next pass, 0.1 to 2 s later, starts with the oldest.
 *
 * The lock saves work and is not what order hangs on: one that does not know yet that it lost it
 * may publish beside the next holder, so a row goes only when the one before it is stored.
 */
#ifndef SERVICE_RELAY_H
#define SERVICE_RELAY_H

#include <stdatomic.h>

#include "bus/bus.h"
#include "db/db.h"
#include "metrics/metrics.h"

struct relay;

/* What readiness may ask, from threads that may outlive the relay. */
struct relay_health {
	_Atomic(const char *) trouble; /* why rows stay where they are; NULL: all is well */
};

/* What one pass did, failed or not. */
struct relay_pass {
	size_t rows; /* read */
	int64_t published, duplicates;
	const char *trouble; /* what went wrong, if the pass failed: static, for people */
};

struct relay_backlog {
	int64_t waiting, oldest_seconds;
};

struct relay_spec {
	const char *what;                    /* is moved, for the log: "events" */
	const struct relay_metrics *metrics; /* see RELAY_METRICS() */
	struct relay_health *health;         /* may be NULL */
	struct bus *bus;
	struct db *db;     /* the relay's alone while it runs */
	size_t lock;       /* its statement that tries for the lock and tells in a boolean */
	size_t batch_max;  /* rows of a pass: after so many the next one follows at once */
	int64_t poll_busy; /* ms after a pass that found rows */
	int64_t poll_idle; /* ms after one that found none */
	enum status (*move)(void *arg, struct relay_pass *ret_pass, struct err *err);
	enum status (*measure)(void *arg, struct relay_backlog *ret_backlog, struct err *err);
	void (*on_standby)(void *arg); /* somebody else has the lock; may be NULL */
	void *arg;
};

/* All that `spec` names outlives the relay. `*ret_relay` is set before the first pass. */
enum status relay_start(
    const struct relay_spec *spec, struct relay **ret_relay, struct err *err) MUST_CHECK;
/* A long pass asks between rows whether it should end. */
bool relay_is_over(struct relay *relay);
/* There are rows: if it is the active one, its next pass comes at once; one that stands by is left
 * alone, since it would only ask for the lock. Any thread. */
void relay_wake(struct relay *relay);
/* Waits for the pass that is under way. NULL is fine. */
void relay_stop(struct relay *relay);

/* RELAY_METRICS(audit, "ww_audit", "audit records"): `audit_metrics`, to be registered. */
struct relay_metrics {
	struct metric *published, *duplicates, *failed, *active, *waiting, *oldest;
};
void relay_metrics_register(const struct relay_metrics *metrics);

#define RELAY_METRICS(id, prefix, what)                                                       \
	METRIC(id##_published, METRIC_COUNTER, prefix "_published_total",                     \
	    "Messages with " what " stored by the stream");                                   \
	METRIC(id##_duplicates, METRIC_COUNTER, prefix "_duplicates_total",                   \
	    "Messages with " what " that were stored by an earlier try already");             \
	METRIC(id##_failed, METRIC_COUNTER, prefix "_failed_total",                           \
	    "Passes over the outbox of " what " that failed, for whatever reason");           \
	METRIC(id##_active, METRIC_GAUGE, prefix "_active",                                   \
	    "1 if this replica publishes " what ", 0 if it stands by");                       \
	METRIC(id##_waiting, METRIC_GAUGE, prefix "_waiting",                                 \
	    "Rows of the outbox of " what ", 100000 at most; told by the active replica");    \
	METRIC(id##_oldest, METRIC_GAUGE, prefix "_oldest_seconds",                           \
	    "Age of the oldest row of the outbox of " what "; told by the active replica");   \
	static const struct relay_metrics id##_metrics = { &id##_published, &id##_duplicates, \
		&id##_failed, &id##_active, &id##_waiting, &id##_oldest }

#endif
