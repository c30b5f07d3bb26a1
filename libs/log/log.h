/*
 * log: one JSON object a line on standard error.
 *
 * Every line has `time svc level msg`; what a thread is working on (`req conn user`) is set once
 * with log_context() and put on each line by itself. Messages and values are masked before they are
 * written: whatever looks like a token (three base64url parts that start with "ey") or like a card
 * number (13-19 digits that pass Luhn) becomes "***". Session ids, amounts and texts are never
 * passed in at all. Only main() and the dispatchers log failures; libraries return them.
 *
 * Threads: any thread may log; a line is one write(2), so lines never interleave.
 * Levels:  ERROR someone must act, WARN it healed or will be retried, INFO life cycle, DEBUG each
 *          message.
 */
#ifndef LOG_LOG_H
#define LOG_LOG_H

#include "base/attrs.h"
#include "base/err.h"
#include "base/trace.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* `service` is borrowed for the life of the process. The level starts at INFO. */
void log_init(const char *service);
void log_set_level(enum log_level level);
bool log_level_parse(const char *name, enum log_level *ret_level);
bool log_enabled(enum log_level level);

/*
 * What the calling thread works on: a key among "req", "conn" and "user", and its value (copied,
 * cut at 63 bytes). NULL removes it.
 */
void log_context(const char *key, const char *value);

/*
 * Which trace that belongs to: `trace_id` and `span_id` of the thread's lines. NULL, or one that is
 * none, removes it. It costs nothing but where a line is written.
 */
void log_trace(const struct trace *trace);
/* What was set; none if nothing was. For whoever hands work on to somebody else. */
const struct trace *log_trace_now(void);

void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_warn(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_error(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* A failure at the level its status has in status.def: "<what>: <err.msg>", with `status`. */
void log_failure(const struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Masks tokens and card numbers of `text` in place. What the writers above do; public for tests. */
void log_mask(char *text);

#endif
