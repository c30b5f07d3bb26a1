/*
 * leases: says that this edge lives, and knows which others do.
 *
 * Every edge puts a lease into the bucket ww_edges, under its id, every five seconds and whenever
 * what it says has changed; it lasts for fifteen. All edges watch the bucket. An edge that stops in
 * order says so, one that dies is missed.
 *
 * An edge is ready when its own lease has come back to it: by then the others were told, too.
 *
 * Threads: one of its own, which may block in the bus; the functions below are for any.
 */
#ifndef EDGE_LEASES_H
#define EDGE_LEASES_H

#include "edge.h"
#include "walletwire/v1/edge.pb-c.h"

struct leases;

/* Before the bus there is nothing to put it with, but leases_renew() can be called. */
struct leases *leases_new(struct edge *edge);
enum status leases_start(struct leases *leases, struct err *err) MUST_CHECK;
void leases_stop(struct leases *leases); /* before the bus; says that this edge is gone */
void leases_free(struct leases *leases); /* NULL is fine */

/* Put it now: what it says has changed. */
void leases_renew(struct leases *leases);
/* The connection is another one: what was put or heard before may be lost. */
void leases_on_connected(struct leases *leases);

/* Has this edge's lease come back? */
bool leases_is_ready(struct leases *leases);
/* What every edge that lives says of itself, this one too; lent for the call, which may not block.
 */
void leases_each(struct leases *leases,
    void (*fn)(void *arg, const Walletwire__V1__EdgeLease *lease), void *arg);
/* Is it certain that no edge of this id lives? (lease_table.h) */
bool leases_rule_out(struct leases *leases, const char *edge_id);

#endif
