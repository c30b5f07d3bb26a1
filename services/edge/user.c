/* Keeping every socket's position gapless: what is missing is waited for, then asked for. */
#include "user.h"

#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "base/subject.h"
#include "base/xalloc.h"
#include "calls.h"
#include "channels.h"
#include "hub.h"
#include "log/log.h"
#include "metrics.h"
#include "socket.h"
#include "sweep.h"
#include "transfers.h"
#include "unread.h"
#include "walletwire/v1/notifications.pb-c.h"

enum {
	HELD_ITEMS_MAX = 64,
	HELD_BYTES_MAX = 1 << 20,
	SINCE_IN_FLIGHT_MAX = 8, /* of the whole edge, shared out among its loops */
	CONGESTED_MS = 50,       /* until a full queue is looked at again */
	RETRY_MS = 1000, /* plus as much again at random: services that came back are not stormed */
	ANSWER_ARENA_MAX = 16 << 20,
};

static void look_for_holes(void *arg);

static size_t held_cost(const struct delivery *delivery)
{
	return delivery->items_len + 1; /* one that brings only states counts, too */
}

static void drop_held(struct user *user, struct held *held)
{
	LL_DELETE(user->held, held);
	user->held_items -= held_cost(delivery_of(held->ref));
	user->held_bytes -= shared_size(held->ref);
	shared_unref(held->ref);
	free(held);
}

static void drop_all_held(struct user *user)
{
	while (user->held)
		drop_held(user, user->held);
}

/* --- life --- */

struct user *user_find(struct edge_loop *el, const char *id)
{
	struct user *user;

	HASH_FIND_STR(el->users, id, user);
	return user;
}

static struct user *user_new(struct edge_loop *el, const char *id)
{
	char token[SUBJECT_TOKEN_SIZE];
	size_t size = strlen(id) + 1;
	struct user *user;

	if (subject_encode(bytes_of(id, size - 1), token, NULL))
		return NULL;
	user = xcalloc(1, sizeof(*user) + size);
	user->el = el;
	memcpy(user->id, id, size);
	user->token = xstrdup(token);
	HASH_ADD_STR(el->users, id, user);
	hub_want(el->edge->hub, HUB_USER, user->token, el->index);
	sweep_add(user);
	count_users(1);
	return user;
}

static void user_free(struct user *user)
{
	struct edge_loop *el = user->el;

	sweep_remove(user);
	hub_unwant(el->edge->hub, HUB_USER, user->token, el->index);
	if (user->since_queued)
		DL_DELETE2(el->since.first, user, prev_queue, next_queue);
	loop_timer_disarm(el->loop, &user->hole_timer);
	drop_all_held(user);
	unread_free(user);
	HASH_DEL(el->users, user);
	count_users(-1);
	free(user->token);
	free(user);
}

struct user *user_join(struct edge_loop *el, const char *id, struct socket *socket)
{
	struct user *user = user_find(el, id);

	if (!user)
		user = user_new(el, id);
	if (user)
		DL_APPEND(user->sockets, socket);
	return user;
}

/* The history is another one: every socket starts afresh. The user is gone afterwards. */
static void resync(struct user *user)
{
	struct edge_loop *el = user->el;
	char *id = xstrdup(user->id);

	while (user) {
		session_close(user->sockets->session, CLOSE_RESYNC);
		user = user_find(el, id);
	}
	free(id);
}

/* True, after having closed them all, if the sockets of the user live in another history. */
static bool is_foreign(struct user *user, const char *epoch)
{
	if (!user->epoch[0] || strcmp(user->epoch, epoch) == 0)
		return false;
	resync(user);
	return true;
}

/* --- positions --- */

uint64_t user_position(const struct user *user)
{
	const struct socket *socket;
	uint64_t position = 0;

	DL_FOREACH (user->sockets, socket) {
		if (socket->state == SOCKET_LIVE && socket->seq > position)
			position = socket->seq;
	}
	return position;
}

/* The lowest positions of live sockets; false if there is none. */
static bool lowest(const struct user *user, uint64_t *ret_seq, uint64_t *ret_rev)
{
	const struct socket *socket;
	bool any = false;

	DL_FOREACH (user->sockets, socket) {
		if (socket->state != SOCKET_LIVE)
			continue;
		*ret_seq = any && *ret_seq < socket->seq ? *ret_seq : socket->seq;
		*ret_rev = any && *ret_rev < socket->rev ? *ret_rev : socket->rev;
		any = true;
	}
	return any;
}

static bool is_behind(const struct user *user)
{
	uint64_t seq, rev;

	return lowest(user, &seq, &rev) && (seq < user->target_seq || rev < user->target_rev);
}

static void raise_targets(struct user *user, uint64_t seq, uint64_t rev)
{
	if (seq > user->target_seq)
		user->target_seq = seq;
	if (rev > user->target_rev)
		user->target_rev = rev;
}

/* --- applying --- */

/* One delivery to one socket; true if nothing of it is left for later. */
static bool apply_to_socket(struct socket *socket, const struct delivery *delivery)
{
	bool done = true;

	if (socket->state != SOCKET_LIVE)
		return false;
	if (delivery->rev > socket->rev) {
		if (delivery->rev_before <= socket->rev)
			socket_take_states(
			    socket, delivery->states, delivery->states_len, delivery->rev);
		else
			done = false;
	}
	for (size_t i = 0; i < delivery->items_len; i++) {
		if (socket_take_item(socket, &delivery->items[i]) == SOCKET_HOLE)
			return false;
	}
	return done;
}

static bool apply(struct user *user, const struct delivery *delivery)
{
	struct socket *socket;
	bool done = true;

	DL_FOREACH (user->sockets, socket)
		done = apply_to_socket(socket, delivery) && done;
	return done;
}

static void hold(struct user *user, struct shared *ref, const struct delivery *delivery)
{
	struct held *held;

	if (user->held_items + held_cost(delivery) > HELD_ITEMS_MAX + 1 ||
	    user->held_bytes + shared_size(ref) > HELD_BYTES_MAX)
		return; /* fetched again: the targets know that it exists */
	held = xmalloc(sizeof(*held));
	held->next = NULL;
	held->ref = shared_ref(ref);
	LL_APPEND(user->held, held);
	user->held_items += held_cost(delivery);
	user->held_bytes += shared_size(ref);
}

/* What is held may fit now; what moved something may let an earlier one fit too. */
static void replay(struct user *user)
{
	struct held *held = user->held;

	while (held) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed is not in the list */
		struct held *next = held->next;
		const struct delivery *delivery = delivery_of(held->ref);

		if (apply(user, delivery)) {
			drop_held(user, held);
			next = user->held == next ? next : user->held;
		}
		held = next;
	}
}

static void watch_for_holes(struct user *user, int64_t wait_ms)
{
	struct edge_loop *el = user->el;
	uint64_t seq, rev;
	bool is_live = lowest(user, &seq, &rev);
	bool items = is_live && seq < user->target_seq;
	bool states = is_live && rev < user->target_rev;

	if (!items && !states) {
		if (loop_timer_is_armed(&user->hole_timer) && !user->since_asked &&
		    !user->snapshot_asked)
			count_hole_filled(); /* by the late doorbell itself */
		loop_timer_disarm(el->loop, &user->hole_timer);
		user->has_hole = false;
		return;
	}
	if (!user->has_hole)
		count_hole();
	user->has_hole = true;
	items = items && !user->since_queued && !user->since_asked;
	states = states && !user->snapshot_asked;
	if ((items || states) && !loop_timer_is_armed(&user->hole_timer))
		loop_timer_arm(el->loop, &user->hole_timer, loop_now_ms(el->loop) + wait_ms,
		    look_for_holes, user);
}

/* After anything moved positions or targets. */
static void settle(struct user *user, int64_t wait_ms)
{
	replay(user);
	watch_for_holes(user, wait_ms);
}

static uint64_t last_seq(const struct delivery *delivery)
{
	return delivery->items_len ? delivery->items[delivery->items_len - 1].item->seq : 0;
}

/* The user may be gone with its last socket. */
static void evict(struct edge_loop *el, const struct delivery *delivery)
{
	struct user *user = user_find(el, delivery->user_id);
	struct socket *socket = user ? user->sockets : NULL;

	while (socket) {
		if (!socket_is_evicted(socket, delivery->eviction)) {
			socket = socket->next;
			continue;
		}
		session_close(socket->session, CLOSE_EVICTED);
		user = user_find(el, delivery->user_id);
		socket = user ? user->sockets : NULL;
	}
}

static void tell_trace(const char *what, const char *traceparent)
{
	struct trace trace;

	trace_enter(traceparent, /* begin= */ false, &trace);
	if (!trace_is_set(&trace))
		return;
	log_trace(&trace);
	log_debug("%s for the sockets of a user", what);
	log_trace(NULL);
}

/* What comes by a doorbell, under the trace of its event. What was fetched has none. */
static void tell_delivery(const struct user *user, const struct delivery *delivery)
{
	if (!log_enabled(LOG_DEBUG))
		return;
	log_context("user", user->id);
	for (size_t i = 0; i < delivery->items_len; i++)
		tell_trace("item", delivery->items[i].item->traceparent);
	for (size_t i = 0; i < delivery->states_len; i++)
		tell_trace("state", delivery->states[i].state->traceparent);
	log_context("user", NULL);
}

void user_on_delivery(struct edge_loop *el, struct shared *ref, const struct delivery *delivery)
{
	struct user *user;

	if (delivery->eviction) {
		evict(el, delivery);
		return;
	}
	user = user_find(el, delivery->user_id);
	if (!user || is_foreign(user, delivery->epoch))
		return;
	if (user->epoch[0])
		raise_targets(user, last_seq(delivery), delivery->rev);
	unread_take_marks(user, delivery->marks, delivery->rev);
	tell_delivery(user, delivery);
	if (!apply(user, delivery))
		hold(user, ref, delivery);
	settle(user, el->edge->cfg.hole_wait_ms);
}

void user_leave(struct socket *socket)
{
	struct user *user = socket->user;

	DL_DELETE(user->sockets, socket);
	socket->user = NULL;
	if (!user->sockets)
		user_free(user);
	else /* others may have waited for this one */
		settle(user, user->el->edge->cfg.hole_wait_ms);
}

/* Before the first socket is live, doorbells of any history may come: only those of its own count.
 */
static void begin_epoch(struct user *user, const char *epoch)
{
	struct held *held, *next;

	(void)snprintf(user->epoch, sizeof(user->epoch), "%s", epoch);
	LL_FOREACH_SAFE (user->held, held, next) {
		const struct delivery *delivery = delivery_of(held->ref);

		if (strcmp(delivery->epoch, epoch) != 0)
			drop_held(user, held);
		else
			raise_targets(user, last_seq(delivery), delivery->rev);
	}
}

bool user_accept_epoch(struct user *user, const char *epoch, uint64_t seq, uint64_t rev)
{
	if (is_foreign(user, epoch))
		return false;
	if (!user->epoch[0])
		begin_epoch(user, epoch);
	raise_targets(user, seq, rev);
	return true;
}

void user_on_live(struct user *user, int64_t wait_ms)
{
	settle(user, wait_ms);
}

bool user_on_head(
    struct user *user, const char *epoch, uint64_t seq, uint64_t rev, uint64_t asked_at)
{
	if (!user->epoch[0])
		return false; /* nobody is live yet: `open` will tell */
	if (is_foreign(user, epoch))
		return true;
	if (seq < asked_at) { /* a mailbox never shrinks: this is another history */
		resync(user);
		return true;
	}
	raise_targets(user, seq, rev);
	if (!is_behind(user))
		return false;
	watch_for_holes(user, user->el->edge->cfg.hole_wait_ms);
	return true;
}

/* --- fetching what is missing --- */

static int64_t retry_ms(void)
{
	return RETRY_MS + (int64_t)random_below(RETRY_MS);
}

struct interval {
	uint64_t after;
	char user_id[];
};

/* Where the next page starts: the lowest position of a socket that has room for it; one that still
 * has half a queue to read is given its next page later. */
static bool next_page(const struct user *user, uint64_t *ret_after)
{
	const struct socket *socket;

	*ret_after = user->target_seq;
	DL_FOREACH (user->sockets, socket) {
		if (socket->state == SOCKET_LIVE && socket->seq < *ret_after &&
		    !session_is_congested(socket->session))
			*ret_after = socket->seq;
	}
	return *ret_after < user->target_seq;
}

/* The answer's items to one socket that stands inside the interval. */
static void fill_socket(struct socket *socket, const struct interval *asked,
    const struct delivery_item *items, size_t len, uint64_t handled)
{
	if (socket->state != SOCKET_LIVE || socket->seq < asked->after ||
	    session_is_congested(socket->session))
		return;
	for (size_t i = 0; i < len; i++) {
		socket_skip_to(
		    socket, items[i].item->seq - 1); /* numbers without an item are void */
		(void)socket_take_item(socket, &items[i]);
	}
	socket_skip_to(socket, handled);
}

static void fill(
    struct user *user, const struct interval *asked, const Walletwire__V1__SinceReply *reply)
{
	struct delivery_item *items = delivery_encode_items(reply->items, reply->n_items);
	struct socket *socket;

	count_since(reply->n_items);
	DL_FOREACH (user->sockets, socket)
		fill_socket(socket, asked, items, reply->n_items, reply->handled);
	delivery_free_items(items, reply->n_items);
}

static void ask_since_of_queue(struct edge_loop *el);

static void on_since(struct edge_loop *el, void *arg, enum status s, struct bytes data)
{
	struct interval *asked = arg;
	struct user *user = user_find(el, asked->user_id);
	Walletwire__V1__SinceReply *reply;
	struct arena arena;

	arena_init(&arena, ANSWER_ARENA_MAX);
	reply = call_unpack(&arena, &walletwire__v1__since_reply__descriptor, s, data);
	el->since.in_flight--;
	if (user)
		user->since_asked = false;
	if (user && (!reply || reply->error)) {
		watch_for_holes(user, retry_ms());
	} else if (user && reply->too_old) {
		resync(user);
	} else if (user && !is_foreign(user, reply->epoch)) {
		fill(user, asked, reply);
		/* a page is followed by the next one at once, nothing new waits for a late doorbell
		 */
		settle(user, reply->handled > asked->after ? 0 : retry_ms());
	}
	arena_finish(&arena);
	free(asked);
	ask_since_of_queue(el);
}

static void ask_since(struct user *user)
{
	Walletwire__V1__Caller caller = WALLETWIRE__V1__CALLER__INIT;
	Walletwire__V1__SinceRequest request = WALLETWIRE__V1__SINCE_REQUEST__INIT;
	struct interval *asked;
	uint64_t seq;

	if (!next_page(user, &seq)) {
		watch_for_holes(user, CONGESTED_MS);
		return;
	}
	asked = xmalloc(sizeof(*asked) + strlen(user->id) + 1);
	asked->after = seq;
	memcpy(asked->user_id, user->id, strlen(user->id) + 1);
	caller.user_id = user->id;
	request.caller = &caller;
	request.after = seq;
	request.up_to = user->target_seq;
	user->since_asked = true;
	user->el->since.in_flight++;
	call_service(user->el, "ww.svc.notifications.since", &request.base, on_since, asked);
}

static void ask_since_of_queue(struct edge_loop *el)
{
	size_t share = edge_loop_share(el, SINCE_IN_FLIGHT_MAX);

	while (el->since.first && el->since.in_flight < share) {
		struct user *user = el->since.first;

		DL_DELETE2(el->since.first, user, prev_queue, next_queue);
		user->since_queued = false;
		ask_since(user);
	}
}

static void take_snapshot(struct user *user, const Walletwire__V1__OpenReply *reply)
{
	struct delivery_state *states = delivery_encode_states(reply->states, reply->n_states);
	struct socket *socket;

	count_snapshot();
	raise_targets(user, reply->seq, reply->rev);
	unread_take_marks(user, reply->marks, reply->rev);
	DL_FOREACH (user->sockets, socket) {
		if (socket->state != SOCKET_LIVE || socket->rev >= reply->rev)
			continue;
		socket_take_states(socket, states, reply->n_states, reply->rev);
		transfers_ask(socket);
	}
	delivery_free_states(states, reply->n_states);
}

static void on_snapshot(struct edge_loop *el, void *arg, enum status s, struct bytes data)
{
	char *user_id = arg;
	struct user *user = user_find(el, user_id);
	Walletwire__V1__OpenReply *reply;
	struct arena arena;

	arena_init(&arena, ANSWER_ARENA_MAX);
	reply = call_unpack(&arena, &walletwire__v1__open_reply__descriptor, s, data);
	if (user)
		user->snapshot_asked = false;
	if (user && (!reply || reply->error)) {
		watch_for_holes(user, retry_ms());
	} else if (user && !is_foreign(user, reply->epoch)) {
		/* an answer that does not reach what is known to exist is not asked for again at
		 * once */
		take_snapshot(user, reply);
		settle(user, reply->rev >= user->target_rev ? 0 : retry_ms());
	}
	arena_finish(&arena);
	free(user_id);
}

static void ask_snapshot(struct user *user)
{
	Walletwire__V1__Caller caller = WALLETWIRE__V1__CALLER__INIT;
	Walletwire__V1__OpenRequest request = WALLETWIRE__V1__OPEN_REQUEST__INIT;

	caller.user_id = user->id;
	request.caller = &caller;
	user->snapshot_asked = true;
	call_service(
	    user->el, "ww.svc.notifications.open", &request.base, on_snapshot, xstrdup(user->id));
}

/* The late doorbell had its time. */
static void look_for_holes(void *arg)
{
	struct user *user = arg;
	struct edge_loop *el = user->el;
	uint64_t seq, rev;

	if (!lowest(user, &seq, &rev))
		return;
	if (rev < user->target_rev && !user->snapshot_asked)
		ask_snapshot(user);
	if (user->snapshot_asked)
		return; /* items come after the counters they led to, so they wait for these */
	if (seq >= user->target_seq || user->since_queued || user->since_asked)
		return;
	if (!next_page(user, &seq)) { /* every socket that is behind is congested */
		watch_for_holes(user, CONGESTED_MS);
	} else {
		user->since_queued = true;
		DL_APPEND2(el->since.first, user, prev_queue, next_queue);
		ask_since_of_queue(el);
	}
}
