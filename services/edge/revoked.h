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
#include "token/token.h"

struct revoked;

enum status revoked_start(
    struct bus *bus, struct revoked **ret_revoked, struct err *err) MUST_CHECK;
void revoked_stop(struct revoked *revoked); /* NULL is fine */

/* Was the bucket read at least once? Before that nobody is let in. */
bool revoked_is_known(struct revoked *revoked);
bool revoked_check(struct revoked *revoked, const struct token_claims *claims);

#endif
