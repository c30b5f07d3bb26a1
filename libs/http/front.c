/*
 * The front: civetweb's one callback as the router, and what handlers may ask of their request.
 *
 * civetweb closes each connection after its request (keep-alive is off). An idle connection would
 * hold a worker, and only on the first request of a connection is "bytes received = bytes of this
 * head" a statement about what the client sent early. Connections that come through the proxy cost
 * it a connect over the local network; those that live long are adopted anyway.
 */
#include <assert.h>
#include <civetweb.h>
#include <ctype.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/xalloc.h"
#include "http/adopt.h"
#include "http/head.h"
#include "http/http.h"

enum {
	HEAD_BYTES_MAX = 16384, /* of a request; also the size of a worker's buffer */
	COMPLAINT_SIZE = 160,
};

struct http_front {
	struct mg_context *civetweb;
	struct http_route *routes;
	size_t routes_len;
	http_handler other;
	void *arg;
	int port;
	atomic_bool started, refusing;
	_Atomic uint64_t refused;
	char complaint[COMPLAINT_SIZE]; /* what civetweb said before it had started */
};

struct http_request {
	struct http_front *front;
	struct mg_connection *conn;
	const struct mg_request_info *info;
	size_t head_len; /* in bytes, to the end of the empty line */
	int status;      /* what was answered, 0 if nothing was yet */
	struct http_head head;
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void init_library(void)
{
	(void)mg_init_library(MG_FEATURES_DEFAULT);
}

/*
 * The bytes of the head, or 0 if it holds any that did not become a part of the request. civetweb
 * cuts the head in place: words end in a NUL where a separator was, lines in two where CR LF was.
 * It also drops, without a word, whatever follows a line it can't read (a folded one, one that
 * starts with a colon), accepts bare LF and spaces before a colon, which others read in other ways.
 * So the parts have to lie end to end, up to the empty line, whose LF has become a NUL as well.
 */
static __attribute__((no_sanitize("address"))) size_t head_length(
    const struct mg_request_info *info)
{
	const char *at = info->request_method + strlen(info->request_method) + 1;

	if (at != info->request_uri)
		return 0;
	at += strlen(at) + 1;
	if (info->query_string) {
		if (at != info->query_string)
			return 0;
		at += strlen(at) + 1;
	}
	if (at + strlen("HTTP/") != info->http_version)
		return 0;
	at = info->http_version + strlen(info->http_version) + 2;
	for (int i = 0; i < info->num_headers; i++) {
		const struct mg_header *line = &info->http_headers[i];

		if (at != line->name)
			return 0;
		at += strlen(at) + 1;
		at += strspn(at, " ");
		if (at != line->value)
			return 0;
		at += strlen(at);
		if (at[1] != '\0')
			return 0;
		at += 2;
	}
	/* After a bare LF the head has ended already, and in a buffer that is full to the last byte
	 * this reads one byte of malloc's rounding: hence the attribute. */
	if (at[0] != '\r' || at[1] != '\0')
		return 0;
	return (size_t)(at + 2 - info->request_method);
}

static void read_head(const struct mg_request_info *info, struct http_head *head)
{
	head->method = info->request_method;
	head->path = info->request_uri; /* cut at the '?' */
	head->query = info->query_string ? info->query_string : "";
	head->version = info->http_version;
	head->lines_len = (size_t)info->num_headers;
	for (size_t i = 0; i < head->lines_len; i++) {
		head->lines[i].name = info->http_headers[i].name;
		head->lines[i].value = info->http_headers[i].value;
	}
}

static void respond_text(struct http_request *req, int status, const char *text)
{
	char line[128];
	int len = snprintf(line, sizeof(line), "%s\n", text);

	http_respond(req, status, "text/plain; charset=utf-8", bytes_of(line, (size_t)len), NULL);
}

static const struct http_route *find_route(const struct http_front *front, const char *path)
{
	for (size_t i = 0; i < front->routes_len; i++) {
		if (strcmp(front->routes[i].path, path) == 0)
			return &front->routes[i];
	}
	return NULL;
}

static void refuse_head(struct http_request *req, int status, const char *why)
{
	atomic_fetch_add_explicit(&req->front->refused, 1, memory_order_relaxed);
	respond_text(req, status, why);
}

static void answer(struct http_request *req)
{
	const struct http_route *route = find_route(req->front, req->head.path);
	const char *why;
	int status = head_judge(&req->head, route && route->takes_body, &why);

	if (status) {
		refuse_head(req, status, why);
		return;
	}
	if (req->head_len == 0) {
		refuse_head(req, 400, "malformed head");
		return;
	}
	if (atomic_load_explicit(&req->front->refusing, memory_order_relaxed)) {
		respond_text(req, 503, "going away");
		return;
	}
	if (route)
		route->fn(req->front->arg, req);
	else if (req->front->other)
		req->front->other(req->front->arg, req);
	else
		respond_text(req, 404, "no such path");
}

/* The whole router: civetweb calls it for every request, upgrades too, before it does anything. */
static int on_request(struct mg_connection *conn)
{
	const struct mg_request_info *info = mg_get_request_info(conn);
	struct http_request req = {
		.front = info->user_data,
		.conn = conn,
		.info = info,
		.head_len = head_length(info),
	};

	/* Otherwise civetweb reads the rest of the body first, at the client's pace and without
	 * end. */
	mg_disable_connection_keep_alive(conn);
	read_head(info, &req.head);
	answer(&req);
	assert(req.status != 0); /* a handler has to answer or adopt */
	return req.status;
}

/* civetweb refuses by itself what it can't read as a head, or not in time; it goes on to answer. */
static int on_error(struct mg_connection *conn, int status, const char *message)
{
	struct http_front *front = mg_get_user_data(mg_get_context(conn));

	(void)status;
	(void)message;
	atomic_fetch_add_explicit(&front->refused, 1, memory_order_relaxed);
	return 1;
}

/* Keeps why it could not start; afterwards it only tells what clients did wrong. */
static int on_complaint(const struct mg_connection *conn, const char *message)
{
	struct http_front *front = mg_get_user_data(mg_get_context(conn));

	if (front && !atomic_load(&front->started) && !front->complaint[0])
		(void)snprintf(front->complaint, sizeof(front->complaint), "%s", message);
	return 1;
}

static enum status start_civetweb(
    struct http_front *front, const struct http_config *cfg, struct err *err)
{
	char threads[16], timeout_ms[16], head_bytes[16], text[COMPLAINT_SIZE] = "";
	/* Name and value on one line. clang-format would not. */
	/* clang-format off */
	const char *options[] = {
		"listening_ports", cfg->bind,
		"num_threads", threads,
		"request_timeout_ms", timeout_ms,
		"max_request_size", head_bytes,
		"connection_queue", "128",
		"listen_backlog", "4096",
		"tcp_nodelay", "1",
		"enable_keep_alive", "no",
		"enable_directory_listing", "no",
		"decode_url", "no", /* routes are compared as sent */
		"access_control_allow_methods", "", /* or it answers preflights itself */
		"access_control_allow_origin", "",
		NULL,
	};
	/* clang-format on */
	struct mg_callbacks callbacks = {
		.begin_request = on_request, .http_error = on_error, .log_message = on_complaint
	};
	struct mg_init_data init = {
		.callbacks = &callbacks, .user_data = front, .configuration_options = options
	};
	struct mg_error_data error = { .text = text, .text_buffer_size = sizeof(text) };
	sigset_t all, before;

	(void)snprintf(threads, sizeof(threads), "%d", cfg->threads);
	(void)snprintf(timeout_ms, sizeof(timeout_ms), "%d", cfg->request_timeout_ms);
	(void)snprintf(head_bytes, sizeof(head_bytes), "%d", HEAD_BYTES_MAX);
	/* Its threads take an interrupted poll() for a broken connection: no signals there. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	front->civetweb = mg_start2(&init, &error);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!front->civetweb)
		return err_set(err, STATUS_UNAVAILABLE, "%s: listen on %s: %s %s", cfg->server_name,
		    cfg->bind, text, front->complaint);
	atomic_store(&front->started, true);
	return STATUS_OK;
}

enum status http_front_new(
    const struct http_config *cfg, struct http_front **ret_front, struct err *err)
{
	struct http_front *front = xcalloc(1, sizeof(*front));
	struct mg_server_port port;
	enum status s;

	(void)pthread_once(&library_once, init_library);
	(void)signal(SIGPIPE, SIG_IGN);
	adopt_init();
	front->routes = xmemdup(cfg->routes, cfg->routes_len * sizeof(*cfg->routes));
	front->routes_len = cfg->routes_len;
	front->other = cfg->other;
	front->arg = cfg->arg;
	s = start_civetweb(front, cfg, err);
	if (s) {
		free(front->routes);
		free(front);
		return s;
	}
	if (mg_get_server_ports(front->civetweb, 1, &port) == 1)
		front->port = port.port;
	s = adopt_prepare_listener(front->port, err);
	if (s) {
		http_front_free(front);
		return s;
	}
	*ret_front = front;
	return STATUS_OK;
}

void http_front_stop_accepting(struct http_front *front)
{
	atomic_store_explicit(&front->refusing, true, memory_order_relaxed);
}

void http_front_free(struct http_front *front)
{
	int listener;

	if (!front)
		return;
	/* Its accepting thread looks for the end every two seconds, or when its poll() returns. */
	listener = adopt_find_listener(front->port);
	if (listener >= 0)
		(void)shutdown(listener, SHUT_RDWR);
	mg_stop(front->civetweb);
	free(front->routes);
	free(front);
}

uint64_t http_front_refused(const struct http_front *front)
{
	return atomic_load_explicit(&front->refused, memory_order_relaxed);
}

int http_front_port(const struct http_front *front)
{
	return front->port;
}

const struct http_head *request_head(const struct http_request *req)
{
	return &req->head;
}

const char *http_method(const struct http_request *req)
{
	return req->head.method;
}

const char *http_path(const struct http_request *req)
{
	return req->head.path;
}

const char *http_query(const struct http_request *req)
{
	return req->head.query;
}

const char *http_header(const struct http_request *req, const char *name)
{
	return head_value(&req->head, name);
}

const char *http_peer(const struct http_request *req)
{
	return req->info->remote_addr;
}

bool http_client_address(
    const struct http_request *req, const struct networks *trusted, struct address *ret_address)
{
	return client_address(&req->head, http_peer(req), trusted, ret_address);
}

bool http_query_has(const struct http_request *req, const char *name)
{
	return query_has(req->head.query, name);
}

bool http_query_param(
    const struct http_request *req, const char *name, char *ret_value, size_t size)
{
	return query_param(req->head.query, name, ret_value, size);
}

const char *http_websocket_check(const struct http_request *req)
{
	return websocket_check(&req->head);
}

void http_respond(struct http_request *req, int status, const char *content_type, struct bytes body,
    const char *headers)
{
	struct buf out = BUF_INIT;

	assert(req->status == 0);
	req->status = status;
	http_append_head(&out, status, content_type, body.len, headers);
	if (strcmp(req->head.method, "HEAD") != 0)
		buf_append_bytes(&out, body);
	(void)mg_write(req->conn, out.data, out.len); /* a client that left needs no answer */
	buf_finish(&out);
}

/* Drops what is still unread: closing with unread bytes would reset the answer away. */
static void refuse_adoption(struct http_request *req, int fd, int status, const char *text)
{
	respond_text(req, status, text);
	adopt_drop_input(fd);
}

/*
 * Was there white space in front of the method? civetweb skips it, and the method is then not where
 * the worker's buffer begins. If it is there, this reads the last byte of malloc's own in front of
 * the buffer, the upper end of a size: hence the attribute.
 */
static __attribute__((no_sanitize("address", "thread"))) bool begins_late(
    const struct mg_request_info *info)
{
	return isspace((unsigned char)info->request_method[-1]);
}

/*
 * What civetweb has read beyond the head; it lies right behind it, in the worker's buffer. What is
 * in that buffer behind the last byte read is of earlier requests, so every doubt about the count
 * is a reason to refuse.
 */
static enum status find_early_bytes(
    struct http_request *req, int fd, struct bytes *ret_early, struct err *err)
{
	struct adopt_count count;
	enum status s = adopt_count(fd, &count, err);

	if (s) {
		refuse_adoption(req, fd, 503, "try again");
		return s;
	}
	if (begins_late(req->info)) {
		refuse_adoption(req, fd, 400, "bytes were sent before the request");
		return err_set(err, STATUS_INVALID, "adopt: white space before the request");
	}
	if (count.consumed > req->head_len && !adopt_is_prepared(fd)) {
		refuse_adoption(req, fd, 503, "try again");
		return err_set(err, STATUS_UNAVAILABLE, "adopt: accepted while the front started");
	}
	if (count.consumed < req->head_len || count.consumed > HEAD_BYTES_MAX) {
		refuse_adoption(req, fd, 500, "internal error");
		return err_set(err, STATUS_INTERNAL, "adopt: %llu bytes read, the head has %zu",
		    (unsigned long long)count.consumed, req->head_len);
	}
	*ret_early = bytes_of(
	    req->info->request_method + req->head_len, (size_t)count.consumed - req->head_len);
	return STATUS_OK;
}

/* Nothing but the head may have come in, read or not. */
static enum status refuse_early_bytes(struct http_request *req, int fd, struct err *err)
{
	struct adopt_count count;
	enum status s = adopt_count(fd, &count, err);

	if (s) {
		refuse_adoption(req, fd, 503, "try again");
		return s;
	}
	if (count.received != req->head_len) {
		refuse_adoption(req, fd, 400, "bytes were sent before the answer");
		return err_set(err, STATUS_INVALID, "adopt: %llu bytes received, the head has %zu",
		    (unsigned long long)count.received, req->head_len);
	}
	return STATUS_OK;
}

enum status http_adopt(
    struct http_request *req, int *ret_fd, struct buf *ret_early, struct err *err)
{
	struct adopt_tuple tuple = {
		.peer_addr = req->info->remote_addr,
		.peer_port = req->info->remote_port,
		.local_port = req->info->server_port,
	};
	struct bytes early = { 0 };
	enum status s;
	int fd;

	s = adopt_find(&tuple, &fd, err);
	if (s) {
		respond_text(req, 500, "internal error");
		return s;
	}
	s = ret_early ? find_early_bytes(req, fd, &early, err) : refuse_early_bytes(req, fd, err);
	if (s)
		return s;
	s = adopt_take(fd, ret_fd, err);
	if (s) {
		refuse_adoption(req, fd, 503, "too many connections");
		return s;
	}
	if (ret_early)
		buf_append_bytes(ret_early, early);
	req->status = 101; /* or whatever its new owner answers */
	return STATUS_OK;
}
