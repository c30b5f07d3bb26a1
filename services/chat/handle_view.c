/* ww.svc.chat.view: may the caller have the room open? */
#include "look.h"

enum status chat_on_view(struct request *req, struct err *err)
{
	const Walletwire__V1__ChatViewRequest *in = (const void *)req->body;
	struct look look;
	enum status s = look_into(req, in->room_id, &look, err);

	req->reply = MESSAGE_NEW(req->arena, error_reply);
	return s;
}
