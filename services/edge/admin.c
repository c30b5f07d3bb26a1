/* The admin port: is it well, is it ready, what has it counted. */
#include <stdlib.h>
#include <string.h>

#include "base/attrs.h"
#include "edge.h"
#include "metrics/metrics.h"

static void respond_text(struct http_request *req, int status, const char *text)
{
	http_respond(req, status, "text/plain; charset=UTF-8", bytes_of_str(text), NULL);
}

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

enum status admin_start(struct edge *edge, struct err *err)
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
