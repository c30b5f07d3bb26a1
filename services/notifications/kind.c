/* The table of kinds. Names and client events come from events.def, so only our rules stand here.
 */
#include "kind.h"

#include <assert.h>

#define NUMBER(NAME) WALLETWIRE__V1__PAYLOAD__BODY_##NAME
#define CHANNEL(NAME) WALLETWIRE__V1__CHANNEL_KIND__CHANNEL_KIND_##NAME
#define PRIORITY(NAME) WALLETWIRE__V1__PRIORITY__PRIORITY_##NAME

static const struct kind kinds[KIND_COUNT] = {
	[NUMBER(BALANCE)] = { .channel = CHANNEL(BALANCE) },
	[NUMBER(TRANSACTION)] = { .inbox = true,
	    .priority = PRIORITY(NORMAL),
	    .channel = CHANNEL(TRANSACTIONS) },
	[NUMBER(TRANSFER)] = { .inbox = true,
	    .priority = PRIORITY(NORMAL),
	    .channel = CHANNEL(TRANSFER),
	    .item_channel = CHANNEL(USER) },
	[NUMBER(
	    PAYMENT)] = { .inbox = true, .priority = PRIORITY(NORMAL), .channel = CHANNEL(USER) },
	[NUMBER(DEPOSIT)] = { .inbox = true,
	    .priority = PRIORITY(NORMAL),
	    .channel = CHANNEL(TRANSACTIONS) },
	[NUMBER(WITHDRAWAL)] = { .inbox = true,
	    .priority = PRIORITY(NORMAL),
	    .channel = CHANNEL(TRANSACTIONS) },
	[NUMBER(SECURITY)] = { .inbox = true,
	    .critical = true,
	    .priority = PRIORITY(CRITICAL),
	    .channel = CHANNEL(USER) },
	[NUMBER(LIMIT)] = { .inbox = true, .priority = PRIORITY(HIGH), .channel = CHANNEL(USER) },
	[NUMBER(KYC)] = { .inbox = true, .priority = PRIORITY(HIGH), .channel = CHANNEL(USER) },
	[NUMBER(CARD)] = { .inbox = true, .priority = PRIORITY(NORMAL), .channel = CHANNEL(USER) },
	[NUMBER(ANNOUNCEMENT)] = { .priority = PRIORITY(NORMAL) },
	[NUMBER(CHAT_MESSAGE)] = { .channel = CHANNEL(USER) },
	[NUMBER(CHAT_ROOM)] = { .channel = CHANNEL(USER) },
	[NUMBER(CHAT_READ)] = { .channel = CHANNEL(USER) },
	[NUMBER(UNREAD)] = { .channel = CHANNEL(USER) },
	[NUMBER(CHANGED)] = { .channel = CHANNEL(USER) },
};

static const struct {
	const char *name, *event;
} names[] = {
#define X(kind, event, class) { #kind, event },
#include "events.def"
#undef X
};

/* The test every_kind_has_its_name holds events.def to the order of Payload's numbers, from 1. */
const struct kind *kind_find(int number)
{
	assert(number > 0 && number < KIND_COUNT);
	return &kinds[number];
}

const char *kind_name(int number)
{
	assert(number > 0 && number < KIND_COUNT);
	return names[number - 1].name;
}

const char *kind_event(int number)
{
	assert(number > 0 && number < KIND_COUNT);
	return names[number - 1].event;
}

int kind_number(const char *name)
{
	for (int i = 1; i < KIND_COUNT; i++) {
		if (strcmp(kind_name(i), name) == 0)
			return i;
	}
	return 0;
}

const char *priority_word(int priority)
{
	static const char *const words[] = { "", "low", "normal", "high", "critical" };

	return priority > 0 && priority < (int)ARRAY_LEN(words) ? words[priority] : "";
}

const char *kind_key(const Payload *payload)
{
	switch (payload->body_case) {
	case NUMBER(BALANCE):
		return payload->balance->wallet_id;
	case NUMBER(TRANSFER):
		return payload->transfer->transfer_id;
	case NUMBER(CHAT_READ):
		return payload->chat_read->room_id;
	default:
		return "";
	}
}

const char *kind_sender(const Payload *payload)
{
	if (payload->body_case != NUMBER(CHAT_MESSAGE) || !payload->chat_message->sender_id[0])
		return NULL;
	return payload->chat_message->sender_id;
}

static Channel *channel_new(int kind, const Payload *payload, struct arena *arena)
{
	Channel *channel = MESSAGE_NEW(arena, channel);
	const char *id =
	    kind == CHANNEL(TRANSFER) || kind == CHANNEL(ROOM) ? kind_key(payload) : "";

	channel->kind = (Walletwire__V1__ChannelKind)kind;
	channel->id = arena_strdup(arena, id);
	return channel;
}

void kind_channels(const Payload *payload, bool as_item, struct arena *arena, size_t *ret_n,
    Channel ***ret_channels)
{
	const struct kind *kind = kind_find((int)payload->body_case);
	Channel **channels = arena_alloc(arena, 2 * sizeof(*channels));
	size_t n = 0;

	if (kind->channel)
		channels[n++] = channel_new(kind->channel, payload, arena);
	if (as_item && kind->item_channel)
		channels[n++] = channel_new(kind->item_channel, payload, arena);
	*ret_n = n;
	*ret_channels = channels;
}

State *kind_state(Payload *payload, int64_t version, struct arena *arena)
{
	State *state = MESSAGE_NEW(arena, state);

	state->payload = payload;
	state->version = (uint64_t)version;
	state->key = arena_strdup(arena, kind_key(payload));
	kind_channels(payload, /* as_item= */ false, arena, &state->n_channels, &state->channels);
	return state;
}
