/*
 * publisher: the relay (service/relay.h) from the wallet's outbox to the stream.
 *
 * A row that fails for a reason that passes holds up its own key and the rest of its
 * batch; one that can never be published is set aside.
 */
#ifndef OUTBOX_PUBLISHER_H
#define OUTBOX_PUBLISHER_H

#include "config.h"
#include "service/relay.h"

struct publisher;

/* Starts it. All but `name` ("ww-outbox/<instance>") outlive the publisher. */
enum status publisher_start(const struct outbox_config *cfg, struct bus *bus, const char *name,
    struct relay_health *health, struct publisher **ret_publisher, struct err *err) MUST_CHECK;

/* Finishes what is on its way, gives the lock back. NULL is fine. */
void publisher_stop(struct publisher *publisher);

#endif
