/* The token of a CONNECT and its verdict. */
#include "signin.h"

#include "base/clock.h"
#include "metrics.h"
#include "revoked.h"
#include "trail.h"

void signin_refuse(struct sio_socket *socket, const char *message, const char *code)
{
	struct buf error = BUF_INIT;

	buf_append_str(&error, "{\"message\":");
	json_append_string(&error, bytes_of_str(message));
	buf_append_str(&error, ",\"data\":{\"code\":");
	json_append_string(&error, bytes_of_str(code));
	buf_append_str(&error, "}}");
	sio_refuse(socket, buf_bytes(&error));
	buf_finish(&error);
}

void signin_refuse_crowded(struct sio_socket *socket)
{
	count_refusal_crowded();
	signin_refuse(socket, "too many sockets of this user are open", "too_many_sockets");
}

enum token_verdict signin_judge(
    const struct edge *edge, struct bytes token, struct token_claims *ret_claims)
{
	enum token_verdict verdict =
	    token_verify(edge->tokens, token, clock_wall_ms() / 1000, ret_claims);

	if (verdict == TOKEN_OK &&
	    revoked_check(edge->revoked, ret_claims->sub, ret_claims->jti, ret_claims->iat_s))
		verdict = TOKEN_REVOKED;
	return verdict;
}

static enum token_verdict judge(const struct edge *edge, const struct session *session,
    const struct json *auth, struct token_claims *ret_claims)
{
	const struct json *token = json_get(auth, "token");

	if (session->flags & SESSION_TOKEN_IN_QUERY)
		return TOKEN_IN_QUERY;
	if (!token || (json_is_string(token) && json_text(token).len == 0))
		return TOKEN_MISSING;
	if (!json_is_string(token))
		return TOKEN_MALFORMED;
	return signin_judge(edge, json_text(token), ret_claims);
}

enum token_verdict signin(
    struct sio_socket *socket, const struct json *auth, struct token_claims *ret_claims)
{
	const struct edge *edge = edge_loop_of(socket->session)->edge;
	enum token_verdict verdict;

	if (!revoked_is_known(edge->revoked)) { /* transient: the client tries again */
		session_close(socket->session, CLOSE_UNAVAILABLE);
		return TOKEN_REVOKED;
	}
	verdict = judge(edge, socket->session, auth, ret_claims);
	if (verdict != TOKEN_OK) {
		count_refusal(verdict);
		trail_refused(socket, verdict == TOKEN_REVOKED ? ret_claims->sub : NULL,
		    token_verdict_code(verdict));
		signin_refuse(socket, token_verdict_text(verdict), token_verdict_code(verdict));
	}
	return verdict;
}
