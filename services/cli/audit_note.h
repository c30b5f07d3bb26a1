/*
 * audit_note: a record of what an operator does to the audit record, for ww-audit to store.
 * Threads: any.
 */
#ifndef CLI_AUDIT_NOTE_H
#define CLI_AUDIT_NOTE_H

#include "bus/bus.h"
#include "walletwire/v1/audit.pb-c.h"

/* `id` (NULL: none) and `up_to` are what the action says of them. Returns when the stream has it.
 */
enum status audit_note(struct bus *bus, Walletwire__V1__AuditAction action, const char *id,
    uint64_t up_to, const char *asked_by, struct err *err) MUST_CHECK;

#endif
