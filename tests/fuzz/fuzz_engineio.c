/*
 * Bodies of long-polling requests: the packets of a payload, joined again, are the payload; base64
 * is taken exactly if encoding gives it back.
 *
 * Input: the payload.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "codec/base64.h"
#include "codec/engineio.h"
#include "fuzz.h"

/* From bytes to text and back. */
static void check_encoder(struct bytes data)
{
	struct buf text = BUF_INIT;
	uint8_t *back;
	size_t len;
	bool ok;

	base64_append(&text, data);
	back = xmalloc(base64_decoded_max(text.len));
	ok = base64_decode(buf_bytes(&text), back, &len);
	assert(ok && bytes_equal(bytes_of(back, len), data));
	free(back);
	buf_finish(&text);
}

/* The value of a digit, found without the table under test; -1 for what is none. */
static int digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* A careless decoder: any digits, up to the padding. False for what holds something else. */
static bool decode_carelessly(struct bytes text, struct buf *ret_data)
{
	uint8_t *next = buf_reserve(ret_data, text.len + 1);
	uint32_t bits = 0;
	unsigned have = 0;

	while (text.len && text.data[text.len - 1] == '=')
		text.len--;
	for (size_t i = 0; i < text.len; i++) {
		int value = digit(text.data[i]);

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		have += 6;
		if (have >= 8) {
			have -= 8;
			next[ret_data->len++] = (uint8_t)(bits >> have);
		}
	}
	return true;
}

static void check_base64(struct bytes text)
{
	uint8_t *data = xmalloc(base64_decoded_max(text.len));
	struct buf careless = BUF_INIT, again = BUF_INIT;
	size_t len = 0;
	bool ok = base64_decode(text, data, &len);
	bool could = decode_carelessly(text, &careless);

	base64_append(&again, buf_bytes(&careless));
	assert(ok == (could && bytes_equal(buf_bytes(&again), text)));
	assert(!ok || bytes_equal(bytes_of(data, len), buf_bytes(&careless)));
	buf_finish(&again);
	buf_finish(&careless);
	free(data);
}

static void check_packet(struct bytes text)
{
	struct engineio_packet packet;

	if (engineio_parse(text, &packet, NULL))
		return;
	assert(text.data[0] == packet.type && packet.data.len == text.len - 1);
	if (packet.type == ENGINEIO_BINARY)
		check_base64(packet.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct engineio_reader reader = { .left = bytes_of(data, size) };
	struct buf joined = BUF_INIT;
	struct bytes packet;
	bool first = true;

	while (engineio_payload_next(&reader, &packet)) {
		if (!first)
			buf_append_char(&joined, ENGINEIO_SEPARATOR);
		first = false;
		buf_append_bytes(&joined, packet);
		check_packet(packet);
	}
	assert(bytes_equal(buf_bytes(&joined), bytes_of(data, size)));
	check_encoder(bytes_of(data, size));
	buf_finish(&joined);
	return 0;
}
