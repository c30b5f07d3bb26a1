/*
 * applier: the thread that turns events into rows, on one replica at a time.
 *
 * It holds a PostgreSQL advisory lock on its own connection: losing the connection loses the lock,
 * and whatever was in hand is dropped for the next holder. Events are applied in stream order; a
 * number of the stream that is missing (delivered to somebody who died, or lost with a connection)
 * is waited for before what follows it.
 */
#ifndef NOTIFICATIONS_APPLIER_H
#define NOTIFICATIONS_APPLIER_H

#include <stdatomic.h>

#include "bus/bus.h"
#include "config.h"

struct applier;
struct notifications;

/* What readiness asks, from threads that may outlive the applier. */
struct applier_health {
	_Atomic(enum cause)
	    cause; /* why a replica that could apply does not; CAUSE_NONE: it does */
};

/*
 * Starts the thread. All but `name` ("ww-notifications/<instance>") outlive the applier.
 */
enum status applier_start(struct notifications *notifications, struct bus *bus, const char *name,
    struct applier **ret_applier, struct err *err) MUST_CHECK;

/* Finishes the batch in hand, hands over, joins the thread. NULL is fine. */
void applier_stop(struct applier *applier);

#endif
