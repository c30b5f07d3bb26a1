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

void http_append_response(
    struct buf *out, int status, const char *content_type, struct bytes body, const char *headers)
{
	const char *reason = reason_of(status);

	assert(reason);                         /* whoever needs another status adds its row */
	assert(status != 204 || body.len == 0); /* it would be read as the next answer */
	buf_appendf(out, "HTTP/1.1 %d %s\r\n", status, reason);
	append_date(out);
	if (content_type && status != 204)
		buf_appendf(out, "Content-Type: %s\r\n", content_type);
	/* With 204 too, which RFC 9110 section 8.6 forbids: Safari waits for a body otherwise. */
	buf_appendf(out, "Content-Length: %zu\r\n", body.len);
	if (headers)
		buf_append_str(out, headers);
	buf_append_str(out, "Connection: close\r\n\r\n");
	buf_append_bytes(out, body);
}
