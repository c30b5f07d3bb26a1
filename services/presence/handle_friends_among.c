/* ww.svc.presence.friends_among: which of these are friends, for services that go by it. */
#include "base/subject.h"
#include "presence.h"

enum { USERS_MAX = 256 };

static enum status check(const Walletwire__V1__PresenceFriendsAmongRequest *in, struct err *err)
{
	enum status s = STATUS_OK;

	if (in->n_user_ids > USERS_MAX)
		return err_invalid(err, "userIds", "names more than %d users", USERS_MAX);
	for (size_t i = 0; i < in->n_user_ids && !s; i++)
		s = subject_check_id("userIds", in->user_ids[i], err);
	return s;
}

enum status presence_on_friends_among(struct request *req, struct err *err)
{
	const Walletwire__V1__PresenceFriendsAmongRequest *in = (const void *)req->body;
	Walletwire__V1__PresenceFriendsAmongReply *reply =
	    MESSAGE_NEW(req->arena, presence_friends_among_reply);
	struct store_person *people = NULL;
	const char *user_id;
	enum status s = request_caller(req, &user_id, err);

	if (!s)
		s = check(in, err);
	if (!s)
		s = store_friends_among(req->db, user_id, (const char *const *)in->user_ids,
		    in->n_user_ids, req->arena, &people, &reply->n_user_ids, err);
	if (s)
		return s;
	reply->user_ids = arena_alloc(req->arena, reply->n_user_ids * sizeof(char *));
	for (size_t i = 0; i < reply->n_user_ids; i++)
		reply->user_ids[i] = arena_strdup(req->arena, people[i].user_id);
	req->reply = &reply->base;
	return STATUS_OK;
}
