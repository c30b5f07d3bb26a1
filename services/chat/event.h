/* event: an Event of ww-chat as a row of its outbox. Pure. */
#ifndef CHAT_EVENT_H
#define CHAT_EVENT_H

#include "messages.h"
#include "service/outbox.h"

/* `users` are whom it concerns; all in the arena. */
struct outbox_row event_row(
    const char *id, ChatEvent *chat, char **users, size_t len, int64_t at_us, struct arena *arena);

#endif
