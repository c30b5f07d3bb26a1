/*
 * decimal: exact decimal text <-> units and scale. Money is never a C double.
 *
 * 1234.56 is units 123456, scale 2. |units| < 2^53, so that any client can hold it; scale <= 18.
 */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include "base/buf.h"
#include "base/err.h"

#define DECIMAL_UNITS_LIMIT (INT64_C(1) << 53)

enum { DECIMAL_SCALE_MAX = 18, DECIMAL_TEXT_SIZE = 40 };

/* Parse "-?digits[.digits]"; the scale is the number of digits after the point. */
enum status decimal_parse(
    struct bytes text, int64_t *ret_units, uint32_t *ret_scale, struct err *err) MUST_CHECK;

bool decimal_is_valid(int64_t units, uint32_t scale);

/* Append exactly `scale` digits after the point ("100.00", "-0.05"). The pair must be valid. */
void decimal_append(struct buf *buf, int64_t units, uint32_t scale);

#endif
