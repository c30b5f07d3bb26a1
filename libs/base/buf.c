/* A growable buffer: doubles from 64 bytes. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"

enum { FIRST_CAP = 64 };

void buf_finish(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf)BUF_INIT;
}

uint8_t *buf_reserve(struct buf *buf, size_t extra)
{
	if (!buf->data || buf->cap - buf->len < extra) {
		size_t cap = buf->cap ? buf->cap : FIRST_CAP;

		while (cap - buf->len < extra)
			cap *= 2;
		buf->data = xrealloc(buf->data, cap);
		buf->cap = cap;
	}
	return buf->data + buf->len;
}

void buf_append(struct buf *buf, const void *data, size_t len)
{
	if (len == 0)
		return;
	memcpy(buf_reserve(buf, len), data, len);
	buf->len += len;
}

void buf_append_bytes(struct buf *buf, struct bytes bytes)
{
	buf_append(buf, bytes.data, bytes.len);
}

void buf_append_str(struct buf *buf, const char *text)
{
	buf_append(buf, text, strlen(text));
}

void buf_append_char(struct buf *buf, char c)
{
	*buf_reserve(buf, 1) = (uint8_t)c;
	buf->len++;
}

void buf_appendf(struct buf *buf, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len <= 0)
		return;
	va_start(args, fmt);
	(void)vsnprintf((char *)buf_reserve(buf, (size_t)len + 1), (size_t)len + 1, fmt, args);
	va_end(args);
	buf->len += (size_t)len;
}

void buf_append_u64(struct buf *buf, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	buf_append(buf, digits + at, sizeof(digits) - at);
}

const char *buf_str(struct buf *buf)
{
	*buf_reserve(buf, 1) = '\0';
	return (const char *)buf->data;
}

uint8_t *buf_take(struct buf *buf, size_t *ret_len)
{
	uint8_t *data = buf->data;

	if (ret_len)
		*ret_len = buf->len;
	*buf = (struct buf)BUF_INIT;
	return data;
}
