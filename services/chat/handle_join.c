/* ww.svc.chat.join: who was invited becomes a member, and sees what is said from now on. */
#include "change.h"

static enum status join(struct change *change, struct err *err)
{
	struct store_member member;
	enum status s;

	if (!change->mine)
		return err_set(err, STATUS_FORBIDDEN, "you are not invited to the room");
	if (change->mine->role != ROOM_ROLE(INVITED)) {
		change_reply_room(change);
		return STATUS_OK;
	}
	member = *change->mine;
	member.role = member.joins_as;
	member.from_seq = member.read_seq = change->room.seq;
	s = store_set_member(change->db, change->room.room_id, &member, err);
	if (!s)
		s = change_reread(change, err);
	if (s)
		return s;
	change_record(change, AUDIT_ACTION(CHAT_MEMBER_JOINED), change->user_id);
	s = change_tell_room(change, ROOM_CHANGE(JOINED), change->user_id, err);
	if (!s)
		change_reply_room(change);
	return s;
}

enum status chat_on_join(struct request *req, struct err *err)
{
	const Walletwire__V1__ChatJoinRequest *in = (const void *)req->body;
	struct change change = { .room_id = in->room_id, .enter = change_enter_room, .fn = join };
	enum status s = change_begin(&change, req, in->caller, err);

	return s ? s : change_run(&change, err);
}
