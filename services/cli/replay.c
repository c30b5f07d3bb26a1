/* Who publishes what is read from subjects.def, as the server's permissions are. */
#include "replay.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/trace.h"
#include "base/xalloc.h"
#include "bus/provision.h"
#include "letters.h"
#include "walletwire/v1/event.pb-c.h"

enum { MSG_ID_SIZE = 16 + ID_SIZE, PUBLISHERS_MAX = 4 };

#define EVENT_PREFIX "ww.event."

static const struct {
	const char *subject, *publishers;
} subjects[] = {
#define X(name, subject, kind, message, publishers, subscribers) { subject, publishers },
#include "subjects.def"
#undef X
};

static const char *publishers_on(const char *subject)
{
	for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
		if (strcmp(subjects[i].subject, subject) == 0)
			return subjects[i].publishers;
	}
	return NULL;
}

/* Who may publish on the subject of an event: each has one. NULL: it is none. */
static const char *publisher_of(const char *subject)
{
	const char *kind = subject + strlen(EVENT_PREFIX);
	const ProtobufCFieldDescriptor *field;

	if (strncmp(subject, EVENT_PREFIX, strlen(EVENT_PREFIX)) != 0)
		return NULL;
	field = protobuf_c_message_descriptor_get_field_by_name(
	    &walletwire__v1__event__descriptor, kind);
	if (!field || !(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
		return NULL;
	return publishers_on(subject) ? publishers_on(subject) : publishers_on(EVENT_PREFIX "*");
}

struct replay {
	const struct connection_options *connection;
	struct bus *ops;
	struct publisher {
		const char *user;
		struct bus *bus;
	} publishers[PUBLISHERS_MAX]; /* connected when they are first needed */
	size_t publishers_len;
	uint64_t wanted; /* this letter alone; 0: all */
	size_t skipped;
};

struct replay *replay_new(const struct connection_options *connection, struct bus *ops)
{
	struct replay *replay = xcalloc(1, sizeof(*replay));

	replay->connection = connection;
	replay->ops = ops;
	return replay;
}

void replay_free(struct replay *replay)
{
	for (size_t i = 0; i < replay->publishers_len; i++)
		bus_close(replay->publishers[i].bus);
	free(replay);
}

static enum status connect_publisher(
    struct replay *replay, const char *user, struct bus **ret_bus, struct err *err)
{
	struct connection_options connection = *replay->connection;
	struct publisher *next = &replay->publishers[replay->publishers_len];
	enum status s;

	for (size_t i = 0; i < replay->publishers_len; i++) {
		*ret_bus = replay->publishers[i].bus;
		if (strcmp(replay->publishers[i].user, user) == 0)
			return STATUS_OK;
	}
	assert(replay->publishers_len < PUBLISHERS_MAX);
	connection.user = NULL; /* --nats-user says who reads */
	s = connection_open(&connection, user, &next->bus, err);
	if (s)
		return s;
	next->user = user;
	replay->publishers_len++;
	*ret_bus = next->bus;
	return STATUS_OK;
}

/* Under a message id of its own: under the old one the stream might take it for a repetition. */
static enum status publish_letter(struct bus *bus, const char *subject, const char *traceparent,
    struct bytes data, struct bus_ack *ret_ack, struct err *err)
{
	const struct bus_header headers[] = { { traceparent[0] ? TRACE_HEADER : NULL, traceparent },
		{ NULL, NULL } };
	char msg_id[MSG_ID_SIZE], id[ID_SIZE];
	enum status s;

	id_random(id);
	(void)snprintf(msg_id, sizeof(msg_id), "replay/%s", id);
	s = bus_publish_stored(bus, subject, msg_id, data, headers, ret_ack, err);
	if (s == STATUS_OK && ret_ack->duplicate)
		s = err_set(err, STATUS_CONFLICT, "the stream took it for a repetition");
	return s;
}

static enum status remove_letter(
    struct replay *replay, uint64_t seq, const struct bus_ack *ack, struct err *err)
{
	enum status s = bus_delete_stored(replay->ops, STREAM_DLQ, seq, err);

	/* Somebody else replayed it at the same time: it is applied once all the same. */
	if (s == STATUS_OK || s == STATUS_NOT_FOUND)
		return STATUS_OK;
	return err_prefix(
	    err, "%" PRIu64 " is stored as %" PRIu64 ", but was not removed", seq, ack->stream_seq);
}

static enum status no_such_letter(const struct replay *replay, struct err *err)
{
	return err_set(
	    err, STATUS_NOT_FOUND, "%" PRIu64 ": there is no such dead letter", replay->wanted);
}

static enum status replay_letter(void *arg, struct bus_msg *letter, struct err *err)
{
	struct replay *replay = arg;
	uint64_t seq = bus_msg_stream_seq(letter);
	const char *subject = letter_header(letter, "Ww-Subject");
	const char *user = publisher_of(subject);
	struct bus *bus = NULL;
	struct bus_ack ack;

	if (replay->wanted && replay->wanted != seq)
		return no_such_letter(replay, err);
	if (!user) {
		(void)fprintf(
		    stderr, "%" PRIu64 ": it came from no subject of an event, and stays\n", seq);
		replay->skipped++;
		return STATUS_OK;
	}
	if (connect_publisher(replay, user, &bus, err) ||
	    publish_letter(
		bus, subject, letter_header(letter, TRACE_HEADER), bus_msg_data(letter), &ack, err))
		return err_prefix(err, "%" PRIu64, seq);
	(void)printf("%" PRIu64 " %s stored as %" PRIu64 "\n", seq,
	    letter_header(letter, "Ww-Msg-Id"), ack.stream_seq);
	return remove_letter(replay, seq, &ack, err);
}

static enum status replay_from(struct replay *replay, uint64_t from, uint64_t max, struct err *err)
{
	struct letters letters = { replay->ops, from, max, (int)replay->connection->timeout_ms };
	uint64_t pending = 0;
	enum status s = letters_read(&letters, replay_letter, replay, &pending, err);

	return s == STATUS_OK && replay->wanted && pending == 0 ? no_such_letter(replay, err) : s;
}

enum status replay_all(struct replay *replay, struct err *err)
{
	replay->wanted = 0;
	return replay_from(replay, 1, UINT64_MAX, err);
}

enum status replay_one(struct replay *replay, uint64_t seq, struct err *err)
{
	replay->wanted = seq;
	return replay_from(replay, seq, 1, err);
}

size_t replay_skipped(const struct replay *replay)
{
	return replay->skipped;
}
