/* A list of sockets that is looked at again and again while there are some. */
#include "presence_behind.h"

#include <utlist.h>

#include "metrics.h"
#include "presence_report.h"
#include "user.h"

enum { LOOK_MS = 500, UPDATE = WALLETWIRE__V1__PAYLOAD__BODY_PRESENCE };

static void look(void *arg);

static void look_later(struct edge_loop *el)
{
	if (el->presence.behind)
		loop_timer_arm(el->loop, &el->presence.behind_timer,
		    loop_now_ms(el->loop) + LOOK_MS, look, el);
}

static void look(void *arg)
{
	struct edge_loop *el = arg;
	struct socket *socket, *next;

	DL_FOREACH_SAFE2(el->presence.behind, socket, next, device.next_behind)
	{
		if (session_is_congested(socket->session))
			continue;
		presence_behind_forget(socket);
		presence_report_user(el, socket->user->id);
		presence_report_wanting(socket->user);
	}
	look_later(el);
}

static void fall_behind(struct socket *socket)
{
	struct edge_loop *el = edge_loop_of(socket->session);

	(void)outq_drop_states(&socket->session->out, UPDATE);
	socket->device.is_behind = socket->device.wants_friends = true;
	DL_APPEND2(el->presence.behind, socket, device.prev_behind, device.next_behind);
	presence_report_wanting(socket->user);
	count_presence_behind();
	if (!loop_timer_is_armed(&el->presence.behind_timer))
		look_later(el);
}

bool presence_falls_behind(struct socket *socket)
{
	if (!socket->device.is_behind && session_is_congested(socket->session))
		fall_behind(socket);
	return socket->device.is_behind;
}

void presence_behind_forget(struct socket *socket)
{
	struct edge_loop *el = edge_loop_of(socket->session);

	if (!socket->device.is_behind)
		return;
	socket->device.is_behind = false;
	DL_DELETE2(el->presence.behind, socket, device.prev_behind, device.next_behind);
}

void presence_behind_stop(struct edge_loop *el)
{
	loop_timer_disarm(el->loop, &el->presence.behind_timer);
}
