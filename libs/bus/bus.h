/*
 * bus: NATS, as this project uses it. nats.h is included nowhere else.
 *
 * One struct bus is one connection. Two kinds of callers:
 *   - worker threads, which may block, call the functions of "Blocking" directly;
 *   - loops, which may not (nats.c holds its lock for seconds while it reconnects), go through a
 *     struct bus_port: a thread that owns the calls, fed by a bounded queue.
 * Nothing is buffered while the connection is down: a publish fails at once with
 * STATUS_UNAVAILABLE, because an old doorbell is worse than none; who needs certainty publishes
 * with an ack.
 *
 * Subjects are checked before they reach nats.c, which sends anything it is given: literal tokens
 * of [A-Za-z0-9_=-] and dots (wildcards only where a subscription is made). A bad one is an assert,
 * since ids go through base/subject.h first.
 *
 * One thread of nats.c, the delivery thread, brings all messages of a process in the order in which
 * they came: what subscriptions, ports and replies are told. Whoever is told does little there, and
 * waits for no other message (bus_request() and its like assert that).
 *
 * Ownership: struct bus_msg is reference-counted and immutable; a callback borrows it and takes a
 * reference to keep it. Unsubscribed subscriptions are destroyed ten seconds later by one reaper,
 * since nats.c 3.4.1 crashes otherwise.
 */
#ifndef BUS_BUS_H
#define BUS_BUS_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

struct bus;
struct bus_msg;
struct bus_pull;
struct bus_server;
struct bus_port;

struct bus_config {
	const char *url; /* "nats://127.0.0.1:4222", or several with commas; TLS is refused, with
			    the reason */
	const char *user;
	const char *password;
	const char *name; /* shown by the server: "ww-edge/abc" */
	/* What is published waits up to a millisecond for more, and thousands leave in one write.
	 * Else each is sent at once: a request costs 0.2 ms instead of 1 ms. */
	bool bulk;
	/* Told from nats.c threads; must be quick. May be NULL. */
	void (*on_connected)(void *arg); /* also after every reconnect */
	void (*on_disconnected)(void *arg);
	void (*on_slow)(void *arg); /* the server or the client dropped messages for us */
	void *arg;
};

/*
 * Connects in the background and for ever: returns at once (0.5 s for a host that swallows
 * packets), even when no server answers. Fails only for settings that can't work, and for a server
 * that wants TLS; one that comes up later is told by bus_wait_connected(). A server that
 * refuses user and password ends it for good: STATUS_UNAUTHORIZED, here or from
 * bus_wait_connected(). The inbox prefix is "_INBOX.<user>".
 */
enum status bus_open(
    const struct bus_config *cfg, struct bus **ret_bus, struct err *err) MUST_CHECK;
void bus_close(struct bus *bus); /* flushes (2 s at most), then closes; NULL is fine */
bool bus_is_connected(const struct bus *bus);

/* Messages that came on a subscription whose subject is not theirs, and were dropped: somebody had
 * a consumer deliver where nobody else may speak. */
uint64_t bus_strays(const struct bus *bus);

/* Waits until connected, at most timeout_ms. */
enum status bus_wait_connected(struct bus *bus, int timeout_ms, struct err *err) MUST_CHECK;

/* --- messages --- */
struct bus_msg *bus_msg_ref(struct bus_msg *msg); /* any thread */
void bus_msg_unref(struct bus_msg *msg);          /* any thread; NULL is fine */
const char *bus_msg_subject(const struct bus_msg *msg);
const char *bus_msg_reply(const struct bus_msg *msg); /* NULL if none */
struct bytes bus_msg_data(const struct bus_msg *msg);
/* NULL if absent; header names are case-sensitive. Borrowed from the message. */
const char *bus_msg_header(struct bus_msg *msg, const char *name);

/* --- blocking: never from a loop --- */
enum status bus_publish(
    struct bus *bus, const char *subject, struct bytes data, struct err *err) MUST_CHECK;
/* With the reply subject of a request that was served. */
enum status bus_respond(
    struct bus *bus, const char *reply, struct bytes data, struct err *err) MUST_CHECK;
/* Everything published so far has reached the server. */
enum status bus_flush(struct bus *bus, int timeout_ms, struct err *err) MUST_CHECK;
/* STATUS_UNAVAILABLE: nobody serves it; STATUS_TIMEOUT: no answer in time. */
enum status bus_request(struct bus *bus, const char *subject, struct bytes data, int timeout_ms,
    struct bus_msg **ret_reply, struct err *err) MUST_CHECK;

/* Published into a stream and acknowledged by it. */
struct bus_ack {
	uint64_t stream_seq;
	bool duplicate; /* the stream already had this msg_id; stream_seq is the first one's */
};
struct bus_header {
	const char *name, *value;
};
/* `msg_id` may be NULL (no deduplication); `headers` ends with a NULL name or is NULL. */
enum status bus_publish_stored(struct bus *bus, const char *subject, const char *msg_id,
    struct bytes data, const struct bus_header *headers, struct bus_ack *ret_ack,
    struct err *err) MUST_CHECK;

/*
 * The same for many, pipelined: at most 1,024 unacknowledged, then it blocks until half of them
 * are. on_ack is told each outcome once, from a thread of the bus, in no given order, within 5 s,
 * or by bus_close(). bus_publish_wait() returns when all were told.
 */
typedef void (*bus_ack_fn)(
    void *arg, uint64_t tag, enum status status, struct bus_ack ack, const char *reason);
void bus_publish_stored_async(struct bus *bus, const char *subject, const char *msg_id,
    struct bytes data, const struct bus_header *headers, uint64_t tag, bus_ack_fn on_ack,
    void *arg);
void bus_publish_wait(struct bus *bus);

/* --- subscriptions for worker programs: `fn` runs on the bus's one delivery thread --- */
struct bus_sub;
typedef void (*bus_msg_fn)(void *arg, struct bus_msg *msg);
enum status bus_subscribe(struct bus *bus, const char *subject, const char *queue_or_null,
    bus_msg_fn fn, void *arg, struct bus_sub **ret_sub, struct err *err) MUST_CHECK;
/* At once: what was on its way here, and what waits for the delivery thread, goes to nobody. */
void bus_unsubscribe(struct bus_sub *sub);
/*
 * In good order, so that a member of a queue group leaves it and no message is lost: nothing more
 * is sent here, then `fn` gets what had been. Ends each sub as bus_unsubscribe() does, those that
 * did not get there within `timeout_ms` too; NULL ones are left out. Not for the delivery thread.
 */
void bus_drain(struct bus_sub *const *subs, size_t len, int timeout_ms);

/* --- pull consumer: binds to a durable that `ww provision` made, never creates one --- */
enum status bus_pull_open(struct bus *bus, const char *stream, const char *consumer,
    struct bus_pull **ret_pull, struct err *err) MUST_CHECK;
void bus_pull_close(struct bus_pull *pull);
/* Up to `max` messages; waits timeout_ms for the first. None in time is STATUS_OK with *ret_n 0. */
enum status bus_pull_fetch(struct bus_pull *pull, struct bus_msg **ret_msgs, size_t max,
    int timeout_ms, size_t *ret_n, struct err *err) MUST_CHECK;
/*
 * How far the consumer of a stream that nothing else is taken out of has got: everything up to
 * done_seq is acknowledged, and so is everything there is if `open` is 0.
 */
struct bus_consumer {
	uint64_t last_seq; /* of the stream */
	uint64_t done_seq;
	uint64_t open; /* messages not acknowledged, delivered or not */
};
enum status bus_consumer_read(struct bus *bus, const char *stream, const char *consumer,
    struct bus_consumer *ret_state, struct err *err) MUST_CHECK;
uint64_t bus_msg_stream_seq(struct bus_msg *msg);
int64_t bus_msg_stored_ms(struct bus_msg *msg);  /* when the stream took it, since 1970 */
uint64_t bus_msg_delivered(struct bus_msg *msg); /* how often, this time included */
uint64_t bus_msg_pending(struct bus_msg *msg);   /* how many the consumer had not delivered then */
enum status bus_msg_ack(struct bus_msg *msg, struct err *err) MUST_CHECK;
enum status bus_msg_in_progress(struct bus_msg *msg, struct err *err) MUST_CHECK;

/*
 * To read a stream without taking anything out of it: from number `from` on, oldest first. The
 * consumer is this reader's own and ends with it; nothing is acknowledged. How much there was when
 * it was opened tells where to stop.
 */
enum status bus_pull_open_from(struct bus *bus, const char *stream, uint64_t from,
    struct bus_pull **ret_pull, struct err *err) MUST_CHECK;
uint64_t bus_pull_pending(const struct bus_pull *pull);
/* Which stream it is, and what is in it: numbers from first_seq to last_seq, some of which may be
 * gone. A stream that was made anew has another time of birth. */
struct bus_stream {
	int64_t created_ns;           /* since 1970 */
	uint64_t first_seq, last_seq; /* first is last + 1 if it is empty */
};
enum status bus_stream_read(
    struct bus *bus, const char *stream, struct bus_stream *ret_state, struct err *err) MUST_CHECK;
/* One message, which stays where it is and can't be acked. STATUS_NOT_FOUND: it is gone. */
enum status bus_stream_get(struct bus *bus, const char *stream, uint64_t seq,
    struct bus_msg **ret_msg, struct err *err) MUST_CHECK;
/* One message out of a stream. STATUS_NOT_FOUND: somebody was faster. */
enum status bus_delete_stored(
    struct bus *bus, const char *stream, uint64_t seq, struct err *err) MUST_CHECK;
/* The same, its bytes overwritten on the server's disk. */
enum status bus_erase_stored(
    struct bus *bus, const char *stream, uint64_t seq, struct err *err) MUST_CHECK;

/* --- key-value buckets --- */
struct bus_kv_watch;
/*
 * `fn` is told every current key, then once with key NULL ("that was all"), then every change; from
 * a thread of the watch. A deleted key has a NULL value (data NULL), an expired one is told by
 * nothing. After a reconnect, and every 60 s, the watch starts over: all current keys again, then
 * NULL. It waits for a server and a bucket that are not there yet.
 */
typedef void (*bus_kv_fn)(void *arg, const char *key, struct bytes value);
enum status bus_kv_watch(struct bus *bus, const char *bucket, bus_kv_fn fn, void *arg,
    struct bus_kv_watch **ret_watch, struct err *err) MUST_CHECK;
/* Only of keys that match: "alice.*". */
enum status bus_kv_watch_keys(struct bus *bus, const char *bucket, const char *keys, bus_kv_fn fn,
    void *arg, struct bus_kv_watch **ret_watch, struct err *err) MUST_CHECK;
void bus_kv_unwatch(struct bus_kv_watch *watch);
enum status bus_kv_put(struct bus *bus, const char *bucket, const char *key, struct bytes value,
    struct err *err) MUST_CHECK;
/* Takes the value away; what is left until the bucket forgets it is the key. */
enum status bus_kv_purge(
    struct bus *bus, const char *bucket, const char *key, struct err *err) MUST_CHECK;

/* --- a port for loops --- */
struct bus_port_config {
	size_t queue_max;       /* publishes and requests waiting; more are refused */
	size_t queue_bytes_max; /* of these; 0: not bounded */
	int linger_ms;          /* how long an unwanted subscription stays: 30000 */
	bus_msg_fn on_msg;      /* every message of a wanted subject; on the one delivery thread */
	void *arg;
};
enum status bus_port_new(struct bus *bus, const struct bus_port_config *cfg,
    struct bus_port **ret_port, struct err *err) MUST_CHECK;
void bus_port_free(
    struct bus_port *port); /* before its bus; outstanding requests end UNAVAILABLE */

/*
 * Interest is desired state: counted per subject, made true by the port's thread, kept over
 * reconnects, never lost to a full queue. An unwanted subject lingers, so that a reconnecting user
 * costs nothing. Any thread, never blocks.
 */
void bus_port_want(struct bus_port *port, const char *subject);
void bus_port_unwant(struct bus_port *port, const char *subject);

/* Fire and forget; false if the queue is full or the connection down. Any thread, never blocks. */
bool bus_port_publish(struct bus_port *port, const char *subject, struct bytes data);
/* The same for the reply subject of a request, which another process chose; false if it is none. */
bool bus_port_respond(struct bus_port *port, const char *reply, struct bytes data);

/*
 * Ask; `fn` is told exactly once, from a thread of the port (post it to your loop): STATUS_OK with
 * the reply (borrowed), or STATUS_TIMEOUT, STATUS_UNAVAILABLE (nobody serves it, queue full,
 * connection down; also called back, never returned) with NULL. Interest wanted before this call is
 * live at the server before the request is sent. Any thread, never blocks.
 */
typedef void (*bus_reply_fn)(void *arg, enum status status, struct bus_msg *reply);
void bus_port_request(struct bus_port *port, const char *subject, struct bytes data, int timeout_ms,
    bus_reply_fn fn, void *arg);
/* The same with the header of its trace; "" is none. */
void bus_port_request_traced(struct bus_port *port, const char *subject, const char *traceparent,
    struct bytes data, int timeout_ms, bus_reply_fn fn, void *arg);

/*
 * Keys of buckets, asked and told in the same way. A put that is told STATUS_OK is stored; of two
 * puts of one key the later one wins. A get is told the value as the reply, or STATUS_NOT_FOUND.
 * For a bucket that was not provisioned a put is STATUS_UNAVAILABLE, and a get takes its whole
 * time.
 */
void bus_port_kv_put(struct bus_port *port, const char *bucket, const char *key, struct bytes value,
    int timeout_ms, bus_reply_fn fn, void *arg);
void bus_port_kv_get(struct bus_port *port, const char *bucket, const char *key, int timeout_ms,
    bus_reply_fn fn, void *arg);

/* Does a stream's answer say that it did not take the message? Else it tells its number. */
bool bus_is_refusal(struct bytes ack);

/*
 * Where a consumer of a stream stands, asked in the same way; the reply is for bus_waiting_of():
 * how many messages it has not acknowledged yet. False if the reply is no such thing: there is no
 * such stream or consumer, or this user may not ask.
 */
void bus_port_consumer_ask(struct bus_port *port, const char *stream, const char *consumer,
    int timeout_ms, bus_reply_fn fn, void *arg);
bool bus_waiting_of(struct bytes reply, uint64_t *ret_waiting);

struct bus_stats {
	uint64_t msgs_in, msgs_out, bytes_in, bytes_out, reconnects, slow_reports, strays;
	size_t subjects, lingering, requests_open, queue;
};
struct bus_stats bus_port_stats(struct bus_port *port);

/* --- test hook: the next `n` messages whose subject starts with `prefix` are dropped unseen --- */
void bus_port_drop_next(struct bus_port *port, const char *prefix, unsigned n);

#endif
