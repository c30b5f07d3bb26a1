/*
 * intake: what one transaction adds: the records of some messages of the stream, in its order, and
 * what was found missing between them.
 *
 * A shard is a chain. All records of a service are in one, since order is promised only among them.
 *
 * Pure. Threads: one.
 */
#ifndef AUDIT_INTAKE_H
#define AUDIT_INTAKE_H

#include "base/arena.h"
#include "base/buf.h"
#include "ledger/chain.h"

struct intake_row {
	const char *id;
	struct bytes record;
	int64_t at_us;
	int32_t action;
	const char **users;
	size_t users_len;
	int64_t shard;
	bool is_known; /* it is stored already, or stands earlier in this intake */
	/* When it is numbered. */
	int64_t number;
	struct ledger_hash hash;
};

/* The rest of a message from the first bytes on that are no record of its service. */
struct intake_piece {
	size_t row; /* the one that tells of it */
	const char *subject;
	struct bytes data;
};

struct intake {
	int64_t shards, born, now_us;
	struct arena arena;
	struct buf rows, pieces; /* arrays of the above */
	int64_t gaps, lost;      /* ones that were added, and messages in them */
};

void intake_init(struct intake *intake, int64_t shards);
void intake_finish(struct intake *intake);
/* Empty again. `born` is when the stream was made; own records are of `now_us`. */
void intake_begin(struct intake *intake, int64_t born, int64_t now_us);

/* Copies what it keeps. `seq` is the message's number in the stream. */
void intake_message(struct intake *intake, const char *subject, uint64_t seq, struct bytes data);
/* `n` messages up to number `up_to` are gone (n 0: nobody knows how many); `why` is one word. */
void intake_gap(struct intake *intake, const char *why, uint64_t up_to, uint64_t n);

/* Heads are signed with another key, `key_id`, from number `up_to` on. */
void intake_key_changed(struct intake *intake, const char *key_id, uint64_t up_to);

struct intake_row *intake_rows(const struct intake *intake, size_t *ret_len);
const struct intake_piece *intake_pieces(const struct intake *intake, size_t *ret_len);

/* Marks rows whose id stands in an earlier one. */
void intake_find_repeated(struct intake *intake);
/* The earliest moment at which a row of these may have been stored before. */
int64_t intake_since(const struct intake *intake);
/* Continues the chains, one for each shard, with the rows that are not known. */
void intake_number(struct intake *intake, struct ledger_chain *chains, int64_t stored_us);

#endif
