/* ww.svc.notifications.read: items were read, and out of the counters. */
#include "select.h"

enum status notifications_on_read(struct request *req, struct err *err)
{
	return select_move(req, WALLETWIRE__V1__INBOX_STATE__INBOX_STATE_READ,
	    WALLETWIRE__V1__CHANGE_ACTION__CHANGE_ACTION_READ, err);
}
