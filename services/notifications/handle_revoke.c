/* ww.backend.notifications.revoke: tokens that no longer count. */
#include "audit.h"
#include "base/clock.h"
#include "base/subject.h"
#include "messages.h"
#include "notifications.h"
#include "revoked.h"
#include "store.h"

enum { REASON_MAX = 1000, ATTEMPTS = 3 };

/* A unit of work that can be run again. */
struct job {
	const char *kind, *id, *reason;
	bool is_user;
	int64_t now_us;
	struct arena *arena;
	AuditActor by;
	struct audit audit;
};

static enum status run(void *arg, struct db *db, struct err *err)
{
	struct job *job = arg;
	enum status s = store_revoke(db, job->kind, job->id, job->now_us, job->reason, err);
	AuditRecord *record;

	if (s)
		return s;
	audit_begin(&job->audit, &job->by, job->arena, job->now_us);
	record = audit_record(&job->audit, AUDIT_ACTION(TOKENS_REVOKED), 1);
	if (job->is_user)
		(void)audit_record_user(record, job->id);
	else
		audit_record_id(record, job->id);
	audit_add(&job->audit, record);
	return audit_write(&job->audit, db, err);
}

static enum status check(
    const Walletwire__V1__RevokeRequest *in, const struct job *job, struct err *err)
{
	if (in->what_case == WALLETWIRE__V1__REVOKE_REQUEST__WHAT__NOT_SET || !job->id[0] ||
	    strlen(job->id) > SUBJECT_ID_MAX)
		return err_invalid(err, job->is_user ? "userId" : "tokenId",
		    "must have 1 to %d bytes", SUBJECT_ID_MAX);
	if (strlen(in->reason) > REASON_MAX)
		return err_invalid(err, "reason", "is longer than %d bytes", REASON_MAX);
	return STATUS_OK;
}

enum status notifications_on_revoke(struct request *req, struct err *err)
{
	const Walletwire__V1__RevokeRequest *in = (const void *)req->body;
	Walletwire__V1__RevokeReply *reply = MESSAGE_NEW(req->arena, revoke_reply);
	bool is_user = in->what_case == WALLETWIRE__V1__REVOKE_REQUEST__WHAT_USER_ID;
	struct job job = { .kind = is_user ? "user" : "jti",
		.id = is_user ? in->user_id : in->token_id,
		.reason = in->reason,
		.is_user = is_user,
		.now_us = clock_wall_us(),
		.arena = req->arena };
	enum status s = check(in, &job, err);

	if (!s)
		s = audit_requester(req, in->asked_by, &job.by, err);
	/* The row first: if the copy fails, the caller asks again, and nothing is forgotten. */
	if (!s)
		s = db_transaction(req->db, ATTEMPTS, run, &job, err);
	if (!s)
		s = revoked_put(req->bus, job.kind, job.id, job.now_us, err);
	req->reply = &reply->base;
	return s;
}
