/* Four characters for three bytes; strict on the way in, so that a value has one text only. */
#include "codec/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_append(struct buf *out, struct bytes data)
{
	uint8_t *next = buf_reserve(out, (data.len + 2) / 3 * 4 + 1);

	for (size_t i = 0; i < data.len; i += 3) {
		size_t have = data.len - i;
		uint32_t group = (uint32_t)data.data[i] << 16;

		if (have > 1)
			group |= (uint32_t)data.data[i + 1] << 8;
		if (have > 2)
			group |= data.data[i + 2];
		*next++ = (uint8_t)alphabet[group >> 18];
		*next++ = (uint8_t)alphabet[group >> 12 & 63];
		*next++ = have > 1 ? (uint8_t)alphabet[group >> 6 & 63] : '=';
		*next++ = have > 2 ? (uint8_t)alphabet[group & 63] : '=';
	}
	out->len += (data.len + 2) / 3 * 4;
}

/* What each byte stands for, plus one; 0: nothing. */
static const uint8_t values[256] = {
	/* clang-format off */
	['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7, ['H'] = 8,
	['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
	['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
	['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
	['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
	['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
	['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
	/* clang-format on */
};

static bool digit(uint8_t c, uint32_t *ret_value)
{
	*ret_value = values[c] - 1u;
	return values[c] != 0;
}

bool base64_decode(struct bytes text, uint8_t *ret_data, size_t *ret_len)
{
	uint8_t *next = ret_data;
	size_t padding = 0;

	if (text.len % 4 != 0)
		return false;
	while (padding < 2 && padding < text.len && text.data[text.len - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i < text.len; i += 4) {
		size_t count = i + 4 < text.len ? 4 : 4 - padding;
		uint32_t group = 0;

		for (size_t k = 0; k < 4; k++) {
			uint32_t value = 0;

			if (k < count && !digit(text.data[i + k], &value))
				return false;
			group = group << 6 | value;
		}
		if ((count == 2 && (group & 0xffff)) || (count == 3 && (group & 0xff)))
			return false; /* bits that no encoder sets */
		*next++ = (uint8_t)(group >> 16);
		if (count > 2)
			*next++ = (uint8_t)(group >> 8);
		if (count > 3)
			*next++ = (uint8_t)group;
	}
	*ret_len = (size_t)(next - ret_data);
	return true;
}
