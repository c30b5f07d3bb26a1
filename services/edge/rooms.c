/* Views by room and by socket, and what was told of the members. */
#include "rooms.h"

#include <stdlib.h>
#include <utlist.h>

#include "base/subject.h"
#include "base/xalloc.h"
#include "calls.h"
#include "channels.h"
#include "hub.h"
#include "metrics.h"
#include "tracking.h"
#include "user.h"
#include "walletwire/v1/chat.pb-c.h"

enum {
	ASK_MAX = 500, /* views of one question */
	ANSWER_ARENA_MAX = 1 << 20,
	MEMBERS_MAX = 256, /* of a room, as ww-chat bounds them */
};

/* What was told of a member. */
struct told {
	struct told *next;
	struct room *room;
	uint64_t read_seq;       /* the newest marker */
	struct loop_timer timer; /* armed: types, until then */
	char user_id[];
};

struct room {
	UT_hash_handle hh;
	struct edge_loop *el;
	struct view *views;
	struct told *told;
	size_t told_len;
	char *token; /* the encoded id */
	char id[];
};

struct view {
	struct view *prev, *next;               /* of the room */
	struct view *prev_socket, *next_socket; /* of the socket */
	struct room *room;
	struct socket *socket;
	bool is_open;
	uint32_t closures; /* how often it was said that its user is gone */
};

/* --- life --- */

static struct room *find_room(struct edge_loop *el, struct bytes id)
{
	struct room *room;

	HASH_FIND(hh, el->rooms.by_id, id.data, id.len, room);
	return room;
}

/* NULL for an id that can't be one. */
static struct room *room_new(struct edge_loop *el, struct bytes id)
{
	char token[SUBJECT_TOKEN_SIZE];
	struct room *room;

	if (subject_encode(id, token, NULL))
		return NULL;
	room = xcalloc(1, sizeof(*room) + id.len + 1);
	room->el = el;
	memcpy(room->id, id.data, id.len);
	room->token = xstrdup(token);
	HASH_ADD_KEYPTR(hh, el->rooms.by_id, room->id, id.len, room);
	hub_want(el->edge->hub, HUB_ROOM, room->token, el->index);
	return room;
}

static void forget_told(struct told *told)
{
	struct room *room = told->room;

	loop_timer_disarm(room->el->loop, &told->timer);
	LL_DELETE(room->told, told);
	room->told_len--;
	free(told);
}

static void room_free(struct room *room)
{
	struct edge_loop *el = room->el;

	while (room->told)
		forget_told(room->told);
	hub_unwant(el->edge->hub, HUB_ROOM, room->token, el->index);
	HASH_DEL(el->rooms.by_id, room);
	free(room->token);
	free(room);
}

static struct view *find_view(const struct socket *socket, struct bytes id)
{
	struct view *view;

	DL_FOREACH2(socket->views, view, next_socket)
	{
		if (bytes_equal_str(id, view->room->id))
			return view;
	}
	return NULL;
}

static void view_free(struct view *view)
{
	struct room *room = view->room;

	DL_DELETE(room->views, view);
	DL_DELETE2(view->socket->views, view, prev_socket, next_socket);
	view->socket->views_len--;
	count_views(-1);
	free(view);
	if (!room->views)
		room_free(room);
}

enum status room_enter(struct socket *socket, struct bytes id, struct err *err)
{
	struct edge_loop *el = edge_loop_of(socket->session);
	struct room *room = find_room(el, id);
	struct view *view;
	enum status s;

	if (find_view(socket, id))
		return STATUS_OK;
	s = channels_check_limit(socket, err);
	if (s)
		return s;
	if (!room)
		room = room_new(el, id);
	if (!room)
		return err_invalid(err, "channel", "a room's id has 1 to %d bytes", SUBJECT_ID_MAX);
	view = xcalloc(1, sizeof(*view));
	view->room = room;
	view->socket = socket;
	DL_APPEND(room->views, view);
	DL_APPEND2(socket->views, view, prev_socket, next_socket);
	socket->views_len++;
	count_views(1);
	return STATUS_OK;
}

void room_open(struct socket *socket, const char *id)
{
	struct view *view = find_view(socket, bytes_of_str(id));

	if (view)
		view->is_open = true;
}

void room_leave(struct socket *socket, struct bytes id)
{
	struct view *view = find_view(socket, id);

	if (view)
		view_free(view);
}

void rooms_leave_all(struct socket *socket)
{
	while (socket->views)
		view_free(socket->views);
}

char **rooms_of(const struct socket *socket, struct arena *arena, size_t *ret_n)
{
	char **ids = arena_alloc(arena, socket->views_len * sizeof(*ids));
	const struct view *view;

	*ret_n = 0;
	DL_FOREACH2(socket->views, view, next_socket)
	ids[(*ret_n)++] = view->room->id;
	return ids;
}

void rooms_note_item(struct socket *socket, const Walletwire__V1__Payload *payload)
{
	const Walletwire__V1__ChatRoomChange *change;

	if (!payload || payload->body_case != WALLETWIRE__V1__PAYLOAD__BODY_CHAT_ROOM)
		return;
	change = payload->chat_room;
	if (change->change != WALLETWIRE__V1__ROOM_CHANGE__ROOM_CHANGE_LEFT &&
	    change->change != WALLETWIRE__V1__ROOM_CHANGE__ROOM_CHANGE_REMOVED)
		return;
	if (strcmp(change->user_id, socket->user->id) == 0)
		room_leave(socket, bytes_of_str(change->room_id));
}

/* --- what is shown --- */

/* To every open view but those of the one it is about. */
static void show(const struct room *room, const char *user_id, struct frame *frame)
{
	struct view *view;

	DL_FOREACH (room->views, view) {
		if (view->is_open && strcmp(view->socket->user->id, user_id) != 0)
			socket_show(view->socket, frame);
	}
}

/* NULL: nothing was told of them. */
static struct told *find_told(const struct room *room, const char *user_id)
{
	struct told *told;

	LL_FOREACH (room->told, told) {
		if (strcmp(told->user_id, user_id) == 0)
			return told;
	}
	return NULL;
}

static struct told *told_of(struct room *room, const char *user_id)
{
	size_t size = strlen(user_id) + 1;
	struct told *told = find_told(room, user_id);

	if (told)
		return told;
	if (room->told_len == MEMBERS_MAX) /* of many who came and went, any */
		forget_told(room->told);
	told = xcalloc(1, sizeof(*told) + size);
	told->room = room;
	memcpy(told->user_id, user_id, size);
	LL_PREPEND(room->told, told);
	room->told_len++;
	return told;
}

static void on_typing_end(void *arg)
{
	struct told *told = arg;
	Walletwire__V1__Payload payload = WALLETWIRE__V1__PAYLOAD__INIT;
	Walletwire__V1__ChatTyping typing = WALLETWIRE__V1__CHAT_TYPING__INIT;
	struct frame *frame;

	typing.room_id = told->room->id;
	typing.user_id = told->user_id;
	payload.body_case = WALLETWIRE__V1__PAYLOAD__BODY_CHAT_TYPING;
	payload.chat_typing = &typing;
	frame = delivery_encode_hint(&payload);
	show(told->room, told->user_id, frame);
	frame_unref(frame);
}

static void take_typing(struct room *room, const struct delivery_hint *hint)
{
	const Walletwire__V1__ChatTyping *typing = hint->payload->chat_typing;
	struct told *told = told_of(room, typing->user_id);
	struct loop *loop = room->el->loop;

	if (typing->typing)
		loop_timer_arm(loop, &told->timer,
		    loop_now_ms(loop) + room->el->edge->cfg.typing_expiry_ms, on_typing_end, told);
	else
		loop_timer_disarm(loop, &told->timer);
	show(room, typing->user_id, hint->frame);
}

/* Its author's own devices follow it by their state. */
static void take_marker(struct room *room, const struct delivery_state *state)
{
	const Walletwire__V1__ChatRead *marker = state->state->payload->chat_read;
	struct told *told = told_of(room, marker->user_id);

	if (marker->seq <= told->read_seq)
		return;
	told->read_seq = marker->seq;
	show(room, marker->user_id, state->frame);
}

/* --- whether they may be open --- */

struct asked_view {
	struct socket_ref socket;
	char *room_id;
	uint32_t closures; /* when it was asked */
};

struct asked {
	size_t len;
	struct asked_view views[ASK_MAX];
};

static void settle(struct edge_loop *el, const struct asked_view *asked, bool is_member)
{
	struct socket *socket = socket_ref_find(el, &asked->socket);
	const struct view *view = socket ? find_view(socket, bytes_of_str(asked->room_id)) : NULL;

	/* An answer from before somebody was gone may come after that. */
	if (!view || view->closures != asked->closures)
		return;
	if (is_member) {
		room_open(socket, asked->room_id);
		return;
	}
	room_leave(socket, bytes_of_str(asked->room_id));
	(void)tracking_store(socket, NULL, NULL);
}

/* Without an answer all stays as it is until the next time. */
static void on_views(struct edge_loop *el, void *arg, enum status s, struct bytes data)
{
	struct asked *asked = arg;
	const Walletwire__V1__ChatViewsReply *reply;
	struct arena arena;

	arena_init(&arena, ANSWER_ARENA_MAX);
	reply = call_unpack(&arena, &walletwire__v1__chat_views_reply__descriptor, s, data);
	for (size_t i = 0; i < asked->len; i++) {
		if (reply && !reply->error && i < reply->n_open)
			settle(el, &asked->views[i], reply->open[i]);
		free(asked->views[i].room_id);
	}
	arena_finish(&arena);
	free(asked);
}

static void send_asked(struct edge_loop *el, struct asked *asked, char **users)
{
	Walletwire__V1__ChatViewsRequest request = WALLETWIRE__V1__CHAT_VIEWS_REQUEST__INIT;
	Walletwire__V1__ChatView *views = xcalloc(asked->len, sizeof(*views));

	request.n_views = asked->len;
	request.views = xcalloc(asked->len, sizeof(*request.views));
	for (size_t i = 0; i < asked->len; i++) {
		walletwire__v1__chat_view__init(&views[i]);
		views[i].room_id = asked->views[i].room_id;
		views[i].user_id = users[i];
		request.views[i] = &views[i];
	}
	call_service(el, "ww.svc.chat.views", &request.base, on_views, asked);
	free(request.views);
	free(views);
}

/* A question that is being filled; it goes when it is full, and at the end. */
struct question {
	struct edge_loop *el;
	struct asked *asked;
	char *users[ASK_MAX]; /* lent by their sockets */
};

static void end_question(struct question *question)
{
	if (question->asked)
		send_asked(question->el, question->asked, question->users);
	question->asked = NULL;
}

static void add_to_question(struct question *question, const struct view *view)
{
	struct asked *asked;

	if (!question->asked)
		question->asked = xcalloc(1, sizeof(*question->asked));
	asked = question->asked;
	question->users[asked->len] = view->socket->user->id;
	asked->views[asked->len++] = (struct asked_view){ socket_ref(view->socket),
		xstrdup(view->room->id), view->closures };
	if (asked->len == ASK_MAX)
		end_question(question);
}

void rooms_ask(const struct socket *socket)
{
	struct question question = { .el = edge_loop_of(socket->session) };
	const struct view *view;

	DL_FOREACH2(socket->views, view, next_socket)
	add_to_question(&question, view);
	end_question(&question);
}

static void check_all(void *arg)
{
	struct edge_loop *el = arg;
	struct question question = { .el = el };
	const struct room *room, *next;
	const struct view *view;

	HASH_ITER (hh, el->rooms.by_id, room, next) {
		DL_FOREACH (room->views, view) {
			if (view->socket->state == SOCKET_LIVE)
				add_to_question(&question, view);
		}
	}
	end_question(&question);
	rooms_start(el);
}

void rooms_start(struct edge_loop *el)
{
	loop_timer_arm(el->loop, &el->rooms.timer,
	    loop_now_ms(el->loop) + el->edge->cfg.room_check_ms, check_all, el);
}

void rooms_stop(struct edge_loop *el)
{
	loop_timer_disarm(el->loop, &el->rooms.timer);
}

/* --- what was told of a room --- */

/* Nothing is shown to them before ww-chat has said that they are a member, which they may be again;
 * the item that tells them closes the view for good. */
static void take_gone(struct room *room, const char *user_id)
{
	struct question question = { .el = room->el };
	struct told *told = find_told(room, user_id);
	struct view *view;

	DL_FOREACH (room->views, view) {
		if (strcmp(view->socket->user->id, user_id) != 0)
			continue;
		view->is_open = false;
		view->closures++;
		add_to_question(&question, view);
	}
	end_question(&question);
	if (told && loop_timer_is_armed(&told->timer)) {
		loop_timer_disarm(room->el->loop, &told->timer);
		on_typing_end(told);
	}
}

void rooms_on_delivery(struct edge_loop *el, const struct delivery *delivery)
{
	struct room *room = find_room(el, bytes_of_str(delivery->room_id));

	if (!room)
		return;
	for (size_t i = 0; i < delivery->hints_len; i++) {
		if (delivery->hints[i].frame && delivery->hints[i].payload->body_case ==
						    WALLETWIRE__V1__PAYLOAD__BODY_CHAT_TYPING)
			take_typing(room, &delivery->hints[i]);
	}
	for (size_t i = 0; i < delivery->states_len; i++) {
		const struct delivery_state *state = &delivery->states[i];

		if (state->frame &&
		    state->state->payload->body_case == WALLETWIRE__V1__PAYLOAD__BODY_CHAT_READ)
			take_marker(room, state);
	}
	for (size_t i = 0; i < delivery->gone_len; i++)
		take_gone(room, delivery->gone[i]);
}
