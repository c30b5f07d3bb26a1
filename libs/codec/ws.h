/*
 * ws: WebSocket frames (RFC 6455), the server's side.
 *
 * The decoder holds no buffer while nothing is in flight: a frame that is whole in the bytes at
 * hand is unmasked in place and lent out. Only a message that arrives in pieces is gathered, up to
 * the limit, and a length is judged before a byte of it is stored.
 */
#ifndef CODEC_WS_H
#define CODEC_WS_H

#include "base/buf.h"
#include "base/err.h"

enum ws_opcode {
	WS_CONTINUATION = 0,
	WS_TEXT = 1,
	WS_BINARY = 2,
	WS_CLOSE = 8,
	WS_PING = 9,
	WS_PONG = 10
};

/* Close codes of RFC 6455 section 7.4.1 that we send. */
enum ws_close_code {
	WS_CLOSE_NORMAL = 1000,
	WS_CLOSE_PROTOCOL = 1002,
	WS_CLOSE_UTF8 = 1007,
	WS_CLOSE_TOO_LARGE = 1009,
};

struct ws_decoder {
	size_t max_message;     /* bytes of one message, over all of its frames */
	unsigned max_fragments; /* frames of one message, empty ones too; more are "too large" */
	/* the rest is the decoder's own */
	uint8_t header[14];
	uint8_t header_len;
	uint8_t message_opcode; /* of the message in progress, 0: none */
	bool in_payload;
	unsigned fragments;
	uint64_t payload_left;
	uint32_t utf8_state;
	uint32_t mask_at;
	struct buf control; /* a control frame's payload that came in pieces */
	struct buf message; /* a message's payload so far */
};

/* A whole message or control frame; `payload` is lent until the next call, or the input's end. */
struct ws_frame {
	enum ws_opcode opcode; /* WS_TEXT, WS_BINARY, WS_CLOSE, WS_PING or WS_PONG */
	struct bytes payload;
};

enum ws_event {
	WS_MORE,  /* input used up, nothing whole yet */
	WS_FRAME, /* *ret_frame is set; call again with what is left */
	WS_ERROR, /* the peer broke the protocol: close with *ret_close_code, feed nothing more */
};

void ws_decoder_init(struct ws_decoder *decoder, size_t max_message, unsigned max_fragments);
void ws_decoder_finish(struct ws_decoder *decoder);

/* Consumes from `*input` (which is unmasked in place) and moves it past what was used. */
enum ws_event ws_decode(struct ws_decoder *decoder, uint8_t **input, size_t *len,
    struct ws_frame *ret_frame, enum ws_close_code *ret_close_code);

/* The header of an unmasked, final frame; returns its length (2, 4 or 10). */
enum { WS_HEADER_MAX = 10 };
size_t ws_encode_header(
    enum ws_opcode opcode, size_t payload_len, uint8_t ret_header[static WS_HEADER_MAX]);

/* The code of a close frame's payload: 1005 if it is empty, 0 if it breaks section 7.4. */
int ws_close_code_of(struct bytes payload);

/* XOR with the four mask bytes, starting at byte `at` of the mask. */
void ws_mask(uint8_t *data, size_t len, const uint8_t mask[static 4], uint32_t at);

#endif
