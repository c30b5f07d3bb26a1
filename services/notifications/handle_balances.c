/* ww.svc.notifications.balances: from the rows if they were confirmed a moment ago, else by the
 * back end. */
#include "base/clock.h"
#include "base/subject.h"
#include "messages.h"
#include "notifications.h"
#include "store.h"

static enum status answer(
    struct request *req, const struct wallets *stored, const char *wallet_id, struct err *err)
{
	Payload **live = arena_alloc(req->arena, stored->len * sizeof(*live));
	size_t n = 0;

	for (size_t i = 0; i < stored->len; i++) {
		if (!stored->at[i].gone)
			live[n++] = stored->at[i].payload;
	}
	return wallets_reply(live, n, wallet_id, req->arena, &req->reply, err);
}

enum status notifications_on_balances(struct request *req, struct err *err)
{
	const Walletwire__V1__BalancesRequest *in = (const void *)req->body;
	const struct notifications *notifications = req->ctx;
	struct wallets stored = { 0 };
	const char *user_id;
	int64_t since_us;
	enum status s = request_caller(req, &user_id, err);

	if (!s && strlen(in->wallet_id) > SUBJECT_ID_MAX)
		s = err_invalid(err, "walletId", "is longer than %d bytes", SUBJECT_ID_MAX);
	if (!s)
		s = store_wallets(req->db, user_id, req->arena, &stored, err);
	if (s)
		return s;
	since_us = clock_wall_us() - notifications->cfg->balance_fresh * 1000;
	if (wallets_are_fresh(&stored, in->wallet_id, since_us))
		return answer(req, &stored, in->wallet_id, err);
	return balances_ask(notifications->balances, req, user_id, in->wallet_id, err);
}
