/* ww.svc.chat.role: a member becomes an admin, or none, or the owner in the place of who asks. */
#include "people.h"

typedef Walletwire__V1__ChatRoleRequest RoleRequest;

static enum status check(struct change *change, const RoleRequest *in, struct err *err)
{
	const struct store_member *member = change_member(change, in->user_id);
	enum status s = change_require_group(change, err);

	if (!s)
		s = change_require(change, ROOM_ROLE(OWNER), err);
	if (!s && (!member || member->role == ROOM_ROLE(INVITED)))
		s = err_invalid(err, "userId", "names no member of the room");
	return s;
}

static enum status give(struct change *change, const char *user_id, RoomRole role, struct err *err)
{
	struct store_member member = *change_member(change, user_id);

	member.role = role;
	return store_set_member(change->db, change->room.room_id, &member, err);
}

static enum status write(struct change *change, const RoleRequest *in, struct err *err)
{
	enum status s = give(change, in->user_id, in->role, err);

	/* A room has one owner. */
	if (!s && in->role == ROOM_ROLE(OWNER))
		s = give(change, change->user_id, ROOM_ROLE(ADMIN), err);
	if (!s)
		s = change_reread(change, err);
	if (s)
		return s;
	change_record(change, AUDIT_ACTION(CHAT_ROLE_GIVEN), in->user_id);
	return change_tell_room(change, ROOM_CHANGE(ROLE), in->user_id, err);
}

/* As it is after a try whose answer was lost; who gave their own role away may not give any more.
 */
static bool is_given(struct change *change, const RoleRequest *in)
{
	const struct store_member *member = change_member(change, in->user_id);

	return member && member->role == in->role && change->room.type == ROOM_TYPE(GROUP) &&
	       change->mine && change->mine->role != ROOM_ROLE(INVITED);
}

static enum status set_role(struct change *change, struct err *err)
{
	const RoleRequest *in = change->in;
	enum status s = STATUS_OK;

	if (!is_given(change, in)) {
		s = check(change, in, err);
		if (!s)
			s = write(change, in, err);
	}
	if (!s)
		change_reply_room(change);
	return s;
}

enum status chat_on_role(struct request *req, struct err *err)
{
	const RoleRequest *in = (const void *)req->body;
	struct change change = {
		.room_id = in->room_id, .enter = change_enter_room, .fn = set_role
	};
	enum status s = change_begin(&change, req, in->caller, err);

	if (!s)
		s = people_check_other("userId", in->user_id, change.user_id, err);
	if (!s && in->role != ROOM_ROLE(OWNER) && in->role != ROOM_ROLE(ADMIN) &&
	    in->role != ROOM_ROLE(MEMBER))
		s = err_invalid(err, "role", "must be owner, admin or member");
	return s ? s : change_run(&change, err);
}
