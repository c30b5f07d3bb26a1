/*
 * The gate in front of every handler. civetweb takes what can be read in two ways (two lengths, the
 * first wins; "5abc" is 5; a length beside chunks), and a proxy in front may have read it the other
 * way: whatever is ambiguous is refused here, before anybody acts on it.
 */
#include <string.h>
#include <strings.h>

#include "http/head.h"

enum { LENGTH_DIGITS_MAX = 15 };

bool is_made_of(const char *text, const char *allowed)
{
	return text[0] != '\0' && text[strspn(text, allowed)] == '\0';
}

/* A host name, an IPv4 address or an IPv6 one in brackets, with or without a port. */
static bool is_host(const char *value)
{
	return is_made_of(
	    value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]");
}

/* civetweb takes any visible character. */
static bool is_token(const char *name)
{
	return is_made_of(name, HEAD_TOKEN_CHARS);
}

static int refuse(int status, const char *why, const char **ret_why)
{
	*ret_why = why;
	return status;
}

const char *head_value(const struct http_head *head, const char *name)
{
	for (size_t i = 0; i < head->lines_len; i++) {
		if (strcasecmp(head->lines[i].name, name) == 0)
			return head->lines[i].value;
	}
	return NULL;
}

size_t head_count(const struct http_head *head, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < head->lines_len; i++)
		count += strcasecmp(head->lines[i].name, name) == 0;
	return count;
}

/* Of the codings only the plain chunked one is ever taken: the others need a decoder. */
static int judge_coding(const struct http_head *head, bool takes_body, const char **ret_why)
{
	size_t codings = head_count(head, "Transfer-Encoding");

	if (codings == 0)
		return 0;
	if (codings > 1 || strcmp(head->version, "1.1") != 0)
		return refuse(400, "malformed Transfer-Encoding", ret_why);
	if (!takes_body)
		return refuse(411, "Content-Length is required", ret_why);
	if (strcasecmp(head_value(head, "Transfer-Encoding"), "chunked") != 0)
		return refuse(400, "unknown Transfer-Encoding", ret_why);
	return 0;
}

static int judge_length(const struct http_head *head, const char **ret_why)
{
	size_t lengths = head_count(head, "Content-Length");
	const char *length = head_value(head, "Content-Length");

	if (lengths > 1)
		return refuse(400, "more than one Content-Length", ret_why);
	if (lengths && head_count(head, "Transfer-Encoding"))
		return refuse(400, "Content-Length beside Transfer-Encoding", ret_why);
	if (length && (!is_made_of(length, "0123456789") || strlen(length) > LENGTH_DIGITS_MAX))
		return refuse(400, "malformed Content-Length", ret_why);
	return 0;
}

int head_judge(const struct http_head *head, bool takes_body, const char **ret_why)
{
	int status;

	*ret_why = NULL;
	if (head->lines_len > HEAD_LINES_MAX)
		return refuse(431, "too many header lines", ret_why);
	for (size_t i = 0; i < head->lines_len; i++) {
		if (!is_token(head->lines[i].name))
			return refuse(400, "malformed header name", ret_why);
	}
	if (head->path[0] != '/')
		return refuse(400, "the target is not a path", ret_why);
	if (head_count(head, "Host") != 1)
		return refuse(400, "exactly one Host is required", ret_why);
	if (!is_host(head_value(head, "Host")))
		return refuse(400, "malformed Host", ret_why);
	status = judge_length(head, ret_why);
	return status ? status : judge_coding(head, takes_body, ret_why);
}
