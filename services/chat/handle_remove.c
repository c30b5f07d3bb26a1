/* ww.svc.chat.remove: somebody is made to go. */
#include "leaving.h"
#include "people.h"

static enum status remove_member(struct change *change, struct err *err)
{
	const Walletwire__V1__ChatRemoveRequest *in = change->in;
	const struct store_member *member = change_member(change, in->user_id);
	enum status s = change_require_group(change, err);

	if (!s)
		s = change_require(change, ROOM_ROLE(ADMIN), err);
	/* An admin may remove whoever is below. */
	if (!s && member && change->mine->role >= member->role)
		s = err_set(err, STATUS_FORBIDDEN, "your role in the room does not allow it");
	if (!s && member)
		s = leaving_take_out(change, in->user_id, ROOM_CHANGE(REMOVED), err);
	else if (!s) /* by a try whose answer was lost, say */
		change->gone = in->user_id;
	if (!s)
		change_reply_room(change);
	return s;
}

enum status chat_on_remove(struct request *req, struct err *err)
{
	const Walletwire__V1__ChatRemoveRequest *in = (const void *)req->body;
	struct change change = {
		.room_id = in->room_id, .enter = change_enter_room, .fn = remove_member
	};
	enum status s = change_begin(&change, req, in->caller, err);

	if (!s)
		s = people_check_other("userId", in->user_id, change.user_id, err);
	return s ? s : change_run(&change, err);
}
