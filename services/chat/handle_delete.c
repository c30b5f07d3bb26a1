/* ww.svc.chat.delete: one's own message is taken back; its number stays. Again is fine. */
#include "revision.h"

static enum status delete_message(struct change *change, struct err *err)
{
	const Walletwire__V1__ChatDeleteRequest *in = change->in;
	struct store_message message;
	enum status s = revision_find(change, in->seq, &message, err);

	if (!s && !message.deleted)
		s = revision_write(change, &message, "", /* deleted= */ true, err);
	if (!s)
		revision_reply(change, &message);
	return s;
}

enum status chat_on_delete(struct request *req, struct err *err)
{
	const Walletwire__V1__ChatDeleteRequest *in = (const void *)req->body;
	struct change change = {
		.room_id = in->room_id, .enter = change_enter_room, .fn = delete_message
	};
	enum status s = change_begin(&change, req, in->caller, err);

	return s ? s : change_run(&change, err);
}
