/* ww.svc.chat.rename: a group gets another name. */
#include <string.h>

#include "change.h"
#include "words.h"

static enum status rename_room(struct change *change, struct err *err)
{
	const Walletwire__V1__ChatRenameRequest *in = change->in;
	enum status s = change_require_group(change, err);

	if (!s)
		s = change_require(change, ROOM_ROLE(ADMIN), err);
	if (!s && strcmp(change->room.name, in->name) != 0) {
		change->room.name = in->name;
		change_record(change, AUDIT_ACTION(CHAT_ROOM_RENAMED), NULL);
		s = change_tell_room(change, ROOM_CHANGE(RENAMED), change->user_id, err);
	}
	if (!s)
		change_reply_room(change);
	return s;
}

enum status chat_on_rename(struct request *req, struct err *err)
{
	const Walletwire__V1__ChatRenameRequest *in = (const void *)req->body;
	struct change change = {
		.room_id = in->room_id, .enter = change_enter_room, .fn = rename_room
	};
	enum status s = change_begin(&change, req, in->caller, err);

	if (!s)
		s = words_check("name", in->name, WORDS_NAME_MAX, err);
	return s ? s : change_run(&change, err);
}
