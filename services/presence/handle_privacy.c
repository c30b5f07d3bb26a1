/* ww.svc.presence.privacy: whether friends see the caller at all. */
#include "base/clock.h"
#include "presence.h"
#include "service/audit.h"
#include "speaker.h"

enum { ATTEMPTS = 3 };

/* A unit of work that can be run again. */
struct job {
	const char *user_id;
	bool visible, changed;
	struct arena *arena;
	AuditActor by;
	struct audit audit;
};

static enum status run(void *arg, struct db *db, struct err *err)
{
	struct job *job = arg;
	AuditRecord *record;
	enum status s = store_set_visible(db, job->user_id, job->visible, &job->changed, err);

	if (s || !job->changed)
		return s;
	audit_begin(&job->audit, &store_audit, &job->by, job->arena, clock_wall_us());
	record = audit_record(&job->audit,
	    job->visible ? AUDIT_ACTION(PRESENCE_SHOWN) : AUDIT_ACTION(PRESENCE_HIDDEN), 1);
	(void)audit_record_user(record, job->user_id);
	audit_add(&job->audit, record);
	return audit_write(&job->audit, db, err);
}

static enum status choose(struct request *req, struct job *job, struct err *err)
{
	enum status s = db_transaction(req->db, ATTEMPTS, run, job, err);

	if (!s && job->changed)
		speaker_nudge(req->bus);
	return s;
}

enum status presence_on_privacy(struct request *req, struct err *err)
{
	const Walletwire__V1__PresencePrivacyRequest *in = (const void *)req->body;
	Walletwire__V1__PresencePrivacyReply *reply =
	    MESSAGE_NEW(req->arena, presence_privacy_reply);
	struct job job = { .visible = in->visible, .arena = req->arena };
	enum status s = request_caller(req, &job.user_id, err);

	if (s)
		return s;
	job.by = audit_caller(in->caller);
	if (in->choice_case == WALLETWIRE__V1__PRESENCE_PRIVACY_REQUEST__CHOICE_VISIBLE)
		s = choose(req, &job, err);
	else
		s = store_is_visible(req->db, job.user_id, &job.visible, err);
	reply->visible = job.visible;
	req->reply = &reply->base;
	return s;
}
