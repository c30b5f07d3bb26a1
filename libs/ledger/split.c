/* The wire format of protobuf: a tag, a length, the bytes. */
#include "ledger/split.h"

enum { RECORDS_TAG = 1 << 3 | 2 }; /* field 1, length-delimited */

static bool read_length(struct bytes *from, size_t *ret_len)
{
	uint64_t len = 0;

	for (unsigned shift = 0; from->len > 0 && shift < 35; shift += 7) {
		uint8_t byte = *from->data;

		*from = bytes_of(from->data + 1, from->len - 1);
		len |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*ret_len = len;
			return true;
		}
	}
	return false;
}

bool ledger_split(struct bytes *message, struct bytes *ret_record)
{
	struct bytes rest = *message;
	size_t len;

	if (rest.len == 0 || *rest.data != RECORDS_TAG)
		return false;
	rest = bytes_of(rest.data + 1, rest.len - 1);
	if (!read_length(&rest, &len) || len > rest.len)
		return false;
	*ret_record = bytes_of(rest.data, len);
	*message = bytes_of(rest.data + len, rest.len - len);
	return true;
}
