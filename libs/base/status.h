/*
 * status: every way to fail, as one closed table (proto/status.def).
 *
 * A function that can fail returns `enum status`, STATUS_OK is 0. Third-party codes are translated
 * where the library is wrapped and never travel above that.
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include <stdbool.h>

enum status {
#define X(name, wire, temporary, stream, level, text) STATUS_##name,
#include "status.def"
#undef X
	STATUS_COUNT
};

/* What a JetStream message that ended with a status is told. */
enum status_stream { STREAM_ACK, STREAM_HOLD, STREAM_DLQ };

/* The code clients see ("rate_limited"). Never NULL; unknown values give "internal". */
const char *status_wire(enum status status);

/* The sentence clients see when nothing more exact may be said. */
const char *status_text(enum status status);

/* May the same request succeed later? */
bool status_is_temporary(enum status status);

enum status_stream status_stream(enum status status);

/* A log level of log/log.h as an int, so that base stays below log. */
int status_log_level(enum status status);

/* The status of a wire code; STATUS_INTERNAL for a code this build does not know. */
enum status status_from_wire(const char *wire);

#endif
