/* ww.backend.notifications.recall: what an event said is taken back. */
#include "announcements.h"
#include "base/clock.h"
#include "base/subject.h"
#include "kind.h"
#include "log/log.h"
#include "messages.h"
#include "notifications.h"
#include "ring.h"
#include "service/audit.h"
#include "stats.h"
#include "store.h"
#include "withdraw.h"

enum { ATTEMPTS = 3 };

struct job {
	struct arena *arena;
	AuditActor by;
	struct audit audit;
	const char *epoch;
	struct withdrawal withdrawal;
	bool is_announcement;
	LogEntry *entry; /* that says so to everybody; NULL: none */
};

static enum status recall_items(struct job *job, struct db *db, struct err *err)
{
	struct withdrawal *w = &job->withdrawal;
	bool found = false;
	enum status s = store_find_event(db, w->event_key, job->arena, &found, &w->items, err);

	if (!s && !found)
		s = err_set(err, STATUS_NOT_FOUND,
		    "no event %s was applied, or it is too long ago to be taken back",
		    w->event_key);
	if (!s && w->items.len > 0)
		s = withdraw_items(w, db, job->arena, &job->audit, err);
	return s;
}

static enum status run(void *arg, struct db *db, struct err *err)
{
	struct job *job = arg;
	enum status s;

	audit_begin(&job->audit, &store_audit, &job->by, job->arena, clock_wall_us());
	if (job->is_announcement)
		s = announcements_recall(
		    db, job->withdrawal.event_id, job->arena, &job->entry, &job->audit, err);
	else
		s = recall_items(job, db, err);
	if (!s)
		s = audit_write(&job->audit, db, err);
	return s ? s : store_epoch(db, job->arena, &job->epoch, err);
}

static enum status ring(const struct job *job, struct bus *bus, struct err *err)
{
	LogEntry *entry = job->entry;

	if (job->is_announcement)
		return ring_all(bus, job->epoch, &entry, entry ? 1 : 0, job->arena, err);
	return withdraw_ring(&job->withdrawal, bus, job->epoch, job->arena, err);
}

static bool is_announcement(int kind)
{
	return kind == WALLETWIRE__V1__PAYLOAD__BODY_ANNOUNCEMENT;
}

static enum status check(const Walletwire__V1__RecallRequest *in, struct err *err)
{
	int kind = kind_number(in->type);

	if (!kind || (!kind_find(kind)->inbox && !is_announcement(kind)))
		return err_invalid(err, "type", "names no type of the inbox");
	return subject_check_id("id", in->id, err);
}

enum status notifications_on_recall(struct request *req, struct err *err)
{
	const Walletwire__V1__RecallRequest *in = (const void *)req->body;
	Walletwire__V1__RecallReply *reply = MESSAGE_NEW(req->arena, recall_reply);
	struct job job = { .arena = req->arena,
		.withdrawal = { .state = WALLETWIRE__V1__INBOX_STATE__INBOX_STATE_RECALLED,
		    .event_key = arena_printf(req->arena, "%s/%s", in->type, in->id),
		    .event_id = in->id } };
	enum status s = check(in, err);
	struct err ignored = ERR_INIT;

	job.is_announcement = is_announcement(kind_number(in->type));
	if (!s)
		s = audit_requester(req, in->asked_by, &job.by, err);
	if (!s)
		s = db_transaction(req->db, ATTEMPTS, run, &job, err);
	if (s)
		return s;
	/* A doorbell that is lost is found by the sweep, so it fails nothing. */
	if (ring(&job, req->bus, &ignored))
		log_failure(&ignored, "ring a recall");
	reply->recalled = (uint32_t)job.withdrawal.gone.len + (job.entry ? 1 : 0);
	stats_count(STATS_RECALLED, (int64_t)reply->recalled);
	req->reply = &reply->base;
	return STATUS_OK;
}
