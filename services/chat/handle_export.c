/* ww.backend.chat.export: what is held about one user, a page at a time. */
#include "base/clock.h"
#include "base/subject.h"
#include "chat.h"
#include "store.h"

enum { ATTEMPTS = 3 };

struct job {
	const char *user_id;
	struct arena *arena;
	AuditActor by;
	struct audit audit;
};

static enum status run(void *arg, struct db *db, struct err *err)
{
	struct job *job = arg;

	audit_begin(&job->audit, &store_audit, &job->by, job->arena, clock_wall_us());
	audit_exported(&job->audit, job->user_id);
	return audit_write(&job->audit, db, err);
}

enum status chat_on_export(struct request *req, struct err *err)
{
	const Walletwire__V1__ChatExportRequest *in = (const void *)req->body;
	ChatExportReply *reply = MESSAGE_NEW(req->arena, chat_export_reply);
	struct job job = { .user_id = in->user_id, .arena = req->arena };
	enum status s = subject_check_id("userId", in->user_id, err);

	if (!s)
		s = audit_requester(req, in->asked_by, &job.by, err);
	/* Before anything is read, and for each page: a cursor can be made by hand. */
	if (!s)
		s = db_transaction(req->db, ATTEMPTS, run, &job, err);
	if (s)
		return s;
	req->reply = &reply->base;
	return store_export(req->db, in->user_id, in->after, req->arena, reply, err);
}
