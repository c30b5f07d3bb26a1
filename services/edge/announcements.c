/* Following the log, for the loop and for sockets that are behind it. */
#include "announcements.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/message.h"
#include "base/xalloc.h"
#include "calls.h"
#include "socket.h"
#include "unread.h"
#include "walletwire/v1/notifications.pb-c.h"

enum { ANSWER_ARENA_MAX = 16 << 20, WHOLE_LOOP = 0 };

/* Whom an answer is for: a session's number, or the whole loop. */
struct asked {
	uint64_t session;
};

static void ask(struct edge_loop *el, uint64_t session, uint64_t after, uint64_t up_to);

static void ask_if_behind(struct edge_loop *el)
{
	if (el->log.known && el->log.target > el->log.head && !el->log.asking) {
		el->log.asking = true;
		ask(el, WHOLE_LOOP, el->log.head, el->log.target);
	}
}

void announcements_catch_up(struct socket *socket)
{
	struct edge_loop *el = edge_loop_of(socket->session);

	if (socket->log_seq >= el->log.head || socket->log_asked)
		return;
	socket->log_asked = true;
	ask(el, socket->session->number, socket->log_seq, el->log.head);
}

/* --- what lives --- */

static void remember(struct edge_loop *el, const ProtobufCMessage *announcement)
{
	struct live *live = xmalloc(sizeof(*live));

	live->announcement = (Walletwire__V1__LiveAnnouncement *)(void *)message_copy(announcement);
	LL_PREPEND(el->log.live, live);
}

static void forget(struct edge_loop *el, struct live *live)
{
	LL_DELETE(el->log.live, live);
	walletwire__v1__live_announcement__free_unpacked(live->announcement, NULL);
	free(live);
}

static void forget_id(struct edge_loop *el, const char *id)
{
	struct live *live, *next;

	LL_FOREACH_SAFE (el->log.live, live, next) {
		if (strcmp(live->announcement->id, id) == 0)
			forget(el, live);
	}
}

static void take_change(struct edge_loop *el, const Walletwire__V1__LogEntry *entry)
{
	Walletwire__V1__LiveAnnouncement live = WALLETWIRE__V1__LIVE_ANNOUNCEMENT__INIT;

	switch (entry->change_case) {
	case WALLETWIRE__V1__LOG_ENTRY__CHANGE_ANNOUNCED:
		live.announcement_seq = entry->announcement_seq;
		live.id = entry->announced->id;
		live.priority = entry->announced->priority;
		live.segment = entry->segment;
		remember(el, &live.base);
		break;
	case WALLETWIRE__V1__LOG_ENTRY__CHANGE_RECALLED:
		forget_id(el, entry->recalled);
		break;
	case WALLETWIRE__V1__LOG_ENTRY__CHANGE_EXPIRED:
		forget_id(el, entry->expired);
		break;
	default:
		break; /* a kind that a newer service knows */
	}
}

void announcements_begin(struct edge_loop *el, const Walletwire__V1__OpenReply *reply)
{
	if (el->log.known)
		return;
	for (size_t i = 0; i < reply->n_live; i++)
		remember(el, &reply->live[i]->base);
	el->log.known = true;
	el->log.head = reply->announcement_seq;
}

void announcements_free(struct edge_loop *el)
{
	while (el->log.live)
		forget(el, el->log.live);
}

/* --- the log --- */

/* Counters leave before what changed them. */
static void show_to_all(struct edge_loop *el, const struct delivery_log *log)
{
	struct session *session, *next;

	HASH_ITER (hh, el->engine->sessions, session, next) {
		struct socket *socket = socket_of(session);

		if (socket && socket->state == SOCKET_LIVE) {
			if (unread_is_for(socket->user, log->entry->segment))
				unread_show(socket);
			socket_take_log(socket, log);
			announcements_catch_up(socket);
		}
	}
}

static void take(struct edge_loop *el, const struct delivery_log *log)
{
	uint64_t seq = log->entry->announcement_seq;

	/* Before anybody is live the first `open` tells where the log stands. */
	if (el->log.known && seq == el->log.head + 1) {
		el->log.head = seq;
		take_change(el, log->entry);
		show_to_all(el, log);
	} else if (seq > el->log.target) {
		el->log.target = seq;
	}
}

/* Rows for one socket. What it still lacks is asked for at once if this answer moved it. */
static void answer_socket(struct socket *socket, const struct delivery_log *log, size_t len)
{
	uint64_t before = socket->log_seq;

	socket->log_asked = false;
	for (size_t i = 0; i < len; i++)
		socket_take_log(socket, &log[i]);
	if (socket->log_seq > before)
		announcements_catch_up(socket);
}

/* Rows for the loop, likewise. A failed question is asked again by the next row or sweep. */
static void answer_loop(struct edge_loop *el, const struct delivery_log *log, size_t len)
{
	uint64_t before = el->log.head;

	el->log.asking = false;
	for (size_t i = 0; i < len; i++)
		take(el, &log[i]);
	if (el->log.head > before)
		ask_if_behind(el);
}

static void on_log(struct edge_loop *el, void *arg, enum status s, struct bytes data)
{
	struct asked *asked = arg;
	struct socket *socket = socket_of(session_find(el->engine, asked->session));
	Walletwire__V1__AnnouncementsReply *reply;
	struct delivery_log *log = NULL;
	size_t len = 0;
	struct arena arena;

	arena_init(&arena, ANSWER_ARENA_MAX);
	reply = call_unpack(&arena, &walletwire__v1__announcements_reply__descriptor, s, data);
	if (reply && !reply->error) {
		log = delivery_encode_log(reply->log, reply->n_log);
		len = reply->n_log;
	}
	if (asked->session == WHOLE_LOOP)
		answer_loop(el, log, len);
	else if (socket && socket->state == SOCKET_LIVE)
		answer_socket(socket, log, len);
	delivery_free_log(log, len);
	arena_finish(&arena);
	free(asked);
}

static void ask(struct edge_loop *el, uint64_t session, uint64_t after, uint64_t up_to)
{
	Walletwire__V1__AnnouncementsRequest request = WALLETWIRE__V1__ANNOUNCEMENTS_REQUEST__INIT;
	struct asked *asked = xmalloc(sizeof(*asked));

	asked->session = session;
	request.after = after;
	request.up_to = up_to;
	call_service(el, "ww.svc.notifications.announcements", &request.base, on_log, asked);
}

void announcements_on_delivery(struct edge_loop *el, const struct delivery *delivery)
{
	for (size_t i = 0; i < delivery->log_len; i++)
		take(el, &delivery->log[i]);
	ask_if_behind(el);
}

void announcements_learn(struct edge_loop *el, uint64_t head)
{
	if (head > el->log.target)
		el->log.target = head;
	ask_if_behind(el);
}
