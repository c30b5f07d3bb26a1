/* ww.svc.notifications.since: a page of the mailbox interval (after, up_to]. */
#include "messages.h"
#include "notifications.h"
#include "store.h"

enum status notifications_on_since(struct request *req, struct err *err)
{
	const Walletwire__V1__SinceRequest *in = (const void *)req->body;
	Walletwire__V1__SinceReply *reply = MESSAGE_NEW(req->arena, since_reply);
	const char *user_id;
	enum status s = request_caller(req, &user_id, err);

	if (!s && (in->after > INT64_MAX - 1 || in->up_to > INT64_MAX - 1))
		s = err_invalid(err, "after", "is no number of a mailbox");
	if (!s)
		s = store_since(req->db, user_id, (int64_t)in->after, (int64_t)in->up_to,
		    req->arena, reply, err);
	req->reply = &reply->base;
	return s;
}
