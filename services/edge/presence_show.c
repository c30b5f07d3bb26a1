/* Batches in their order, to whom they are for. */
#include "presence_show.h"

#include <utlist.h>

#include "metrics.h"
#include "presence_batch.h"
#include "presence_behind.h"
#include "presence_report.h"
#include "socket.h"
#include "user.h"

static void want_all(struct edge_loop *el)
{
	struct user *user, *next;
	struct socket *socket;

	HASH_ITER (hh, el->users, user, next) {
		DL_FOREACH (user->sockets, socket)
			socket->device.wants_friends = socket->state == SOCKET_LIVE;
		presence_report_user(el, user->id);
	}
}

static void on_gap(struct edge_loop *el)
{
	count_presence_gap();
	want_all(el);
}

/* Whatever comes next, something may have been missed that nothing has followed. */
static void on_silence(void *arg)
{
	struct edge_loop *el = arg;

	/* Nor do the numbers mean anything any more: of whoever speaks then, a restored database's
	 * say. */
	el->presence.order = (struct presence_order){ 0 };
	on_gap(el);
}

/* That nobody is there is no news to a client that was never told of anybody. */
static bool is_news(const struct socket *socket, const Walletwire__V1__PresenceFriends *friends)
{
	return friends->n_users > 0 || socket->device.may_believe;
}

/* The list has everything that was not told as a change to sockets that were told of before it was
 * made. */
static bool is_for(const struct socket *socket, const Walletwire__V1__PresenceFriends *friends)
{
	const struct device *device = &socket->device;

	return device->wants_friends && device->told_in && device->told_in <= friends->report;
}

static void show_list(
    struct edge_loop *el, const Walletwire__V1__PresenceFriends *friends, struct frame *frame)
{
	struct user *user = user_find(el, friends->user_id);
	struct socket *socket;

	if (!user || friends->loop != el->index)
		return;
	DL_FOREACH (user->sockets, socket) {
		if (!is_for(socket, friends) || presence_falls_behind(socket))
			continue;
		socket->device.wants_friends = false;
		if (!is_news(socket, friends))
			continue;
		socket->device.may_believe = true;
		socket_show(socket, frame);
		count_presence_shown(PRESENCE_SHOWN_LIST);
	}
	presence_report_wanting(user);
}

static void show_change(
    struct edge_loop *el, const Walletwire__V1__PresenceChange *change, struct frame *frame)
{
	for (size_t i = 0; i < change->n_watchers && frame; i++) {
		const struct user *user = user_find(el, change->watchers[i]);
		struct socket *socket;

		if (!user)
			continue;
		DL_FOREACH (user->sockets, socket) {
			if (socket->state != SOCKET_LIVE || socket->device.wants_friends ||
			    presence_falls_behind(socket))
				continue;
			socket->device.may_believe = true;
			socket_show(socket, frame);
			count_presence_shown(PRESENCE_SHOWN_UPDATE);
		}
	}
}

static struct socket *newest_live(const struct user *user)
{
	struct socket *newest = NULL, *socket;

	DL_FOREACH (user->sockets, socket)
		newest = socket->state == SOCKET_LIVE ? socket : newest;
	return newest;
}

/* The user may be gone with its last socket. */
static void close_excess(struct edge_loop *el, const Walletwire__V1__PresenceExcess *excess)
{
	if (excess->loop != el->index)
		return;
	for (uint32_t i = 0; i < excess->sockets; i++) {
		const struct user *user = user_find(el, excess->user_id);
		struct socket *socket = user ? newest_live(user) : NULL;

		if (!socket)
			return;
		socket_refuse_crowded(socket);
		count_presence_excess();
	}
}

static void show_all(struct edge_loop *el, const struct presence_batch *batch)
{
	const Walletwire__V1__PresenceBatch *message = batch->message;

	for (size_t i = 0; i < message->n_friends; i++)
		show_list(el, message->friends[i], batch->friends[i].frame);
	for (size_t i = 0; i < message->n_changes; i++)
		show_change(el, message->changes[i], batch->changes[i].frame);
	for (size_t i = 0; i < message->n_excess; i++)
		close_excess(el, message->excess[i]);
}

static void take(struct edge_loop *el, const struct presence_batch *batch)
{
	const Walletwire__V1__PresenceBatch *message = batch->message;
	enum presence_place place = presence_order_take(
	    &el->presence.order, message->generation, message->number, batch->is_empty);

	count_presence_batch(place == PRESENCE_OLD ? PRESENCE_BATCH_OLD : PRESENCE_BATCH_TAKEN);
	if (place == PRESENCE_OLD)
		return;
	loop_timer_arm(el->loop, &el->presence.silence,
	    loop_now_ms(el->loop) + el->edge->cfg.presence_silence_ms, on_silence, el);
	if (place == PRESENCE_AGAIN)
		return;
	if (place == PRESENCE_GAP)
		on_gap(el);
	else if (message->anew)
		want_all(el);
	else if (place == PRESENCE_FIRST)
		presence_report_wishes(el);
	show_all(el, batch);
}

void presence_show(struct edge_loop *el, struct shared *msg)
{
	const struct presence_batch *batch = presence_batch_of(msg);

	if (el->closed)
		return;
	if (!batch) {
		count_presence_batch(PRESENCE_BATCH_MALFORMED);
		return;
	}
	if (batch->message->wants_report)
		presence_report_whole(el);
	if (batch->message->generation) /* without one it is outside of the numbers */
		take(el, batch);
}

void presence_show_stop(struct edge_loop *el)
{
	loop_timer_disarm(el->loop, &el->presence.silence);
}
