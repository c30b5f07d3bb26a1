/* Passwords from files, connecting with a deadline, requests with their error unwrapped. */
#include "connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "secret.h"
#include "walletwire/v1/common.pb-c.h"

#define ROW(field, name, type, env, dflt, min, max, value, help)                             \
	{                                                                                    \
		name, type, offsetof(struct connection_options, field), env, dflt, min, max, \
		    value, help                                                              \
	}

const struct option_row connection_rows[] = {
	ROW(url, "nats-url", OPTION_TEXT, "WW_NATS_URL", "nats://127.0.0.1:4222", 0, 0, "URL",
	    "where NATS is"),
	ROW(user, "nats-user", OPTION_TEXT, "WW_NATS_USER", NULL, 0, 0, "USER",
	    "sign in as this NATS user instead of the command's own"),
	ROW(password_file, "nats-password-file", OPTION_TEXT, "WW_NATS_PASSWORD_FILE", NULL, 0, 0,
	    "FILE", "the password is in this file (or in WW_NATS_PASSWORD)"),
	ROW(passwords_dir, "passwords-dir", OPTION_TEXT, "WW_NATS_PASSWORDS_DIR", NULL, 0, 0, "DIR",
	    "it is in the file of this folder named like the user"),
	ROW(timeout_ms, "timeout", OPTION_DURATION, "WW_TIMEOUT", "5s", 1, 3600000, "TIME",
	    "how long to wait for NATS and for answers"),
	{ .name = NULL },
};

static enum status find_password(const struct connection_options *opt, const char *user,
    char ret_password[static SECRET_SIZE], struct err *err)
{
	const char *plain = getenv("WW_NATS_PASSWORD");

	if (plain && plain[0]) {
		if (snprintf(ret_password, SECRET_SIZE, "%s", plain) >= SECRET_SIZE)
			return err_set(err, STATUS_INVALID, "WW_NATS_PASSWORD is too long");
		return STATUS_OK;
	}
	if (opt->password_file)
		return secret_read(opt->password_file, ret_password, err);
	if (opt->passwords_dir)
		return secret_read_in(opt->passwords_dir, user, ret_password, err);
	return err_set(err, STATUS_INVALID,
	    "no password for the NATS user \"%s\": set WW_NATS_PASSWORD_FILE, or "
	    "WW_NATS_PASSWORDS_DIR to the"
	    " folder that has one file per NATS user",
	    user);
}

enum status connection_open(const struct connection_options *opt, const char *dflt_user,
    struct bus **ret_bus, struct err *err)
{
	const char *user = opt->user ? opt->user : dflt_user;
	char password[SECRET_SIZE];
	struct bus_config cfg = {
		.url = opt->url, .user = user, .password = password, .name = "ww"
	};
	struct bus *bus = NULL;
	enum status s;

	s = find_password(opt, user, password, err);
	if (s)
		return s;
	s = bus_open(&cfg, &bus, err);
	explicit_bzero(password, sizeof(password));
	if (s)
		return s;
	s = bus_wait_connected(bus, (int)opt->timeout_ms, err);
	if (s) {
		bus_close(bus);
		return err_prefix(err,
		    "no connection to %s as \"%s\" (is NATS up, is the password right?)", opt->url,
		    user);
	}
	*ret_bus = bus;
	return STATUS_OK;
}

/* Every reply starts with an Error that is absent on success. */
static enum status reply_outcome(
    struct bytes data, const char *subject, struct arena *arena, struct err *err)
{
	const Walletwire__V1__ErrorReply *outcome =
	    walletwire__v1__error_reply__unpack(arena_allocator(arena), data.len, data.data);

	if (!outcome)
		return err_set(err, STATUS_INTERNAL, "the answer of %s can't be decoded", subject);
	if (!outcome->error)
		return STATUS_OK;
	return err_set(err, status_from_wire(outcome->error->code), "%s answers %s: %s", subject,
	    outcome->error->code, outcome->error->message);
}

enum status connection_ask(struct bus *bus, const struct connection_options *opt,
    const char *subject, const ProtobufCMessage *request,
    const ProtobufCMessageDescriptor *reply_type, struct arena *arena,
    const ProtobufCMessage **ret_reply, struct err *err)
{
	struct bus_msg *msg = NULL;
	enum status s;

	s = bus_request(
	    bus, subject, message_pack(request, arena), (int)opt->timeout_ms, &msg, err);
	if (s == STATUS_UNAVAILABLE)
		return err_prefix(err, "nobody answers %s (is its service up?)", subject);
	if (s)
		return err_prefix(err, "%s", subject);
	s = reply_outcome(bus_msg_data(msg), subject, arena, err);
	if (s == STATUS_OK) {
		*ret_reply = protobuf_c_message_unpack(reply_type, arena_allocator(arena),
		    bus_msg_data(msg).len, bus_msg_data(msg).data);
		if (!*ret_reply)
			s = err_set(
			    err, STATUS_INTERNAL, "the answer of %s can't be decoded", subject);
	}
	bus_msg_unref(msg);
	return s;
}

enum status connection_ask_once(const struct connection_options *opt, const char *dflt_user,
    const char *subject, const ProtobufCMessage *request,
    const ProtobufCMessageDescriptor *reply_type, struct arena *arena,
    const ProtobufCMessage **ret_reply, struct err *err)
{
	struct bus *bus = NULL;
	enum status s = connection_open(opt, dflt_user, &bus, err);

	if (s == STATUS_OK)
		s = connection_ask(bus, opt, subject, request, reply_type, arena, ret_reply, err);
	bus_close(bus);
	return s;
}
