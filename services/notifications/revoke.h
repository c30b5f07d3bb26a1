/* revoke: tokens that no longer count, with its record, in the rows and in the bucket. */
#ifndef NOTIFICATIONS_REVOKE_H
#define NOTIFICATIONS_REVOKE_H

#include "service/audit.h"

struct revocation {
	bool is_user;   /* every token of the user issued until now; else the one with this jti */
	const char *id; /* of the user, or the token's */
	const char *reason;
	AuditActor by;
};

/* Again is fine: if the bucket can't be reached the row is there, and the caller asks again. */
enum status revoke_tokens(
    struct request *req, const struct revocation *revocation, struct err *err) MUST_CHECK;

#endif
