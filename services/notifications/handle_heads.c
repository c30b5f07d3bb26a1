/* ww.svc.notifications.heads: where the mailboxes of many users stand. */
#include "base/subject.h"
#include "messages.h"
#include "notifications.h"
#include "store.h"

enum { USERS_MAX = 500 };

static enum status check(const Walletwire__V1__HeadsRequest *in, struct err *err)
{
	if (in->n_user_ids > USERS_MAX)
		return err_invalid(err, "userIds", "names more than %d users", USERS_MAX);
	for (size_t i = 0; i < in->n_user_ids; i++) {
		if (strlen(in->user_ids[i]) > SUBJECT_ID_MAX)
			return err_invalid(
			    err, "userIds", "is longer than %d bytes", SUBJECT_ID_MAX);
	}
	return STATUS_OK;
}

enum status notifications_on_heads(struct request *req, struct err *err)
{
	const Walletwire__V1__HeadsRequest *in = (const void *)req->body;
	Walletwire__V1__HeadsReply *reply = MESSAGE_NEW(req->arena, heads_reply);
	enum status s = check(in, err);

	if (!s)
		s = store_heads(req->db, in->user_ids, in->n_user_ids, req->arena, reply, err);
	req->reply = &reply->base;
	return s;
}
