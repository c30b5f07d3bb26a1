/* One transaction under the user's counter row; the doorbell after its commit. */
#include "select.h"

#include "base/clock.h"
#include "base/subject.h"
#include "changed.h"
#include "kind.h"
#include "log/log.h"
#include "ring.h"
#include "service/audit.h"
#include "stats.h"
#include "store.h"

enum { IDS_MAX = 256, ATTEMPTS = 3 };

/* A unit of work that can be run again: everything below `arena` is made by each run. */
struct job {
	const Walletwire__V1__SelectRequest *in;
	const char *user_id;
	Walletwire__V1__InboxState state;
	Walletwire__V1__ChangeAction action;
	struct arena *arena;
	struct audit audit;
	const char *epoch;
	int64_t seq, rev;
	size_t moved, moved_announcements;
	Item *changed; /* what the other devices are told; NULL: nothing changed */
	Unread *unread;
	bool recounted; /* the counters changed too */
	Marks *marks;   /* of announcements, if these changed; NULL: they did not */
};

static enum status check(const Walletwire__V1__SelectRequest *in, struct err *err)
{
	switch (in->selection_case) {
	case WALLETWIRE__V1__SELECT_REQUEST__SELECTION_IDS:
		if (in->ids->n_values == 0 || in->ids->n_values > IDS_MAX)
			return err_invalid(err, "ids", "must name 1 to %d items", IDS_MAX);
		for (size_t i = 0; i < in->ids->n_values; i++) {
			if (strlen(in->ids->values[i]) > SUBJECT_ID_MAX)
				return err_invalid(
				    err, "ids", "is longer than %d bytes", SUBJECT_ID_MAX);
		}
		return STATUS_OK;
	case WALLETWIRE__V1__SELECT_REQUEST__SELECTION_UP_TO:
		return STATUS_OK;
	case WALLETWIRE__V1__SELECT_REQUEST__SELECTION_ALL:
		return in->all ? STATUS_OK : err_invalid(err, "all", "must be true");
	default:
		return err_invalid(err, "selection", "is missing: ids, upTo or all");
	}
}

/* The user's own words about the change, with `all` as what it meant at this moment. */
static Changed *words(const struct job *job)
{
	Changed *changed = MESSAGE_NEW(job->arena, changed);

	changed->action = job->action;
	switch (job->in->selection_case) {
	case WALLETWIRE__V1__SELECT_REQUEST__SELECTION_IDS:
		changed->selection_case = WALLETWIRE__V1__CHANGED__SELECTION_IDS;
		changed->ids = job->in->ids;
		break;
	case WALLETWIRE__V1__SELECT_REQUEST__SELECTION_UP_TO:
		changed->selection_case = WALLETWIRE__V1__CHANGED__SELECTION_UP_TO;
		changed->up_to = job->in->up_to;
		break;
	default:
		changed->selection_case = WALLETWIRE__V1__CHANGED__SELECTION_ALL;
		changed->all = true;
		break;
	}
	return changed;
}

static enum status append_changed(struct job *job, struct db *db, struct err *err)
{
	struct store_users user = { 1, &job->user_id, &job->seq, &job->rev };
	Changed *said = words(job);
	struct changed changed = { &user, &said, NULL };
	enum status s = changed_append(&changed, db, job->arena, err);

	job->changed = changed.items[0];
	return s ? s : store_set_some(db, &user, err);
}

/* The user's own choice, and the item that tells the other devices of it. */
static void audit_move(struct job *job)
{
	static const Walletwire__V1__AuditAction actions[] = {
		[WALLETWIRE__V1__CHANGE_ACTION__CHANGE_ACTION_SEEN] = AUDIT_ACTION(ITEM_SEEN),
		[WALLETWIRE__V1__CHANGE_ACTION__CHANGE_ACTION_READ] = AUDIT_ACTION(ITEM_READ),
		[WALLETWIRE__V1__CHANGE_ACTION__CHANGE_ACTION_ARCHIVED] =
		    AUDIT_ACTION(ITEM_ARCHIVED),
	};
	AuditRecord *record = audit_record(&job->audit, actions[job->action], 1);

	audit_record_user(record, job->user_id)->seq = job->changed->seq;
	switch (job->in->selection_case) {
	case WALLETWIRE__V1__SELECT_REQUEST__SELECTION_IDS:
		record->ids = job->in->ids->values;
		record->n_ids = job->in->ids->n_values;
		break;
	case WALLETWIRE__V1__SELECT_REQUEST__SELECTION_UP_TO:
		record->up_to = job->in->up_to;
		break;
	default:
		record->up_to = job->in->position;
		record->announcement_seq = job->in->announcement_position;
		break;
	}
	record->n = job->moved + job->moved_announcements;
	audit_add(&job->audit, record);
}

static int64_t number(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

/* A number of the mailbox selects none of them. */
static enum status move_announcements(
    struct job *job, struct db *db, const struct store_move *move, struct err *err)
{
	size_t *moved = &job->moved_announcements;
	enum status s = STATUS_OK;

	if (job->in->selection_case == WALLETWIRE__V1__SELECT_REQUEST__SELECTION_IDS)
		s = store_mark_announcements(db, move, moved, err);
	else if (job->in->selection_case == WALLETWIRE__V1__SELECT_REQUEST__SELECTION_ALL)
		s = store_pass_announcements(
		    db, move, number(job->in->announcement_position), moved, err);
	if (!s && *moved > 0)
		s = store_marks(db, job->user_id, job->arena, &job->marks, err);
	return s;
}

static enum status move(struct job *job, struct db *db, struct err *err)
{
	struct store_move move = { .user_id = job->user_id,
		.state = (int16_t)job->state,
		.up_to = INT64_MAX,
		.now_us = clock_wall_us() };
	struct unread_rows left;
	enum status s;

	if (job->in->selection_case == WALLETWIRE__V1__SELECT_REQUEST__SELECTION_IDS) {
		move.ids = job->in->ids->values;
		move.ids_len = job->in->ids->n_values;
	} else if (job->in->selection_case == WALLETWIRE__V1__SELECT_REQUEST__SELECTION_UP_TO) {
		move.up_to = number(job->in->up_to);
	} else {
		move.up_to = number(job->in->position);
	}
	s = store_move_items(db, &move, job->arena, &job->moved, &left, err);
	if (!s)
		s = move_announcements(job, db, &move, err);
	if (s || job->moved + job->moved_announcements == 0)
		return s;
	job->rev++;
	/* With the marks come the counters they are added to. */
	job->recounted = left.len > 0 || job->marks;
	if (left.len > 0)
		s = store_take_unread(db, &left, err);
	if (!s)
		s = append_changed(job, db, err);
	if (s)
		return s;
	audit_move(job);
	return audit_write(&job->audit, db, err);
}

/* Somebody who was never told anything has no row, and may have read an announcement. */
static enum status make_user(struct job *job, struct db *db, bool *ret_found, struct err *err)
{
	Unread *live = MESSAGE_NEW(job->arena, unread);
	enum status s = store_add_live_unread(db, job->user_id, job->arena, live, err);

	if (s || live->total == 0)
		return s;
	s = store_create_user(db, job->user_id, err);
	return s ? s : store_lock_user(db, job->user_id, ret_found, &job->seq, &job->rev, err);
}

static enum status run(void *arg, struct db *db, struct err *err)
{
	struct job *job = arg;
	AuditActor by = audit_caller(job->in->caller);
	bool found = false;
	enum status s;

	audit_begin(&job->audit, &store_audit, &by, job->arena, clock_wall_us());
	job->moved = job->moved_announcements = 0;
	job->changed = NULL;
	job->marks = NULL;
	job->recounted = false;
	s = store_lock_user(db, job->user_id, &found, &job->seq, &job->rev, err);
	if (!s && !found)
		s = make_user(job, db, &found, err);
	if (!s && found)
		s = move(job, db, err);
	if (!s)
		s = store_unread(db, job->user_id, job->arena, &job->unread, err);
	return s ? s : store_epoch(db, job->arena, &job->epoch, err);
}

/* After the commit: a doorbell that is lost is found by the sweep, so it fails nothing. */
static void ring_change(struct request *req, const struct job *job)
{
	Payload *unread = MESSAGE_NEW(req->arena, payload);
	struct err err = ERR_INIT;
	Item *item = job->changed;
	State *state;
	struct ring ring = { job->epoch, job->user_id, job->rev - 1, job->rev, &item, 1, &state, 0,
		job->marks };

	unread->body_case = WALLETWIRE__V1__PAYLOAD__BODY_UNREAD;
	unread->unread = job->unread;
	state = kind_state(unread, job->rev, req->arena);
	ring.states_len = job->recounted;
	if (ring_user(req->bus, &ring, req->arena, &err))
		log_failure(&err, "ring a change of the inbox");
}

enum status select_move(struct request *req, Walletwire__V1__InboxState state,
    Walletwire__V1__ChangeAction action, struct err *err)
{
	Walletwire__V1__SelectReply *reply = MESSAGE_NEW(req->arena, select_reply);
	struct job job = {
		.in = (const void *)req->body, .state = state, .action = action, .arena = req->arena
	};
	enum status s = request_caller(req, &job.user_id, err);

	if (!s)
		s = check(job.in, err);
	if (!s)
		s = db_transaction(req->db, ATTEMPTS, run, &job, err);
	if (s)
		return s;
	if (job.changed)
		ring_change(req, &job);
	stats_count(STATS_CHANGED, (int64_t)(job.moved + job.moved_announcements));
	s = store_add_live_unread(req->db, job.user_id, req->arena, job.unread, err);
	reply->changed = (uint32_t)(job.moved + job.moved_announcements);
	reply->unread = job.unread->total;
	req->reply = &reply->base;
	return s;
}
