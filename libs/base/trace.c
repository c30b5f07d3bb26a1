/* A later version is read by the parts that version 00 has, as the recommendation says. */
#include "base/trace.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/id.h"

enum {
	ID_AT = 3,
	SPAN_AT = 36,
	FLAGS_AT = 53,
	VERSION_FORBIDDEN = 0xff,
	/* Sampled, and random as of level 2. What other bits mean nobody knows: they end here. */
	FLAGS_KNOWN = 0x03,
};

static bool is_zero(const uint8_t *bytes, size_t len)
{
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= bytes[i];
	return !any;
}

bool trace_is_set(const struct trace *trace)
{
	return !is_zero(trace->id, sizeof(trace->id));
}

static bool has_dashes(const char *text)
{
	return text[ID_AT - 1] == '-' && text[SPAN_AT - 1] == '-' && text[FLAGS_AT - 1] == '-';
}

static bool part(const char *text, size_t at, uint8_t *ret_data, size_t len)
{
	return hex_decode(bytes_of(text + at, 2 * len), ret_data, len);
}

static bool parse(const char *text, struct trace *trace)
{
	size_t len = text ? strnlen(text, TRACEPARENT_MAX + 1) : 0;
	uint8_t version;

	if (len < TRACEPARENT_LEN || len > TRACEPARENT_MAX || !has_dashes(text))
		return false;
	if (!part(text, 0, &version, 1) || version == VERSION_FORBIDDEN ||
	    !part(text, ID_AT, trace->id, sizeof(trace->id)) ||
	    !part(text, SPAN_AT, trace->span, sizeof(trace->span)) ||
	    !part(text, FLAGS_AT, &trace->flags, 1))
		return false;
	if (len > TRACEPARENT_LEN && (version == 0 || text[TRACEPARENT_LEN] != '-'))
		return false;
	return trace_is_set(trace) && !is_zero(trace->span, sizeof(trace->span));
}

bool trace_parse(const char *traceparent, struct trace *ret_trace)
{
	bool good = parse(traceparent, ret_trace);

	if (!good)
		*ret_trace = (struct trace){ 0 };
	ret_trace->flags &= FLAGS_KNOWN;
	return good;
}

void trace_format(const struct trace *trace, char ret_traceparent[static TRACEPARENT_SIZE])
{
	char id[2 * TRACE_ID_LEN + 1], span[2 * TRACE_SPAN_LEN + 1];

	ret_traceparent[0] = '\0';
	if (!trace_is_set(trace))
		return;
	hex_encode(bytes_of(trace->id, sizeof(trace->id)), id);
	hex_encode(bytes_of(trace->span, sizeof(trace->span)), span);
	(void)snprintf(
	    ret_traceparent, TRACEPARENT_SIZE, "00-%s-%s-%02x", id, span, (unsigned)trace->flags);
}

/* Random, and not zero, which would mean none. */
static void draw(uint8_t *ret_data, size_t len)
{
	do
		random_bytes(ret_data, len);
	while (is_zero(ret_data, len));
}

void trace_begin(struct trace *ret_trace)
{
	draw(ret_trace->id, sizeof(ret_trace->id));
	draw(ret_trace->span, sizeof(ret_trace->span));
	ret_trace->flags = FLAGS_KNOWN;
}

void trace_go_on(const struct trace *from, struct trace *ret_trace)
{
	*ret_trace = *from;
	if (trace_is_set(from))
		draw(ret_trace->span, sizeof(ret_trace->span));
}

void trace_enter(const char *traceparent, bool begin, struct trace *ret_trace)
{
	struct trace from;

	if (trace_parse(traceparent, &from) || !begin)
		trace_go_on(&from, ret_trace);
	else
		trace_begin(ret_trace);
}
