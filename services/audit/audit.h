/* audit: the handlers of this service, one file each (handle_<verb>.c), its routes, and what they
 * share. */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include "service/audit.h"

extern const struct route audit_routes[];
extern const size_t audit_routes_len;

/* ww.backend.audit.<verb> */
enum status audit_on_who_was_told(struct request *req, struct err *err);
enum status audit_on_export(struct request *req, struct err *err);

/*
 * That somebody reads the records, about a user or (NULL) all: published as any service publishes,
 * and stored by the stream before anything is read. Here there is no table to write it to first.
 */
enum status audit_note_reader(struct request *req, Walletwire__V1__AuditAction action,
    const char *user_id, const char *asked_by, struct err *err) MUST_CHECK;

#endif
