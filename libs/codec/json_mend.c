/* Escapes have six bytes, and so has the one that takes their place: nothing moves. */
#include "codec/json_mend.h"

#include <string.h>

enum { ESCAPE_LEN = 6, NOT_HEX = 16 };

static unsigned hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10u : NOT_HEX;
}

/* The UTF-16 unit of an escape "\uXXXX" at `at`; false: there is none. */
static bool read_unit(struct bytes text, size_t at, unsigned *ret_unit)
{
	const uint8_t *c = text.data + at;

	if (at + ESCAPE_LEN > text.len || c[0] != '\\' || c[1] != 'u')
		return false;
	*ret_unit = 0;
	for (size_t i = 2; i < ESCAPE_LEN; i++) {
		unsigned digit = hex_digit(c[i]);

		if (digit == NOT_HEX)
			return false;
		*ret_unit = *ret_unit << 4 | digit;
	}
	return true;
}

static bool is_high(unsigned unit)
{
	return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low(unsigned unit)
{
	return unit >= 0xdc00 && unit < 0xe000;
}

/* Steps over the backslash at `*at` and what belongs to it; true: that is no text. */
static bool step(struct bytes text, size_t *at)
{
	unsigned unit, next;

	if (!read_unit(text, *at, &unit)) {
		*at += 2;
		return false;
	}
	*at += ESCAPE_LEN;
	if (is_high(unit) && read_unit(text, *at, &next) && is_low(next)) {
		*at += ESCAPE_LEN;
		return false;
	}
	return unit == 0 || is_high(unit) || is_low(unit);
}

struct bytes json_mend(struct bytes text, struct buf *copy)
{
	static const char replacement[] = "\\ufffd";
	bool copied = false;

	for (size_t at = 0; at < text.len;) {
		const uint8_t *backslash = memchr(text.data + at, '\\', text.len - at);
		size_t from;

		if (!backslash)
			break;
		from = at = (size_t)(backslash - text.data);
		if (!step(text, &at))
			continue;
		if (!copied)
			buf_append_bytes(copy, text);
		copied = true;
		memcpy(copy->data + from, replacement, ESCAPE_LEN);
	}
	return copied ? buf_bytes(copy) : text;
}
