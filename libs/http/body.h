/*
 * body: a request's body, read piece by piece by whoever has adopted its connection.
 *
 * It does no I/O and knows no connection: it is fed what was received, in pieces of any size, and
 * says whether that was all. Chunks (RFC 9112 section 7.1) are decoded; what is not exactly as
 * written there is malformed, for whoever reads it in another way sees another body. Memory grows
 * with what was received, never with what a length announces.
 *
 * Ownership: `data` is the body's own, until http_body_finish().
 * Threads:   it belongs to one thread at a time; nothing of the request is kept, so that it can be
 *            made on a worker and fed on a loop.
 */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include "http/http.h"

enum http_body_state {
	HTTP_BODY_MORE, /* feed it what comes next */
	HTTP_BODY_DONE,
	HTTP_BODY_TOO_LARGE, /* longer than max: announced, or received already */
	HTTP_BODY_MALFORMED,
};

struct http_body {
	size_t max;      /* bytes of data at most */
	struct buf data; /* decoded, as far as received */
	size_t surplus;  /* bytes received behind the body's end, which are ignored */

	/* The rest is for body.c. */
	enum http_body_state state;
	int step;
	uint64_t left; /* of the content or of the chunk; while a size is read, the size */
	size_t digits, extension, trailers;
	bool expects_continue;
};

/* The body that the request's head announces. Needs http_body_finish(), in whatever state. */
void http_body_init(struct http_body *body, const struct http_request *req, size_t max);
void http_body_finish(struct http_body *body);

/*
 * Feed what was received. Empty input tells the state: a body without bytes is DONE and one that
 * announces too much TOO_LARGE from the start. Once it is not MORE it stays what it is.
 */
enum http_body_state http_body_feed(struct http_body *body, struct bytes input);

/* Does the client wait for "100 Continue" before it sends the body? No longer once a byte came. */
bool http_body_wants_continue(const struct http_body *body);

#endif
