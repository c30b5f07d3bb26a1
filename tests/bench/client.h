/*
 * client: thousands of Socket.IO clients in one thread, for benches.
 *
 * Only as much of the protocol as measuring needs: WebSocket transport, one namespace, pongs. It
 * reads whole frames and gives their text to the bench.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { BENCH_PID_SIZE = 160, BENCH_OFFSET_SIZE = 96 };

struct bench_socket {
	int fd;
	enum { BENCH_IDLE, BENCH_CONNECTING, BENCH_UPGRADING, BENCH_SIGNING_IN, BENCH_READY } state;
	size_t index;
	struct buf in; /* a frame that is not whole yet */
	bool is_mute;  /* once it has signed in it reads no more, with a small buffer */
	/* What it recovers with, if the pool does; empty: nothing. */
	char pid[BENCH_PID_SIZE], offset[BENCH_OFFSET_SIZE];
};

struct bench_pool {
	int port;
	size_t len;
	struct bench_socket *sockets;
	/* The token of socket `index`; lent until the next call. */
	const char *(*token)(void *arg, size_t index);
	/* A text packet of Socket.IO other than the CONNECT reply: `2["transaction",...`. May be
	 * NULL. */
	void (*on_packet)(void *arg, struct bench_socket *socket, struct bytes packet);
	/* A socket that was ready, or on its way, is gone; NULL: the run has failed. */
	void (*on_lost)(void *arg, struct bench_socket *socket, const char *why);
	void (*on_ready)(void *arg, struct bench_socket *socket); /* may be NULL */
	void *arg;
	bool recovers; /* sockets remember what they recover with, and do */
	int epoll;
	size_t ready, failed, next, in_flight;
};

void bench_pool_init(struct bench_pool *pool, int port, size_t len);
void bench_pool_finish(struct bench_pool *pool);

/* Connects up to `max_in_flight` at once and runs until all are ready or one failed. */
bool bench_pool_connect(struct bench_pool *pool, size_t max_in_flight, int timeout_ms);

/* Connect one, again if it was connected. With on_lost, what becomes of it is told later. */
void bench_socket_start(struct bench_pool *pool, struct bench_socket *socket);

/* Closes it without a word; nobody is told that it was lost. */
void bench_socket_stop(struct bench_pool *pool, struct bench_socket *socket);
/* A text packet of Socket.IO: `2["presence:set",...`. The socket is ready. */
void bench_socket_send(struct bench_pool *pool, struct bench_socket *socket, struct bytes packet);

/* Serve the sockets for at most timeout_ms; returns after one round of events. */
void bench_pool_poll(struct bench_pool *pool, int timeout_ms);

/* Raises the limit of open files as far as it goes; returns what it is then. */
size_t bench_raise_files(void);

/* The number of open files of a process, -1 if there is none. */
long bench_files(int pid);

/* The resident memory (KiB) and the number of threads of a process, from /proc. */
bool bench_process(int pid, long *ret_rss_kib, long *ret_threads);

#endif
