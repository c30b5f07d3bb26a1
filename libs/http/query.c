/* Query parameters: found by exact name, decoded once, refused when they could be read in two ways.
 */
#include <string.h>

#include "http/head.h"

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that text[*at] stands for, moving *at past it; -1 if malformed or a NUL. */
static int decode_one(const char *text, size_t len, size_t *at)
{
	char c = text[(*at)++];
	int high, low;

	if (c == '+')
		return ' ';
	if (c != '%')
		return (unsigned char)c;
	if (len - *at < 2)
		return -1;
	high = hex_digit(text[*at]);
	low = hex_digit(text[*at + 1]);
	*at += 2;
	if (high < 0 || low < 0 || (high == 0 && low == 0))
		return -1; /* a NUL would cut the value for whoever reads it as a string */
	return high * 16 + low;
}

static bool decode(const char *text, size_t len, char *ret_value, size_t size)
{
	size_t at = 0, out = 0;

	while (at < len) {
		int byte = decode_one(text, len, &at);

		if (byte < 0 || out + 1 >= size)
			return false;
		ret_value[out++] = (char)byte;
	}
	ret_value[out] = '\0';
	return true;
}

/* Escapes in a name are read too: what looks different is the same to whoever is behind us. */
static bool is_name(const char *text, size_t len, const char *name)
{
	size_t at = 0;

	for (; at < len && *name; name++) {
		if (decode_one(text, len, &at) != (unsigned char)*name)
			return false;
	}
	return at == len && !*name;
}

bool query_has(const char *query, const char *name)
{
	while (*query) {
		size_t len = strcspn(query, "&");

		if (is_name(query, strcspn(query, "=&"), name))
			return true;
		query += len;
		query += *query == '&';
	}
	return false;
}

bool query_param(const char *query, const char *name, char *ret_value, size_t size)
{
	const char *value = NULL;
	size_t value_len = 0;

	while (*query) {
		size_t len = strcspn(query, "&");
		size_t name_len = strcspn(query, "=&");

		if (name_len < len && is_name(query, name_len, name)) {
			if (value)
				return false; /* given twice: which one is meant? */
			value = query + name_len + 1;
			value_len = len - name_len - 1;
		}
		query += len;
		query += *query == '&';
	}
	return value && size > 0 && decode(value, value_len, ret_value, size);
}
