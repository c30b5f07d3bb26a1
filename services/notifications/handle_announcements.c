/* ww.svc.notifications.announcements: a page of the announcement log's interval (after, up_to]. */
#include "messages.h"
#include "notifications.h"
#include "store.h"

enum status notifications_on_announcements(struct request *req, struct err *err)
{
	const Walletwire__V1__AnnouncementsRequest *in = (const void *)req->body;
	Walletwire__V1__AnnouncementsReply *reply = MESSAGE_NEW(req->arena, announcements_reply);
	enum status s = STATUS_OK;

	if (in->after > INT64_MAX || in->up_to > INT64_MAX)
		s = err_invalid(err, "after", "is no number of the log");
	if (!s)
		s = store_announcements(
		    req->db, (int64_t)in->after, (int64_t)in->up_to, req->arena, reply, err);
	req->reply = &reply->base;
	return s;
}
