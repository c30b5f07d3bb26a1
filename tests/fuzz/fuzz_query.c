/*
 * Query strings, against a reading of them that first takes the query apart and then looks.
 *
 * Input: room for the value, the name, NUL, the query.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "fuzz.h"
#include "http/head.h"

struct found {
	size_t names;  /* parameters of that name */
	size_t values; /* those of them that have a '=' */
	struct buf value;
	bool malformed; /* the value */
};

static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* False if an escape is cut off, has no hex digits or is a NUL. */
static bool unescape(struct bytes text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		int high, low;

		if (c != '%') {
			buf_append_char(out, (char)(c == '+' ? (uint8_t)' ' : c));
			continue;
		}
		if (text.len - i < 3)
			return false;
		high = digit(text.data[i + 1]);
		low = digit(text.data[i + 2]);
		if (high < 0 || low < 0 || high + low == 0)
			return false;
		buf_append_char(out, (char)(uint8_t)(high * 16 + low));
		i += 2;
	}
	return true;
}

static struct bytes take_until(struct bytes *text, char end)
{
	const uint8_t *at = text->len ? memchr(text->data, end, text->len) : NULL;
	struct bytes taken = fuzz_take(text, at ? (size_t)(at - text->data) : text->len);

	(void)fuzz_take(text, 1);
	return taken;
}

static void look_at(struct bytes pair, struct bytes name, struct found *found)
{
	bool has_value = pair.len && memchr(pair.data, '=', pair.len);
	struct buf decoded = BUF_INIT;
	bool ok = unescape(take_until(&pair, '='), &decoded);

	if (ok && bytes_equal(buf_bytes(&decoded), name)) {
		found->names++;
		if (has_value && found->values++ == 0)
			found->malformed = !unescape(pair, &found->value);
	}
	buf_finish(&decoded);
}

static struct found find(struct bytes query, struct bytes name)
{
	struct found found = { .value = BUF_INIT };

	while (query.len)
		look_at(take_until(&query, '&'), name, &found);
	return found;
}

static char *string_of(struct bytes text)
{
	char *copy = xcalloc(1, text.len + 1);

	if (text.len)
		memcpy(copy, text.data, text.len);
	return copy;
}

static void check_param(const char *query, const char *name, size_t size, const struct found *found)
{
	char *value = xmalloc(size); /* exactly, so that a sanitizer sees the byte behind it */
	bool expected = found->values == 1 && !found->malformed && found->value.len < size;

	assert(query_param(query, name, value, size) == expected);
	assert(!expected || bytes_equal_str(buf_bytes(&found->value), value));
	free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = bytes_of(data, size);
	size_t room = fuzz_choice(&input) % 32;
	struct bytes name = fuzz_take_text(&input);
	struct bytes query = fuzz_take_text(&input);
	char *name_text = string_of(name), *query_text = string_of(query);
	struct found found = { .value = BUF_INIT };

	if (name.len) { /* nobody asks for a parameter without a name */
		found = find(query, name);
		assert(query_has(query_text, name_text) == (found.names > 0));
		check_param(query_text, name_text, room, &found);
	}
	buf_finish(&found.value);
	free(query_text);
	free(name_text);
	return 0;
}
