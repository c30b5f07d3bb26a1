/*
 * adopt: a connection's descriptor, taken from a library that does not give it away. Internal to
 * libs/http.
 */
#ifndef HTTP_ADOPT_H
#define HTTP_ADOPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* A connection of this process, by what is known of it. */
struct adopt_tuple {
	const char *peer_addr; /* IPv4, dotted */
	int peer_port;
	int local_port;
};

/* Raises the limit of descriptors and makes the dead socket, once per process. Any thread. */
void adopt_init(void);

/* The one low descriptor of that connection. Fails (INTERNAL) if there is none or more than one. */
enum status adopt_find(const struct adopt_tuple *tuple, int *ret_fd, struct err *err) MUST_CHECK;

/* The one low descriptor that listens on `port`, or -1. */
int adopt_find_listener(int port);

/*
 * Makes urgent bytes ordinary ones on all connections the listener on `port` accepts from now on.
 * Fails (INTERNAL) if there is no one listener.
 */
enum status adopt_prepare_listener(int port, struct err *err) MUST_CHECK;
bool adopt_is_prepared(int fd); /* was this connection accepted after that? */

/*
 * What a client has sent on a connection so far, in bytes. On one that was not prepared, `consumed`
 * may be too large: urgent bytes are skipped by those who read, and unread ones end what is counted
 * as unread.
 */
struct adopt_count {
	uint64_t received; /* by the kernel */
	uint64_t consumed; /* of it, what somebody has read already */
};

/*
 * Counts, while nobody reads. Fails with UNAVAILABLE when the connection was reset, or when the
 * client sends too fast for a count.
 */
enum status adopt_count(int fd, struct adopt_count *ret_count, struct err *err) MUST_CHECK;

/*
 * Move the connection above the floor and put the dead socket in its place, under its old number.
 * Fails with UNAVAILABLE when no number is left, and nothing has changed then.
 */
enum status adopt_take(int fd, int *ret_fd, struct err *err) MUST_CHECK;

/* Read and forget what is there, so that closing does not reset the answer away. */
void adopt_drop_input(int fd);

#endif
