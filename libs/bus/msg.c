/* Messages: nats.c's own, shared by a reference count. */
#include <assert.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "bus/internal.h"

struct bus_msg {
	atomic_uint refs;
	struct bus *bus;
	natsMsg *msg;
	/* of a pull consumer's message, else 0 */
	uint64_t stream_seq, delivered, pending;
	int64_t stored_ms;
};

/* nats.c parses headers when one is first asked for, and changes the message by that. */
static pthread_mutex_t header_lock = PTHREAD_MUTEX_INITIALIZER;

struct bus_msg *bus_msg_wrap(struct bus *bus, natsMsg *msg)
{
	struct bus_msg *wrapped = xcalloc(1, sizeof(*wrapped));

	atomic_init(&wrapped->refs, 1);
	wrapped->bus = bus;
	wrapped->msg = msg;
	return wrapped;
}

void bus_msg_set_meta(struct bus_msg *msg, const jsMsgMetaData *meta)
{
	msg->stream_seq = meta->Sequence.Stream;
	msg->delivered = meta->NumDelivered;
	msg->pending = meta->NumPending;
	msg->stored_ms = meta->Timestamp / 1000000;
}

bool bus_msg_is_no_responders(const struct bus_msg *msg)
{
	return natsMsg_IsNoResponders(msg->msg);
}

struct bus_msg *bus_msg_ref(struct bus_msg *msg)
{
	(void)atomic_fetch_add(&msg->refs, 1);
	return msg;
}

void bus_msg_unref(struct bus_msg *msg)
{
	if (!msg || atomic_fetch_sub(&msg->refs, 1) != 1)
		return;
	natsMsg_Destroy(msg->msg);
	free(msg);
}

const char *bus_msg_subject(const struct bus_msg *msg)
{
	return natsMsg_GetSubject(msg->msg);
}

const char *bus_msg_reply(const struct bus_msg *msg)
{
	return natsMsg_GetReply(msg->msg);
}

struct bytes bus_msg_data(const struct bus_msg *msg)
{
	return bytes_of(natsMsg_GetData(msg->msg), (size_t)natsMsg_GetDataLength(msg->msg));
}

const char *bus_msg_header(struct bus_msg *msg, const char *name)
{
	const char *value = NULL;
	natsStatus ns;

	(void)pthread_mutex_lock(&header_lock);
	ns = natsMsgHeader_Get(msg->msg, name, &value);
	(void)pthread_mutex_unlock(&header_lock);
	return ns == NATS_OK ? value : NULL;
}

uint64_t bus_msg_stream_seq(struct bus_msg *msg)
{
	return msg->stream_seq;
}

int64_t bus_msg_stored_ms(struct bus_msg *msg)
{
	return msg->stored_ms;
}

uint64_t bus_msg_delivered(struct bus_msg *msg)
{
	return msg->delivered;
}

uint64_t bus_msg_pending(struct bus_msg *msg)
{
	return msg->pending;
}

/*
 * Acks are published here and not by natsMsg_Ack(), which needs the subscription the message came
 * by: so a message may be acked whatever became of its bus_pull.
 */
static enum status send_ack(struct bus_msg *msg, const char *verb, struct err *err)
{
	natsStatus ns;

	assert(msg->stream_seq > 0 && "only a message of a pull consumer can be acked");
	ns = natsConnection_PublishString(msg->bus->nc, natsMsg_GetReply(msg->msg), verb);
	if (ns)
		return bus_fail(err, ns, "ack message %llu", (unsigned long long)msg->stream_seq);
	return STATUS_OK;
}

enum status bus_msg_ack(struct bus_msg *msg, struct err *err)
{
	return send_ack(msg, "+ACK", err);
}

enum status bus_msg_in_progress(struct bus_msg *msg, struct err *err)
{
	return send_ack(msg, "+WPI", err);
}
