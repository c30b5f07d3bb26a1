/* own: what ww-audit records itself. Pure. Threads: any. */
#ifndef AUDIT_OWN_H
#define AUDIT_OWN_H

#include "service/audit.h"

/* Packed, in the arena. `why` becomes its one id. */
struct own_record {
	const char *id;
	Walletwire__V1__AuditAction action;
	const char *why;
	uint64_t up_to, n;
	int64_t at_us;
};
struct bytes own_pack(const struct own_record *own, struct arena *arena);

#endif
