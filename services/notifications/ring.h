/*
 * ring: the doorbell. Built after the commit, from what was committed; a ring that is lost costs a
 * sweep, never an item.
 */
#ifndef NOTIFICATIONS_RING_H
#define NOTIFICATIONS_RING_H

#include "base/arena.h"
#include "bus/bus.h"
#include "messages.h"

enum { RING_BYTES_MAX = 256 * 1024 };

/* What one commit changed for one user. */
struct ring {
	const char *epoch;
	const char *user_id;
	int64_t rev_before, rev;
	Item **items; /* in seq order */
	size_t items_len;
	State **states;
	size_t states_len;
	Marks *marks; /* NULL: as they were */
};

/* Publishes it in as many deliveries as its size asks for; nothing to tell is fine. */
enum status ring_user(
    struct bus *bus, const struct ring *ring, struct arena *arena, struct err *err) MUST_CHECK;

/* To every edge: rows of the announcement log. */
enum status ring_all(struct bus *bus, const char *epoch, LogEntry **log, size_t len,
    struct arena *arena, struct err *err) MUST_CHECK;

/* To the edges of one user: a socket was recovered, see Eviction. */
enum status ring_eviction(struct bus *bus, const char *epoch, const char *user_id,
    const char *session_id, const char *connection, struct arena *arena,
    struct err *err) MUST_CHECK;

/* The deliveries that ring_user() would publish; for it and for tests. */
Delivery **ring_deliveries(const struct ring *ring, struct arena *arena, size_t *ret_n);

#endif
