/*
 * ww.svc.chat.read: how far the caller has read: the caller's other devices are told by an event,
 * those who have the room open by a state, if markers are shown.
 *
 * Without the room's lock: many members move their markers at once, and nothing but the member's
 * own row is changed.
 */
#include "base/clock.h"
#include "event.h"
#include "live.h"
#include "look.h"

enum { ATTEMPTS = 3 };

struct job {
	struct look look;
	ChatRead *marker;
	struct arena *arena;
	AuditActor by;
	struct audit audit;
	bool moved;
	uint64_t read_seq; /* where it is then */
};

static enum status write_event(struct job *job, struct db *db, struct err *err)
{
	ChatEvent *event = MESSAGE_NEW(job->arena, chat_event);
	char **self = arena_memdup(job->arena, &job->marker->user_id, sizeof(char *));
	struct outbox_row row;
	char id[ID_SIZE];

	id_random(id);
	event->change_case = WALLETWIRE__V1__CHAT_EVENT__CHANGE_READ;
	event->read = job->marker;
	row = event_row(arena_printf(job->arena, "%s/read/%s", job->look.room.room_id, id), event,
	    self, 1, clock_wall_us(), job->arena);
	return outbox_insert(db, store_outbox, &row, 1, job->arena, err);
}

static void add_record(struct job *job)
{
	AuditRecord *record = audit_record(&job->audit, AUDIT_ACTION(CHAT_READ), 0);

	audit_record_id(record, job->look.room.room_id);
	record->up_to = job->marker->seq;
	record->n = 1;
	audit_add(&job->audit, record);
}

static enum status run(void *arg, struct db *db, struct err *err)
{
	struct job *job = arg;
	enum status s;

	audit_begin(&job->audit, &store_audit, &job->by, job->arena, clock_wall_us());
	s = store_move_marker(db, job->look.room.room_id, job->look.user_id, job->marker->seq,
	    &job->moved, &job->read_seq, err);
	if (s || !job->moved)
		return s;
	s = write_event(job, db, err);
	add_record(job);
	return s ? s : audit_write(&job->audit, db, err);
}

enum status chat_on_read(struct request *req, struct err *err)
{
	const Walletwire__V1__ChatReadRequest *in = (const void *)req->body;
	Walletwire__V1__ChatReadReply *reply = MESSAGE_NEW(req->arena, chat_read_reply);
	struct job job = { .arena = req->arena };
	enum status s = look_into(req, in->room_id, &job.look, err);

	if (!s && in->seq > job.look.room.seq)
		s = err_invalid(err, "seq", "is beyond the newest message");
	if (s)
		return s;
	job.by = audit_caller(in->caller);
	job.marker = MESSAGE_NEW(req->arena, chat_read);
	job.marker->room_id = in->room_id;
	job.marker->user_id = arena_strdup(req->arena, job.look.user_id);
	job.marker->seq = in->seq;
	s = db_transaction(req->db, ATTEMPTS, run, &job, err);
	if (s)
		return s;
	if (job.moved) {
		chat_nudge(req->bus);
		if (chat_of(req)->cfg->show_markers)
			live_tell_read(req, job.marker);
	}
	reply->seq = job.read_seq;
	reply->unread = store_unread(job.look.room.seq, job.read_seq);
	req->reply = &reply->base;
	return STATUS_OK;
}
