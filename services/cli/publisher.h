/*
 * publisher: events into the stream, many in flight, every outcome reported in the order of the
 * input.
 *
 * Events leave as they are added and are settled in batches: what failed for a passing reason is
 * tried again, in order, before anything that came after the failure is sent. An event is sent
 * under its message id `<kind>/<id>`, so a second try can't store it twice.
 *
 * Threads: one thread uses it; acknowledgements arrive on a thread of the bus.
 */
#ifndef CLI_PUBLISHER_H
#define CLI_PUBLISHER_H

#include "bus/bus.h"
#include "walletwire/v1/event.pb-c.h"

struct publisher;

struct publisher_totals {
	size_t published, duplicates, failed;
};

/*
 * `quiet`: no line per event, only failures. Lines go to standard output and error. What can't be
 * stored now, since the stream is full or NATS away, is tried for `patience_ms` before it has
 * failed.
 */
struct publisher *publisher_new(struct bus *bus, bool quiet, int64_t patience_ms);
/* What is added from now on belongs to this trace; lent. NULL: to none. */
void publisher_trace(struct publisher *publisher, const char *traceparent);
void publisher_free(struct publisher *publisher);

/* Send a checked event; `line` says where it came from (0: the command line). May settle first. */
void publisher_add(struct publisher *publisher, size_t line, const Walletwire__V1__Event *event);

/* Wait for the outcome of everything added, try again what may, report. */
void publisher_settle(struct publisher *publisher);

/* The stream took nothing for all that time: adding more is pointless. */
bool publisher_gave_up(const struct publisher *publisher);

struct publisher_totals publisher_totals(const struct publisher *publisher);

#endif
