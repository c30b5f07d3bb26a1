/*
 * lease_table: which edges there are, judged by when their leases were heard.
 *
 * An edge is ruled out when its lease is missing, which says something only while the watch is
 * known to bring leases: as long as it brings our own, which is put like everybody's, and has done
 * so for as long as a lease lasts. A watch that stands still, a bucket that takes no puts or a
 * connection that was away therefore rules out nobody.
 *
 * It does no I/O and keeps no clock: the caller passes the time in.
 *
 * Threads: nothing here locks.
 */
#ifndef EDGE_LEASE_TABLE_H
#define EDGE_LEASE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "walletwire/v1/edge.pb-c.h"

enum {
	LEASE_MS = 15000,     /* how long one lasts: the bucket's TTL */
	LEASE_PUT_MS = 5000,  /* how often it is put */
	LEASE_LATE_MS = 10000 /* our own one may be so late before the watch is doubted */
};

struct lease;

struct lease_table {
	struct lease *leases; /* by edge id */
	int64_t heard_ms;     /* when our own one was heard last; 0: never */
	int64_t trusted_ms;   /* since when it has come without a pause */
};

void lease_table_finish(struct lease_table *table);

/* A lease came; our own one also forgets those that have ended. */
void lease_table_heard(struct lease_table *table, const char *edge_id, int64_t now_ms);
void lease_table_heard_own(struct lease_table *table, int64_t now_ms);
/* What the lease of an edge that was heard says; taken, NULL is fine. */
void lease_table_tell(
    struct lease_table *table, const char *edge_id, Walletwire__V1__EdgeLease *taken);
/* Of every edge that has told something; lent for the call. */
void lease_table_each(const struct lease_table *table,
    void (*fn)(void *arg, const Walletwire__V1__EdgeLease *lease), void *arg);
void lease_table_forget(struct lease_table *table, const char *edge_id);

/* What was heard until now says nothing about what comes: the connection was away. */
void lease_table_doubt(struct lease_table *table);

/* Is it certain that no edge of this id lives? */
bool lease_table_rules_out(const struct lease_table *table, const char *edge_id, int64_t now_ms);

#endif
