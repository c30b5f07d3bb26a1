/*
 * fleet: the edges there are, by their leases in the bucket ww_edges.
 *
 * A lease says that an edge lived at most fifteen seconds ago; whether it still answers is another
 * question. Edges that said they are gone are left out.
 */
#ifndef CLI_FLEET_H
#define CLI_FLEET_H

#include "bus/bus.h"
#include "walletwire/v1/edge.pb-c.h"

enum { FLEET_SUBJECT_SIZE = 128 };

struct fleet {
	Walletwire__V1__EdgeLease **edges; /* in the order of their ids */
	size_t len;
};

/* Read once, within timeout_ms. */
enum status fleet_read(
    struct bus *bus, int timeout_ms, struct fleet *ret_fleet, struct err *err) MUST_CHECK;
void fleet_finish(struct fleet *fleet);

/* By id, or by a name that only one edge has; otherwise an error that lists those there are. */
enum status fleet_find(const struct fleet *fleet, const char *id_or_name,
    const Walletwire__V1__EdgeLease **ret_edge, struct err *err) MUST_CHECK;

/* ww.edge.<edge>.<verb> */
void fleet_subject(const Walletwire__V1__EdgeLease *edge, const char *verb,
    char ret_subject[static FLEET_SUBJECT_SIZE]);

#endif
