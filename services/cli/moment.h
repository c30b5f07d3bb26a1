/* moment: a time as people give it on the command line. Pure. */
#ifndef CLI_MOMENT_H
#define CLI_MOMENT_H

#include <stdint.h>

#include "base/err.h"

/* "2025-01-23T10:30:45Z" (RFC 3339), or how long before `now_us`: "90s", "24h", "30d". In
 * microseconds since 1970. */
enum status moment_parse(
    const char *text, int64_t now_us, int64_t *ret_us, struct err *err) MUST_CHECK;

#endif
