/* Packing, asking through the bus's port, and coming back to the loop. */
#include "calls.h"

#include <stdlib.h>

#include "base/message.h"
#include "base/xalloc.h"
#include "metrics.h"

#include <utlist.h>

enum {
	AGAIN_MS = 50,
	AGAIN_UNTIL_MS = 5000,
};

struct call {
	struct edge_loop *el;
	call_fn fn;
	void *arg;
	enum status status;
	struct bus_msg *reply;
	struct call_again *again; /* NULL: it is asked once */
};

/* What it takes to ask once more. */
struct call_again {
	struct call_again *prev, *next; /* of those that wait, in their loop */
	struct call *call;
	struct loop_timer timer;
	int64_t until_ms;
	int timeout_ms;
	bool (*is_wanted)(struct edge_loop *el, void *arg);
	char *subject;
	struct buf packed;
};

static void again_free(struct call_again *again)
{
	if (!again)
		return;
	buf_finish(&again->packed);
	free(again->subject);
	free(again);
}

static void end_call(struct call *call)
{
	count_call(call->status);
	call->fn(call->el, call->arg, call->status,
	    call->reply ? bus_msg_data(call->reply) : bytes_of(NULL, 0));
	bus_msg_unref(call->reply);
	again_free(call->again);
	free(call);
}

static void on_reply(void *arg, enum status status, struct bus_msg *reply);

/* Whoever has gone meanwhile has told so: nothing may come after that. */
static void send_again(void *arg)
{
	struct call_again *again = arg;
	struct edge_loop *el = again->call->el;

	DL_DELETE(el->agains, again);
	if (!again->is_wanted(el, again->call->arg)) {
		end_call(again->call);
		return;
	}
	bus_port_request(el->edge->port, again->subject, buf_bytes(&again->packed),
	    again->timeout_ms, on_reply, again->call);
}

/* Unavailable is what certainly reached nobody. */
static bool may_ask_again(const struct call *call)
{
	const struct call_again *again = call->again;
	struct edge_loop *el = call->el;

	return again && call->status == STATUS_UNAVAILABLE && !el->closed &&
	       loop_now_ms(el->loop) < again->until_ms && edge_doubts_bus(el->edge) &&
	       again->is_wanted(el, call->arg);
}

static void back_on_loop(void *arg)
{
	struct call *call = arg;
	struct edge_loop *el = call->el;

	if (!may_ask_again(call)) {
		end_call(call);
		return;
	}
	DL_APPEND(el->agains, call->again);
	loop_timer_arm(el->loop, &call->again->timer, loop_now_ms(el->loop) + AGAIN_MS, send_again,
	    call->again);
}

void calls_end_loop(struct edge_loop *el)
{
	struct call_again *again, *next;

	DL_FOREACH_SAFE (el->agains, again, next) {
		DL_DELETE(el->agains, again);
		loop_timer_disarm(el->loop, &again->timer);
		end_call(again->call);
	}
}

/* On a thread of the bus. */
static void on_reply(void *arg, enum status status, struct bus_msg *reply)
{
	struct call *call = arg;

	call->status = status;
	call->reply = reply ? bus_msg_ref(reply) : NULL;
	loop_post(call->el->loop, back_on_loop, call);
}

void *call_unpack(
    struct arena *arena, const ProtobufCMessageDescriptor *type, enum status s, struct bytes reply)
{
	if (s)
		return NULL;
	return protobuf_c_message_unpack(type, arena_allocator(arena), reply.len, reply.data);
}

/* NULL once the loop is closed: `fn` is told so. */
static struct call *call_new(struct edge_loop *el, call_fn fn, void *arg)
{
	struct call *call = xmalloc(sizeof(*call));

	*call = (struct call){ .el = el, .fn = fn, .arg = arg, .status = STATUS_UNAVAILABLE };
	if (!el->closed)
		return call;
	loop_post(el->loop, back_on_loop, call);
	return NULL;
}

static void ask(struct edge_loop *el, const char *subject, const struct trace *trace,
    const ProtobufCMessage *request, int timeout_ms, call_fn fn, void *arg)
{
	struct call *call = call_new(el, fn, arg);
	char traceparent[TRACEPARENT_SIZE] = "";
	struct buf packed = BUF_INIT;

	if (!call)
		return;
	if (trace)
		trace_format(trace, traceparent);
	message_append(&packed, request);
	bus_port_request_traced(
	    el->edge->port, subject, traceparent, buf_bytes(&packed), timeout_ms, on_reply, call);
	buf_finish(&packed);
}

void call_within(struct edge_loop *el, const char *subject, const ProtobufCMessage *request,
    int timeout_ms, call_fn fn, void *arg)
{
	ask(el, subject, /* trace= */ NULL, request, timeout_ms, fn, arg);
}

void call_traced(struct edge_loop *el, const char *subject, const struct trace *trace,
    const ProtobufCMessage *request, call_fn fn, void *arg)
{
	ask(el, subject, trace, request, (int)el->edge->cfg.request_timeout_ms, fn, arg);
}

void call_edge(struct edge_loop *el, const char *subject, const ProtobufCMessage *request,
    int timeout_ms, bool (*is_wanted)(struct edge_loop *el, void *arg), call_fn fn, void *arg)
{
	struct call *call = call_new(el, fn, arg);

	if (!call)
		return;
	call->again = xcalloc(1, sizeof(*call->again));
	*call->again = (struct call_again){ .call = call,
		.until_ms = loop_now_ms(el->loop) + AGAIN_UNTIL_MS,
		.timeout_ms = timeout_ms,
		.is_wanted = is_wanted,
		.subject = xstrdup(subject) };
	message_append(&call->again->packed, request);
	bus_port_request(
	    el->edge->port, subject, buf_bytes(&call->again->packed), timeout_ms, on_reply, call);
}

void call_service(struct edge_loop *el, const char *subject, const ProtobufCMessage *request,
    call_fn fn, void *arg)
{
	call_traced(el, subject, /* trace= */ NULL, request, fn, arg);
}

void call_kv_put(struct edge_loop *el, const char *bucket, const char *key,
    const ProtobufCMessage *value, call_fn fn, void *arg)
{
	struct call *call = call_new(el, fn, arg);
	struct buf packed = BUF_INIT;

	if (!call)
		return;
	message_append(&packed, value);
	bus_port_kv_put(el->edge->port, bucket, key, buf_bytes(&packed),
	    (int)el->edge->cfg.request_timeout_ms, on_reply, call);
	buf_finish(&packed);
}

void call_kv_get(struct edge_loop *el, const char *bucket, const char *key, call_fn fn, void *arg)
{
	struct call *call = call_new(el, fn, arg);

	if (call)
		bus_port_kv_get(el->edge->port, bucket, key, (int)el->edge->cfg.request_timeout_ms,
		    on_reply, call);
}

void call_consumer_ask(struct edge_loop *el, const char *stream, const char *consumer,
    int timeout_ms, call_fn fn, void *arg)
{
	struct call *call = call_new(el, fn, arg);

	if (call)
		bus_port_consumer_ask(el->edge->port, stream, consumer, timeout_ms, on_reply, call);
}

void call_publish(struct edge_loop *el, const char *subject, const ProtobufCMessage *message)
{
	struct buf packed = BUF_INIT;

	if (el->closed)
		return;
	message_append(&packed, message);
	(void)bus_port_publish(el->edge->port, subject, buf_bytes(&packed));
	buf_finish(&packed);
}

bool call_respond(struct edge_loop *el, const char *reply, const ProtobufCMessage *message)
{
	struct buf packed = BUF_INIT;
	bool taken;

	message_append(&packed, message);
	taken = bus_port_respond(el->edge->port, reply, buf_bytes(&packed));
	buf_finish(&packed);
	return taken;
}
