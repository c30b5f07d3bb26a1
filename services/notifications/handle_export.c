/* ww.backend.notifications.export: what is held about one user, a page at a time. */
#include "base/subject.h"
#include "messages.h"
#include "notifications.h"
#include "store.h"

enum { CURSOR_MAX = SUBJECT_ID_MAX + 16 };

enum status notifications_on_export(struct request *req, struct err *err)
{
	const Walletwire__V1__ExportRequest *in = (const void *)req->body;
	Walletwire__V1__ExportReply *reply = MESSAGE_NEW(req->arena, export_reply);

	if (!in->user_id[0] || strlen(in->user_id) > SUBJECT_ID_MAX)
		return err_invalid(err, "userId", "must have 1 to %d bytes", SUBJECT_ID_MAX);
	if (strlen(in->after) > CURSOR_MAX)
		return err_invalid(err, "after", "is no cursor of a page");
	req->reply = &reply->base;
	return store_export(req->db, in->user_id, in->after, req->arena, reply, err);
}
