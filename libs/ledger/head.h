/*
 * head: a signed word on how far a chain had got, and with which hash.
 *
 * It is one line of text, the same in the file, in the stream and, column by column, in the table:
 *
 *   walletwire-audit/1 head <shard> <number> <hash> <microseconds since 1970> <key id> <signature>
 *
 * The signature is over everything before the space in front of it. An `anchor` says the same of
 * the last row that retention has dropped: the chain goes on behind it. A `loss` says that what was
 * behind its row is lost, as an operator has accepted: heads of higher numbers that were signed
 * before it bind nobody any more.
 *
 * Pure. Threads: any.
 */
#ifndef LEDGER_HEAD_H
#define LEDGER_HEAD_H

#include "ledger/chain.h"
#include "ledger/key.h"

enum { LEDGER_HEAD_MAX = 512 }; /* bytes of a line, generously */

enum ledger_head_kind { LEDGER_HEAD, LEDGER_ANCHOR, LEDGER_LOSS };

struct ledger_head {
	enum ledger_head_kind kind;
	int64_t shard, number, at_us;
	struct ledger_hash hash;
	char key_id[LEDGER_KEY_ID_SIZE];
	uint8_t signature[LEDGER_SIGNATURE_LEN];
};

const char *ledger_head_word(enum ledger_head_kind kind); /* "head", "anchor", "loss" */
bool ledger_head_kind_of(const char *word, enum ledger_head_kind *ret_kind);

/* Fills in the key's id and the signature. */
void ledger_head_sign(struct ledger_head *head, const struct ledger_key *key);
bool ledger_head_is_good(const struct ledger_head *head, const struct ledger_key *key);

/* The line, without a line break. */
void ledger_head_append(struct buf *out, const struct ledger_head *head);
/* STATUS_INVALID for what is no such line. The signature is not looked at. */
enum status ledger_head_parse(
    struct bytes line, struct ledger_head *ret_head, struct err *err) MUST_CHECK;

#endif
