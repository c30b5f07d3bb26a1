/*
 * msgpack_check: what stands between a message from outside and msgpack-c.
 *
 * msgpack-c allocates what a header announces before it sees an element of it: five bytes are
 * enough for 512 MiB. The check reads a message without a stack and without memory, and passes only
 * one that holds everything it announces.
 */
#ifndef CODEC_MSGPACK_CHECK_H
#define CODEC_MSGPACK_CHECK_H

#include "base/bytes.h"

enum { MSGPACK_DEPTH_CAP = 24 }; /* of `max_depth`; msgpack-c itself ends at 32 */

/*
 * Exactly one value from the first byte to the last, whose arrays and maps nest at most `max_depth`
 * deep (an empty one counts too). Says nothing about what its text, keys and extensions are.
 * *ret_binary is the sum of the bytes in values that are binary or of an extension type, without
 * their headers: a value always counts for one of the others.
 */
bool msgpack_check(struct bytes packed, unsigned max_depth, size_t *ret_binary);

#endif
