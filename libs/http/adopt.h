/*
 * adopt: a connection's descriptor, taken from a library that does not give it away. Internal to
 * libs/http.
 */
#ifndef HTTP_ADOPT_H
#define HTTP_ADOPT_H

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

/* Bytes received on the connection so far, read by anybody or not. */
enum status adopt_received(int fd, uint64_t *ret_bytes, struct err *err) MUST_CHECK;

/*
 * Move the connection above the floor and put the dead socket in its place, under its old number.
 * Fails with UNAVAILABLE when no number is left, and nothing has changed then.
 */
enum status adopt_take(int fd, int *ret_fd, struct err *err) MUST_CHECK;

/* Read and forget what is there, so that closing does not reset the answer away. */
void adopt_drop_input(int fd);

#endif
