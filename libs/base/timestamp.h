/* timestamp: RFC 3339 in UTC with three decimals, the only form clients see. */
#ifndef BASE_TIMESTAMP_H
#define BASE_TIMESTAMP_H

#include "base/bytes.h"
#include "base/err.h"

enum { TIMESTAMP_TEXT_SIZE = 32 };

/* "2025-01-23T10:30:45.123Z". Years 1 to 9999; others are clamped. Returns the length. */
size_t timestamp_format(int64_t wall_ms, char ret_text[static TIMESTAMP_TEXT_SIZE]);

/* Parses RFC 3339 with Z or an offset and up to nine decimals (cut to milliseconds). */
enum status timestamp_parse(struct bytes text, int64_t *ret_wall_ms, struct err *err) MUST_CHECK;

#endif
