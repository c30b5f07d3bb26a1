/*
 * Lines of signed heads: one that is taken is written again as the same claim, which is taken again
 * as the same head; one that is not is refused with a status and leaves nothing behind.
 *
 * Input: the line.
 */
#include "fuzz.h"
#include "ledger/head.h"

static bool is_same(const struct ledger_head *a, const struct ledger_head *b)
{
	return a->kind == b->kind && a->shard == b->shard && a->number == b->number &&
	       a->at_us == b->at_us && ledger_hash_equal(&a->hash, &b->hash) &&
	       strcmp(a->key_id, b->key_id) == 0 &&
	       memcmp(a->signature, b->signature, sizeof(a->signature)) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	struct ledger_head head, again;
	struct buf line = BUF_INIT;

	if (ledger_head_parse(bytes_of(data, size), &head, &err)) {
		assert(err.status == STATUS_INVALID);
		return 0;
	}
	assert(size <= LEDGER_HEAD_MAX && head.shard >= 0 && head.number >= 0 && head.at_us >= 0);
	assert(strlen(head.key_id) == LEDGER_KEY_ID_SIZE - 1);
	ledger_head_append(&line, &head);
	assert(line.len <= LEDGER_HEAD_MAX);
	assert(ledger_head_parse(buf_bytes(&line), &again, &err) == STATUS_OK);
	assert(is_same(&head, &again));
	buf_finish(&line);
	return 0;
}
