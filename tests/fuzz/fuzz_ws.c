/*
 * WebSocket frames. A stream is decoded whole and in pieces, which has to tell the same, and by
 * wslay, which has to see the same messages and the same end. The two differ on purpose in
 *   - the opcodes 0xb to 0xf: wslay lends such frames out, we refuse them (section 5.2);
 *   - a close frame of one byte: wslay reads it as empty, we refuse it (section 5.5.1);
 *   - the close codes 1012 to 1014: registered with IANA after wslay was written;
 *   - the limit of fragments, which is ours alone.
 *
 * Input: limits, four sizes of pieces, the stream.
 */
#include <stdlib.h>
#include <wslay/wslay.h>

#include "base/xalloc.h"
#include "codec/ws.h"
#include "fuzz.h"

enum {
	OPCODE = 0x0f,
	CONTROL = 0x08, /* of the opcode */
	MASKED = 0x80,
	LENGTH = 0x7f,
	WSLAY_BUFFER = 4096, /* wslay checks the text of a close frame wrongly over its end */
	PADDING = 16,        /* more than a header and a byte of payload */
};

struct limits {
	size_t max_message;
	unsigned max_fragments;
};

/* What a decoder told: opcode, length and payload of each frame, and how it ended. */
struct outcome {
	struct buf log;
	bool failed, closed;
	/* of ours */
	enum ws_close_code code;
	int close_code;
	bool in_header, many_fragments;
	uint8_t header[2];
	size_t unfinished; /* bytes of a header or control frame that is not whole */
};

static void log_frame(struct outcome *outcome, unsigned opcode, struct bytes payload)
{
	buf_append_char(&outcome->log, (char)opcode);
	buf_append(&outcome->log, &payload.len, sizeof(payload.len));
	buf_append_bytes(&outcome->log, payload);
}

/* --- ours --- */

static void take_frame(
    const struct ws_frame *frame, const struct limits *limits, struct outcome *outcome)
{
	assert(frame->opcode >= WS_CLOSE ? frame->payload.len <= 125
					 : frame->payload.len <= limits->max_message);
	log_frame(outcome, frame->opcode, frame->payload);
	outcome->closed = frame->opcode == WS_CLOSE;
	if (outcome->closed)
		outcome->close_code = ws_close_code_of(frame->payload);
}

/* One piece, from memory of exactly its size; false when the stream has come to its end. */
static bool feed(struct ws_decoder *decoder, struct bytes piece, const struct limits *limits,
    struct outcome *outcome)
{
	uint8_t *copy = xmemdup(piece.data, piece.len);
	uint8_t *next = copy;
	size_t len = piece.len;
	enum ws_event event;

	do {
		struct ws_frame frame;

		event = ws_decode(decoder, &next, &len, &frame, &outcome->code);
		outcome->failed = event == WS_ERROR;
		if (event == WS_FRAME)
			take_frame(&frame, limits, outcome);
	} while (event == WS_FRAME && !outcome->closed);
	assert(event != WS_MORE || len == 0);
	assert(decoder->message.len <= limits->max_message);
	free(copy);
	return !outcome->failed && !outcome->closed;
}

static struct outcome decode(
    struct bytes stream, struct fuzz_sizes sizes, const struct limits *limits)
{
	struct outcome outcome = { .log = BUF_INIT };
	struct ws_decoder decoder;

	ws_decoder_init(&decoder, limits->max_message, limits->max_fragments);
	while (stream.len && feed(&decoder, fuzz_take_piece(&sizes, &stream), limits, &outcome)) {}
	memcpy(outcome.header, decoder.header, sizeof(outcome.header));
	outcome.in_header = !decoder.in_payload;
	if (outcome.in_header || (outcome.header[0] & CONTROL))
		outcome.unfinished = decoder.header_len + decoder.control.len;
	outcome.many_fragments = decoder.fragments > limits->max_fragments;
	ws_decoder_finish(&decoder);
	return outcome;
}

/* --- wslay's --- */

struct peer {
	struct bytes left;
	struct outcome *outcome;
};

static ssize_t peer_recv(
    wslay_event_context_ptr ctx, uint8_t *buf, size_t len, int flags, void *user_data)
{
	struct peer *peer = user_data;
	struct bytes piece = fuzz_take(&peer->left, len);

	(void)flags;
	if (piece.len == 0) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	memcpy(buf, piece.data, piece.len);
	return (ssize_t)piece.len;
}

static void peer_message(
    wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *arg, void *user_data)
{
	struct peer *peer = user_data;

	(void)ctx;
	log_frame(peer->outcome, arg->opcode, bytes_of(arg->msg, arg->msg_length));
}

static struct outcome decode_by_wslay(struct bytes stream, const struct limits *limits)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = peer_recv,
		.on_msg_recv_callback = peer_message,
	};
	struct outcome outcome = { .log = BUF_INIT };
	struct peer peer = { stream, &outcome };
	wslay_event_context_ptr ctx;
	int failed = wslay_event_context_server_init(&ctx, &callbacks, &peer);

	assert(!failed);
	wslay_event_config_set_max_recv_msg_length(ctx, limits->max_message);
	failed = wslay_event_recv(ctx);
	outcome.closed = wslay_event_get_close_received(ctx);
	outcome.failed = failed || (!wslay_event_get_read_enabled(ctx) && !outcome.closed);
	wslay_event_context_free(ctx);
	return outcome;
}

/* --- compared --- */

static void expect_same(const struct outcome *a, const struct outcome *b)
{
	assert(bytes_equal(buf_bytes(&a->log), buf_bytes(&b->log)));
	assert(a->failed == b->failed);
	assert(a->closed == b->closed);
}

static void expect_prefix(const struct outcome *ours, const struct outcome *theirs)
{
	assert(ours->log.len <= theirs->log.len);
	assert(!ours->log.len || memcmp(ours->log.data, theirs->log.data, ours->log.len) == 0);
}

/* Do we refuse what wslay takes, by one of the differences above? */
static bool is_stricter(const struct outcome *ours)
{
	unsigned opcode = ours->header[0] & OPCODE;

	if (!ours->failed)
		return false;
	if (ours->code == WS_CLOSE_TOO_LARGE)
		return ours->many_fragments;
	return opcode > WS_PONG || (opcode == WS_CLOSE && (ours->header[1] & LENGTH) == 1);
}

/*
 * We refuse a frame by its first two bytes, wslay when a byte of its payload is there: what we
 * refused in a header is given to wslay with bytes behind it. wslay refuses a length before it has
 * the mask and the text of a close frame as it arrives, we when all of it is there: a header or
 * control frame that is not whole at the end is not given to wslay.
 */
static void check_wslay(
    struct bytes stream, const struct limits *limits, const struct outcome *ours)
{
	static const uint8_t zeros[PADDING];
	struct buf padded = BUF_INIT;
	struct outcome theirs;

	if (stream.len + PADDING > WSLAY_BUFFER)
		return;
	if (ours->closed && ours->close_code >= 1012 && ours->close_code <= 1014)
		return;
	buf_append_bytes(&padded, stream);
	if (ours->failed && ours->in_header)
		buf_append(&padded, zeros, sizeof(zeros));
	else if (!ours->failed && !ours->closed)
		padded.len -= ours->unfinished;
	theirs = decode_by_wslay(buf_bytes(&padded), limits);
	if (is_stricter(ours))
		expect_prefix(ours, &theirs);
	else
		expect_same(ours, &theirs);
	buf_finish(&theirs.log);
	buf_finish(&padded);
}

/* What we send as a server comes out as it went in, once a client's mask is put on it. */
static void check_encoder(struct bytes payload, const struct limits *limits)
{
	struct fuzz_sizes whole = { .next = 0 };
	struct buf wire = BUF_INIT;
	struct outcome outcome, expected = { .log = BUF_INIT };
	uint8_t header[WS_HEADER_MAX], mask[4] = { 1, 2, 3, 4 };
	size_t header_len = ws_encode_header(WS_BINARY, payload.len, header);

	if (payload.len > limits->max_message)
		return;
	header[1] |= MASKED;
	buf_append(&wire, header, header_len);
	buf_append(&wire, mask, sizeof(mask));
	buf_append_bytes(&wire, payload);
	if (payload.len)
		ws_mask(wire.data + header_len + sizeof(mask), payload.len, mask, 0);
	outcome = decode(buf_bytes(&wire), whole, limits);
	log_frame(&expected, WS_BINARY, payload);
	expect_same(&outcome, &expected);
	buf_finish(&expected.log);
	buf_finish(&outcome.log);
	buf_finish(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Not below what a control frame holds: wslay applies the limit to those as well. */
	static const size_t max_message[] = { 125, 126, 300, 70000 };
	struct bytes stream = bytes_of(data, size);
	uint8_t choice = fuzz_choice(&stream);
	struct limits limits = { max_message[choice & 3], 1 + (choice >> 2) % 8 };
	struct fuzz_sizes sizes = fuzz_take_sizes(&stream);
	struct fuzz_sizes whole = { .next = 0 };
	struct outcome at_once = decode(stream, whole, &limits);
	struct outcome in_pieces = decode(stream, sizes, &limits);

	expect_same(&at_once, &in_pieces);
	assert(!at_once.failed || at_once.code == in_pieces.code);
	check_wslay(stream, &limits, &at_once);
	check_encoder(stream, &limits);
	buf_finish(&at_once.log);
	buf_finish(&in_pieces.log);
	return 0;
}
