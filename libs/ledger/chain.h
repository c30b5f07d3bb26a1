/*
 * chain: rows of which each seals all before it.
 *
 * A shard's rows are numbered from 1 without gaps. The hash of a row is SHA-256(hash of the row
 * before || the record's bytes as they came); before number 1 stands a hash that names the shard,
 * so that no chain passes for another.
 *
 * Pure: no I/O, no clock. Threads: any.
 */
#ifndef LEDGER_CHAIN_H
#define LEDGER_CHAIN_H

#include "base/bytes.h"

enum { LEDGER_HASH_LEN = 32, LEDGER_HASH_TEXT_SIZE = 2 * LEDGER_HASH_LEN + 1 };

struct ledger_hash {
	uint8_t at[LEDGER_HASH_LEN];
};

struct ledger_hash ledger_first(int64_t shard);
struct ledger_hash ledger_next(const struct ledger_hash *before, struct bytes record);
/* Of bytes that are in no chain. */
struct ledger_hash ledger_digest(struct bytes data);
/* Of bytes that are one; what has another length is none, and becomes one that nothing has. */
struct ledger_hash ledger_hash_of(struct bytes data);
bool ledger_hash_equal(const struct ledger_hash *a, const struct ledger_hash *b);

struct ledger_row {
	int64_t number;
	int64_t stored_us; /* of the wall clock; never less than the row before */
	struct ledger_hash hash;
	struct bytes record; /* borrowed */
};

/* How far a chain is known to be good: its last good row, or what stands before number 1. */
struct ledger_chain {
	int64_t number, stored_us;
	struct ledger_hash hash;
};

enum ledger_fault {
	LEDGER_GOOD,
	LEDGER_EDITED,    /* a row is not what was hashed */
	LEDGER_MISSING,   /* a number is not there */
	LEDGER_INSERTED,  /* a row that was never part of the chain */
	LEDGER_REORDERED, /* rows have changed places */
	LEDGER_TRUNCATED, /* the end is gone, which a signed head knows of */
	LEDGER_REWRITTEN, /* hashes fit each other, but not a signed head */
};
const char *ledger_fault_text(enum ledger_fault fault); /* "edited" */

/*
 * Follows the chain over rows in the order of their numbers, up to the first that does not fit.
 * What became of that one is told by the rows after it: more of them tell better. `chain` is then
 * at the last good row, and the fault is at chain->number + 1.
 */
enum ledger_fault ledger_follow(
    struct ledger_chain *chain, const struct ledger_row *rows, size_t len, size_t *ret_good);

#endif
