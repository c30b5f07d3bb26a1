/*
 * audit_relay: the relay (relay.h) from a service's outbox of audit records (audit_outbox.h) to
 * ww.audit.<service>, row by row, in the order of their ids.
 *
 * Nothing is ever set aside: a stream that is full, or away, is waited for.
 */
#ifndef SERVICE_AUDIT_RELAY_H
#define SERVICE_AUDIT_RELAY_H

#include "bus/bus.h"
#include "service/audit_outbox.h"

struct audit_relay;

/* Once, before threads exist: ww_audit_*. */
void audit_relay_register(void);

/* `database` has the statements of the outbox; its application_name is the replica's, to which
 * "/audit" is added. The outbox and the bus outlive the relay. */
enum status audit_relay_start(const struct audit_outbox *outbox, const struct db_config *database,
    struct bus *bus, struct audit_relay **ret_relay, struct err *err) MUST_CHECK;
/* Finishes the row that is on its way. NULL is fine. */
void audit_relay_stop(struct audit_relay *relay);

#endif
