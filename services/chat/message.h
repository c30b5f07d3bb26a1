/* message: a stored message as clients see it, and the name of its event. Pure. */
#ifndef CHAT_MESSAGE_H
#define CHAT_MESSAGE_H

#include "store.h"

/* Of one message: each is an item of every member's mailbox. */
enum { MESSAGE_EDITS_MAX = 100 };

ChatMessage *message_show(const struct store_message *message, bool escape, struct arena *arena);

/* <room>/<seq>/<edit>: names the event of a message, or of its change. */
char *message_event_id(const struct store_message *message, struct arena *arena);

#endif
