/*
 * balances: asks the back end for users' balances and stores what it says.
 *
 * One question for all who wait for the same user: clients whose balances were confirmed too long
 * ago, and movements that were applied (trailing: whatever comes after a question was sent is
 * covered by another one). Nobody waits in a worker: questions are asked by a port, requests are
 * deferred, and the threads here only read and write rows.
 *
 * A back end that does not answer is told of once; movements then wait, one of them being tried now
 * and then, while clients are refused at once. All of it is memory: what was pending in a process
 * that dies is made good by the next balance:get.
 *
 * Threads: any may call; balances_start() makes some.
 */
#ifndef NOTIFICATIONS_BALANCES_H
#define NOTIFICATIONS_BALANCES_H

#include "batch.h"
#include "config.h"

struct balances;

enum status balances_start(const struct notifications_config *cfg, struct bus *bus,
    const char *name, struct balances **ret_balances, struct err *err) MUST_CHECK;
/* Answers whoever waits still, in the time an answer may take. NULL is fine. */
void balances_stop(struct balances *balances);

/* Takes the request over (STATUS_OK), or says why not. `wallet_id` "": all. */
enum status balances_ask(struct balances *balances, struct request *req, const char *user_id,
    const char *wallet_id, struct err *err) MUST_CHECK;

/* Movements of this batch that are complete: the balances of everybody they concern. */
void balances_refresh(struct balances *balances, const struct batch *batch);

#endif
