/* A thread that puts, a watch that hears, and a table between them. */
#include "leases.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/xalloc.h"
#include "bus/provision.h"
#include "lease_table.h"
#include "log/log.h"
#include "walletwire/v1/edge.pb-c.h"

enum { RETRY_MS = 1000, ADDRESS_SIZE = 256 };

struct leases {
	struct edge *edge;
	int64_t started_ms;
	struct bus_kv_watch *watch;
	pthread_t thread;
	bool has_thread;
	bool is_failing;      /* of the thread: told once */
	pthread_mutex_t lock; /* guards what is below */
	pthread_cond_t wake;
	bool stopping, is_due, is_ready;
	struct lease_table table;
};

/* --- putting --- */

/* Host and port, once it listens: the setting may have left the port open. */
static void say_address(const struct edge *edge, char *ret_address, size_t size)
{
	const char *colon = strrchr(edge->cfg.listen, ':');
	int port = atomic_load(&edge->listens_on), host_len;

	ret_address[0] = '\0';
	if (!port)
		return;
	host_len = colon ? (int)(colon - edge->cfg.listen) : 0;
	(void)snprintf(ret_address, size, "%.*s:%d", host_len, edge->cfg.listen, port);
}

static void pack(const struct leases *leases, bool gone, struct buf *out)
{
	const struct edge *edge = leases->edge;
	Walletwire__V1__EdgeLease lease = WALLETWIRE__V1__EDGE_LEASE__INIT;
	char version[] = WW_VERSION, address[ADDRESS_SIZE];

	say_address(edge, address, sizeof(address));
	lease.address = address;

	lease.id = (char *)(uintptr_t)edge->id; /* protobuf-c is not const-correct */
	lease.name = edge->cfg.edge_name;
	lease.version = version;
	lease.started_ms = leases->started_ms;
	lease.draining = atomic_load(&edge->draining);
	lease.sockets = (uint64_t)atomic_load(&edge->engine.sessions);
	lease.gone = gone;
	message_append(out, &lease.base);
}

/* Returns whether it was stored. */
static bool put(struct leases *leases, bool gone)
{
	struct buf value = BUF_INIT;
	struct err err = ERR_INIT;
	enum status s;

	pack(leases, gone, &value);
	s = bus_kv_put(leases->edge->bus, BUCKET_EDGES, leases->edge->id, buf_bytes(&value), &err);
	buf_finish(&value);
	if (s && !leases->is_failing)
		log_failure(&err, "the lease of this edge was not put");
	leases->is_failing = s != STATUS_OK;
	return s == STATUS_OK;
}

/* Until it is due, or at most so long. With the lock held. */
static void wait_due(struct leases *leases, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;
	struct timespec ts = { .tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000L };

	while (!leases->is_due && !leases->stopping && clock_mono_ms() < until)
		(void)pthread_cond_timedwait(&leases->wake, &leases->lock, &ts);
}

static void *run(void *arg)
{
	struct leases *leases = arg;
	bool stored;

	(void)pthread_mutex_lock(&leases->lock);
	while (!leases->stopping) {
		leases->is_due = false;
		(void)pthread_mutex_unlock(&leases->lock);
		stored = put(leases, /* gone= */ false);
		(void)pthread_mutex_lock(&leases->lock);
		wait_due(leases, stored ? LEASE_PUT_MS : RETRY_MS);
	}
	(void)pthread_mutex_unlock(&leases->lock);
	(void)put(leases, /* gone= */ true);
	return NULL;
}

/* --- hearing --- */

static void hear(struct leases *leases, const char *edge_id, Walletwire__V1__EdgeLease *taken)
{
	int64_t now_ms = clock_mono_ms();

	lease_table_heard(&leases->table, edge_id, now_ms);
	lease_table_tell(&leases->table, edge_id, taken);
	if (strcmp(edge_id, leases->edge->id) != 0)
		return;
	lease_table_heard_own(&leases->table, now_ms);
	leases->is_ready = true;
}

/* NULL: it is gone. */
static Walletwire__V1__EdgeLease *read_lease(const char *edge_id, struct bytes value)
{
	Walletwire__V1__EdgeLease *lease =
	    value.data ? walletwire__v1__edge_lease__unpack(NULL, value.len, value.data) : NULL;

	if (!lease || (!lease->gone && strcmp(lease->id, edge_id) == 0))
		return lease;
	walletwire__v1__edge_lease__free_unpacked(lease, NULL);
	return NULL;
}

static void on_lease(void *arg, const char *key, struct bytes value)
{
	struct leases *leases = arg;
	Walletwire__V1__EdgeLease *lease;

	if (!key)
		return;
	lease = read_lease(key, value);
	(void)pthread_mutex_lock(&leases->lock);
	if (lease)
		hear(leases, key, lease);
	else
		lease_table_forget(&leases->table, key);
	(void)pthread_mutex_unlock(&leases->lock);
}

/* --- life --- */

struct leases *leases_new(struct edge *edge)
{
	struct leases *leases = xcalloc(1, sizeof(*leases));
	pthread_condattr_t attr;

	leases->edge = edge;
	leases->started_ms = clock_wall_ms();
	(void)pthread_mutex_init(&leases->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&leases->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	return leases;
}

enum status leases_start(struct leases *leases, struct err *err)
{
	enum status s =
	    bus_kv_watch(leases->edge->bus, BUCKET_EDGES, on_lease, leases, &leases->watch, err);

	if (s)
		return s;
	if (pthread_create(&leases->thread, NULL, run, leases) != 0)
		abort(); /* like memory: a process without threads can't go on */
	leases->has_thread = true;
	return STATUS_OK;
}

void leases_stop(struct leases *leases)
{
	if (!leases || !leases->has_thread)
		return;
	(void)pthread_mutex_lock(&leases->lock);
	leases->stopping = true;
	(void)pthread_cond_signal(&leases->wake);
	(void)pthread_mutex_unlock(&leases->lock);
	(void)pthread_join(leases->thread, NULL);
	leases->has_thread = false;
	bus_kv_unwatch(leases->watch);
}

void leases_free(struct leases *leases)
{
	if (!leases)
		return;
	lease_table_finish(&leases->table);
	(void)pthread_cond_destroy(&leases->wake);
	(void)pthread_mutex_destroy(&leases->lock);
	free(leases);
}

void leases_renew(struct leases *leases)
{
	(void)pthread_mutex_lock(&leases->lock);
	leases->is_due = true;
	(void)pthread_cond_signal(&leases->wake);
	(void)pthread_mutex_unlock(&leases->lock);
}

void leases_on_connected(struct leases *leases)
{
	(void)pthread_mutex_lock(&leases->lock);
	lease_table_doubt(&leases->table);
	(void)pthread_mutex_unlock(&leases->lock);
	leases_renew(leases);
}

bool leases_is_ready(struct leases *leases)
{
	bool is_ready;

	(void)pthread_mutex_lock(&leases->lock);
	is_ready = leases->is_ready;
	(void)pthread_mutex_unlock(&leases->lock);
	return is_ready;
}

void leases_each(
    struct leases *leases, void (*fn)(void *arg, const Walletwire__V1__EdgeLease *lease), void *arg)
{
	(void)pthread_mutex_lock(&leases->lock);
	lease_table_each(&leases->table, fn, arg);
	(void)pthread_mutex_unlock(&leases->lock);
}

bool leases_rule_out(struct leases *leases, const char *edge_id)
{
	bool is_out;

	(void)pthread_mutex_lock(&leases->lock);
	is_out = bus_is_connected(leases->edge->bus) &&
		 lease_table_rules_out(&leases->table, edge_id, clock_mono_ms());
	(void)pthread_mutex_unlock(&leases->lock);
	return is_out;
}
