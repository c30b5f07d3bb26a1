/* prepare: the database as a service needs it, before anything is served. */
#ifndef SERVICE_PREPARE_H
#define SERVICE_PREPARE_H

#include "service/service.h"

/* Idempotent, and locks what it compares: replicas may do it at the same time. */
typedef enum status (*prepare_fn)(struct db *db, struct err *err);

/*
 * Waits for PostgreSQL and runs `fn` on a connection of its own. Also returns STATUS_OK, with
 * nothing done, when the service is told to stop while it waits.
 */
enum status service_prepare(struct service *service, const struct db_config *cfg, prepare_fn fn,
    struct err *err) MUST_CHECK;

#endif
