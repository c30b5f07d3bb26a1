/* The rows of status.def, looked up by number. */
#include "base/status.h"

#include <string.h>

#include "base/attrs.h"

/* Same order as enum log_level in log/log.h. */
enum { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR };

static const struct row {
	const char *wire;
	const char *text;
	bool temporary;
	enum status_stream stream;
	int level;
} rows[] = {
#define X(name, wire, temporary, stream, level, text) \
	[STATUS_##name] = { wire, text, temporary, STREAM_##stream, LEVEL_##level },
#include "status.def"
#undef X
};

_Static_assert(ARRAY_LEN(rows) == STATUS_COUNT, "a row per status");

static const struct row *row_of(enum status status)
{
	return (unsigned)status < STATUS_COUNT ? &rows[status] : &rows[STATUS_INTERNAL];
}

const char *status_wire(enum status status)
{
	return row_of(status)->wire;
}

const char *status_text(enum status status)
{
	return row_of(status)->text;
}

bool status_is_temporary(enum status status)
{
	return row_of(status)->temporary;
}

enum status_stream status_stream(enum status status)
{
	return row_of(status)->stream;
}

int status_log_level(enum status status)
{
	return row_of(status)->level;
}

enum status status_from_wire(const char *wire)
{
	for (unsigned i = 0; i < STATUS_COUNT; i++) {
		if (strcmp(rows[i].wire, wire) == 0)
			return (enum status)i;
	}
	return STATUS_INTERNAL;
}
