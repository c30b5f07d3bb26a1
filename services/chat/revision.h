/* revision: one's own message is edited or deleted, within the time for it. */
#ifndef CHAT_REVISION_H
#define CHAT_REVISION_H

#include "change.h"

/* The caller's own message that may still be changed. */
enum status revision_find(struct change *change, uint64_t seq, struct store_message *ret_message,
    struct err *err) MUST_CHECK;
/* Another text, or "" for a deletion; whoever has seen it is told. */
enum status revision_write(struct change *change, struct store_message *message, const char *text,
    bool deleted, struct err *err) MUST_CHECK;
void revision_reply(struct change *change, const struct store_message *message);

#endif
