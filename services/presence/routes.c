/* Subject, message, handler: the table of contents of this service. */
#include "presence.h"
#include "walletwire/v1/notifications.pb-c.h"
#include "walletwire/v1/ops.pb-c.h"

#define SVC(verb) "ww.svc.presence." verb
#define BACKEND(verb) "ww.backend.presence." verb
#define REQUEST(type) &walletwire__v1__##type##_request__descriptor

const struct route presence_routes[] = {
	{ SVC("get"), REQUEST(presence_get), presence_on_get },
	{ SVC("friends"), REQUEST(presence_friends), presence_on_friends },
	{ SVC("friends_among"), REQUEST(presence_friends_among), presence_on_friends_among },
	{ SVC("privacy"), REQUEST(presence_privacy), presence_on_privacy },
	{ SVC("stats"), &walletwire__v1__service_stats_request__descriptor, service_on_stats },
	{ BACKEND("friends_set"), REQUEST(friends_set), presence_on_friends_set },
	{ BACKEND("export"), REQUEST(export), presence_on_export },
	{ BACKEND("erase"), REQUEST(erase), presence_on_erase },
};
const size_t presence_routes_len = ARRAY_LEN(presence_routes);
