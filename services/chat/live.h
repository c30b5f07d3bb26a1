/* live: what is told to those who have a room open, and to nobody else: nothing of it is stored. */
#ifndef CHAT_LIVE_H
#define CHAT_LIVE_H

#include "chat.h"

/* Published at once; what is lost is lost. */
void live_tell_typing(struct request *req, const char *room_id, const char *user_id, bool typing);
void live_tell_read(struct request *req, const ChatRead *marker);
/* Who has left or was removed: edges show them nothing more before their item has come that far. */
void live_tell_gone(struct request *req, const char *room_id, const char *user_id);

#endif
