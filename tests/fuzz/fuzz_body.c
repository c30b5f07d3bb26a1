/*
 * Bodies of requests, of a known length and in chunks: whatever the pieces they arrive in, they are
 * the same, and no more memory is taken than was received and allowed. What a chunked body held is
 * the same again when it is sent as one chunk.
 *
 * Input: which of the two, the limit, the length, four sizes of pieces, what arrives.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "fuzz.h"
#include "http/head.h"

enum { UNIT = 4, BUF_FIRST = 64 };

static struct http_head head_of(bool chunked, const char *length)
{
	struct http_head head = { .method = "POST", .path = "/", .query = "", .version = "1.1" };

	head.lines[0] = (struct head_line){ "Host", "a" };
	head.lines[1] = chunked ? (struct head_line){ "Transfer-Encoding", "chunked" }
				: (struct head_line){ "Content-Length", length };
	head.lines_len = 2;
	return head;
}

static void check_bounds(const struct http_body *body, size_t received)
{
	assert(body->data.len <= body->max && body->data.len <= received);
	assert(body->data.cap <= 2 * body->data.len + BUF_FIRST);
}

/* Once a body is whole or refused it stays so, and only the surplus grows. */
static struct http_body read_body(
    const struct http_head *head, size_t max, struct bytes stream, struct fuzz_sizes sizes)
{
	struct http_body body;
	enum http_body_state state;
	size_t received = 0;

	body_init(&body, head, max);
	state = http_body_feed(&body, bytes_of(NULL, 0));
	while (stream.len) {
		struct bytes piece = fuzz_take_piece(&sizes, &stream);
		uint8_t *copy = xmemdup(piece.data, piece.len);
		enum http_body_state before = state;

		state = http_body_feed(&body, bytes_of(copy, piece.len));
		received += piece.len;
		assert(before == HTTP_BODY_MORE || state == before);
		check_bounds(&body, received);
		free(copy);
	}
	assert(body.state == state);
	return body;
}

static void expect_same(const struct http_body *a, const struct http_body *b)
{
	assert(a->state == b->state && a->surplus == b->surplus);
	assert(bytes_equal(buf_bytes(&a->data), buf_bytes(&b->data)));
}

static void check_one_chunk(const struct http_head *head, const struct http_body *body)
{
	struct fuzz_sizes whole = { .next = 0 };
	struct buf stream = BUF_INIT;
	struct http_body again;

	if (body->data.len)
		buf_appendf(&stream, "%zX\r\n", body->data.len);
	buf_append_bytes(&stream, buf_bytes(&body->data));
	buf_append_str(&stream, body->data.len ? "\r\n0\r\n\r\n" : "0\r\n\r\n");
	again = read_body(head, body->max, buf_bytes(&stream), whole);
	assert(again.state == HTTP_BODY_DONE && again.surplus == 0);
	assert(bytes_equal(buf_bytes(&again.data), buf_bytes(&body->data)));
	http_body_finish(&again);
	buf_finish(&stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes stream = bytes_of(data, size);
	bool chunked = fuzz_choice(&stream) & 1;
	size_t max = (size_t)UNIT * fuzz_choice(&stream);
	unsigned announced = UNIT * fuzz_choice(&stream);
	struct fuzz_sizes sizes = fuzz_take_sizes(&stream);
	struct fuzz_sizes whole = { .next = 0 };
	struct http_body at_once, in_pieces;
	struct http_head head;
	char length[16];

	(void)snprintf(length, sizeof(length), "%u", announced);
	head = head_of(chunked, length);
	at_once = read_body(&head, max, stream, whole);
	in_pieces = read_body(&head, max, stream, sizes);
	expect_same(&at_once, &in_pieces);
	if (!chunked && at_once.state == HTTP_BODY_DONE)
		assert(at_once.data.len == announced);
	if (chunked && at_once.state == HTTP_BODY_DONE)
		check_one_chunk(&head, &at_once);
	http_body_finish(&in_pieces);
	http_body_finish(&at_once);
	return 0;
}
