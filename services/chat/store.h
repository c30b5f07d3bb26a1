/*
 * store: all SQL of ww-chat. Results live in the arena that is passed.
 *
 *   store_rooms.c     rooms and who is in them
 *   store_messages.c  what was said
 *   store_people.c    blocks and reports
 *   store_user.c      everything of one user: export and erasure
 *
 * Whoever changes a room, its members or its messages holds the lock of the room's row, which
 * store_lock_room() takes; a read marker alone is moved without.
 */
#ifndef CHAT_STORE_H
#define CHAT_STORE_H

#include "base/arena.h"
#include "db/db.h"
#include "db/partition.h"
#include "messages.h"
#include "service/audit.h"

#define STORE_SCHEMA "chat"
/* Where a page from the top begins: 294276 is the last year that PostgreSQL knows. */
#define STORE_LATEST_US INT64_C(9000000000000000000)

extern const struct db_migration store_migrations[];
extern const size_t store_migrations_len;
extern const struct db_statement store_statements[];
extern const size_t store_statements_len;

extern const struct db_partitions store_expiring; /* messages of class CLASS_EXPIRES */
extern const struct audit_outbox store_audit;
extern const size_t store_outbox; /* ID_INSERT of the outbox of events */
extern const size_t store_upkeep_lock;

/* --- rooms --- */
enum class { CLASS_EXPIRES, CLASS_HELD };

struct store_room {
	const char *room_id, *name, *first_id, *second_id; /* the two of a direct room; else "" */
	RoomType type;
	enum class class;
	bool ended; /* everybody has left: for members it is not there any more */
	uint64_t seq, changes;
};

struct store_member {
	const char *user_id;
	RoomRole role, joins_as;
	uint64_t from_seq, read_seq;
};

/* In the order of roles, and of who came first. */
struct store_members {
	struct store_member *at;
	size_t len;
	int64_t now_us; /* the server's clock, read under the lock; 0 if there is no member */
};

/* Waits for whoever has it. NOT_FOUND: there is no such room. */
enum status store_lock_room(struct db *db, const char *room_id, struct arena *arena,
    struct store_room *ret_room, struct err *err) MUST_CHECK;
/* With the lock, and then its members, in one journey. */
enum status store_enter_room(struct db *db, const char *room_id, struct arena *arena,
    struct store_room *ret_room, struct store_members *ret_members, struct err *err) MUST_CHECK;
/* The same without the lock. */
enum status store_find_room(struct db *db, const char *room_id, struct arena *arena,
    struct store_room *ret_room, struct err *err) MUST_CHECK;
enum status store_read_members(struct db *db, const char *room_id, struct arena *arena,
    struct store_members *ret_members, struct err *err) MUST_CHECK;
/* One member; false if there is none. */
enum status store_find_member(struct db *db, const char *room_id, const char *user_id,
    bool *ret_found, struct store_member *ret_member, struct err *err) MUST_CHECK;

/* The room of the two, in either order; "" if there is none. */
enum status store_find_direct(struct db *db, const char *one_id, const char *other_id,
    struct arena *arena, const char **ret_room_id, struct err *err) MUST_CHECK;
/* A lock of the two, until the transaction ends, that stands for their room's row before there is
 * one. It comes before the lock of the room. */
enum status store_lock_pair(
    struct db *db, const char *one_id, const char *other_id, struct err *err) MUST_CHECK;
/* The creator's room with this key; "" if there is none. */
enum status store_find_created(struct db *db, const char *creator_id, const char *client_id,
    struct arena *arena, const char **ret_room_id, struct err *err) MUST_CHECK;
/* False if somebody else was faster with the same pair, or the same creator and key. `client_id`:
 * of a group; NULL for a direct room. */
enum status store_insert_room(struct db *db, const struct store_room *room, const char *creator_id,
    const char *client_id, bool *ret_inserted, struct err *err) MUST_CHECK;
/* Of people who are not there yet: they see what follows from_seq. */
enum status store_insert_members(struct db *db, const char *room_id,
    const struct store_member *members, size_t len, struct arena *arena,
    struct err *err) MUST_CHECK;
/* Who was invited is there since now. */
enum status store_set_member(struct db *db, const char *room_id, const struct store_member *member,
    struct err *err) MUST_CHECK;
enum status store_delete_member(
    struct db *db, const char *room_id, const char *user_id, struct err *err) MUST_CHECK;
/* Name, number of changes, and that something has happened, so that it has not ended. */
enum status store_touch_room(
    struct db *db, const struct store_room *room, struct err *err) MUST_CHECK;
/* Invitations to nobody's room end with it. The row goes by upkeep. */
enum status store_end_room(struct db *db, const char *room_id, struct err *err) MUST_CHECK;
/* The first of these who is in `max` rooms already; NULL: none. */
enum status store_find_crowded(struct db *db, const char *const *users, size_t len, int64_t max,
    struct arena *arena, const char **ret_user_id, struct err *err) MUST_CHECK;

/* Rooms that the user has made in the last 24 hours, also if they have ended since. */
enum status store_count_created(
    struct db *db, const char *creator_id, int64_t *ret_n, struct err *err) MUST_CHECK;

/* Of each pair, in the order given: is the user a member? */
enum status store_are_members(struct db *db, const char *const *rooms, const char *const *users,
    size_t len, bool *ret_are, struct err *err) MUST_CHECK;

/* Up to `seq`, never backwards; where it is then. False: it was there or beyond. FORBIDDEN: the
 * user is no member any more. */
enum status store_move_marker(struct db *db, const char *room_id, const char *user_id, uint64_t seq,
    bool *ret_moved, uint64_t *ret_seq, struct err *err) MUST_CHECK;
/* Of a room whose newest message has this number. A marker that was read later may be beyond it. */
static inline uint64_t store_unread(uint64_t newest_seq, uint64_t read_seq)
{
	return newest_seq > read_seq ? newest_seq - read_seq : 0;
}

/* --- messages --- */
struct store_message {
	const char *message_id, *room_id, *sender_id, *client_id, *text;
	uint64_t seq;
	unsigned edit;
	int64_t created_us, edited_us; /* 0: never */
	bool deleted;
};

/* By the sender's key, or by number. False if there is none. */
enum status store_find_sent(struct db *db, const char *room_id, const char *sender_id,
    const char *client_id, struct arena *arena, bool *ret_found, struct store_message *ret_message,
    struct err *err) MUST_CHECK;
enum status store_find_message(struct db *db, const struct store_room *room, uint64_t seq,
    struct arena *arena, bool *ret_found, struct store_message *ret_message,
    struct err *err) MUST_CHECK;

/* With the room's seq, the sender's read marker and the event's row in the outbox; by whatever
 * comes next on the connection (db_later()). */
enum status store_append(struct db *db, const struct store_room *room,
    const struct store_message *message, const struct outbox_row *event,
    struct err *err) MUST_CHECK;
/* text, edit, edited_us and deleted; what a held room's message said before is kept. */
enum status store_change_message(struct db *db, const struct store_room *room,
    const struct store_message *message, struct err *err) MUST_CHECK;

/* What of a room may be seen. */
struct store_window {
	const struct store_room *room;
	uint64_t after, before; /* exclusive */
	int64_t cutoff_us;
};
/* In the order of seq: the oldest of the window, or the newest. */
enum status store_page(struct db *db, const struct store_window *window, bool oldest, size_t limit,
    struct arena *arena, struct store_message **ret_messages, size_t *ret_n,
    struct err *err) MUST_CHECK;
/* 0: there is nothing. */
enum status store_oldest(struct db *db, const struct store_window *window, uint64_t *ret_seq,
    struct err *err) MUST_CHECK;

/* Moves the room with its messages to another class; how many these are. What was written before
 * the cutoff expires at once when it is released; of what was not the partition may be gone as
 * well, if the retention was shorter, and is made again. */
enum status store_set_class(struct db *db, const struct store_room *room, enum class class,
    int64_t cutoff_us, uint64_t *ret_messages, struct err *err) MUST_CHECK;

/* --- the rooms of a user --- */
/* A page of a user's rooms, newest activity first, from below the cursor on. */
struct store_rooms_page {
	const char *user_id;
	int64_t before_us; /* STORE_LATEST_US: from the top */
	const char *before_id;
	int64_t cutoff_us; /* messages before it are not shown any more */
	size_t limit;
};
struct store_listed {
	ChatRoomEntry *entry; /* without the last message */
	int64_t active_us;
	bool has_last;
	struct store_message last;
};
enum status store_rooms(struct db *db, const struct store_rooms_page *page, struct arena *arena,
    struct store_listed **ret_rooms, size_t *ret_n, struct err *err) MUST_CHECK;

/* --- people --- */
/* Whether either of the two blocks the other; or which of `others` does, NULL: none. */
enum status store_find_blocked(struct db *db, const char *user_id, const char *const *others,
    size_t len, struct arena *arena, const char **ret_other, struct err *err) MUST_CHECK;
/* False if that was so already. */
enum status store_block(struct db *db, const char *user_id, const char *blocked_id,
    bool *ret_changed, struct err *err) MUST_CHECK;
enum status store_unblock(struct db *db, const char *user_id, const char *blocked_id,
    bool *ret_changed, struct err *err) MUST_CHECK;
enum status store_blocks(struct db *db, const char *user_id, const char *after, size_t limit,
    struct arena *arena, char ***ret_ids, size_t *ret_n, struct err *err) MUST_CHECK;
/* False if this one was reported by them already. */
enum status store_report(struct db *db, const struct store_message *message,
    const char *reporter_id, const char *reason, bool *ret_new, struct err *err) MUST_CHECK;

/* A page of reports, the newest first, from below the cursor on. */
struct store_reports_page {
	int64_t before_us; /* likewise */
	const char *before_room, *before_reporter;
	uint64_t before_seq;
	size_t limit;
};
struct store_report {
	const char *room_id, *sender_id, *reporter_id, *reason, *text;
	uint64_t seq;
	int64_t reported_us;
};
enum status store_reports(struct db *db, const struct store_reports_page *page, struct arena *arena,
    struct store_report **ret_reports, size_t *ret_n, struct err *err) MUST_CHECK;

/* --- everything of one user --- */
/* Records after the cursor (store_user.c says what it is), and the next one: "" if that was all. */
enum status store_export(struct db *db, const char *user_id, const char *after, struct arena *arena,
    ChatExportReply *reply, struct err *err) MUST_CHECK;
/* Some room in which the user has said what is still there, or is in; "": none. */
enum status store_room_of_sender(struct db *db, const char *user_id, struct arena *arena,
    const char **ret_room_id, struct err *err) MUST_CHECK;
enum status store_room_of_member(struct db *db, const char *user_id, struct arena *arena,
    const char **ret_room_id, struct err *err) MUST_CHECK;
/* What a sender has said in a room and is not blank yet, the oldest first. */
enum status store_sent(struct db *db, const struct store_room *room, const char *sender_id,
    size_t limit, struct arena *arena, struct store_message **ret_messages, size_t *ret_n,
    struct err *err) MUST_CHECK;
enum status store_erase_blocks(
    struct db *db, const char *user_id, uint32_t *ret_n, struct err *err) MUST_CHECK;
/* Those by the user go, those about them lose the text. */
enum status store_erase_reports(
    struct db *db, const char *user_id, uint32_t *ret_n, struct err *err) MUST_CHECK;

/* Whether events that name the user are on their way. */
enum status store_is_told(
    struct db *db, const char *user_id, bool *ret_told, struct err *err) MUST_CHECK;

/* --- upkeep: a bounded number each --- */
/* Rooms that have ended before, unless they are held. */
enum status store_forget_rooms(struct db *db, int64_t before_us, struct err *err) MUST_CHECK;
enum status store_forget_reports(struct db *db, int64_t before_us, struct err *err) MUST_CHECK;

#endif
