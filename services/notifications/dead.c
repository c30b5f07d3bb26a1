/* The raw bytes go unchanged, so that a replay publishes what was published. */
#include "dead.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/subject.h"
#include "base/text.h"
#include "base/trace.h"
#include "log/log.h"
#include "stats.h"

enum { HEADERS_MAX = 5 };

/* FNV-1a: with the stream's number it tells two letters apart, even over a stream made anew. */
static uint64_t digest(struct bytes data)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < data.len; i++)
		h = (h ^ data.data[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* What it is called if its publisher keeps to the custom, <kind>/<id>; else "". */
static const char *event_key(struct bus_msg *msg)
{
	const char *id = bus_msg_header(msg, "Nats-Msg-Id");
	const char *kind = strrchr(bus_msg_subject(msg), '.') + 1;
	size_t len = strlen(kind);
	struct bytes text = bytes_of_str(id ? id : "");

	if (text.len <= len + 1 || text.len > len + 1 + SUBJECT_ID_MAX ||
	    strncmp(id, kind, len) != 0 || id[len] != '/' || !text_is_utf8(text))
		return "";
	return id;
}

enum status dead_letter(struct bus *bus, struct bus_msg *msg, const char *reason,
    struct arena *arena, struct batch_dead *ret_dead, struct err *err)
{
	uint64_t seq = bus_msg_stream_seq(msg);
	const char *event_id = bus_msg_header(msg, "Nats-Msg-Id");
	char number[24], id[64], traceparent[TRACEPARENT_SIZE];
	/* nats.c takes the line after an empty value for that value: what is empty is left out. */
	struct bus_header headers[HEADERS_MAX + 1] = {
		{ "Ww-Reason", reason[0] ? reason : "unknown" },
		{ "Ww-Subject", bus_msg_subject(msg) },
		{ "Ww-Stream-Seq", number },
	};
	size_t n = 3;
	struct trace trace;
	struct bus_ack ack;
	enum status s;

	if (event_id && event_id[0])
		headers[n++] = (struct bus_header){ "Ww-Msg-Id", event_id };
	if (trace_parse(bus_msg_header(msg, TRACE_HEADER), &trace)) {
		trace_format(&trace, traceparent);
		headers[n++] = (struct bus_header){ TRACE_HEADER, traceparent };
	}
	assert(n <= HEADERS_MAX);

	(void)snprintf(number, sizeof(number), "%" PRIu64, seq);
	(void)snprintf(id, sizeof(id), "%" PRIu64 ".%016" PRIx64, seq, digest(bus_msg_data(msg)));
	s = bus_publish_stored(bus, "ww.dlq.event", id, bus_msg_data(msg), headers, &ack, err);
	if (s) {
		/* Whatever it is, it is no fault of the event: it is kept until it can be moved. */
		(void)err_prefix(err, "move event %" PRIu64 " to the dead letters", seq);
		err->status = STATUS_UNAVAILABLE;
		return err_blame(err, STATUS_UNAVAILABLE, CAUSE_DEAD_LETTERS);
	}
	ret_dead->letter_id = arena_strdup(arena, id);
	ret_dead->event_key = arena_strdup(arena, event_key(msg));
	stats_count(STATS_DLQ, 1);
	log_error("event %" PRIu64 " of %s was given up: %s", seq, bus_msg_subject(msg), reason);
	return STATUS_OK;
}
