/*
 * upkeep: the thread that makes the partitions that messages will need and drops those that have
 * expired, and forgets rooms that have ended and old reports; on the replica that holds the lock
 * for it.
 */
#ifndef CHAT_UPKEEP_H
#define CHAT_UPKEEP_H

#include "config.h"
#include "db/db.h"

struct upkeep;

/* Partitions for now and the days to come; again is fine. */
enum status upkeep_make(struct db *db, struct err *err) MUST_CHECK;

/* `cfg` outlives it. `name`: "ww-chat/<instance>". */
enum status upkeep_start(const struct chat_config *cfg, const char *name,
    struct upkeep **ret_upkeep, struct err *err) MUST_CHECK;
void upkeep_stop(struct upkeep *upkeep); /* NULL is fine */

#endif
