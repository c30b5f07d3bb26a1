/* Names are compared whole: a text in which one happens to stand is not looked into. */
#include "mention.h"

#include <stdbool.h>
#include <string.h>

#define BODY(NAME) WALLETWIRE__V1__EVENT__BODY_##NAME
#define CHANGE(NAME) WALLETWIRE__V1__CHAT_EVENT__CHANGE_##NAME

static bool is(const char *id, const char *user)
{
	return strcmp(id, user) == 0;
}

static bool is_party(const Walletwire__V1__Party *party, const char *user)
{
	return party && is(party->user_id, user);
}

static bool is_listed(char *const *ids, size_t len, const char *user)
{
	for (size_t i = 0; i < len; i++) {
		if (is(ids[i], user))
			return true;
	}
	return false;
}

static size_t unlist(char **ids, size_t len, const char *user)
{
	size_t kept = 0;

	for (size_t i = 0; i < len; i++) {
		if (!is(ids[i], user))
			ids[kept++] = ids[i];
	}
	return kept;
}

/* The message, the reading, the coming and going of the user: with the user taken out, nothing is
 * left that could be told to others. */
static bool is_their_doing(const Walletwire__V1__ChatEvent *chat, const char *user)
{
	switch (chat->change_case) {
	case CHANGE(MESSAGE):
		return is(chat->message->sender_id, user);
	case CHANGE(ROOM):
		return is(chat->room->user_id, user);
	case CHANGE(READ):
		return is(chat->read->user_id, user);
	default:
		return false;
	}
}

static Walletwire__V1__ChatRoom *room_of(const Walletwire__V1__Event *event)
{
	if (event->body_case != BODY(CHAT) || event->chat->change_case != CHANGE(ROOM))
		return NULL;
	return event->chat->room->room;
}

static bool is_for_others(const Walletwire__V1__Event *event, const char *user)
{
	const Walletwire__V1__TransactionEvent *tx =
	    event->body_case == BODY(TRANSACTION) ? event->transaction : NULL;

	for (size_t i = 0; i < event->n_user_ids; i++) {
		if (!is(event->user_ids[i], user))
			return true;
	}
	return tx &&
	       ((tx->sender && tx->sender->user_id[0] && !is_party(tx->sender, user)) ||
		   (tx->recipient && tx->recipient->user_id[0] && !is_party(tx->recipient, user)));
}

static bool is_named(const Walletwire__V1__Event *event, const char *user)
{
	const Walletwire__V1__ChatRoom *room = room_of(event);

	if (is_listed(event->user_ids, event->n_user_ids, user))
		return true;
	if (event->body_case == BODY(TRANSACTION))
		return is_party(event->transaction->sender, user) ||
		       is_party(event->transaction->recipient, user);
	return room && is_listed(room->members, room->n_members, user);
}

enum mention mention_of(const Walletwire__V1__Event *event, const char *user)
{
	if (event->body_case == BODY(CHAT) && is_their_doing(event->chat, user))
		return MENTION_WHOLE;
	if (!is_named(event, user))
		return MENTION_NONE;
	return is_for_others(event, user) ? MENTION_SHARED : MENTION_WHOLE;
}

void mention_remove(Walletwire__V1__Event *event, const char *user)
{
	Walletwire__V1__ChatRoom *room = room_of(event);

	event->n_user_ids = unlist(event->user_ids, event->n_user_ids, user);
	if (room)
		room->n_members = unlist(room->members, room->n_members, user);
	if (event->body_case != BODY(TRANSACTION))
		return;
	if (is_party(event->transaction->sender, user))
		event->transaction->sender = NULL;
	if (is_party(event->transaction->recipient, user))
		event->transaction->recipient = NULL;
}
