/* An edit is the next number of the message: it names the event. */
#include "revision.h"
#include "message.h"

#include <string.h>

static enum status check(
    const struct change *change, const struct store_message *message, struct err *err)
{
	int64_t window_us = chat_of(change->req)->cfg->edit_window * 1000;

	if (strcmp(message->sender_id, change->user_id) != 0)
		return err_set(err, STATUS_FORBIDDEN, "the message is somebody else's");
	if (change->members.now_us - message->created_us > window_us)
		return err_set(err, STATUS_FORBIDDEN, "it is too late to change the message");
	return STATUS_OK;
}

enum status revision_find(
    struct change *change, uint64_t seq, struct store_message *ret_message, struct err *err)
{
	bool found = false;
	enum status s = change_require(change, ROOM_ROLE(MEMBER), err);

	if (!s)
		s = store_find_message(
		    change->db, &change->room, seq, change->arena, &found, ret_message, err);
	if (s)
		return s;
	if (!found || seq <= change->mine->from_seq)
		return err_set(err, STATUS_NOT_FOUND, "there is no such message");
	return check(change, ret_message, err);
}

enum status revision_write(struct change *change, struct store_message *message, const char *text,
    bool deleted, struct err *err)
{
	enum status s;

	message->text = text;
	message->deleted = deleted;
	message->edit++;
	message->edited_us = change->members.now_us;
	s = store_change_message(change->db, &change->room, message, err);
	if (s)
		return s;
	change_record_message(change,
	    deleted ? AUDIT_ACTION(CHAT_MESSAGE_DELETED) : AUDIT_ACTION(CHAT_MESSAGE_EDITED),
	    message);
	return change_tell_message(change, message, err);
}

void revision_reply(struct change *change, const struct store_message *message)
{
	Walletwire__V1__ChatMessageReply *reply = MESSAGE_NEW(change->arena, chat_message_reply);

	reply->message =
	    message_show(message, chat_of(change->req)->cfg->escape_html, change->arena);
	change->reply = &reply->base;
}
