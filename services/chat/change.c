/* Entering, telling, committing. */
#include "change.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/message.h"
#include "base/subject.h"
#include "event.h"
#include "live.h"
#include "log/log.h"
#include "message.h"
#include "stats.h"
#include "words.h"

enum {
	ATTEMPTS = 3,
	/* Of the ids of a room's members: they stand twice in an event, which has 64 KiB. */
	MEMBERS_BYTES_MAX = 28 * 1024,
	ID_OVERHEAD = 3, /* tag and length */
};

/* --- the unit of work --- */

void chat_nudge(struct bus *bus)
{
	struct err err = ERR_INIT;

	if (bus_publish(bus, CHAT_NUDGE, bytes_of("", 0), &err))
		log_failure(&err, "nudge whoever publishes events");
}

enum status change_begin(struct change *change, struct request *req,
    const Walletwire__V1__Caller *caller, struct err *err)
{
	enum status s = request_caller(req, &change->user_id, err);

	if (s)
		return s;
	change->req = req;
	change->in = req->body;
	change->arena = req->arena;
	change->by = audit_caller(caller);
	return STATUS_OK;
}

static enum status run(void *arg, struct db *db, struct err *err)
{
	struct change *change = arg;
	enum status s;

	change->db = db;
	change->changed = false;
	change->gone = NULL;
	audit_begin(&change->audit, &store_audit, &change->by, change->arena, clock_wall_us());
	s = change->enter(change, err);
	if (!s)
		s = change->fn(change, err);
	return s ? s : audit_write_later(&change->audit, db, err);
}

enum status change_run(struct change *change, struct err *err)
{
	enum status s = db_transaction(change->req->db, ATTEMPTS, run, change, err);

	if (s)
		return s;
	if (change->gone)
		live_tell_gone(change->req, change->room.room_id, change->gone);
	if (change->changed)
		chat_nudge(change->req->bus);
	change->req->reply = change->reply;
	return STATUS_OK;
}

/* --- entering --- */

enum status change_reread(struct change *change, struct err *err)
{
	enum status s = store_read_members(
	    change->db, change->room.room_id, change->arena, &change->members, err);

	change->mine = s ? NULL : change_member(change, change->user_id);
	return s;
}

enum status change_enter_even_ended(struct change *change, struct err *err)
{
	enum status s = store_enter_room(
	    change->db, change->room_id, change->arena, &change->room, &change->members, err);

	change->mine = s ? NULL : change_member(change, change->user_id);
	return s;
}

enum status change_enter_room(struct change *change, struct err *err)
{
	enum status s = change_enter_even_ended(change, err);

	if (!s && change->room.ended && change->user_id[0])
		return err_set(err, STATUS_NOT_FOUND, "there is no such room");
	return s;
}

enum status change_require_room_maker(struct change *change, struct err *err)
{
	const struct chat_config *cfg = chat_of(change->req)->cfg;
	const char *crowded = NULL;
	int64_t made = 0;
	enum status s = store_find_crowded(
	    change->db, &change->user_id, 1, cfg->max_rooms, change->arena, &crowded, err);

	if (!s)
		s = store_count_created(change->db, change->user_id, &made, err);
	if (s || (!crowded && made < cfg->max_new_rooms))
		return s;
	stats_count(STATS_ROOMS_REFUSED, 1);
	if (crowded)
		return err_set(err, STATUS_TOO_LARGE, "you are in too many rooms");
	return err_set(err, STATUS_RATE_LIMITED, "you have made too many rooms today");
}

static enum status require_unblocked(struct change *change, const char *other, struct err *err)
{
	const char *blocked = NULL;
	enum status s = store_find_blocked(
	    change->db, change->user_id, &other, 1, change->arena, &blocked, err);

	if (!s && blocked)
		s = err_set(err, STATUS_FORBIDDEN, "this user can't be written to");
	return s;
}

static enum status insert_direct(struct change *change, struct err *err)
{
	struct store_room room = { .name = "",
		.first_id = change->user_id,
		.second_id = change->other_id,
		.type = ROOM_TYPE(DIRECT) };
	char id[ID_SIZE];
	bool inserted = false;
	enum status s = store_lock_pair(change->db, change->user_id, change->other_id, err);

	if (!s)
		s = require_unblocked(change, change->other_id, err);
	if (!s)
		s = change_require_room_maker(change, err);
	if (s)
		return s;
	id_random(id);
	room.room_id = change->room_id = arena_strdup(change->arena, id);
	s = store_insert_room(change->db, &room, change->user_id, NULL, &inserted, err);
	/* Somebody was faster, and has committed: the row is there. */
	if (!s && !inserted)
		s = store_find_direct(change->db, change->user_id, change->other_id, change->arena,
		    &change->room_id, err);
	return s;
}

/* The two, if the room is new or one of them had gone. */
static enum status insert_the_two(struct change *change, struct err *err)
{
	const char *two[] = { change->room.first_id, change->room.second_id };
	struct store_member missing[2];
	size_t len = 0;
	enum status s;

	for (size_t i = 0; i < 2; i++) {
		if (!change_member(change, two[i]))
			missing[len++] = (struct store_member){ .user_id = two[i],
				.role = ROOM_ROLE(MEMBER),
				.joins_as = ROOM_ROLE(MEMBER),
				.from_seq = change->room.seq };
	}
	if (len == 0)
		return STATUS_OK;
	/* Under the lock of the room now, for which a block waits. */
	s = require_unblocked(change, change->other_id, err);
	if (!s)
		s = store_insert_members(
		    change->db, change->room.room_id, missing, len, change->arena, err);
	if (!s)
		s = change_reread(change, err);
	if (s)
		return s;
	change_record(change, AUDIT_ACTION(CHAT_ROOM_CREATED), change->other_id);
	return change_tell_room(change, ROOM_CHANGE(CREATED), change->user_id, err);
}

static enum status enter_new_direct(struct change *change, struct err *err)
{
	enum status s = insert_direct(change, err);

	return s ? s : change_enter_even_ended(change, err);
}

enum status change_enter_direct(struct change *change, struct err *err)
{
	enum status s = store_find_direct(
	    change->db, change->user_id, change->other_id, change->arena, &change->room_id, err);

	if (s)
		return s;
	s = change->room_id[0] ? change_enter_even_ended(change, err) : STATUS_NOT_FOUND;
	/* There is none, or it had ended and was forgotten since it was found. */
	if (s == STATUS_NOT_FOUND)
		s = enter_new_direct(change, err);
	return s ? s : insert_the_two(change, err);
}

/* --- for verbs --- */

struct store_member *change_member(struct change *change, const char *user_id)
{
	for (size_t i = 0; i < change->members.len; i++) {
		if (strcmp(change->members.at[i].user_id, user_id) == 0)
			return &change->members.at[i];
	}
	return NULL;
}

enum status change_require(struct change *change, RoomRole role, struct err *err)
{
	if (!change->mine || change->mine->role == ROOM_ROLE(INVITED))
		return err_set(err, STATUS_FORBIDDEN, "you are no member of the room");
	if (change->mine->role > role)
		return err_set(err, STATUS_FORBIDDEN, "your role in the room does not allow it");
	return STATUS_OK;
}

enum status change_require_group(struct change *change, struct err *err)
{
	if (change->room.type == ROOM_TYPE(DIRECT))
		return err_invalid(err, "roomId", "is a direct room, whose two members stay");
	return STATUS_OK;
}

const char *change_other(const struct change *change)
{
	const struct store_room *room = &change->room;

	return strcmp(room->first_id, change->user_id) == 0 ? room->second_id : room->first_id;
}

enum status change_require_open(struct change *change, struct err *err)
{
	const char *other = change_other(change);

	if (change->room.type != ROOM_TYPE(DIRECT))
		return STATUS_OK;
	if (!change_member(change, other))
		return err_set(err, STATUS_FORBIDDEN, "this user can't be written to");
	return require_unblocked(change, other, err);
}

enum status change_check_room(
    struct change *change, const char *field, const char *const *users, size_t len, struct err *err)
{
	const struct chat_config *cfg = chat_of(change->req)->cfg;
	const char *crowded = NULL;
	size_t bytes = 0;
	enum status s;

	for (size_t i = 0; i < change->members.len; i++)
		bytes += strlen(change->members.at[i].user_id) + ID_OVERHEAD;
	for (size_t i = 0; i < len; i++)
		bytes += strlen(users[i]) + ID_OVERHEAD;
	if (change->members.len + len > (size_t)cfg->max_members || bytes > MEMBERS_BYTES_MAX) {
		(void)err_invalid(err, field, "are more than a room can hold");
		err->status = STATUS_TOO_LARGE;
		return STATUS_TOO_LARGE;
	}
	s = store_find_crowded(
	    change->db, users, len, cfg->max_rooms, change->arena, &crowded, err);
	if (s)
		return s;
	if (crowded) {
		(void)err_invalid(err, field, "names somebody who is in too many rooms");
		err->status = STATUS_TOO_LARGE;
		return STATUS_TOO_LARGE;
	}
	return STATUS_OK;
}

/* --- telling --- */

/* Members who may see what has this number (0: all), and somebody in any case (NULL: nobody). */
static char **recipients(struct change *change, uint64_t seq, const char *always, size_t *ret_n)
{
	const struct store_members *members = &change->members;
	char **users = arena_alloc(change->arena, (members->len + 1) * sizeof(*users));
	size_t n = 0;

	if (always)
		users[n++] = message_lend(always);
	for (size_t i = 0; i < members->len; i++) {
		const struct store_member *member = &members->at[i];

		if (member->role == ROOM_ROLE(INVITED) || (seq > 0 && member->from_seq >= seq))
			continue;
		if (!always || strcmp(member->user_id, always) != 0)
			users[n++] = message_lend(member->user_id);
	}
	*ret_n = n;
	return users;
}

static enum status insert_event(
    struct change *change, const struct outbox_row *row, struct err *err)
{
	change->changed = true;
	return outbox_insert(change->db, store_outbox, row, 1, change->arena, err);
}

enum status change_tell_room(
    struct change *change, RoomChange what, const char *about, struct err *err)
{
	ChatRoomChange *message = MESSAGE_NEW(change->arena, chat_room_change);
	ChatEvent *event = MESSAGE_NEW(change->arena, chat_event);
	struct outbox_row row;
	size_t n = 0;
	char **users = recipients(change, 0, about, &n);
	enum status s;

	change->room.changes++;
	s = store_touch_room(change->db, &change->room, err);
	if (s)
		return s;
	message->room_id = message_lend(change->room.room_id);
	message->change = what;
	message->user_id = message_lend(about);
	message->room = change_show_room(change);
	event->change_case = WALLETWIRE__V1__CHAT_EVENT__CHANGE_ROOM;
	event->room = message;
	row = event_row(arena_printf(change->arena, "%s/change/%" PRIu64, change->room.room_id,
			    change->room.changes),
	    event, users, n, clock_wall_us(), change->arena);
	return insert_event(change, &row, err);
}

static struct outbox_row message_row(
    struct change *change, const struct store_message *message, char **users, size_t n)
{
	bool escape = chat_of(change->req)->cfg->escape_html;
	ChatEvent *event = MESSAGE_NEW(change->arena, chat_event);

	event->change_case = WALLETWIRE__V1__CHAT_EVENT__CHANGE_MESSAGE;
	event->message = message_show(message, escape, change->arena);
	change->changed = true;
	return event_row(message_event_id(message, change->arena), event, users, n,
	    message->edited_us ? message->edited_us : message->created_us, change->arena);
}

struct outbox_row change_message_row(struct change *change, const struct store_message *message)
{
	size_t n = 0;
	char **users = recipients(change, message->seq, NULL, &n);

	return message_row(change, message, users, n);
}

enum status change_tell_message(
    struct change *change, const struct store_message *message, struct err *err)
{
	size_t n = 0;
	char **users = recipients(change, message->seq, NULL, &n);
	struct outbox_row row;

	/* Of what is erased, whoever saw it may have left: nobody is told it. */
	if (n == 0)
		return STATUS_OK;
	row = message_row(change, message, users, n);
	return insert_event(change, &row, err);
}

/* --- records --- */

static void add_record(struct change *change, Walletwire__V1__AuditAction action, const char *about,
    const struct store_message *message)
{
	AuditRecord *record = audit_record(&change->audit, action, 1);

	audit_record_id(record, change->room.room_id);
	record->n = 1;
	if (about)
		(void)audit_record_user(record, about);
	if (message) {
		record->up_to = message->seq;
		audit_record_event(record, arena_printf(change->arena, "chat/%s",
					       message_event_id(message, change->arena)));
	}
	audit_add(&change->audit, record);
}

void change_record(struct change *change, Walletwire__V1__AuditAction action, const char *about)
{
	add_record(change, action, about, NULL);
}

void change_record_message(
    struct change *change, Walletwire__V1__AuditAction action, const struct store_message *message)
{
	add_record(change, action, NULL, message);
}

/* --- showing --- */

ChatRoom *change_show_room(const struct change *change)
{
	ChatRoom *room = MESSAGE_NEW(change->arena, chat_room);

	room->id = message_lend(change->room.room_id);
	room->type = change->room.type;
	room->name = chat_of(change->req)->cfg->escape_html
			 ? words_escape(change->room.name, change->arena)
			 : message_lend(change->room.name);
	room->members = arena_alloc(change->arena, change->members.len * sizeof(char *));
	for (size_t i = 0; i < change->members.len; i++) {
		if (change->members.at[i].role != ROOM_ROLE(INVITED))
			room->members[room->n_members++] =
			    message_lend(change->members.at[i].user_id);
	}
	return room;
}

void change_reply_room(struct change *change)
{
	Walletwire__V1__ChatRoomReply *reply = MESSAGE_NEW(change->arena, chat_room_reply);

	reply->room = change_show_room(change);
	change->reply = &reply->base;
}
