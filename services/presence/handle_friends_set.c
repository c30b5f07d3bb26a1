/* ww.backend.presence.friends_set: who is whose friend, as the wallet's back end says. */
#include "base/clock.h"
#include "base/subject.h"
#include "presence.h"
#include "service/audit.h"
#include "speaker.h"

enum { ATTEMPTS = 3, IDS_MAX = 5000 };

#define CHANGE(NAME) WALLETWIRE__V1__FRIENDS_SET_REQUEST__CHANGE_##NAME

/* A unit of work that can be run again. */
struct job {
	const Walletwire__V1__FriendsSetRequest *in;
	struct store_ids ids;
	size_t max_friends;
	struct arena *arena;
	AuditActor by;
	struct audit audit;
	struct store_ids added, removed;
	size_t friends;
	const char *too_many; /* whose friends would be */
};

static enum status take_ids(const Walletwire__V1__FriendsSetRequest *in, const char *field,
    const Walletwire__V1__StringList *list, struct job *job, struct err *err)
{
	if (list->n_values > IDS_MAX)
		return err_invalid(err, field, "names more than %d users", IDS_MAX);
	for (size_t i = 0; i < list->n_values; i++) {
		if (!list->values[i][0] || strlen(list->values[i]) > SUBJECT_ID_MAX)
			return err_invalid(
			    err, field, "must have 1 to %d bytes each", SUBJECT_ID_MAX);
		if (strcmp(list->values[i], in->user_id) == 0)
			return err_invalid(err, field, "names the user as their own friend");
	}
	job->ids = (struct store_ids){ (const char *const *)list->values, list->n_values };
	return STATUS_OK;
}

static enum status check(struct job *job, struct err *err)
{
	const Walletwire__V1__FriendsSetRequest *in = job->in;
	enum status s = subject_check_id("userId", in->user_id, err);

	if (s)
		return s;
	switch (in->change_case) {
	case CHANGE(REPLACE):
		return take_ids(in, "replace", in->replace, job, err);
	case CHANGE(ADD):
		return take_ids(in, "add", in->add, job, err);
	case CHANGE(REMOVE):
		return take_ids(in, "remove", in->remove, job, err);
	default:
		return err_invalid(err, "change", "is missing: replace, add or remove");
	}
}

static enum status change(struct job *job, struct db *db, struct err *err)
{
	const char *user_id = job->in->user_id;
	enum status s = STATUS_OK;

	if (job->in->change_case == CHANGE(REMOVE))
		return store_remove_friends(db, user_id, &job->ids, job->arena, &job->removed, err);
	if (job->in->change_case == CHANGE(REPLACE))
		s = store_keep_friends(db, user_id, &job->ids, job->arena, &job->removed, err);
	if (!s)
		s = store_add_friends(db, user_id, &job->ids, job->arena, &job->added, err);
	return s;
}

static enum status check_count(struct job *job, struct db *db, struct err *err)
{
	enum status s = store_count_friends(db, job->in->user_id, &job->friends, err);

	if (s || job->added.len == 0)
		return s;
	if (job->friends > job->max_friends)
		job->too_many = job->in->user_id;
	else
		s = store_find_too_many(db, job->ids.at, job->ids.len, job->max_friends, job->arena,
		    &job->too_many, err);
	if (s || !job->too_many)
		return s;
	return err_set(err, STATUS_TOO_LARGE, "%s would have more than %zu friends", job->too_many,
	    job->max_friends);
}

static void record(
    struct job *job, Walletwire__V1__AuditAction action, const struct store_ids *friends)
{
	AuditRecord *record = audit_record(&job->audit, action, friends->len);

	if (friends->len == 0)
		return;
	audit_record_id(record, job->in->user_id);
	for (size_t i = 0; i < friends->len; i++)
		(void)audit_record_user(record, friends->at[i]);
	record->n = friends->len;
	audit_add(&job->audit, record);
}

static enum status run(void *arg, struct db *db, struct err *err)
{
	struct job *job = arg;
	enum status s;

	job->added = job->removed = (struct store_ids){ 0 };
	job->too_many = NULL;
	audit_begin(&job->audit, &store_audit, &job->by, job->arena, clock_wall_us());
	s = store_lock_friends(db, err);
	if (!s)
		s = change(job, db, err);
	if (!s)
		s = check_count(job, db, err);
	if (s)
		return s;
	record(job, AUDIT_ACTION(FRIENDS_REMOVED), &job->removed);
	record(job, AUDIT_ACTION(FRIENDS_ADDED), &job->added);
	return audit_write(&job->audit, db, err);
}

enum status presence_on_friends_set(struct request *req, struct err *err)
{
	const struct presence *presence = req->ctx;
	Walletwire__V1__FriendsSetReply *reply = MESSAGE_NEW(req->arena, friends_set_reply);
	struct job job = { .in = (const void *)req->body,
		.arena = req->arena,
		.max_friends = (size_t)presence->cfg->max_friends };
	enum status s = check(&job, err);

	if (!s)
		s = audit_requester(req, job.in->asked_by, &job.by, err);
	if (!s)
		s = db_transaction(req->db, ATTEMPTS, run, &job, err);
	if (s)
		return s;
	if (job.added.len + job.removed.len > 0)
		speaker_nudge(req->bus);
	reply->added = (uint32_t)job.added.len;
	reply->removed = (uint32_t)job.removed.len;
	reply->friends = (uint32_t)job.friends;
	req->reply = &reply->base;
	return STATUS_OK;
}
