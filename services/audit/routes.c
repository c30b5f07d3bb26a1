/* Subject, message, handler: the table of contents of this service. */
#include "audit.h"

#define BACKEND(verb) "ww.backend.audit." verb

const struct route audit_routes[] = {
	{ BACKEND("who_was_told"), &walletwire__v1__who_was_told_request__descriptor,
	    audit_on_who_was_told },
	{ BACKEND("export"), &walletwire__v1__audit_export_request__descriptor, audit_on_export },
};
const size_t audit_routes_len = ARRAY_LEN(audit_routes);
