/*
 * store: all SQL of this service, one function per statement, named for what it does or answers.
 *
 * Whoever changes anything of a user's holds the user's counter row (store_lock_users); functions
 * that need it say so. Results that are messages are built in the arena that is passed.
 */
#ifndef NOTIFICATIONS_STORE_H
#define NOTIFICATIONS_STORE_H

#include "base/arena.h"
#include "batch.h"
#include "db/db.h"
#include "db/partition.h"
#include "service/audit_outbox.h"
#include "wallets.h"

extern const struct db_migration store_migrations[];
extern const size_t store_migrations_len;
extern const struct db_statement store_statements[];
extern const size_t store_statements_len;

#define STORE_SCHEMA "notifications"

/* A page of rows ends at either. */
enum {
	STORE_PAGE_ROWS = 500,
	STORE_PAGE_BYTES = 256 * 1024,
};

/* --- which history this is (epoch.c) --- */
struct store_identity {
	const char *epoch; /* as stored; "" before the first start */
	bool same;         /* stored by this server, on this timeline */
};
/* Locks the row until the end of the transaction. */
enum status store_identity_lock(
    struct db *db, struct arena *arena, struct store_identity *ret, struct err *err) MUST_CHECK;
enum status store_identity_set(struct db *db, const char *epoch, struct err *err) MUST_CHECK;
enum status store_epoch(
    struct db *db, struct arena *arena, const char **ret_epoch, struct err *err) MUST_CHECK;

/* --- the applier's lock and progress --- */
enum status store_try_lock(struct db *db, bool *ret_locked, struct err *err) MUST_CHECK;
/* What the predecessor left; from now on it counts as not handed over. */
struct store_progress {
	int64_t stream_seq;
	int64_t applied_period;
	bool handed_over;
};
enum status store_take_over(struct db *db, struct store_progress *ret, struct err *err) MUST_CHECK;
enum status store_hand_over(struct db *db, struct err *err) MUST_CHECK;
enum status store_progress_set(struct db *db, int64_t stream_seq, struct err *err) MUST_CHECK;

/* --- applying a batch, in this order (DESIGN 11) --- */
enum status store_create_users(
    struct db *db, const struct batch *batch, struct err *err) MUST_CHECK;
/* In the order of their ids; *ret_found tells how many of them have a row. */
enum status store_lock_users(
    struct db *db, struct batch *batch, size_t *ret_found, struct err *err) MUST_CHECK;
enum status store_find_applied(struct db *db, struct batch *batch, struct err *err) MUST_CHECK;
enum status store_read_versions(struct db *db, struct batch *batch, struct err *err) MUST_CHECK;
/* The first of 4,096 ids. */
enum status store_draw_body_ids(struct db *db, int64_t *ret_first, struct err *err) MUST_CHECK;
/* Into the table of the period. Conflict: one of the events is there. */
enum status store_insert_applied(struct db *db, int64_t period, const struct applied_rows *rows,
    int64_t now_us, struct err *err) MUST_CHECK;
/* The same for one that concerns nobody; *ret_is_new tells whether it was not there. */
enum status store_remember(struct db *db, int64_t period, const char *event_key, int64_t now_us,
    bool *ret_is_new, struct err *err) MUST_CHECK;
enum status store_insert_bodies(
    struct db *db, const struct body_rows *rows, int64_t now_us, struct err *err) MUST_CHECK;
/* Messages of which there is a later version now: whose, "chat/<room>/<seq>/", its number. */
struct store_revised {
	size_t len;
	const char **sender, **prefix;
	int32_t *edit;
};
/* Those with lower numbers lose payload and sender. */
enum status store_blank_earlier(
    struct db *db, const struct store_revised *revised, struct err *err) MUST_CHECK;
enum status store_insert_mailbox(
    struct db *db, const struct mailbox_rows *rows, int64_t now_us, struct err *err) MUST_CHECK;
enum status store_insert_inbox(
    struct db *db, const struct inbox_rows *rows, struct err *err) MUST_CHECK;
/* Of items that were counted, and leave. */
enum status store_take_unread(
    struct db *db, const struct unread_rows *rows, struct err *err) MUST_CHECK;
enum status store_set_users(struct db *db, const struct batch *batch, struct err *err) MUST_CHECK;
enum status store_set_balances(
    struct db *db, const struct batch *batch, int64_t now_us, struct err *err) MUST_CHECK;
enum status store_set_transfers(
    struct db *db, const struct batch *batch, int64_t now_us, struct err *err) MUST_CHECK;
/* Takes the next `n` numbers of the announcement log; holds the log until the end of the
 * transaction. */
enum status store_draw_announcements(
    struct db *db, size_t n, int64_t *ret_first, struct err *err) MUST_CHECK;
enum status store_insert_announcement(
    struct db *db, const LogEntry *entry, int64_t now_us, struct err *err) MUST_CHECK;
enum status store_schedule(
    struct db *db, const LogEntry *entry, int64_t starts_us, struct err *err) MUST_CHECK;

/* --- what is rung --- */
/* The counters of many users, sorted by id: an Unread for each of them in `ret`, its version 0. */
enum status store_unread_of(struct db *db, const char *const *users, size_t len,
    struct arena *arena, Unread **ret, struct err *err) MUST_CHECK;
/* Appends what was found to the users' items and states. */
enum status store_old_items(struct db *db, const char *const *users, const int64_t *seqs,
    size_t len, struct batch *batch, struct err *err) MUST_CHECK;
enum status store_old_balances(struct db *db, const char *const *users, const char *const *wallets,
    size_t len, struct batch *batch, struct err *err) MUST_CHECK;
/* To those of the batch's users who are parties. */
enum status store_old_transfers(struct db *db, const char *const *ids, size_t len,
    struct batch *batch, struct err *err) MUST_CHECK;
enum status store_read_users(struct db *db, struct batch *batch, struct err *err) MUST_CHECK;
enum status store_announcements_by_id(struct db *db, const char *const *ids, size_t len,
    struct arena *arena, size_t *ret_n, LogEntry ***ret, struct err *err) MUST_CHECK;

/* --- events that failed --- */
enum { STORE_ERROR_SIZE = 256 };
/* One try more. `last_error` of the try before is stored unless it is empty; the stored one comes
 * back. */
enum status store_count_attempt(struct db *db, int64_t stream_seq, const char *subject,
    char last_error[static STORE_ERROR_SIZE], int64_t now_us, int *ret_n,
    struct err *err) MUST_CHECK;
/* One that failed for a reason that passes. */
enum status store_uncount_attempt(struct db *db, int64_t stream_seq, struct err *err) MUST_CHECK;
enum status store_forget_attempts(
    struct db *db, const int64_t *stream_seqs, size_t len, struct err *err) MUST_CHECK;

/* --- requests: fill their reply --- */
enum status store_open(struct db *db, const char *user_id, struct arena *arena,
    Walletwire__V1__OpenReply *reply, struct err *err) MUST_CHECK;
enum status store_heads(struct db *db, char *const *users, size_t len, struct arena *arena,
    Walletwire__V1__HeadsReply *reply, struct err *err) MUST_CHECK;
/* Is this number still in the mailbox? */
enum status store_has_item(
    struct db *db, const char *user_id, int64_t seq, bool *ret_has, struct err *err) MUST_CHECK;
enum status store_since(struct db *db, const char *user_id, int64_t after, int64_t up_to,
    struct arena *arena, Walletwire__V1__SinceReply *reply, struct err *err) MUST_CHECK;
enum status store_announcements(struct db *db, int64_t after, int64_t up_to, struct arena *arena,
    Walletwire__V1__AnnouncementsReply *reply, struct err *err) MUST_CHECK;
struct store_list {
	const char *user_id;
	int64_t before_seq; /* INT64_MAX: from the newest */
	int64_t before_announcement;
	bool announcements; /* are wanted at all */
	size_t limit;
	bool unread_only;
	const int16_t *types; /* none: all */
	size_t types_len;
	int16_t priority; /* 0: all */
	int64_t now_us;
};
/* One more than the limit, if there are; without what expired or was recalled. */
enum status store_list(struct db *db, const struct store_list *query, struct arena *arena,
    Walletwire__V1__ListReply *reply, struct err *err) MUST_CHECK;
enum status store_list_announcements(struct db *db, const struct store_list *query,
    struct arena *arena, Walletwire__V1__ListReply *reply, struct err *err) MUST_CHECK;
/* *ret_rev is the user's; the counters' version is it too. */
enum status store_unread(struct db *db, const char *user_id, struct arena *arena,
    Unread **ret_unread, struct err *err) MUST_CHECK;
enum status store_transfer(struct db *db, const char *transfer_id, const char *user_id,
    struct arena *arena, Walletwire__V1__TransferUpdate **ret_transfer, bool *ret_party,
    struct err *err) MUST_CHECK;

/* --- announcements: their log, their ends, and how far users got with them --- */
/* Takes those whose time has come out of the schedule. */
enum status store_due_announcements(struct db *db, int64_t now_us, struct arena *arena,
    size_t *ret_n, LogEntry ***ret, struct err *err) MUST_CHECK;
struct store_recalled {
	bool scheduled; /* until now */
	bool lived;     /* until now */
	bool known;     /* was ever announced or scheduled */
};
/* Blanks it. */
enum status store_recall_announcement(
    struct db *db, const char *id, struct store_recalled *ret, struct err *err) MUST_CHECK;
/* Ends those whose time is over, at most 100. */
enum status store_expire_announcements(struct db *db, int64_t now_us, struct arena *arena,
    size_t *ret_n, const char ***ret_ids, struct err *err) MUST_CHECK;
enum { STORE_CHANGE_ANNOUNCED = 1, STORE_CHANGE_RECALLED, STORE_CHANGE_EXPIRED };
/* The row that says so. */
enum status store_log_end(
    struct db *db, const LogEntry *entry, int64_t now_us, struct err *err) MUST_CHECK;
enum status store_live(struct db *db, struct arena *arena, Walletwire__V1__OpenReply *reply,
    struct err *err) MUST_CHECK;
/* Raises the user's rev if they are others; makes the user's row if need be. */
enum status store_set_claims(
    struct db *db, const char *user_id, const Claims *claims, struct err *err) MUST_CHECK;
enum status store_marks(struct db *db, const char *user_id, struct arena *arena, Marks **ret_marks,
    struct err *err) MUST_CHECK;
/* Adds what lives and was not read; the version is raised by the log's head. */
enum status store_add_live_unread(struct db *db, const char *user_id, struct arena *arena,
    Unread *unread, struct err *err) MUST_CHECK;

/* --- a user's wallets (balances.c) --- */
/* At most WALLETS_MAX, those that are gone last. */
enum status store_wallets(struct db *db, const char *user_id, struct arena *arena,
    struct wallets *ret_wallets, struct err *err) MUST_CHECK;
/* The counter row of somebody who had no event yet, alone in its transaction (see apply.c). */
enum status store_create_user(struct db *db, const char *user_id, struct err *err) MUST_CHECK;
/* Holds the user's row. New versions; then what the back end named is confirmed, and what it did
 * not is gone. */
enum status store_put_wallets(struct db *db, const char *user_id,
    const struct wallets_change *change, struct arena *arena, int64_t now_us,
    struct err *err) MUST_CHECK;
enum status store_confirm_wallets(struct db *db, const char *user_id,
    const struct wallets_change *change, int64_t now_us, struct err *err) MUST_CHECK;

/* --- the inbox's verbs --- */
enum status store_lock_user(struct db *db, const char *user_id, bool *ret_found, int64_t *ret_seq,
    int64_t *ret_rev, struct err *err) MUST_CHECK;
struct store_move {
	const char *user_id;
	int16_t state;    /* to this one; items that are there or beyond stay */
	char *const *ids; /* of events; none: by up_to */
	size_t ids_len;
	int64_t up_to;
	int64_t now_us;
};
/* Holds the user's row. How many moved, and what leaves the counters. */
enum status store_move_items(struct db *db, const struct store_move *move, struct arena *arena,
    size_t *ret_moved, struct unread_rows *ret_left, struct err *err) MUST_CHECK;
/* Likewise announcements, by their ids, or all up to a number of the log. */
enum status store_mark_announcements(
    struct db *db, const struct store_move *move, size_t *ret_moved, struct err *err) MUST_CHECK;
enum status store_pass_announcements(struct db *db, const struct store_move *move, int64_t up_to,
    size_t *ret_moved, struct err *err) MUST_CHECK;
enum status store_set_user(
    struct db *db, const char *user_id, int64_t seq, int64_t rev, struct err *err) MUST_CHECK;

/* --- items that leave the inbox: expired or recalled (withdraw.c) --- */
/* Rows of inboxes, by user and number. */
struct store_items {
	size_t len;
	const char **user_id;
	int64_t *seq;
};
/* The items an event became, at most one a user, without those it never became. */
enum status store_find_event(struct db *db, const char *event_key, struct arena *arena,
    bool *ret_found, struct store_items *ret_items, struct err *err) MUST_CHECK;
/* Unread items that have expired, at most `max`. */
enum status store_find_expired(struct db *db, int64_t now_us, size_t max, struct arena *arena,
    struct store_items *ret_items, struct err *err) MUST_CHECK;
/* The counter rows of users, locked in the order of their ids and told in it; `users` in any. */
struct store_users {
	size_t len;
	const char **user_id;
	int64_t *seq, *rev;
};
enum status store_lock_some(struct db *db, const char *const *users, size_t len,
    struct arena *arena, struct store_users *ret_users, struct err *err) MUST_CHECK;
enum status store_set_some(
    struct db *db, const struct store_users *users, struct err *err) MUST_CHECK;
/* Moves items that have not left yet; their users are locked. Those that left, by user; and what
 * leaves the counters, with a row for every user who lost anything, its `n` 0 if that was read. */
enum status store_withdraw(struct db *db, Walletwire__V1__InboxState state,
    const struct store_items *items, struct arena *arena, struct unread_rows *ret_left,
    struct store_items *ret_gone, struct err *err) MUST_CHECK;

/* --- erasure: pieces of at most `max` rows; the user is locked (erase.c) --- */
/* The numbers and bodies that follow `after` in mailbox and inbox. */
struct store_held {
	size_t len;
	int64_t *seq, *body_id;
};
enum status store_erase_pick(struct db *db, const char *user_id, int64_t after, size_t max,
    struct arena *arena, struct store_held *ret_held, struct err *err) MUST_CHECK;
/* Makes the mailbox's numbers in (after, up_to] void; removes the inbox's, and counts them out. */
enum status store_erase_mailbox(struct db *db, const char *user_id, int64_t after, int64_t up_to,
    uint32_t *ret_n, struct err *err) MUST_CHECK;
enum status store_erase_inbox(struct db *db, const char *user_id, int64_t after, int64_t up_to,
    uint32_t *ret_n, struct err *err) MUST_CHECK;
/* Bodies that one user less refers to; *ret_n is how many of them are gone with that. */
enum status store_release_bodies(struct db *db, const int64_t *body_ids, size_t len,
    uint32_t *ret_n, struct err *err) MUST_CHECK;
/* Tables of their own. */
typedef enum status (*store_erase_fn)(
    struct db *db, const char *user_id, size_t max, uint32_t *ret_n, struct err *err);
enum status store_erase_balances(
    struct db *db, const char *user_id, size_t max, uint32_t *ret_n, struct err *err) MUST_CHECK;
enum status store_erase_marks(
    struct db *db, const char *user_id, size_t max, uint32_t *ret_n, struct err *err) MUST_CHECK;
enum status store_erase_transfers(
    struct db *db, const char *user_id, size_t max, uint32_t *ret_n, struct err *err) MUST_CHECK;
/* Chat messages of the user's, in everybody's mailbox. */
enum status store_erase_sent(
    struct db *db, const char *user_id, size_t max, uint32_t *ret_n, struct err *err) MUST_CHECK;
/* What is left once all that is done: empty counters, claims, and how far announcements were read.
 */
enum status store_erase_user(struct db *db, const char *user_id, struct err *err) MUST_CHECK;

/* A page of everything held about a user: from the cursor on, at least one record unless it is the
 * last page. INVALID for what is no cursor. */
enum status store_export(struct db *db, const char *user_id, const char *after, struct arena *arena,
    Walletwire__V1__ExportReply *reply, struct err *err) MUST_CHECK;

/* --- administration --- */
enum status store_revoke(struct db *db, const char *kind, const char *id, int64_t issued_before_us,
    const char *reason, struct err *err) MUST_CHECK;
/* Calls `fn` for each row. */
enum status store_revocations(struct db *db,
    enum status (*fn)(
	void *arg, const char *kind, const char *id, int64_t issued_before_us, struct err *err),
    void *arg, struct err *err) MUST_CHECK;
struct store_numbers {
	int64_t seq, rev;
	int64_t mailbox_rows, mailbox_low, mailbox_high;
	int64_t inbox_rows;
	int64_t inbox_beyond; /* rows numbered above seq */
};
enum status store_numbers(
    struct db *db, const char *user_id, struct store_numbers *ret, struct err *err) MUST_CHECK;
enum status store_recount(struct db *db, const char *user_id, struct arena *arena,
    Unread **ret_stored, Unread **ret_counted, struct err *err) MUST_CHECK;

/* --- audit records on their way (service/audit_outbox.h) --- */
extern const struct audit_outbox store_audit;

/* --- upkeep --- */
extern const struct db_partitions store_mailbox; /* a day each */
/* In a transaction that must not wait long for a lock. */
#define STORE_IMPATIENT "SET LOCAL lock_timeout = '200ms'"
enum status store_forget_bodies(
    struct db *db, int64_t before_us, size_t *ret_n, struct err *err) MUST_CHECK;
/* Of the oldest announcement that has ended and has some, a bounded number. */
enum status store_forget_marks(struct db *db, struct err *err) MUST_CHECK;
/* Transfers whose final state came before that. */
enum status store_forget_transfers(struct db *db, int64_t before_us, struct err *err) MUST_CHECK;
enum status store_start_period(struct db *db, int64_t period, struct err *err) MUST_CHECK;

#endif
