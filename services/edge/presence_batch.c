/* Lists and changes as the states that clients are shown, encoded as those of doorbells are. */
#include "presence_batch.h"

#include "base/message.h"

enum { BATCH_ARENA_MAX = 16 << 20 };

static bool is_whole(const Walletwire__V1__PresenceBatch *message)
{
	for (size_t i = 0; i < message->n_changes; i++) {
		if (!message->changes[i]->update)
			return false;
	}
	return true;
}

static Walletwire__V1__State *state_new(struct arena *arena, char *key)
{
	Walletwire__V1__State *state = MESSAGE_NEW(arena, state);

	state->key = key;
	state->payload = MESSAGE_NEW(arena, payload);
	return state;
}

/* All lists are versions of one state, whatever is its key. */
static struct delivery_state *encode_friends(
    const Walletwire__V1__PresenceBatch *message, struct arena *arena)
{
	Walletwire__V1__State **states =
	    arena_alloc(arena, (message->n_friends + 1) * sizeof(*states));

	for (size_t i = 0; i < message->n_friends; i++) {
		Walletwire__V1__PresenceList *list = MESSAGE_NEW(arena, presence_list);

		list->users = message->friends[i]->users;
		list->n_users = message->friends[i]->n_users;
		states[i] = state_new(arena, arena_strdup(arena, ""));
		states[i]->payload->body_case = WALLETWIRE__V1__PAYLOAD__BODY_PRESENCE_FRIENDS;
		states[i]->payload->presence_friends = list;
	}
	return delivery_encode_states(states, message->n_friends);
}

static bool is_known(Walletwire__V1__PresenceStatus status)
{
	return status >= WALLETWIRE__V1__PRESENCE_STATUS__PRESENCE_STATUS_ONLINE &&
	       status <= WALLETWIRE__V1__PRESENCE_STATUS__PRESENCE_STATUS_OFFLINE;
}

static struct delivery_state *encode_changes(
    const Walletwire__V1__PresenceBatch *message, struct arena *arena)
{
	Walletwire__V1__State **states =
	    arena_alloc(arena, (message->n_changes + 1) * sizeof(*states));

	for (size_t i = 0; i < message->n_changes; i++) {
		Walletwire__V1__PresenceUpdate *update = message->changes[i]->update;

		states[i] = state_new(arena, update->user_id);
		if (!is_known(update->status))
			continue;
		states[i]->payload->body_case = WALLETWIRE__V1__PAYLOAD__BODY_PRESENCE;
		states[i]->payload->presence = update;
	}
	return delivery_encode_states(states, message->n_changes);
}

static bool decode(void *body, struct bytes data, struct arena *arena)
{
	struct presence_batch *batch = body;
	const Walletwire__V1__PresenceBatch *message =
	    walletwire__v1__presence_batch__unpack(arena_allocator(arena), data.len, data.data);

	if (!message || !is_whole(message))
		return false;
	batch->message = message;
	batch->friends = encode_friends(message, arena);
	batch->changes = encode_changes(message, arena);
	batch->is_empty = message->n_friends + message->n_changes + message->n_excess == 0;
	return true;
}

static void finish(void *body)
{
	struct presence_batch *batch = body;

	delivery_free_states(batch->friends, batch->message->n_friends);
	delivery_free_states(batch->changes, batch->message->n_changes);
}

static const struct shared_type batch_type = { sizeof(struct presence_batch), BATCH_ARENA_MAX,
	decode, finish };

struct shared *presence_batch_new(struct bus_msg *msg)
{
	return shared_new(&batch_type, msg);
}

const struct presence_batch *presence_batch_of(struct shared *msg)
{
	return shared_body(msg);
}
