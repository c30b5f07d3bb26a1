/* A list of sockets by their last activity and one timer, so that an event costs four pointers. */
#include "presence.h"

#include <utlist.h>

#include "base/subject.h"
#include "codec/reflect.h"
#include "presence_behind.h"
#include "presence_report.h"
#include "presence_show.h"
#include "tracking.h"
#include "user.h"

/* --- devices --- */

static int64_t away_after_ms(const struct edge_loop *el)
{
	return el->edge->cfg.away_after_ms;
}

static void rest_idle(void *arg);

/* For the one that was active longest ago. Whoever moved to the tail meanwhile is seen then. */
static void watch(struct edge_loop *el)
{
	struct presence *presence = &el->presence;

	if (presence->active && !loop_timer_is_armed(&presence->idle_timer))
		loop_timer_arm(el->loop, &presence->idle_timer,
		    presence->active->device.active_ms + away_after_ms(el), rest_idle, el);
}

static void to_tail(struct edge_loop *el, struct socket *socket)
{
	socket->device.active_ms = loop_now_ms(el->loop);
	DL_APPEND2(el->presence.active, socket, device.prev, device.next);
	watch(el);
}

static void take_out(struct edge_loop *el, struct socket *socket)
{
	DL_DELETE2(el->presence.active, socket, device.prev, device.next);
}

/* Stored like what the client says, for the edge that recovers it. */
static void note_idle(struct socket *socket, bool is_idle)
{
	socket->device.is_idle = is_idle;
	(void)tracking_store(socket, NULL, NULL);
	presence_report_user(edge_loop_of(socket->session), socket->user->id);
}

static void rest_idle(void *arg)
{
	struct edge_loop *el = arg;
	int64_t latest_ms = loop_now_ms(el->loop) - away_after_ms(el);
	struct socket *socket;

	while ((socket = el->presence.active) && socket->device.active_ms <= latest_ms) {
		take_out(el, socket);
		note_idle(socket, /* is_idle= */ true);
	}
	watch(el);
}

void presence_on_live(struct socket *socket)
{
	struct edge_loop *el = edge_loop_of(socket->session);

	/* One that comes from elsewhere may have rested there already. */
	if (!away_after_ms(el))
		socket->device.is_idle = false;
	else if (!socket->device.is_idle)
		to_tail(el, socket);
	socket->device.wants_friends = true;
	socket->device.may_believe = socket->is_recovering || socket->is_moved;
	presence_report_user(el, socket->user->id);
}

void presence_on_leave(struct socket *socket)
{
	struct edge_loop *el = edge_loop_of(socket->session);

	if (socket->state != SOCKET_LIVE)
		return;
	if (away_after_ms(el) && !socket->device.is_idle)
		take_out(el, socket);
	presence_behind_forget(socket);
	socket->device.wants_friends = false;
	presence_report_wanting(socket->user);
	presence_report_user(el, socket->user->id);
}

void presence_on_activity(struct sio_socket *base)
{
	struct socket *socket = base->data;
	struct edge_loop *el = edge_loop_of(base->session);

	if (socket->state != SOCKET_LIVE || !away_after_ms(el))
		return;
	if (socket->device.is_idle)
		note_idle(socket, /* is_idle= */ false);
	else
		take_out(el, socket);
	to_tail(el, socket);
}

enum status presence_set(struct socket *socket, struct bytes word, struct err *err)
{
	int status;

	if (!reflect_enum_value(&walletwire__v1__presence_status__descriptor, word, &status) ||
	    (status != WALLETWIRE__V1__PRESENCE_STATUS__PRESENCE_STATUS_ONLINE &&
		status != WALLETWIRE__V1__PRESENCE_STATUS__PRESENCE_STATUS_AWAY))
		return err_invalid(err, "status",
		    "online or away is required; presence:privacy is for who wants to be offline "
		    "to everybody");
	socket->device.is_away = status == WALLETWIRE__V1__PRESENCE_STATUS__PRESENCE_STATUS_AWAY;
	if (socket->state == SOCKET_LIVE)
		presence_report_user(edge_loop_of(socket->session), socket->user->id);
	return STATUS_OK;
}

/* --- life --- */

static void start_on_loop(void *arg)
{
	presence_report_start(arg);
}

void presence_listen(struct edge *edge)
{
	char subject[SUBJECT_SIZE];

	/* Its id is of an alphabet that needs no encoding, and not too long. */
	if (subject_with_id(PRESENCE_SUBJECT, edge->id, subject, NULL))
		return;
	bus_port_want(edge->port, subject);
	bus_port_want(
	    edge->port, PRESENCE_SUBJECT "all"); /* a replica that begins asks everybody */
	for (size_t i = 0; i < edge->loops_len; i++)
		loop_post(edge->loops[i].loop, start_on_loop, &edge->loops[i]);
}

void presence_stop(struct edge_loop *el)
{
	loop_timer_disarm(el->loop, &el->presence.idle_timer);
	presence_behind_stop(el);
	presence_show_stop(el);
	presence_report_stop(el);
}
