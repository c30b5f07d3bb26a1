/*
 * store: the tables of audit.sql. All SQL is here and in store_read.c.
 *
 * ww-audit may add rows and read them, and nothing else: nothing here changes or deletes one.
 *
 * Threads: as the connection.
 */
#ifndef AUDIT_STORE_H
#define AUDIT_STORE_H

#include "config.h"
#include "db/db.h"
#include "intake.h"
#include "ledger/head.h"

extern const struct db_statement store_statements[];
extern const size_t store_statements_len;
extern const size_t store_lock; /* the statement that tries for the writer's lock */

/* How far the stream was followed. All zeros: it never was. */
struct store_position {
	int64_t born; /* of the stream, ns since 1970 */
	uint64_t seq; /* everything up to it was stored, or is known to be lost */
};

/* --- what is there --- */
/* The last row of a shard, among those stored at `since_us` or later; number 0: none. */
enum status store_tail(struct db *db, int64_t shard, int64_t since_us,
    struct ledger_chain *ret_tail, struct err *err) MUST_CHECK;
/* Rows behind number `after`, at most `max`, in the arena. */
enum status store_rows(struct db *db, int64_t shard, int64_t after, size_t max, struct arena *arena,
    struct ledger_row **ret_rows, size_t *ret_len, struct err *err) MUST_CHECK;
/* The newest head or anchor of a shard; number 0: none. */
enum status store_last_head(
    struct db *db, int64_t shard, struct ledger_head *ret_head, struct err *err) MUST_CHECK;
enum status store_position(
    struct db *db, struct store_position *ret_position, struct err *err) MUST_CHECK;
/* Marks the rows that are stored already. */
enum status store_find_known(struct db *db, struct intake *intake, struct err *err) MUST_CHECK;

/* --- what is added --- */
/* The rows that are numbered, and pieces; each shard's were stored at its chain's time. */
enum status store_add(struct db *db, const struct intake *intake, const struct ledger_chain *chains,
    struct err *err) MUST_CHECK;
enum status store_set_position(
    struct db *db, const struct store_position *position, struct err *err) MUST_CHECK;
/* One that is there already is fine. */
enum status store_add_head(
    struct db *db, const struct ledger_head *head, struct err *err) MUST_CHECK;

/* --- partitions --- */
enum status store_make_partitions(struct db *db, struct err *err) MUST_CHECK;
/* The last row of each shard in partitions that may go; only shard, number and hash are set. */
enum status store_expired(struct db *db, struct ledger_head ret_last[static SHARDS_MAX],
    size_t *ret_len, struct err *err) MUST_CHECK;
/* Drops them. Their anchors have to be there. */
enum status store_drop_expired(struct db *db, int64_t *ret_dropped, struct err *err) MUST_CHECK;

/* --- for who asks --- */
struct store_place {
	int64_t stored_us, shard, number;
};
struct store_record {
	struct store_place place;
	struct ledger_hash hash;
	struct bytes packed; /* in the arena */
};
/* A page: behind `after`, stored from since_us on and before until_us, at most `max`. */
struct store_page {
	int64_t since_us, until_us;
	struct store_place after;
	int64_t max;
};
struct store_about {
	const char *user_id;
	const int32_t *actions;
	size_t actions_len;
};
/* About a user, of these actions, in the order of their storing. */
enum status store_of_user(struct db *db, const struct store_about *about,
    const struct store_page *page, struct arena *arena, struct store_record **ret_records,
    size_t *ret_len, struct err *err) MUST_CHECK;
/* All, shard by shard. */
enum status store_all(struct db *db, const struct store_page *page, struct arena *arena,
    struct store_record **ret_records, size_t *ret_len, struct err *err) MUST_CHECK;

#endif
