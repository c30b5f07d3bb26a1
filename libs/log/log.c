/*
 * Lines are composed on the stack and leave in one write(2) of at most PIPE_BUF bytes, which the
 * kernel keeps in one piece on pipes, too. What is too long loses the end of its message, never its
 * other fields, so every line is one valid JSON object.
 */
#include "log/log.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "base/xalloc.h"

enum {
	LOG_LINE_MAX = PIPE_BUF,
	CONTEXT_SIZE = 64,
	ESCAPE_MAX = 6,            /* bytes that one byte can become */
	FIRST_TRY = 512,           /* most messages fit */
	FORMATTED_MAX = 64 * 1024, /* longer ones are cut before they are masked */
};

struct line {
	char text[LOG_LINE_MAX];
	size_t len;
	size_t limit; /* for what is being appended now */
};

struct context {
	const char *key;
	char value[CONTEXT_SIZE];
};

static const char *const level_names[] = { "debug", "info", "warn", "error" };

_Static_assert(LOG_DEBUG == 0 && ARRAY_LEN(level_names) == LOG_ERROR + 1, "a name per level");

static const char *service_name = "ww";
static _Atomic int level_now = LOG_INFO;

static _Thread_local struct context contexts[] = { { "req", "" }, { "conn", "" }, { "user", "" } };
static _Thread_local struct trace trace_now;

void log_init(const char *service)
{
	assert(strlen(service) < CONTEXT_SIZE);
	service_name = service;
}

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&level_now, (int)level, memory_order_relaxed);
}

bool log_level_parse(const char *name, enum log_level *ret_level)
{
	for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*ret_level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

bool log_enabled(enum log_level level)
{
	return (int)level >= atomic_load_explicit(&level_now, memory_order_relaxed);
}

/* Bytes of the well-formed character at `text`, 0 if there is none. */
static size_t char_len(const char *text, size_t left)
{
	uint8_t lead = (uint8_t)text[0];
	size_t len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	return len <= left && text_is_utf8(bytes_of(text, len)) ? len : 0;
}

/* The longest start of `text` that has at most `max` bytes and no half character at its end. */
static size_t cut_len(const char *text, size_t max)
{
	size_t len = strnlen(text, max);
	size_t back = len;

	if (!text[len])
		return len;
	while (back > 0 && ((uint8_t)text[back] & 0xc0) == 0x80)
		back--;
	return len - back < 4 ? back : len;
}

void log_context(const char *key, const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(contexts); i++) {
		struct context *context = &contexts[i];
		char *masked;
		size_t len;

		if (strcmp(context->key, key) != 0)
			continue;
		/* Masked whole, then cut: a cut token is no longer known for one. */
		masked = xstrdup(value ? value : "");
		log_mask(masked);
		len = cut_len(masked, CONTEXT_SIZE - 1);
		memcpy(context->value, masked, len);
		context->value[len] = '\0';
		free(masked);
		return;
	}
	assert(false && "a context key this project knows");
}

void log_trace(const struct trace *trace)
{
	trace_now = trace ? *trace : (struct trace){ 0 };
}

const struct trace *log_trace_now(void)
{
	return &trace_now;
}

/* All of it or nothing. */
static bool put(struct line *line, const char *text, size_t len)
{
	if (line->limit - line->len < len)
		return false;
	memcpy(line->text + line->len, text, len);
	line->len += len;
	return true;
}

static bool put_str(struct line *line, const char *text)
{
	return put(line, text, strlen(text));
}

/* A character of one byte as it stands in a JSON string. */
static bool put_ascii(struct line *line, char c)
{
	char escaped[ESCAPE_MAX + 1];

	switch (c) {
	case '"':
		return put_str(line, "\\\"");
	case '\\':
		return put_str(line, "\\\\");
	case '\n':
		return put_str(line, "\\n");
	case '\t':
		return put_str(line, "\\t");
	default:
		if (c >= 0x20 && c < 0x7f)
			return put(line, &c, 1);
		(void)snprintf(escaped, sizeof(escaped), "\\u%04x", (unsigned)c);
		return put_str(line, escaped);
	}
}

/* As much of `text` as fits below the limit; false if some did not. */
static bool put_escaped(struct line *line, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		size_t len = char_len(text, left);
		bool fits;

		if (len == 1)
			fits = put_ascii(line, *text);
		else if (len && text_is_clean(bytes_of(text, len)))
			fits = put(line, text, len);
		else
			fits = put_str(line, "\xef\xbf\xbd"); /* what no terminal should be shown */
		if (!fits)
			return false;
		len = len ? len : 1;
		text += len;
		left -= len;
	}
	return true;
}

/* ,"key":"value" */
static void put_field(struct line *line, const char *key, const char *value)
{
	put_str(line, ",\"");
	put_str(line, key);
	put_str(line, "\":\"");
	(void)put_escaped(line, value);
	put_str(line, "\"");
}

static void put_head(struct line *line, enum log_level level)
{
	char time[TIMESTAMP_TEXT_SIZE];

	(void)timestamp_format(clock_wall_ms(), time);
	put_str(line, "{\"time\":\"");
	put_str(line, time);
	put_str(line, "\"");
	put_field(line, "svc", service_name);
	put_field(line, "level", level_names[level]);
}

static void put_hex(struct line *line, const char *key, const uint8_t *data, size_t len)
{
	char text[2 * TRACE_ID_LEN + 1];

	hex_encode(bytes_of(data, len), text);
	put_field(line, key, text);
}

static void put_tail(struct line *line, const char *status)
{
	if (trace_is_set(&trace_now)) {
		put_hex(line, "trace_id", trace_now.id, sizeof(trace_now.id));
		put_hex(line, "span_id", trace_now.span, sizeof(trace_now.span));
	}
	for (size_t i = 0; i < ARRAY_LEN(contexts); i++) {
		if (contexts[i].value[0])
			put_field(line, contexts[i].key, contexts[i].value);
	}
	if (status)
		put_field(line, "status", status);
	put_str(line, "}\n");
}

/* `status` may be NULL. `message` is masked in place. */
static void write_line(enum log_level level, char *message, const char *status)
{
	struct line line = { .len = 0, .limit = sizeof(line.text) };
	struct line tail = { .len = 0, .limit = sizeof(tail.text) };

	log_mask(message);
	put_tail(&tail, status);
	put_head(&line, level);
	put_str(&line, ",\"msg\":\"");
	line.limit = sizeof(line.text) - tail.len - sizeof("...\"");
	if (!put_escaped(&line, message)) {
		line.limit += 3;
		put_str(&line, "...");
	}
	line.limit = sizeof(line.text);
	put_str(&line, "\"");
	put(&line, tail.text, tail.len);
	while (write(STDERR_FILENO, line.text, line.len) < 0 && errno == EINTR)
		continue;
}

/* Formats, adds ": <err.msg>" if there is an err, and writes. Leaves errno as it was. */
static PRINTF_LIKE(3, 0) void vlog(
    enum log_level level, const struct err *err, const char *fmt, va_list args)
{
	int saved_errno = errno;
	char first[FIRST_TRY];
	char *message = first;
	size_t size, len;
	va_list again;
	int wanted;

	va_copy(again, args);
	wanted = vsnprintf(first, sizeof(first), fmt, args);
	len = wanted > 0 ? (size_t)wanted : 0;
	len = len < FORMATTED_MAX ? len : FORMATTED_MAX;
	size = len + 1 + (err ? strlen(err->msg) + 2 : 0);
	if (size > sizeof(first)) {
		message = xmalloc(size);
		(void)vsnprintf(message, len + 1, fmt, again);
	}
	va_end(again);
	if (err)
		(void)snprintf(message + len, size - len, ": %s", err->msg);
	write_line(level, message, err ? status_wire(err->status) : NULL);
	if (message != first)
		free(message);
	errno = saved_errno;
}

#define WRITER(name, level)                   \
	void name(const char *fmt, ...)       \
	{                                     \
		va_list args;                 \
                                              \
		if (!log_enabled(level))      \
			return;               \
		va_start(args, fmt);          \
		vlog(level, NULL, fmt, args); \
		va_end(args);                 \
	}

WRITER(log_debug, LOG_DEBUG)
WRITER(log_info, LOG_INFO)
WRITER(log_warn, LOG_WARN)
WRITER(log_error, LOG_ERROR)

void log_failure(const struct err *err, const char *fmt, ...)
{
	enum log_level level = (enum log_level)status_log_level(err->status);
	va_list args;

	if (!log_enabled(level))
		return;
	va_start(args, fmt);
	vlog(level, err, fmt, args);
	va_end(args);
}
