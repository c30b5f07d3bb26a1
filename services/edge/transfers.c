/* Transfers are asked for one by one: their parties are many, so a snapshot of the user does not
 * hold them. */
#include "transfers.h"

#include <stdlib.h>
#include <utlist.h>

#include "base/xalloc.h"
#include "calls.h"
#include "channels.h"
#include "metrics.h"
#include "tracking.h"
#include "user.h"
#include "walletwire/v1/notifications.pb-c.h"

enum { ANSWER_ARENA_MAX = 1 << 20, RETRY_MS = 5000 };

struct transfer_asked {
	struct socket_ref socket;
	bool is_last; /* time is up */
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

void transfer_give_up(struct socket *socket, const char *id)
{
	const struct tracked *tracked = channel_tracked(socket, bytes_of_str(id));

	if (!tracked || tracked->version > 0)
		return;
	channel_untrack(socket, bytes_of_str(id));
	(void)tracking_store(socket, NULL, NULL);
	count_track_given_up();
}

static void arm(struct tracked *tracked, int64_t wait_ms);

static bool is_forbidden(const Walletwire__V1__TrackReply *reply)
{
	return reply && reply->error && status_from_wire(reply->error->code) == STATUS_FORBIDDEN;
}

/* One that fails is asked for again, with the next snapshot or after a while. */
static void take_answer(struct socket *socket, const struct transfer_asked *asked,
    const Walletwire__V1__TrackReply *reply)
{
	bool is_told = reply && !reply->error;
	struct tracked *tracked = channel_tracked(socket, bytes_of_str(asked->id));

	if (is_told && reply->transfer)
		show_transfer(socket, asked->id, reply->transfer);
	else if (is_forbidden(reply) || (is_told && asked->is_last))
		transfer_give_up(socket, asked->id);
	else if (tracked && asked->is_last)
		arm(tracked, RETRY_MS);
}

static void on_transfer(struct edge_loop *el, void *arg, enum status s, struct bytes data)
{
	struct transfer_asked *asked = arg;
	struct socket *socket = socket_ref_find(el, &asked->socket);
	struct arena arena;

	arena_init(&arena, ANSWER_ARENA_MAX);
	if (socket && socket->state == SOCKET_LIVE)
		take_answer(socket, asked,
		    call_unpack(&arena, &walletwire__v1__track_reply__descriptor, s, data));
	arena_finish(&arena);
	free(asked);
}

static void ask(const struct socket *socket, const char *id, bool is_last)
{
	Walletwire__V1__Caller caller = WALLETWIRE__V1__CALLER__INIT;
	Walletwire__V1__TrackRequest request = WALLETWIRE__V1__TRACK_REQUEST__INIT;
	size_t size = strlen(id) + 1;
	struct transfer_asked *asked = xmalloc(sizeof(*asked) + size);

	asked->socket = socket_ref(socket);
	asked->is_last = is_last;
	memcpy(asked->id, id, size);
	caller.user_id = socket->user->id;
	caller.session_id = socket->base->sid;
	request.caller = &caller;
	request.transfer_id = asked->id;
	call_service(edge_loop_of(socket->session), "ww.svc.notifications.track", &request.base,
	    on_transfer, asked);
}

void transfers_ask(struct socket *socket)
{
	const struct tracked *tracked;

	LL_FOREACH (socket->tracked, tracked)
		ask(socket, tracked->id, /* is_last= */ false);
}

/* A doorbell may have been missed, so it is asked before it is given up. */
static void on_pending_end(void *arg)
{
	struct tracked *tracked = arg;

	if (tracked->version > 0)
		return;
	if (tracked->socket->state == SOCKET_LIVE)
		ask(tracked->socket, tracked->id, /* is_last= */ true);
	else
		arm(tracked, RETRY_MS);
}

static void arm(struct tracked *tracked, int64_t wait_ms)
{
	struct loop *loop = tracked->socket->session->el->loop;

	loop_timer_arm(loop, &tracked->timer, loop_now_ms(loop) + wait_ms, on_pending_end, tracked);
}

void transfer_await(struct tracked *tracked)
{
	arm(tracked, edge_loop_of(tracked->socket->session)->edge->cfg.track_pending_ms);
}

void transfer_answered(const struct socket *socket, const Walletwire__V1__TransferUpdate *transfer)
{
	struct tracked *tracked = channel_tracked(socket, bytes_of_str(transfer->transfer_id));

	if (tracked && tracked->version < transfer->version)
		tracked->version = transfer->version;
}
