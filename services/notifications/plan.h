/*
 * plan: what one event means: whose mailbox gets what, which state it replaces. Pure: no I/O, no
 * clock; the numbers (seq, versions) come later, when the rows of the users are locked (batch.h).
 *
 * Ownership: a plan points into the event it was made from and into the arena.
 */
#ifndef NOTIFICATIONS_PLAN_H
#define NOTIFICATIONS_PLAN_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/trace.h"
#include "messages.h"

#define TIME_NONE INT64_MIN

enum {
	PLAN_USERS_MAX = 256,
	PLAN_BODIES_MAX = 2,  /* a transaction tells either side its own */
	PLAN_TITLE_MAX = 200, /* code points */
	PLAN_TEXT_MAX = 4000,
};

/* What is said, once for all who are told the same. */
struct plan_body {
	Payload *payload;
	const char *title, *text; /* NULL: not an inbox item */
};

/* One more item in one user's mailbox. */
struct plan_item {
	const char *user_id;
	size_t body;
};

struct plan {
	const char *key; /* "<kind>/<id>": what is applied once */
	const char *event_id;
	/* Set by the caller of plan_event(): our span of its publisher's, and the same as edges go
	 * on with it; NULL: there is none. */
	struct trace trace;
	char *traceparent;
	int kind; /* of its payload: a number of kind.h */
	int priority;
	int64_t created_us;
	int64_t expires_us; /* TIME_NONE: never */
	const char **users; /* everybody it concerns, each once */
	size_t users_len;
	struct plan_body bodies[PLAN_BODIES_MAX];
	size_t bodies_len;
	struct plan_item *items;
	size_t items_len;       /* 0, or at least one for each of `users` */
	Payload *state;         /* for all of `users`; its version may be 0. NULL: none */
	LogEntry *announcement; /* its numbers come later. NULL: none */
	int64_t starts_us;      /* of the announcement; TIME_NONE: at once */
};

/*
 * Fails with STATUS_INVALID for an event that can't be meant, naming the field. `now_us` is the
 * time of an event that has none.
 */
enum status plan_event(const Event *event, int64_t now_us, struct arena *arena,
    struct plan *ret_plan, struct err *err) MUST_CHECK;

/* A wallet's balance as clients are shown it, in the arena; INVALID if it breaks the rules of
 * money.
 */
enum status plan_balance(const Walletwire__V1__BalanceEvent *in, int64_t at_us, struct arena *arena,
    Payload **ret_payload, struct err *err) MUST_CHECK;

/* "payment": the member that is set, as in ww.event.<kind>; NULL if none is. */
const char *plan_event_kind(const Event *event);

#endif
