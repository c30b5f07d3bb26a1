/*
 * http: an HTTP/1.1 front that can hand a connection away.
 *
 * civetweb accepts, parses and calls the one router here; civetweb.h is included nowhere else. What
 * it serves itself are short answers. A connection that is to live longer (a WebSocket, a waiting
 * poll) is adopted: its descriptor is taken out of civetweb before anything is answered, and the
 * worker thread is free again (docs/adr/0001-adoption.md).
 *
 * Before the router runs, a strict gate has refused what could be read in two ways: more than 60
 * headers, a missing or doubled Host, a doubled or malformed Content-Length, Transfer-Encoding
 * together with Content-Length; and chunked bodies, except on the routes that take bodies (411).
 * A body is never read here: whoever takes one adopts the connection and reads it on a loop
 * (http/body.h).
 *
 * Threads: handlers run on civetweb's workers, which have 100 KiB stacks: no recursion over input,
 * no large locals, no parser of untrusted bytes.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "base/address.h"
#include "base/buf.h"
#include "base/err.h"

struct http_front;
struct http_request; /* lives for the call of its handler */

typedef void (*http_handler)(void *arg, struct http_request *req);

/* Routes are compared exactly and case-sensitively: a path with and one without a slash are two.
 */
struct http_route {
	const char *path; /* "/healthz" */
	http_handler fn;
	bool takes_body; /* it adopts requests with a body, chunked ones too */
};

struct http_config {
	const char *bind;        /* "127.0.0.1:3000"; port 0 picks a free one */
	int threads;             /* civetweb workers */
	int request_timeout_ms;  /* for the whole head of a request */
	const char *server_name; /* for the log */
	const struct http_route *routes;
	size_t routes_len;
	http_handler other; /* of paths that have no route; NULL: 404 */
	void *arg;          /* for every handler */
};

/*
 * Raises the soft limit of descriptors to the hard one and returns what is in force. Every front
 * does it; a program that wants to say what it got asks again.
 */
int http_raise_descriptor_limit(void);

/*
 * One front listens on one IPv4 address; a process may have several. Ignores SIGPIPE for the
 * process. A connection carries one request: every answer closes it (a proxy in front keeps its
 * clients' open).
 */
enum status http_front_new(
    const struct http_config *cfg, struct http_front **ret_front, struct err *err) MUST_CHECK;
void http_front_stop_accepting(struct http_front *front); /* new connections are refused with 503 */
void http_front_free(struct http_front *front);           /* joins the workers; NULL is fine */
uint64_t http_front_refused(const struct http_front *front); /* heads that reached no handler */
int http_front_port(const struct http_front *front);         /* the one really bound */

/* Of a request; strings are borrowed until the handler returns or http_adopt() is called. */
const char *http_method(const struct http_request *req);
const char *http_path(const struct http_request *req);  /* as sent, before the '?' */
const char *http_query(const struct http_request *req); /* as sent; "" if none */
const char *http_header(const struct http_request *req, const char *name); /* NULL if absent */
const char *http_peer(const struct http_request *req);                     /* the peer's address */

/*
 * Whose request it is: the peer's address or, while that is a trusted proxy's, the one before it in
 * X-Forwarded-For, read from the right. A value that is no address ends the search at the proxy
 * that passed it on, as do more than 16. False if the peer has no address that can be told.
 */
bool http_client_address(const struct http_request *req, const struct networks *trusted,
    struct address *ret_address) MUST_CHECK;

/* Is there a parameter of exactly this name, with whatever value? */
bool http_query_has(const struct http_request *req, const char *name);

/* The percent-decoded value of one query parameter; false if absent, malformed or too long. */
bool http_query_param(
    const struct http_request *req, const char *name, char *ret_value, size_t size);

/*
 * Append a whole HTTP/1.1 answer, which closes its connection: for those who have adopted one.
 * `content_type` may be NULL and is left out with 204 and 304, whose bodies are empty. `headers` is
 * NULL or whole lines ending in CR LF.
 */
void http_append_response(
    struct buf *out, int status, const char *content_type, struct bytes body, const char *headers);
/* The same up to the empty line, for who writes a body of `length` bytes behind it. */
void http_append_head(
    struct buf *out, int status, const char *content_type, size_t length, const char *headers);

/* Answer with such a response, once; to HEAD without the body. */
void http_respond(struct http_request *req, int status, const char *content_type, struct bytes body,
    const char *headers);

/*
 * Take the connection. On success the caller owns *ret_fd (non-blocking, close-on-exec, numbered
 * above the floor) and must return from the handler at once without answering.
 *
 * The bytes of the body that were read together with the head, chunk-coded or not, are appended to
 * `ret_early`: they come before whatever is read from the descriptor. With NULL there may be none:
 * no client may send anything between a WebSocket's handshake and its 101 (RFC 6455 section 4.1).
 *
 * Fails, after having answered, and *ret_early is unchanged then: if bytes came that may not (400),
 * if no descriptor is left or the client sends too fast to be counted (503), if the descriptor
 * can't be told apart (500).
 */
enum status http_adopt(
    struct http_request *req, int *ret_fd, struct buf *ret_early, struct err *err) MUST_CHECK;

/* Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 section 4.2.2): 28 characters and a NUL.
 */
void http_websocket_accept(const char *key, char ret_accept[static 29]);

/* Is this a well-formed WebSocket handshake (RFC 6455 section 4.2.1)? NULL or what is wrong. */
const char *http_websocket_check(const struct http_request *req);

#endif
