/*
 * revoked: which tokens are no longer good, though their signature is.
 *
 * A copy in memory of the bucket ww_revoked, kept by a watch: key `jti.<encoded id>` for one token,
 * or `user.<encoded id>` with the time (seconds): tokens of that user issued up to then are
 * refused.
 *
 * Threads: revoked_check() from any thread; the watch has its own.
 */
#ifndef EDGE_REVOKED_H
#define EDGE_REVOKED_H

#include "bus/bus.h"

struct revoked;

/* `on_new` is told, on the watch's thread, that a revocation came which was not known before. */
enum status revoked_start(struct bus *bus, void (*on_new)(void *arg), void *arg,
    struct revoked **ret_revoked, struct err *err) MUST_CHECK;
void revoked_stop(struct revoked *revoked); /* NULL is fine */

/* Was the bucket read at least once? Before that nobody is let in. */
bool revoked_is_known(struct revoked *revoked);
/* Was this token revoked: by its id (empty: it has none), or with all of the user's older ones? */
bool revoked_check(struct revoked *revoked, const char *user_id, const char *jti, int64_t iat_s);

#endif
