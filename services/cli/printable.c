/* Character by character; text_is_clean() says which are not for terminals. */
#include "printable.h"

#include "base/text.h"

/* Bytes of the character that begins with this one; 1 for what begins none. */
static size_t length_of(uint8_t first)
{
	if (first < 0xc0)
		return 1;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Of a character of two or three bytes, or of one. */
static unsigned number_of(struct bytes character)
{
	const uint8_t *at = character.data;

	if (character.len == 1)
		return at[0];
	if (character.len == 2)
		return (at[0] & 0x1fU) << 6 | (at[1] & 0x3fU);
	return (at[0] & 0x0fU) << 12 | (at[1] & 0x3fU) << 6 | (at[2] & 0x3fU);
}

void printable_append(struct buf *out, struct bytes json)
{
	for (size_t i = 0, len; i < json.len; i += len) {
		struct bytes character;

		len = length_of(json.data[i]);
		if (len > json.len - i)
			len = 1;
		character = bytes_of(json.data + i, len);
		if (text_is_clean(character)) {
			buf_append(out, character.data, len);
		} else if (text_is_utf8(character)) {
			buf_appendf(out, "\\u%04x", number_of(character));
		} else {
			buf_append_str(out, "\\ufffd");
			len = 1;
		}
	}
}
