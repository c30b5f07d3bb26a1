/* signin: who a CONNECT comes from, for every namespace alike. */
#ifndef EDGE_SIGNIN_H
#define EDGE_SIGNIN_H

#include "edge.h"

enum { SESSION_TOKEN_IN_QUERY = 1 }; /* in session->flags */

/*
 * Judge the token in the payload of a CONNECT. On TOKEN_OK *ret_claims is set; otherwise the socket
 * was refused, or its session closed because it can't be told yet, and is gone.
 */
enum token_verdict signin(
    struct sio_socket *socket, const struct json *auth, struct token_claims *ret_claims);

/* The verdict on a token, the revocations included. */
enum token_verdict signin_judge(
    const struct edge *edge, struct bytes token, struct token_claims *ret_claims);

/* CONNECT_ERROR: { message, data: { code } }. The socket is gone. */
void signin_refuse(struct sio_socket *socket, const char *message, const char *code);

/* The same for a user who has as many sockets here as a user may; counted. */
void signin_refuse_crowded(struct sio_socket *socket);

#endif
