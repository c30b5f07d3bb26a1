/*
 * record: an audit record out of its bytes, and the columns that stand beside them in the table.
 *
 * Pure. Threads: any.
 */
#ifndef LEDGER_RECORD_H
#define LEDGER_RECORD_H

#include "base/arena.h"
#include "walletwire/v1/audit.pb-c.h"

enum { LEDGER_USERS_MAX = 300 }; /* of one record, so that it fits a message of the stream */

/* In the arena; NULL if they are none that can be stored. */
Walletwire__V1__AuditRecord *ledger_record_unpack(struct bytes packed, struct arena *arena);
/* Whom it is about, and the user who did it; `*ret_len` of them, in the arena. */
const char **ledger_record_users(
    const Walletwire__V1__AuditRecord *record, struct arena *arena, size_t *ret_len);

#endif
