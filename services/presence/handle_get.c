/* ww.svc.presence.get: of these users, the friends. */
#include "base/subject.h"
#include "presence.h"

enum { USERS_MAX = 100 };

static enum status check(const Walletwire__V1__PresenceGetRequest *in, struct err *err)
{
	if (in->n_user_ids == 0 || in->n_user_ids > USERS_MAX)
		return err_invalid(err, "userIds", "must name 1 to %d users", USERS_MAX);
	for (size_t i = 0; i < in->n_user_ids; i++) {
		if (!in->user_ids[i][0] || strlen(in->user_ids[i]) > SUBJECT_ID_MAX)
			return err_invalid(
			    err, "userIds", "must have 1 to %d bytes each", SUBJECT_ID_MAX);
	}
	return STATUS_OK;
}

enum status presence_on_get(struct request *req, struct err *err)
{
	const Walletwire__V1__PresenceGetRequest *in = (const void *)req->body;
	Walletwire__V1__PresenceGetReply *reply = MESSAGE_NEW(req->arena, presence_get_reply);
	struct store_person *people = NULL;
	const char *user_id;
	enum status s = request_caller(req, &user_id, err);

	if (!s)
		s = check(in, err);
	if (!s)
		s = store_friends_among(req->db, user_id, (const char *const *)in->user_ids,
		    in->n_user_ids, req->arena, &people, &reply->n_users, err);
	if (!s)
		s = presence_of(req->ctx, people, reply->n_users, req->arena, &reply->users, err);
	req->reply = &reply->base;
	return s;
}
