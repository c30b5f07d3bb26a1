/* ww.backend.chat.export: what is held about one user, a page at a time. */
#include "base/subject.h"
#include "chat.h"
#include "store.h"

enum status chat_on_export(struct request *req, struct err *err)
{
	const Walletwire__V1__ChatExportRequest *in = (const void *)req->body;
	ChatExportReply *reply = MESSAGE_NEW(req->arena, chat_export_reply);
	enum status s = subject_check_id("userId", in->user_id, err);

	if (!s)
		s = audit_export(req, &store_audit, in->user_id, in->asked_by, err);
	if (s)
		return s;
	req->reply = &reply->base;
	return store_export(req->db, in->user_id, in->after, req->arena, reply, err);
}
