/*
 * head: a request's head as plain strings, and the rules about it. Pure: no connection, no
 * civetweb. Internal to libs/http; tests include it.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "http/body.h"
#include "http/cors.h"

enum {
	HEAD_LINES_MAX = 60,
	HEAD_LINES_CAP = 64, /* what civetweb keeps; it drops the rest without a word */
};

struct head_line {
	const char *name, *value;
};

struct http_head {
	const char *method;
	const char *path;    /* as sent, before the '?' */
	const char *query;   /* as sent; "" if none */
	const char *version; /* "1.1" */
	struct head_line lines[HEAD_LINES_CAP];
	size_t lines_len;
};

/* The first line of that name, compared without case; NULL if there is none. */
const char *head_value(const struct http_head *head, const char *name);
size_t head_count(const struct http_head *head, const char *name);

/*
 * The gate: 0, or the status to refuse with and a word why. `takes_body` is that of the route:
 * without it a body of unknown length is refused.
 */
int head_judge(const struct http_head *head, bool takes_body, const char **ret_why);

/* RFC 9110 section 5.6.2: what a header's name is made of. */
#define HEAD_TOKEN_CHARS \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~"

/* Is the text not empty and of these characters alone? */
bool is_made_of(const char *text, const char *allowed);

/* The head of a request. */
const struct http_head *request_head(const struct http_request *req);

/* See http_body_init(); the head is one that the gate let through. */
void body_init(struct http_body *body, const struct http_head *head, size_t max);

/* See http/cors.h; the head is one that the gate let through. */
enum http_origin cors_judge(const struct http_cors *cors, const struct http_head *head);
void cors_append_headers(
    const struct http_cors *cors, const struct http_head *head, struct buf *out);
void cors_append_preflight(
    const struct http_cors *cors, const struct http_head *head, struct buf *out);

/* See http_client_address(); `peer` is the address of the other end. */
bool client_address(const struct http_head *head, const char *peer, const struct networks *trusted,
    struct address *ret_address);

int hex_digit(char c); /* its value, or -1 */

/* See http_query_has() and http_query_param(). */
bool query_has(const char *query, const char *name);
bool query_param(const char *query, const char *name, char *ret_value, size_t size);

/* See http_websocket_check(). */
const char *websocket_check(const struct http_head *head);

#endif
