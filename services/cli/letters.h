/*
 * letters: the dead letters, read without taking them out of their stream.
 */
#ifndef CLI_LETTERS_H
#define CLI_LETTERS_H

#include "stored.h"

typedef stored_fn letter_fn;

/* Letters from number `from` on, at most `max`. */
struct letters {
	struct bus *bus; /* of ops */
	uint64_t from, max;
	int timeout_ms;
};
/* *ret_pending is how many there were, also beyond `max`. */
enum status letters_read(const struct letters *letters, letter_fn fn, void *arg,
    uint64_t *ret_pending, struct err *err) MUST_CHECK;

/* A header of the letter; empty if there is none, and never what a terminal would obey. */
const char *letter_header(struct bus_msg *letter, const char *name);

#endif
