/*
 * Messages of the audit stream: records are cut out of them as the bytes that are there, one behind
 * the other, and what is no record stays untouched. Against protobuf-c: what it takes as a message
 * of records alone is split to its end, into as many.
 *
 * Input: the message.
 */
#include "fuzz.h"
#include "ledger/split.h"
#include "walletwire/v1/audit.pb-c.h"

typedef Walletwire__V1__AuditRecords Records;

static size_t split_all(struct bytes *rest, struct buf *joined)
{
	const uint8_t *end = rest->data + rest->len;
	struct bytes before = *rest;
	struct bytes record;
	size_t n = 0;

	for (; ledger_split(rest, &record); n++, before = *rest) {
		assert(record.data > before.data && record.data + record.len == rest->data);
		assert(rest->len < before.len && rest->data + rest->len == end);
		buf_append(joined, before.data, (size_t)(rest->data - before.data));
	}
	assert(rest->data == before.data && rest->len == before.len);
	return n;
}

/* Ten bytes of length are more than the splitter takes, and no message of ours has them. */
static bool is_ours(const Records *records, struct bytes message)
{
	return records && records->base.n_unknown_fields == 0 &&
	       walletwire__v1__audit_records__get_packed_size(records) == message.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes message = bytes_of(data, size);
	struct bytes rest = message;
	struct buf joined = BUF_INIT;
	size_t n = split_all(&rest, &joined);
	Records *records = walletwire__v1__audit_records__unpack(NULL, size, data);

	buf_append(&joined, rest.data, rest.len);
	assert(joined.len == size && (size == 0 || memcmp(joined.data, data, size) == 0));
	if (is_ours(records, message))
		assert(rest.len == 0 && n == records->n_records);
	if (records)
		walletwire__v1__audit_records__free_unpacked(records, NULL);
	buf_finish(&joined);
	return 0;
}
