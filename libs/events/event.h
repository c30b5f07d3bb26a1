/*
 * event: what a back end publishes, made from JSON in the mapping of codec/reflect.h, and checked.
 *
 * The rules are those of the applier, told while somebody is there to hear them. Kinds and their
 * fields come from the descriptors: a new kind needs no code here.
 */
#ifndef EVENTS_EVENT_H
#define EVENTS_EVENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "walletwire/v1/event.pb-c.h"

enum {
	EVENT_SIZE_MAX = 65536, /* packed */
	EVENT_USERS_MAX = 256,
	EVENT_TEXT_MAX = 4000,         /* code points of one text */
	EVENT_SEGMENT_VALUES_MAX = 64, /* of one claim */
	EVENT_CLAIM_MAX = 32,          /* bytes of a claim that a segment may name */
};

/* For what the JSON leaves out. */
struct event_defaults {
	const char *id; /* NULL: made up */
	int64_t occurred_ms;
};

/*
 * From one JSON object. Fails with STATUS_INVALID (or STATUS_TOO_LARGE) and err->field for what the
 * applier would refuse as well.
 */
enum status event_from_json(struct bytes text, const struct event_defaults *defaults,
    struct arena *arena, Walletwire__V1__Event **ret_event, struct err *err) MUST_CHECK;

/* Members of Event's oneof that a back end may publish: all but chat's. */
bool event_field_is_kind(const ProtobufCFieldDescriptor *field);
const ProtobufCFieldDescriptor *event_find_kind(const char *kind); /* NULL if there is none */
void event_append_kinds(struct buf *out);                          /* "balance, transaction, ..." */

/* Whom an announcement is for; NULL: everybody. The applier's rule as well. */
enum status event_check_segment(const Walletwire__V1__Segment *segment, struct err *err) MUST_CHECK;

/* The kind of a checked event ("security"): the last token of its subject. */
const char *event_kind(const Walletwire__V1__Event *event);

#endif
