/* Publishing and asking, from threads that may block. */
#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "bus/internal.h"

static natsStatus publish(struct bus *bus, const char *subject, struct bytes data)
{
	if (data.len > INT_MAX)
		return NATS_MAX_PAYLOAD;
	return natsConnection_Publish(bus->nc, subject, data.data, (int)data.len);
}

enum status bus_publish(struct bus *bus, const char *subject, struct bytes data, struct err *err)
{
	natsStatus ns;

	assert(bus_subject_is_literal(subject));
	ns = publish(bus, subject, data);
	return ns ? bus_fail(err, ns, "publish %s", subject) : STATUS_OK;
}

enum status bus_respond(struct bus *bus, const char *reply, struct bytes data, struct err *err)
{
	natsStatus ns;

	if (!bus_subject_is_reply(reply))
		return err_set(err, STATUS_INVALID, "the reply subject is malformed");
	ns = publish(bus, reply, data);
	return ns ? bus_fail(err, ns, "respond to %s", reply) : STATUS_OK;
}

enum status bus_flush(struct bus *bus, int timeout_ms, struct err *err)
{
	natsStatus ns = natsConnection_FlushTimeout(bus->nc, timeout_ms);

	return ns ? bus_fail(err, ns, "flush") : STATUS_OK;
}

struct question {
	struct bus *bus;
	const char *subject;
	struct bytes data;
};

static natsStatus send_question(void *arg, const char *inbox)
{
	struct question *q = arg;

	if (q->data.len > INT_MAX)
		return NATS_MAX_PAYLOAD;
	return natsConnection_PublishRequest(
	    q->bus->nc, q->subject, inbox, q->data.data, (int)q->data.len);
}

enum status bus_request(struct bus *bus, const char *subject, struct bytes data, int timeout_ms,
    struct bus_msg **ret_reply, struct err *err)
{
	struct question q = { bus, subject, data };
	natsStatus sent;
	enum status s;

	assert(bus_subject_is_literal(subject));
	s = requests_ask(bus->requests, timeout_ms, send_question, &q, &sent, ret_reply);
	if (sent)
		return bus_fail(err, sent, "request %s", subject);
	if (s == STATUS_UNAVAILABLE)
		return err_set(err, s, "request %s: nobody serves it", subject);
	return s ? err_set(err, s, "request %s: no answer in %d ms", subject, timeout_ms)
		 : STATUS_OK;
}
