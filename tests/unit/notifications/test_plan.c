/* What an event means: one row per kind, and what is refused. */
#include <stdio.h>

#include "base/decimal.h"
#include "codec/json.h"
#include "codec/reflect.h"
#include "kind.h"
#include "plan.h"
#include "support/support.h"

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, SIZE_MAX);
}

static void teardown(void)
{
	arena_finish(&arena);
}

static const Event *parse(const char *json)
{
	ProtobufCMessage *event = NULL;
	struct json *root = NULL;
	struct err err = ERR_INIT;

	ck_assert_ok(json_parse(bytes_of_str(json), &root, &err), err);
	ck_assert_ok(
	    reflect_from_json(&walletwire__v1__event__descriptor, root, 8000, &arena, &event, &err),
	    err);
	json_free(root);
	return (const Event *)event;
}

static struct plan plan_of(const char *json)
{
	struct plan plan;
	struct err err = ERR_INIT;

	ck_assert_ok(plan_event(parse(json), 1700000000123456, &arena, &plan, &err), err);
	return plan;
}

/* --- every kind --- */

#define ALICE "\"id\":\"e1\",\"userIds\":[\"alice\"],"
#define MONEY "\"amount\":\"10.00\",\"currency\":\"USD\""

static const struct {
	const char *json;
	const char *key;
	int kind;
	size_t users, bodies, items;
	bool state, inbox;
	int priority;
	const char *channels; /* of the item, or of the state without one */
	bool critical;
	const char *title, *text;
} kinds[] = {
	{ "{" ALICE
	  "\"balance\":{\"walletId\":\"w\",\"available_balance\":\"1\",\"currency\":\"USD\"}}",
	    "balance/e1", WALLETWIRE__V1__PAYLOAD__BODY_BALANCE, 1, 0, 0, true, false, 0, "2",
	    false, NULL, NULL },
	{ "{\"id\":\"e1\",\"transaction\":{\"transactionId\":\"t\",\"type\":\"p2p\"," MONEY
	  ",\"status\":\"completed\",\"sender\":{\"userId\":\"alice\",\"name\":\"Alice\"},"
	  "\"recipient\":{\"userId\":\"bob\"}}}",
	    "transaction/e1", WALLETWIRE__V1__PAYLOAD__BODY_TRANSACTION, 2, 2, 2, false, true, 2,
	    "3", false, "Money sent", "You sent 10.00 USD to bob." },
	{ "{" ALICE "\"transfer\":{\"transferId\":\"x\",\"state\":\"processing\",\"progress\":5}}",
	    "transfer/e1", WALLETWIRE__V1__PAYLOAD__BODY_TRANSFER, 1, 0, 0, true, false, 2, "4",
	    false, NULL, NULL },
	{ "{" ALICE "\"transfer\":{\"transferId\":\"x\",\"state\":\"completed\"," MONEY "}}",
	    "transfer/e1", WALLETWIRE__V1__PAYLOAD__BODY_TRANSFER, 1, 1, 1, true, true, 2, "41",
	    false, "Transfer completed", "Your transfer of 10.00 USD is complete." },
	{ "{" ALICE "\"payment\":{\"status\":\"pending\"," MONEY "}}", "payment/e1",
	    WALLETWIRE__V1__PAYLOAD__BODY_PAYMENT, 1, 1, 1, false, true, 2, "1", false,
	    "Payment pending", "Your payment of 10.00 USD is being processed." },
	{ "{" ALICE "\"deposit\":{\"status\":\"completed\"," MONEY "}}", "deposit/e1",
	    WALLETWIRE__V1__PAYLOAD__BODY_DEPOSIT, 1, 1, 1, false, true, 2, "3", false,
	    "Deposit received", "10.00 USD was added to your wallet." },
	{ "{" ALICE "\"withdrawal\":{\"status\":\"failed\",\"message\":\"No funds\"," MONEY "}}",
	    "withdrawal/e1", WALLETWIRE__V1__PAYLOAD__BODY_WITHDRAWAL, 1, 1, 1, false, true, 2, "3",
	    false, "Withdrawal failed", "Your withdrawal of 10.00 USD failed. No funds" },
	{ "{" ALICE
	  "\"security\":{\"severity\":\"high\",\"message\":\"New login\",\"action\":\"Verify\"}}",
	    "security/e1", WALLETWIRE__V1__PAYLOAD__BODY_SECURITY, 1, 1, 1, false, true, 4, "1",
	    true, "Security alert", "New login Verify" },
	{ "{" ALICE "\"limit\":{\"limit\":\"transfer\",\"period\":\"daily\"}}", "limit/e1",
	    WALLETWIRE__V1__PAYLOAD__BODY_LIMIT, 1, 1, 1, false, true, 3, "1", false,
	    "Limit exceeded", "Your daily transfer limit was exceeded." },
	{ "{" ALICE "\"kyc\":{\"status\":\"approved\",\"level\":\"2\"}}", "kyc/e1",
	    WALLETWIRE__V1__PAYLOAD__BODY_KYC, 1, 1, 1, false, true, 3, "1", false,
	    "Identity verification", "Your verification is now approved (2)." },
	{ "{" ALICE
	  "\"card\":{\"last4\":\"4242\",\"type\":\"purchase\",\"merchant\":\"Shop\"," MONEY "}}",
	    "card/e1", WALLETWIRE__V1__PAYLOAD__BODY_CARD, 1, 1, 1, false, true, 2, "1", false,
	    "Card activity", "Card ending in 4242: purchase of 10.00 USD at Shop." },
	{ "{" ALICE "\"chat\":{\"message\":{\"id\":\"m\",\"roomId\":\"r\"}}}", "chat/e1",
	    WALLETWIRE__V1__PAYLOAD__BODY_CHAT_MESSAGE, 1, 1, 1, false, false, 0, "1", false, NULL,
	    NULL },
	{ "{" ALICE "\"chat\":{\"room\":{\"roomId\":\"r\"}}}", "chat/e1",
	    WALLETWIRE__V1__PAYLOAD__BODY_CHAT_ROOM, 1, 1, 1, false, false, 0, "1", false, NULL,
	    NULL },
	{ "{" ALICE "\"chat\":{\"read\":{\"roomId\":\"r\",\"userId\":\"alice\",\"seq\":4}}}",
	    "chat/e1", WALLETWIRE__V1__PAYLOAD__BODY_CHAT_READ, 1, 0, 0, true, false, 0, "1", false,
	    NULL, NULL },
};

static void check_channels(const Payload *payload, bool as_item, const char *wanted)
{
	Channel **channels;
	size_t n;

	kind_channels(payload, as_item, &arena, &n, &channels);
	ck_assert_uint_eq(n, strlen(wanted));
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq((int)channels[i]->kind, wanted[i] - '0');
		if (channels[i]->kind == WALLETWIRE__V1__CHANNEL_KIND__CHANNEL_KIND_TRANSFER)
			ck_assert_str_eq(channels[i]->id, "x");
	}
}

START_TEST(every_kind_is_planned_by_its_row)
{
	struct plan plan = plan_of(kinds[_i].json);

	ck_assert_str_eq(plan.key, kinds[_i].key);
	ck_assert_str_eq(plan.event_id, "e1");
	ck_assert_int_eq(plan.kind, kinds[_i].kind);
	ck_assert_uint_eq(plan.users_len, kinds[_i].users);
	ck_assert_str_eq(plan.users[0], "alice");
	ck_assert_uint_eq(plan.bodies_len, kinds[_i].bodies);
	ck_assert_uint_eq(plan.items_len, kinds[_i].items);
	ck_assert_int_eq(plan.state != NULL, kinds[_i].state);
	ck_assert_int_eq(plan.priority, kinds[_i].priority);
	ck_assert_int_eq(plan.created_us, 1700000000123456);
	ck_assert_int_eq(kind_find(plan.kind)->critical, kinds[_i].critical);
	check_channels(plan.bodies_len ? plan.bodies[0].payload : plan.state, plan.bodies_len > 0,
	    kinds[_i].channels);
	if (!kinds[_i].inbox) {
		ck_assert(plan.bodies_len == 0 || plan.bodies[0].title == NULL);
		return;
	}
	ck_assert_str_eq(plan.bodies[0].title, kinds[_i].title);
	ck_assert_str_eq(plan.bodies[0].text, kinds[_i].text);
}
END_TEST

START_TEST(each_side_of_a_transaction_is_told_its_own)
{
	struct plan plan = plan_of(kinds[1].json);
	const Walletwire__V1__Transaction *sent = plan.bodies[0].payload->transaction;
	const Walletwire__V1__Transaction *received = plan.bodies[1].payload->transaction;

	ck_assert_str_eq(plan.items[0].user_id, "alice");
	ck_assert_str_eq(plan.items[1].user_id, "bob");
	ck_assert_int_eq((int)sent->type,
	    WALLETWIRE__V1__CLIENT_TRANSACTION_TYPE__CLIENT_TRANSACTION_TYPE_P2P_SEND);
	ck_assert_int_eq((int)received->type,
	    WALLETWIRE__V1__CLIENT_TRANSACTION_TYPE__CLIENT_TRANSACTION_TYPE_P2P_RECEIVE);
	ck_assert_str_eq(plan.bodies[1].title, "Money received");
	ck_assert_str_eq(plan.bodies[1].text, "You received 10.00 USD from Alice.");
	ck_assert_str_eq(received->counterparty->user_id, "alice");
	ck_assert_str_eq(received->id, "t");
	ck_assert_int_eq(received->timestamp->seconds, 1700000000);
	ck_assert_int_eq(received->timestamp->nanos, 123456000);
}
END_TEST

START_TEST(a_side_that_is_nobody_of_ours_gets_no_item)
{
	struct plan plan = plan_of("{\"id\":\"e\",\"transaction\":{\"transactionId\":\"t\","
				   "\"type\":\"deposit\"," MONEY ",\"status\":\"completed\","
				   "\"recipient\":{\"userId\":\"bob\"}}}");

	ck_assert_uint_eq(plan.items_len, 1);
	ck_assert_str_eq(plan.items[0].user_id, "bob");
	ck_assert_ptr_null(plan.bodies[0].payload->transaction->counterparty);
	ck_assert_str_eq(plan.bodies[0].text, "You received 10.00 USD.");
}
END_TEST

START_TEST(money_to_oneself_is_two_items_of_one_user)
{
	struct plan plan =
	    plan_of("{\"id\":\"e\",\"transaction\":{\"transactionId\":\"t\","
		    "\"type\":\"p2p\"," MONEY ",\"status\":\"completed\","
		    "\"sender\":{\"userId\":\"bob\"},\"recipient\":{\"userId\":\"bob\"}}}");

	ck_assert_uint_eq(plan.users_len, 1);
	ck_assert_uint_eq(plan.items_len, 2);
}
END_TEST

START_TEST(an_announcement_is_nobodys_and_everybodys)
{
	struct plan plan =
	    plan_of("{\"id\":\"a\",\"title\":\"T\",\"text\":\"X\",\"priority\":\"high\","
		    "\"expiresAt\":\"2030-01-01T00:00:00Z\",\"announcement\":{}}");

	ck_assert_uint_eq(plan.users_len, 0);
	ck_assert_str_eq(plan.announcement->announced->id, "a");
	ck_assert_str_eq(plan.announcement->announced->title, "T");
	ck_assert_int_eq((int)plan.announcement->announced->priority, 3);
	ck_assert_int_eq(plan.announcement->announced->expires_at->seconds, 1893456000);
	ck_assert_int_eq(plan.starts_us, TIME_NONE);
	ck_assert_ptr_null(plan.announcement->segment);
	plan = plan_of("{\"id\":\"a\",\"announcement\":{\"segment\":{\"countries\":[\"DE\"]}}}");
	ck_assert_str_eq(plan.announcement->segment->countries[0], "DE");
}
END_TEST

START_TEST(the_events_own_words_and_priority_win)
{
	struct plan plan =
	    plan_of("{" ALICE "\"title\":\"Mine\",\"text\":\"Own\",\"priority\":\"low\","
		    "\"occurredAt\":\"2025-01-23T10:30:45.123Z\",\"kyc\":{\"status\":\"x\"}}");

	ck_assert_str_eq(plan.bodies[0].title, "Mine");
	ck_assert_str_eq(plan.bodies[0].text, "Own");
	ck_assert_int_eq(plan.priority, 1);
	ck_assert_int_eq(plan.created_us, 1737628245123000);
}
END_TEST

START_TEST(users_named_twice_are_told_once)
{
	struct plan plan =
	    plan_of("{\"id\":\"e\",\"userIds\":[\"a\",\"b\",\"a\"],\"kyc\":{\"status\":\"x\"}}");

	ck_assert_uint_eq(plan.users_len, 2);
	ck_assert_uint_eq(plan.items_len, 2);
}
END_TEST

START_TEST(a_strangers_memo_is_cleaned_not_refused)
{
	Event *event = (Event *)(uintptr_t)parse(kinds[1].json);
	struct plan plan;
	struct err err = ERR_INIT;

	event->transaction->message = arena_strdup(&arena, "a\x01"
							   "b\xe2\x80\xae"
							   "c\xc2\x85"
							   "d\nz\xc3\xa4");
	ck_assert_ok(plan_event(event, 1, &arena, &plan, &err), err);
	ck_assert_str_eq(plan.bodies[0].payload->transaction->message, "abcd\nz\xc3\xa4");
}
END_TEST

START_TEST(a_text_that_is_too_long_is_cut_between_characters)
{
	Event *event = (Event *)(uintptr_t)parse(kinds[9].json);
	struct buf text = BUF_INIT;
	struct plan plan;
	struct err err = ERR_INIT;

	for (int i = 0; i < PLAN_TITLE_MAX + 5; i++)
		buf_append_str(&text, "\xc3\xa4");
	event->title = arena_strdup(&arena, buf_str(&text));
	buf_finish(&text);
	ck_assert_ok(plan_event(event, 1, &arena, &plan, &err), err);
	ck_assert_uint_eq(strlen(plan.bodies[0].title), 2 * PLAN_TITLE_MAX);
}
END_TEST

/* --- what is refused --- */

static const struct {
	const char *json, *field;
} refused[] = {
	{ "{\"id\":\"e\",\"userIds\":[\"a\"]}", "body" },
	{ "{\"userIds\":[\"a\"],\"kyc\":{}}", "id" },
	{ "{\"id\":\"e\",\"kyc\":{}}", "userIds" },
	{ "{\"id\":\"e\",\"userIds\":[\"\"],\"kyc\":{}}", "userIds" },
	{ "{" ALICE "\"balance\":{\"available_balance\":\"1\",\"currency\":\"USD\"}}",
	    "balance.walletId" },
	{ "{" ALICE "\"balance\":{\"walletId\":\"w\",\"currency\":\"USD\"}}",
	    "balance.available_balance" },
	{ "{" ALICE "\"balance\":{\"walletId\":\"w\",\"available_balance\":\"1\"}}",
	    "balance.currency" },
	{ "{" ALICE
	  "\"balance\":{\"walletId\":\"w\",\"available_balance\":\"1\",\"currency\":\"usd\"}}",
	    "balance.currency" },
	{ "{" ALICE "\"balance\":{\"walletId\":\"w\",\"available_balance\":\"1\","
	  "\"currency\":\"ABCDEFGHIJKLM\"}}",
	    "balance.currency" },
	{ "{\"id\":\"e\",\"transaction\":{" MONEY ",\"sender\":{\"userId\":\"a\"}}}",
	    "transaction.transactionId" },
	{ "{\"id\":\"e\",\"transaction\":{\"transactionId\":\"t\"," MONEY "}}", "transaction" },
	{ "{\"id\":\"e\",\"transaction\":{\"transactionId\":\"t\",\"sender\":{\"userId\":\"a\"}}}",
	    "transaction.amount" },
	{ "{" ALICE "\"transaction\":{\"transactionId\":\"t\"," MONEY
	  ",\"sender\":{\"userId\":\"bob\"}}}",
	    "userIds" },
	{ "{" ALICE "\"transfer\":{\"state\":\"created\"}}", "transfer.transferId" },
	{ "{" ALICE "\"transfer\":{\"transferId\":\"x\"}}", "transfer.state" },
	{ "{" ALICE "\"transfer\":{\"transferId\":\"x\",\"state\":\"created\",\"progress\":101}}",
	    "transfer.progress" },
	{ "{" ALICE "\"transfer\":{\"transferId\":\"x\",\"state\":\"created\",\"amount\":\"1\"}}",
	    "transfer.currency" },
	{ "{" ALICE "\"payment\":{\"currency\":\"USD\"}}", "payment.amount" },
	{ "{" ALICE "\"deposit\":{\"amount\":\"1\"}}", "deposit.currency" },
	{ "{" ALICE "\"card\":{\"last4\":\"4242424242424242\"}}", "card.last4" },
	{ "{" ALICE "\"announcement\":{}}", "userIds" },
	{ "{" ALICE "\"chat\":{}}", "chat" },
};

START_TEST(what_cannot_be_meant_is_refused_by_its_field)
{
	struct plan plan;
	struct err err = ERR_INIT;

	ck_assert_int_eq(
	    plan_event(parse(refused[_i].json), 1, &arena, &plan, &err), STATUS_INVALID);
	ck_assert_str_eq(err.field, refused[_i].field);
}
END_TEST

START_TEST(more_than_256_users_are_refused)
{
	struct buf json = BUF_INIT;
	struct plan plan;
	struct err err = ERR_INIT;

	buf_append_str(&json, "{\"id\":\"e\",\"kyc\":{},\"userIds\":[\"u\"");
	for (int i = 0; i < PLAN_USERS_MAX; i++)
		buf_appendf(&json, ",\"u%d\"", i);
	buf_append_str(&json, "]}");
	ck_assert_int_eq(plan_event(parse(buf_str(&json)), 1, &arena, &plan, &err), STATUS_INVALID);
	ck_assert_str_eq(err.field, "userIds");
	buf_finish(&json);
}
END_TEST

/* --- the table of kinds --- */

START_TEST(every_kind_has_its_name)
{
	for (int i = 1; i < KIND_COUNT; i++) {
		const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
		    &walletwire__v1__payload__descriptor, (unsigned)i);

		ck_assert_str_eq(kind_name(i), field->name);
		ck_assert_int_eq(kind_number(field->name), i);
		ck_assert(!kind_find(i)->inbox || kind_find(i)->priority > 0);
	}
	ck_assert_int_eq(kind_number("nothing"), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notifications_plan");
	TCase *tcase = tcase_create("plan");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, every_kind_is_planned_by_its_row, 0, ARRAY_LEN(kinds));
	tcase_add_test(tcase, each_side_of_a_transaction_is_told_its_own);
	tcase_add_test(tcase, a_side_that_is_nobody_of_ours_gets_no_item);
	tcase_add_test(tcase, money_to_oneself_is_two_items_of_one_user);
	tcase_add_test(tcase, an_announcement_is_nobodys_and_everybodys);
	tcase_add_test(tcase, the_events_own_words_and_priority_win);
	tcase_add_test(tcase, users_named_twice_are_told_once);
	tcase_add_test(tcase, a_strangers_memo_is_cleaned_not_refused);
	tcase_add_test(tcase, a_text_that_is_too_long_is_cut_between_characters);
	tcase_add_loop_test(
	    tcase, what_cannot_be_meant_is_refused_by_its_field, 0, ARRAY_LEN(refused));
	tcase_add_test(tcase, more_than_256_users_are_refused);
	tcase_add_test(tcase, every_kind_has_its_name);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
