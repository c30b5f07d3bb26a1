/*
 * words: what people write: what is taken, and how it goes to clients. Pure.
 *
 * Words are stored as they were written. On their way to clients they are escaped for HTML, unless
 * the deployment turned that off, because somebody will put them into a page as they are.
 */
#ifndef CHAT_WORDS_H
#define CHAT_WORDS_H

#include "base/arena.h"
#include "base/err.h"

/* Code points. */
enum {
	WORDS_TEXT_MAX = 4000,
	WORDS_NAME_MAX = 100,
	WORDS_REASON_MAX = 500,
};

/*
 * INVALID, naming the field, for what is not UTF-8, holds control characters (newline and tab are
 * fine) or characters that reorder what stands around them, has more than `max` code points, or
 * shows nothing.
 */
enum status words_check(
    const char *field, const char *text, size_t max, struct err *err) MUST_CHECK;

/*
 * INVALID, naming the field, for what is no id that may go to clients as it is: of 1 to 128 bytes,
 * not clean (as above), or with one of & < > ". An id is compared, so it can't be escaped: whoever
 * puts it into a page, as text or between double quotes, must be as safe as with a text.
 */
enum status words_check_id(const char *field, const char *id, struct err *err) MUST_CHECK;

/* `text` with & < > " and ' as entities, in the arena. */
char *words_escape(const char *text, struct arena *arena);

#endif
