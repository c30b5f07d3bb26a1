/*
 * relays: what the service publishes into streams: events and audit records, each from its outbox
 * (service/outbox.h), and the nudge that saves the events the wait for the next look.
 */
#ifndef CHAT_RELAYS_H
#define CHAT_RELAYS_H

#include "bus/bus.h"
#include "db/db.h"

struct relays;

/* `database` has the statements, and the replica's name; the bus outlives them. */
enum status relays_start(const struct db_config *database, struct bus *bus,
    struct relays **ret_relays, struct err *err) MUST_CHECK;
void relays_stop(struct relays *relays); /* NULL is fine */

#endif
