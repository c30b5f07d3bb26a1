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
#include "revoked.h"
#include "stats.h"

enum { ATTEMPTS = 3 };

struct job {
	struct erase erase;
	struct arena *arena;
};

static enum status run(void *arg, struct db *db, struct err *err)
{
	struct job *job = arg;

	return erase_piece(&job->erase, db, job->arena, err);
}

/* The sockets go before the rows: what they ask for would be stored again. */
static enum status end_tokens(struct request *req, const char *user_id, struct err *err)
{
	int64_t now_us = clock_wall_us();
	enum status s = store_revoke(req->db, "user", user_id, now_us, "erased", err);

	return s ? s : revoked_put(req->bus, "user", user_id, now_us, err);
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
	struct job job = { { .user_id = in->user_id }, req->arena };
	enum status s = STATUS_OK;

	if (!in->user_id[0] || strlen(in->user_id) > SUBJECT_ID_MAX)
		return err_invalid(err, "userId", "must have 1 to %d bytes", SUBJECT_ID_MAX);
	if (in->at && in->at->seq > INT64_MAX)
		return err_invalid(err, "at.seq", "is no number of a mailbox");
	reply->at = MESSAGE_NEW(req->arena, erase_progress);
	reply->erased = MESSAGE_NEW(req->arena, erase_counts);
	if (in->at) {
		reply->at->events_up_to = in->at->events_up_to;
		reply->at->seq = in->at->seq;
		job.erase.after = (int64_t)in->at->seq;
	} else {
		s = end_tokens(req, in->user_id, err);
	}
	if (!s && (!in->at || in->at->waiting))
		s = look_at_stream(req, reply->at, /* first= */ !in->at, err);
	reply->more = reply->at->waiting;
	if (!s && !reply->at->waiting)
		s = erase_now(req, &job, reply, err);
	req->reply = &reply->base;
	return s;
}
