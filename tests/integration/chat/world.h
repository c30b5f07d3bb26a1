/*
 * world: what a test of ww-chat needs around it: a nats-server and a database of its own, replicas
 * of the real program, and the edge, whose part the test plays: it asks in the JSON that clients
 * send and reads answers, events and doorbells as the JSON that clients are shown.
 *
 * Everything fails the running test when it can't. Texts live as long as the world.
 */
#ifndef TEST_CHAT_WORLD_H
#define TEST_CHAT_WORLD_H

#include <pthread.h>

#include "base/arena.h"
#include "codec/json.h"
#include "support/nats.h"
#include "support/postgres.h"
#include "support/support.h"

enum { WORLD_REPLICAS = 2, WORLD_WAIT_MS = 30000, WORLD_RINGS_MAX = 256 };

struct world {
	struct support_nats nats;
	const char *dsn;
	struct bus *edge, *ops, *notifications;
	struct bus_pull *events;
	struct bus_sub *rings;
	pid_t replicas[WORLD_REPLICAS], presence;
	char log[WORLD_REPLICAS + 1][352];
	struct arena arena;
	pthread_mutex_t lock;
	char *ring[WORLD_RINGS_MAX]; /* doorbells of rooms; guarded by the lock */
	size_t rings_len;
};

void world_start(struct world *world, struct postgres *pg);
void world_stop(struct world *world);
/* `extra`: more flags, ends with NULL; NULL: none. Returns when it answers. */
void world_spawn(struct world *world, int replica, const char *const *extra);
void world_kill(struct world *world, int replica, int signal);
/* ww-presence, with these two as friends. */
void world_befriend(struct world *world, const char *user, const char *other);

/* What ww.svc.chat.<verb> answers to a client's payload: "{...}", or "code field" if it refuses. */
const char *ask(struct world *world, const char *user, const char *verb, const char *payload, ...)
    PRINTF_LIKE(4, 5);
/* The same by ww.backend.chat.<verb>, as ops. */
const char *ask_backend(struct world *world, const char *verb, const char *payload, ...)
    PRINTF_LIKE(3, 4);
/* For threads of a test: `arena` is theirs. */
const char *ask_in(struct world *world, struct arena *arena, const char *user, const char *verb,
    const char *payload);

/* A member of an answer, as text; "" if there is none. Numbers in digits. */
const char *field(struct world *world, const char *json, const char *name);

/* The next event of the stream: "<user>,<user>: <message id> {...}"; the users in order. */
const char *next_event(struct world *world);
/* There is none: what was published before is all. */
void no_event(struct world *world);
/* Waits for a doorbell of a room that holds this text; takes all up to it. */
const char *wait_ring(struct world *world, const char *text);
size_t count_rings(struct world *world, const char *text);

/* A number that the database answers. */
int64_t query(struct world *world, const char *sql);

/* A transaction of the test's own: what it has done is held until it is committed. */
struct db *world_hold(struct world *world, const char *sql);
void world_let_go(struct db *db);
/* Until so many wait for locks. */
void wait_for_waiters(struct world *world, int n);

/* A question in a thread of its own, that may have to wait. */
struct asker {
	pthread_t thread;
	struct world *world;
	struct arena arena;
	const char *user, *verb, *payload, *answer;
};
void asker_start(struct asker *asker, struct world *world, const char *user, const char *verb,
    const char *payload, ...) PRINTF_LIKE(5, 6);
/* What was answered; lives as long as the world. */
const char *asker_end(struct asker *asker);

#define ck_assert_has(text, part) \
	ck_assert_msg(strstr(text, part) != NULL, "no %s in %s", part, text)
#define ck_assert_has_not(text, part) \
	ck_assert_msg(strstr(text, part) == NULL, "%s in %s", part, text)

#endif
