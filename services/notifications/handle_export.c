/* ww.backend.notifications.export: what is held about one user, a page at a time. */
#include "base/clock.h"
#include "base/subject.h"
#include "messages.h"
#include "notifications.h"
#include "service/audit.h"
#include "store.h"

enum { CURSOR_MAX = SUBJECT_ID_MAX + 16, ATTEMPTS = 3 };

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

/* Before anything is read, and for each page: a cursor can be made by hand. */
static enum status record_export(
    struct request *req, const Walletwire__V1__ExportRequest *in, struct err *err)
{
	struct job job = { .user_id = in->user_id, .arena = req->arena };
	enum status s = audit_requester(req, in->asked_by, &job.by, err);

	return s ? s : db_transaction(req->db, ATTEMPTS, run, &job, err);
}

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
	s = record_export(req, in, err);
	if (s)
		return s;
	req->reply = &reply->base;
	return store_export(req->db, in->user_id, in->after, req->arena, reply, err);
}
