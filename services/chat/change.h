/*
 * change: a request that changes one room, as a unit of work.
 *
 *   change_run()   a transaction: enter the room (its row is locked), do what the verb does, write
 *                  what it told and the records of it; then whoever publishes is nudged, and
 *                  edges are told at once of who is gone
 *   change_tell_*  what members are told: rows of the outbox, in the order of the calls
 *
 * Whatever a verb decides by, it reads after the lock: a removal and a message of one room come one
 * after the other, and recipients are those of that moment.
 */
#ifndef CHAT_CHANGE_H
#define CHAT_CHANGE_H

#include "chat.h"
#include "store.h"

struct change;
typedef enum status (*change_fn)(struct change *change, struct err *err);

struct change {
	/* What is asked; `room_id` or `other_id` (of a direct room), as `enter` wants it. */
	struct request *req;
	const void *in; /* the request's body */
	const char *room_id, *other_id;
	change_fn enter, fn;
	AuditActor by;
	const char *user_id; /* who asks; "" for an operator or a back end */

	/* Of a try: the room as it is now, and who asks among its members (NULL: is none, and not
	 * invited). */
	struct db *db;
	struct arena *arena;
	struct audit audit;
	struct store_room room;
	struct store_members members;
	struct store_member *mine;

	/* For the verb. */
	ProtobufCMessage *reply;
	bool changed;
	const char *gone; /* who is no member any more; NULL: nobody */
};

/* Of ww.svc.chat.*: checks who asks. */
enum status change_begin(struct change *change, struct request *req,
    const Walletwire__V1__Caller *caller, struct err *err) MUST_CHECK;
enum status change_run(struct change *change, struct err *err) MUST_CHECK;

/* --- ways to enter --- */
/* `room_id`, which has to exist; one that has ended is there for operators and back ends alone. */
enum status change_enter_room(struct change *change, struct err *err) MUST_CHECK;
enum status change_enter_even_ended(struct change *change, struct err *err) MUST_CHECK;
/* The direct room with `other_id`, made if need be. */
enum status change_enter_direct(struct change *change, struct err *err) MUST_CHECK;

/* --- for verbs --- */
/* FORBIDDEN unless who asks is a member of that role or a higher one. */
enum status change_require(struct change *change, RoomRole role, struct err *err) MUST_CHECK;
/* INVALID for a direct room, whose two members stay. */
enum status change_require_group(struct change *change, struct err *err) MUST_CHECK;
/* NULL if there is none. */
struct store_member *change_member(struct change *change, const char *user_id);
/* Of a direct room: the other one, wherever it is. */
const char *change_other(const struct change *change);
/* FORBIDDEN if one of the two of a direct room blocks the other, or the other is gone. */
enum status change_require_open(struct change *change, struct err *err) MUST_CHECK;
/* TOO_LARGE if who asks is in too many rooms to make another one, RATE_LIMITED if they made too
 * many of late. Of several at once a few more may pass. */
enum status change_require_room_maker(struct change *change, struct err *err) MUST_CHECK;
/* After members were written: how it is now. */
enum status change_reread(struct change *change, struct err *err) MUST_CHECK;
/* TOO_LARGE, naming the field, if a room can't hold so many users. */
enum status change_check_room(struct change *change, const char *field, const char *const *users,
    size_t len, struct err *err) MUST_CHECK;

/* Members are told of a change of the room, and the user whom it is about. */
enum status change_tell_room(
    struct change *change, RoomChange what, const char *about, struct err *err) MUST_CHECK;
/* Those who may see it are told how a message is now; the row is the caller's to write. */
struct outbox_row change_message_row(struct change *change, const struct store_message *message);
enum status change_tell_message(
    struct change *change, const struct store_message *message, struct err *err) MUST_CHECK;

/* A record with the room, and with the user whom it is about (NULL: nobody but who asks). */
void change_record(struct change *change, Walletwire__V1__AuditAction action, const char *about);
/* The same of a message. */
void change_record_message(
    struct change *change, Walletwire__V1__AuditAction action, const struct store_message *message);

/* The room as clients see it, in the arena. */
ChatRoom *change_show_room(const struct change *change);
/* A ChatRoomReply with it. */
void change_reply_room(struct change *change);

#endif
