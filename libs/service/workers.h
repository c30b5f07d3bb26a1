/*
 * workers: threads that serve requests, each with its own database connection and arena.
 *
 * Requests wait in one bounded queue; whoever pushes into a full one answers at once, since a late
 * refusal helps nobody.
 */
#ifndef SERVICE_WORKERS_H
#define SERVICE_WORKERS_H

#include "service/dispatch.h"

enum { WORKERS_QUEUE_MAX = 1024 };

struct workers;

struct workers_config {
	struct dispatch *dispatch;
	size_t count;
	const char *name; /* "ww-notifications/<instance>" */
	const char *database_url;
	const struct db_statement *statements;
	size_t statements_len;
	bool by_key;
};

/* Opens the connections (lazily: no server is needed) and starts the threads. */
enum status workers_new(
    const struct workers_config *cfg, struct workers **ret_workers, struct err *err) MUST_CHECK;

/* Takes a reference to `msg`; false, without one, if the queue is full. Any thread. */
bool workers_push(struct workers *workers, size_t route, struct bus_msg *msg);

size_t workers_waiting(struct workers *workers);
size_t workers_busy(struct workers *workers);

/*
 * Finish what is queued and in hand: what still waits after timeout_ms is refused, what is in hand
 * is waited for. Returns how many were refused.
 */
size_t workers_drain(struct workers *workers, int timeout_ms);
void workers_free(struct workers *workers); /* after a drain of no time; NULL is fine */

#endif
