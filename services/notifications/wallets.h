/*
 * wallets: what the back end says of a user's wallets against what is stored. Pure.
 *
 * An answer may be older than an event that was applied since it was asked for. Versions decide
 * where there are some; a wallet without a version is believed only if its row is as it was when
 * asked, and so is the silence about one that is stored.
 */
#ifndef NOTIFICATIONS_WALLETS_H
#define NOTIFICATIONS_WALLETS_H

#include "base/arena.h"
#include "base/err.h"
#include "messages.h"

enum { WALLETS_MAX = 1000 }; /* of a user */

struct wallet {
	const char *wallet_id;
	int64_t version;
	int64_t confirmed_us; /* when it was last known to be so */
	bool gone; /* the back end has left it out: its version is kept, it is not shown */
	Payload *payload;
};

struct wallets {
	size_t len;
	struct wallet *at;
};

/* What an answer makes of the stored rows. */
struct wallets_change {
	const char **ids; /* that it names */
	size_t ids_len;
	Payload **live; /* the balance of each of these, as it is from now on */
	Payload **put;  /* those of them that are new versions */
	size_t put_len;
};

/* The bytes of a BalanceGetReply. INTERNAL for what is none or breaks the rules of money, without
 * any amount; NOT_FOUND or UNAVAILABLE if it says so. */
enum status wallets_read(struct bytes data, int64_t now_us, struct arena *arena, size_t *ret_n,
    Payload ***ret_said, struct err *err) MUST_CHECK;

/* CONFLICT if a row has changed since it was asked. */
enum status wallets_merge(const struct wallets *asked, const struct wallets *stored,
    Payload *const *said, size_t n, struct arena *arena, struct wallets_change *ret_change,
    struct err *err) MUST_CHECK;

/* May this be answered from the rows? `wallet_id` "": all of them. */
bool wallets_are_fresh(const struct wallets *stored, const char *wallet_id, int64_t since_us);

/* The reply, of those in `payloads` that are asked for; NOT_FOUND if the one asked for is missing.
 */
enum status wallets_reply(Payload *const *payloads, size_t n, const char *wallet_id,
    struct arena *arena, const ProtobufCMessage **ret_reply, struct err *err) MUST_CHECK;

#endif
