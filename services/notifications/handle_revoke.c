/* ww.backend.notifications.revoke: tokens that no longer count. */
#include "base/subject.h"
#include "messages.h"
#include "notifications.h"
#include "revoke.h"

enum { REASON_MAX = 1000 };

static enum status check(
    const Walletwire__V1__RevokeRequest *in, const struct revocation *revocation, struct err *err)
{
	enum status s =
	    subject_check_id(revocation->is_user ? "userId" : "tokenId", revocation->id, err);

	if (s)
		return s;
	if (strlen(in->reason) > REASON_MAX)
		return err_invalid(err, "reason", "is longer than %d bytes", REASON_MAX);
	return STATUS_OK;
}

enum status notifications_on_revoke(struct request *req, struct err *err)
{
	const Walletwire__V1__RevokeRequest *in = (const void *)req->body;
	Walletwire__V1__RevokeReply *reply = MESSAGE_NEW(req->arena, revoke_reply);
	bool is_user = in->what_case == WALLETWIRE__V1__REVOKE_REQUEST__WHAT_USER_ID;
	bool is_token = in->what_case == WALLETWIRE__V1__REVOKE_REQUEST__WHAT_TOKEN_ID;
	struct revocation revocation = { .is_user = is_user,
		.id = is_user    ? in->user_id
		      : is_token ? in->token_id
				 : "",
		.reason = in->reason };
	enum status s = check(in, &revocation, err);

	if (!s)
		s = audit_requester(req, in->asked_by, &revocation.by, err);
	if (!s)
		s = revoke_tokens(req, &revocation, err);
	req->reply = &reply->base;
	return s;
}
