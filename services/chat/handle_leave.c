/* ww.svc.chat.leave: a member goes, or an invitation is declined. Again is fine. */
#include "leaving.h"

static enum status leave(struct change *change, struct err *err)
{
	/* Nothing about the room: who has left is told nothing more of it. */
	change->reply = MESSAGE_NEW(change->arena, chat_room_reply);
	if (!change->mine) {
		change->gone =
		    change->user_id; /* the answer of the try before may have been lost */
		return STATUS_OK;
	}
	if (change_require_group(change, err))
		return err->status;
	return leaving_take_out(change, change->user_id, ROOM_CHANGE(LEFT), err);
}

enum status chat_on_leave(struct request *req, struct err *err)
{
	const Walletwire__V1__ChatLeaveRequest *in = (const void *)req->body;
	struct change change = {
		.room_id = in->room_id, .enter = change_enter_even_ended, .fn = leave
	};
	enum status s = change_begin(&change, req, in->caller, err);

	return s ? s : change_run(&change, err);
}
