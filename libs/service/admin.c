/* Three routes. Alive is whoever answers; ready is whoever can do its work now. */
#include "service/admin.h"

#include "metrics/metrics.h"

enum { THREADS = 2, REQUEST_TIMEOUT_MS = 5000 };

static const char text_plain[] = "text/plain; charset=utf-8";

static void healthz(void *arg, struct http_request *req)
{
	(void)arg;
	http_respond(req, 200, text_plain, BYTES_LITERAL("ok\n"), NULL);
}

static void readyz(void *arg, struct http_request *req)
{
	struct admin *admin = arg;
	const char *why = admin->not_ready(admin->arg);
	struct buf body = BUF_INIT;

	buf_appendf(&body, "%s\n", why ? why : "ready");
	http_respond(req, why ? 503 : 200, text_plain, buf_bytes(&body), NULL);
	buf_finish(&body);
}

static void metrics(void *arg, struct http_request *req)
{
	struct buf body = BUF_INIT;

	(void)arg;
	metrics_render(&body);
	http_respond(req, 200, "text/plain; version=0.0.4; charset=utf-8", buf_bytes(&body), NULL);
	buf_finish(&body);
}

static const struct http_route routes[] = {
	{ .path = "/healthz", .fn = healthz },
	{ .path = "/readyz", .fn = readyz },
	{ .path = "/metrics", .fn = metrics },
};

enum status admin_open(struct admin *admin, const char *bind, const char *name, struct err *err)
{
	struct http_config cfg = { .bind = bind,
		.threads = THREADS,
		.request_timeout_ms = REQUEST_TIMEOUT_MS,
		.server_name = name,
		.routes = routes,
		.routes_len = ARRAY_LEN(routes),
		.arg = admin };

	return http_front_new(&cfg, &admin->front, err);
}

void admin_close(struct admin *admin)
{
	http_front_free(admin->front);
	admin->front = NULL;
}
