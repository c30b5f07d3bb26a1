/* Looked up, then told in one set of headers, whatever the answer. */
#include "static.h"

#include <string.h>

#include "metrics.h"
#include "static_files.h"

#define TEXT_TYPE "text/plain; charset=utf-8"

/* What pages may do: nothing that is not of this edge. No frame around them, no opener beside. */
#define POLICIES                                                                             \
	"X-Content-Type-Options: nosniff\r\n"                                                \
	"Referrer-Policy: same-origin\r\n" /* none at all would make posts of polling come   \
					      from the origin "null" */                      \
	"Permissions-Policy: camera=(), display-capture=(), geolocation=(), microphone=(), " \
	"payment=(), usb=()\r\n"                                                             \
	"Cross-Origin-Opener-Policy: same-origin\r\n"                                        \
	"Cross-Origin-Resource-Policy: same-origin\r\n"

/*
 * WebSockets of the page's own host are named, since some browsers do not count them as 'self'. The
 * header is of the client's making, but the gate let no Host through that is not one, and an answer
 * is for nobody else.
 */
static void append_content_policy(struct buf *out, const struct http_request *req)
{
	const char *host = http_header(req, "Host");

	buf_appendf(out,
	    "Content-Security-Policy: default-src 'self'; connect-src 'self' ws://%s wss://%s; "
	    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'\r\n",
	    host, host);
}

static void append_headers(struct buf *out, const struct http_request *req,
    const struct static_file *file, const struct static_body *body)
{
	buf_appendf(out, "ETag: %s\r\n", body->etag);
	buf_append_str(out, file->is_immutable
				? "Cache-Control: public, max-age=31536000, immutable\r\n"
				: "Cache-Control: no-cache\r\n");
	if (file->gzip.data.len)
		buf_append_str(out, "Vary: Accept-Encoding\r\n");
	if (body == &file->gzip)
		buf_append_str(out, "Content-Encoding: gzip\r\n");
	append_content_policy(out, req);
	buf_append_str(out, POLICIES);
}

static enum static_outcome answer(
    struct engine *engine, struct http_request *req, const struct static_file *file)
{
	bool is_gzip =
	    file->gzip.data.len && http_accepts_gzip(http_header(req, "Accept-Encoding"));
	const struct static_body *body = is_gzip ? &file->gzip : &file->body;
	enum static_outcome outcome = STATIC_SENT;
	struct buf headers = BUF_INIT;

	append_headers(&headers, req, file, body);
	if (http_none_match_has(http_header(req, "If-None-Match"), body->etag)) {
		outcome = STATIC_UNCHANGED;
		http_respond(req, 304, NULL, bytes_of(NULL, 0), buf_str(&headers));
	} else if (strcmp(http_method(req), "HEAD") == 0) {
		http_respond(req, 200, file->type, body->data, buf_str(&headers));
	} else {
		engine_send(engine, req, file->type, body->data, buf_str(&headers));
	}
	buf_finish(&headers);
	return outcome;
}

static enum static_outcome refuse(
    struct http_request *req, int status, const char *text, const char *headers)
{
	http_respond(req, status, TEXT_TYPE, bytes_of_str(text), headers);
	return status == 405 ? STATIC_METHOD : STATIC_NOT_FOUND;
}

void static_serve(void *files, struct engine *engine, struct http_request *req)
{
	const struct static_file *file = static_files_find(files, http_path(req));
	const char *method = http_method(req);
	enum static_outcome outcome;

	if (!file)
		outcome = refuse(req, 404, "no such path\n", NULL);
	else if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		outcome = refuse(req, 405, "only GET and HEAD\n", "Allow: GET, HEAD\r\n");
	else
		outcome = answer(engine, req, file);
	count_static(outcome);
}
