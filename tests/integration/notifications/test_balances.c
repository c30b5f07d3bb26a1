/* Balances that are asked of the back end: for clients, and after movements; a subscription of the
 * test is the back end. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "bus/provision.h"
#include "world.h"

#define SUBJECT "ww.backend.notifications.balance_get"

enum { ASKS_MAX = 24, HELD_MAX = 64, USERS_MAX = 8, ANSWER_MS = 20000 };

static struct postgres *pg;
static struct world world;
static struct bus_port *port;
static struct err err;

/* --- the back end --- */

static struct {
	pthread_mutex_t lock;
	struct bus_sub *sub;
	bool holds;          /* questions wait until they are released */
	struct bytes answer; /* to every question */
	struct bus_msg *held[HELD_MAX];
	size_t held_len, released_len;
	struct asked {
		char user[64];
		size_t n;
	} asked[USERS_MAX]; /* questions, by user */
} bank = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct asked *asked_of(const char *user)
{
	struct asked *asked = bank.asked;

	while (asked->user[0] && strcmp(asked->user, user) != 0)
		asked++;
	ck_assert(asked < bank.asked + USERS_MAX - 1);
	(void)snprintf(asked->user, sizeof(asked->user), "%s", user);
	return asked;
}

static void answer(struct bus_msg *question)
{
	struct err why = ERR_INIT;

	ck_assert_ok(bus_respond(world.backend, bus_msg_reply(question), bank.answer, &why), why);
}

static void on_question(void *arg, struct bus_msg *msg)
{
	struct bytes data = bus_msg_data(msg);
	Walletwire__V1__BalanceGetRequest *request =
	    walletwire__v1__balance_get_request__unpack(NULL, data.len, data.data);

	(void)arg;
	(void)pthread_mutex_lock(&bank.lock);
	asked_of(request->user_id)->n++;
	if (bank.holds && bank.held_len < HELD_MAX)
		bank.held[bank.held_len++] = bus_msg_ref(msg);
	else
		answer(msg);
	(void)pthread_mutex_unlock(&bank.lock);
	walletwire__v1__balance_get_request__free_unpacked(request, NULL);
}

static void bank_opens(void)
{
	ck_assert_ok(
	    bus_subscribe(world.backend, SUBJECT, NULL, on_question, NULL, &bank.sub, &err), err);
	ck_assert_ok(bus_flush(world.backend, 2000, &err), err);
}

static void bank_answers_bytes(struct bytes data)
{
	(void)pthread_mutex_lock(&bank.lock);
	bank.answer = bytes_of(arena_memdup(&world.arena, data.data, data.len), data.len);
	(void)pthread_mutex_unlock(&bank.lock);
}

static Walletwire__V1__BalanceEvent *wallet(const char *id, int64_t cents, uint64_t version)
{
	Walletwire__V1__BalanceEvent *one = MESSAGE_NEW(&world.arena, balance_event);

	one->wallet_id = arena_strdup(&world.arena, id);
	one->available_balance = MESSAGE_NEW(&world.arena, decimal);
	one->available_balance->units = cents;
	one->available_balance->scale = 2;
	one->currency = arena_strdup(&world.arena, "EUR");
	one->version = version;
	return one;
}

/* One wallet, or two. */
static void bank_answers(
    Walletwire__V1__BalanceEvent *one, Walletwire__V1__BalanceEvent *two_or_null)
{
	Walletwire__V1__BalanceGetReply *reply = MESSAGE_NEW(&world.arena, balance_get_reply);
	Walletwire__V1__BalanceEvent *wallets[] = { one, two_or_null };

	reply->wallets = wallets;
	reply->n_wallets = two_or_null ? 2 : 1;
	bank_answers_bytes(message_pack(&reply->base, &world.arena));
}

static void bank_refuses(const char *code)
{
	Walletwire__V1__BalanceGetReply *reply = MESSAGE_NEW(&world.arena, balance_get_reply);

	reply->error = MESSAGE_NEW(&world.arena, error);
	reply->error->code = arena_strdup(&world.arena, code);
	bank_answers_bytes(message_pack(&reply->base, &world.arena));
}

static void bank_holds(bool holds)
{
	(void)pthread_mutex_lock(&bank.lock);
	bank.holds = holds;
	(void)pthread_mutex_unlock(&bank.lock);
}

/* Answers the oldest question that is held. */
static void bank_releases(void)
{
	(void)pthread_mutex_lock(&bank.lock);
	ck_assert_uint_lt(bank.released_len, bank.held_len);
	answer(bank.held[bank.released_len]);
	bus_msg_unref(bank.held[bank.released_len++]);
	(void)pthread_mutex_unlock(&bank.lock);
}

static size_t questions(const char *user)
{
	size_t n;

	(void)pthread_mutex_lock(&bank.lock);
	n = asked_of(user)->n;
	(void)pthread_mutex_unlock(&bank.lock);
	return n;
}

struct wanted {
	const char *user;
	size_t n;
};

static bool is_asked(void *arg)
{
	struct wanted *wanted = arg;

	return questions(wanted->user) >= wanted->n;
}

static void wait_asked(const char *user, size_t n)
{
	struct wanted wanted = { user, n };

	ck_assert_msg(support_wait(is_asked, &wanted, WORLD_WAIT_MS), "%zu of %zu questions",
	    questions(user), n);
	ck_assert_uint_eq(questions(user), n);
}

/* --- clients --- */

/* One question of an edge; "ok" or an error's code once it is told. */
struct ask {
	atomic_bool told;
	char code[32];
	Walletwire__V1__BalancesReply *reply; /* freed by the next question, or the end */
};
static struct ask asks[ASKS_MAX];

static void on_answer(void *arg, enum status status, struct bus_msg *msg)
{
	struct bytes data = msg ? bus_msg_data(msg) : bytes_of(NULL, 0);
	struct ask *ask = arg;

	/* Not in the world's arena: this is another thread. */
	ask->reply =
	    status ? NULL : walletwire__v1__balances_reply__unpack(NULL, data.len, data.data);
	(void)snprintf(ask->code, sizeof(ask->code), "%s",
	    !ask->reply         ? "no reply"
	    : ask->reply->error ? ask->reply->error->code
				: "ok");
	atomic_store(&ask->told, true);
}

static void forget_reply(struct ask *ask)
{
	if (ask->reply)
		walletwire__v1__balances_reply__free_unpacked(ask->reply, NULL);
	ask->reply = NULL;
}

static void send_ask(struct ask *ask, const char *user, const char *wallet_id)
{
	Walletwire__V1__BalancesRequest *in = MESSAGE_NEW(&world.arena, balances_request);

	in->caller = world_caller(&world, user);
	in->wallet_id = arena_strdup(&world.arena, wallet_id);
	forget_reply(ask);
	atomic_store(&ask->told, false);
	bus_port_request(port, "ww.svc.notifications.balances",
	    message_pack(&in->base, &world.arena), ANSWER_MS, on_answer, ask);
}

static bool is_told(void *ask)
{
	return atomic_load(&((struct ask *)ask)->told);
}

static const struct ask *wait_told(struct ask *ask)
{
	ck_assert(support_wait(is_told, ask, WORLD_WAIT_MS));
	return ask;
}

static const struct ask *ask(const char *user, const char *wallet_id)
{
	send_ask(&asks[0], user, wallet_id);
	return wait_told(&asks[0]);
}

/* "w1=10.00 v3 w2=...": what a client was answered. */
static const char *said(const struct ask *ask)
{
	const char *text = "";

	if (strcmp(ask->code, "ok") != 0)
		return ask->code;
	for (size_t i = 0; i < ask->reply->n_balances; i++) {
		const Walletwire__V1__BalanceUpdate *balance = ask->reply->balances[i];

		text = arena_printf(&world.arena, "%s%s%s=%d v%d", text, i ? " " : "",
		    balance->wallet_id, (int)balance->available_balance->units,
		    (int)balance->version);
	}
	return text;
}

/* As if the last confirmation were long ago. */
static void grow_old(void)
{
	postgres_exec(world.dsn,
	    "UPDATE notifications.balances SET updated_at = updated_at - interval '1 hour'");
}

/* --- what happens --- */

static long log_start; /* the tests before this one have written, too */

static void note_log_start(void)
{
	char path[512];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/notifications-0.log", support_tmp_dir());
	file = fopen(path, "r");
	if (!file)
		return;
	ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
	log_start = ftell(file);
	(void)fclose(file);
}

/* Times that `word` stands in the log of the replica. */
static size_t lines_with(const char *word)
{
	static char text[1 << 20];
	FILE *file = fopen(world.log[0], "r");
	size_t len;
	size_t n = 0;

	ck_assert_int_eq(fseek(file, log_start, SEEK_SET), 0);
	len = fread(text, 1, sizeof(text) - 1, file);
	(void)fclose(file);
	text[len] = '\0';
	for (const char *at = text; (at = strstr(at, word)); at++)
		n++;
	return n;
}

static bool is_logged(void *word)
{
	return lines_with(word) > 0;
}

static void publish_balance(const char *id, const char *amount, int version)
{
	world_publish(
	    &world, arena_printf(&world.arena,
			"{\"id\":\"%s\",\"userIds\":[\"alice\"],\"balance\":{\"walletId\":\"w\","
			"\"available_balance\":\"%s\",\"currency\":\"EUR\",\"version\":%d}}",
			id, amount, version));
}

/* Alice pays Bob. */
static void publish_p2p(const char *id, const char *status)
{
	world_publish(
	    &world, arena_printf(&world.arena,
			"{\"id\":\"%s\",\"transaction\":{\"transactionId\":\"%s\",\"type\":\"p2p\","
			"\"status\":\"%s\",\"amount\":\"1.00\",\"currency\":\"EUR\","
			"\"sender\":{\"userId\":\"alice\"},\"recipient\":{\"userId\":\"bob\"}}}",
			id, id, status));
}

static const char *money_event(
    const char *kind, const char *id, const char *user, const char *status)
{
	return arena_printf(&world.arena,
	    "{\"id\":\"%s\",\"userIds\":[\"%s\"],\"%s\":{\"status\":\"%s\",\"amount\":\"1.00\","
	    "\"currency\":\"EUR\"}}",
	    id, user, kind, status);
}

/* Refreshes are asked in the order of their movements: what was due before this one was asked. */
static void wait_for_refreshes(void)
{
	static int n;
	const char *id = arena_printf(&world.arena, "marker%d", ++n);

	world_publish(&world, money_event("deposit", id, "marker", "completed"));
	wait_asked("marker", (size_t)n);
}

static void ignore_msg(void *arg, struct bus_msg *msg)
{
	(void)arg;
	(void)msg;
}

static void setup_without_replica(void)
{
	struct bus_port_config cfg = { .queue_max = ASKS_MAX, .on_msg = ignore_msg };

	world_start(&world, pg);
	ck_assert_ok(bus_port_new(world.edge, &cfg, &port, &err), err);
	ck_assert_int_eq(setenv("WW_BALANCE_SETTLE", "0s", 1), 0);
	note_log_start();
	bank_answers(wallet("w", 1000, 0), NULL);
}

static void setup(void)
{
	setup_without_replica();
	bank_opens();
	world_spawn(&world, 0, NULL);
}

static void teardown(void)
{
	bus_port_free(port);
	for (size_t i = 0; i < ASKS_MAX; i++)
		forget_reply(&asks[i]);
	bus_unsubscribe(bank.sub);
	world_stop(&world);
}

/* --- clients ask --- */

START_TEST(what_was_confirmed_a_moment_ago_is_answered_without_a_question)
{
	publish_balance("b1", "5.00", 0);
	world_wait_seq(&world, "alice", 0, 1);
	ck_assert_str_eq(said(ask("alice", "")), "w=500 v1");
	ck_assert_str_eq(said(ask("alice", "w")), "w=500 v1");
	ck_assert_uint_eq(questions("alice"), 0);
}
END_TEST

START_TEST(what_the_back_end_says_is_stored_and_rung_once)
{
	const Walletwire__V1__OpenReply *open;

	bank_answers(wallet("v", 7, 4), wallet("w", 1000, 0));
	ck_assert_str_eq(said(ask("alice", "")), "v=7 v4 w=1000 v1");
	ck_assert_uint_eq(questions("alice"), 1);
	world_wait_rings(&world, 1);
	ck_assert_str_eq(world.rings[0]->user_id, "alice");
	ck_assert_uint_eq(world.rings[0]->n_states, 2);
	ck_assert_uint_eq(world.rings[0]->rev_before, 0);
	ck_assert_uint_eq(world.rings[0]->rev, 1);
	open = world_open(&world, "alice");
	ck_assert_uint_eq(open->rev, 1);
	ck_assert_uint_eq(open->n_states, 3);

	/* Now it is known, and so is each of them. */
	ck_assert_str_eq(said(ask("alice", "w")), "w=1000 v1");
	ck_assert_uint_eq(questions("alice"), 1);

	/* The same said again is confirmed, and nobody is told. */
	grow_old();
	ck_assert_str_eq(said(ask("alice", "w")), "w=1000 v1");
	ck_assert_uint_eq(questions("alice"), 2);
	ck_assert_str_eq(said(ask("alice", "")), "v=7 v4 w=1000 v1");
	ck_assert_uint_eq(questions("alice"), 2);
	ck_assert_uint_eq(world_open(&world, "alice")->rev, 1);
	ck_assert_uint_eq(world_rings(&world), 1);
	ck_assert(world_verify(&world, "alice")->consistent);
}
END_TEST

START_TEST(a_wallet_nobody_knows_is_not_found)
{
	ck_assert_str_eq(said(ask("alice", "other")), "not_found");
	ck_assert_str_eq(said(ask("alice", "w")), "w=1000 v1");
	bank_refuses("not_found");
	ck_assert_str_eq(said(ask("bob", "")), "not_found");
}
END_TEST

START_TEST(a_wallet_the_back_end_leaves_out_is_shown_no_more)
{
	bank_answers(wallet("v", 7, 0), wallet("w", 1000, 0));
	ck_assert_str_eq(said(ask("alice", "")), "v=7 v1 w=1000 v1");
	grow_old();
	bank_answers(wallet("v", 7, 0), NULL);
	ck_assert_str_eq(said(ask("alice", "")), "v=7 v1");
	ck_assert_str_eq(said(ask("alice", "")), "v=7 v1");
	ck_assert_uint_eq(questions("alice"), 2);
	ck_assert_uint_eq(world_open(&world, "alice")->n_states, 2);
	/* Its version goes on where it was. */
	publish_balance("b1", "5.00", 0);
	world_wait_seq(&world, "alice", 0, 2);
	ck_assert_str_eq(said(ask("alice", "w")), "w=500 v2");
}
END_TEST

START_TEST(twenty_callers_raise_one_question_and_hold_no_worker)
{
	bank_holds(true);
	for (size_t i = 0; i < 20; i++)
		send_ask(&asks[i], "alice", i % 2 ? "w" : "");
	wait_asked("alice", 1);
	/* Two workers, and twenty requests before this one. */
	(void)world_open(&world, "bob");
	bank_releases();
	for (size_t i = 0; i < 20; i++)
		ck_assert_str_eq(said(wait_told(&asks[i])), "w=1000 v1");
	ck_assert_uint_eq(questions("alice"), 1);
}
END_TEST

START_TEST(a_balance_that_changed_meanwhile_is_asked_for_again)
{
	publish_balance("b1", "5.00", 0);
	world_wait_seq(&world, "alice", 0, 1);
	grow_old();
	bank_holds(true);
	send_ask(&asks[0], "alice", "");
	wait_asked("alice", 1);
	publish_balance("b2", "6.00", 0);
	world_wait_seq(&world, "alice", 0, 2);
	bank_releases(); /* 10.00, which was true before or after: nobody can tell */
	wait_asked("alice", 2);
	ck_assert(!atomic_load(&asks[0].told));
	bank_answers(wallet("w", 600, 0), NULL);
	bank_releases();
	ck_assert_str_eq(said(wait_told(&asks[0])), "w=600 v2");
	ck_assert_uint_eq(world_open(&world, "alice")->rev, 2);
}
END_TEST

START_TEST(one_that_keeps_changing_is_asked_for_three_times)
{
	publish_balance("b0", "5.00", 0);
	world_wait_seq(&world, "alice", 0, 1);
	grow_old();
	bank_holds(true);
	send_ask(&asks[0], "alice", "");
	for (size_t i = 1; i <= 3; i++) {
		wait_asked("alice", i);
		publish_balance(arena_printf(&world.arena, "b%zu", i), "6.00", 0);
		world_wait_seq(&world, "alice", 0, i + 1);
		bank_releases();
	}
	ck_assert_str_eq(said(wait_told(&asks[0])), "unavailable");
	ck_assert_uint_eq(questions("alice"), 3);
	ck_assert_str_eq(said(ask("alice", "")), "w=600 v4");
}
END_TEST

START_TEST(versions_decide_whatever_comes_late)
{
	bank_answers(wallet("w", 500, 5), NULL);
	ck_assert_str_eq(said(ask("alice", "")), "w=500 v5");
	publish_balance("late", "4.00", 4);
	publish_balance("same", "4.00", 5);
	world_publish(&world, money_event("payment", "p1", "alice", "pending"));
	world_wait_seq(&world, "alice", 1, 2);
	ck_assert_str_eq(said(ask("alice", "w")), "w=500 v5");
	grow_old();
	bank_answers(wallet("w", 300, 3), NULL);
	ck_assert_str_eq(said(ask("alice", "w")), "w=500 v5");
	publish_balance("next", "6.00", 6);
	world_wait_seq(&world, "alice", 1, 3);
	ck_assert_str_eq(said(ask("alice", "w")), "w=600 v6");
	ck_assert_uint_eq(questions("alice"), 2);
}
END_TEST

START_TEST(a_back_end_that_is_slow_is_a_timeout)
{
	bank_holds(true);
	world_kill(&world, 0, SIGTERM);
	world_spawn(&world, 0, "--balance-timeout=50ms");
	ck_assert_str_eq(said(ask("alice", "")), "timeout");
	/* What was said too late is lost; the next one asks again. */
	bank_holds(false);
	bank_releases();
	ck_assert_str_eq(said(ask("alice", "")), "w=1000 v1");
	ck_assert(support_wait(is_logged, (char[]){ "answered again" }, WORLD_WAIT_MS));
	ck_assert_uint_eq(lines_with("can't be asked for"), 1);
}
END_TEST

START_TEST(an_answer_that_is_wrong_is_stored_nowhere_and_told_of_without_amounts)
{
	Walletwire__V1__BalanceEvent *bad = wallet("w", 424242, 0);

	bad->currency = (char[]){ "euros" };
	bank_answers(bad, NULL);
	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(said(ask("alice", "")), "internal");
	bank_answers_bytes(bytes_of_str("\xff\xff"));
	ck_assert_str_eq(said(ask("alice", "")), "internal");
	bank_refuses("forbidden");
	ck_assert_str_eq(said(ask("alice", "")), "internal");
	ck_assert_uint_eq(lines_with("of no use"), 1);
	ck_assert_uint_eq(lines_with("balance.currency"), 1);
	ck_assert_uint_eq(lines_with("4242"), 0);
	ck_assert_uint_eq(world_open(&world, "alice")->n_states, 1);
	bank_refuses("rate_limited");
	ck_assert_str_eq(said(ask("alice", "")), "unavailable");
}
END_TEST

START_TEST(whoever_waits_at_the_end_is_answered)
{
	bank_holds(true);
	send_ask(&asks[0], "alice", "");
	wait_asked("alice", 1);
	world_kill(&world, 0, SIGTERM);
	ck_assert_str_eq(said(wait_told(&asks[0])), "timeout");
}
END_TEST

START_TEST(a_request_must_name_a_user_and_no_endless_wallet)
{
	char longest[160];

	memset(longest, 'w', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	ck_assert_str_eq(said(ask("", "")), "invalid");
	ck_assert_str_eq(said(ask("alice", longest)), "invalid");
}
END_TEST

/* --- after movements --- */

START_TEST(a_completed_movement_refreshes_everybody_it_concerns)
{
	static const char *const kinds[] = { "payment", "deposit", "withdrawal" };

	publish_p2p("t1", "completed");
	wait_asked("alice", 1);
	wait_asked("bob", 1);
	world_wait_seq(&world, "alice", 1, 2);
	world_wait_seq(&world, "bob", 1, 2);
	ck_assert_str_eq(said(ask("bob", "")), "w=1000 v1");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		world_publish(&world, money_event(kinds[i], "m1", "carol", "completed"));
		wait_asked("carol", i + 1);
	}
}
END_TEST

START_TEST(what_is_pending_or_has_failed_refreshes_nothing)
{
	publish_p2p("t1", "pending");
	publish_p2p("t2", "failed");
	world_publish(&world, money_event("payment", "m1", "alice", "pending"));
	world_publish(&world, money_event("withdrawal", "m2", "alice", "failed"));
	world_publish(&world, "{\"id\":\"k1\",\"userIds\":[\"alice\"],\"kyc\":{\"status\":\"s\"}}");
	wait_for_refreshes();
	ck_assert_uint_eq(questions("alice"), 0);
	ck_assert_uint_eq(questions("bob"), 0);
}
END_TEST

START_TEST(a_movement_after_the_question_raises_another_one)
{
	bank_holds(true);
	publish_p2p("t1", "completed");
	wait_asked("alice", 1);
	publish_p2p("t2", "completed");
	publish_p2p("t3", "completed");
	world_wait_seq(&world, "alice", 3, 1);
	bank_holds(false);
	bank_answers(wallet("w", 900, 0), NULL);
	bank_releases();
	wait_asked("alice", 2);
	world_wait_seq(&world, "alice", 3, 2);
	wait_for_refreshes();
	ck_assert_uint_eq(questions("alice"), 2);
	ck_assert_str_eq(said(ask("alice", "")), "w=900 v1");
}
END_TEST

START_TEST(an_event_that_comes_again_refreshes_again)
{
	publish_p2p("t1", "completed");
	wait_asked("alice", 1);
	world_publish_again(&world,
	    "{\"id\":\"t1\",\"transaction\":{\"transactionId\":\"t1\",\"type\":\"p2p\","
	    "\"status\":\"completed\",\"amount\":\"1.00\",\"currency\":\"EUR\","
	    "\"sender\":{\"userId\":\"alice\"},\"recipient\":{\"userId\":\"bob\"}}}");
	wait_asked("alice", 2);
	wait_asked("bob", 2);
	ck_assert_uint_eq(world_open(&world, "alice")->seq, 1);
}
END_TEST

START_TEST(a_burst_is_one_question)
{
	ck_assert_int_eq(setenv("WW_BALANCE_SETTLE", "3s", 1), 0);
	for (int i = 0; i < 500; i++)
		publish_p2p(arena_printf(&world.arena, "t%d", i), "completed");
	bank_opens();
	world_spawn(&world, 0, NULL);
	world_wait_seq(&world, "alice", 500, 1);
	wait_asked("alice", 1);
	wait_for_refreshes();
	ck_assert_uint_eq(questions("alice"), 1);
	ck_assert_uint_eq(questions("bob"), 1);
}
END_TEST

static bool has_balance(void *user)
{
	return world_open(&world, user)->n_states == 2;
}

START_TEST(without_a_back_end_it_is_said_once_and_made_good_later)
{
	world_spawn(&world, 0, NULL);
	for (int i = 0; i < 50; i++)
		publish_p2p(arena_printf(&world.arena, "t%d", i), "completed");
	world_wait_seq(&world, "alice", 50, 1);
	for (int i = 0; i < 5; i++)
		ck_assert_str_eq(said(ask("alice", "")), "unavailable");
	ck_assert_uint_eq(lines_with("can't be asked for"), 1);
	/* Nobody asks any more: what was pending is. */
	bank_opens();
	ck_assert(support_wait(has_balance, (char[]){ "alice" }, WORLD_WAIT_MS));
	ck_assert(support_wait(has_balance, (char[]){ "bob" }, WORLD_WAIT_MS));
	ck_assert_uint_eq(lines_with("can't be asked for"), 1);
	ck_assert_uint_eq(lines_with("answered again"), 1);
}
END_TEST

START_TEST(refreshes_can_be_turned_off)
{
	bank_opens();
	world_spawn(&world, 0, "--balance-refresh=false");
	publish_p2p("t1", "completed");
	world_wait_seq(&world, "alice", 1, 1);
	ck_assert_str_eq(said(ask("carol", "")), "w=1000 v1");
	ck_assert_uint_eq(questions("alice"), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notifications_balances");
	TCase *tcase = tcase_create("balances");
	TCase *bare = tcase_create("without a replica yet");

	pg = postgres_start();
	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, what_was_confirmed_a_moment_ago_is_answered_without_a_question);
	tcase_add_test(tcase, what_the_back_end_says_is_stored_and_rung_once);
	tcase_add_test(tcase, a_wallet_nobody_knows_is_not_found);
	tcase_add_test(tcase, a_wallet_the_back_end_leaves_out_is_shown_no_more);
	tcase_add_test(tcase, twenty_callers_raise_one_question_and_hold_no_worker);
	tcase_add_test(tcase, a_balance_that_changed_meanwhile_is_asked_for_again);
	tcase_add_test(tcase, one_that_keeps_changing_is_asked_for_three_times);
	tcase_add_test(tcase, versions_decide_whatever_comes_late);
	tcase_add_test(tcase, a_back_end_that_is_slow_is_a_timeout);
	tcase_add_test(
	    tcase, an_answer_that_is_wrong_is_stored_nowhere_and_told_of_without_amounts);
	tcase_add_test(tcase, whoever_waits_at_the_end_is_answered);
	tcase_add_test(tcase, a_request_must_name_a_user_and_no_endless_wallet);
	tcase_add_test(tcase, a_completed_movement_refreshes_everybody_it_concerns);
	tcase_add_test(tcase, what_is_pending_or_has_failed_refreshes_nothing);
	tcase_add_test(tcase, a_movement_after_the_question_raises_another_one);
	tcase_add_test(tcase, an_event_that_comes_again_refreshes_again);
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(bare, 120);
	tcase_add_checked_fixture(bare, setup_without_replica, teardown);
	tcase_add_test(bare, a_burst_is_one_question);
	tcase_add_test(bare, without_a_back_end_it_is_said_once_and_made_good_later);
	tcase_add_test(bare, refreshes_can_be_turned_off);
	suite_add_tcase(suite, bare);
	return support_run(suite);
}
