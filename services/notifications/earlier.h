/*
 * earlier: what chat messages said before they were edited or deleted.
 *
 * Each version of a message is an event, and so a body, of its own: `chat/<room>/<seq>/<edit>`.
 * Once a later one is in the mailboxes, those before it are blanked, so that no device that comes
 * back is sent what its writer has taken back.
 */
#ifndef NOTIFICATIONS_EARLIER_H
#define NOTIFICATIONS_EARLIER_H

#include "batch.h"
#include "db/db.h"

/* After the batch's own bodies are written, which may be such as well. Changes no numbers or
 * counters, and nothing if the batch has no edit or deletion. */
enum status earlier_blank(
    struct db *db, const struct batch *batch, struct arena *arena, struct err *err) MUST_CHECK;

#endif
