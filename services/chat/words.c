/* Checking and escaping. */
#include "words.h"

#include <string.h>

#include "base/subject.h"
#include "base/text.h"

/* --- what is taken --- */

struct range {
	uint32_t first, last;
};

/* Spaces, and characters without a shape: a text of these alone is an empty line to everybody. */
static const struct range blanks[] = {
	{ 0x09, 0x0a },
	{ 0x20, 0x20 },
	{ 0xa0, 0xa0 },
	{ 0xad, 0xad },
	{ 0x34f, 0x34f },
	{ 0x61c, 0x61c },
	{ 0x115f, 0x1160 },
	{ 0x1680, 0x1680 },
	{ 0x17b4, 0x17b5 },
	{ 0x180b, 0x180e },
	{ 0x2000, 0x200f },
	{ 0x2028, 0x2029 },
	{ 0x202f, 0x202f },
	{ 0x205f, 0x2064 },
	{ 0x206a, 0x206f },
	{ 0x2800, 0x2800 },
	{ 0x3000, 0x3000 },
	{ 0x3164, 0x3164 },
	{ 0xfe00, 0xfe0f },
	{ 0xfeff, 0xfeff },
	{ 0xffa0, 0xffa0 },
	{ 0xe0000, 0xe0fff },
};

static bool is_blank(uint32_t point)
{
	for (size_t i = 0; i < ARRAY_LEN(blanks); i++) {
		if (point >= blanks[i].first && point <= blanks[i].last)
			return true;
	}
	return false;
}

/* The next code point of well-formed UTF-8. */
static uint32_t next_point(const uint8_t **at)
{
	static const uint8_t masks[] = { 0x7f, 0x1f, 0x0f, 0x07 };
	uint8_t lead = *(*at)++;
	size_t more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
	uint32_t point = lead & masks[more];

	for (; more > 0; more--)
		point = point << 6 | (*(*at)++ & 0x3f);
	return point;
}

static bool shows_something(struct bytes utf8)
{
	const uint8_t *at = utf8.data, *end = utf8.data + utf8.len;

	while (at < end) {
		if (!is_blank(next_point(&at)))
			return true;
	}
	return false;
}

enum status words_check(const char *field, const char *text, size_t max, struct err *err)
{
	struct bytes bytes = bytes_of_str(text);

	/* Of four bytes each at most: what is longer need not be looked at. */
	if (bytes.len / 4 > max)
		return err_invalid(err, field, "is longer than %zu characters", max);
	if (!text_is_clean(bytes))
		return err_invalid(err, field, "must be UTF-8 without control characters");
	if (text_code_points(bytes) > max)
		return err_invalid(err, field, "is longer than %zu characters", max);
	if (!shows_something(bytes))
		return err_invalid(err, field, "is empty");
	return STATUS_OK;
}

/* --- how it is shown --- */

static const char *entity_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

enum status words_check_id(const char *field, const char *id, struct err *err)
{
	enum status s = subject_check_id(field, id, err);

	if (s)
		return s;
	if (!text_is_clean(bytes_of_str(id)))
		return err_invalid(err, field, "must be UTF-8 without control characters");
	/* An apostrophe ends nothing but what a page puts between apostrophes, and there are people
	 * whose name has one. */
	if (id[strcspn(id, "&<>\"")])
		return err_invalid(err, field, "must be without & < > \"");
	return STATUS_OK;
}

char *words_escape(const char *text, struct arena *arena)
{
	size_t size = 1;
	char *escaped, *out;

	for (const char *c = text; *c; c++)
		size += entity_of(*c) ? strlen(entity_of(*c)) : 1;
	escaped = out = arena_alloc(arena, size);
	for (const char *c = text; *c; c++) {
		const char *entity = entity_of(*c);
		size_t len = entity ? strlen(entity) : 1;

		memcpy(out, entity ? entity : c, len);
		out += len;
	}
	*out = '\0';
	return escaped;
}
