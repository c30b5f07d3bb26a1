/* By hand: sscanf() would take signs, blanks and capitals. */
#include "base/hex.h"

void hex_encode(struct bytes data, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < data.len; i++) {
		*ret_text++ = digits[data.data[i] >> 4];
		*ret_text++ = digits[data.data[i] & 15];
	}
	*ret_text = '\0';
}

static int value_of(uint8_t digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool hex_decode(struct bytes text, uint8_t *ret_data, size_t len)
{
	if (text.len != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = value_of(text.data[2 * i]), low = value_of(text.data[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret_data[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
