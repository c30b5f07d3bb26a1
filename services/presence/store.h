/*
 * store: all SQL of ww-presence: friends, privacy, when somebody was last seen, and what the
 * replica that speaks keeps. Results live in the arena that is passed.
 */
#ifndef PRESENCE_STORE_H
#define PRESENCE_STORE_H

#include "base/arena.h"
#include "db/db.h"
#include "service/audit_outbox.h"

#define STORE_SCHEMA "presence"

extern const struct db_migration store_migrations[];
extern const size_t store_migrations_len;
extern const struct db_statement store_statements[];
extern const size_t store_statements_len;
extern const struct audit_outbox store_audit;

/* --- one speaks at a time --- */
extern const size_t store_lock; /* the statement that tries for it */
enum status store_unlock(struct db *db, struct err *err) MUST_CHECK;
/* A new generation, above every one before, also after a restore; and for how long the one before
 * may have been unwell (INT64_MAX: for ever). Changes that were told since `doubt_ms` before it was
 * last well are to be told again. */
enum status store_take_over(struct db *db, int64_t doubt_ms, uint64_t *ret_generation,
    int64_t *ret_unwell_ms, struct err *err) MUST_CHECK;
enum status store_set_well(struct db *db, struct err *err) MUST_CHECK;

/* --- what is to be told --- */
enum store_kind { STORE_BEFRIENDED = 1, STORE_UNFRIENDED = 2, STORE_VISIBILITY = 3 };
struct store_change {
	int64_t id;
	enum store_kind kind;
	const char *user_id, *friend_id; /* "" where there is none */
	bool user_is_visible, friend_is_visible;
	int64_t user_seen_us; /* 0: never */
	bool stands;          /* who was befriended is a friend still */
};
/* Of those not told yet, the oldest `max` of privacy, which take a look at all friends, and ten
 * times as many of friendships, behind them: an import of those holds up nobody who hides. */
enum status store_changes(struct db *db, size_t max, struct arena *arena,
    struct store_change **ret_changes, size_t *ret_n, struct err *err) MUST_CHECK;
enum status store_set_told(struct db *db, const struct store_change *changes, size_t len,
    struct arena *arena, struct err *err) MUST_CHECK;
/* Those that were told so long ago, a bounded number. */
enum status store_forget_told(struct db *db, int64_t after_ms, struct err *err) MUST_CHECK;

/* Friends of many, in the order of user_id. */
struct store_friend {
	const char *user_id, *friend_id;
	bool user_is_visible, friend_is_visible;
};
enum status store_friends_of(struct db *db, const char *const *users, size_t len,
    struct arena *arena, struct store_friend **ret_friends, size_t *ret_n,
    struct err *err) MUST_CHECK;
/* Never makes it earlier. Of who has no friends nothing is kept: nobody may know it. */
enum status store_set_seen(struct db *db, const char *const *users, const int64_t *seen_us,
    size_t len, struct err *err) MUST_CHECK;

/* --- the verbs --- */
struct store_person {
	const char *user_id;
	bool is_visible;
	int64_t seen_us; /* 0: never */
};
/* A user's friends above `after`, in the order of their ids; or those among `ids`. */
enum status store_friends_page(struct db *db, const char *user_id, const char *after, size_t limit,
    struct arena *arena, struct store_person **ret_people, size_t *ret_n,
    struct err *err) MUST_CHECK;
enum status store_friends_among(struct db *db, const char *user_id, const char *const *ids,
    size_t len, struct arena *arena, struct store_person **ret_people, size_t *ret_n,
    struct err *err) MUST_CHECK;
enum status store_is_visible(
    struct db *db, const char *user_id, bool *ret_visible, struct err *err) MUST_CHECK;
/* With its row in `changes`, in one statement; nothing if that is how it was. */
enum status store_set_visible(struct db *db, const char *user_id, bool visible, bool *ret_changed,
    struct err *err) MUST_CHECK;

/* Until the end of the transaction nobody else changes friendships: each is two rows. */
enum status store_lock_friends(struct db *db, struct err *err) MUST_CHECK;
/* Both directions, with rows in `changes`; each is one statement. Who it was, in their order. */
struct store_ids {
	const char *const *at;
	size_t len;
};
enum status store_add_friends(struct db *db, const char *user_id, const struct store_ids *ids,
    struct arena *arena, struct store_ids *ret_added, struct err *err) MUST_CHECK;
enum status store_remove_friends(struct db *db, const char *user_id, const struct store_ids *ids,
    struct arena *arena, struct store_ids *ret_removed, struct err *err) MUST_CHECK;
/* All but these. */
enum status store_keep_friends(struct db *db, const char *user_id, const struct store_ids *ids,
    struct arena *arena, struct store_ids *ret_removed, struct err *err) MUST_CHECK;
enum status store_count_friends(
    struct db *db, const char *user_id, size_t *ret_n, struct err *err) MUST_CHECK;
/* The first of these users who has more friends than that; NULL: none. */
enum status store_find_too_many(struct db *db, const char *const *users, size_t len, size_t max,
    struct arena *arena, const char **ret_user_id, struct err *err) MUST_CHECK;

/* --- export and erasure --- */
/* Their own row, in a transaction in which their friendships were ended: it does not come back. */
enum status store_forget_user(
    struct db *db, const char *user_id, bool *ret_found, struct err *err) MUST_CHECK;
struct store_own {
	bool is_there, is_visible;
	int64_t seen_us; /* 0: never */
};
enum status store_own(
    struct db *db, const char *user_id, struct store_own *ret_own, struct err *err) MUST_CHECK;
struct store_friendship {
	const char *friend_id;
	int64_t since_us;
};
/* Those above `after`, in the order of the friends' ids. */
enum status store_friendships(struct db *db, const char *user_id, const char *after, size_t limit,
    struct arena *arena, struct store_friendship **ret_friendships, size_t *ret_n,
    struct err *err) MUST_CHECK;

#endif
