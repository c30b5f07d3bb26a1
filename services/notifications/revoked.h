/* revoked: the bucket ww_revoked, a copy of the rows in `revocations`. */
#ifndef NOTIFICATIONS_REVOKED_H
#define NOTIFICATIONS_REVOKED_H

#include "bus/bus.h"
#include "db/db.h"

/*
 * One entry: key `jti.<encoded id>` or `user.<encoded id>`, value the time in seconds since 1970,
 * in digits. Of a user every token issued at or before it is void; of a jti the one token.
 */
enum status revoked_put(struct bus *bus, const char *kind, const char *id, int64_t issued_before_us,
    struct err *err) MUST_CHECK;

/* All rows again: a bucket that lost something is whole afterwards. */
enum status revoked_copy(struct db *db, struct bus *bus, struct err *err) MUST_CHECK;

#endif
