/* ww.svc.chat.invite: somebody may join a group. */
#include "people.h"

typedef Walletwire__V1__ChatInviteRequest InviteRequest;

static enum status check(struct change *change, const InviteRequest *in, struct err *err)
{
	const char *user_id = in->user_id;
	enum status s = change_require_group(change, err);

	if (!s)
		s = change_require(change, in->admin ? ROOM_ROLE(OWNER) : ROOM_ROLE(ADMIN), err);
	if (s || change_member(change, in->user_id))
		return s;
	s = people_require_unblocked(change, "userId", &user_id, 1, err);
	return s ? s : change_check_room(change, "userId", &user_id, 1, err);
}

static enum status insert(struct change *change, const InviteRequest *in, struct err *err)
{
	const struct store_member invited = { .user_id = in->user_id,
		.role = ROOM_ROLE(INVITED),
		.joins_as = in->admin ? ROOM_ROLE(ADMIN) : ROOM_ROLE(MEMBER),
		.from_seq = change->room.seq };
	enum status s =
	    store_insert_members(change->db, change->room.room_id, &invited, 1, change->arena, err);

	if (!s)
		s = change_reread(change, err);
	if (s)
		return s;
	change_record(change, AUDIT_ACTION(CHAT_MEMBER_INVITED), in->user_id);
	return change_tell_room(change, ROOM_CHANGE(INVITED), in->user_id, err);
}

static enum status invite(struct change *change, struct err *err)
{
	const InviteRequest *in = change->in;
	enum status s = check(change, in, err);

	/* Whoever is there, or was invited, stays what they are. */
	if (!s && !change_member(change, in->user_id))
		s = insert(change, in, err);
	if (!s)
		change_reply_room(change);
	return s;
}

enum status chat_on_invite(struct request *req, struct err *err)
{
	const InviteRequest *in = (const void *)req->body;
	const char *user_id = in->user_id;
	struct change change = { .room_id = in->room_id, .enter = change_enter_room, .fn = invite };
	enum status s = change_begin(&change, req, in->caller, err);

	if (!s)
		s = people_check_other("userId", in->user_id, change.user_id, err);
	if (!s)
		s = people_require_friends(req, "userId", &user_id, 1, err);
	return s ? s : change_run(&change, err);
}
