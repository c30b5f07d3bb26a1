/* ww.svc.chat.send: a member says something, once however often it is sent. */
#include "people.h"
#include "stats.h"
#include "words.h"

typedef Walletwire__V1__ChatSendRequest SendRequest;

#define TO(NAME) WALLETWIRE__V1__CHAT_SEND_REQUEST__TO_##NAME

static void reply_sent(struct change *change, const struct store_message *message)
{
	Walletwire__V1__ChatSendReply *reply = MESSAGE_NEW(change->arena, chat_send_reply);

	reply->id = arena_strdup(change->arena, message->message_id);
	reply->room_id = arena_strdup(change->arena, message->room_id);
	reply->seq = message->seq;
	reply->timestamp = message_timestamp(message->created_us, change->arena);
	change->reply = &reply->base;
}

/* The number, the row and the event: in one statement, under the room's lock. */
static enum status append(struct change *change, const SendRequest *in, struct err *err)
{
	struct store_message message = { .room_id = change->room.room_id,
		.sender_id = change->user_id,
		.client_id = in->client_id,
		.text = in->text,
		.seq = change->room.seq + 1,
		.created_us = change->members.now_us };
	struct outbox_row event;
	char id[ID_SIZE];

	id_random(id);
	message.message_id = arena_strdup(change->arena, id);
	event = change_message_row(change, &message);
	change_record_message(change, AUDIT_ACTION(CHAT_MESSAGE_SENT), &message);
	reply_sent(change, &message);
	return store_append(change->db, &change->room, &message, &event, err);
}

static enum status say(struct change *change, struct err *err)
{
	const SendRequest *in = change->in;
	struct store_message first;
	bool found = false;
	enum status s = store_find_sent(change->db, change->room.room_id, change->user_id,
	    in->client_id, change->arena, &found, &first, err);

	/* Before anything may refuse it: what was stored was stored. */
	if (!s && found) {
		reply_sent(change, &first);
		return STATUS_OK;
	}
	if (!s)
		s = change_require(change, ROOM_ROLE(MEMBER), err);
	if (!s)
		s = change_require_open(change, err);
	return s ? s : append(change, in, err);
}

static enum status check(const struct change *change, const SendRequest *in, struct err *err)
{
	enum status s;

	if (in->to_case == TO(_NOT_SET))
		return err_invalid(err, "roomId", "is missing, and so is recipientId");
	if (in->to_case == TO(RECIPIENT_ID)) {
		s = people_check_other("recipientId", in->recipient_id, change->user_id, err);
		if (s)
			return s;
	}
	s = words_check_id("clientId", in->client_id, err);
	return s ? s : words_check("text", in->text, WORDS_TEXT_MAX, err);
}

static enum status check_friends(struct request *req, const SendRequest *in, struct err *err)
{
	const char *other = in->recipient_id;

	if (in->to_case == TO(ROOM_ID))
		return people_require_friend_in(req, in->room_id, err);
	return people_require_friends(req, "recipientId", &other, 1, err);
}

/* Whether what is refused now was stored by an earlier try, whose answer was lost. */
static bool was_sent(struct request *req, struct change *change, const SendRequest *in)
{
	const char *room_id = in->room_id;
	struct store_message first;
	struct err err = ERR_INIT;
	bool found = false;
	enum status s = STATUS_OK;

	if (in->to_case == TO(RECIPIENT_ID))
		s = people_find_direct(req, in->recipient_id, &room_id, &err);
	if (!s && room_id[0])
		s = store_find_sent(req->db, room_id, change->user_id, in->client_id, req->arena,
		    &found, &first, &err);
	if (s || !found)
		return false;
	reply_sent(change, &first);
	req->reply = change->reply;
	return true;
}

enum status chat_on_send(struct request *req, struct err *err)
{
	const SendRequest *in = (const void *)req->body;
	bool is_direct = in->to_case == TO(RECIPIENT_ID);
	struct change change = { .enter = is_direct ? change_enter_direct : change_enter_room,
		.fn = say,
		/* They share their place in the message. */
		.room_id = in->room_id,
		.other_id = in->recipient_id };
	enum status s = change_begin(&change, req, in->caller, err);

	if (!s)
		s = check(&change, in, err);
	if (s)
		return s;
	s = check_friends(req, in, err);
	if (!s)
		s = change_run(&change, err);
	if (s && was_sent(req, &change, in)) {
		*err = (struct err)ERR_INIT;
		change.changed = false;
		s = STATUS_OK;
	}
	if (!s) {
		stats_count(change.changed ? STATS_MESSAGES : STATS_RETRIES, 1);
		if (change.changed)
			stats_count(STATS_RECIPIENTS, (int64_t)change.members.len);
	}
	return s;
}
