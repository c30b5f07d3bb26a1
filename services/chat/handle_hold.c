/* ww.backend.chat.hold: nothing of a room expires, or it does again. */
#include "change.h"
#include "look.h"

static enum status hold(struct change *change, struct err *err)
{
	const Walletwire__V1__ChatHoldRequest *in = change->in;
	enum class class = in->release ? CLASS_EXPIRES : CLASS_HELD;
	Walletwire__V1__ChatHoldReply *reply = MESSAGE_NEW(change->arena, chat_hold_reply);
	AuditRecord *record;
	enum status s = STATUS_OK;

	change->reply = &reply->base;
	if (change->room.class == class)
		return STATUS_OK;
	s = store_set_class(change->db, &change->room, class, look_cutoff_us(chat_of(change->req)),
	    &reply->messages, err);
	if (s)
		return s;
	record = audit_record(&change->audit,
	    in->release ? AUDIT_ACTION(CHAT_ROOM_RELEASED) : AUDIT_ACTION(CHAT_ROOM_HELD), 0);
	audit_record_id(record, change->room.room_id);
	record->n = reply->messages;
	audit_add(&change->audit, record);
	return STATUS_OK;
}

enum status chat_on_hold(struct request *req, struct err *err)
{
	const Walletwire__V1__ChatHoldRequest *in = (const void *)req->body;
	struct change change = { .req = req,
		.in = in,
		.arena = req->arena,
		.user_id = "",
		.room_id = in->room_id,
		.enter = change_enter_room,
		.fn = hold };
	enum status s = audit_requester(req, in->asked_by, &change.by, err);

	return s ? s : change_run(&change, err);
}
