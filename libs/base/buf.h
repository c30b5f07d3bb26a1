/*
 * buf: a byte buffer that grows, for what we produce ourselves.
 *
 * `data` is NULL until something is written. Growth is unbounded: whoever appends what came from
 * outside checks the size first.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdint.h>

#include "base/attrs.h"
#include "base/bytes.h"

struct buf {
	uint8_t *data;
	size_t len;
	size_t cap;
};

#define BUF_INIT  \
	{         \
		0 \
	}

void buf_finish(struct buf *buf); /* frees the content; the buffer is empty and usable again */

/* Room for `extra` more bytes; the pointer is valid until the next call. Set len yourself. */
uint8_t *buf_reserve(struct buf *buf, size_t extra);

void buf_append(struct buf *buf, const void *data, size_t len);
void buf_append_bytes(struct buf *buf, struct bytes bytes);
void buf_append_str(struct buf *buf, const char *text);
void buf_append_char(struct buf *buf, char c);
void buf_appendf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_append_u64(struct buf *buf, uint64_t n); /* decimal digits */

/* The content as a string that lives in the buffer: its NUL is not counted in len. */
const char *buf_str(struct buf *buf);

static inline struct bytes buf_bytes(const struct buf *buf)
{
	return (struct bytes){ buf->data, buf->len };
}

/* The content becomes the caller's to free(); the buffer is empty. *ret_len may be NULL. */
uint8_t *buf_take(struct buf *buf, size_t *ret_len);

#endif
