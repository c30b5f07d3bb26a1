/*
 * spelt: msgpack as people can read it in a table of cases. Pairs of hex digits are bytes, 'text'
 * is a string of at most 31 bytes with its header, spaces are nothing: "82 'type' 02 'nsp' '/'".
 */
#ifndef TESTS_CODEC_SPELT_H
#define TESTS_CODEC_SPELT_H

#include <check.h>
#include <string.h>

#include "base/buf.h"

static inline unsigned spelt_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *found = c ? strchr(digits, c) : NULL;

	ck_assert_msg(found, "'%c' is no hex digit", c);
	return (unsigned)(found - digits);
}

static inline void spelt_append(struct buf *out, const char *text)
{
	while (*text) {
		if (*text == ' ') {
			text++;
		} else if (*text == '\'') {
			size_t len = strcspn(text + 1, "'");

			ck_assert_uint_lt(len, 32);
			buf_append_char(out, (char)(0xa0 | len));
			buf_append(out, text + 1, len);
			text += len + 2;
		} else {
			buf_append_char(
			    out, (char)(spelt_digit(text[0]) << 4 | spelt_digit(text[1])));
			text += 2;
		}
	}
}

#endif
