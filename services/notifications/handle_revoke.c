/* ww.backend.notifications.revoke: tokens that no longer count. */
#include "base/clock.h"
#include "base/subject.h"
#include "messages.h"
#include "notifications.h"
#include "revoked.h"
#include "store.h"

enum { REASON_MAX = 1000 };

enum status notifications_on_revoke(struct request *req, struct err *err)
{
	const Walletwire__V1__RevokeRequest *in = (const void *)req->body;
	Walletwire__V1__RevokeReply *reply = MESSAGE_NEW(req->arena, revoke_reply);
	bool is_user = in->what_case == WALLETWIRE__V1__REVOKE_REQUEST__WHAT_USER_ID;
	const char *kind = is_user ? "user" : "jti";
	const char *id = is_user ? in->user_id : in->token_id;
	int64_t now_us = clock_wall_us();
	enum status s;

	if (in->what_case == WALLETWIRE__V1__REVOKE_REQUEST__WHAT__NOT_SET || !id[0] ||
	    strlen(id) > SUBJECT_ID_MAX)
		return err_invalid(
		    err, is_user ? "userId" : "tokenId", "must have 1 to %d bytes", SUBJECT_ID_MAX);
	if (strlen(in->reason) > REASON_MAX)
		return err_invalid(err, "reason", "is longer than %d bytes", REASON_MAX);
	/* The row first: if the copy fails, the caller asks again, and nothing is forgotten. */
	s = store_revoke(req->db, kind, id, now_us, in->reason, err);
	if (!s)
		s = revoked_put(req->bus, kind, id, now_us, err);
	req->reply = &reply->base;
	return s;
}
