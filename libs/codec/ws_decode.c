/*
 * Frames in. A header is gathered in the decoder (14 bytes at most) and judged before its payload
 * is touched; a payload is lent from the input, or gathered as it arrives, so that an announced
 * length alone never costs memory.
 */
#include "base/text.h"
#include "codec/ws.h"

enum {
	FIN = 0x80,
	RESERVED = 0x70,
	OPCODE = 0x0f,
	CONTROL = 0x08, /* of the opcode */
	MASKED = 0x80,
	LENGTH = 0x7f,
	HEADER_START = 2, /* bytes that tell how long the header is */
	MASK_SIZE = 4,
	CONTROL_MAX = 125,
	CLOSE_NO_CODE = 1005,
};

static bool is_control(const struct ws_decoder *decoder)
{
	return decoder->header[0] & CONTROL;
}

static size_t header_size(const struct ws_decoder *decoder)
{
	unsigned length = decoder->header[1] & LENGTH;

	return HEADER_START + MASK_SIZE + (length == 127 ? 8u : length == 126 ? 2u : 0u);
}

/* What the first two bytes alone may break. */
static bool start_is_legal(const struct ws_decoder *decoder)
{
	uint8_t first = decoder->header[0];
	uint8_t second = decoder->header[1];
	unsigned opcode = first & OPCODE;

	if ((first & RESERVED) || !(second & MASKED))
		return false;
	if (opcode & CONTROL)
		return opcode <= WS_PONG && (first & FIN) && (second & LENGTH) <= CONTROL_MAX;
	if (opcode == WS_CONTINUATION)
		return decoder->message_opcode != 0;
	return opcode <= WS_BINARY && decoder->message_opcode == 0;
}

/* False if the length is not written in its shortest form, or has the top bit. */
static bool read_length(struct ws_decoder *decoder)
{
	const uint8_t *header = decoder->header;
	uint64_t n = header[1] & LENGTH;
	uint64_t least = n == 127 ? 65536 : n == 126 ? 126 : 0;
	size_t end = header_size(decoder) - MASK_SIZE;

	if (end > HEADER_START) {
		n = 0;
		for (size_t i = HEADER_START; i < end; i++)
			n = n << 8 | header[i];
	}
	decoder->payload_left = n;
	return n >= least && n <= INT64_MAX;
}

/* Both limits count as "too large": nothing in the protocol forbids the peer what it did. */
static bool data_fits(struct ws_decoder *decoder)
{
	unsigned opcode = decoder->header[0] & OPCODE;

	if (opcode != WS_CONTINUATION) {
		decoder->message_opcode = (uint8_t)opcode;
		decoder->fragments = 0;
		decoder->utf8_state = 0;
	}
	decoder->fragments++;
	return decoder->fragments <= decoder->max_fragments &&
	       decoder->payload_left <= decoder->max_message - decoder->message.len;
}

/* True once the header is whole and legal. Else *ret_code is set if it is not legal. */
static bool take_header(
    struct ws_decoder *decoder, uint8_t **input, size_t *len, enum ws_close_code *ret_code)
{
	for (;;) {
		size_t size =
		    decoder->header_len < HEADER_START ? HEADER_START : header_size(decoder);

		if (decoder->header_len == HEADER_START && !start_is_legal(decoder)) {
			*ret_code = WS_CLOSE_PROTOCOL;
			return false;
		}
		if (decoder->header_len == size)
			break;
		if (*len == 0)
			return false;
		decoder->header[decoder->header_len++] = *(*input)++;
		(*len)--;
	}
	if (!read_length(decoder)) {
		*ret_code = WS_CLOSE_PROTOCOL;
		return false;
	}
	if (!is_control(decoder) && !data_fits(decoder)) {
		*ret_code = WS_CLOSE_TOO_LARGE;
		return false;
	}
	decoder->in_payload = true;
	decoder->mask_at = 0;
	return true;
}

/* Unmasks and passes over what of the payload is at hand. */
static struct bytes take_piece(struct ws_decoder *decoder, uint8_t **input, size_t *len)
{
	size_t n = *len < decoder->payload_left ? *len : (size_t)decoder->payload_left;
	struct bytes piece = bytes_of(*input, n);

	if (n == 0)
		return piece;
	ws_mask(*input, n, decoder->header + header_size(decoder) - MASK_SIZE, decoder->mask_at);
	decoder->mask_at = (decoder->mask_at + (uint32_t)n) & 3;
	decoder->payload_left -= n;
	*input += n;
	*len -= n;
	return piece;
}

static bool close_code_is_legal(int code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
	       (code >= 3000 && code <= 4999);
}

/* The code of a payload of two bytes or more, whatever its reason is; 0 if there is none. */
static int close_code(struct bytes payload)
{
	int code = payload.len < 2 ? 0 : payload.data[0] << 8 | payload.data[1];

	return close_code_is_legal(code) ? code : 0;
}

int ws_close_code_of(struct bytes payload)
{
	if (payload.len == 0)
		return CLOSE_NO_CODE;
	if (!close_code(payload) || !text_is_utf8(bytes_of(payload.data + 2, payload.len - 2)))
		return 0;
	return close_code(payload);
}

static enum ws_event finish_control(struct ws_decoder *decoder, struct bytes payload,
    struct ws_frame *ret_frame, enum ws_close_code *ret_code)
{
	enum ws_opcode opcode = decoder->header[0] & OPCODE;

	if (opcode == WS_CLOSE && ws_close_code_of(payload) == 0) {
		*ret_code = close_code(payload) ? WS_CLOSE_UTF8 : WS_CLOSE_PROTOCOL;
		return WS_ERROR;
	}
	*ret_frame = (struct ws_frame){ opcode, payload };
	return WS_FRAME;
}

static enum ws_event finish_message(struct ws_decoder *decoder, struct bytes payload,
    struct ws_frame *ret_frame, enum ws_close_code *ret_code)
{
	enum ws_opcode opcode = decoder->message_opcode;

	if (opcode == WS_TEXT && decoder->utf8_state != 0) {
		*ret_code = WS_CLOSE_UTF8;
		return WS_ERROR;
	}
	decoder->message_opcode = 0;
	*ret_frame = (struct ws_frame){ opcode, payload };
	return WS_FRAME;
}

/* WS_MORE with in_payload cleared means: a fragment ended, its message did not. */
static enum ws_event take_payload(struct ws_decoder *decoder, uint8_t **input, size_t *len,
    struct ws_frame *ret_frame, enum ws_close_code *ret_code)
{
	bool control = is_control(decoder);
	bool final = decoder->header[0] & FIN;
	struct buf *gathered = control ? &decoder->control : &decoder->message;
	struct bytes payload = take_piece(decoder, input, len);

	if (!control && decoder->message_opcode == WS_TEXT &&
	    !text_utf8_feed(&decoder->utf8_state, payload)) {
		*ret_code = WS_CLOSE_UTF8;
		return WS_ERROR;
	}
	if (gathered->len > 0 || decoder->payload_left > 0 || !final) {
		buf_append_bytes(gathered, payload);
		payload = buf_bytes(gathered);
	}
	if (decoder->payload_left > 0)
		return WS_MORE;
	decoder->in_payload = false;
	decoder->header_len = 0;
	if (!final)
		return WS_MORE;
	return control ? finish_control(decoder, payload, ret_frame, ret_code)
		       : finish_message(decoder, payload, ret_frame, ret_code);
}

void ws_decoder_init(struct ws_decoder *decoder, size_t max_message, unsigned max_fragments)
{
	*decoder =
	    (struct ws_decoder){ .max_message = max_message, .max_fragments = max_fragments };
}

void ws_decoder_finish(struct ws_decoder *decoder)
{
	buf_finish(&decoder->control);
	buf_finish(&decoder->message);
}

enum ws_event ws_decode(struct ws_decoder *decoder, uint8_t **input, size_t *len,
    struct ws_frame *ret_frame, enum ws_close_code *ret_close_code)
{
	enum ws_event event;

	/* What the last call lent is given back. */
	if (decoder->message_opcode == 0)
		buf_finish(&decoder->message);
	if (!decoder->in_payload)
		buf_finish(&decoder->control);
	do {
		enum ws_close_code code = 0;

		if (!decoder->in_payload && !take_header(decoder, input, len, &code)) {
			if (!code)
				return WS_MORE;
			*ret_close_code = code;
			return WS_ERROR;
		}
		event = take_payload(decoder, input, len, ret_frame, ret_close_code);
	} while (event == WS_MORE && !decoder->in_payload);
	return event;
}
