/*
 * world: what a test of ww-outbox needs around it: a nats-server, a wallet's database with the
 * outbox in it, replicas of the real program, and what arrived in the stream.
 *
 * Everything fails the running test when it can't.
 */
#ifndef TEST_OUTBOX_WORLD_H
#define TEST_OUTBOX_WORLD_H

#include "bus/bus.h"
#include "db/db.h"
#include "support/nats.h"
#include "support/postgres.h"
#include "support/support.h"

enum {
	WORLD_REPLICAS = 2,
	WORLD_WAIT_MS = 60000,
	WORLD_EVENTS_MAX = 20000,
	WORLD_KEYS_MAX = 64,
	WORLD_ID_SIZE = 64
};

struct world {
	struct support_nats nats;
	char admin_dsn[128], wallet_dsn[128], relay_dsn[128];
	pid_t replicas[WORLD_REPLICAS];
	int admin_port[WORLD_REPLICAS];
	char log[WORLD_REPLICAS][352];
	struct db *wallet; /* as the wallet's own role */
	struct db *admin;
	struct bus *reader;
	struct bus_pull *pull;
	/* Message ids by place in the stream. */
	char (*ids)[WORLD_ID_SIZE];
	size_t taken;
};

/* `events_max_bytes` of the stream. */
void world_start(struct world *world, struct postgres *pg, int64_t events_max_bytes);
void world_stop(struct world *world);

void world_spawn(struct world *world, int replica);
void world_kill(struct world *world, int replica, int signal);
/* The answer of /readyz, empty if there is none; in static memory. */
const char *world_readiness(struct world *world, int replica);
/* What the replica logged; in static memory. */
const char *world_log(struct world *world, int replica);

/* Text of the test's own, as the wallet. */
void world_sql(struct world *world, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Payments "k<key>-<n>" for each of `keys` keys, n from `from` to `to` - 1, in this order. */
void world_insert(struct world *world, int keys, int from, int to);

/* Waits until `n` events in all have been in the stream. They are taken out of it. */
void world_take(struct world *world, size_t n);
/* No more come, and nothing waits: each of k<key>-<0..per_key) was stored once and in order. */
void world_check_all(struct world *world, int keys, int per_key);
/* Waits until there are `n` rows in walletwire_outbox.<table>. */
void world_wait_rows(struct world *world, const char *table, int64_t n);
/* Waits until fewer than `n` events wait in the outbox. */
void world_wait_fewer(struct world *world, int64_t n);

#endif
