/* Joining is all there is to these namespaces: nothing can be asked in them yet. */
#include "ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "metrics.h"
#include "revoked.h"
#include "signin.h"
#include "socket.h"

/* Who signed in, for a later look at the revocations. */
struct operator
{
	int64_t iat_s;
	char user_id[TOKEN_CLAIM_SIZE];
	char jti[TOKEN_CLAIM_SIZE];
};

static void on_connect(struct sio_socket *socket, const struct json *auth)
{
	struct token_claims claims;
	struct operator* operator;

	if (signin(socket, auth, &claims) != TOKEN_OK)
		return;
	if (strcmp(claims.role, socket->nsp->name + 1) != 0) {
		count_refusal(TOKEN_ROLE);
		signin_refuse(
		    socket, token_verdict_text(TOKEN_ROLE), token_verdict_code(TOKEN_ROLE));
		return;
	}
	operator= xcalloc(1, sizeof(*operator));
	operator->iat_s = claims.iat_s;
	memcpy(operator->user_id, claims.sub, sizeof(operator->user_id));
	memcpy(operator->jti, claims.jti, sizeof(operator->jti));
	socket->data = operator;
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
	free(socket->data);
}

bool ops_is_revoked(const struct sio_socket *socket)
{
	const struct operator* operator= socket->data;

	return operator&& revoked_check(edge_loop_of(socket->session)->edge->revoked,
					operator->user_id, operator->jti, operator->iat_s);
}

void ops_save(const struct sio_socket *socket, Walletwire__V1__MovedSocket *ret_moved)
{
	const struct operator* operator= socket->data;

	ret_moved->user_id = xstrdup(operator->user_id);
	ret_moved->jti = xstrdup(operator->jti);
	ret_moved->iat_s = operator->iat_s;
}

void ops_restore(struct sio_socket *socket, const Walletwire__V1__MovedSocket *moved)
{
	struct operator* operator= xcalloc(1, sizeof(*operator));

	operator->iat_s = moved->iat_s;
	(void)snprintf(operator->user_id, sizeof(operator->user_id), "%s", moved->user_id);
	(void)snprintf(operator->jti, sizeof(operator->jti), "%s", moved->jti);
	socket->data = operator;
}

struct sio_namespace ops_namespace(const char *name)
{
	return (struct sio_namespace){
		.name = name, .on_connect = on_connect, .on_event = on_event, .on_leave = on_leave
	};
}
