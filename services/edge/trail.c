/* A message of the stream is the records' bytes in a row. */
#include "trail.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/message.h"
#include "base/xalloc.h"
#include "metrics.h"
#include "user.h"
#include "walletwire/v1/audit.pb-c.h"

#define SUBJECT "ww.audit.edge"

enum {
	GATHER_MS = 250,
	BYTES_MAX = 48 << 10, /* then at once; the stream takes 64 KiB */
	ACK_MS = 5000,
	PROVOKED_PER_S = 20,
	PROVOKED_BURST = 100,
};

#define ACTION(NAME) WALLETWIRE__V1__AUDIT_ACTION__AUDIT_ACTION_EDGE_##NAME
#define BY(KIND) WALLETWIRE__V1__AUDIT_ACTOR_KIND__AUDIT_ACTOR_KIND_##KIND

typedef Walletwire__V1__AuditRecord Record;

/* --- to the stream --- */

struct sent {
	size_t records;
};

static bool is_stored(struct bus_msg *reply)
{
	struct bytes said = bus_msg_data(reply);

	return said.len > 0 && !bus_is_refusal(said);
}

/* From a thread of the bus. */
static void on_ack(void *arg, enum status status, struct bus_msg *reply)
{
	struct sent *sent = arg;

	if (status || !is_stored(reply))
		count_trail_lost(TRAIL_NOT_STORED, sent->records);
	free(sent);
}

static void send(struct edge_loop *el)
{
	struct trail *trail = &el->trail;
	struct sent *sent;

	loop_timer_disarm(el->loop, &trail->timer);
	if (trail->len == 0)
		return;
	sent = xcalloc(1, sizeof(*sent));
	sent->records = trail->len;
	bus_port_request(el->edge->port, SUBJECT, buf_bytes(&trail->records), ACK_MS, on_ack, sent);
	buf_finish(&trail->records);
	trail->len = 0;
}

static void on_timer(void *arg)
{
	send(arg);
}

/* --- records --- */

static void add(struct edge_loop *el, Record *record)
{
	Walletwire__V1__AuditRecords alone = WALLETWIRE__V1__AUDIT_RECORDS__INIT;
	struct trail *trail = &el->trail;
	char id[ID_SIZE + 24];

	if (!trail->id[0])
		id_random(trail->id);
	(void)snprintf(
	    id, sizeof(id), "%s-%llu", trail->id, (unsigned long long)trail->next_number++);
	record->id = id;
	record->at_us = clock_wall_us();
	record->service = message_lend("edge");
	alone.records = &record;
	alone.n_records = 1;
	message_append(&trail->records, &alone.base);
	if (trail->len++ == 0)
		loop_timer_arm(
		    el->loop, &trail->timer, loop_now_ms(el->loop) + GATHER_MS, on_timer, el);
	if (trail->records.len >= BYTES_MAX)
		send(el);
}

static bool is_too_much(struct edge_loop *el)
{
	const struct rate_rule rule = rate_rule(PROVOKED_PER_S, PROVOKED_BURST);

	if (rate_take(&rule, &el->trail.provoked, loop_now_ms(el->loop) * 1000) == 0)
		return false;
	count_trail_lost(TRAIL_TOO_MANY, 1);
	return true;
}

static Walletwire__V1__AuditActor user_of(const struct socket *socket)
{
	Walletwire__V1__AuditActor by = WALLETWIRE__V1__AUDIT_ACTOR__INIT;

	by.kind = BY(USER);
	by.id = socket->user->id;
	by.session_id = message_lend(socket->base->sid);
	return by;
}

void trail_connected(const struct socket *socket)
{
	struct edge_loop *el = edge_loop_of(socket->session);
	Walletwire__V1__AuditActor by = user_of(socket);
	Record record = WALLETWIRE__V1__AUDIT_RECORD__INIT;
	char *ids[] = { el->edge->id };

	record.action = ACTION(CONNECTED);
	record.actor = &by;
	record.ids = ids;
	record.n_ids = ARRAY_LEN(ids);
	add(el, &record);
}

void trail_refused(const struct sio_socket *socket, const char *user_id, const char *code)
{
	struct edge_loop *el = edge_loop_of(socket->session);
	Walletwire__V1__AuditActor by = WALLETWIRE__V1__AUDIT_ACTOR__INIT;
	Walletwire__V1__AuditUser whom = WALLETWIRE__V1__AUDIT_USER__INIT, *users[] = { &whom };
	Record record = WALLETWIRE__V1__AUDIT_RECORD__INIT;
	char *ids[] = { el->edge->id, message_lend(code) };

	if (is_too_much(el))
		return;
	by.kind = BY(SERVICE);
	by.id = message_lend("edge");
	whom.user_id = message_lend(user_id);
	record.action = ACTION(REFUSED);
	record.actor = &by;
	record.users = users;
	record.n_users = user_id ? 1 : 0;
	record.ids = ids;
	record.n_ids = ARRAY_LEN(ids);
	add(el, &record);
}

void trail_denied(const struct socket *socket, const char *event, struct bytes about)
{
	struct edge_loop *el = edge_loop_of(socket->session);
	Walletwire__V1__AuditActor by = user_of(socket);
	Record record = WALLETWIRE__V1__AUDIT_RECORD__INIT;
	char name[TRAIL_ABOUT_MAX + 1] = "(longer than any)";
	char *ids[] = { el->edge->id, message_lend(event), name };

	if (is_too_much(el))
		return;
	if (about.len > 0 && about.len <= TRAIL_ABOUT_MAX) {
		memcpy(name, about.data, about.len);
		name[about.len] = '\0';
	}
	record.action = ACTION(DENIED);
	record.actor = &by;
	record.ids = ids;
	record.n_ids = about.len > 0 ? ARRAY_LEN(ids) : ARRAY_LEN(ids) - 1;
	add(el, &record);
}

void trail_stop(struct edge_loop *el)
{
	send(el);
	buf_finish(&el->trail.records);
}
