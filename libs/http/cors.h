/*
 * cors: which pages may talk to us, by the Origin their browser names.
 *
 * A setting says: "" is pages of our own host alone, "*" any, else a list of origins beside our
 * own. Our own are those whose host and port are the request's Host; the scheme is not compared,
 * because TLS ends in front of us. Browsers check the headers only for answers they let a page
 * read: what must not happen for a foreign page is to be refused by whoever asks http_cors_judge().
 * Credentials are never allowed: tokens travel in the payload, not in cookies.
 *
 * Threads: does not change after http_cors_new(); any thread may ask, within the request's handler.
 */
#ifndef HTTP_CORS_H
#define HTTP_CORS_H

#include "http/http.h"

struct http_cors;

enum http_origin {
	HTTP_ORIGIN_NONE, /* not a browser, or a page that reads from its own host */
	HTTP_ORIGIN_ALLOWED,
	HTTP_ORIGIN_FOREIGN,   /* "null" as well, unless any is allowed */
	HTTP_ORIGIN_MALFORMED, /* doubled, empty, too long, or with characters no origin has */
};

/*
 * `origins` is "", "*", or scheme://host[:port] as browsers write it, several of them apart by
 * commas or spaces. Fails with INVALID, naming the entry that is malformed.
 */
enum status http_cors_new(
    const char *origins, struct http_cors **ret_cors, struct err *err) MUST_CHECK;
void http_cors_free(struct http_cors *cors); /* NULL is fine */

enum http_origin http_cors_judge(const struct http_cors *cors, const struct http_request *req);

/* The header lines of any answer to the request, also of one that refuses it. */
void http_cors_append_headers(
    const struct http_cors *cors, const struct http_request *req, struct buf *out);

/* The same for the answer to a preflight (OPTIONS), with what a page may send. */
void http_cors_append_preflight(
    const struct http_cors *cors, const struct http_request *req, struct buf *out);

#endif
