/* ww.svc.chat.views: which of an edge's open views are still of members? */
#include "chat.h"
#include "store.h"

enum { VIEWS_MAX = 500 };

enum status chat_on_views(struct request *req, struct err *err)
{
	const Walletwire__V1__ChatViewsRequest *in = (const void *)req->body;
	Walletwire__V1__ChatViewsReply *reply = MESSAGE_NEW(req->arena, chat_views_reply);
	const char **rooms, **users;
	bool *open;
	enum status s;

	if (in->n_views > VIEWS_MAX)
		return err_invalid(err, "views", "are more than %d", VIEWS_MAX);
	rooms = arena_alloc(req->arena, in->n_views * sizeof(*rooms));
	users = arena_alloc(req->arena, in->n_views * sizeof(*users));
	open = arena_alloc(req->arena, in->n_views * sizeof(*open));
	for (size_t i = 0; i < in->n_views; i++) {
		rooms[i] = in->views[i]->room_id;
		users[i] = in->views[i]->user_id;
	}
	s = store_are_members(req->db, rooms, users, in->n_views, open, err);
	if (s)
		return s;
	reply->n_open = in->n_views;
	reply->open = arena_alloc(req->arena, in->n_views * sizeof(*reply->open));
	for (size_t i = 0; i < in->n_views; i++)
		reply->open[i] = open[i];
	req->reply = &reply->base;
	return STATUS_OK;
}
