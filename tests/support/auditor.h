/*
 * auditor: reads the audit records of one service off the stream, and stands in the way of its
 * outbox. There is one in a test program.
 *
 * Everything fails the running test when it can't.
 */
#ifndef SUPPORT_AUDITOR_H
#define SUPPORT_AUDITOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "support/nats.h"
#include "walletwire/v1/audit.pb-c.h"

/* `service` is also its schema; `check` is shown every message of it, and may be NULL. */
void auditor_start(const struct support_nats *nats, const char *dsn, const char *service,
    void (*check)(struct bytes data));
void auditor_stop(void);

/* Takes records off the stream until there have been `n`; how many there have been. */
void auditor_take(size_t n);
size_t auditor_taken(void);
const Walletwire__V1__AuditRecord *auditor_record(size_t i);
/* The next record not looked at yet. */
const Walletwire__V1__AuditRecord *auditor_next(void);
/* It says this, about a moment ago: "ITEM_CREATED by BACKEND: payment/p1 alice@1 bob@1 n2". */
void auditor_expect(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* `n` were taken, that is all there is, and each has a name of its own. */
void auditor_check_complete(size_t n);

/*
 * nats-server is started again, and has forgotten the names of messages that were taken out: what
 * was published and whose acknowledgement was lost comes again. Whoever keeps the records knows
 * them by their ids, as this does from now on.
 */
void auditor_expect_repeats(void);

/* Rows of the outbox. */
int64_t auditor_waiting(void);
void auditor_wait_waiting(int64_t n);

/* --- in its way --- */
/* The outbox refuses so many rows, which a sequence counts over what is rolled back. */
void auditor_refuse_rows(int n, const char *sqlstate);
/* Junk of somebody else's, ever smaller, until nothing fits the stream any more. */
void auditor_fill_stream(void);
/* Commits with rows of the outbox wait for the one that holds this, long enough to kill who waits.
 */
struct db *auditor_hold_commits(void);
void auditor_wait_held(void);
/* Whoever relays publishes `n` rows, can't delete them, and is killed by `die`. */
void auditor_kill_between_ack_and_delete(size_t n, void (*die)(void));

#endif
