/*
 * bytes: a borrowed run of bytes. Never owned, never NUL-terminated, valid as long as its lender
 * says.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *data; /* may be NULL when len is 0 */
	size_t len;
};

/* A string literal as bytes, without its NUL. */
#define BYTES_LITERAL(s) ((struct bytes){ (const uint8_t *)("" s), sizeof(s) - 1 })

static inline struct bytes bytes_of(const void *data, size_t len)
{
	return (struct bytes){ data, len };
}

static inline struct bytes bytes_of_str(const char *text)
{
	return (struct bytes){ (const uint8_t *)text, strlen(text) };
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool bytes_equal_str(struct bytes a, const char *text)
{
	return bytes_equal(a, bytes_of_str(text));
}

#endif
