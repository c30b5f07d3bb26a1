/* Subject, message, handler: the table of contents of this service. */
#include "audit.h"
#include "walletwire/v1/ops.pb-c.h"

#define BACKEND(verb) "ww.backend.audit." verb

const struct route audit_routes[] = {
	{ "ww.svc.audit.stats", &walletwire__v1__service_stats_request__descriptor,
	    service_on_stats },
	{ BACKEND("who_was_told"), &walletwire__v1__who_was_told_request__descriptor,
	    audit_on_who_was_told },
	{ BACKEND("export"), &walletwire__v1__audit_export_request__descriptor, audit_on_export },
};
const size_t audit_routes_len = ARRAY_LEN(audit_routes);
