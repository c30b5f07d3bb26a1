/*
 * trace: which trace something belongs to, as W3C Trace Context (level 1) says it in `traceparent`.
 *
 * Whoever is told a traceparent goes on under the same trace id with a span of its own, and hands
 * that on. What comes from outside is read strictly; what can't be read is as good as none, since a
 * trace is no reason to refuse anything.
 */
#ifndef BASE_TRACE_H
#define BASE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#define TRACE_HEADER "traceparent"

enum {
	TRACE_ID_LEN = 16,
	TRACE_SPAN_LEN = 8,
	TRACEPARENT_LEN = 55, /* "00-<32 digits>-<16 digits>-<2 digits>" */
	TRACEPARENT_SIZE = TRACEPARENT_LEN + 1,
	TRACEPARENT_MAX = 255, /* of a later version, which may say more; longer ones are ignored */
};

/* All zero: none. */
struct trace {
	uint8_t id[TRACE_ID_LEN];
	uint8_t span[TRACE_SPAN_LEN];
	uint8_t flags;
};

bool trace_is_set(const struct trace *trace);

/* False, and none, if it is no traceparent; NULL is none. */
bool trace_parse(const char *traceparent, struct trace *ret_trace);

/* "" if there is none. */
void trace_format(const struct trace *trace, char ret_traceparent[static TRACEPARENT_SIZE]);

/* A trace that begins here. */
void trace_begin(struct trace *ret_trace);

/* A span of our own within the trace of `from`; none if that is none. */
void trace_go_on(const struct trace *from, struct trace *ret_trace);

/*
 * What every hop does with what it was told: goes on with it, or if there is nothing that can be
 * read begins anew if `begin` says so (whoever would not log anything need not).
 */
void trace_enter(const char *traceparent, bool begin, struct trace *ret_trace);

#endif
