/* prepare: the database as this service needs it, before anything is served. */
#ifndef NOTIFICATIONS_PREPARE_H
#define NOTIFICATIONS_PREPARE_H

#include "service/service.h"

/*
 * Waits for PostgreSQL, brings the schema up to date, makes sure of the epoch and of today's
 * mailbox. Also returns STATUS_OK, with nothing done, when the service is told to stop while it
 * waits.
 */
enum status prepare_database(
    const char *url, const char *name, struct service *service, struct err *err) MUST_CHECK;

#endif
