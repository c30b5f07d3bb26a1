/*
 * outgoing: an event on its way into the stream, and what became of it.
 *
 * It is sent under its message id `<kind>/<id>`, so a second try can't store it twice. Many may be
 * on their way at once; bus_publish_wait() returns when all of them have an outcome.
 *
 * Threads: what was sent belongs to a thread of the bus until bus_publish_wait() has returned.
 */
#ifndef EVENTS_OUTGOING_H
#define EVENTS_OUTGOING_H

#include <stdatomic.h>

#include "base/subject.h"
#include "bus/bus.h"
#include "events/event.h"

enum { OUTGOING_ID_SIZE = SUBJECT_ID_MAX + 32 };

struct outgoing {
	char msg_id[OUTGOING_ID_SIZE]; /* "payment/p1/completed" */
	const char *kind;
	struct bytes data;       /* packed; in the caller's arena */
	const char *traceparent; /* sent as a header; NULL: none. Whoever sends sets it */
	atomic_bool *trouble;    /* raised when a try fails */
	unsigned tries;
	/* of the last try */
	enum status status;
	struct bus_ack ack;
	char reason[160];
};

/* From a checked event. `trouble` outlives the bus. */
void outgoing_init(struct outgoing *out, const Walletwire__V1__Event *event, atomic_bool *trouble,
    struct arena *arena);

/* Blocks only while the bus has no free place. Stays where it is until it has an outcome. */
void outgoing_send(struct outgoing *out, struct bus *bus);

#endif
