/* ww.svc.notifications.unread: the counters. */
#include "messages.h"
#include "notifications.h"
#include "store.h"

/* The reply carries the same fields as the state; each map has a type of its own. */
static void fill(Walletwire__V1__UnreadReply *reply, const Unread *unread, struct arena *arena)
{
	reply->total = unread->total;
	reply->version = unread->version;
	reply->by_type = arena_alloc(arena, unread->n_by_type * sizeof(*reply->by_type));
	for (size_t i = 0; i < unread->n_by_type; i++) {
		reply->by_type[i] = MESSAGE_NEW(arena, unread_reply__by_type_entry);
		reply->by_type[i]->key = unread->by_type[i]->key;
		reply->by_type[i]->value = unread->by_type[i]->value;
	}
	reply->n_by_type = unread->n_by_type;
	reply->by_priority =
	    arena_alloc(arena, unread->n_by_priority * sizeof(*reply->by_priority));
	for (size_t i = 0; i < unread->n_by_priority; i++) {
		reply->by_priority[i] = MESSAGE_NEW(arena, unread_reply__by_priority_entry);
		reply->by_priority[i]->key = unread->by_priority[i]->key;
		reply->by_priority[i]->value = unread->by_priority[i]->value;
	}
	reply->n_by_priority = unread->n_by_priority;
}

enum status notifications_on_unread(struct request *req, struct err *err)
{
	Walletwire__V1__UnreadReply *reply = MESSAGE_NEW(req->arena, unread_reply);
	Unread *unread = NULL;
	const char *user_id;
	enum status s = request_caller(req, &user_id, err);

	if (!s)
		s = store_unread(req->db, user_id, req->arena, &unread, err);
	if (!s)
		s = store_add_live_unread(req->db, user_id, req->arena, unread, err);
	if (!s)
		fill(reply, unread, req->arena);
	req->reply = &reply->base;
	return s;
}
