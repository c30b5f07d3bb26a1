/*
 * Nothing can be asked in these namespaces: who joins "/ops" is shown the fleet (ops_gather.h), and
 * others are for whoever embeds an edge.
 */
#include "ops.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/subject.h"
#include "base/xalloc.h"
#include "codec/reflect.h"
#include "codec/socketio.h"
#include "commands.h"
#include "expiry.h"
#include "hub.h"
#include "metrics.h"
#include "ops_gather.h"
#include "revoked.h"
#include "signin.h"
#include "socket.h"

#define WATCHED "/ops"

/* Any number but that of a member of Payload: these states are of another namespace. */
enum { OPS_STATE_KIND = UINT16_MAX };

/* Who signed in, for a later look at the revocations. */
struct ops_user {
	struct sio_socket *socket;
	struct ops_user *prev, *next; /* of those who watch on this loop */
	struct expiry expiry;
	bool is_counted;
	int64_t iat_s;
	uint64_t key_print;
	char user_id[TOKEN_CLAIM_SIZE];
	char jti[TOKEN_CLAIM_SIZE];
};

static void token_of(const struct ops_user *user, char ret_token[static SUBJECT_TOKEN_SIZE])
{
	enum status s = subject_encode(bytes_of_str(user->user_id), ret_token, NULL);

	assert(!s && "a token's subject has 1 to 128 bytes");
	(void)s;
}

static bool enter_hub(const struct sio_socket *socket, struct ops_user *user)
{
	char token[SUBJECT_TOKEN_SIZE];

	token_of(user, token);
	user->is_counted = hub_enter(edge_loop_of(socket->session)->edge->hub, token, socket->sid);
	return user->is_counted;
}

static void leave_hub(const struct sio_socket *socket, const struct ops_user *user)
{
	char token[SUBJECT_TOKEN_SIZE];

	if (!user->is_counted)
		return;
	token_of(user, token);
	hub_leave(edge_loop_of(socket->session)->edge->hub, token, socket->sid);
}

/* --- what is shown --- */

static bool watches(const struct sio_socket *socket)
{
	return strcmp(socket->nsp->name, WATCHED) == 0;
}

static void watch(struct sio_socket *socket, struct ops_user *user)
{
	struct edge_loop *el = edge_loop_of(socket->session);

	user->socket = socket;
	if (!watches(socket))
		return;
	DL_APPEND(el->watching, user);
	ops_gather_watch(el->edge, +1);
}

static void unwatch(const struct sio_socket *socket, struct ops_user *user)
{
	struct edge_loop *el = edge_loop_of(socket->session);

	if (!watches(socket))
		return;
	DL_DELETE(el->watching, user);
	ops_gather_watch(el->edge, -1);
}

struct frame *ops_encode(const char *event, const ProtobufCMessage *body)
{
	struct buf packet = BUF_INIT;
	struct frame *frame;

	socketio_append_header(&packet, SOCKETIO_EVENT, WATCHED, NULL);
	buf_appendf(&packet, "[\"%s\",{", event);
	(void)reflect_append_json_members(&packet, body);
	frame = frame_new(FRAME_STATE, buf_bytes(&packet), event);
	frame->kind = OPS_STATE_KIND;
	buf_finish(&packet);
	return frame;
}

void ops_show(struct edge_loop *el, struct frame *frame)
{
	struct ops_user *user;

	/* One that is too slow for it is closed at the end of the turn, not here. */
	DL_FOREACH (el->watching, user)
		sio_push(user->socket, frame, /* unread= */ 0, /* offset_or_null= */ NULL);
}

/* --- joining --- */

static void on_connect(struct sio_socket *socket, const struct json *auth)
{
	struct token_claims claims;
	struct ops_user *user;

	if (signin(socket, auth, &claims) != TOKEN_OK)
		return;
	if (strcmp(claims.role, socket->nsp->name + 1) != 0) {
		count_refusal(TOKEN_ROLE);
		signin_refuse(
		    socket, token_verdict_text(TOKEN_ROLE), token_verdict_code(TOKEN_ROLE));
		return;
	}
	user = xcalloc(1, sizeof(*user));
	user->iat_s = claims.iat_s;
	user->key_print = claims.key_print;
	memcpy(user->user_id, claims.sub, sizeof(user->user_id));
	memcpy(user->jti, claims.jti, sizeof(user->jti));
	if (!enter_hub(socket, user)) {
		free(user);
		signin_refuse_crowded(socket);
		return;
	}
	socket->data = user;
	expiry_arm(&user->expiry, socket, claims.exp_s, NULL);
	sio_accept(socket, NULL);
	count_connect();
	watch(socket, user);
}

static void on_event(struct sio_socket *socket, const struct sio_event *event)
{
	struct err err = ERR_INIT;

	count_event_in();
	(void)err_set(&err, STATUS_NOT_FOUND, "there is no such event");
	socket_ack_err(socket, &event->ack, &err);
}

static void on_leave(struct sio_socket *socket)
{
	struct ops_user *user = socket->data;

	if (!user)
		return;
	expiry_disarm(&user->expiry);
	unwatch(socket, user);
	leave_hub(socket, user);
	free(user);
}

bool ops_is_revoked(const struct sio_socket *socket)
{
	const struct ops_user *user = socket->data;
	const struct edge *edge = edge_loop_of(socket->session)->edge;

	return user && (revoked_check(edge->revoked, user->user_id, user->jti, user->iat_s) ||
			   !token_key_is_used(edge->tokens, user->key_print));
}

void ops_save(const struct sio_socket *socket, Walletwire__V1__MovedSocket *ret_moved)
{
	const struct ops_user *user = socket->data;

	ret_moved->user_id = xstrdup(user->user_id);
	ret_moved->jti = xstrdup(user->jti);
	ret_moved->iat_s = user->iat_s;
	ret_moved->key_print = user->key_print;
	ret_moved->exp_s = user->expiry.exp_s;
}

bool ops_restore(struct sio_socket *socket, const Walletwire__V1__MovedSocket *moved)
{
	struct ops_user *user = xcalloc(1, sizeof(*user));

	user->iat_s = moved->iat_s;
	user->key_print = moved->key_print;
	(void)snprintf(user->user_id, sizeof(user->user_id), "%s", moved->user_id);
	(void)snprintf(user->jti, sizeof(user->jti), "%s", moved->jti);
	expiry_arm(&user->expiry, socket, moved->exp_s, NULL);
	socket->data = user;
	watch(socket, user);
	if (enter_hub(socket, user))
		return true;
	count_refusal_crowded();
	return false;
}

struct sio_namespace ops_namespace(const char *name)
{
	return (struct sio_namespace){
		.name = name,
		.on_connect = on_connect,
		.on_event = on_event,
		.on_leave = on_leave,
		.on_excess = command_refuse,
	};
}
