/*
 * What people write in chat: whatever is taken is clean UTF-8 of a bounded length that shows
 * something; escaped it can neither open a tag nor end an attribute, and a page shows again exactly
 * what was written.
 *
 * Input: a choice of the limit, then the text up to its first NUL.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "fuzz.h"
#include "words.h"

static const size_t limits[] = { 1, 10, WORDS_NAME_MAX, WORDS_TEXT_MAX };

static const char *const entities[][2] = { { "&amp;", "&" }, { "&lt;", "<" }, { "&gt;", ">" },
	{ "&quot;", "\"" }, { "&#39;", "'" } };

/* The entity that stands here, as the page's character; *text moves behind it. */
static char next_shown(const char **text)
{
	for (size_t i = 0; i < ARRAY_LEN(entities); i++) {
		size_t len = strlen(entities[i][0]);

		if (strncmp(*text, entities[i][0], len) != 0)
			continue;
		*text += len;
		return *entities[i][1];
	}
	return *(*text)++;
}

static void check_escaped(const char *text, struct arena *arena)
{
	const char *escaped = words_escape(text, arena);

	assert(!strpbrk(escaped, "<>\"'"));
	for (; *text; text++)
		assert(next_shown(&escaped) == *text);
	assert(!*escaped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = bytes_of(data, size);
	size_t limit = limits[fuzz_choice(&input) % ARRAY_LEN(limits)];
	struct bytes taken = fuzz_take_text(&input);
	struct err err = ERR_INIT;
	struct arena arena;
	char *text;

	arena_init(&arena, SIZE_MAX);
	text = arena_strndup(&arena, taken.data, taken.len);
	if (words_check("text", text, limit, &err)) {
		assert(err.status == STATUS_INVALID && strcmp(err.field, "text") == 0);
	} else {
		assert(text[0] && text_is_clean(bytes_of_str(text)));
		assert(text_code_points(bytes_of_str(text)) <= limit);
	}
	check_escaped(text, &arena);
	arena_finish(&arena);
	return 0;
}
