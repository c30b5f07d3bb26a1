/* ww.svc.notifications.track: the current state of a transfer, for its parties alone. */
#include "base/subject.h"
#include "messages.h"
#include "notifications.h"
#include "store.h"

enum status notifications_on_track(struct request *req, struct err *err)
{
	const Walletwire__V1__TrackRequest *in = (const void *)req->body;
	Walletwire__V1__TrackReply *reply = MESSAGE_NEW(req->arena, track_reply);
	const char *user_id;
	bool is_party = false;
	enum status s = request_caller(req, &user_id, err);

	if (!s)
		s = subject_check_id("transferId", in->transfer_id, err);
	if (!s)
		s = store_transfer(req->db, in->transfer_id, user_id, req->arena, &reply->transfer,
		    &is_party, err);
	if (!s && reply->transfer && !is_party)
		s = err_set(err, STATUS_FORBIDDEN, "only its parties may track a transfer");
	req->reply = &reply->base;
	return s;
}
