/* What an answer of the back end makes of the stored balances, and what is no answer. */
#include <stdio.h>
#include <stdlib.h>

#include "codec/json.h"
#include "codec/reflect.h"
#include "support/support.h"
#include "wallets.h"

enum { NOW_US = 1700000000 };

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, SIZE_MAX);
}

static void teardown(void)
{
	arena_finish(&arena);
}

/* The bytes of a reply that names these: [{"walletId":...}, ...] */
static struct bytes reply_of(const char *wallets)
{
	char *text = arena_printf(&arena, "{\"wallets\":%s}", wallets);
	ProtobufCMessage *message = NULL;
	struct json *root = NULL;
	struct err err = ERR_INIT;

	ck_assert_ok(json_parse(bytes_of_str(text), &root, &err), err);
	ck_assert_ok(reflect_from_json(&walletwire__v1__balance_get_reply__descriptor, root, 8000,
			 &arena, &message, &err),
	    err);
	json_free(root);
	return message_pack(message, &arena);
}

/* "w1 10.00 v3": one wallet with its version. */
#define WALLET(id, amount, version)                                \
	"{\"walletId\":\"" id "\",\"available_balance\":\"" amount \
	"\",\"currency\":\"EUR\",\"version\":" version "}"

static size_t read_wallets(const char *wallets, Payload ***ret_said)
{
	struct err err = ERR_INIT;
	size_t n = 0;

	ck_assert_ok(wallets_read(reply_of(wallets), NOW_US, &arena, &n, ret_said, &err), err);
	return n;
}

/* Rows as if they had been stored from such a list. */
static struct wallets rows_of(const char *wallets)
{
	Payload **said = NULL;
	size_t n = read_wallets(wallets, &said);
	struct wallets rows = { n, arena_alloc(&arena, n * sizeof(*rows.at)) };

	for (size_t i = 0; i < n; i++)
		rows.at[i] = (struct wallet){ said[i]->balance->wallet_id,
			(int64_t)said[i]->balance->version, NOW_US, false, said[i] };
	return rows;
}

/* "w1=3 w2=4!": what is shown from now on, in the order of the ids; ! for a new version. */
static const char *shown(const struct wallets_change *change)
{
	const char *text = "";

	for (size_t i = 0; i < change->ids_len; i++) {
		const Payload *live = change->live[i];
		bool is_put = false;

		for (size_t j = 0; j < change->put_len; j++)
			is_put = is_put || change->put[j] == live;
		ck_assert_str_eq(change->ids[i], live->balance->wallet_id);
		text = arena_printf(&arena, "%s%s%s=%d%s", text, i ? " " : "", change->ids[i],
		    (int)live->balance->version, is_put ? "!" : "");
	}
	return text;
}

static const struct {
	const char *asked, *stored, *said;
	const char *shown; /* NULL: something changed meanwhile */
} merges[] = {
	/* The first that is heard of a wallet. */
	{ "[]", "[]", "[" WALLET("a", "1.00", "0") "," WALLET("b", "1.00", "7") "]", "a=1! b=7!" },
	/* Without a version: the next one, or none if nothing is new. */
	{ "[" WALLET("a", "1.00", "3") "]", "[" WALLET("a", "1.00", "3") "]",
	    "[" WALLET("a", "2.00", "0") "]", "a=4!" },
	{ "[" WALLET("a", "1.00", "3") "]", "[" WALLET("a", "1.00", "3") "]",
	    "[" WALLET("a", "1.00", "0") "]", "a=3" },
	/* The digits are part of an amount. */
	{ "[" WALLET("a", "1.00", "3") "]", "[" WALLET("a", "1.00", "3") "]",
	    "[" WALLET("a", "1.0", "0") "]", "a=4!" },
	/* Versions decide, whatever has happened meanwhile. */
	{ "[" WALLET("a", "1.00", "3") "]", "[" WALLET("a", "1.00", "5") "]",
	    "[" WALLET("a", "2.00", "4") "]", "a=5" },
	{ "[" WALLET("a", "1.00", "3") "]", "[" WALLET("a", "1.00", "5") "]",
	    "[" WALLET("a", "2.00", "5") "]", "a=5" },
	{ "[" WALLET("a", "1.00", "3") "]", "[" WALLET("a", "1.00", "5") "]",
	    "[" WALLET("a", "2.00", "6") "]", "a=6!" },
	/* Without one, a row that has changed since is left alone. */
	{ "[" WALLET("a", "1.00", "3") "]", "[" WALLET("a", "1.00", "4") "]",
	    "[" WALLET("a", "2.00", "0") "]", NULL },
	{ "[]", "[" WALLET("a", "1.00", "1") "]", "[" WALLET("a", "1.00", "0") "]", NULL },
	/* Silence about a wallet, and about one that came after the question. */
	{ "[" WALLET("a", "1.00", "3") "]", "[" WALLET("a", "1.00", "3") "]", "[]", "" },
	{ "[]", "[" WALLET("a", "1.00", "3") "]", "[" WALLET("b", "1.00", "1") "]", NULL },
	{ "[" WALLET("a", "1.00", "3") "]", "[" WALLET("a", "1.00", "4") "]", "[]", NULL },
};

START_TEST(an_answer_is_merged_with_the_rows)
{
	struct wallets asked = rows_of(merges[_i].asked), stored = rows_of(merges[_i].stored);
	struct wallets_change change;
	struct err err = ERR_INIT;
	Payload **said = NULL;
	size_t n = read_wallets(merges[_i].said, &said);

	/* Twice: after a failure the same answer is merged again. */
	for (int i = 0; i < 2; i++) {
		enum status s = wallets_merge(&asked, &stored, said, n, &arena, &change, &err);

		if (!merges[_i].shown) {
			ck_assert_int_eq(s, STATUS_CONFLICT);
			continue;
		}
		ck_assert_ok(s, err);
		ck_assert_str_eq(shown(&change), merges[_i].shown);
	}
}
END_TEST

START_TEST(a_wallet_that_was_gone_comes_back_as_a_new_version)
{
	struct wallets rows = rows_of("[" WALLET("a", "1.00", "3") "]");
	struct wallets_change change;
	struct err err = ERR_INIT;
	Payload **said = NULL;
	size_t n = read_wallets("[" WALLET("a", "1.00", "0") "]", &said);

	rows.at[0].gone = true;
	ck_assert_ok(wallets_merge(&rows, &rows, said, n, &arena, &change, &err), err);
	ck_assert_str_eq(shown(&change), "a=4!");
	/* Nor is it missed while it is gone. */
	ck_assert_ok(
	    wallets_merge(&(struct wallets){ 0 }, &rows, said, 0, &arena, &change, &err), err);
}
END_TEST

static const struct {
	const char *wallets, *why;
} wrong[] = {
	{ "[" WALLET("", "1.00", "1") "]", "walletId" },
	{ "[{\"walletId\":\"a\",\"currency\":\"EUR\"}]", "available_balance" },
	{ "[{\"walletId\":\"a\",\"available_balance\":\"123.45\",\"currency\":\"eur\"}]",
	    "currency" },
	{ "[" WALLET("a", "1.00", "1") "," WALLET("b", "1.00", "1") "," WALLET(
	      "a", "1.00", "1") "]",
	    "twice" },
};

START_TEST(an_answer_that_breaks_the_rules_is_nobodys_fault_but_the_back_ends)
{
	struct err err = ERR_INIT;
	Payload **said = NULL;
	size_t n = 0;

	ck_assert_int_eq(wallets_read(reply_of(wrong[_i].wallets), NOW_US, &arena, &n, &said, &err),
	    STATUS_INTERNAL);
	ck_assert_ptr_nonnull(strstr(err.msg, wrong[_i].why));
	ck_assert_ptr_null(strstr(err.msg, "123"));
	ck_assert_str_eq(err.field, "");
}
END_TEST

/* Built by hand, since nothing of ours would write them. */
static struct bytes with_amount(int64_t units, uint32_t scale)
{
	Walletwire__V1__BalanceGetReply reply = WALLETWIRE__V1__BALANCE_GET_REPLY__INIT;
	Walletwire__V1__BalanceEvent wallet = WALLETWIRE__V1__BALANCE_EVENT__INIT;
	Walletwire__V1__Decimal amount = WALLETWIRE__V1__DECIMAL__INIT;
	Walletwire__V1__BalanceEvent *wallets[] = { &wallet };

	amount.units = units;
	amount.scale = scale;
	wallet.wallet_id = (char[]){ "a" };
	wallet.currency = (char[]){ "EUR" };
	wallet.available_balance = &amount;
	reply.wallets = wallets;
	reply.n_wallets = 1;
	return message_pack(&reply.base, &arena);
}

START_TEST(amounts_that_no_client_can_hold_and_bytes_are_refused)
{
	const struct bytes bad[] = { with_amount(INT64_C(1) << 53, 2),
		with_amount(-(INT64_C(1) << 53), 2), with_amount(1, 19),
		bytes_of_str("no message") };
	struct err err = ERR_INIT;
	Payload **said = NULL;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_int_eq(
		    wallets_read(bad[i], NOW_US, &arena, &n, &said, &err), STATUS_INTERNAL);
		ck_assert_ptr_null(strstr(err.msg, "9007199254740992"));
	}
	ck_assert_ok(
	    wallets_read(with_amount((INT64_C(1) << 53) - 1, 18), NOW_US, &arena, &n, &said, &err),
	    err);
}
END_TEST

static const struct {
	const char *code;
	enum status status;
} refusals[] = {
	{ "not_found", STATUS_NOT_FOUND },
	{ "unavailable", STATUS_UNAVAILABLE },
	{ "rate_limited", STATUS_UNAVAILABLE },
	{ "invalid", STATUS_INTERNAL },
	{ "what_nobody_knows", STATUS_INTERNAL },
};

START_TEST(a_refusal_of_the_back_end_is_told_as_what_it_means_to_the_client)
{
	Walletwire__V1__BalanceGetReply reply = WALLETWIRE__V1__BALANCE_GET_REPLY__INIT;
	Walletwire__V1__Error error = WALLETWIRE__V1__ERROR__INIT;
	struct err err = ERR_INIT;
	Payload **said = NULL;
	size_t n = 0;

	error.code = arena_strdup(&arena, refusals[_i].code);
	error.message = (char[]){ "private words" };
	reply.error = &error;
	ck_assert_int_eq(
	    wallets_read(message_pack(&reply.base, &arena), NOW_US, &arena, &n, &said, &err),
	    (int)refusals[_i].status);
	ck_assert_ptr_null(strstr(err.msg, "private"));
}
END_TEST

START_TEST(rows_are_fresh_if_all_that_is_asked_for_was_confirmed)
{
	struct wallets rows =
	    rows_of("[" WALLET("a", "1.00", "1") "," WALLET("b", "1.00", "1") "]");

	ck_assert(wallets_are_fresh(&rows, "", NOW_US));
	rows.at[1].confirmed_us--;
	ck_assert(!wallets_are_fresh(&rows, "", NOW_US));
	ck_assert(wallets_are_fresh(&rows, "a", NOW_US));
	ck_assert(!wallets_are_fresh(&rows, "b", NOW_US));
	ck_assert(!wallets_are_fresh(&rows, "c", NOW_US));
	rows.at[1].gone = true;
	ck_assert(wallets_are_fresh(&rows, "", NOW_US));
	rows.at[0].gone = true;
	ck_assert(!wallets_are_fresh(&rows, "", NOW_US));
	ck_assert(!wallets_are_fresh(&rows, "a", NOW_US));
	ck_assert(!wallets_are_fresh(&(struct wallets){ 0 }, "", NOW_US));
}
END_TEST

START_TEST(a_reply_has_what_was_asked_for_in_the_order_of_the_ids)
{
	struct wallets rows =
	    rows_of("[" WALLET("b", "1.00", "1") "," WALLET("a", "1.00", "1") "]");
	Payload *payloads[] = { rows.at[1].payload, rows.at[0].payload };
	const ProtobufCMessage *message = NULL;
	const Walletwire__V1__BalancesReply *reply;
	struct err err = ERR_INIT;

	ck_assert_ok(wallets_reply(payloads, 2, "", &arena, &message, &err), err);
	reply = (const void *)message;
	ck_assert_uint_eq(reply->n_balances, 2);
	ck_assert_str_eq(reply->balances[0]->wallet_id, "a");
	ck_assert_ok(wallets_reply(payloads, 2, "b", &arena, &message, &err), err);
	reply = (const void *)message;
	ck_assert_uint_eq(reply->n_balances, 1);
	ck_assert_str_eq(reply->balances[0]->wallet_id, "b");
	ck_assert_int_eq(wallets_reply(payloads, 2, "c", &arena, &message, &err), STATUS_NOT_FOUND);
	ck_assert_ok(wallets_reply(payloads, 0, "", &arena, &message, &err), err);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notifications_wallets");
	TCase *tcase = tcase_create("wallets");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, an_answer_is_merged_with_the_rows, 0, (int)ARRAY_LEN(merges));
	tcase_add_test(tcase, a_wallet_that_was_gone_comes_back_as_a_new_version);
	tcase_add_loop_test(tcase,
	    an_answer_that_breaks_the_rules_is_nobodys_fault_but_the_back_ends, 0,
	    (int)ARRAY_LEN(wrong));
	tcase_add_test(tcase, amounts_that_no_client_can_hold_and_bytes_are_refused);
	tcase_add_loop_test(tcase, a_refusal_of_the_back_end_is_told_as_what_it_means_to_the_client,
	    0, (int)ARRAY_LEN(refusals));
	tcase_add_test(tcase, rows_are_fresh_if_all_that_is_asked_for_was_confirmed);
	tcase_add_test(tcase, a_reply_has_what_was_asked_for_in_the_order_of_the_ids);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
