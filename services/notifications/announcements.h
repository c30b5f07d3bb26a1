/*
 * announcements: what is said to everybody, or to a segment: rows of one gapless log (announced,
 * recalled, expired), rung on ww.rt.all. They fan out on read: nothing is written for a user but
 * how far that user got.
 */
#ifndef NOTIFICATIONS_ANNOUNCEMENTS_H
#define NOTIFICATIONS_ANNOUNCEMENTS_H

#include "service/audit.h"
#include "store.h"

/* Gives an entry its number in the log. */
void announcements_number(LogEntry *entry, int64_t seq);

/* The announcement's audit record; `seq` 0: it has no row of the log. */
void announcements_audit(
    struct audit *audit, Walletwire__V1__AuditAction action, const char *id, int64_t seq);

/*
 * Inside a transaction: those whose time has come enter the log, and those whose time is over leave
 * what lives. The rows are to be rung after the commit.
 */
enum status announcements_turn(struct db *db, int64_t now_us, struct arena *arena, size_t *ret_n,
    LogEntry ***ret_log, struct audit *audit, struct err *err) MUST_CHECK;

/* Inside a transaction. NOT_FOUND if there never was one; *ret_entry is NULL if it lives no more.
 */
enum status announcements_recall(struct db *db, const char *id, struct arena *arena,
    LogEntry **ret_entry, struct audit *audit, struct err *err) MUST_CHECK;

#endif
