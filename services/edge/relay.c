/* The subject other edges ask on, and the way from the bus to the loop. */
#include "relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attrs.h"
#include "base/xalloc.h"
#include "drain.h"
#include "stats.h"

struct relay {
	struct edge *edge;
	struct bus_sub *sub;
};

bool relay_subject(
    const char *edge_id, const char *verb, char ret_subject[static RELAY_SUBJECT_SIZE])
{
	size_t len = strlen(edge_id);

	/* It came from outside: nothing but these characters may reach a subject. */
	if (len == 0 || len > ENGINE_ID_MAX || strspn(edge_id, ID_ALPHABET) != len)
		return false;
	(void)snprintf(ret_subject, RELAY_SUBJECT_SIZE, "ww.edge.%s.%s", edge_id, verb);
	return true;
}

/* Field 1 of every message of edge.proto, read without unpacking the rest: which loop is it for? */
static bool peek_sid(struct bytes data, char ret_sid[static ENGINE_SID_SIZE])
{
	size_t len = data.len >= 2 ? data.data[1] : 0;

	if (len == 0 || data.data[0] != (1 << 3 | 2) || len >= ENGINE_SID_SIZE ||
	    len > data.len - 2)
		return false;
	memcpy(ret_sid, data.data + 2, len);
	ret_sid[len] = '\0';
	return true;
}

void relay_call_free(struct relay_call *call)
{
	bus_msg_unref(call->msg);
	free(call);
}

/* Verbs that concern no session, but the edge as such. Each takes its relay_call. */
static const struct own_verb {
	const char *name;
	void (*fn)(void *relay_call);
} own_verbs[] = {
	{ "drain", drain_serve },
	{ "stats", stats_serve },
};

static const struct own_verb *own_verb_of(const char *subject)
{
	const char *name = strrchr(subject, '.');

	for (size_t i = 0; name && i < ARRAY_LEN(own_verbs); i++) {
		if (strcmp(name + 1, own_verbs[i].name) == 0)
			return &own_verbs[i];
	}
	return NULL;
}

static void on_msg(void *arg, struct bus_msg *msg)
{
	struct relay *relay = arg;
	const struct own_verb *own = own_verb_of(bus_msg_subject(msg));
	char sid[ENGINE_SID_SIZE] = "";
	struct relay_call *call;

	if (!own && !peek_sid(bus_msg_data(msg), sid))
		return;
	call = xmalloc(sizeof(*call));
	*call = (struct relay_call){ .el = engine_loop_of(&relay->edge->engine, sid)->app,
		.msg = bus_msg_ref(msg) };
	memcpy(call->sid, sid, sizeof(call->sid));
	loop_post(call->el->loop, own ? own->fn : relay_serve, call);
}

enum status relay_start(struct edge *edge, struct relay **ret_relay, struct err *err)
{
	struct relay *relay = xcalloc(1, sizeof(*relay));
	char subject[RELAY_SUBJECT_SIZE];
	enum status s;

	relay->edge = edge;
	(void)relay_subject(edge->id, "*", subject);
	s = bus_subscribe(edge->bus, subject, NULL, on_msg, relay, &relay->sub, err);
	if (s) {
		free(relay);
		return s;
	}
	*ret_relay = relay;
	return STATUS_OK;
}

void relay_stop(struct relay *relay)
{
	if (!relay)
		return;
	bus_unsubscribe(relay->sub);
	relay->sub = NULL;
}

void relay_free(struct relay *relay)
{
	free(relay);
}
