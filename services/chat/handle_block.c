/*
 * ww.svc.chat.block and .unblock: two users who are done with each other, or not.
 *
 * A block waits for what is being said between the two, and what is said next waits for it: once it
 * is answered nothing more comes.
 */
#include "base/clock.h"
#include "people.h"

enum { ATTEMPTS = 3 };

struct job {
	const char *user_id, *other_id;
	bool blocks;
	struct arena *arena;
	AuditActor by;
	struct audit audit;
};

static enum status lock_between(struct job *job, struct db *db, struct err *err)
{
	const char *room_id = "";
	struct err no_room = ERR_INIT;
	struct store_room room;
	enum status s = store_lock_pair(db, job->user_id, job->other_id, err);

	if (!s)
		s = store_find_direct(db, job->user_id, job->other_id, job->arena, &room_id, err);
	if (s || !room_id[0])
		return s;
	s = store_lock_room(db, room_id, job->arena, &room, &no_room);
	if (s == STATUS_NOT_FOUND) /* it ended just now */
		return STATUS_OK;
	if (s)
		*err = no_room;
	return s;
}

static enum status run(void *arg, struct db *db, struct err *err)
{
	struct job *job = arg;
	bool changed = false;
	AuditRecord *record;
	enum status s = lock_between(job, db, err);

	if (!s)
		s = (job->blocks ? store_block : store_unblock)(
		    db, job->user_id, job->other_id, &changed, err);
	if (s || !changed)
		return s;
	audit_begin(&job->audit, &store_audit, &job->by, job->arena, clock_wall_us());
	record = audit_record(&job->audit,
	    job->blocks ? AUDIT_ACTION(CHAT_USER_BLOCKED) : AUDIT_ACTION(CHAT_USER_UNBLOCKED), 1);
	(void)audit_record_user(record, job->other_id);
	record->n = 1;
	audit_add(&job->audit, record);
	return audit_write(&job->audit, db, err);
}

static enum status change(struct request *req, bool blocks, struct err *err)
{
	const Walletwire__V1__ChatBlockRequest *in = (const void *)req->body;
	struct job job = { .other_id = in->user_id, .blocks = blocks, .arena = req->arena };
	enum status s = request_caller(req, &job.user_id, err);

	if (!s)
		s = people_check_other("userId", in->user_id, job.user_id, err);
	if (s)
		return s;
	job.by = audit_caller(in->caller);
	req->reply = MESSAGE_NEW(req->arena, error_reply);
	return db_transaction(req->db, ATTEMPTS, run, &job, err);
}

enum status chat_on_block(struct request *req, struct err *err)
{
	return change(req, /* blocks= */ true, err);
}

enum status chat_on_unblock(struct request *req, struct err *err)
{
	return change(req, /* blocks= */ false, err);
}
