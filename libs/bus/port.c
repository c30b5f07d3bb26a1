/*
 * The port: how loops use the bus. One thread owns every call into nats.c, which may take half a
 * second while a reconnect holds the connection's lock; loops only touch this file's lock, held for
 * a few instructions at a time.
 *
 * Interest comes before the queue: whatever was wanted when a request was put in is subscribed
 * before that request is sent, on the same connection, so the server has it first.
 */
#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/trace.h"
#include "base/xalloc.h"
#include "bus/internal.h"

#include <uthash.h>
#include <utlist.h>

enum { SUBSCRIBE_RETRY_MS = 100 };

/* Where an interest waits for the port's thread. */
enum place {
	PLACE_NONE,     /* nothing to do: subscribed and wanted, or in the thread's hands */
	PLACE_DIRTY,    /* wanted, not subscribed yet */
	PLACE_LINGERING /* subscribed, not wanted any more */
};

struct interest {
	UT_hash_handle hh;
	struct interest *prev, *next; /* in the list of its place */
	enum place place;
	size_t wanted;
	natsSubscription *sub; /* NULL: not subscribed */
	int64_t linger_until_ms;
	char subject[];
};

struct op {
	struct op *prev, *next;
	bool is_request;
	uint64_t request_id;
	const char *subject;                /* behind the data */
	char traceparent[TRACEPARENT_SIZE]; /* of a request; "": none */
	size_t len;
	uint8_t data[];
};

struct bus_port {
	struct bus *bus;
	struct bus_port_config cfg;
	struct gate *gate; /* of all its subscriptions */
	struct request_group requests;
	pthread_t thread;

	atomic_ullong msgs_in, bytes_in, msgs_out, bytes_out;
	atomic_uint drop_left; /* of the test hook; the prefix is guarded by the lock */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	bool stopping;
	struct interest *interests; /* by subject */
	struct interest *dirty;
	struct interest *lingering; /* the first to go first, since all linger equally long */
	size_t lingering_len;
	int64_t retry_at_ms; /* dirty ones wait until then, after a failure */
	struct op *queue;
	size_t queue_len, queue_bytes;
	char *drop_prefix;
};

static void place_interest(struct bus_port *port, struct interest *interest, enum place place)
{
	if (interest->place == PLACE_DIRTY)
		DL_DELETE(port->dirty, interest);
	if (interest->place == PLACE_LINGERING) {
		DL_DELETE(port->lingering, interest);
		port->lingering_len--;
	}
	interest->place = place;
	if (place == PLACE_DIRTY)
		DL_APPEND(port->dirty, interest);
	if (place == PLACE_LINGERING) {
		interest->linger_until_ms = clock_mono_ms() + port->cfg.linger_ms;
		DL_APPEND(port->lingering, interest);
		port->lingering_len++;
	}
}

static void forget_interest(struct bus_port *port, struct interest *interest)
{
	place_interest(port, interest, PLACE_NONE);
	HASH_DEL(port->interests, interest);
	free(interest);
}

/* With the lock held, which is let go around the call. */
static void subscribe_next(struct bus_port *port)
{
	struct interest *interest = port->dirty;
	natsSubscription *sub = NULL;
	natsStatus ns;

	if (interest->wanted == 0) {
		forget_interest(port, interest);
		return;
	}
	place_interest(port, interest, PLACE_NONE);
	(void)pthread_mutex_unlock(&port->lock);
	ns = gate_subscribe(port->gate, interest->subject, NULL, &sub);
	(void)pthread_mutex_lock(&port->lock);
	interest->sub = sub;
	if (ns) {
		port->retry_at_ms = clock_mono_ms() + SUBSCRIBE_RETRY_MS;
		place_interest(port, interest, PLACE_DIRTY);
	} else if (interest->wanted == 0) {
		place_interest(port, interest, PLACE_LINGERING);
	}
}

static void unsubscribe_oldest(struct bus_port *port)
{
	natsSubscription *sub = port->lingering->sub;

	forget_interest(port, port->lingering);
	(void)pthread_mutex_unlock(&port->lock);
	reaper_bury_sub(port->bus->reaper, sub);
	(void)pthread_mutex_lock(&port->lock);
}

/* With a header only where there is one: most requests have none. */
static natsStatus send_request(struct bus *bus, const struct op *op, const char *inbox)
{
	natsMsg *msg = NULL;
	natsStatus ns;

	if (!op->traceparent[0])
		return natsConnection_PublishRequest(
		    bus->nc, op->subject, inbox, op->data, (int)op->len);
	ns = natsMsg_Create(&msg, op->subject, inbox, (const char *)op->data, (int)op->len);
	IFOK(ns, natsMsgHeader_Set(msg, TRACE_HEADER, op->traceparent));
	IFOK(ns, natsConnection_PublishMsg(bus->nc, msg));
	natsMsg_Destroy(msg);
	return ns;
}

static void send_op(struct bus_port *port, struct op *op)
{
	struct bus *bus = port->bus;
	natsStatus ns = NATS_INSUFFICIENT_BUFFER;
	char inbox[INBOX_SIZE];

	if (op->is_request && !requests_is_open(bus->requests, op->request_id)) {
		/* Its time was up in the queue: nobody would hear the answer. */
	} else if (op->is_request) {
		requests_inbox(bus->requests, op->request_id, inbox);
		ns = send_request(bus, op, inbox);
		if (ns)
			requests_end(bus->requests, op->request_id, bus_status_of(ns));
	} else {
		ns = natsConnection_Publish(bus->nc, op->subject, op->data, (int)op->len);
	}
	if (!ns) {
		(void)atomic_fetch_add(&port->msgs_out, 1);
		(void)atomic_fetch_add(&port->bytes_out, op->len);
	}
	free(op);
}

static void send_next(struct bus_port *port)
{
	struct op *op = port->queue;

	DL_DELETE(port->queue, op);
	port->queue_len--;
	port->queue_bytes -= op->len;
	(void)pthread_mutex_unlock(&port->lock);
	send_op(port, op);
	(void)pthread_mutex_lock(&port->lock);
}

static void wait_for_work(struct bus_port *port)
{
	int64_t until = INT64_MAX;

	if (port->dirty)
		until = port->retry_at_ms;
	if (port->lingering && port->lingering->linger_until_ms < until)
		until = port->lingering->linger_until_ms;
	if (until == INT64_MAX)
		(void)pthread_cond_wait(&port->wake, &port->lock);
	else
		(void)wait_until(&port->wake, &port->lock, until);
}

static void *port_run(void *arg)
{
	struct bus_port *port = arg;

	(void)pthread_mutex_lock(&port->lock);
	while (!port->stopping) {
		int64_t now = clock_mono_ms();
		bool idle = true;

		if (port->dirty && now >= port->retry_at_ms) {
			subscribe_next(port);
			continue;
		}
		/* One of each in turn: when a crowd left, its subscriptions don't go before the
		 * queue. */
		if (port->queue) {
			send_next(port);
			idle = false;
		}
		if (port->lingering && now >= port->lingering->linger_until_ms) {
			unsubscribe_oldest(port);
			idle = false;
		}
		if (idle)
			wait_for_work(port);
	}
	(void)pthread_mutex_unlock(&port->lock);
	return NULL;
}

/* For tests of what happens when a doorbell is lost. */
static bool is_to_be_dropped(struct bus_port *port, const char *subject)
{
	bool drop;

	if (atomic_load(&port->drop_left) == 0)
		return false;
	(void)pthread_mutex_lock(&port->lock);
	drop = atomic_load(&port->drop_left) > 0 &&
	       strncmp(subject, port->drop_prefix, strlen(port->drop_prefix)) == 0;
	if (drop)
		(void)atomic_fetch_sub(&port->drop_left, 1);
	(void)pthread_mutex_unlock(&port->lock);
	return drop;
}

static void take_msg(void *arg, struct bus_msg *msg)
{
	struct bus_port *port = arg;

	if (is_to_be_dropped(port, bus_msg_subject(msg)))
		return;
	(void)atomic_fetch_add(&port->msgs_in, 1);
	(void)atomic_fetch_add(&port->bytes_in, bus_msg_data(msg).len);
	port->cfg.on_msg(port->cfg.arg, msg);
}

enum status bus_port_new(
    struct bus *bus, const struct bus_port_config *cfg, struct bus_port **ret_port, struct err *err)
{
	struct bus_port *port;

	if (cfg->queue_max == 0 || cfg->linger_ms < 0)
		return err_set(
		    err, STATUS_INVALID, "a port needs a queue, and a linger time of 0 or more");
	port = xcalloc(1, sizeof(*port));
	port->bus = bus;
	port->cfg = *cfg;
	port->gate = gate_new(bus, take_msg, port);
	(void)pthread_mutex_init(&port->lock, NULL);
	wait_init(&port->wake);
	if (pthread_create(&port->thread, NULL, port_run, port) != 0)
		abort(); /* like memory: a process without threads can't go on */
	*ret_port = port;
	return STATUS_OK;
}

static void drop_everything(struct bus_port *port)
{
	struct interest *interest, *next_interest;
	struct op *op, *next_op;

	HASH_ITER (hh, port->interests, interest, next_interest) {
		if (interest->sub)
			reaper_bury_sub(port->bus->reaper, interest->sub);
		forget_interest(port, interest);
	}
	DL_FOREACH_SAFE (port->queue, op, next_op)
		free(op);
}

void bus_port_free(struct bus_port *port)
{
	if (!port)
		return;
	(void)pthread_mutex_lock(&port->lock);
	port->stopping = true;
	(void)pthread_cond_signal(&port->wake);
	(void)pthread_mutex_unlock(&port->lock);
	(void)pthread_join(port->thread, NULL);
	requests_end_group(port->bus->requests, &port->requests);
	drop_everything(port);
	gate_close(port->gate);
	(void)pthread_cond_destroy(&port->wake);
	(void)pthread_mutex_destroy(&port->lock);
	free(port->drop_prefix);
	free(port);
}

void bus_port_want(struct bus_port *port, const char *subject)
{
	size_t len = strlen(subject);
	struct interest *interest;

	assert(bus_subject_is_pattern(subject));
	(void)pthread_mutex_lock(&port->lock);
	HASH_FIND(hh, port->interests, subject, len, interest);
	if (!interest) {
		interest = xcalloc(1, sizeof(*interest) + len + 1);
		memcpy(interest->subject, subject, len);
		HASH_ADD_KEYPTR(hh, port->interests, interest->subject, len, interest);
		place_interest(port, interest, PLACE_DIRTY);
		(void)pthread_cond_signal(&port->wake);
	} else if (interest->place == PLACE_LINGERING) {
		place_interest(port, interest, PLACE_NONE);
	}
	interest->wanted++;
	(void)pthread_mutex_unlock(&port->lock);
}

void bus_port_unwant(struct bus_port *port, const char *subject)
{
	struct interest *interest;

	(void)pthread_mutex_lock(&port->lock);
	HASH_FIND(hh, port->interests, subject, strlen(subject), interest);
	assert(interest && interest->wanted > 0 && "unwanted more often than wanted");
	interest->wanted--;
	/* One in the thread's hands is looked at again when its call returns. */
	if (interest->wanted == 0 && interest->sub && interest->place == PLACE_NONE) {
		place_interest(port, interest, PLACE_LINGERING);
		(void)pthread_cond_signal(&port->wake);
	}
	(void)pthread_mutex_unlock(&port->lock);
}

static struct op *op_new(const char *subject, struct bytes data)
{
	size_t subject_size = strlen(subject) + 1;
	struct op *op = xmalloc(sizeof(*op) + data.len + subject_size);

	*op = (struct op){ .subject = (const char *)op->data + data.len, .len = data.len };
	if (data.len > 0)
		memcpy(op->data, data.data, data.len);
	memcpy(op->data + data.len, subject, subject_size);
	return op;
}

/* Takes op; false if there is no room. */
static bool enqueue(struct bus_port *port, struct op *op)
{
	bool fits;

	(void)pthread_mutex_lock(&port->lock);
	fits = !port->stopping && port->queue_len < port->cfg.queue_max &&
	       (!port->cfg.queue_bytes_max || port->queue_len == 0 ||
		   port->queue_bytes + op->len <= port->cfg.queue_bytes_max);
	if (fits) {
		DL_APPEND(port->queue, op);
		port->queue_len++;
		port->queue_bytes += op->len;
		(void)pthread_cond_signal(&port->wake);
	}
	(void)pthread_mutex_unlock(&port->lock);
	if (!fits)
		free(op);
	return fits;
}

bool bus_port_publish(struct bus_port *port, const char *subject, struct bytes data)
{
	assert(bus_subject_is_literal(subject));
	return data.len <= INT_MAX && bus_is_connected(port->bus) &&
	       enqueue(port, op_new(subject, data));
}

bool bus_port_respond(struct bus_port *port, const char *reply, struct bytes data)
{
	return bus_subject_is_reply(reply) && data.len <= INT_MAX && bus_is_connected(port->bus) &&
	       enqueue(port, op_new(reply, data));
}

static void request(struct bus_port *port, const char *subject, const char *traceparent,
    struct bytes data, int timeout_ms, bus_reply_fn fn, void *arg)
{
	struct requests *requests = port->bus->requests;
	uint64_t id = requests_open(requests, &port->requests, timeout_ms, fn, arg);
	struct op *op;

	/* A refusal is told from the requests' thread like any other end, never from in here. */
	if (data.len > INT_MAX) {
		requests_end(requests, id, STATUS_TOO_LARGE);
	} else if (!bus_is_connected(port->bus)) {
		requests_end(requests, id, STATUS_UNAVAILABLE);
	} else {
		op = op_new(subject, data);
		op->is_request = true;
		op->request_id = id;
		(void)snprintf(op->traceparent, sizeof(op->traceparent), "%s", traceparent);
		if (!enqueue(port, op))
			requests_end(requests, id, STATUS_UNAVAILABLE);
	}
}

void port_request(struct bus_port *port, const char *subject, struct bytes data, int timeout_ms,
    bus_reply_fn fn, void *arg)
{
	request(port, subject, /* traceparent= */ "", data, timeout_ms, fn, arg);
}

void bus_port_request(struct bus_port *port, const char *subject, struct bytes data, int timeout_ms,
    bus_reply_fn fn, void *arg)
{
	assert(bus_subject_is_literal(subject));
	port_request(port, subject, data, timeout_ms, fn, arg);
}

void bus_port_request_traced(struct bus_port *port, const char *subject, const char *traceparent,
    struct bytes data, int timeout_ms, bus_reply_fn fn, void *arg)
{
	assert(bus_subject_is_literal(subject));
	request(port, subject, traceparent, data, timeout_ms, fn, arg);
}

struct bus_stats bus_port_stats(struct bus_port *port)
{
	struct bus_stats stats = {
		.msgs_in = atomic_load(&port->msgs_in),
		.msgs_out = atomic_load(&port->msgs_out),
		.bytes_in = atomic_load(&port->bytes_in),
		.bytes_out = atomic_load(&port->bytes_out),
		.reconnects = atomic_load(&port->bus->reconnects),
		.slow_reports = atomic_load(&port->bus->slow_reports),
		.strays = bus_strays(port->bus),
		.requests_open = requests_group_open(port->bus->requests, &port->requests),
	};

	(void)pthread_mutex_lock(&port->lock);
	stats.subjects = HASH_COUNT(port->interests) - port->lingering_len;
	stats.lingering = port->lingering_len;
	stats.queue = port->queue_len;
	(void)pthread_mutex_unlock(&port->lock);
	return stats;
}

void bus_port_drop_next(struct bus_port *port, const char *prefix, unsigned n)
{
	(void)pthread_mutex_lock(&port->lock);
	free(port->drop_prefix);
	port->drop_prefix = xstrdup(prefix);
	atomic_store(&port->drop_left, n);
	(void)pthread_mutex_unlock(&port->lock);
}
