/* Formatting into the fixed buffers of struct err; too long is cut, never an error of its own. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum status err_set(struct err *err, enum status status, const char *fmt, ...)
{
	if (err) {
		va_list args;

		err->status = status;
		err->cause = CAUSE_NONE;
		err->field[0] = '\0';
		va_start(args, fmt);
		(void)vsnprintf(err->msg, sizeof(err->msg), fmt, args);
		va_end(args);
	}
	return status;
}

enum status err_invalid(struct err *err, const char *field, const char *fmt, ...)
{
	if (err) {
		va_list args;
		int used;

		err->status = STATUS_INVALID;
		err->cause = CAUSE_NONE;
		(void)snprintf(err->field, sizeof(err->field), "%s", field);
		used = snprintf(err->msg, sizeof(err->msg), "%s: ", err->field);
		va_start(args, fmt);
		(void)vsnprintf(err->msg + used, sizeof(err->msg) - (size_t)used, fmt, args);
		va_end(args);
	}
	return STATUS_INVALID;
}

enum status err_blame(struct err *err, enum status status, enum cause cause)
{
	if (err)
		err->cause = cause;
	return status;
}

enum status err_prefix(struct err *err, const char *fmt, ...)
{
	char old[sizeof(err->msg)];
	va_list args;
	size_t used;

	memcpy(old, err->msg, sizeof(old));
	va_start(args, fmt);
	(void)vsnprintf(err->msg, sizeof(err->msg), fmt, args);
	va_end(args);
	used = strlen(err->msg);
	(void)snprintf(err->msg + used, sizeof(err->msg) - used, ": %s", old);
	return err->status;
}
