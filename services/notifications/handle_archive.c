/* ww.svc.notifications.archive: items were put away; what was unread is read by it. */
#include "select.h"

enum status notifications_on_archive(struct request *req, struct err *err)
{
	return select_move(req, WALLETWIRE__V1__INBOX_STATE__INBOX_STATE_ARCHIVED,
	    WALLETWIRE__V1__CHANGE_ACTION__CHANGE_ACTION_ARCHIVED, err);
}
