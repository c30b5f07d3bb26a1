/*
 * ww.backend.chat.erase: takes away what is held about one user, a piece a request: the messages of
 * one room, or the membership in one, or, when there is none left, blocks and reports. It is done
 * when every event that names the user is in the stream: who erases what others keep of them waits
 * for what the stream has, and knows nothing of the outbox.
 *
 * Messages go before memberships: whoever sees them is told that they were deleted. Those of a room
 * that is held are blanked as well, and kept where the hold keeps what was deleted.
 */
#include "base/clock.h"
#include "base/subject.h"
#include "leaving.h"

enum { PIECE_MESSAGES = 100 };

struct erasure {
	struct change change; /* first: the verb gets it by this */
	const char *erased_id;
	Walletwire__V1__ChatEraseCounts *counts;
	bool waiting;
};

static struct erasure *erasure_of(struct change *change)
{
	return (struct erasure *)(void *)change;
}

static void record(struct change *change, uint64_t n)
{
	audit_erased(&change->audit, erasure_of(change)->erased_id, n);
}

static enum status blank(struct change *change, struct store_message *message, struct err *err)
{
	enum status s;

	message->text = "";
	message->deleted = true;
	message->edit++;
	message->edited_us = clock_wall_us();
	s = store_change_message(change->db, &change->room, message, err);
	/* Nobody is left to be told in a room that everybody has left. */
	if (!s && change->members.len > 0)
		s = change_tell_message(change, message, err);
	return s;
}

static enum status erase_messages(struct change *change, struct err *err)
{
	struct erasure *erasure = erasure_of(change);
	struct store_message *messages = NULL;
	size_t n = 0;
	enum status s = store_sent(change->db, &change->room, erasure->erased_id, PIECE_MESSAGES,
	    change->arena, &messages, &n, err);

	for (size_t i = 0; i < n && !s; i++)
		s = blank(change, &messages[i], err);
	erasure->counts->messages = (uint32_t)n;
	if (!s && n > 0)
		record(change, n);
	return s;
}

static enum status erase_membership(struct change *change, struct err *err)
{
	struct erasure *erasure = erasure_of(change);

	if (!change_member(change, erasure->erased_id))
		return STATUS_OK;
	erasure->counts->rooms = 1;
	record(change, 1);
	return leaving_take_out(change, erasure->erased_id, ROOM_CHANGE(LEFT), err);
}

static enum status erase_rest(struct change *change, struct err *err)
{
	struct erasure *erasure = erasure_of(change);
	Walletwire__V1__ChatEraseCounts *counts = erasure->counts;
	enum status s = store_erase_blocks(change->db, erasure->erased_id, &counts->blocks, err);

	if (!s)
		s = store_erase_reports(change->db, erasure->erased_id, &counts->reports, err);
	if (!s && counts->blocks + counts->reports > 0)
		record(change, counts->blocks + counts->reports);
	return s ? s : store_is_told(change->db, erasure->erased_id, &erasure->waiting, err);
}

/* What was said in a room that everybody has left is there until it expires. */
static enum status enter_or_ended(struct change *change, struct err *err)
{
	struct err no_room = ERR_INIT;
	enum status s = change_enter_room(change, &no_room);

	if (s == STATUS_NOT_FOUND) {
		change->room = (struct store_room){ .room_id = change->room_id };
		change->members = (struct store_members){ 0 };
		return STATUS_OK;
	}
	if (s)
		*err = no_room;
	return s;
}

static enum status enter_none(struct change *change, struct err *err)
{
	(void)change;
	(void)err;
	return STATUS_OK;
}

/* What there is to do first. */
static enum status choose(struct erasure *erasure, struct db *db, bool *ret_more, struct err *err)
{
	struct change *change = &erasure->change;
	enum status s =
	    store_room_of_sender(db, erasure->erased_id, change->arena, &change->room_id, err);

	change->fn = erase_messages;
	change->enter = enter_or_ended;
	*ret_more = true;
	if (s || change->room_id[0])
		return s;
	s = store_room_of_member(db, erasure->erased_id, change->arena, &change->room_id, err);
	change->fn = erase_membership;
	change->enter = change_enter_room;
	if (s || change->room_id[0])
		return s;
	change->enter = enter_none;
	change->fn = erase_rest;
	*ret_more = false;
	return STATUS_OK;
}

enum status chat_on_erase(struct request *req, struct err *err)
{
	const Walletwire__V1__ChatEraseRequest *in = (const void *)req->body;
	Walletwire__V1__ChatEraseReply *reply = MESSAGE_NEW(req->arena, chat_erase_reply);
	struct erasure erasure = { .change = { .req = req,
				       .in = in,
				       .arena = req->arena,
				       .user_id = "",
				       .reply = &reply->base },
		.erased_id = in->user_id,
		.counts = MESSAGE_NEW(req->arena, chat_erase_counts) };
	bool more = false;
	enum status s = subject_check_id("userId", in->user_id, err);

	if (!s)
		s = audit_requester(req, in->asked_by, &erasure.change.by, err);
	if (!s)
		s = choose(&erasure, req->db, &more, err);
	if (!s)
		s = change_run(&erasure.change, err);
	if (s)
		return s;
	reply->more = more || erasure.waiting;
	reply->waiting = erasure.waiting;
	reply->erased = erasure.counts;
	return STATUS_OK;
}
