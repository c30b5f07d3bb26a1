/*
 * dispatch: one request from its bytes to its answer.
 *
 * Decodes by the route's descriptor, finds the user, calls the handler, answers, counts and times.
 * The only place of a service where a failed request is logged.
 */
#ifndef SERVICE_DISPATCH_H
#define SERVICE_DISPATCH_H

#include "service/service.h"

struct dispatch;

/* Registers the routes' metrics, which live as long as the process. `spec` and `instance` are
 * borrowed. */
struct dispatch *dispatch_new(
    const struct service_spec *spec, struct bus *bus, const char *instance);
void dispatch_free(struct dispatch *dispatch); /* NULL is fine */

/* Serve `msg` for route number `route`; `queued_us` is when it arrived, on the monotonic clock. */
void dispatch_serve(struct dispatch *dispatch, size_t route, struct bus_msg *msg, int64_t queued_us,
    struct db *db, struct arena *arena);

/* Answer without serving it. Counted, not logged: refusals come in crowds. */
void dispatch_refuse(struct dispatch *dispatch, size_t route, struct bus_msg *msg,
    int64_t queued_us, enum status status);

#endif
