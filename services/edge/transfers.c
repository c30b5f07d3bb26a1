/* Transfers are asked for one by one: their parties are many, so a snapshot of the user does not
 * hold them. */
#include "transfers.h"

#include <stdlib.h>
#include <utlist.h>

#include "base/xalloc.h"
#include "calls.h"
#include "channels.h"
#include "user.h"
#include "walletwire/v1/notifications.pb-c.h"

enum { ANSWER_ARENA_MAX = 1 << 20 };

struct transfer_asked {
	uint64_t session;
	char id[];
};

static void show_transfer(
    struct socket *socket, const char *id, Walletwire__V1__TransferUpdate *transfer)
{
	Walletwire__V1__Channel channel = WALLETWIRE__V1__CHANNEL__INIT;
	Walletwire__V1__Payload payload = WALLETWIRE__V1__PAYLOAD__INIT;
	Walletwire__V1__State state = WALLETWIRE__V1__STATE__INIT;
	Walletwire__V1__Channel *channels[] = { &channel };
	Walletwire__V1__State *states[] = { &state };
	struct delivery_state *encoded;
	const struct tracked *tracked = channel_tracked(socket, bytes_of_str(id));

	if (!tracked || transfer->version <= tracked->version)
		return;
	channel.kind = WALLETWIRE__V1__CHANNEL_KIND__CHANNEL_KIND_TRANSFER;
	channel.id = transfer->transfer_id;
	payload.body_case = WALLETWIRE__V1__PAYLOAD__BODY_TRANSFER;
	payload.transfer = transfer;
	state.payload = &payload;
	state.key = transfer->transfer_id;
	state.version = transfer->version;
	state.channels = channels;
	state.n_channels = 1;
	encoded = delivery_encode_states(states, 1);
	socket_show_state(socket, encoded);
	delivery_free_states(encoded, 1);
}

/* One that fails is asked for again with the next snapshot. */
static void on_transfer(struct edge_loop *el, void *arg, enum status s, struct bytes data)
{
	struct transfer_asked *asked = arg;
	struct socket *socket = socket_of(session_find(el->engine, asked->session));
	Walletwire__V1__TrackReply *reply;
	struct arena arena;

	arena_init(&arena, ANSWER_ARENA_MAX);
	reply = call_unpack(&arena, &walletwire__v1__track_reply__descriptor, s, data);
	if (reply && !reply->error && reply->transfer && socket && socket->state == SOCKET_LIVE)
		show_transfer(socket, asked->id, reply->transfer);
	arena_finish(&arena);
	free(asked);
}

void transfers_ask(struct socket *socket)
{
	const struct tracked *tracked;

	LL_FOREACH (socket->tracked, tracked) {
		Walletwire__V1__Caller caller = WALLETWIRE__V1__CALLER__INIT;
		Walletwire__V1__TrackRequest request = WALLETWIRE__V1__TRACK_REQUEST__INIT;
		size_t size = strlen(tracked->id) + 1;
		struct transfer_asked *asked = xmalloc(sizeof(*asked) + size);

		asked->session = socket->session->number;
		memcpy(asked->id, tracked->id, size);
		caller.user_id = socket->user->id;
		caller.session_id = socket->base->sid;
		request.caller = &caller;
		request.transfer_id = asked->id;
		call_service(edge_loop_of(socket->session), "ww.svc.notifications.track",
		    &request.base, on_transfer, asked);
	}
}
