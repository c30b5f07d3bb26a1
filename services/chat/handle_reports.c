/*
 * ww.backend.chat.reports: what was reported, the newest first; that it was read is recorded.
 *
 * The cursor is the last row of a page: <microseconds>.<seq>.<room>.<reporter>.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/subject.h"
#include "chat.h"
#include "message.h"
#include "store.h"

enum {
	ATTEMPTS = 3,
	LIMIT_DEFAULT = 50,
	LIMIT_MAX = 100,
	BYTES_MAX = 256 * 1024,
	ROOM_SIZE = 32,
};

struct job {
	struct store_reports_page page;
	AuditActor by;
	struct arena *arena;
	Walletwire__V1__ChatReportsReply *reply;
};

static enum status read_cursor(
    const char *text, struct store_reports_page *page, struct arena *arena, struct err *err)
{
	char room[ROOM_SIZE];
	int end = 0;

	page->before_us = STORE_LATEST_US;
	page->before_room = page->before_reporter = "";
	if (!text[0])
		return STATUS_OK;
	if (strlen(text) > 2 * SUBJECT_ID_MAX ||
	    sscanf(text, "%18" SCNd64 ".%18" SCNu64 ".%31[A-Za-z0-9_-].%n", &page->before_us,
		&page->before_seq, room, &end) != 3 ||
	    end == 0 || page->before_us < 0)
		return err_invalid(err, "before", "is no cursor of a page");
	page->before_room = arena_strdup(arena, room);
	page->before_reporter = text + end;
	return STATUS_OK;
}

static Walletwire__V1__ChatReport *show(const struct store_report *row, struct arena *arena)
{
	Walletwire__V1__ChatReport *report = MESSAGE_NEW(arena, chat_report);

	report->room_id = arena_strdup(arena, row->room_id);
	report->seq = row->seq;
	report->sender_id = arena_strdup(arena, row->sender_id);
	report->reporter_id = arena_strdup(arena, row->reporter_id);
	report->reason = arena_strdup(arena, row->reason);
	report->text = arena_strdup(arena, row->text);
	report->timestamp = message_timestamp(row->reported_us, arena);
	return report;
}

/* As many as fit; one more than were asked for tells whether there are more. */
static void fill(struct job *job, const struct store_report *rows, size_t found)
{
	size_t limit = job->page.limit - 1, bytes = 0, n = 0;

	job->reply->reports = arena_alloc(job->arena, limit * sizeof(*job->reply->reports));
	for (; n < found && n < limit; n++) {
		job->reply->reports[n] = show(&rows[n], job->arena);
		bytes += protobuf_c_message_get_packed_size(&job->reply->reports[n]->base);
		if (n > 0 && bytes > BYTES_MAX)
			break;
	}
	job->reply->n_reports = n;
	if (n < found)
		job->reply->next = arena_printf(job->arena, "%" PRId64 ".%" PRIu64 ".%s.%s",
		    rows[n - 1].reported_us, rows[n - 1].seq, rows[n - 1].room_id,
		    rows[n - 1].reporter_id);
}

static enum status run(void *arg, struct db *db, struct err *err)
{
	struct job *job = arg;
	struct store_report *rows = NULL;
	struct audit audit = { 0 };
	AuditRecord *record;
	size_t found = 0;
	enum status s = store_reports(db, &job->page, job->arena, &rows, &found, err);

	if (s)
		return s;
	fill(job, rows, found);
	audit_begin(&audit, &store_audit, &job->by, job->arena, clock_wall_us());
	record = audit_record(&audit, AUDIT_ACTION(CHAT_REPORTS_READ), job->reply->n_reports);
	for (size_t i = 0; i < job->reply->n_reports; i++)
		(void)audit_record_user(record, rows[i].sender_id);
	record->n = job->reply->n_reports;
	audit_add(&audit, record);
	return audit_write(&audit, db, err);
}

enum status chat_on_reports(struct request *req, struct err *err)
{
	const Walletwire__V1__ChatReportsRequest *in = (const void *)req->body;
	struct job job = { .arena = req->arena,
		.page = { .limit = (in->limit ? in->limit : LIMIT_DEFAULT) + 1 },
		.reply = MESSAGE_NEW(req->arena, chat_reports_reply) };
	enum status s = audit_requester(req, in->asked_by, &job.by, err);

	if (!s && in->limit > LIMIT_MAX)
		s = err_invalid(err, "limit", "must be at most %d", LIMIT_MAX);
	if (!s)
		s = read_cursor(in->before, &job.page, req->arena, err);
	if (!s)
		s = db_transaction(req->db, ATTEMPTS, run, &job, err);
	req->reply = &job.reply->base;
	return s;
}
