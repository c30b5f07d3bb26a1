/*
 * rooms: the chat rooms that sockets have open: who types there, and how far others have read.
 *
 *   loop ──► room (by id) ◄── view ──► socket
 *
 * A view is opened by `subscribe` to `room:{id}`. It is there before ww-chat is asked, so that
 * nothing falls between, and shows nothing before ww-chat has said that the user is a member. It
 * closes when the `chat:room` item passes that says that the user has left or was removed. That may
 * take a while: ww-chat tells it the room's subject at once, and the view shows nothing until it is
 * asked whether it may. Every room-check all views are compared with what ww-chat knows.
 *
 * Typing is shown to everybody but its author, and ends by itself after typing-expiry, whoever may
 * have failed to say so.
 *
 * Threads: belongs to the loop.
 */
#ifndef EDGE_ROOMS_H
#define EDGE_ROOMS_H

#include "delivery.h"
#include "socket.h"

void rooms_start(struct edge_loop *el);
void rooms_stop(struct edge_loop *el);

/* A view that shows nothing yet; again is fine. INVALID, RATE_LIMITED above the limit of channels.
 */
enum status room_enter(struct socket *socket, struct bytes id, struct err *err) MUST_CHECK;
/* ww-chat has said that it may show. */
void room_open(struct socket *socket, const char *id);
void room_leave(struct socket *socket, struct bytes id);
void rooms_leave_all(struct socket *socket);

/* The ids of a socket's views, in the arena: lent by them. */
char **rooms_of(const struct socket *socket, struct arena *arena, size_t *ret_n);
/* Of a socket that goes on where another one was: which of its views may it have? */
void rooms_ask(const struct socket *socket);

/* The user has left a room, or was removed from it: whatever else the item is shown as. */
void rooms_note_item(struct socket *socket, const Walletwire__V1__Payload *payload);

/* What ww.rt.room.<r> told. */
void rooms_on_delivery(struct edge_loop *el, const struct delivery *delivery);

#endif
