/* base64: RFC 4648 section 4, with padding. */
#ifndef CODEC_BASE64_H
#define CODEC_BASE64_H

#include "base/buf.h"

void base64_append(struct buf *out, struct bytes data);

/* Bytes that base64_decode() writes at most. */
static inline size_t base64_decoded_max(size_t text_len)
{
	return text_len / 4 * 3;
}

/* False for what base64_append() can't have produced. */
bool base64_decode(struct bytes text, uint8_t *ret_data, size_t *ret_len);

#endif
