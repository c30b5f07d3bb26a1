/* ww.svc.chat.edit: one's own message says something else, also to who is no friend any more:
 * unless one of the two blocks the other. */
#include <string.h>

#include "message.h"
#include "revision.h"
#include "words.h"

static enum status edit(struct change *change, struct err *err)
{
	const Walletwire__V1__ChatEditRequest *in = change->in;
	struct store_message message;
	enum status s = revision_find(change, in->seq, &message, err);

	if (!s && message.deleted)
		s = err_set(err, STATUS_NOT_FOUND, "the message was deleted");
	if (!s && strcmp(message.text, in->text) != 0) {
		s = change_require_open(change, err);
		if (!s && message.edit >= MESSAGE_EDITS_MAX)
			s = err_set(err, STATUS_FORBIDDEN, "the message was edited too often");
		if (!s)
			s = revision_write(change, &message, in->text, /* deleted= */ false, err);
	}
	if (!s)
		revision_reply(change, &message);
	return s;
}

enum status chat_on_edit(struct request *req, struct err *err)
{
	const Walletwire__V1__ChatEditRequest *in = (const void *)req->body;
	struct change change = { .room_id = in->room_id, .enter = change_enter_room, .fn = edit };
	enum status s = change_begin(&change, req, in->caller, err);

	if (!s)
		s = words_check("text", in->text, WORDS_TEXT_MAX, err);
	return s ? s : change_run(&change, err);
}
