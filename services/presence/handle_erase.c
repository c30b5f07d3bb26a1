/*
 * ww.backend.presence.erase: ends every friendship of one user, which watchers are told of like of
 * any other, and forgets privacy and when they were last seen. At most 5,000 friends, so it is one
 * piece.
 */
#include "base/clock.h"
#include "base/subject.h"
#include "presence.h"
#include "service/audit.h"
#include "speaker.h"
#include "walletwire/v1/notifications.pb-c.h"

enum { ATTEMPTS = 3 };

/* A unit of work that can be run again. */
struct job {
	const char *user_id;
	struct arena *arena;
	AuditActor by;
	struct audit audit;
	struct store_ids friends;
	bool found; /* a row of their own */
};

static enum status run(void *arg, struct db *db, struct err *err)
{
	static const struct store_ids nobody;
	struct job *job = arg;
	enum status s = store_lock_friends(db, err);

	if (!s)
		s = store_keep_friends(db, job->user_id, &nobody, job->arena, &job->friends, err);
	if (!s)
		s = store_forget_user(db, job->user_id, &job->found, err);
	if (s || job->friends.len + job->found == 0)
		return s;
	/* If a try was committed after all, this one takes other rows: a record of its own. */
	job->audit = (struct audit){ 0 };
	audit_begin(&job->audit, &store_audit, &job->by, job->arena, clock_wall_us());
	audit_erased(&job->audit, job->user_id, job->friends.len + job->found);
	return audit_write(&job->audit, db, err);
}

enum status presence_on_erase(struct request *req, struct err *err)
{
	const Walletwire__V1__EraseRequest *in = (const void *)req->body;
	Walletwire__V1__EraseReply *reply = MESSAGE_NEW(req->arena, erase_reply);
	struct job job = { .user_id = in->user_id, .arena = req->arena };
	enum status s = subject_check_id("userId", in->user_id, err);

	if (!s)
		s = audit_requester(req, in->asked_by, &job.by, err);
	if (!s)
		s = db_transaction(req->db, ATTEMPTS, run, &job, err);
	if (s)
		return s;
	if (job.friends.len > 0)
		speaker_nudge(req->bus);
	reply->at = MESSAGE_NEW(req->arena, erase_progress);
	reply->erased = MESSAGE_NEW(req->arena, erase_counts);
	reply->erased->friends = (uint32_t)job.friends.len;
	reply->erased->presence = job.found;
	req->reply = &reply->base;
	return STATUS_OK;
}
