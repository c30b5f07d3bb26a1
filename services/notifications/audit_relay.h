/*
 * audit_relay: the relay (service/relay.h) from the outbox of audit records to
 * ww.audit.notifications, row by row, in the order of their ids.
 *
 * Nothing is ever set aside: a stream that is full, or away, is waited for.
 */
#ifndef NOTIFICATIONS_AUDIT_RELAY_H
#define NOTIFICATIONS_AUDIT_RELAY_H

#include "bus/bus.h"
#include "config.h"

struct audit_relay;

/* All but `name` ("ww-notifications/<instance>") outlive the relay. */
enum status audit_relay_start(const struct notifications_config *cfg, struct bus *bus,
    const char *name, struct audit_relay **ret_relay, struct err *err) MUST_CHECK;
/* Finishes the row that is on its way. NULL is fine. */
void audit_relay_stop(struct audit_relay *relay);

#endif
