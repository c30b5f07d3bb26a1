/*
 * The HTTP front: judges the head of a request, adopts its connection and hands it to a loop. Runs
 * on civetweb's workers, which have small stacks: nothing here parses more than one query
 * parameter.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/attrs.h"
#include "base/xalloc.h"
#include "engine/engine.h"
#include "engine/exchange.h"
#include "engine/metrics.h"
#include "engine/session.h"
#include "engine/wsconn.h"
#include "http/cors.h"

static const struct {
	int status;
	const char *text;
} errors[] = {
	[ERROR_UNKNOWN_TRANSPORT] = { 400, "Transport unknown" },
	[ERROR_UNKNOWN_SID] = { 400, "Session ID unknown" },
	[ERROR_BAD_METHOD] = { 400, "Bad handshake method" },
	[ERROR_BAD_REQUEST] = { 400, "Bad request" },
	[ERROR_FORBIDDEN] = { 403, "Forbidden" },
	[ERROR_UNSUPPORTED_VERSION] = { 400, "Unsupported protocol version" },
	[ERROR_RATE_LIMITED] = { 429, "Too many requests" },
};

const char *engine_error_text(enum engine_error error)
{
	return errors[error].text;
}

int engine_error_status(enum engine_error error)
{
	return errors[error].status;
}

void engine_append_error(struct buf *out, enum engine_error error)
{
	buf_appendf(out, "{\"code\":%d,\"message\":\"%s\"}", (int)error, errors[error].text);
}

/* What a request asks for, as far as its head tells. */
struct asked {
	struct http_request *req;
	struct engine *engine;
	const struct engine_app *app;
	struct buf headers;   /* for the answer */
	char retry_after[40]; /* one more, for a refusal */
	bool is_websocket;    /* transport=websocket */
	bool is_upgrade;      /* it has an Upgrade header */
	bool is_version_4;
	char sid[ENGINE_SID_SIZE];
};

/* A request that wanted to be a WebSocket reads the bare message, any other one JSON with the code.
 */
static void refuse(struct asked *asked, enum engine_error error)
{
	struct buf body = BUF_INIT;

	count_handshake_refused((enum refusal)error);
	buf_append_str(&asked->headers, asked->retry_after);
	if (asked->is_upgrade)
		buf_append_str(&body, errors[error].text);
	else
		engine_append_error(&body, error);
	http_respond(asked->req, errors[error].status,
	    asked->is_upgrade ? "text/html" : "application/json", buf_bytes(&body),
	    asked->is_upgrade ? asked->retry_after : buf_str(&asked->headers));
	buf_finish(&body);
}

/* Returns false if the origin was refused, with the answer given. */
static bool judge_origin(struct asked *asked)
{
	switch (http_cors_judge(asked->engine->cors, asked->req)) {
	case HTTP_ORIGIN_NONE:
	case HTTP_ORIGIN_ALLOWED:
		return true;
	case HTTP_ORIGIN_FOREIGN:
		refuse(asked, ERROR_FORBIDDEN);
		break;
	case HTTP_ORIGIN_MALFORMED:
		refuse(asked, ERROR_BAD_REQUEST);
		break;
	}
	return false;
}

static bool is_method(const struct asked *asked, const char *method)
{
	return strcmp(http_method(asked->req), method) == 0;
}

static void preflight(struct asked *asked)
{
	struct buf headers = BUF_INIT;

	if (!judge_origin(asked))
		return;
	http_cors_append_preflight(asked->engine->cors, asked->req, &headers);
	http_respond(asked->req, 204, NULL, bytes_of(NULL, 0), buf_str(&headers));
	buf_finish(&headers);
}

/* Returns false for a transport that there is none of, with the answer given. */
static bool read_transport(struct asked *asked)
{
	char transport[16];

	if (http_query_param(asked->req, "transport", transport, sizeof(transport))) {
		asked->is_websocket = strcmp(transport, "websocket") == 0;
		if (asked->is_websocket || strcmp(transport, "polling") == 0)
			return true;
	}
	refuse(asked, ERROR_UNKNOWN_TRANSPORT);
	return false;
}

/* Returns false if there is one that could be nobody's, with the answer given. */
static bool read_sid(struct asked *asked)
{
	char server[ENGINE_ID_MAX + 1];

	if (!http_query_has(asked->req, "sid"))
		return true;
	if (http_query_param(asked->req, "sid", asked->sid, sizeof(asked->sid)) &&
	    (!asked->sid[0] || engine_owns(asked->engine, asked->sid) ||
		(asked->engine->cfg.relay && engine_server_of(asked->sid, server))))
		return true;
	refuse(asked, ERROR_UNKNOWN_SID);
	return false;
}

/* The first protocol offered: browsers fail a connection that offered some and was given none. */
static void first_subprotocol(const struct http_request *req, char *ret_name, size_t size)
{
	const char *offer = http_header(req, "Sec-WebSocket-Protocol");
	size_t len = offer ? strcspn(offer, ", \t") : 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)offer[i];

		/* a token of RFC 9110 section 5.6.2; anything else is not echoed */
		if (c <= 0x20 || c >= 0x7f || strchr("()<>@;:\\\"/[]?={}", c))
			len = 0;
	}
	if (len >= size)
		len = 0;
	if (len)
		memcpy(ret_name, offer, len);
	ret_name[len] = '\0';
}

static bool is_true(const struct http_request *req, const char *name)
{
	char value[8];

	return http_query_param(req, name, value, sizeof(value)) &&
	       (strcmp(value, "1") == 0 || strcmp(value, "true") == 0);
}

/*
 * No more sessions and requests than there is room for; each has its own bound, so that requests of
 * one kind leave room for the other. What is on its way to a loop is not counted yet.
 */
static bool has_room(struct asked *asked, bool is_new)
{
	struct engine *engine = asked->engine;
	bool is_draining = is_new && atomic_load(&engine->draining);
	bool is_full = is_new && atomic_load(&engine->sessions) >= engine->cfg.max_sessions;

	if (!is_draining && !is_full && atomic_load(&engine->exchanges) < engine->cfg.max_sessions)
		return true;
	count_handshake_refused(is_draining ? REFUSED_DRAINING : REFUSED_FULL);
	buf_append_str(&asked->headers, "Retry-After: 1\r\n");
	http_respond(asked->req, 503, "text/plain; charset=UTF-8",
	    BYTES_LITERAL("no more connections are taken here"), buf_str(&asked->headers));
	return false;
}

/* Returns false if its address has begun too many sessions of late, with the answer given. */
static bool is_admitted(struct asked *asked)
{
	int64_t wait_ms = admission_ask(asked->engine->admission, asked->req);

	if (!wait_ms)
		return true;
	(void)snprintf(asked->retry_after, sizeof(asked->retry_after), "Retry-After: %lld\r\n",
	    (long long)(wait_ms + 999) / 1000);
	refuse(asked, ERROR_RATE_LIMITED);
	return false;
}

static unsigned inspect(const struct asked *asked)
{
	return asked->engine->cfg.inspect ? asked->engine->cfg.inspect(asked->req) : 0;
}

static void begin_websocket(struct asked *asked)
{
	struct http_request *req = asked->req;
	struct ws_handoff *handoff;

	handoff = xcalloc(1, sizeof(*handoff));
	http_websocket_accept(http_header(req, "Sec-WebSocket-Key"), handoff->accept);
	first_subprotocol(req, handoff->subprotocol, sizeof(handoff->subprotocol));
	handoff->app = asked->app;
	handoff->flags = inspect(asked);
	handoff->is_b64 = is_true(req, "b64");
	handoff->is_new = !asked->sid[0];
	if (handoff->is_new)
		session_make_sid(asked->engine, asked->sid);
	memcpy(handoff->sid, asked->sid, sizeof(handoff->sid));
	handoff->el = engine_loop_of(asked->engine, asked->sid);
	if (http_adopt(req, &handoff->fd, NULL, NULL)) {
		count_handshake_refused(REFUSED_ADOPTION);
		free(handoff);
		return;
	}
	handoff->headers = asked->headers;
	asked->headers = (struct buf)BUF_INIT;
	if (handoff->is_new)
		count_handshake();
	loop_post(handoff->el->loop, wsconn_adopt, handoff);
}

static bool is_octet_stream(const struct http_request *req)
{
	const char *type = http_header(req, "Content-Type");

	return type && strncasecmp(type, "application/octet-stream", 24) == 0;
}

static void begin_exchange(struct asked *asked, enum exchange_kind kind)
{
	struct engine *engine = asked->engine;
	struct http_request *req = asked->req;
	struct exchange *x = xcalloc(1, sizeof(*x));

	x->kind = kind;
	x->app = asked->app;
	x->flags = inspect(asked);
	x->is_octets = is_octet_stream(req);
	if (kind == EXCHANGE_HANDSHAKE)
		session_make_sid(engine, asked->sid);
	memcpy(x->sid, asked->sid, sizeof(x->sid));
	x->is_ours = engine_owns(engine, x->sid);
	x->el = engine_loop_of(asked->engine, asked->sid);
	http_body_init(&x->body, req, engine->cfg.max_payload);
	if (http_adopt(req, &x->fd, &x->early, NULL)) {
		count_handshake_refused(REFUSED_ADOPTION);
		http_body_finish(&x->body);
		buf_finish(&x->early);
		free(x);
		return;
	}
	x->headers = asked->headers;
	asked->headers = (struct buf)BUF_INIT;
	if (kind == EXCHANGE_HANDSHAKE)
		count_handshake();
	atomic_fetch_add(&engine->exchanges, 1);
	loop_post(x->el->loop, exchange_adopt, x);
}

/*
 * A request that names a session. What is wrong with it is told only to those who name one that
 * exists, so the loop answers.
 */
static void with_session(struct asked *asked)
{
	bool is_post = is_method(asked, "POST");
	bool is_upgrade = asked->is_upgrade && asked->is_websocket;

	/* A WebSocket for a session of another server is to bring it here. */
	if (!has_room(asked, is_upgrade && !engine_owns(asked->engine, asked->sid)))
		return;
	if (is_upgrade) {
		if (!is_method(asked, "GET") || http_websocket_check(asked->req) ||
		    !asked->is_version_4)
			refuse(asked, ERROR_BAD_REQUEST);
		else
			begin_websocket(asked);
	} else if (asked->is_upgrade) {
		refuse(asked, ERROR_BAD_REQUEST); /* polling that wants to be something else */
	} else if (asked->is_websocket || !asked->is_version_4 ||
		   !(is_post || is_method(asked, "GET"))) {
		begin_exchange(asked, EXCHANGE_REFUSED);
	} else {
		begin_exchange(asked, is_post ? EXCHANGE_POST : EXCHANGE_POLL);
	}
}

static void without_session(struct asked *asked)
{
	if (!is_method(asked, "GET"))
		refuse(asked, ERROR_BAD_METHOD);
	else if (asked->is_websocket != asked->is_upgrade ||
		 (asked->is_upgrade && http_websocket_check(asked->req)))
		refuse(asked, ERROR_BAD_REQUEST);
	else if (!asked->is_version_4)
		refuse(asked, ERROR_UNSUPPORTED_VERSION);
	else if (!has_room(asked, /* is_new= */ true) || !is_admitted(asked))
		return;
	else if (asked->is_websocket)
		begin_websocket(asked);
	else
		begin_exchange(asked, EXCHANGE_HANDSHAKE);
}

static void judge(struct asked *asked)
{
	char version[8];

	http_cors_append_headers(asked->engine->cors, asked->req, &asked->headers);
	if (is_method(asked, "OPTIONS")) {
		preflight(asked);
		return;
	}
	if (!read_transport(asked) || !judge_origin(asked) || !read_sid(asked))
		return;
	asked->is_version_4 = http_query_param(asked->req, "EIO", version, sizeof(version)) &&
			      strcmp(version, "4") == 0;
	if (asked->sid[0])
		with_session(asked);
	else
		without_session(asked);
}

/* --- what is no session's --- */

static bool has_room_to_send(struct engine *engine, struct http_request *req)
{
	if (atomic_load(&engine->exchanges) < engine->cfg.max_sessions)
		return true;
	count_handshake_refused(REFUSED_FULL);
	http_respond(req, 503, "text/plain; charset=UTF-8",
	    BYTES_LITERAL("no more requests are taken here"), "Retry-After: 1\r\n");
	return false;
}

void engine_send(struct engine *engine, struct http_request *req, const char *content_type,
    struct bytes body, const char *headers)
{
	struct exchange *x;

	if (!has_room_to_send(engine, req))
		return;
	x = xcalloc(1, sizeof(*x));
	x->kind = EXCHANGE_ANSWERED;
	x->lent = body;
	x->el = &engine->loops[atomic_fetch_add(&engine->sent, 1) % engine->loops_len];
	if (http_adopt(req, &x->fd, &x->early, NULL)) {
		count_handshake_refused(REFUSED_ADOPTION);
		buf_finish(&x->early);
		free(x);
		return;
	}
	http_append_head(&x->out, 200, content_type, body.len, headers);
	atomic_fetch_add(&engine->exchanges, 1);
	loop_post(x->el->loop, exchange_adopt_answered, x);
}

static void on_other(void *arg, struct http_request *req)
{
	struct engine *engine = arg;

	engine->cfg.other(engine->cfg.other_arg, engine, req);
}

static const struct engine_app *app_of(const struct engine *engine, const char *path)
{
	for (size_t i = 0; i < engine->cfg.paths_len; i++) {
		if (strcmp(path, engine->cfg.paths[i].path) == 0)
			return engine->cfg.paths[i].app;
	}
	return NULL; /* not reached: these are the routes */
}

static void on_request(void *arg, struct http_request *req)
{
	struct engine *engine = arg;
	struct asked asked = {
		.req = req,
		.engine = engine,
		.app = app_of(engine, http_path(req)),
		.is_upgrade = http_header(req, "Upgrade") != NULL,
	};

	judge(&asked);
	buf_finish(&asked.headers);
}

enum status engine_listen(struct engine *engine, struct err *err)
{
	struct http_route *routes = xcalloc(engine->cfg.paths_len, sizeof(*routes));
	struct http_config cfg = {
		.bind = engine->cfg.listen,
		.threads = engine->cfg.http_threads,
		.request_timeout_ms = (int)engine->cfg.head_timeout_ms,
		.server_name = "clients",
		.routes = routes,
		.routes_len = engine->cfg.paths_len,
		.other = engine->cfg.other ? on_other : NULL,
		.arg = engine,
	};
	enum status s;

	for (size_t i = 0; i < engine->cfg.paths_len; i++)
		routes[i] = (struct http_route){
			.path = engine->cfg.paths[i].path, .fn = on_request, .takes_body = true
		};
	s = http_front_new(&cfg, &engine->front, err);
	free(routes);
	return s;
}
