/*
 * event: what is published, made from a line of JSON or from --set options, and checked.
 *
 * Both ways end in the JSON mapping of codec/reflect.h, so that one set of rules and messages
 * serves them. Kinds and their fields come from the descriptors: a new kind needs no code here.
 */
#ifndef CLI_EVENT_H
#define CLI_EVENT_H

#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "options.h"
#include "walletwire/v1/event.pb-c.h"

enum {
	EVENT_SIZE_MAX = 65536, /* packed */
	EVENT_USERS_MAX = 256,
	EVENT_TEXT_MAX = 4000, /* code points of one text */
};

/*
 * From one JSON object. A missing id is made up, a missing occurredAt is now. Fails with
 * STATUS_INVALID and err->field for what the applier would refuse as well.
 */
enum status event_from_json(struct bytes text, int64_t now_ms, struct arena *arena,
    Walletwire__V1__Event **ret_event, struct err *err) MUST_CHECK;

/* What `ww publish KIND` was given. Texts may be NULL. */
struct event_flags {
	const char *kind;
	struct option_list users;
	const char *id, *priority, *title, *text, *occurred_at, *expires_at;
	struct option_list set; /* "field=value", "sender.userId=bob" */
};

enum status event_from_flags(const struct event_flags *flags, int64_t now_ms, struct arena *arena,
    Walletwire__V1__Event **ret_event, struct err *err) MUST_CHECK;

/* Members of Event's oneof that a back end may publish: all but chat's. */
bool event_field_is_kind(const ProtobufCFieldDescriptor *field);
const ProtobufCFieldDescriptor *event_find_kind(const char *kind); /* NULL if there is none */
void event_append_kinds(struct buf *out);                          /* "balance, transaction, ..." */

/* The kind of a checked event ("security"): the last token of its subject. */
const char *event_kind(const Walletwire__V1__Event *event);

/* The kinds a back end may publish and their fields; only `kind` if it is one of them. */
void event_print_kinds(FILE *out, const char *kind);

#endif
