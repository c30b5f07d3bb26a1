/* look: reading a room, without its lock: only for members. */
#ifndef CHAT_LOOK_H
#define CHAT_LOOK_H

#include "chat.h"
#include "store.h"

struct look {
	const char *user_id;
	struct store_room room;
	struct store_member mine;
	struct store_window window; /* of messages that are the caller's to see */
};

/* Checks who asks. NOT_FOUND without such a room, FORBIDDEN for whoever is no member. */
enum status look_into(
    struct request *req, const char *room_id, struct look *ret_look, struct err *err) MUST_CHECK;

/* Messages of rooms before it are not seen any more. */
int64_t look_cutoff_us(const struct chat *chat);

#endif
