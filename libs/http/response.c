/* Answers are formatted here and nowhere else, whoever writes them: a worker of civetweb or a loop.
 */
#include <assert.h>
#include <time.h>

#include "base/attrs.h"
#include "http/http.h"

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{ 200, "OK" },
	{ 204, "No Content" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 411, "Length Required" },
	{ 413, "Content Too Large" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 503, "Service Unavailable" },
};

static const char *reason_of(int status)
{
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		if (reasons[i].status == status)
			return reasons[i].reason;
	}
	return NULL;
}

static void append_date(struct buf *out)
{
	char date[64];
	struct tm tm;
	time_t now = time(NULL);

	(void)gmtime_r(&now, &tm);
	(void)strftime(date, sizeof(date), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
	buf_append_str(out, date);
}

/* A client has the body already, or must not be told one. */
static bool has_no_type(int status)
{
	return status == 204 || status == 304;
}

void http_append_head(
    struct buf *out, int status, const char *content_type, size_t length, const char *headers)
{
	const char *reason = reason_of(status);

	assert(reason); /* whoever needs another status adds its row */
	/* It would be read as the next answer. */
	assert(length == 0 || !has_no_type(status));
	buf_appendf(out, "HTTP/1.1 %d %s\r\n", status, reason);
	append_date(out);
	if (content_type && !has_no_type(status))
		buf_appendf(out, "Content-Type: %s\r\n", content_type);
	/* With 204 too, which RFC 9110 section 8.6 forbids: Safari waits for a body otherwise. With
	 * 304 it would be the length of what the client has. */
	if (status != 304)
		buf_appendf(out, "Content-Length: %zu\r\n", length);
	if (headers)
		buf_append_str(out, headers);
	buf_append_str(out, "Connection: close\r\n\r\n");
}

void http_append_response(
    struct buf *out, int status, const char *content_type, struct bytes body, const char *headers)
{
	http_append_head(out, status, content_type, body.len, headers);
	buf_append_bytes(out, body);
}
