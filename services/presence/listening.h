/*
 * listening: what edges report goes into the roster; whoever was missed is asked for everything.
 *
 * Threads: made and ended by the speaker's; what comes is taken on the bus's delivery thread.
 */
#ifndef PRESENCE_LISTENING_H
#define PRESENCE_LISTENING_H

#include "presence.h"

struct listening {
	struct presence *presence;
	struct bus *bus;
	struct bus_sub *reports, *nudges; /* NULL: not made yet */
};

/* Subscribed, and the server knows. Again is fine. */
enum status listening_ensure(struct listening *listening, struct err *err) MUST_CHECK;
void listening_end(struct listening *listening);
/* Asks an edge, or "all", for everything it has. Any thread. */
void listening_ask(struct listening *listening, const char *edge);

#endif
