/*
 * calls: requests to services on behalf of a loop.
 *
 * The reply comes back as a call of `fn` on the loop that asked, exactly once, also when there was
 * none. What the caller needs then travels in `arg`; a caller that may be gone by then passes a
 * number and looks itself up.
 */
#ifndef EDGE_CALLS_H
#define EDGE_CALLS_H

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/trace.h"
#include "edge.h"

/* `reply` is NULL unless s is STATUS_OK; it is lent for the call. */
typedef void (*call_fn)(struct edge_loop *el, void *arg, enum status s, struct bytes reply);

/* The reply as a message in the arena; NULL if there is none, or it is not one. */
void *call_unpack(
    struct arena *arena, const ProtobufCMessageDescriptor *type, enum status s, struct bytes reply);

/* `subject` is a literal of ours. `request` is packed before this returns. */
void call_service(struct edge_loop *el, const char *subject, const ProtobufCMessage *request,
    call_fn fn, void *arg);

/* The same within a trace, of which the service is told; NULL: none. */
void call_traced(struct edge_loop *el, const char *subject, const struct trace *trace,
    const ProtobufCMessage *request, call_fn fn, void *arg);

/* The same with a time of its own, and any subject that was checked. */
void call_within(struct edge_loop *el, const char *subject, const ProtobufCMessage *request,
    int timeout_ms, call_fn fn, void *arg);

/*
 * The same of another edge. While NATS was away a moment ago, that nobody is there says nothing:
 * its connection may come back after ours, so it is asked again until it was there, for five
 * seconds at most, as long as `is_wanted`. Whatever was sent once is not sent again.
 */
void call_edge(struct edge_loop *el, const char *subject, const ProtobufCMessage *request,
    int timeout_ms, bool (*is_wanted)(struct edge_loop *el, void *arg), call_fn fn, void *arg);
void calls_end_loop(struct edge_loop *el); /* nobody is asked again; on the loop */

/* A key of a bucket is stored, or read: NOT_FOUND if nobody stored it. Both in the time of a
 * service.
 */
void call_kv_put(struct edge_loop *el, const char *bucket, const char *key,
    const ProtobufCMessage *value, call_fn fn, void *arg);
void call_kv_get(struct edge_loop *el, const char *bucket, const char *key, call_fn fn, void *arg);

/* Where a consumer of a stream stands: the reply is for bus_waiting_of(). */
void call_consumer_ask(struct edge_loop *el, const char *stream, const char *consumer,
    int timeout_ms, call_fn fn, void *arg);

/* With the reply subject of a request from another edge; false if it was not taken. */
bool call_respond(struct edge_loop *el, const char *reply, const ProtobufCMessage *message);

/* Said, and not answered. Nothing once the loop is closed. */
void call_publish(struct edge_loop *el, const char *subject, const ProtobufCMessage *message);

#endif
