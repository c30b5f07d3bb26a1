/* Every change leaves its record in the stream: once, in order, and without what was said. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "bus/provision.h"
#include "db/db.h"
#include "support/auditor.h"
#include "world.h"

/* What users and back ends said in these tests. */
#define WORDS "Zanzibar"
#define AMOUNT "31415.92"
#define UNITS 3141592

static struct postgres *pg;
static struct world world;

/* Neither words nor amounts, in no form they may have had. */
static void check_secrets(struct bytes data)
{
	const Walletwire__V1__Decimal amount = { .base = { &walletwire__v1__decimal__descriptor, 0,
						     NULL },
		.units = UNITS,
		.scale = 2 };
	uint8_t packed[32];
	size_t len = walletwire__v1__decimal__pack(&amount, packed);

	ck_assert(!memmem(data.data, data.len, WORDS, strlen(WORDS)));
	ck_assert(!memmem(data.data, data.len, AMOUNT, strlen(AMOUNT)));
	ck_assert(!memmem(data.data, data.len, packed, len));
	ck_assert(!memmem(data.data, data.len, "EUR", 3));
}

static void start(void)
{
	world_start(&world, pg);
	auditor_start(&world.nats, world.dsn, "notifications", check_secrets);
}

static void setup(void)
{
	start();
	world_spawn(&world, 0, NULL);
}

/* A server of the test's own: it is killed. */
static void setup_own(void)
{
	pg = postgres_start();
	setup();
}

static void teardown(void)
{
	auditor_stop();
	world_stop(&world);
}

static void teardown_own(void)
{
	teardown();
	postgres_stop(pg);
}

/* --- what is done --- */

static void publish(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void publish(const char *fmt, ...)
{
	char json[1024];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(json, sizeof(json), fmt, args);
	va_end(args);
	world_publish(&world, json);
}

#define SAID "\"title\":\"" WORDS "\",\"text\":\"" WORDS "\""
#define MONEY "\"amount\":\"" AMOUNT "\",\"currency\":\"EUR\",\"message\":\"" WORDS "\""

static void publish_payment(const char *id, const char *users)
{
	publish("{\"id\":\"%s\",\"userIds\":[%s]," SAID
		",\"payment\":{\"status\":\"pending\"," MONEY "}}",
	    id, users);
}

static void publish_payments(int from, int to)
{
	char id[32];

	for (int i = from; i < to; i++) {
		(void)snprintf(id, sizeof(id), "p%d", i);
		publish_payment(id, "\"alice\"");
	}
}

/* As an edge asks, for a socket. */
static void choose(const char *verb, Walletwire__V1__SelectRequest *in, const char *code)
{
	const char *said;
	char subject[64];

	in->caller = world_caller(&world, "alice");
	in->caller->session_id = arena_strdup(&world.arena, "sid-1");
	(void)snprintf(subject, sizeof(subject), "ww.svc.notifications.%s", verb);
	(void)world_ask(&world, subject, in, &walletwire__v1__select_reply__descriptor, &said);
	ck_assert_str_eq(said, code);
}

static void choose_ids(const char *verb, const char *one, const char *two, const char *code)
{
	Walletwire__V1__SelectRequest *in = MESSAGE_NEW(&world.arena, select_request);

	in->selection_case = WALLETWIRE__V1__SELECT_REQUEST__SELECTION_IDS;
	in->ids = MESSAGE_NEW(&world.arena, string_list);
	in->ids->values = arena_alloc(&world.arena, 2 * sizeof(char *));
	in->ids->values[in->ids->n_values++] = arena_strdup(&world.arena, one);
	if (two)
		in->ids->values[in->ids->n_values++] = arena_strdup(&world.arena, two);
	choose(verb, in, code);
}

static void choose_up_to(const char *verb, uint64_t up_to)
{
	Walletwire__V1__SelectRequest *in = MESSAGE_NEW(&world.arena, select_request);

	in->selection_case = WALLETWIRE__V1__SELECT_REQUEST__SELECTION_UP_TO;
	in->up_to = up_to;
	choose(verb, in, "ok");
}

static void choose_all(const char *verb, uint64_t position, uint64_t announcement_position)
{
	Walletwire__V1__SelectRequest *in = MESSAGE_NEW(&world.arena, select_request);

	in->selection_case = WALLETWIRE__V1__SELECT_REQUEST__SELECTION_ALL;
	in->all = true;
	in->position = position;
	in->announcement_position = announcement_position;
	choose(verb, in, "ok");
}

static void recall(struct bus *bus, const char *type, const char *id, const char *asked_by)
{
	Walletwire__V1__RecallRequest *in = MESSAGE_NEW(&world.arena, recall_request);
	struct err err = ERR_INIT;
	struct bus_msg *msg = NULL;
	Walletwire__V1__ErrorReply *reply;

	in->type = arena_strdup(&world.arena, type);
	in->id = arena_strdup(&world.arena, id);
	in->asked_by = arena_strdup(&world.arena, asked_by);
	ck_assert_ok(bus_request(bus, "ww.backend.notifications.recall",
			 message_pack(&in->base, &world.arena), WORLD_WAIT_MS, &msg, &err),
	    err);
	reply = walletwire__v1__error_reply__unpack(
	    arena_allocator(&world.arena), bus_msg_data(msg).len, bus_msg_data(msg).data);
	ck_assert_ptr_nonnull(reply);
	ck_assert_ptr_null(reply->error);
	bus_msg_unref(msg);
}

static void revoke_tokens(const char *token, const char *user, const char *asked_by)
{
	Walletwire__V1__RevokeRequest *in = MESSAGE_NEW(&world.arena, revoke_request);

	if (token) {
		in->what_case = WALLETWIRE__V1__REVOKE_REQUEST__WHAT_TOKEN_ID;
		in->token_id = arena_strdup(&world.arena, token);
	} else {
		in->what_case = WALLETWIRE__V1__REVOKE_REQUEST__WHAT_USER_ID;
		in->user_id = arena_strdup(&world.arena, user);
	}
	in->reason = arena_strdup(&world.arena, WORDS);
	in->asked_by = arena_strdup(&world.arena, asked_by);
	(void)world_ask(&world, "ww.backend.notifications.revoke", in,
	    &walletwire__v1__revoke_reply__descriptor, NULL);
}

/* --- every action --- */

START_TEST(items_that_are_created_name_who_got_them_and_under_which_number)
{
	publish_payment("p1", "\"alice\",\"bob\"");
	auditor_expect("ITEM_CREATED by BACKEND: payment/p1 alice@1 bob@1 n2");
	publish(
	    "{\"id\":\"t1\",\"transaction\":{\"transactionId\":\"t1\",\"type\":\"p2p\",\"status\":"
	    "\"completed\"," MONEY ",\"sender\":{\"userId\":\"bob\",\"name\":\"" WORDS
	    "\"},\"recipient\":{\"userId\":\"alice\",\"name\":\"" WORDS "\"}}}");
	auditor_expect("ITEM_CREATED by BACKEND: transaction/t1 bob@2 alice@2 n2");
	auditor_check_complete(2);
}
END_TEST

START_TEST(what_a_user_does_names_the_user_the_session_and_what_was_chosen)
{
	publish_payments(1, 6);
	for (int i = 1; i < 6; i++)
		auditor_expect("ITEM_CREATED by BACKEND: payment/p%d alice@%d n1", i, i);
	choose_up_to("seen", 3);
	auditor_expect("ITEM_SEEN by USER alice/sid-1: alice@6 to=3 n3");
	choose_ids("read", "p1", "p5", "ok");
	auditor_expect("ITEM_READ by USER alice/sid-1: alice@7 id=p1 id=p5 n2");
	choose_all("archive", 4, 9);
	auditor_expect("ITEM_ARCHIVED by USER alice/sid-1: alice@8 to=4 log=9 n4");
	/* What changes nothing leaves nothing. */
	choose_ids("read", "p1", NULL, "ok");
	choose_up_to("seen", 3);
	auditor_check_complete(8);
}
END_TEST

START_TEST(items_that_leave_are_named_one_by_one)
{
	publish("{\"id\":\"e1\",\"userIds\":[\"alice\",\"bob\"]," SAID
		",\"expiresAt\":\"2020-01-01T00:00:00.000Z\",\"kyc\":{\"status\":\"x\"}}");
	auditor_expect("ITEM_CREATED by BACKEND: kyc/e1 alice@1 bob@1 n2");
	auditor_expect("ITEM_EXPIRED by SERVICE notifications: alice#1 bob#1 n2");
	publish_payment("p1", "\"bob\",\"alice\"");
	auditor_expect("ITEM_CREATED by BACKEND: payment/p1 bob@2 alice@2 n2");
	recall(world.ops, "payment", "p1", "olga");
	auditor_expect("ITEM_RECALLED by OPERATOR olga: payment/p1 alice#2@3 bob#2@3 n2");
	recall(world.ops, "payment", "p1", "olga"); /* once more */
	recall(world.backend, "kyc", "e1", "");
	auditor_expect("ITEM_RECALLED by BACKEND: kyc/e1 alice#1@4 bob#1@4 n2");
	auditor_check_complete(5);
}
END_TEST

START_TEST(announcements_are_named_with_their_rows_of_the_log)
{
	char soon[TIMESTAMP_TEXT_SIZE];

	publish("{\"id\":\"a1\"," SAID ",\"announcement\":{}}");
	auditor_expect("ANNOUNCEMENT_STARTED by BACKEND: announcement/a1 id=a1 log=1 n1");
	recall(world.ops, "announcement", "a1", "olga");
	auditor_expect("ANNOUNCEMENT_RECALLED by OPERATOR olga: announcement/a1 id=a1 log=2 n1");
	publish("{\"id\":\"a2\"," SAID
		",\"announcement\":{\"startsAt\":\"2120-01-01T00:00:00.000Z\"}}");
	auditor_expect("ANNOUNCEMENT_SCHEDULED by BACKEND: announcement/a2 id=a2 n1");
	recall(world.backend, "announcement", "a2", "core");
	auditor_expect("ANNOUNCEMENT_RECALLED by BACKEND core: announcement/a2 id=a2 n1");
	(void)timestamp_format(clock_wall_us() / 1000 + 1500, soon);
	publish("{\"id\":\"a3\"," SAID ",\"announcement\":{\"startsAt\":\"%s\"}}", soon);
	auditor_expect("ANNOUNCEMENT_SCHEDULED by BACKEND: announcement/a3 id=a3 n1");
	auditor_expect(
	    "ANNOUNCEMENT_STARTED by SERVICE notifications: announcement/a3 id=a3 log=3 n1");
	publish("{\"id\":\"a4\"," SAID
		",\"expiresAt\":\"2020-01-01T00:00:00.000Z\",\"announcement\":{}}");
	auditor_expect("ANNOUNCEMENT_STARTED by BACKEND: announcement/a4 id=a4 log=4 n1");
	auditor_expect(
	    "ANNOUNCEMENT_EXPIRED by SERVICE notifications: announcement/a4 id=a4 log=5 n1");
	auditor_check_complete(8);
}
END_TEST

static void publish_balance(const char *id, int version)
{
	publish("{\"id\":\"%s\",\"userIds\":[\"alice\"],\"balance\":{\"walletId\":\"w1\","
		"\"available_balance\":\"" AMOUNT "\",\"currency\":\"EUR\",\"version\":%d}}",
	    id, version);
}

static void publish_transfer(const char *id, const char *state, int version)
{
	publish("{\"id\":\"%s\",\"userIds\":[\"alice\",\"bob\"]," SAID
		",\"transfer\":{\"transferId\":\"t1\",\"state\":\"%s\"," MONEY ",\"version\":%d}}",
	    id, state, version);
}

START_TEST(states_are_named_with_the_versions_that_were_new)
{
	publish_balance("b1", 5);
	auditor_expect("BALANCE_APPLIED by BACKEND: balance/b1 alicev5 id=w1 n1");
	publish_balance("b2", 3); /* older */
	publish_balance("b3", 0);
	auditor_expect("BALANCE_APPLIED by BACKEND: balance/b3 alicev6 id=w1 n1");
	publish_transfer("x1", "processing", 1);
	auditor_expect("TRANSFER_APPLIED by BACKEND: transfer/x1 alicev1 bobv1 id=t1 n2");
	publish_transfer("x2", "completed", 2);
	auditor_expect("TRANSFER_APPLIED by BACKEND: transfer/x2 alice@1v2 bob@1v2 id=t1 n2");
	publish_transfer("x3", "processing", 1); /* older */
	auditor_check_complete(4);
}
END_TEST

static void answer_with_wallet(void *arg, struct bus_msg *msg)
{
	struct err err = ERR_INIT;

	ck_assert_ok(
	    bus_respond(world.backend, bus_msg_reply(msg), *(struct bytes *)arg, &err), err);
}

START_TEST(balances_that_the_back_end_is_asked_for_are_named_when_they_are_new)
{
	Walletwire__V1__Decimal amount = WALLETWIRE__V1__DECIMAL__INIT;
	Walletwire__V1__BalanceEvent wallet = WALLETWIRE__V1__BALANCE_EVENT__INIT;
	Walletwire__V1__BalanceEvent *wallets[] = { &wallet };
	Walletwire__V1__BalanceGetReply reply = WALLETWIRE__V1__BALANCE_GET_REPLY__INIT;
	struct err err = ERR_INIT;
	struct bus_sub *sub;
	struct bytes answer;

	amount.units = UNITS;
	amount.scale = 2;
	wallet.wallet_id = arena_strdup(&world.arena, "w1");
	wallet.available_balance = &amount;
	wallet.currency = arena_strdup(&world.arena, "EUR");
	wallet.version = 7;
	reply.wallets = wallets;
	reply.n_wallets = 1;
	answer = message_pack(&reply.base, &world.arena);
	ck_assert_ok(bus_subscribe(world.backend, "ww.backend.notifications.balance_get", NULL,
			 answer_with_wallet, &answer, &sub, &err),
	    err);
	ck_assert_ok(bus_flush(world.backend, 2000, &err), err);
	for (int i = 1; i <= 2; i++) { /* the second time nothing is new */
		publish("{\"id\":\"d%d\",\"userIds\":[\"alice\"]," SAID
			",\"deposit\":{\"status\":\"completed\"," MONEY "}}",
		    i);
		auditor_expect("ITEM_CREATED by BACKEND: deposit/d%d alice@%d n1", i, i);
		if (i == 1)
			auditor_expect("BALANCE_APPLIED by BACKEND: alicev7 id=w1 n1");
	}
	auditor_check_complete(3);
	bus_unsubscribe(sub);
}
END_TEST

START_TEST(revoked_tokens_are_named_and_not_why)
{
	revoke_tokens("jti-1", NULL, "olga");
	auditor_expect("TOKENS_REVOKED by OPERATOR olga: id=jti-1 n0");
	revoke_tokens(NULL, "mallory", "");
	auditor_expect("TOKENS_REVOKED by OPERATOR: mallory n0");
	auditor_check_complete(2);
}
END_TEST

START_TEST(whose_data_was_read_or_went_is_named)
{
	Walletwire__V1__ExportRequest *read = MESSAGE_NEW(&world.arena, export_request);
	Walletwire__V1__EraseRequest *erase = MESSAGE_NEW(&world.arena, erase_request);
	const Walletwire__V1__EraseReply *reply;

	publish_payment("p1", "\"alice\"");
	auditor_expect("ITEM_CREATED by BACKEND: payment/p1 alice@1 n1");
	read->user_id = erase->user_id = arena_strdup(&world.arena, "alice");
	read->asked_by = erase->asked_by = arena_strdup(&world.arena, "olga");
	(void)world_ask(&world, "ww.backend.notifications.export", read,
	    &walletwire__v1__export_reply__descriptor, NULL);
	auditor_expect("USER_EXPORTED by OPERATOR olga: alice n0");
	do {
		reply = world_ask(&world, "ww.backend.notifications.erase", erase,
		    &walletwire__v1__erase_reply__descriptor, NULL);
		erase->at = reply->at;
	} while (reply->more);
	auditor_expect("TOKENS_REVOKED by OPERATOR olga: alice n0");
	/* An item of the mailbox, one of the inbox, and a text. */
	auditor_expect("USER_ERASED by OPERATOR olga: alice n3");
	/* Again there is nothing more to take. */
	erase->at = NULL;
	(void)world_ask(&world, "ww.backend.notifications.erase", erase,
	    &walletwire__v1__erase_reply__descriptor, NULL);
	auditor_expect("TOKENS_REVOKED by OPERATOR olga: alice n0");
	auditor_check_complete(5);
}
END_TEST

START_TEST(events_that_are_given_up_are_named_by_their_letters)
{
	const char *letter;
	struct bus_ack ack;
	struct err err = ERR_INIT;

	ck_assert_ok(bus_publish_stored(world.backend, "ww.event.payment", "payment/bad",
			 BYTES_LITERAL("\xff" WORDS), NULL, &ack, &err),
	    err);
	world_wait_dead(&world, 1);
	letter = bus_msg_header(world.dead[0], "Nats-Msg-Id");
	auditor_expect(
	    "EVENT_DEAD_LETTERED by SERVICE notifications: payment/bad id=%s n0", letter);
	ck_assert_ok(bus_publish_stored(world.backend, "ww.event.payment", WORDS,
			 BYTES_LITERAL("\xff"), NULL, &ack, &err),
	    err);
	world_wait_dead(&world, 2);
	auditor_expect("EVENT_DEAD_LETTERED by SERVICE notifications: id=%s n0",
	    bus_msg_header(world.dead[1], "Nats-Msg-Id"));
	auditor_check_complete(2);
}
END_TEST

/* --- once --- */

START_TEST(an_event_that_comes_again_leaves_nothing_more)
{
	static const char payment[] = "{\"id\":\"p1\",\"userIds\":[\"alice\"]," SAID
				      ",\"payment\":{\"status\":\"pending\"," MONEY "}}";

	world_publish(&world, payment);
	world_publish_again(&world, payment);
	publish_payment("p2", "\"alice\"");
	world_publish_again(&world, payment);
	publish_payment("p3", "\"alice\"");
	auditor_expect("ITEM_CREATED by BACKEND: payment/p1 alice@1 n1");
	auditor_expect("ITEM_CREATED by BACKEND: payment/p2 alice@2 n1");
	auditor_expect("ITEM_CREATED by BACKEND: payment/p3 alice@3 n1");
	auditor_check_complete(3);
}
END_TEST

START_TEST(a_change_that_is_tried_again_leaves_one_record)
{
	publish_payment("p1", "\"alice\"");
	auditor_expect("ITEM_CREATED by BACKEND: payment/p1 alice@1 n1");
	auditor_refuse_rows(2, "40001");
	publish_payment("p2", "\"alice\"");
	auditor_expect("ITEM_CREATED by BACKEND: payment/p2 alice@2 n1");
	auditor_refuse_rows(2, "40001");
	choose_ids("read", "p1", NULL, "ok");
	auditor_expect("ITEM_READ by USER alice/sid-1: alice@3 id=p1 n1");
	auditor_refuse_rows(2, "40001");
	revoke_tokens("jti-1", NULL, "olga");
	auditor_expect("TOKENS_REVOKED by OPERATOR olga: id=jti-1 n0");
	auditor_refuse_rows(2, "40001");
	recall(world.ops, "payment", "p2", "");
	auditor_expect("ITEM_RECALLED by OPERATOR: payment/p2 alice#2@4 n1");
	auditor_check_complete(5);
	ck_assert(world_verify(&world, "alice")->consistent);
}
END_TEST

START_TEST(a_change_that_is_rolled_back_leaves_none)
{
	publish_payment("p1", "\"alice\"");
	auditor_expect("ITEM_CREATED by BACKEND: payment/p1 alice@1 n1");
	auditor_refuse_rows(1, "22000");
	choose_ids("read", "p1", NULL, "internal");
	ck_assert_uint_eq(world_unread(&world, "alice")->total, 1);
	ck_assert_uint_eq(world_open(&world, "alice")->seq, 1);
	choose_ids("read", "p1", NULL, "ok");
	auditor_expect("ITEM_READ by USER alice/sid-1: alice@2 id=p1 n1");
	auditor_check_complete(2);
}
END_TEST

/* --- what breaks --- */

START_TEST(a_full_stream_is_waited_for_and_then_all_comes_in_order)
{
	auditor_fill_stream();
	for (int i = 1; i <= 20; i++) {
		publish_payments(i, i + 1);
		auditor_wait_waiting(i); /* each is a row of its own */
	}
	choose_up_to("read", 20); /* nobody has to wait for it */
	auditor_wait_waiting(21);
	for (int i = 1; i <= 20; i++)
		auditor_expect("ITEM_CREATED by BACKEND: payment/p%d alice@%d n1", i, i);
	auditor_expect("ITEM_READ by USER alice/sid-1: alice@21 to=20 n20");
	auditor_check_complete(21);
}
END_TEST

static void kill_it(void)
{
	world_kill(&world, 0, SIGKILL);
}

START_TEST(a_relay_killed_between_ack_and_delete_publishes_nothing_twice)
{
	auditor_fill_stream();
	for (int i = 1; i <= 5; i++) {
		publish_payments(i, i + 1);
		auditor_wait_waiting(i);
	}
	auditor_kill_between_ack_and_delete(5, kill_it);
	world_spawn(&world, 0, "--takeover-wait=0s");
	auditor_check_complete(5);
	for (int i = 1; i <= 5; i++)
		auditor_expect("ITEM_CREATED by BACKEND: payment/p%d alice@%d n1", i, i);
}
END_TEST

START_TEST(what_was_committed_and_not_acknowledged_leaves_nothing_more)
{
	struct db *holder;

	world_kill(&world, 0, SIGTERM);
	holder = auditor_hold_commits();
	publish_payment("p1", "\"alice\"");
	world_publish_raw(&world, "ww.event.payment", BYTES_LITERAL("\xff"));
	world_spawn(&world, 0, NULL);
	auditor_wait_held();
	world_kill(&world, 0, SIGKILL);
	db_close(holder);
	auditor_wait_waiting(1);
	world_spawn(&world, 0, NULL);
	publish_payment("p2", "\"alice\"");
	auditor_expect("ITEM_CREATED by BACKEND: payment/p1 alice@1 n1");
	ck_assert_int_eq((int)auditor_next()->action,
	    WALLETWIRE__V1__AUDIT_ACTION__AUDIT_ACTION_EVENT_DEAD_LETTERED);
	auditor_expect("ITEM_CREATED by BACKEND: payment/p2 alice@2 n1");
	auditor_check_complete(3);
}
END_TEST

enum { STORM = 2000, STORM_PER_BAD = 20 };

static void publish_storm(int from, int to)
{
	for (int i = from; i < to; i++) {
		if (i % STORM_PER_BAD == 0)
			world_publish_raw(&world, "ww.event.payment", BYTES_LITERAL("\xff"));
		else
			publish_payments(i, i + 1);
	}
}

/* A record for each event, those of alice in the order of her numbers. */
static void check_storm(void)
{
	size_t dead = 0;
	uint64_t seq = 0;

	auditor_take(STORM);
	auditor_check_complete(STORM);
	for (size_t i = 0; i < auditor_taken(); i++) {
		const Walletwire__V1__AuditRecord *record = auditor_record(i);

		if (record->action == WALLETWIRE__V1__AUDIT_ACTION__AUDIT_ACTION_ITEM_CREATED)
			ck_assert_uint_eq(record->users[0]->seq, ++seq);
		else
			dead++;
	}
	ck_assert_uint_eq(dead, STORM / STORM_PER_BAD);
	ck_assert_uint_eq(world_open(&world, "alice")->seq, STORM - dead);
}

/* Both are killed in turn, so the applier and the relay are, whoever they are. */
START_TEST(replicas_killed_in_a_storm_of_events_leave_one_record_each)
{
	world_spawn(&world, 1, "--takeover-wait=5s");
	for (int i = 0; i < 4; i++) {
		publish_storm(STORM / 4 * i, STORM / 4 * (i + 1));
		auditor_take(auditor_taken() + 100);
		world_kill(&world, i % 2, SIGKILL);
		world_spawn(&world, i % 2, "--takeover-wait=5s");
	}
	check_storm();
}
END_TEST

START_TEST(postgresql_and_nats_killed_in_a_storm_of_events_cost_no_record)
{
	publish_storm(0, STORM / 2);
	auditor_take(100);
	postgres_kill(pg);
	postgres_restart(pg);
	publish_storm(STORM / 2, STORM);
	auditor_take(200);
	support_nats_stop(&world.nats, SIGTERM);
	support_nats_restart(&world.nats);
	auditor_expect_repeats();
	check_storm();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notifications_audit");
	TCase *tcase = tcase_create("audit");
	TCase *own = tcase_create("own");

	pg = postgres_start();
	tcase_set_timeout(tcase, 180);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, items_that_are_created_name_who_got_them_and_under_which_number);
	tcase_add_test(tcase, what_a_user_does_names_the_user_the_session_and_what_was_chosen);
	tcase_add_test(tcase, items_that_leave_are_named_one_by_one);
	tcase_add_test(tcase, announcements_are_named_with_their_rows_of_the_log);
	tcase_add_test(tcase, states_are_named_with_the_versions_that_were_new);
	tcase_add_test(tcase, balances_that_the_back_end_is_asked_for_are_named_when_they_are_new);
	tcase_add_test(tcase, revoked_tokens_are_named_and_not_why);
	tcase_add_test(tcase, whose_data_was_read_or_went_is_named);
	tcase_add_test(tcase, events_that_are_given_up_are_named_by_their_letters);
	tcase_add_test(tcase, an_event_that_comes_again_leaves_nothing_more);
	tcase_add_test(tcase, a_change_that_is_tried_again_leaves_one_record);
	tcase_add_test(tcase, a_change_that_is_rolled_back_leaves_none);
	tcase_add_test(tcase, a_full_stream_is_waited_for_and_then_all_comes_in_order);
	tcase_add_test(tcase, a_relay_killed_between_ack_and_delete_publishes_nothing_twice);
	tcase_add_test(tcase, what_was_committed_and_not_acknowledged_leaves_nothing_more);
	tcase_add_test(tcase, replicas_killed_in_a_storm_of_events_leave_one_record_each);
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(own, 180);
	tcase_add_checked_fixture(own, setup_own, teardown_own);
	tcase_add_test(own, postgresql_and_nats_killed_in_a_storm_of_events_cost_no_record);
	suite_add_tcase(suite, own);
	return support_run(suite);
}
