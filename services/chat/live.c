/* One Delivery each. */
#include "live.h"

#include "base/subject.h"
#include "log/log.h"
#include "stats.h"

static void publish(struct request *req, const char *room_id, Delivery *delivery)
{
	char subject[SUBJECT_SIZE];
	struct err err = ERR_INIT;
	enum status s = subject_with_id("ww.rt.room.", room_id, subject, &err);

	delivery->room_id = arena_strdup(req->arena, room_id);
	if (!s)
		s = bus_publish(req->bus, subject, message_pack(&delivery->base, req->arena), &err);
	if (s)
		log_failure(&err, "tell those who have a room open");
}

void live_tell_typing(struct request *req, const char *room_id, const char *user_id, bool typing)
{
	Delivery *delivery = MESSAGE_NEW(req->arena, delivery);
	Payload *payload = MESSAGE_NEW(req->arena, payload);
	Walletwire__V1__ChatTyping *hint = MESSAGE_NEW(req->arena, chat_typing);

	hint->room_id = arena_strdup(req->arena, room_id);
	hint->user_id = arena_strdup(req->arena, user_id);
	hint->typing = typing;
	payload->body_case = WALLETWIRE__V1__PAYLOAD__BODY_CHAT_TYPING;
	payload->chat_typing = hint;
	delivery->hints = &payload;
	delivery->n_hints = 1;
	publish(req, room_id, delivery);
	stats_count(STATS_TYPING, 1);
}

void live_tell_read(struct request *req, const ChatRead *marker)
{
	Delivery *delivery = MESSAGE_NEW(req->arena, delivery);
	Walletwire__V1__State *state = MESSAGE_NEW(req->arena, state);
	Payload *payload = MESSAGE_NEW(req->arena, payload);

	payload->body_case = WALLETWIRE__V1__PAYLOAD__BODY_CHAT_READ;
	payload->chat_read = arena_memdup(req->arena, marker, sizeof(*marker));
	state->payload = payload;
	/* Of everybody in the room the newest counts. */
	state->key = arena_printf(req->arena, "%s/%s", marker->room_id, marker->user_id);
	state->version = marker->seq;
	delivery->states = &state;
	delivery->n_states = 1;
	publish(req, marker->room_id, delivery);
}

void live_tell_gone(struct request *req, const char *room_id, const char *user_id)
{
	Delivery *delivery = MESSAGE_NEW(req->arena, delivery);
	char *gone = arena_strdup(req->arena, user_id);

	delivery->gone = &gone;
	delivery->n_gone = 1;
	publish(req, room_id, delivery);
}
