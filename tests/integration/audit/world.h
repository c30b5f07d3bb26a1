/*
 * world: what a test of ww-audit needs around it: a nats-server, a database with audit.sql in it, a
 * key, replicas of the real program, services that tell it things, an administrator who should not,
 * and `ww audit`.
 *
 * Everything fails the running test when it can't.
 */
#ifndef TEST_AUDIT_WORLD_H
#define TEST_AUDIT_WORLD_H

#include "bus/bus.h"
#include "db/db.h"
#include "support/nats.h"
#include "support/postgres.h"
#include "support/support.h"
#include "walletwire/v1/audit.pb-c.h"

enum { WORLD_REPLICAS = 2, WORLD_WAIT_MS = 40000, WORLD_SERVICES = 5 };

struct world {
	struct support_nats nats;
	char dir[256]; /* of files: keys, heads, passwords, outputs */
	char admin_dsn[128], audit_dsn[128], auditor_dsn[128];
	char key[320], public_key[320], heads[320];
	pid_t replicas[WORLD_REPLICAS];
	int admin_port[WORLD_REPLICAS];
	char log[WORLD_REPLICAS][352];
	struct bus *services[WORLD_SERVICES]; /* NULL: nobody has spoken as that one yet */
	struct db *admin;
	uint64_t published; /* messages that were given a name by world_publish() */
};

void world_start(struct world *world, struct postgres *pg);
void world_stop(struct world *world);

/* For what many tests begin with: the world's own connections are closed, so that it survives a
 * fork; and a world of this test's own is made of it, which shares the nats-server. */
void world_let_go(struct world *world);
void world_copy(struct world *world, struct postgres *pg);

/* `extra` is one more flag or NULL. world_spawn() returns when it is ready. */
void world_launch(struct world *world, int replica, const char *extra);
void world_spawn(struct world *world, int replica, const char *extra);
void world_kill(struct world *world, int replica, int signal);
void world_wait_ready(struct world *world, int replica);
/* What a replica logged, and what its metrics say; in static memory. */
const char *world_log(struct world *world, int replica);
long world_metric(struct world *world, int replica, const char *name);
/* Waits until its /readyz says this. */
void world_wait_says(struct world *world, int replica, const char *text);

/* --- services --- */
/* One message of `service`, with records "<id>-0", "<id>-1" ... of ITEM_CREATED for `user`. */
void world_publish(
    struct world *world, const char *service, const char *id, int records, const char *user);
/* Records of any kind, of which id, service and time are filled in if they are not. */
void world_publish_record(
    struct world *world, const char *service, Walletwire__V1__AuditRecord *record);
void world_publish_bytes(struct world *world, const char *service, struct bytes data);
/* `n` messages of a record each, "<id>-<i>", of service `notifications`, pipelined. */
void world_publish_many(struct world *world, const char *id, int n);

/* --- the table --- */
void world_sql(struct world *world, const char *sql); /* as a superuser */
int64_t world_int(struct world *world, const char *sql);
/* Waits until there are `n` rows. */
void world_wait_rows(struct world *world, int64_t n);
/* The same for any query that gives an integer. */
void world_wait_int(struct world *world, const char *sql, int64_t n);
/* Numbers from 1 to `n` in one shard, every id once. */
void world_check_gapless(struct world *world, int64_t n);

/* --- the administrator of NATS, whom no deployment has --- */
/* Restarts the server with one. */
void world_admit_admin(struct world *world);
void world_purge(struct world *world);
void world_remove(struct world *world, uint64_t seq);
void world_recreate(struct world *world);

/* --- ww audit --- */
/* The exit code of `ww audit words...`; what it printed is in static memory. */
int world_ww(struct world *world, const char *const *words);
#define WW(...) world_ww(&world, (const char *const[]){ __VA_ARGS__, NULL })
const char *world_output(struct world *world);

/* Verifies by table, file and stream: must be found good. */
void world_verify_good(struct world *world);
/* Must be found broken, and say this. */
void world_verify_broken(struct world *world, const char *text);

#endif
