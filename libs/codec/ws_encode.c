/* Frames out, and the mask that both directions share. */
#include <assert.h>

#include "codec/ws.h"

enum { FIN = 0x80 };

size_t ws_encode_header(
    enum ws_opcode opcode, size_t payload_len, uint8_t ret_header[static WS_HEADER_MAX])
{
	uint64_t n = payload_len;

	assert(opcode != WS_CONTINUATION && (opcode < WS_CLOSE || payload_len <= 125));
	ret_header[0] = (uint8_t)(FIN | opcode);
	if (n < 126) {
		ret_header[1] = (uint8_t)n;
		return 2;
	}
	if (n < 65536) {
		ret_header[1] = 126;
		ret_header[2] = (uint8_t)(n >> 8);
		ret_header[3] = (uint8_t)n;
		return 4;
	}
	ret_header[1] = 127;
	for (unsigned i = 0; i < 8; i++)
		ret_header[2 + i] = (uint8_t)(n >> (56 - 8 * i));
	return 10;
}

void ws_mask(uint8_t *data, size_t len, const uint8_t mask[static 4], uint32_t at)
{
	uint8_t pattern[8];
	uint64_t wide;
	size_t i = 0;

	for (uint32_t k = 0; k < sizeof(pattern); k++)
		pattern[k] = mask[(at + k) & 3];
	memcpy(&wide, pattern, sizeof(wide));
	for (; len - i >= sizeof(wide); i += sizeof(wide)) {
		uint64_t word;

		memcpy(&word, data + i, sizeof(word));
		word ^= wide;
		memcpy(data + i, &word, sizeof(word));
	}
	for (size_t k = 0; i < len; i++, k++)
		data[i] ^= pattern[k];
}
