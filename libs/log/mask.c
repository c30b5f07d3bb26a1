/*
 * Masking by shape: what looks like a token or a card number goes, whoever wrote it and wherever it
 * stands. One pass, in place: "***" is shorter than anything it replaces. A false alarm costs a
 * reader a number now and then (one 13-digit number in ten passes Luhn); a miss costs a person's
 * card.
 */
#include <string.h>

#include "log/log.h"

enum {
	CARD_DIGITS_MIN = 13,
	CARD_DIGITS_MAX = 19,
	CARD_GROUP_MIN = 3, /* of every group but the last: lists of small numbers are no cards */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t part_len(const char *text)
{
	size_t len = 0;

	while (is_alnum(text[len]) || text[len] == '-' || text[len] == '_')
		len++;
	return len;
}

/*
 * Bytes of the token that starts here, or 0. Two parts are enough when both are JSON objects (a
 * token that was cut on its way here); more than three are an encrypted one.
 */
static size_t token_len(const char *text, char before)
{
	size_t len, second;
	int parts = 1;

	if (text[0] != 'e' || text[1] != 'y' || (is_alnum(before) && text[2] != 'J'))
		return 0;
	len = part_len(text);
	second = len + 1;
	while (text[len] == '.' && (parts >= 2 || part_len(text + len + 1) > 0)) {
		len += 1 + part_len(text + len + 1);
		parts++;
	}
	if (parts >= 3)
		return len;
	return parts == 2 && strncmp(text + second, "eyJ", 3) == 0 ? len : 0;
}

static bool passes_luhn(const char *digits, size_t count)
{
	unsigned sum = 0;

	for (size_t i = 0; i < count; i++) {
		unsigned n = (unsigned)(digits[count - 1 - i] - '0');

		if (i % 2)
			n = n * 2 > 9 ? n * 2 - 9 : n * 2;
		sum += n;
	}
	return sum % 10 == 0;
}

/*
 * Bytes of the card number that starts here, or 0: whole groups of digits, a space or a dash
 * between them. The longest that passes wins, so that a card followed by a date still goes.
 */
static size_t card_len(const char *text, char before)
{
	char digits[CARD_DIGITS_MAX];
	size_t count = 0, at = 0, best = 0;

	if (is_digit(before))
		return 0;
	for (;;) {
		size_t start = at;

		while (is_digit(text[at]) && count < CARD_DIGITS_MAX)
			digits[count++] = text[at++];
		if (at == start || is_digit(text[at]))
			return best;
		if (count >= CARD_DIGITS_MIN && passes_luhn(digits, count))
			best = at;
		if (at - start < CARD_GROUP_MIN || (text[at] != ' ' && text[at] != '-'))
			return best;
		at++;
	}
}

void log_mask(char *text)
{
	size_t in = 0, out = 0;
	char before = ' ';

	while (text[in]) {
		size_t len = token_len(text + in, before);

		if (!len)
			len = card_len(text + in, before);
		if (len) {
			memcpy(text + out, "***", 3);
			in += len;
			out += 3;
			before = '*';
		} else {
			before = text[in];
			text[out++] = text[in++];
		}
	}
	text[out] = '\0';
}
