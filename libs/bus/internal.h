/* internal: what the files of libs/bus share. Nobody else includes it. */
#ifndef BUS_INTERNAL_H
#define BUS_INTERNAL_H

#include <nats/nats.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/attrs.h"
#include "base/id.h"
#include "bus/bus.h"
#include "bus/subject_check.h"

enum {
	CONNECT_TIMEOUT_MS = 500, /* nats.c holds its lock for so long in each failed attempt */
	WRITE_DEADLINE_MS = 500,
	JS_API_TIMEOUT_MS = 5000, /* of a question to JetStream */
	STORED_TIMEOUT_MS = 4500, /* of a stream's ack: an outcome is told within 5 s */
	STORED_MAX = 1024,        /* asynchronous publishes without ack */
	INBOX_SIZE = 8 + 64 + 1 + ID_SIZE + 1 + 24,
};

struct bus {
	natsOptions *opts;
	natsConnection *nc;
	jsCtx *js;
	struct bus_config cfg; /* only arg and the callbacks are kept */
	char *url;
	char *inbox_prefix; /* "_INBOX.<user>" */

	atomic_bool connected;
	atomic_ullong reconnects, slow_reports, strays;
	atomic_uint epoch; /* raised by every connect and reconnect: who watches starts over */

	pthread_mutex_t lock;
	pthread_cond_t changed; /* one of the following, or `connected` */
	bool closed;            /* nats.c told that it is through with the connection */
	bool stored_full;       /* publishers wait until half of them are told */
	size_t stored_open;     /* asynchronous stored publishes without outcome */

	struct reaper *reaper;
	struct requests *requests;
};

/* The next step, unless one before it failed. */
#define IFOK(ns, step)                 \
	do {                           \
		if ((ns) == NATS_OK)   \
			(ns) = (step); \
	} while (0)

/* --- wait.c: condition variables on the monotonic clock --- */
void wait_init(pthread_cond_t *cond);
/* False when clock_mono_ms() has reached until_ms. */
bool wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ms);

/* --- fail.c: nats.c's codes in our terms --- */
enum status bus_status_of(natsStatus ns);
enum status bus_fail(struct err *err, natsStatus ns, const char *fmt, ...) PRINTF_LIKE(3, 4);
enum status bus_fail_js(struct err *err, natsStatus ns, jsErrCode code, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* --- msg.c --- */
struct bus_msg *bus_msg_wrap(struct bus *bus, natsMsg *msg); /* takes msg */
/* For a message of a pull consumer: its place in the stream, its delivery count, its time. */
void bus_msg_set_meta(struct bus_msg *msg, const jsMsgMetaData *meta);
bool bus_msg_is_no_responders(const struct bus_msg *msg);

/* --- sub.c: a callback that can be switched off --- */
/*
 * One gate per owner of subscriptions. After gate_close() has returned, its function does not run
 * any more; the gate itself lives until nats.c is through with the last subscription that leads to
 * it.
 */
struct gate;
struct gate *gate_new(struct bus *bus, bus_msg_fn fn, void *arg);
void gate_close(struct gate *gate); /* may be called from the gate's function; takes the gate */
bool gate_is_in_call(void); /* is the caller on the delivery thread, in a function of some gate? */
natsStatus gate_subscribe(
    struct gate *gate, const char *subject, const char *queue_or_null, natsSubscription **ret_sub);

/* --- reaper.c --- */
enum { REAPER_DELAY_MS = 10000 };
struct reaper *reaper_new(void);
void reaper_free(
    struct reaper *reaper); /* destroys what is left: after the connection was closed */
/* Unsubscribed now, destroyed later. */
void reaper_bury_sub(struct reaper *reaper, natsSubscription *sub);

/* --- requests.c: questions without an answer yet --- */
struct request_group {
	size_t open; /* guarded by the lock of struct requests */
};
enum status requests_new(
    struct bus *bus, struct requests **ret_requests, struct err *err) MUST_CHECK;
/* After the connection was closed: what is open ends as UNAVAILABLE. NULL is fine. */
void requests_free(struct requests *requests);
/*
 * A new question, counted in `group` unless NULL. `fn` is told once: the reply, or TIMEOUT at the
 * deadline. ret_inbox is where the reply has to be sent.
 */
uint64_t requests_open(struct requests *requests, struct request_group *group, int timeout_ms,
    bus_reply_fn fn, void *arg);
void requests_inbox(struct requests *requests, uint64_t id, char ret_inbox[static INBOX_SIZE]);
bool requests_is_open(struct requests *requests, uint64_t id);
/* Ends a question that could not be sent, unless it has ended; `fn` is told from a thread. */
void requests_end(struct requests *requests, uint64_t id, enum status status);
/* Ends all of a group as UNAVAILABLE and waits until all were told. */
void requests_end_group(struct requests *requests, struct request_group *group);
size_t requests_group_open(struct requests *requests, const struct request_group *group);

/* A question asked and waited for. */
typedef natsStatus (*request_send_fn)(void *arg, const char *inbox);
enum status requests_ask(struct requests *requests, int timeout_ms, request_send_fn send, void *arg,
    natsStatus *ret_sent, struct bus_msg **ret_reply);

/* --- port.c: bus_port_request() for a subject that was checked already --- */
void port_request(struct bus_port *port, const char *subject, struct bytes data, int timeout_ms,
    bus_reply_fn fn, void *arg);

/* --- kv.c: where the value of a key is stored; bucket and key are asserted to be valid --- */
enum { KV_SUBJECT_SIZE = 640 };
void kv_subject(const char *bucket, const char *key, char ret_subject[static KV_SUBJECT_SIZE]);

/* --- stored.c: bus_publish_stored() for a subject that was checked already --- */
enum status bus_store(struct bus *bus, const char *subject, const char *msg_id, struct bytes data,
    const struct bus_header *headers, struct bus_ack *ret_ack, struct err *err) MUST_CHECK;

#endif
