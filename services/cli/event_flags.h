/*
 * event_flags: an event made from --set options.
 *
 * It ends in the JSON mapping too, so that one set of rules and messages serves both ways.
 */
#ifndef CLI_EVENT_FLAGS_H
#define CLI_EVENT_FLAGS_H

#include <stdio.h>

#include "events/event.h"
#include "options.h"

/* What `ww publish KIND` was given. Texts may be NULL. */
struct event_flags {
	const char *kind;
	struct option_list users;
	const char *id, *priority, *title, *text, *occurred_at, *expires_at;
	struct option_list set; /* "field=value", "sender.userId=bob" */
};

enum status event_from_flags(const struct event_flags *flags, int64_t now_ms, struct arena *arena,
    Walletwire__V1__Event **ret_event, struct err *err) MUST_CHECK;

/* The kinds a back end may publish and their fields; only `kind` if it is one of them. */
void event_print_kinds(FILE *out, const char *kind);

#endif
