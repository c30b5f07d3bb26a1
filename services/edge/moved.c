/* A session on its way to another edge, and its arrival. */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/message.h"
#include "base/xalloc.h"
#include "channels.h"
#include "ops.h"
#include "relay.h"
#include "socket.h"

/* --- leaving --- */

static void add_packet(void *arg, bool is_binary, struct bytes message)
{
	Walletwire__V1__MovedSession *moved = arg;
	Walletwire__V1__MovedPacket *packet = xmalloc(sizeof(*packet));

	walletwire__v1__moved_packet__init(packet);
	packet->is_binary = is_binary;
	packet->data.data = xmemdup(message.data, message.len);
	packet->data.len = message.len;
	moved->packets[moved->n_packets++] = packet;
}

static void add_socket(Walletwire__V1__MovedSession *moved, const struct edge *edge,
    const struct session *session, size_t nsp)
{
	const struct sio_socket *base = sio_find(session, &edge->namespaces[nsp]);
	Walletwire__V1__MovedSocket *out;

	if (!base || base->state != SIO_CONNECTED)
		return;
	out = xmalloc(sizeof(*out));
	walletwire__v1__moved_socket__init(out);
	out->nsp = xstrdup(base->nsp->name);
	out->sid = xstrdup(base->sid);
	if (nsp == 0)
		socket_save(base->data, out);
	else
		ops_save(base, out);
	moved->sockets[moved->n_sockets++] = out;
}

void moved_pack(struct session *session, struct buf *out)
{
	const struct edge *edge = edge_loop_of(session)->edge;
	Walletwire__V1__RelayReply reply = WALLETWIRE__V1__RELAY_REPLY__INIT;
	/* Filled with copies and freed as protobuf-c frees what it has unpacked. */
	Walletwire__V1__MovedSession *moved = xmalloc(sizeof(*moved));
	struct sio_moved state;

	walletwire__v1__moved_session__init(moved);
	sio_save(session, &state);
	moved->flags = session->flags;
	moved->has_parser = state.has_parser;
	moved->is_packed = state.is_packed;
	moved->partial.data = xmemdup(state.partial.data, state.partial.len);
	moved->partial.len = state.partial.len;
	moved->attachments = xcalloc(state.attachments.len + 1, sizeof(*moved->attachments));
	for (size_t i = 0; i < state.attachments.len; i++)
		moved->attachments[moved->n_attachments++] = (ProtobufCBinaryData){
			.data =
			    xmemdup(state.attachments.list[i].data, state.attachments.list[i].len),
			.len = state.attachments.list[i].len,
		};
	moved->packets = xcalloc(session->out.count + 1, sizeof(*moved->packets));
	outq_each(&session->out, add_packet, moved);
	moved->sockets = xcalloc(edge->sio.namespaces_len, sizeof(*moved->sockets));
	for (size_t i = 0; i < edge->sio.namespaces_len; i++)
		add_socket(moved, edge, session, i);
	reply.outcome = WALLETWIRE__V1__RELAY_OUTCOME__RELAY_OUTCOME_ACCEPTED;
	reply.session = moved;
	message_append(out, &reply.base);
	walletwire__v1__moved_session__free_unpacked(moved, NULL);
}

/* --- arriving --- */

static bool restore_socket(
    struct edge_loop *el, struct session *session, const Walletwire__V1__MovedSocket *moved)
{
	for (size_t i = 0; i < el->edge->sio.namespaces_len; i++) {
		const struct sio_namespace *nsp = &el->edge->namespaces[i];
		struct sio_socket *base;

		if (strcmp(nsp->name, moved->nsp) != 0)
			continue;
		base = sio_restore_socket(session, nsp, moved->sid);
		return i == 0 ? socket_restore(base, moved) : ops_restore(base, moved);
	}
	return false; /* a namespace that this edge does not have */
}

struct session *moved_restore(struct edge_loop *el, const struct engine_app *app, const char *sid,
    const Walletwire__V1__MovedSession *moved)
{
	struct session *session;
	struct sio_moved state = { .has_parser = moved->has_parser,
		.is_packed = moved->is_packed,
		.partial = bytes_of(moved->partial.data, moved->partial.len) };

	if (el->closed)
		return NULL;
	session = session_new(el->engine, app, sid, moved->flags);
	for (size_t i = 0; i < moved->n_attachments && i < SOCKETIO_ATTACHMENTS_CAP; i++)
		state.attachments.list[state.attachments.len++] =
		    bytes_of(moved->attachments[i].data, moved->attachments[i].len);
	sio_restore(session, &state);
	for (size_t i = 0; i < moved->n_sockets; i++) {
		if (!restore_socket(el, session, moved->sockets[i])) {
			session_close(session, CLOSE_CLIENT_GONE);
			return NULL;
		}
	}
	for (size_t i = 0; i < moved->n_packets; i++) {
		struct bytes data =
		    bytes_of(moved->packets[i]->data.data, moved->packets[i]->data.len);

		if (moved->packets[i]->is_binary)
			session_push_binary(session, data);
		else
			session_push_text(session, data);
	}
	/* It may have been revoked while it was nowhere. */
	if (socket_session_is_revoked(el->edge, session)) {
		session_close(session, CLOSE_REVOKED);
		return NULL;
	}
	session_ping(session);
	return session;
}
