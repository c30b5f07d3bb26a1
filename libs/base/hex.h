/* hex: bytes as lower-case hexadecimal digits, and back; nothing else is taken for them. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include "base/bytes.h"

/* 2 * data.len digits and a NUL. */
void hex_encode(struct bytes data, char *ret_text);

/* False unless it is 2 * len digits; then what ret_data holds is of no use. */
bool hex_decode(struct bytes text, uint8_t *ret_data, size_t len);

#endif
