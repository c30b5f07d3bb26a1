/*
 * Keys of buckets for loops: two requests to the server itself. A put is a message for the bucket's
 * stream, which answers with its number or an error; a get is answered directly by any server that
 * holds the stream.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "bus/internal.h"

struct kv_call {
	bus_reply_fn fn;
	void *arg;
};

static struct kv_call *kv_call_new(bus_reply_fn fn, void *arg)
{
	struct kv_call *call = xmalloc(sizeof(*call));

	*call = (struct kv_call){ fn, arg };
	return call;
}

static void tell(struct kv_call *call, enum status status, struct bus_msg *reply)
{
	call->fn(call->arg, status, status ? NULL : reply);
	free(call);
}

/* {"stream":"KV_...","seq":1}, or {"error":{...},...}: a stream's name holds no quotes. */
bool bus_is_refusal(struct bytes ack)
{
	static const char key[] = "\"error\":";

	return memmem(ack.data, ack.len, key, sizeof(key) - 1) != NULL;
}

static void on_put(void *arg, enum status status, struct bus_msg *reply)
{
	if (!status && bus_is_refusal(bus_msg_data(reply)))
		status = STATUS_UNAVAILABLE;
	tell(arg, status, reply);
}

void bus_port_kv_put(struct bus_port *port, const char *bucket, const char *key, struct bytes value,
    int timeout_ms, bus_reply_fn fn, void *arg)
{
	char subject[KV_SUBJECT_SIZE];

	kv_subject(bucket, key, subject);
	port_request(port, subject, value, timeout_ms, on_put, kv_call_new(fn, arg));
}

/* "Status" stands in the first line of a message that says only how it went. */
static enum status outcome_of(struct bus_msg *reply)
{
	const char *code = bus_msg_header(reply, "Status");

	if (code)
		return strcmp(code, "404") == 0 ? STATUS_NOT_FOUND : STATUS_UNAVAILABLE;
	return bus_msg_header(reply, "KV-Operation") ? STATUS_NOT_FOUND : STATUS_OK;
}

static void on_get(void *arg, enum status status, struct bus_msg *reply)
{
	tell(arg, status ? status : outcome_of(reply), reply);
}

void bus_port_kv_get(struct bus_port *port, const char *bucket, const char *key, int timeout_ms,
    bus_reply_fn fn, void *arg)
{
	char subject[KV_SUBJECT_SIZE], request[2 * KV_SUBJECT_SIZE];

	kv_subject(bucket, key, subject);
	(void)snprintf(request, sizeof(request), "$JS.API.DIRECT.GET.KV_%s.%s", bucket, subject);
	port_request(port, request, bytes_of(NULL, 0), timeout_ms, on_get, kv_call_new(fn, arg));
}
