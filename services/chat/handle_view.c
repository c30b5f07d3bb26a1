/* ww.svc.chat.view: may the caller have the room open? */
#include "look.h"

enum status chat_on_view(struct request *req, struct err *err)
{
	const Walletwire__V1__ChatViewRequest *in = (const void *)req->body;
	Walletwire__V1__ChatViewReply *reply = MESSAGE_NEW(req->arena, chat_view_reply);
	struct look look;
	enum status s = look_into(req, in->room_id, &look, err);

	if (s)
		return s;
	reply->room_id = in->room_id;
	req->reply = &reply->base;
	return STATUS_OK;
}
