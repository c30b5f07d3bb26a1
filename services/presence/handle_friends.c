/* ww.svc.presence.friends: all friends, a page at a time. */
#include "base/subject.h"
#include "presence.h"

enum { PAGE_MAX = 1000 };

static enum status check(const Walletwire__V1__PresenceFriendsRequest *in, struct err *err)
{
	if (in->limit > PAGE_MAX)
		return err_invalid(err, "limit", "must be at most %d", PAGE_MAX);
	if (strlen(in->after) > SUBJECT_ID_MAX)
		return err_invalid(err, "after", "is longer than %d bytes", SUBJECT_ID_MAX);
	return STATUS_OK;
}

enum status presence_on_friends(struct request *req, struct err *err)
{
	const Walletwire__V1__PresenceFriendsRequest *in = (const void *)req->body;
	Walletwire__V1__PresenceFriendsReply *reply =
	    MESSAGE_NEW(req->arena, presence_friends_reply);
	size_t limit = in->limit ? in->limit : PAGE_MAX;
	struct store_person *people = NULL;
	size_t found = 0;
	const char *user_id;
	enum status s = request_caller(req, &user_id, err);

	if (!s)
		s = check(in, err);
	if (!s) /* one more tells whether there are more */
		s = store_friends_page(
		    req->db, user_id, in->after, limit + 1, req->arena, &people, &found, err);
	if (s)
		return s;
	reply->n_users = found > limit ? limit : found;
	if (found > limit)
		reply->next = arena_strdup(req->arena, people[limit - 1].user_id);
	req->reply = &reply->base;
	return presence_of(req->ctx, people, reply->n_users, req->arena, &reply->users, err);
}
