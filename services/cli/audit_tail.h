/*
 * audit_tail: the record as it grows. Read from PostgreSQL with an auditor's role: asking ww-audit
 * would make a record of each look, and those would be all there is to see.
 */
#ifndef CLI_AUDIT_TAIL_H
#define CLI_AUDIT_TAIL_H

#include "db/db.h"

/* Prints a line of JSON for each row from now on, until cli_signal_fd() tells of an end. */
enum status audit_tail(struct db *db, int signal_fd, struct err *err) MUST_CHECK;

#endif
