/* Decimal text, digit by digit: no locale, no floating point. */
#include "base/decimal.h"

#include <assert.h>

bool decimal_is_valid(int64_t units, uint32_t scale)
{
	return units > -DECIMAL_UNITS_LIMIT && units < DECIMAL_UNITS_LIMIT &&
	       scale <= DECIMAL_SCALE_MAX;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

enum status decimal_parse(
    struct bytes text, int64_t *ret_units, uint32_t *ret_scale, struct err *err)
{
	size_t i = 0;
	bool negative = text.len > 0 && text.data[0] == '-';
	bool point = false;
	int64_t units = 0;
	uint32_t scale = 0;

	if (negative)
		i++;
	if (i == text.len || !is_digit(text.data[i]) || !is_digit(text.data[text.len - 1]))
		return err_set(err, STATUS_INVALID, "not a decimal number");
	for (; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (c == '.' && !point) {
			point = true;
			continue;
		}
		if (!is_digit(c))
			return err_set(err, STATUS_INVALID, "not a decimal number");
		units = units * 10 + (c - '0');
		scale += point;
		if (!decimal_is_valid(units, scale))
			return err_set(err, STATUS_INVALID,
			    "a decimal has less than 2^53 units and at most %d"
			    " digits after the point",
			    DECIMAL_SCALE_MAX);
	}
	*ret_units = negative ? -units : units;
	*ret_scale = scale;
	return STATUS_OK;
}

void decimal_append(struct buf *buf, int64_t units, uint32_t scale)
{
	uint64_t left = units < 0 ? (uint64_t)-units : (uint64_t)units;
	char text[DECIMAL_TEXT_SIZE];
	size_t at = sizeof(text);
	uint32_t digits = 0;

	assert(decimal_is_valid(units, scale));
	do {
		if (digits == scale && scale > 0)
			text[--at] = '.';
		text[--at] = (char)('0' + left % 10);
		left /= 10;
		digits++;
	} while (left > 0 || digits <= scale);
	if (units < 0)
		text[--at] = '-';
	buf_append(buf, text + at, sizeof(text) - at);
}
