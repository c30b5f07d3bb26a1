/* Letters are read whole, since nothing but their content says whom they name. */
#include "traces.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/subject.h"
#include "base/xalloc.h"
#include "bucket.h"
#include "bus/provision.h"
#include "codec/reflect.h"
#include "letters.h"

enum {
	EVENT_MEMORY = 4 << 20, /* of one event while it is looked at */
	SOCKETS_MAX = 100000,
};

struct reading {
	const struct traces *traces;
	trace_letter_fn fn;
	void *arg;
	struct arena arena;
	size_t unreadable;
};

static enum status on_letter(void *arg, struct bus_msg *letter, struct err *err)
{
	struct reading *reading = arg;
	ProtobufCMessage *message = NULL;
	Walletwire__V1__Event *event;
	struct err ignored = ERR_INIT;
	enum mention mention;

	arena_reset(&reading->arena);
	if (reflect_unpack(&walletwire__v1__event__descriptor, bus_msg_data(letter),
		&reading->arena, &message, &ignored)) {
		reading->unreadable++;
		return STATUS_OK;
	}
	event = (Walletwire__V1__Event *)(void *)message;
	mention = mention_of(event, reading->traces->user);
	if (mention == MENTION_NONE)
		return STATUS_OK;
	return reading->fn(reading->arg, letter, event, mention, &reading->arena, err);
}

enum status traces_letters(const struct traces *traces, trace_letter_fn fn, void *arg,
    size_t *ret_unreadable, struct err *err)
{
	struct reading reading = { .traces = traces, .fn = fn, .arg = arg };
	struct letters letters = { traces->bus, 1, UINT64_MAX, traces->timeout_ms };
	uint64_t pending = 0;
	enum status s;

	arena_init(&reading.arena, EVENT_MEMORY);
	s = letters_read(&letters, on_letter, &reading, &pending, err);
	arena_finish(&reading.arena);
	*ret_unreadable = reading.unreadable;
	return s;
}

static void socket_free(struct trace_socket *socket)
{
	free(socket->key);
	free((void *)(uintptr_t)socket->value.data);
}

static void forget(struct trace_sockets *sockets, const char *key)
{
	for (size_t i = 0; i < sockets->len; i++) {
		if (strcmp(sockets->at[i].key, key) != 0)
			continue;
		socket_free(&sockets->at[i]);
		sockets->at[i] = sockets->at[--sockets->len];
		return;
	}
}

static void on_socket(void *arg, const char *key, struct bytes value)
{
	struct trace_sockets *sockets = arg;
	uint8_t *copy;

	forget(sockets, key); /* put again while it was read */
	if (!value.data || sockets->len == SOCKETS_MAX)
		return;
	sockets->at = xrealloc(sockets->at, (sockets->len + 1) * sizeof(*sockets->at));
	copy = xmalloc(value.len + 1);
	memcpy(copy, value.data, value.len);
	sockets->at[sockets->len++] =
	    (struct trace_socket){ xstrdup(key), bytes_of(copy, value.len) };
}

enum status traces_sockets(
    const struct traces *traces, struct trace_sockets *ret_sockets, struct err *err)
{
	char token[SUBJECT_TOKEN_SIZE], keys[SUBJECT_SIZE];
	enum status s = subject_encode(bytes_of_str(traces->user), token, err);

	*ret_sockets = (struct trace_sockets){ 0 };
	if (s)
		return s;
	(void)snprintf(keys, sizeof(keys), "%s.*", token);
	s = bucket_read(
	    traces->bus, BUCKET_TRACKING, keys, traces->timeout_ms, on_socket, ret_sockets, err);
	if (s)
		traces_sockets_free(ret_sockets);
	return s;
}

void traces_sockets_free(struct trace_sockets *sockets)
{
	for (size_t i = 0; i < sockets->len; i++)
		socket_free(&sockets->at[i]);
	free(sockets->at);
	*sockets = (struct trace_sockets){ 0 };
}
