/*
 * provision: the streams, consumers and buckets of one deployment, and the server's user list, as
 * tables.
 *
 * `ww provision` is an idempotent job; services only bind. What exists with other settings is
 * reported, never edited: filters and limits of live streams are not changed on nats-server 2.9.
 */
#ifndef BUS_PROVISION_H
#define BUS_PROVISION_H

#include "base/buf.h"
#include "bus/bus.h"

#define STREAM_EVENTS "WW_EVENTS"
#define STREAM_AUDIT "WW_AUDIT"
#define STREAM_AUDIT_HEADS "WW_AUDIT_HEADS"
#define STREAM_DLQ "WW_DLQ"
#define CONSUMER_NOTIFICATIONS "notifications" /* of WW_EVENTS */
#define CONSUMER_AUDIT "audit"                 /* of WW_AUDIT */

#define BUCKET_EDGES "ww_edges"
#define BUCKET_REVOKED "ww_revoked"
#define BUCKET_TRACKING "ww_tracking"

/* What WW_EVENTS and WW_AUDIT take of one message, beside its headers. */
enum { STREAM_DATA_MAX = 64 << 10 };

struct provision_config {
	int replicas;             /* of every stream and bucket: 1 or 3 */
	int64_t events_max_bytes; /* of WW_EVENTS */
	int64_t audit_max_bytes;
};

/* Creates what is missing; on_line is told a line for each thing ("stream WW_EVENTS: created"). */
enum status bus_provision(struct bus *bus, const struct provision_config *cfg,
    void (*on_line)(void *arg, const char *line), void *arg, struct err *err) MUST_CHECK;

/*
 * The `accounts {}` block of nats-server.conf: one user per service with the permissions that
 * follow from proto/subjects.def, JetStream API rights per user, and a deny list for what no user
 * may do. `password(user)` gives each user's password (plain or bcrypt); return NULL to leave the
 * user out. A leaf has no JetStream of its own.
 */
void bus_nats_accounts(bool has_jetstream, const char *(*password)(void *arg, const char *user),
    void *arg, struct buf *out);

/*
 * All of nats-server.conf: limits, JetStream and the accounts. A user "sys" of the SYS account is
 * asked for too; left out, it gets a password that nobody knows.
 */
struct nats_server_config {
	const char *host; /* to listen on: "127.0.0.1" */
	int port;
	int http_port;           /* of the monitor, on 127.0.0.1 only; 0: none */
	const char *server_name; /* unique in a cluster */
	const char *store_dir;   /* of JetStream */
	int64_t max_memory_store,
	    max_file_store;  /* bytes; at least the sum of what streams may hold */
	int leaf_port;       /* where leaves find it, by mutual TLS; 0: none may come */
	const char *tls_dir; /* for leaf_port, and of a leaf: tls.crt, tls.key, ca.crt */
	const char *(*password)(void *arg, const char *user);
	void *arg;
};
void bus_nats_config(const struct nats_server_config *cfg, struct buf *out);
/*
 * The same of a leaf beside a program that is `user`, with a link to `hub` ("host:port", its
 * leaf_port). Nothing of JetStream in `cfg` is looked at. Its password is that of the hub, plain.
 */
void bus_nats_leaf_config(
    const struct nats_server_config *cfg, const char *user, const char *hub, struct buf *out);

/* The NATS users there are, NULL-terminated: backend chat notifications edge presence audit ops. */
extern const char *const bus_users[];

#endif
