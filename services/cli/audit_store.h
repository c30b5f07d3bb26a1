/*
 * audit_store: the tables of ww-audit as an auditor reads them, with a role that may read and
 * nothing else. ww-audit is not asked.
 */
#ifndef CLI_AUDIT_STORE_H
#define CLI_AUDIT_STORE_H

#include "base/arena.h"
#include "db/db.h"
#include "ledger/head.h"

enum status audit_store_open(
    const char *database_url, struct db **ret_db, struct err *err) MUST_CHECK;

enum { AUDIT_SHARDS_MAX = 16 };
/* Which shards have rows. */
enum status audit_store_shards(
    struct db *db, bool ret_has_rows[static AUDIT_SHARDS_MAX], struct err *err) MUST_CHECK;

/* All of the table, in the order of their numbers; told one by one. */
typedef void (*audit_head_fn)(void *arg, const struct ledger_head *head);
enum status audit_store_heads(
    struct db *db, audit_head_fn fn, void *arg, struct err *err) MUST_CHECK;

/* The rows behind the last good one, at most `max`, in the arena; with each whether the columns say
 * what its record says. */
struct audit_page {
	struct ledger_row *rows;
	bool *is_indexed;
	size_t len;
};
enum status audit_store_page(struct db *db, int64_t shard, const struct ledger_chain *after,
    size_t max, struct arena *arena, struct audit_page *ret_page, struct err *err) MUST_CHECK;

/* The last row of a shard: number and time alone; number 0: none. */
enum status audit_store_end(
    struct db *db, int64_t shard, struct ledger_chain *ret_end, struct err *err) MUST_CHECK;

/* The number under which a hash stands now, between two numbers; 0: under none. */
enum status audit_store_find(struct db *db, int64_t shard, const struct ledger_hash *hash,
    int64_t from, int64_t to, int64_t *ret_number, struct err *err) MUST_CHECK;

#endif
