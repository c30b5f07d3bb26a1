/* ww.svc.presence.privacy: whether friends see the caller at all. */
#include "presence.h"
#include "speaker.h"

enum status presence_on_privacy(struct request *req, struct err *err)
{
	const Walletwire__V1__PresencePrivacyRequest *in = (const void *)req->body;
	Walletwire__V1__PresencePrivacyReply *reply =
	    MESSAGE_NEW(req->arena, presence_privacy_reply);
	bool visible = in->visible;
	const char *user_id;
	enum status s = request_caller(req, &user_id, err);

	if (s)
		return s;
	if (in->choice_case == WALLETWIRE__V1__PRESENCE_PRIVACY_REQUEST__CHOICE_VISIBLE) {
		s = store_set_visible(req->db, user_id, visible, err);
		if (!s)
			speaker_nudge(req->bus);
	} else {
		s = store_is_visible(req->db, user_id, &visible, err);
	}
	reply->visible = visible;
	req->reply = &reply->base;
	return s;
}
