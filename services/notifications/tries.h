/*
 * tries: how often an event of the stream was tried, kept in the database, so that a try which
 * ended the process counts, and one that an outage ended does not.
 *
 * A try is counted and committed before it begins. What must be taken back afterwards and can't be,
 * because the database is what failed, is owed: nothing more is counted until that is paid.
 *
 * Threads: the applier's.
 */
#ifndef NOTIFICATIONS_TRIES_H
#define NOTIFICATIONS_TRIES_H

#include "bus/bus.h"
#include "store.h"

struct tries {
	struct db *db;
	int64_t owed_seq;  /* the event with a try too many; 0: none */
	bool owed_all;     /* all tries of it */
	int64_t begun_seq; /* the event whose next try is counted already; 0: none */
	int begun_n;
	char last_error[STORE_ERROR_SIZE]; /* of the event that is tried alone, or empty */
};

/* Pays what is owed. To be called before the next try of anything. */
enum status tries_settle(struct tries *tries, struct err *err) MUST_CHECK;

/* One more try of this event, this one included in *ret_n. */
enum status tries_count(
    struct tries *tries, struct bus_msg *msg, int *ret_n, struct err *err) MUST_CHECK;
/* What was just counted stands for the next try: tries_count() won't count that again. */
void tries_begun(struct tries *tries, struct bus_msg *msg, int n);

/* That try was no fault of the event. */
void tries_take_back(struct tries *tries, struct bus_msg *msg);
/* It is done with. */
void tries_forget(struct tries *tries, struct bus_msg *msg);
/* It failed, and this is why. */
void tries_failed(struct tries *tries, const struct err *why);
/* Another replica goes on: what is known of the event in hand no longer holds. */
void tries_lost(struct tries *tries);

#endif
