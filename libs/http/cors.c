/*
 * Origins. Only two things of a request get into an answer: an Origin that has the form of one and
 * equals an entry or our own host, and a list of header names made of the characters of names.
 */
#include "http/cors.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"
#include "http/head.h"

enum {
	ORIGIN_MAX = 256,
	NAMES_MAX = 1024,
	PORT_DIGITS_MAX = 5,
};

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static const char separators[] = ", \t";

struct http_cors {
	bool any;
	char *text;           /* the setting, cut into entries */
	const char **origins; /* point into text */
	size_t origins_len;
};

static bool is_scheme(const char *text, size_t len)
{
	return len > 0 && isalpha((unsigned char)text[0]) && strspn(text, ALNUM "+-.") == len;
}

/* The length of the host that begins here, 0 if none does. */
static size_t host_length(const char *text)
{
	size_t len;

	if (text[0] != '[')
		return strspn(text, ALNUM ".-_");
	len = 1 + strspn(text + 1, "0123456789abcdefABCDEF:.");
	return len > 1 && text[len] == ']' ? len + 1 : 0;
}

static bool is_port(const char *text)
{
	size_t len = strlen(text);
	unsigned long port;

	if (len > PORT_DIGITS_MAX || !is_made_of(text, "0123456789"))
		return false;
	port = strtoul(text, NULL, 10);
	return port > 0 && port <= UINT16_MAX;
}

/* The host[:port] of scheme://host[:port]; NULL if the text is not of that form. */
static const char *host_of(const char *origin)
{
	const char *host = strstr(origin, "://");
	size_t len;

	if (!host || !is_scheme(origin, (size_t)(host - origin)))
		return NULL;
	host += strlen("://");
	len = host_length(host);
	if (len == 0 || (host[len] != '\0' && (host[len] != ':' || !is_port(host + len + 1))))
		return NULL;
	return host;
}

/* What may stand in a header, of a length that an origin may have. */
static bool is_text(const char *origin)
{
	size_t len = strlen(origin);

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)origin[i] < ' ' || origin[i] == 0x7f)
			return false;
	}
	return len > 0 && len <= ORIGIN_MAX;
}

/* Visible ASCII. */
static bool is_legal(const char *origin)
{
	for (; *origin; origin++) {
		if (*origin <= ' ' || *origin > '~')
			return false;
	}
	return true;
}

static bool is_listed(const struct http_cors *cors, const char *origin)
{
	for (size_t i = 0; i < cors->origins_len; i++) {
		if (strcasecmp(cors->origins[i], origin) == 0)
			return true;
	}
	return false;
}

static void split(struct http_cors *cors)
{
	char *at = cors->text + strspn(cors->text, separators);

	while (*at) {
		char *end = at + strcspn(at, separators);
		char *next = end + strspn(end, separators);

		*end = '\0';
		cors->origins[cors->origins_len++] = at;
		at = next;
	}
}

static enum status check_entries(const struct http_cors *cors, struct err *err)
{
	for (size_t i = 0; i < cors->origins_len; i++) {
		const char *origin = cors->origins[i];

		if (!host_of(origin) || !is_text(origin) || !is_legal(origin))
			return err_set(err, STATUS_INVALID,
			    "origin \"%s\" is not scheme://host[:port]", origin);
	}
	return STATUS_OK;
}

enum status http_cors_new(const char *origins, struct http_cors **ret_cors, struct err *err)
{
	struct http_cors *cors = xcalloc(1, sizeof(*cors));
	enum status s;

	cors->text = xstrdup(origins);
	cors->origins = xcalloc(strlen(origins) / 2 + 1, sizeof(*cors->origins));
	split(cors);
	cors->any = cors->origins_len == 1 && strcmp(cors->origins[0], "*") == 0;
	s = cors->any ? STATUS_OK : check_entries(cors, err);
	if (s) {
		http_cors_free(cors);
		return s;
	}
	*ret_cors = cors;
	return STATUS_OK;
}

void http_cors_free(struct http_cors *cors)
{
	if (!cors)
		return;
	free(cors->origins);
	free(cors->text);
	free(cors);
}

enum http_origin cors_judge(const struct http_cors *cors, const struct http_head *head)
{
	const char *origin = head_value(head, "Origin");
	const char *host;

	if (!origin)
		return HTTP_ORIGIN_NONE;
	if (head_count(head, "Origin") > 1 || !is_text(origin))
		return HTTP_ORIGIN_MALFORMED;
	if (cors->any)
		return HTTP_ORIGIN_ALLOWED; /* whatever it says */
	if (!is_legal(origin))
		return HTTP_ORIGIN_MALFORMED;
	host = host_of(origin);
	if (!host)
		return HTTP_ORIGIN_FOREIGN;
	if (strcasecmp(host, head_value(head, "Host")) == 0 || is_listed(cors, origin))
		return HTTP_ORIGIN_ALLOWED;
	return HTTP_ORIGIN_FOREIGN;
}

void cors_append_headers(
    const struct http_cors *cors, const struct http_head *head, struct buf *out)
{
	if (cors->any) {
		buf_append_str(out, "Access-Control-Allow-Origin: *\r\n");
		return;
	}
	if (cors->origins_len == 0)
		return; /* a browser asks nothing of an answer to our own pages */
	if (cors_judge(cors, head) == HTTP_ORIGIN_ALLOWED)
		buf_appendf(out, "Access-Control-Allow-Origin: %s\r\n", head_value(head, "Origin"));
	buf_append_str(out, "Vary: Origin\r\n"); /* for caches, whatever this one said */
}

void cors_append_preflight(
    const struct http_cors *cors, const struct http_head *head, struct buf *out)
{
	const char *names = head_value(head, "Access-Control-Request-Headers");

	cors_append_headers(cors, head, out);
	buf_append_str(out, "Access-Control-Allow-Methods: GET,HEAD,PUT,PATCH,POST,DELETE\r\n");
	if (names && head_count(head, "Access-Control-Request-Headers") == 1 &&
	    strlen(names) <= NAMES_MAX && is_made_of(names, HEAD_TOKEN_CHARS ", "))
		buf_appendf(out, "Access-Control-Allow-Headers: %s\r\n", names);
	/* For caches, also where none were asked for. */
	buf_append_str(out, "Vary: Access-Control-Request-Headers\r\n");
}

enum http_origin http_cors_judge(const struct http_cors *cors, const struct http_request *req)
{
	return cors_judge(cors, request_head(req));
}

void http_cors_append_headers(
    const struct http_cors *cors, const struct http_request *req, struct buf *out)
{
	cors_append_headers(cors, request_head(req), out);
}

void http_cors_append_preflight(
    const struct http_cors *cors, const struct http_request *req, struct buf *out)
{
	cors_append_preflight(cors, request_head(req), out);
}
