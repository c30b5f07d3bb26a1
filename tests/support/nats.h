/*
 * nats: a real nats-server of a test's own, with the users and permissions of a deployment.
 *
 * It listens on a free port of 127.0.0.1 and keeps its streams in the test's temporary folder.
 * Every user's password is the user's name. Failures fail the running test.
 */
#ifndef SUPPORT_NATS_H
#define SUPPORT_NATS_H

#include <sys/types.h>

#include "bus/bus.h"

struct support_nats {
	int port;
	pid_t pid; /* 0: not running */
	char url[64];
	char dir[320];
	char conf[352];
	char log[352];
};

/* A fresh server, answering when this returns. */
void support_nats_start(struct support_nats *nats);
/* Ends it with `signal` (SIGTERM, SIGKILL) and waits for that; not running is fine. */
void support_nats_stop(struct support_nats *nats, int signal);
/* Starts it again: same port, same streams. */
void support_nats_restart(struct support_nats *nats);

/* A connected bus of one of bus_users[]. */
struct bus *support_nats_bus(const struct support_nats *nats, const char *user);
/* Every stream, consumer and bucket, small enough for tests. */
void support_nats_provision(const struct support_nats *nats);
/* The same; WW_EVENTS takes that many bytes and then no more. */
void support_nats_provision_small(const struct support_nats *nats, int64_t events_max_bytes);

#endif
