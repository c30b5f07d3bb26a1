/* upkeep: partitions are made ahead, and dropped when the policy keeps their records no longer. */
#ifndef AUDIT_UPKEEP_H
#define AUDIT_UPKEEP_H

#include "heads.h"

/* On the writer's connection. What could not be dropped is left to the next time. */
enum status upkeep(
    struct heads *heads, struct db *db, int64_t *ret_dropped, struct err *err) MUST_CHECK;

#endif
