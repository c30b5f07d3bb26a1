/*
 * ww.backend.notifications.erase: takes away what is held about one user, a piece a request.
 *
 * Whatever was published about the user before the first request has to be applied first, else it
 * would be stored behind the erasure's back. The applier's own order says when: the stream's last
 * number is read once, and nothing is erased before everything up to it has been acknowledged. No
 * clock is compared.
 */
#include "base/clock.h"
#include "base/subject.h"
#include "bus/provision.h"
#include "erase.h"
#include "log/log.h"
#include "messages.h"
#include "notifications.h"
#include "revoke.h"
#include "service/audit.h"
#include "stats.h"

enum { ATTEMPTS = 3 };

struct job {
	struct erase erase;
	struct arena *arena;
	AuditActor by;
	struct audit audit;
};

/* Every field of the message is a count. */
static uint64_t sum(const Walletwire__V1__EraseCounts *counts)
{
	const ProtobufCMessageDescriptor *type = counts->base.descriptor;
	uint64_t n = 0;

	for (unsigned i = 0; i < type->n_fields; i++)
		n += *(
		    const uint32_t *)(const void *)((const char *)counts + type->fields[i].offset);
	return n;
}

static enum status run(void *arg, struct db *db, struct err *err)
{
	struct job *job = arg;
	enum status s;

	/* If a try was committed after all, this one takes other rows: a record of its own. */
	job->audit = (struct audit){ 0 };
	s = erase_piece(&job->erase, db, job->arena, err);
	if (s || sum(job->erase.erased) == 0)
		return s;
	audit_begin(&job->audit, &store_audit, &job->by, job->arena, clock_wall_us());
	audit_erased(&job->audit, job->erase.user_id, sum(job->erase.erased));
	return audit_write(&job->audit, db, err);
}

/* The sockets go before the rows: what they ask for would be stored again. */
static enum status end_tokens(struct request *req, const struct job *job, struct err *err)
{
	const struct revocation revocation = {
		.is_user = true, .id = job->erase.user_id, .reason = "erased", .by = job->by
	};

	return revoke_tokens(req, &revocation, err);
}

/* Where the erasure stands, with what it waits for. */
static enum status look_at_stream(
    struct request *req, Walletwire__V1__EraseProgress *at, bool first, struct err *err)
{
	struct bus_consumer events;
	enum status s =
	    bus_consumer_read(req->bus, STREAM_EVENTS, CONSUMER_NOTIFICATIONS, &events, err);

	if (s)
		return s;
	if (first)
		at->events_up_to = events.last_seq;
	at->waiting = events.open > 0 && events.done_seq < at->events_up_to;
	return STATUS_OK;
}

static enum status erase_now(
    struct request *req, struct job *job, Walletwire__V1__EraseReply *reply, struct err *err)
{
	struct err ignored = ERR_INIT;
	enum status s = db_transaction(req->db, ATTEMPTS, run, job, err);

	if (s)
		return s;
	reply->more = job->erase.more;
	reply->at->seq = (uint64_t)job->erase.up_to;
	reply->erased = job->erase.erased;
	stats_count(STATS_ERASED, reply->erased->mailbox);
	/* A doorbell that is lost is found by the sweep, so it fails nothing. */
	if (!reply->more && job->erase.found &&
	    erase_ring(&job->erase, req->bus, req->arena, &ignored))
		log_failure(&ignored, "ring an erasure");
	return STATUS_OK;
}

enum status notifications_on_erase(struct request *req, struct err *err)
{
	const Walletwire__V1__EraseRequest *in = (const void *)req->body;
	Walletwire__V1__EraseReply *reply = MESSAGE_NEW(req->arena, erase_reply);
	struct job job = { .erase = { .user_id = in->user_id }, .arena = req->arena };
	enum status s = subject_check_id("userId", in->user_id, err);

	if (s)
		return s;
	if (in->at && in->at->seq > INT64_MAX)
		return err_invalid(err, "at.seq", "is no number of a mailbox");
	s = audit_requester(req, in->asked_by, &job.by, err);
	if (s)
		return s;
	reply->at = MESSAGE_NEW(req->arena, erase_progress);
	reply->erased = MESSAGE_NEW(req->arena, erase_counts);
	if (in->at) {
		reply->at->events_up_to = in->at->events_up_to;
		reply->at->seq = in->at->seq;
		job.erase.after = (int64_t)in->at->seq;
	} else {
		s = end_tokens(req, &job, err);
	}
	if (!s && (!in->at || in->at->waiting))
		s = look_at_stream(req, reply->at, /* first= */ !in->at, err);
	reply->more = reply->at->waiting;
	if (!s && !reply->at->waiting)
		s = erase_now(req, &job, reply, err);
	req->reply = &reply->base;
	return s;
}
