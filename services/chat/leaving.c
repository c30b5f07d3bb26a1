/* The row goes first: whoever is told, is told how the room is then. */
#include "leaving.h"

static bool has_member(const struct change *change)
{
	for (size_t i = 0; i < change->members.len; i++) {
		if (change->members.at[i].role != ROOM_ROLE(INVITED))
			return true;
	}
	return false;
}

/* Members come in the order of roles and age: the first one is the eldest admin, else the eldest
 * member. */
static enum status hand_over(struct change *change, struct err *err)
{
	struct store_member heir;
	enum status s;

	if (change->room.type != ROOM_TYPE(GROUP) || !has_member(change) ||
	    change->members.at[0].role == ROOM_ROLE(OWNER))
		return STATUS_OK;
	heir = change->members.at[0];
	heir.role = ROOM_ROLE(OWNER);
	s = store_set_member(change->db, change->room.room_id, &heir, err);
	return s ? s : change_reread(change, err);
}

enum status leaving_take_out(
    struct change *change, const char *user_id, RoomChange what, struct err *err)
{
	bool removed = what == ROOM_CHANGE(REMOVED);
	enum status s = store_delete_member(change->db, change->room.room_id, user_id, err);

	if (!s)
		s = change_reread(change, err);
	if (!s)
		s = hand_over(change, err);
	if (s)
		return s;
	change->gone = user_id;
	change_record(change,
	    removed ? AUDIT_ACTION(CHAT_MEMBER_REMOVED) : AUDIT_ACTION(CHAT_MEMBER_LEFT), user_id);
	s = change_tell_room(change, what, user_id, err);
	return s || has_member(change) ? s : store_end_room(change->db, change->room.room_id, err);
}
