/* audit_batch: what a batch of events leaves in the audit record. Pure. */
#ifndef NOTIFICATIONS_AUDIT_BATCH_H
#define NOTIFICATIONS_AUDIT_BATCH_H

#include "batch.h"
#include "service/audit.h"

/* Whoever publishes events of this kind: a back end, or ww-chat. */
AuditActor audit_publisher(const struct plan *plan);

/* A record for every new event that gave somebody an item or a state, of a numbered batch. */
void audit_batch(struct audit *audit, const struct batch *batch);

#endif
