/*
 * probe: does PostgreSQL answer? Asked twice a second on a connection of its own, so that readiness
 * is the truth of now and not what some worker saw last.
 */
#ifndef SERVICE_PROBE_H
#define SERVICE_PROBE_H

#include "base/err.h"

struct probe;

enum status probe_new(const char *database_url, const char *name, struct probe **ret_probe,
    struct err *err) MUST_CHECK;
enum cause probe_trouble(struct probe *probe); /* CAUSE_NONE: it does; any thread */
void probe_free(struct probe *probe);          /* NULL is fine */

#endif
