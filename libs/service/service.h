/*
 * service: what every store-backed service is made of, so that its main() is a page.
 *
 * A service has a table of routes (subject -> request type -> handler). Requests are served by a
 * pool of workers, each a thread with its own database connection and arena, one request at a time;
 * more load means more workers or more replicas in the queue group. The dispatcher decodes by
 * descriptor, counts, times, calls, and answers: a handler contains only its verb.
 *
 * Also: SIGTERM and SIGINT, the admin port (/healthz, /readyz, /metrics), truthful readiness.
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/err.h"
#include "bus/bus.h"
#include "config/config.h"
#include "db/db.h"

struct service;

/* Settings that every service has; embed as `service` and add service_settings to the tables. */
struct service_config {
	char *nats_url, *nats_user, *nats_password;
	char *database_url; /* secret: may hold a password */
	char *admin;        /* "127.0.0.1:0" */
	char *log_level;
	char *instance; /* names this replica in logs and at the server; empty: a random one */
	int64_t workers;
};

/* A request while it is handled. */
struct request {
	const ProtobufCMessage *body; /* decoded, validated, in the arena */
	const char *user_id;          /* of its Caller; NULL if the type has none or it is empty */
	const char *requester; /* the NATS user who asks, by the inbox; "" if that tells none */
	struct arena *arena;   /* for the reply and all between; dropped after the answer */
	struct db *db;         /* this worker's connection */
	struct bus *bus;
	void *ctx;                     /* the service's own */
	const ProtobufCMessage *reply; /* set by the handler on success */
	bool is_deferred;
	const struct dispatched *dispatched; /* the dispatcher's own */
};

/*
 * For a handler that would have to wait for somebody else, and its worker with it: it hands the
 * request over as the last thing it does and returns STATUS_OK without a reply. Whoever has it
 * answers or refuses it, exactly once, from any thread, before the service is freed. It is counted
 * and timed like every other; a refusal is not logged, since those come in crowds.
 */
struct deferred;
struct deferred *request_defer(struct request *req);
void deferred_answer(struct deferred *deferred, const ProtobufCMessage *reply);
void deferred_refuse(struct deferred *deferred, const struct err *why);

typedef enum status (*route_fn)(struct request *req, struct err *err);

/*
 * The verb `stats` of every service (ww.svc.<service>.stats): what this replica has served since it
 * began, for operators. Its route is to be in the table of routes; the request is a
 * ServiceStatsRequest.
 */
enum status service_on_stats(struct request *req, struct err *err);

/* The user a request speaks for: 1 to 128 bytes, or it is refused. */
enum status request_caller(
    const struct request *req, const char **ret_user_id, struct err *err) MUST_CHECK;

struct route {
	const char *subject; /* "ww.svc.notifications.open" */
	const ProtobufCMessageDescriptor *request;
	route_fn fn;
};

struct service_spec {
	const char *name;           /* "notifications": log, queue group, metric label */
	const struct route *routes; /* none: leave out `workers`, which stays 0 */
	size_t routes_len;
	const struct db_statement *statements; /* prepared on every worker's connection */
	size_t statements_len;
	bool by_key; /* each finds its rows by a key (db_config) */
	void *ctx;
	/* Also asked for readiness, beside NATS and PostgreSQL: NULL or why not. May be NULL. */
	const char *(*not_ready)(void *ctx);
};

/*
 * Connects to NATS in the background, opens the admin port, blocks signals. Nothing is served yet.
 * Once per process: the metrics it registers stay.
 */
enum status service_new(const struct service_config *cfg, const struct service_spec *spec,
    struct service **ret_service, struct err *err) MUST_CHECK;
void service_free(struct service *service); /* NULL is fine */

struct bus *service_bus(struct service *service);
/* Another connection, for who publishes in bulk (bus_config); its owner closes it. */
enum status service_open_bulk_bus(const struct service *service, const struct service_config *cfg,
    struct bus **ret_bus, struct err *err) MUST_CHECK;
const char *service_instance(const struct service *service);
int service_admin_port(const struct service *service);

/* Serves until SIGTERM or SIGINT, then drains (10 s): not ready, unsubscribe, finish the rest. */
enum status service_run(struct service *service, struct err *err) MUST_CHECK;
/* For threads of the service's own, and for waiting before service_run(). */
bool service_is_stopping(const struct service *service);

/*
 * A main(): loads `cfg` (zeroed) by `spec`, logs as `name`, and runs `serve`, which blocks until
 * the service has ended. Returns what main() returns.
 */
int service_main(const char *name, const struct config_spec *spec, void *cfg,
    enum status (*serve)(const void *cfg, struct err *err), int argc, char **argv);

/* Every setting of struct service_config, which is embedded at the start of the program's own;
 * those of the workers are left out by a program without routes. */
enum { SERVICE_SETTINGS = 7, SERVICE_WORKER_SETTINGS = 1 };
extern const struct setting service_settings[SERVICE_SETTINGS];
extern const struct setting service_worker_settings[SERVICE_WORKER_SETTINGS];

#endif
