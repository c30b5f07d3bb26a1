/*
 * world: what a test of ww-notifications needs around it: a nats-server and a database of its own,
 * replicas of the real program, and the questions an edge or a back end would ask.
 *
 * Everything fails the running test when it can't.
 */
#ifndef TEST_NOTIFICATIONS_WORLD_H
#define TEST_NOTIFICATIONS_WORLD_H

#include <pthread.h>

#include "base/arena.h"
#include "messages.h"
#include "support/nats.h"
#include "support/postgres.h"
#include "support/support.h"

enum { WORLD_REPLICAS = 2, WORLD_WAIT_MS = 60000, WORLD_RINGS_MAX = 40000, WORLD_DEAD_MAX = 32 };

struct world {
	struct support_nats nats;
	const char *dsn;
	struct bus *backend, *edge, *ops;
	pid_t replicas[WORLD_REPLICAS];
	int admin_port[WORLD_REPLICAS];
	char log[WORLD_REPLICAS][352];
	struct arena arena; /* for everything a test decodes; never reset */
	struct bus_sub *rings_sub, *dead_sub;
	/* Deliveries heard, in order: guarded by the lock. */
	pthread_mutex_t lock;
	struct arena rings_arena;
	Delivery **rings;
	size_t rings_len;
	struct bus_msg *dead[WORLD_DEAD_MAX]; /* what was put on ww.dlq.event */
	size_t dead_len;
};

void world_start(struct world *world, struct postgres *pg);
/* With a stream of events that takes no more than that. */
void world_start_small(struct world *world, struct postgres *pg, int64_t events_max_bytes);
void world_stop(struct world *world);

/* `extra` is one more flag ("--takeover-wait=0s") or NULL. Returns when it serves. */
void world_spawn(struct world *world, int replica, const char *extra);
void world_kill(struct world *world, int replica, int signal);

/* What /readyz says, and the value of a line of /metrics, -1 if there is none. */
const char *world_readiness(struct world *world, int replica);
int64_t world_metric(struct world *world, int replica, const char *sample);

/* An event in the mapping of `ww publish --json`; stored when it returns. Its subject is its
 * kind's. */
void world_publish(struct world *world, const char *json);
/* The same, given no chance to be taken for a duplicate by the stream. */
void world_publish_again(struct world *world, const char *json);
void world_publish_raw(struct world *world, const char *subject, struct bytes data);
/* A dead letter as the service writes it: any bytes, or an event. */
void world_bury(struct world *world, const char *subject, struct bytes data);
void world_bury_event(struct world *world, const char *json);
/* A packed event from JSON. */
struct bytes world_event(struct world *world, const char *json, char ret_subject[static 64]);

/* Asks; fails the test on an error reply unless `ret_code` is given, which is "ok" for none. */
const void *world_ask(struct world *world, const char *subject, const void *request,
    const ProtobufCMessageDescriptor *reply, const char **ret_code);

Walletwire__V1__Caller *world_caller(struct world *world, const char *user);
const Walletwire__V1__OpenReply *world_open(struct world *world, const char *user);
const Walletwire__V1__SinceReply *world_since(
    struct world *world, const char *user, uint64_t after, uint64_t up_to);
const Walletwire__V1__VerifyReply *world_verify(struct world *world, const char *user);
const Walletwire__V1__ListReply *world_list(
    struct world *world, const char *user, const char *before, uint32_t limit);
/* `verb` is "seen", "read" or "archive"; exactly one of id and up_to is given, or neither for all.
 */
const Walletwire__V1__SelectReply *world_select(
    struct world *world, const char *verb, const char *user, const char *id, uint64_t up_to);

/* The counters, announcements included. */
const Walletwire__V1__UnreadReply *world_unread(struct world *world, const char *user);
/* How many items were taken back; the answer must be `code`, "ok" for success. */
uint32_t world_recall(struct world *world, const char *type, const char *id, const char *code);

/* Waits until the user's mailbox stands at `seq` and its rev is at least `rev`. */
void world_wait_seq(struct world *world, const char *user, uint64_t seq, uint64_t rev);
/* Waits until `n` deliveries were heard. */
void world_wait_rings(struct world *world, size_t n);
size_t world_rings(struct world *world);
/* Waits until `n` dead letters were heard: world->dead[0..n). */
void world_wait_dead(struct world *world, size_t n);

/* The mailbox of the user is exactly ids[0..n), in order, and verify finds nothing. */
void world_check_mailbox(struct world *world, const char *user, const char *prefix, uint64_t n);

#endif
