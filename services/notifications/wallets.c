/* Wallets are few, so they are found by looking at all of them, but for answers, which are sorted.
 */
#include "wallets.h"

#include <stdlib.h>

#include "codec/reflect.h"
#include "plan.h"

/* What a failure of the back end is to whoever waits for its answer. */
static enum status refused(const Walletwire__V1__Error *error, struct err *err)
{
	enum status s = status_from_wire(error->code);

	if (s == STATUS_NOT_FOUND)
		return err_set(err, s, "there is no such user");
	if (status_is_temporary(s))
		return err_set(err, STATUS_UNAVAILABLE, "the back end says %s", status_wire(s));
	return err_set(err, STATUS_INTERNAL, "the back end says %s", status_wire(s));
}

static int by_wallet_id(const void *a, const void *b)
{
	const Payload *one = *(Payload *const *)a, *two = *(Payload *const *)b;

	return strcmp(one->balance->wallet_id, two->balance->wallet_id);
}

static enum status check_each_once(Payload **said, size_t n, struct err *err)
{
	qsort(said, n, sizeof(*said), by_wallet_id);
	for (size_t i = 1; i < n; i++) {
		if (by_wallet_id(&said[i - 1], &said[i]) == 0)
			return err_set(err, STATUS_INTERNAL, "it names a wallet twice");
	}
	return STATUS_OK;
}

enum status wallets_read(struct bytes data, int64_t now_us, struct arena *arena, size_t *ret_n,
    Payload ***ret_said, struct err *err)
{
	const Walletwire__V1__BalanceGetReply *reply;
	ProtobufCMessage *message = NULL;
	struct err why = ERR_INIT;
	enum status s = reflect_unpack(
	    &walletwire__v1__balance_get_reply__descriptor, data, arena, &message, &why);

	/* Whatever is wrong is not the fault of the client who asked. */
	if (s)
		return err_set(err, STATUS_INTERNAL, "%s", why.msg);
	reply = (const void *)message;
	if (reply->error)
		return refused(reply->error, err);
	if (reply->n_wallets > WALLETS_MAX)
		return err_set(err, STATUS_INTERNAL, "it names more than %d wallets", WALLETS_MAX);
	*ret_said = arena_alloc(arena, reply->n_wallets * sizeof(**ret_said));
	*ret_n = reply->n_wallets;
	for (size_t i = 0; i < *ret_n && !s; i++)
		s = plan_balance(reply->wallets[i], now_us, arena, &(*ret_said)[i], &why);
	if (s)
		return err_set(err, STATUS_INTERNAL, "%s", why.msg);
	return check_each_once(*ret_said, *ret_n, err);
}

static const struct wallet *find(const struct wallets *wallets, const char *wallet_id)
{
	for (size_t i = 0; i < wallets->len; i++) {
		if (strcmp(wallets->at[i].wallet_id, wallet_id) == 0)
			return &wallets->at[i];
	}
	return NULL;
}

static int64_t version_of(const struct wallet *wallet)
{
	return wallet ? wallet->version : 0;
}

static bool is_same_amount(const Walletwire__V1__Decimal *a, const Walletwire__V1__Decimal *b)
{
	if (!a || !b)
		return a == b;
	return a->units == b->units && a->scale == b->scale;
}

static bool is_same_money(
    const Walletwire__V1__BalanceUpdate *a, const Walletwire__V1__BalanceUpdate *b)
{
	return is_same_amount(a->available_balance, b->available_balance) &&
	       is_same_amount(a->pending_balance, b->pending_balance) &&
	       strcmp(a->currency, b->currency) == 0;
}

/* The version that an answer makes of a wallet; 0 if what is stored stands. */
static int64_t next_version(const struct wallet *is, const Payload *said)
{
	int64_t version = (int64_t)said->balance->version;

	if (version > 0)
		return version > version_of(is) ? version : 0;
	if (is && !is->gone && is_same_money(is->payload->balance, said->balance))
		return 0;
	return version_of(is) + 1;
}

static enum status moved(struct err *err)
{
	return err_set(err, STATUS_CONFLICT, "a balance changed while it was asked for");
}

/* A copy of its own, so that the same answer can be merged again after a failure. */
static Payload *numbered(const Payload *said, int64_t version, struct arena *arena)
{
	Payload *payload = arena_memdup(arena, said, sizeof(*payload));

	payload->balance = arena_memdup(arena, said->balance, sizeof(*payload->balance));
	payload->balance->version = (uint64_t)version;
	return payload;
}

static void take(struct wallets_change *change, const struct wallet *is, const Payload *said,
    struct arena *arena)
{
	int64_t version = next_version(is, said);
	Payload *live = version > 0 ? numbered(said, version, arena) : is->payload;

	if (version > 0)
		change->put[change->put_len++] = live;
	change->ids[change->ids_len] = live->balance->wallet_id;
	change->live[change->ids_len++] = live;
}

/* One that is stored and was not named is gone, unless it has only just come. */
static enum status check_silence(const struct wallets *asked, const struct wallets *stored,
    Payload *const *said, size_t n, struct err *err)
{
	for (size_t i = 0; i < stored->len; i++) {
		const struct wallet *is = &stored->at[i];

		if (is->gone || is->version == version_of(find(asked, is->wallet_id)))
			continue;
		if (!bsearch(&is->payload, said, n, sizeof(Payload *), by_wallet_id))
			return moved(err);
	}
	return STATUS_OK;
}

enum status wallets_merge(const struct wallets *asked, const struct wallets *stored,
    Payload *const *said, size_t n, struct arena *arena, struct wallets_change *ret_change,
    struct err *err)
{
	*ret_change = (struct wallets_change){ .ids = arena_alloc(arena, n * sizeof(char *)),
		.live = arena_alloc(arena, n * sizeof(Payload *)),
		.put = arena_alloc(arena, n * sizeof(Payload *)) };
	for (size_t i = 0; i < n; i++) {
		const char *id = said[i]->balance->wallet_id;
		const struct wallet *is = find(stored, id);

		if (said[i]->balance->version == 0 && version_of(is) != version_of(find(asked, id)))
			return moved(err);
		take(ret_change, is, said[i], arena);
	}
	return check_silence(asked, stored, said, n, err);
}

bool wallets_are_fresh(const struct wallets *stored, const char *wallet_id, int64_t since_us)
{
	const struct wallet *one = wallet_id[0] ? find(stored, wallet_id) : NULL;
	size_t live = 0;

	if (wallet_id[0])
		return one && !one->gone && one->confirmed_us >= since_us;
	for (size_t i = 0; i < stored->len; i++) {
		live += !stored->at[i].gone;
		if (!stored->at[i].gone && stored->at[i].confirmed_us < since_us)
			return false;
	}
	return live > 0;
}

static int by_id(const void *a, const void *b)
{
	return strcmp((*(Walletwire__V1__BalanceUpdate *const *)a)->wallet_id,
	    (*(Walletwire__V1__BalanceUpdate *const *)b)->wallet_id);
}

enum status wallets_reply(Payload *const *payloads, size_t n, const char *wallet_id,
    struct arena *arena, const ProtobufCMessage **ret_reply, struct err *err)
{
	Walletwire__V1__BalancesReply *reply = MESSAGE_NEW(arena, balances_reply);

	reply->balances = arena_alloc(arena, n * sizeof(*reply->balances));
	for (size_t i = 0; i < n; i++) {
		if (!wallet_id[0] || strcmp(payloads[i]->balance->wallet_id, wallet_id) == 0)
			reply->balances[reply->n_balances++] = payloads[i]->balance;
	}
	if (wallet_id[0] && reply->n_balances == 0)
		return err_set(err, STATUS_NOT_FOUND, "you have no such wallet");
	qsort(reply->balances, reply->n_balances, sizeof(*reply->balances), by_id);
	*ret_reply = &reply->base;
	return STATUS_OK;
}
