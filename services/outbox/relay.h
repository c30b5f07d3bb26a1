/*
 * relay: the thread that moves rows from the outbox to the stream, on one replica at a time.
 *
 * It keeps no cursor: it reads the oldest rows, publishes them, and deletes what the stream has
 * acknowledged. A row that fails for a reason that passes holds up its own key and the rest of its
 * batch; one that can never be published is set aside.
 */
#ifndef OUTBOX_RELAY_H
#define OUTBOX_RELAY_H

#include <stdatomic.h>

#include "bus/bus.h"
#include "config.h"

struct relay;

/* What readiness asks, from threads that may outlive the relay. */
struct relay_health {
	_Atomic(const char *) trouble; /* why rows stay where they are; NULL: all is well */
};

/* Starts the thread. All but `name` ("ww-outbox/<instance>") outlive the relay. */
enum status relay_start(const struct outbox_config *cfg, struct bus *bus, const char *name,
    struct relay_health *health, struct relay **ret_relay, struct err *err) MUST_CHECK;

/* Finishes what is on its way, gives the lock back, joins the thread. NULL is fine. */
void relay_stop(struct relay *relay);

#endif
