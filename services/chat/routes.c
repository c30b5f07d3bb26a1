/* Subject, message, handler: the table of contents of this service. */
#include "chat.h"
#include "walletwire/v1/ops.pb-c.h"

#define SVC(verb) "ww.svc.chat." verb
#define BACKEND(verb) "ww.backend.chat." verb
#define REQUEST(type) &walletwire__v1__chat_##type##_request__descriptor

const struct route chat_routes[] = {
	{ SVC("create"), REQUEST(create), chat_on_create },
	{ SVC("invite"), REQUEST(invite), chat_on_invite },
	{ SVC("join"), REQUEST(join), chat_on_join },
	{ SVC("leave"), REQUEST(leave), chat_on_leave },
	{ SVC("remove"), REQUEST(remove), chat_on_remove },
	{ SVC("role"), REQUEST(role), chat_on_role },
	{ SVC("rename"), REQUEST(rename), chat_on_rename },
	{ SVC("rooms"), REQUEST(rooms), chat_on_rooms },
	{ SVC("send"), REQUEST(send), chat_on_send },
	{ SVC("edit"), REQUEST(edit), chat_on_edit },
	{ SVC("delete"), REQUEST(delete), chat_on_delete },
	{ SVC("history"), REQUEST(history), chat_on_history },
	{ SVC("read"), REQUEST(read), chat_on_read },
	{ SVC("typing"), REQUEST(typing), chat_on_typing },
	{ SVC("block"), REQUEST(block), chat_on_block },
	{ SVC("unblock"), REQUEST(block), chat_on_unblock },
	{ SVC("blocks"), REQUEST(blocks), chat_on_blocks },
	{ SVC("report"), REQUEST(report), chat_on_report },
	{ SVC("view"), REQUEST(view), chat_on_view },
	{ SVC("views"), REQUEST(views), chat_on_views },
	{ SVC("stats"), &walletwire__v1__service_stats_request__descriptor, service_on_stats },
	{ BACKEND("hold"), REQUEST(hold), chat_on_hold },
	{ BACKEND("reports"), REQUEST(reports), chat_on_reports },
	{ BACKEND("export"), REQUEST(export), chat_on_export },
	{ BACKEND("erase"), REQUEST(erase), chat_on_erase },
};
const size_t chat_routes_len = ARRAY_LEN(chat_routes);
