/* admin: the port for operators: /healthz, /readyz and /metrics. */
#ifndef SERVICE_ADMIN_H
#define SERVICE_ADMIN_H

#include "http/http.h"

/* `not_ready` gives NULL or why not, in words fit for anybody; asked from HTTP threads. */
struct admin {
	const char *(*not_ready)(void *arg);
	void *arg;
	struct http_front *front;
};

enum status admin_open(
    struct admin *admin, const char *bind, const char *name, struct err *err) MUST_CHECK;
void admin_close(struct admin *admin);

#endif
