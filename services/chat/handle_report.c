/* ww.svc.chat.report: somebody should look at a message. It is kept with the report. */
#include <string.h>

#include "change.h"
#include "words.h"

static enum status report(struct change *change, struct err *err)
{
	const Walletwire__V1__ChatReportRequest *in = change->in;
	struct store_message message;
	bool found = false, is_new = false;
	enum status s = change_require(change, ROOM_ROLE(MEMBER), err);

	change->reply = MESSAGE_NEW(change->arena, error_reply);
	if (!s)
		s = store_find_message(
		    change->db, &change->room, in->seq, change->arena, &found, &message, err);
	if (s)
		return s;
	if (!found || in->seq <= change->mine->from_seq)
		return err_set(err, STATUS_NOT_FOUND, "there is no such message");
	if (strcmp(message.sender_id, change->user_id) == 0)
		return err_invalid(err, "seq", "is a message of your own");
	s = store_report(change->db, &message, change->user_id, in->reason, &is_new, err);
	if (!s && is_new) {
		AuditRecord *record =
		    audit_record(&change->audit, AUDIT_ACTION(CHAT_MESSAGE_REPORTED), 1);

		audit_record_id(record, message.room_id);
		(void)audit_record_user(record, message.sender_id);
		record->up_to = message.seq;
		record->n = 1;
		audit_add(&change->audit, record);
	}
	return s;
}

enum status chat_on_report(struct request *req, struct err *err)
{
	const Walletwire__V1__ChatReportRequest *in = (const void *)req->body;
	struct change change = { .room_id = in->room_id, .enter = change_enter_room, .fn = report };
	enum status s = change_begin(&change, req, in->caller, err);

	if (!s)
		s = words_check("reason", in->reason, WORDS_REASON_MAX, err);
	return s ? s : change_run(&change, err);
}
