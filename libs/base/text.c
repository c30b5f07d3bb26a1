/* UTF-8 checked byte by byte by a small state machine. */
#include "base/text.h"

/*
 * state: 0 between characters, else three fields: continuation bytes still due (bits 0-1), and the
 * range allowed for the next one (bits 8-15 low, 16-23 high), which is how overlong forms,
 * surrogates and values above U+10FFFF are refused at their second byte.
 */
static uint32_t expect(uint32_t due, uint32_t low, uint32_t high)
{
	return due | low << 8 | high << 16;
}

static bool step(uint32_t *state, uint8_t c)
{
	uint32_t due = *state & 3;

	if (due) {
		uint32_t low = *state >> 8 & 0xff;
		uint32_t high = *state >> 16 & 0xff;

		if (c < low || c > high)
			return false;
		*state = due == 1 ? 0 : expect(due - 1, 0x80, 0xbf);
		return true;
	}
	if (c < 0x80)
		return true;
	if (c < 0xc2)
		return false;
	if (c < 0xe0)
		*state = expect(1, 0x80, 0xbf);
	else if (c < 0xf0)
		*state = expect(2, c == 0xe0 ? 0xa0 : 0x80, c == 0xed ? 0x9f : 0xbf);
	else if (c < 0xf5)
		*state = expect(3, c == 0xf0 ? 0x90 : 0x80, c == 0xf4 ? 0x8f : 0xbf);
	else
		return false;
	return true;
}

static bool eight_are_ascii(const uint8_t *data)
{
	uint64_t word;

	memcpy(&word, data, sizeof(word));
	return (word & UINT64_C(0x8080808080808080)) == 0;
}

/* Most text is ASCII, and every frame from a client comes through here: eight bytes a step. */
bool text_utf8_feed(uint32_t *state, struct bytes piece)
{
	for (size_t i = 0; i < piece.len;) {
		if (*state == 0 && piece.len - i >= 8 && eight_are_ascii(piece.data + i)) {
			i += 8;
			continue;
		}
		if (!step(state, piece.data[i++]))
			return false;
	}
	return true;
}

bool text_is_utf8(struct bytes text)
{
	uint32_t state = 0;

	return text_utf8_feed(&state, text) && state == 0;
}

size_t text_code_points(struct bytes utf8)
{
	size_t n = 0;

	for (size_t i = 0; i < utf8.len; i++)
		n += (utf8.data[i] & 0xc0) != 0x80;
	return n;
}

bool text_is_clean(struct bytes text)
{
	if (!text_is_utf8(text))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
			return false;
		if (c == 0xc2 && text.data[i + 1] < 0xa0)
			return false; /* U+0080-009F */
		if (c == 0xe2 && text.data[i + 1] == 0x80 && text.data[i + 2] >= 0xaa &&
		    text.data[i + 2] <= 0xae)
			return false; /* U+202A-202E */
		if (c == 0xe2 && text.data[i + 1] == 0x81 && text.data[i + 2] >= 0xa6 &&
		    text.data[i + 2] <= 0xa9)
			return false; /* U+2066-2069 */
	}
	return true;
}
