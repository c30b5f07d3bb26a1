/*
 * stored: what is in a stream, read without taking it out.
 */
#ifndef CLI_STORED_H
#define CLI_STORED_H

#include "bus/bus.h"

/* What is told of each message; a failure ends the reading. */
typedef enum status (*stored_fn)(void *arg, struct bus_msg *msg, struct err *err);

/*
 * Messages from number `from` on, oldest first: at most `max` of those that are there now. What
 * comes while they are read is not told, so that one which comes back is not met again.
 */
struct stored {
	struct bus *bus; /* of ops */
	const char *stream;
	uint64_t from, max;
	int timeout_ms;
};
/* *ret_pending is how many there were, also beyond `max`. */
enum status stored_read(const struct stored *stored, stored_fn fn, void *arg, uint64_t *ret_pending,
    struct err *err) MUST_CHECK;

#endif
