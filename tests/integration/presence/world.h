/*
 * world: what a test of ww-presence needs around it: a nats-server and a database of its own,
 * replicas of the real program, and edges whose part the test plays.
 *
 * Everything fails the running test when it can't.
 */
#ifndef TEST_PRESENCE_WORLD_H
#define TEST_PRESENCE_WORLD_H

#include <pthread.h>

#include "presence.h"
#include "support/nats.h"
#include "support/postgres.h"
#include "support/support.h"
#include "walletwire/v1/notifications.pb-c.h"

enum {
	WORLD_REPLICAS = 2,
	WORLD_EDGES = 2,
	WORLD_WAIT_MS = 30000,
	WORLD_BATCHES_MAX = 4096,
	WORLD_USERS_MAX = 4096,
};

/* An edge with one loop: it tells all it has when it is asked to. */
struct world_edge {
	struct world *world;
	struct bus_sub *sub, *sub_all;
	char id[32];
	/* Guarded by the world's lock. */
	uint64_t number;
	Walletwire__V1__PresenceReportUser users[WORLD_USERS_MAX];
	size_t users_len;
	Walletwire__V1__PresenceBatch *batches[WORLD_BATCHES_MAX];
	size_t len;
	size_t marked; /* what came before it is not looked at */
	size_t reports_wanted;
};

struct world {
	struct support_nats nats;
	const char *dsn;
	struct bus *edge, *backend;
	pid_t replicas[WORLD_REPLICAS];
	char log[WORLD_REPLICAS][352];
	struct arena arena; /* for everything a test decodes; guarded by the lock */
	pthread_mutex_t lock;
	struct world_edge edges[WORLD_EDGES];
	bool may_miss; /* batches were lost on purpose: an edge would ask */
};

void world_start(struct world *world, struct postgres *pg);
void world_stop(struct world *world);

/* `extra` is one more flag ("--offline-grace=30s") or NULL. Returns when it answers. */
void world_spawn(struct world *world, int replica, const char *extra);
/* The same, with nats-server at another port. */
void world_spawn_at(struct world *world, int replica, int nats_port, const char *extra);
void world_kill(struct world *world, int replica, int signal);

/* Both ways; the answer must be `code`, "ok" for success. NULL: nobody. */
const Walletwire__V1__FriendsSetReply *world_friends(
    struct world *world, const char *verb, const char *user, const char *other, const char *code);
/* friend-0, friend-1 ... */
void world_add_many(struct world *world, const char *user, size_t n);
const Walletwire__V1__PresenceGetReply *world_get(
    struct world *world, const char *user, const char *other);
const Walletwire__V1__PresenceFriendsReply *world_list(
    struct world *world, const char *user, const char *after, uint32_t limit);
void world_hide(struct world *world, const char *user, bool visible);

/* Everything held about them; and how many rows of each there were, as it is taken away. */
const Walletwire__V1__ExportReply *world_export(
    struct world *world, const char *user, const char *after);
const Walletwire__V1__EraseCounts *world_erase(struct world *world, const char *user);

/* Fails with the answer's code in *ret_code, "ok" for success. */
const void *world_ask(struct world *world, const char *subject, const ProtobufCMessage *request,
    const ProtobufCMessageDescriptor *reply, const char **ret_code);

/* --- edges --- */
/* All it has. */
void edge_tell_all(struct world_edge *edge);
/* What it says next is lost. */
void edge_lose_report(struct world_edge *edge);
void edge_say(struct world_edge *edge, const char *user, uint32_t sockets, PresenceStatus status);
/* The same; it knows nothing of its friends. */
void edge_wish(struct world_edge *edge, const char *user);
void edge_heartbeat(struct world_edge *edge);

/* What the watcher was told last of the user, by lists and changes; UNSPECIFIED: nothing. */
PresenceStatus edge_shows(struct world_edge *edge, const char *watcher, const char *user);
void edge_wait_shows(
    struct world_edge *edge, const char *watcher, const char *user, PresenceStatus status);
/* Of batches since the mark. */
void edge_mark(struct world_edge *edge);
size_t edge_changes(struct world_edge *edge, const char *user);
void edge_wait_changes(struct world_edge *edge, const char *user);
void edge_wait_list(struct world_edge *edge, const char *user);
size_t edge_lists(struct world_edge *edge, const char *user);
/* Of the newest batch; 0: there is none. */
uint64_t edge_generation(struct world_edge *edge);
/* No number is missing or comes twice, in each generation; returns the last generation. */
uint64_t edge_check_numbers(struct world_edge *edge);

#endif
