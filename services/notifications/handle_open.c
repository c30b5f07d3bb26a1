/* ww.svc.notifications.open: where a mailbox stands and every state a fresh socket has to be shown.
 */
#include "events/event.h"
#include "messages.h"
#include "notifications.h"
#include "ring.h"
#include "store.h"

/* Is all of what a recovering socket has missed still there? */
static enum status check_since(struct request *req, const char *user_id,
    const Walletwire__V1__OpenRequest *in, Walletwire__V1__OpenReply *reply, struct err *err)
{
	bool has = true;
	enum status s = STATUS_OK;

	if (in->since < reply->seq)
		s = store_has_item(req->db, user_id, (int64_t)in->since + 1, &has, err);
	reply->too_old = !has;
	return s;
}

static enum status check_claims(const Claims *claims, struct err *err)
{
	const char *const said[] = { claims->country, claims->language, claims->tier };

	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		if (strlen(said[i]) > EVENT_CLAIM_MAX)
			return err_invalid(
			    err, "claims", "has one longer than %d bytes", EVENT_CLAIM_MAX);
	}
	return STATUS_OK;
}

static bool same_claims(const Claims *a, const Claims *b)
{
	return strcmp(a->country, b->country) == 0 && strcmp(a->language, b->language) == 0 &&
	       strcmp(a->tier, b->tier) == 0;
}

/* What a token says of a user may change from one connection to the next: a change of state. */
static enum status take_claims(struct request *req, const char *user_id, const Claims *claims,
    Walletwire__V1__OpenReply *reply, struct err *err)
{
	enum status s = check_claims(claims, err);

	if (s || same_claims(claims, reply->marks->claims))
		return s;
	s = store_set_claims(req->db, user_id, claims, err);
	walletwire__v1__open_reply__init(reply);
	return s ? s : store_open(req->db, user_id, req->arena, reply, err);
}

enum status notifications_on_open(struct request *req, struct err *err)
{
	const Walletwire__V1__OpenRequest *in = (const void *)req->body;
	Walletwire__V1__OpenReply *reply = MESSAGE_NEW(req->arena, open_reply);
	const char *user_id;
	enum status s = request_caller(req, &user_id, err);

	if (!s && in->since > INT64_MAX - 1)
		s = err_invalid(err, "since", "is no number of a mailbox");
	/* One statement, so that all of it is of one moment. Unknown users have zeros. */
	if (!s)
		s = store_open(req->db, user_id, req->arena, reply, err);
	if (!s && in->claims)
		s = take_claims(req, user_id, in->claims, reply, err);
	if (!s && in->wants_live)
		s = store_live(req->db, req->arena, reply, err);
	if (!s && in->recovering)
		s = check_since(req, user_id, in, reply, err);
	if (!s && in->recovering)
		s = ring_eviction(req->bus, reply->epoch, user_id, in->caller->session_id,
		    in->connection, req->arena, err);
	req->reply = &reply->base;
	return s;
}
