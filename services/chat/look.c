/* The room, the member, and what of it that one may see. */
#include "look.h"

#include "base/clock.h"

int64_t look_cutoff_us(const struct chat *chat)
{
	return clock_wall_us() - chat->cfg->retention * 1000;
}

enum status look_into(
    struct request *req, const char *room_id, struct look *ret_look, struct err *err)
{
	const struct chat *chat = chat_of(req);
	uint64_t shown = (uint64_t)chat->cfg->history;
	bool found = false;
	enum status s = request_caller(req, &ret_look->user_id, err);

	if (!s)
		s = store_find_room(req->db, room_id, req->arena, &ret_look->room, err);
	if (!s)
		s = store_find_member(
		    req->db, room_id, ret_look->user_id, &found, &ret_look->mine, err);
	if (s)
		return s;
	if (ret_look->room.ended)
		return err_set(err, STATUS_NOT_FOUND, "there is no such room");
	if (!found || ret_look->mine.role == ROOM_ROLE(INVITED))
		return err_set(err, STATUS_FORBIDDEN, "you are no member of the room");
	ret_look->window = (struct store_window){ .room = &ret_look->room,
		.after = ret_look->room.seq > shown ? ret_look->room.seq - shown : 0,
		.before = ret_look->room.seq + 1,
		.cutoff_us = look_cutoff_us(chat) };
	if (ret_look->window.after < ret_look->mine.from_seq)
		ret_look->window.after = ret_look->mine.from_seq;
	return STATUS_OK;
}
