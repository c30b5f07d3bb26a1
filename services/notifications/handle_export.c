/* ww.backend.notifications.export: what is held about one user, a page at a time. */
#include "base/subject.h"
#include "messages.h"
#include "notifications.h"
#include "service/audit.h"
#include "store.h"

enum { CURSOR_MAX = SUBJECT_ID_MAX + 16 };

enum status notifications_on_export(struct request *req, struct err *err)
{
	const Walletwire__V1__ExportRequest *in = (const void *)req->body;
	Walletwire__V1__ExportReply *reply = MESSAGE_NEW(req->arena, export_reply);
	enum status s;

	s = subject_check_id("userId", in->user_id, err);
	if (s)
		return s;
	if (strlen(in->after) > CURSOR_MAX)
		return err_invalid(err, "after", "is no cursor of a page");
	s = audit_export(req, &store_audit, in->user_id, in->asked_by, err);
	if (s)
		return s;
	req->reply = &reply->base;
	return store_export(req->db, in->user_id, in->after, req->arena, reply, err);
}
