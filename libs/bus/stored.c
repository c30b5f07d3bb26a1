/*
 * Publishing into a stream: a request whose reply is the stream's acknowledgment.
 *
 * nats.c's asynchronous publish is not used: an ack that a disconnect swallowed keeps its place for
 * ever unless a time limit is given, and closing gives no moment from which its handler surely
 * rests. An acknowledgment is JSON from nats-server itself,
 * {"stream":"WW_EVENTS","seq":7,"duplicate":true} or
 * {"error":{"code":503,"err_code":10077,"description":"..."}, ...}: three fields are read from it.
 */
#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "bus/internal.h"

#define MSG_ID_HEADER "Nats-Msg-Id" /* what the stream knows a duplicate by */

/* What follows "key": in the text, or NULL. */
static const char *find_value(const char *json, const char *key)
{
	char quoted[32];
	const char *at;

	(void)snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	at = strstr(json, quoted);
	return at ? at + strlen(quoted) : NULL;
}

static enum status parse_ack(
    struct bus_msg *reply, const char *subject, struct bus_ack *ret_ack, struct err *err)
{
	struct buf text = BUF_INIT;
	const char *json, *value;
	enum status s = STATUS_OK;

	buf_append_bytes(&text, bus_msg_data(reply));
	json = buf_str(&text);
	*ret_ack = (struct bus_ack){ 0 };
	value = find_value(json, "err_code");
	if (value) {
		s = bus_fail_js(
		    err, NATS_ERR, (jsErrCode)strtoul(value, NULL, 10), "publish %s", subject);
	} else if ((value = find_value(json, "seq")) != NULL) {
		ret_ack->stream_seq = strtoull(value, NULL, 10);
		value = find_value(json, "duplicate");
		ret_ack->duplicate = value && strncmp(value + strspn(value, " "), "true", 4) == 0;
	}
	/* A plain subscriber that answers is not a stream. */
	if (s == STATUS_OK && ret_ack->stream_seq == 0)
		s = err_set(
		    err, STATUS_INTERNAL, "publish %s: what answered is not a stream", subject);
	buf_finish(&text);
	return s;
}

struct storing {
	struct bus *bus;
	const char *subject, *msg_id;
	struct bytes data;
	const struct bus_header *headers;
};

static natsStatus set_headers(natsMsg *msg, const struct storing *what)
{
	natsStatus ns = NATS_OK;

	if (what->msg_id)
		ns = natsMsgHeader_Set(msg, MSG_ID_HEADER, what->msg_id);
	for (const struct bus_header *h = what->headers; h && h->name && !ns; h++) {
		/* nats.c cleans values but sends names as they are. */
		assert(bus_name_is_valid(h->name));
		ns = natsMsgHeader_Set(msg, h->name, h->value);
	}
	return ns;
}

static natsStatus send_storing(void *arg, const char *inbox)
{
	const struct storing *what = arg;
	natsMsg *msg = NULL;
	natsStatus ns;

	if (what->data.len > INT_MAX)
		return NATS_MAX_PAYLOAD;
	ns = natsMsg_Create(
	    &msg, what->subject, inbox, (const char *)what->data.data, (int)what->data.len);
	if (!ns)
		ns = set_headers(msg, what);
	if (!ns)
		ns = natsConnection_PublishMsg(what->bus->nc, msg);
	natsMsg_Destroy(msg);
	return ns;
}

enum status bus_store(struct bus *bus, const char *subject, const char *msg_id, struct bytes data,
    const struct bus_header *headers, struct bus_ack *ret_ack, struct err *err)
{
	struct storing what = { bus, subject, msg_id, data, headers };
	struct bus_msg *reply;
	natsStatus sent;
	enum status s;

	s = requests_ask(bus->requests, STORED_TIMEOUT_MS, send_storing, &what, &sent, &reply);
	if (sent)
		return bus_fail(err, sent, "publish %s", subject);
	if (s == STATUS_UNAVAILABLE)
		return err_set(err, s, "publish %s: no stream takes it", subject);
	if (s)
		return err_set(err, s, "publish %s: no acknowledgment", subject);
	s = parse_ack(reply, subject, ret_ack, err);
	bus_msg_unref(reply);
	return s;
}

enum status bus_publish_stored(struct bus *bus, const char *subject, const char *msg_id,
    struct bytes data, const struct bus_header *headers, struct bus_ack *ret_ack, struct err *err)
{
	assert(bus_subject_is_literal(subject));
	return bus_store(bus, subject, msg_id, data, headers, ret_ack, err);
}

static enum status removed(
    natsStatus ns, jsErrCode code, const char *stream, uint64_t seq, struct err *err)
{
	if (!ns)
		return STATUS_OK;
	return bus_fail_js(
	    err, ns, code, "delete message %llu of %s", (unsigned long long)seq, stream);
}

enum status bus_delete_stored(struct bus *bus, const char *stream, uint64_t seq, struct err *err)
{
	jsErrCode code = 0;
	natsStatus ns;

	assert(bus_name_is_valid(stream));
	ns = js_DeleteMsg(bus->js, stream, seq, NULL, &code);
	return removed(ns, code, stream, seq, err);
}

enum status bus_stream_read(
    struct bus *bus, const char *stream, struct bus_stream *ret_state, struct err *err)
{
	jsStreamInfo *info = NULL;
	jsErrCode code = 0;
	natsStatus ns;

	assert(bus_name_is_valid(stream));
	ns = js_GetStreamInfo(&info, bus->js, stream, NULL, &code);
	if (ns)
		return bus_fail_js(err, ns, code, "look at stream %s", stream);
	/* Of a stream that never held anything the server says 0 and 0. */
	*ret_state = (struct bus_stream){ info->Created,
		info->State.FirstSeq > 0 ? info->State.FirstSeq : 1, info->State.LastSeq };
	jsStreamInfo_Destroy(info);
	return STATUS_OK;
}

enum status bus_stream_get(
    struct bus *bus, const char *stream, uint64_t seq, struct bus_msg **ret_msg, struct err *err)
{
	jsMsgMetaData meta = { .Sequence.Stream = seq };
	jsErrCode code = 0;
	natsMsg *msg = NULL;
	natsStatus ns;

	assert(bus_name_is_valid(stream) && seq > 0);
	ns = js_GetMsg(&msg, bus->js, stream, seq, NULL, &code);
	if (ns)
		return bus_fail_js(
		    err, ns, code, "get message %llu of %s", (unsigned long long)seq, stream);
	meta.Timestamp = natsMsg_GetTime(msg);
	*ret_msg = bus_msg_wrap(bus, msg);
	bus_msg_set_meta(*ret_msg, &meta);
	return STATUS_OK;
}

/* Of a message that is not there the server only says that it failed: it is looked for. */
enum status bus_erase_stored(struct bus *bus, const char *stream, uint64_t seq, struct err *err)
{
	jsErrCode code = 0;
	natsMsg *msg = NULL;
	natsStatus ns;

	assert(bus_name_is_valid(stream));
	ns = js_EraseMsg(bus->js, stream, seq, NULL, &code);
	if (ns && code == JSStreamMsgDeleteFailed) {
		jsErrCode why = 0;

		if (js_GetMsg(&msg, bus->js, stream, seq, NULL, &why) == NATS_NOT_FOUND)
			code = JSNoMessageFoundErr;
		natsMsg_Destroy(msg);
	}
	return removed(ns, code, stream, seq, err);
}

struct pending {
	struct bus *bus;
	uint64_t tag;
	bus_ack_fn on_ack;
	void *arg;
	char *subject;
};

static void tell_pending(void *arg, enum status status, struct bus_msg *reply)
{
	struct pending *pending = arg;
	struct bus *bus = pending->bus;
	struct bus_ack ack = { 0 };
	struct err err = ERR_INIT;

	if (reply)
		status = parse_ack(reply, pending->subject, &ack, &err);
	else
		(void)err_set(
		    &err, status, "publish %s: %s", pending->subject, status_text(status));
	pending->on_ack(pending->arg, pending->tag, status, ack, err.msg);
	free(pending->subject);
	free(pending);
	(void)pthread_mutex_lock(&bus->lock);
	bus->stored_open--;
	if (bus->stored_open == 0 || (bus->stored_full && bus->stored_open <= STORED_MAX / 2)) {
		bus->stored_full = false;
		(void)pthread_cond_broadcast(&bus->changed);
	}
	(void)pthread_mutex_unlock(&bus->lock);
}

/* Once full, publishers wait until half is told: waking one for each ack costs more than
 * publishing. */
static void take_turn(struct bus *bus)
{
	(void)pthread_mutex_lock(&bus->lock);
	while (bus->stored_full) {
		assert(!gate_is_in_call() && "the thread that would bring the acks waits for them");
		(void)pthread_cond_wait(&bus->changed, &bus->lock);
	}
	bus->stored_full = ++bus->stored_open >= STORED_MAX;
	(void)pthread_mutex_unlock(&bus->lock);
}

void bus_publish_stored_async(struct bus *bus, const char *subject, const char *msg_id,
    struct bytes data, const struct bus_header *headers, uint64_t tag, bus_ack_fn on_ack, void *arg)
{
	struct storing what = { bus, subject, msg_id, data, headers };
	struct pending *pending = xcalloc(1, sizeof(*pending));
	char inbox[INBOX_SIZE];
	natsStatus ns;
	uint64_t id;

	assert(bus_subject_is_literal(subject));
	*pending = (struct pending){ bus, tag, on_ack, arg, xstrdup(subject) };
	take_turn(bus);
	id = requests_open(bus->requests, NULL, STORED_TIMEOUT_MS, tell_pending, pending);
	requests_inbox(bus->requests, id, inbox);
	ns = send_storing(&what, inbox);
	if (ns)
		requests_end(bus->requests, id, bus_status_of(ns));
}

void bus_publish_wait(struct bus *bus)
{
	assert(!gate_is_in_call());
	(void)pthread_mutex_lock(&bus->lock);
	while (bus->stored_open > 0)
		(void)pthread_cond_wait(&bus->changed, &bus->lock);
	(void)pthread_mutex_unlock(&bus->lock);
}
