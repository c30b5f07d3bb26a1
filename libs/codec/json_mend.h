/*
 * json_mend: text that is no text.
 *
 * JSON can spell what no UTF-8 can hold: halves of surrogate pairs, which is what programs leave
 * that cut strings in the midst of an emoji; and NUL, which ends strings where it gets through.
 * Whoever sent one means a text all the same, and would send it again after each refusal of the
 * whole packet.
 */
#ifndef CODEC_JSON_MEND_H
#define CODEC_JSON_MEND_H

#include "base/buf.h"

/*
 * The same JSON with U+FFFD, the replacement character, for each of them: `text` itself if there is
 * none, else a copy of the same length in `copy`, which the caller finishes. Works on anything,
 * JSON or not.
 */
struct bytes json_mend(struct bytes text, struct buf *copy);

#endif
