/* text: what text from outside must be before anything is done with it. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/bytes.h"

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF). */
bool text_is_utf8(struct bytes text);

/*
 * The same, fed in pieces: start with state 0; after the last piece the state must be 0 again.
 * Returns false as soon as no continuation could be valid (RFC 6455 section 8.1 fails fast).
 */
bool text_utf8_feed(uint32_t *state, struct bytes piece);

/* Code points of well-formed UTF-8. */
size_t text_code_points(struct bytes utf8);

/*
 * Fit to be shown: UTF-8 without control characters but newline and tab, and without characters
 * that reorder what stands around them (U+202A-202E, U+2066-2069).
 */
bool text_is_clean(struct bytes text);

#endif
