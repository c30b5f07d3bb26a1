/*
 * The HTTP front: judges a handshake, adopts its connection and hands it to a loop. Runs on
 * civetweb's workers, which have small stacks: nothing here parses more than one query parameter.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attrs.h"
#include "base/xalloc.h"
#include "edge.h"
#include "metrics.h"
#include "metrics/metrics.h"
#include "session.h"

/* The handshake errors of Engine.IO protocol 4, by their codes. */
enum handshake_error {
	UNKNOWN_TRANSPORT,
	UNKNOWN_SID,
	BAD_METHOD,
	BAD_REQUEST,
	FORBIDDEN_HANDSHAKE,
	UNSUPPORTED_VERSION,
};

static const char *const handshake_errors[] = {
	[UNKNOWN_TRANSPORT] = "Transport unknown",
	[UNKNOWN_SID] = "Session ID unknown",
	[BAD_METHOD] = "Bad handshake method",
	[BAD_REQUEST] = "Bad request",
	[FORBIDDEN_HANDSHAKE] = "Forbidden",
	[UNSUPPORTED_VERSION] = "Unsupported protocol version",
};

static void respond_text(struct http_request *req, int status, const char *text)
{
	http_respond(req, status, "text/plain; charset=UTF-8", bytes_of_str(text), NULL);
}

/* A request that wanted to be a WebSocket reads the bare message, any other one JSON with the code.
 */
static void refuse(struct http_request *req, enum handshake_error code)
{
	struct buf body = BUF_INIT;

	count_handshake_refused();
	if (http_header(req, "Upgrade")) {
		http_respond(req, 400, "text/html", bytes_of_str(handshake_errors[code]), NULL);
		return;
	}
	buf_appendf(&body, "{\"code\":%d,\"message\":\"%s\"}", (int)code, handshake_errors[code]);
	http_respond(req, 400, "application/json", buf_bytes(&body), NULL);
	buf_finish(&body);
}

/* Is it a handshake we take? Otherwise it has been answered. */
static bool is_acceptable(struct http_request *req)
{
	char transport[16], version[8];

	if (!http_query_param(req, "transport", transport, sizeof(transport)) ||
	    strcmp(transport, "websocket") != 0) {
		refuse(req, UNKNOWN_TRANSPORT);
		return false;
	}
	/* A WebSocket stays on its one connection: no request can name a session that takes it. */
	if (http_query_has(req, "sid")) {
		refuse(req, UNKNOWN_SID);
		return false;
	}
	if (strcmp(http_method(req), "GET") != 0) {
		refuse(req, BAD_METHOD);
		return false;
	}
	if (!http_header(req, "Upgrade") || http_websocket_check(req)) {
		refuse(req, BAD_REQUEST);
		return false;
	}
	if (!http_query_param(req, "EIO", version, sizeof(version)) || strcmp(version, "4") != 0) {
		refuse(req, UNSUPPORTED_VERSION);
		return false;
	}
	return true;
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

static struct edge_loop *next_loop(struct edge *edge)
{
	return &edge->loops[atomic_fetch_add(&edge->next_loop, 1) % edge->loops_len];
}

static void on_socketio(void *arg, struct http_request *req)
{
	struct edge *edge = arg;
	struct handoff *handoff;

	if (!is_acceptable(req))
		return;
	if (edge->draining || atomic_load(&edge->sockets) >= edge->cfg.max_sockets) {
		count_handshake_refused();
		respond_text(req, 503, "this edge takes no more connections");
		return;
	}
	handoff = xcalloc(1, sizeof(*handoff));
	http_websocket_accept(http_header(req, "Sec-WebSocket-Key"), handoff->accept);
	first_subprotocol(req, handoff->subprotocol, sizeof(handoff->subprotocol));
	handoff->token_in_query = http_query_has(req, "token");
	if (http_adopt(req, &handoff->fd, NULL, NULL)) {
		count_handshake_refused();
		free(handoff);
		return;
	}
	count_handshake();
	atomic_fetch_add(&edge->sockets, 1);
	handoff->el = next_loop(edge);
	loop_post(handoff->el->loop, session_adopt, handoff);
}

static const struct http_route client_routes[] = {
	{ .path = "/socket.io/", .fn = on_socketio },
	{ .path = "/socket.io",
	    .fn = on_socketio }, /* clients may be told to leave the slash out */
};

/* --- the admin port --- */

static void on_healthz(void *arg, struct http_request *req)
{
	(void)arg;
	respond_text(req, 200, "ok\n");
}

static void on_readyz(void *arg, struct http_request *req)
{
	const char *why = edge_not_ready(arg);

	respond_text(req, why ? 503 : 200, why ? why : "ready\n");
}

static void on_metrics(void *arg, struct http_request *req)
{
	struct buf out = BUF_INIT;

	(void)arg;
	metrics_render(&out);
	http_respond(req, 200, "text/plain; version=0.0.4", buf_bytes(&out), NULL);
	buf_finish(&out);
}

/* Lets a test lose doorbells on purpose; only with --test-hooks. */
static void on_test_drop(void *arg, struct http_request *req)
{
	struct edge *edge = arg;
	char prefix[128], count[12];

	if (!edge->cfg.test_hooks || strcmp(http_method(req), "POST") != 0) {
		respond_text(req, 404, "not found\n");
		return;
	}
	if (!http_query_param(req, "prefix", prefix, sizeof(prefix)) ||
	    !http_query_param(req, "n", count, sizeof(count))) {
		respond_text(req, 400, "prefix and n are required\n");
		return;
	}
	bus_port_drop_next(edge->port, prefix, (unsigned)strtoul(count, NULL, 10));
	respond_text(req, 200, "ok\n");
}

static const struct http_route admin_routes[] = {
	{ .path = "/healthz", .fn = on_healthz },
	{ .path = "/readyz", .fn = on_readyz },
	{ .path = "/metrics", .fn = on_metrics },
	{ .path = "/test/drop", .fn = on_test_drop },
};

enum status front_start(struct edge *edge, struct err *err)
{
	struct http_config cfg = {
		.bind = edge->cfg.listen,
		.threads = (int)edge->cfg.http_threads,
		.request_timeout_ms = (int)edge->cfg.request_timeout_ms,
		.server_name = "clients",
		.routes = client_routes,
		.routes_len = ARRAY_LEN(client_routes),
		.arg = edge,
	};

	return http_front_new(&cfg, &edge->front, err);
}

enum status front_start_admin(struct edge *edge, struct err *err)
{
	struct http_config cfg = {
		.bind = edge->cfg.admin,
		.threads = 2,
		.request_timeout_ms = (int)edge->cfg.request_timeout_ms,
		.server_name = "admin",
		.routes = admin_routes,
		.routes_len = ARRAY_LEN(admin_routes),
		.arg = edge,
	};

	return http_front_new(&cfg, &edge->admin, err);
}
