/*
 * connection: how a command reaches NATS, as whom, and how it asks a service.
 *
 * A command's struct starts with struct connection_options, and its usage has connection_rows as
 * `more_rows`. The password is never an option: it would show in the list of processes.
 */
#ifndef CLI_CONNECTION_H
#define CLI_CONNECTION_H

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "bus/bus.h"
#include "options.h"

enum {
	ANSWER_MEMORY = 8 << 20
}; /* limit of an arena for connection_ask(); answers are at most 256 KiB */

struct connection_options {
	const char *url, *user, *password_file, *passwords_dir;
	int64_t timeout_ms;
};

extern const struct option_row connection_rows[];

/* Of commands that change something: who says so. `field` is a const char * of `options`. */
#define ROW_ASKED_BY(options, field)                                                     \
	{                                                                                \
		"by", OPTION_TEXT, offsetof(options, field), "USER", "", 0, 0, "NAME",   \
		    "who asks, for the audit record; your login name if it is not given" \
	}

/* Connected, or the reason. `dflt_user` is who the command is unless --nats-user says otherwise. */
enum status connection_open(const struct connection_options *opt, const char *dflt_user,
    struct bus **ret_bus, struct err *err) MUST_CHECK;

/* Ask a service; an error in the reply is returned as such. The reply lives in the arena. */
enum status connection_ask(struct bus *bus, const struct connection_options *opt,
    const char *subject, const ProtobufCMessage *request,
    const ProtobufCMessageDescriptor *reply_type, struct arena *arena,
    const ProtobufCMessage **ret_reply, struct err *err) MUST_CHECK;

/* Connects, asks once, and closes. */
enum status connection_ask_once(const struct connection_options *opt, const char *dflt_user,
    const char *subject, const ProtobufCMessage *request,
    const ProtobufCMessageDescriptor *reply_type, struct arena *arena,
    const ProtobufCMessage **ret_reply, struct err *err) MUST_CHECK;

#endif
