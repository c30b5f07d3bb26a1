/* Packing, sending, and the outcome as the bus tells it. */
#include "events/outgoing.h"

#include <stdio.h>

#include "base/message.h"
#include "base/trace.h"

void outgoing_init(struct outgoing *out, const Walletwire__V1__Event *event, atomic_bool *trouble,
    struct arena *arena)
{
	*out = (struct outgoing){ .kind = event_kind(event), .trouble = trouble };
	out->data = message_pack(&event->base, arena);
	(void)snprintf(out->msg_id, sizeof(out->msg_id), "%s/%s", out->kind, event->id);
}

static void on_ack(
    void *arg, uint64_t tag, enum status status, struct bus_ack ack, const char *reason)
{
	struct outgoing *out = arg;

	(void)tag;
	out->status = status;
	out->ack = ack;
	(void)snprintf(
	    out->reason, sizeof(out->reason), "%s", reason ? reason : status_text(status));
	if (status)
		atomic_store(out->trouble, true);
}

void outgoing_send(struct outgoing *out, struct bus *bus)
{
	const struct bus_header headers[] = {
		{ out->traceparent ? TRACE_HEADER : NULL, out->traceparent }, { NULL, NULL }
	};
	char subject[SUBJECT_SIZE];

	/* A kind is a field name of ours: a valid token as it is. */
	(void)snprintf(subject, sizeof(subject), "ww.event.%s", out->kind);
	out->tries++;
	bus_publish_stored_async(
	    bus, subject, out->msg_id, out->data, headers, /* tag= */ 0, on_ack, out);
}
