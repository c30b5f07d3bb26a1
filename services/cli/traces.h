/*
 * traces: what NATS itself keeps about a user: dead letters that name them, and what their sockets
 * follow. All else is in a service's tables.
 */
#ifndef CLI_TRACES_H
#define CLI_TRACES_H

#include "base/arena.h"
#include "bus/bus.h"
#include "mention.h"

struct traces {
	struct bus *bus; /* of ops */
	const char *user;
	int timeout_ms;
};

/* A letter that names the user; `event` is what it holds, in an arena that is reset after it. */
typedef enum status (*trace_letter_fn)(void *arg, struct bus_msg *letter,
    Walletwire__V1__Event *event, enum mention mention, struct arena *arena, struct err *err);

/* Those that are there now, oldest first. *ret_unreadable is how many hold no event, so that nobody
 * knows whom they name. */
enum status traces_letters(const struct traces *traces, trace_letter_fn fn, void *arg,
    size_t *ret_unreadable, struct err *err) MUST_CHECK;

/* The values of ww_tracking, a socket each. */
struct trace_sockets {
	size_t len;
	struct trace_socket {
		char *key;
		struct bytes value; /* a packed Tracking */
	} * at;
};
enum status traces_sockets(
    const struct traces *traces, struct trace_sockets *ret_sockets, struct err *err) MUST_CHECK;
void traces_sockets_free(struct trace_sockets *sockets);

#endif
