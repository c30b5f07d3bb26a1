/* ww.svc.chat.typing: told to those who have the room open, never stored. */
#include <string.h>

#include "live.h"
#include "look.h"

/* Of two who block each other neither sees the other typing; the one who types is not told. */
static enum status is_seen(
    struct request *req, const struct look *look, bool *ret_seen, struct err *err)
{
	const struct store_room *room = &look->room;
	const char *other =
	    strcmp(room->first_id, look->user_id) == 0 ? room->second_id : room->first_id;
	const char *blocked = NULL;
	enum status s = STATUS_OK;

	if (room->type == ROOM_TYPE(DIRECT))
		s = store_find_blocked(
		    req->db, look->user_id, &other, 1, req->arena, &blocked, err);
	*ret_seen = !blocked;
	return s;
}

enum status chat_on_typing(struct request *req, struct err *err)
{
	const Walletwire__V1__ChatTypingRequest *in = (const void *)req->body;
	bool seen = false;
	struct look look;
	enum status s = look_into(req, in->room_id, &look, err);

	if (!s)
		s = is_seen(req, &look, &seen, err);
	if (s)
		return s;
	if (seen)
		live_tell_typing(req, look.room.room_id, look.user_id, in->typing);
	req->reply = MESSAGE_NEW(req->arena, error_reply);
	return STATUS_OK;
}
