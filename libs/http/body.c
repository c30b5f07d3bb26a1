/*
 * Bodies: a state machine fed byte by byte where chunks begin and end, and by the piece in between.
 * Each step of a chunk's frame is a function that looks at one byte.
 */
#include "http/body.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/head.h"

enum {
	SIZE_DIGITS_MAX = 8,
	EXTENSION_MAX = 256, /* bytes of each chunk */
	TRAILERS_MAX = 8192, /* bytes in all */
};

enum step {
	CONTENT, /* a body with Content-Length */
	CHUNK_DATA,
	/* from here on a byte at a time */
	CHUNK_SIZE,
	CHUNK_EXTENSION,
	CHUNK_SIZE_LF,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	TRAILER_BEGIN,
	TRAILER,
	TRAILER_LF,
	LAST_LF,
};

static void step_to(struct http_body *body, enum step step)
{
	body->step = (int)step;
}

/* Requires the byte that has to be there. */
static void expect(struct http_body *body, uint8_t c, uint8_t expected, enum step next)
{
	if (c == expected)
		step_to(body, next);
	else
		body->state = HTTP_BODY_MALFORMED;
}

/* No control characters, so no bare CR or LF either, which others take for the end of a line. */
static bool is_text(uint8_t c)
{
	return c == '\t' || (c >= 0x20 && c != 0x7f);
}

static void begin_size(struct http_body *body)
{
	body->left = 0;
	body->digits = 0;
	body->extension = 0;
	step_to(body, CHUNK_SIZE);
}

static void end_size(struct http_body *body, uint8_t c)
{
	if (body->digits == 0)
		body->state = HTTP_BODY_MALFORMED;
	else if (c == ';')
		step_to(body, CHUNK_EXTENSION);
	else
		expect(body, c, '\r', CHUNK_SIZE_LF);
	if (body->state == HTTP_BODY_MORE && body->left > body->max - body->data.len)
		body->state = HTTP_BODY_TOO_LARGE;
}

static void on_size(struct http_body *body, uint8_t c)
{
	int digit = hex_digit((char)c);

	if (digit < 0)
		end_size(body, c);
	else if (++body->digits > SIZE_DIGITS_MAX)
		body->state = HTTP_BODY_MALFORMED;
	else
		body->left = body->left * 16 + (uint64_t)digit;
}

static void on_extension(struct http_body *body, uint8_t c)
{
	if (c == '\r')
		step_to(body, CHUNK_SIZE_LF);
	else if (!is_text(c) || ++body->extension > EXTENSION_MAX)
		body->state = HTTP_BODY_MALFORMED;
}

static void on_size_lf(struct http_body *body, uint8_t c)
{
	expect(body, c, '\n', body->left ? CHUNK_DATA : TRAILER_BEGIN);
}

static void on_data_cr(struct http_body *body, uint8_t c)
{
	expect(body, c, '\r', CHUNK_DATA_LF);
}

static void on_data_lf(struct http_body *body, uint8_t c)
{
	begin_size(body);
	expect(body, c, '\n', CHUNK_SIZE);
}

static void on_trailer(struct http_body *body, uint8_t c)
{
	if (++body->trailers > TRAILERS_MAX || (c != '\r' && !is_text(c)))
		body->state = HTTP_BODY_MALFORMED;
	else
		step_to(body, c == '\r' ? TRAILER_LF : TRAILER);
}

static void on_trailer_begin(struct http_body *body, uint8_t c)
{
	if (c == '\r')
		step_to(body, LAST_LF);
	else
		on_trailer(body, c);
}

static void on_trailer_lf(struct http_body *body, uint8_t c)
{
	expect(body, c, '\n', TRAILER_BEGIN);
}

static void on_last_lf(struct http_body *body, uint8_t c)
{
	body->state = c == '\n' ? HTTP_BODY_DONE : HTTP_BODY_MALFORMED;
}

static void (*const steps[])(struct http_body *body, uint8_t c) = {
	[CHUNK_SIZE] = on_size,
	[CHUNK_EXTENSION] = on_extension,
	[CHUNK_SIZE_LF] = on_size_lf,
	[CHUNK_DATA_CR] = on_data_cr,
	[CHUNK_DATA_LF] = on_data_lf,
	[TRAILER_BEGIN] = on_trailer_begin,
	[TRAILER] = on_trailer,
	[TRAILER_LF] = on_trailer_lf,
	[LAST_LF] = on_last_lf,
};

/* Takes what belongs to the content or the chunk; returns how much that was. */
static size_t take_data(struct http_body *body, const uint8_t *data, size_t len)
{
	if (len > body->left)
		len = (size_t)body->left;
	buf_append(&body->data, data, len);
	body->left -= len;
	if (body->left == 0 && body->step == CONTENT)
		body->state = HTTP_BODY_DONE;
	else if (body->left == 0)
		step_to(body, CHUNK_DATA_CR);
	return len;
}

static void init_content(struct http_body *body, const char *length)
{
	step_to(body, CONTENT);
	body->left = length ? strtoull(length, NULL, 10) : 0;
	if (body->left > body->max)
		body->state = HTTP_BODY_TOO_LARGE;
	else if (body->left == 0)
		body->state = HTTP_BODY_DONE;
}

void body_init(struct http_body *body, const struct http_head *head, size_t max)
{
	const char *expected = head_value(head, "Expect");

	*body = (struct http_body){ .max = max, .state = HTTP_BODY_MORE };
	body->expects_continue = expected && strcasecmp(expected, "100-continue") == 0 &&
				 strcmp(head->version, "1.1") == 0;
	if (head_count(head, "Transfer-Encoding"))
		begin_size(body);
	else
		init_content(body, head_value(head, "Content-Length"));
}

void http_body_init(struct http_body *body, const struct http_request *req, size_t max)
{
	body_init(body, request_head(req), max);
}

void http_body_finish(struct http_body *body)
{
	buf_finish(&body->data);
}

enum http_body_state http_body_feed(struct http_body *body, struct bytes input)
{
	size_t at = 0;

	if (input.len)
		body->expects_continue = false;
	while (body->state == HTTP_BODY_MORE && at < input.len) {
		if (body->step == CONTENT || body->step == CHUNK_DATA)
			at += take_data(body, input.data + at, input.len - at);
		else
			steps[body->step](body, input.data[at++]);
	}
	if (body->state == HTTP_BODY_DONE)
		body->surplus += input.len - at;
	return body->state;
}

bool http_body_wants_continue(const struct http_body *body)
{
	return body->state == HTTP_BODY_MORE && body->expects_continue;
}
