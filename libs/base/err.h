/*
 * err: the story of one failure.
 *
 * The last parameter of whatever can fail. It is untouched on success and written once, where the
 * failure is found, with what was being done and to what. A caller may put its own words in front
 * with err_prefix() when the failure crosses a layer. Clients never see the message, only the
 * status (and the field, when one is to blame).
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/attrs.h"
#include "base/cause.h"
#include "base/status.h"

struct err {
	enum status status;
	enum cause cause; /* of a failure that passes, where it is known; else CAUSE_NONE */
	char field[64];   /* the offending field in the caller's terms, or empty */
	char msg[320];
};

#define ERR_INIT                    \
	{                           \
		.status = STATUS_OK \
	}

/* Record a failure and return `status`, so that `return err_set(...)` is the idiom. `err` may be
 * NULL. */
enum status err_set(struct err *err, enum status status, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Like err_set(STATUS_INVALID), naming the field that is wrong; the message starts with its name.
 */
enum status err_invalid(struct err *err, const char *field, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Add to what was just recorded what is behind it; returns `status`. `err` may be NULL. */
enum status err_blame(struct err *err, enum status status, enum cause cause);

/* Put "words: " in front of the message and return its status. */
enum status err_prefix(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
