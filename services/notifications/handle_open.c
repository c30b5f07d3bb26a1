/* ww.svc.notifications.open: where a mailbox stands and every state a fresh socket has to be shown.
 */
#include "messages.h"
#include "notifications.h"
#include "store.h"

enum status notifications_on_open(struct request *req, struct err *err)
{
	Walletwire__V1__OpenReply *reply = MESSAGE_NEW(req->arena, open_reply);
	const char *user_id;
	enum status s = notifications_caller(req, &user_id, err);

	/* One statement, so that numbers and states are of one moment. Unknown users have zeros. */
	if (!s)
		s = store_open(req->db, user_id, req->arena, reply, err);
	req->reply = &reply->base;
	return s;
}
