/* Joining is all there is to these namespaces: nothing can be asked in them yet. */
#include "ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "commands.h"
#include "expiry.h"
#include "metrics.h"
#include "revoked.h"
#include "signin.h"
#include "socket.h"

/* Who signed in, for a later look at the revocations. */
struct ops_user {
	struct expiry expiry;
	int64_t iat_s;
	char user_id[TOKEN_CLAIM_SIZE];
	char jti[TOKEN_CLAIM_SIZE];
};

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
	memcpy(user->user_id, claims.sub, sizeof(user->user_id));
	memcpy(user->jti, claims.jti, sizeof(user->jti));
	socket->data = user;
	expiry_arm(&user->expiry, socket, claims.exp_s, NULL);
	sio_accept(socket, NULL);
	count_connect();
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

	if (user)
		expiry_disarm(&user->expiry);
	free(user);
}

bool ops_is_revoked(const struct sio_socket *socket)
{
	const struct ops_user *user = socket->data;

	return user && revoked_check(edge_loop_of(socket->session)->edge->revoked, user->user_id,
			   user->jti, user->iat_s);
}

void ops_save(const struct sio_socket *socket, Walletwire__V1__MovedSocket *ret_moved)
{
	const struct ops_user *user = socket->data;

	ret_moved->user_id = xstrdup(user->user_id);
	ret_moved->jti = xstrdup(user->jti);
	ret_moved->iat_s = user->iat_s;
	ret_moved->exp_s = user->expiry.exp_s;
}

void ops_restore(struct sio_socket *socket, const Walletwire__V1__MovedSocket *moved)
{
	struct ops_user *user = xcalloc(1, sizeof(*user));

	user->iat_s = moved->iat_s;
	(void)snprintf(user->user_id, sizeof(user->user_id), "%s", moved->user_id);
	(void)snprintf(user->jti, sizeof(user->jti), "%s", moved->jti);
	expiry_arm(&user->expiry, socket, moved->exp_s, NULL);
	socket->data = user;
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
