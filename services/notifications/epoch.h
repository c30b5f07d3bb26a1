/*
 * epoch: which history the numbers belong to.
 *
 * A server that was restored from a backup, or promoted, may have lost the newest rows, so its
 * numbers can mean something else than clients remember. PostgreSQL then runs under another system
 * identifier or timeline, and a new epoch is minted, which everybody compares.
 */
#ifndef NOTIFICATIONS_EPOCH_H
#define NOTIFICATIONS_EPOCH_H

#include "base/id.h"
#include "db/db.h"

/* Compares, mints if need be, and tells. Several replicas may do it at once. */
enum status epoch_ensure(struct db *db, char ret_epoch[static ID_SIZE], struct err *err) MUST_CHECK;

#endif
