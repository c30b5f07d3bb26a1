/* Subject, message, handler: the table of contents of this service. */
#include "notifications.h"

#include "messages.h"
#include "walletwire/v1/ops.pb-c.h"

#define SVC(verb) "ww.svc.notifications." verb
#define BACKEND(verb) "ww.backend.notifications." verb
#define REQUEST(type) &walletwire__v1__##type##_request__descriptor

const struct route notifications_routes[] = {
	{ SVC("open"), REQUEST(open), notifications_on_open },
	{ SVC("since"), REQUEST(since), notifications_on_since },
	{ SVC("heads"), REQUEST(heads), notifications_on_heads },
	{ SVC("announcements"), REQUEST(announcements), notifications_on_announcements },
	{ SVC("list"), REQUEST(list), notifications_on_list },
	{ SVC("seen"), REQUEST(select), notifications_on_seen },
	{ SVC("read"), REQUEST(select), notifications_on_read },
	{ SVC("archive"), REQUEST(select), notifications_on_archive },
	{ SVC("unread"), REQUEST(unread), notifications_on_unread },
	{ SVC("track"), REQUEST(track), notifications_on_track },
	{ SVC("balances"), REQUEST(balances), notifications_on_balances },
	{ SVC("stats"), &walletwire__v1__service_stats_request__descriptor, service_on_stats },
	{ BACKEND("erase"), REQUEST(erase), notifications_on_erase },
	{ BACKEND("export"), REQUEST(export), notifications_on_export },
	{ BACKEND("recall"), REQUEST(recall), notifications_on_recall },
	{ BACKEND("revoke"), REQUEST(revoke), notifications_on_revoke },
	{ BACKEND("verify"), REQUEST(verify), notifications_on_verify },
};
const size_t notifications_routes_len = ARRAY_LEN(notifications_routes);
