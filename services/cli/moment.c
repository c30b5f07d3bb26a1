/* What ends in a unit is a duration. */
#include "moment.h"

#include "base/timestamp.h"
#include "options.h"

enum status moment_parse(const char *text, int64_t now_us, int64_t *ret_us, struct err *err)
{
	struct err ignored = ERR_INIT;
	int64_t ms = 0;

	if (options_parse_duration(text, &ms, &ignored) == STATUS_OK && ms >= 0) {
		*ret_us = now_us / 1000 > ms ? now_us - ms * 1000 : 0;
		return STATUS_OK;
	}
	if (timestamp_parse(bytes_of_str(text), &ms, &ignored) == STATUS_OK && ms >= 0) {
		*ret_us = ms * 1000;
		return STATUS_OK;
	}
	return err_set(err, STATUS_INVALID,
	    "\"%s\" is no time: 2025-01-23T10:30:45Z, or how long ago: 90s, 24h, 30d", text);
}
