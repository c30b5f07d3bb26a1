/* ww.svc.notifications.seen: items were shown to the user: not yet read, so they still count. */
#include "select.h"

enum status notifications_on_seen(struct request *req, struct err *err)
{
	return select_move(req, WALLETWIRE__V1__INBOX_STATE__INBOX_STATE_UNREAD,
	    WALLETWIRE__V1__CHANGE_ACTION__CHANGE_ACTION_SEEN, err);
}
