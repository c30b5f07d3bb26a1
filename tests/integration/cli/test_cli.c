/*
 * The program itself against a real nats-server: exit codes, what it prints, what is in the stream.
 * Where ww-notifications would answer, the test answers, since what is asked and printed is the
 * subject.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "bus/provision.h"
#include "support/nats.h"
#include "support/support.h"
#include "token/token.h"
#include "walletwire/v1/delivery.pb-c.h"
#include "walletwire/v1/event.pb-c.h"
#include "walletwire/v1/notifications.pb-c.h"

enum { DEADLINE_MS = 30000, MANY = 10000 };

static struct support_nats nats;
static char dir[256]; /* of this test: passwords, keys, outputs */
static char program[512];

static void path_in(char ret_path[static 512], const char *name)
{
	(void)snprintf(ret_path, 512, "%s/%s", dir, name);
}

static void write_file(const char *name, const char *text)
{
	char path[512];
	FILE *file;

	path_in(path, name);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* Of this test's folder. */
static const char *read_file(const char *name)
{
	char path[512];

	path_in(path, name);
	return support_read_file(path);
}

static void make_files(void)
{
	(void)snprintf(dir, sizeof(dir), "%s/cli-%d", support_tmp_dir(), (int)getpid());
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	for (size_t i = 0; bus_users[i]; i++)
		write_file(bus_users[i], bus_users[i]);
	ck_assert_int_eq(setenv("WW_NATS_PASSWORDS_DIR", dir, 1), 0);
	(void)snprintf(program, sizeof(program), "%s/ww", getenv("WW_BIN_DIR"));
}

static void setup(void)
{
	support_nats_start(&nats);
	make_files();
	ck_assert_int_eq(setenv("WW_NATS_URL", nats.url, 1), 0);
}

static void teardown(void)
{
	support_nats_stop(&nats, SIGTERM);
}

/* Starts `ww words...`; its output goes to the file `out` of the test's folder. */
static pid_t start_ww(const char *const *words)
{
	const char *argv[20] = { program };
	char out[512];
	size_t n = 1;

	while (*words)
		argv[n++] = *words++;
	path_in(out, "out");
	(void)remove(out);
	return support_spawn(argv, out);
}

static int exit_code_of(pid_t pid)
{
	int status = 0;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid); /* Check's own limit bounds it */
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define START_WW(...) start_ww((const char *const[]){ __VA_ARGS__, NULL })
#define WW(...) exit_code_of(START_WW(__VA_ARGS__))

static const char *output(void)
{
	return read_file("out");
}

#define ck_assert_says(text) \
	ck_assert_msg(strstr(output(), text), "not said: %s\n%s", text, output())

/* --- what is in the stream --- */

/*
 * Takes one batch and puts each message at its place in the stream, of which there are `len`;
 * returns how many were new. A slow server delivers again what it has not yet seen the ack of.
 */
static size_t take_batch(struct bus_pull *pull, struct bus_msg **msgs, size_t len)
{
	struct bus_msg *batch[500];
	struct err err = ERR_INIT;
	size_t n = 0, fresh = 0;

	ck_assert_ok(bus_pull_fetch(pull, batch, 500, 200, &n, &err), err);
	for (size_t i = 0; i < n; i++) {
		size_t at = bus_msg_stream_seq(batch[i]) - 1;

		ck_assert_ok(bus_msg_ack(batch[i], &err), err);
		ck_assert_msg(at < len, "more than %zu events: %s", len,
		    bus_msg_header(batch[i], "Nats-Msg-Id"));
		if (msgs[at]) {
			bus_msg_unref(batch[i]);
			continue;
		}
		msgs[at] = batch[i];
		fresh++;
	}
	return fresh;
}

/* Takes the messages of the fresh stream; there are exactly `len`. */
static void take_events(struct bus_msg **msgs, size_t len)
{
	int64_t deadline = clock_mono_ms() + DEADLINE_MS;
	struct bus *bus = support_nats_bus(&nats, "notifications");
	struct bus_pull *pull = NULL;
	struct err err = ERR_INIT;
	size_t taken = 0;

	memset(msgs, 0, len * sizeof(struct bus_msg *));
	ck_assert_ok(bus_pull_open(bus, STREAM_EVENTS, CONSUMER_NOTIFICATIONS, &pull, &err), err);
	while (taken < len && clock_mono_ms() < deadline)
		taken += take_batch(pull, msgs, len);
	ck_assert_uint_eq(taken, len);
	ck_assert_uint_eq(take_batch(pull, msgs, len), 0); /* and no more */
	bus_pull_close(pull);
	bus_close(bus);
}

static void unref_all(struct bus_msg **msgs, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bus_msg_unref(msgs[i]);
}

/* --- tests --- */

START_TEST(provisioning_twice_changes_nothing)
{
	ck_assert_int_eq(
	    WW("provision", "--events-max-bytes", "64MiB", "--audit-max-bytes", "64MiB"), 0);
	ck_assert_says("WW_EVENTS: created");
	ck_assert_int_eq(
	    WW("provision", "--events-max-bytes", "64MiB", "--audit-max-bytes", "64MiB"), 0);
	ck_assert_ptr_nonnull(strstr(output(), STREAM_EVENTS));
	ck_assert_ptr_null(strstr(output(), "created"));
}
END_TEST

START_TEST(the_server_accepts_the_printed_configuration)
{
	char conf[512];
	const char *check[] = { "nats-server", "-t", "-c", conf, NULL };
	char out[512];

	ck_assert_int_eq(
	    WW("nats-config", "--port", "4555", "--store-dir", dir, "--passwords-dir", dir), 0);
	path_in(out, "out");
	path_in(conf, "nats.conf");
	ck_assert_int_eq(rename(out, conf), 0);
	ck_assert_int_eq(exit_code_of(support_spawn(check, out)), 0);
	ck_assert_ptr_nonnull(strstr(read_file("nats.conf"), "4555"));
}
END_TEST

START_TEST(a_missing_password_file_is_named)
{
	char path[512];

	path_in(path, "audit");
	ck_assert_int_eq(remove(path), 0);
	ck_assert_int_eq(WW("nats-config", "--store-dir", dir, "--passwords-dir", dir), 1);
	ck_assert_says("/audit: No such file");
}
END_TEST

static const char *const lines =
    "{\"id\":\"s1\",\"userIds\":[\"alice\"],\"security\":{\"severity\":\"high\"}}\n"
    "{\"id\":\"s2\",\"userIds\":[\"alice\"],\"security\":{\"severity\":\"hgih\"}}\n"
    "\n"
    "{\"id\":\"k/1\",\"userIds\":[\"bob\"],\"kyc\":{\"status\":\"verified\"}}\n"
    "nonsense\n"
    "{\"userIds\":[\"bob\"],\"card\":{\"last4\":\"4242\"}}";

START_TEST(good_lines_are_stored_and_bad_ones_reported)
{
	struct bus_msg *msgs[4];
	char path[512];

	support_nats_provision(&nats);
	write_file("lines", lines);
	path_in(path, "lines");
	ck_assert_int_eq(WW("publish", "--json", path), 1);
	ck_assert_says("line 2: security.severity: ");
	ck_assert_says("line 5: ");
	ck_assert_says("security/s1 stored as 1\n");
	ck_assert_says("kyc/k/1 stored as 2\n");
	ck_assert_says("published 3, duplicates 0, failed 2\n");

	ck_assert_int_eq(WW("publish", "--quiet", "--json", path), 1);
	ck_assert_says(
	    "published 1, duplicates 2, failed 2\n"); /* the third had no id: it is a new one */
	ck_assert_ptr_null(strstr(output(), "stored as"));

	take_events(msgs, 4);
	ck_assert_str_eq(bus_msg_subject(msgs[0]), "ww.event.security");
	ck_assert_str_eq(bus_msg_header(msgs[0], "Nats-Msg-Id"), "security/s1");
	ck_assert_str_eq(bus_msg_subject(msgs[1]), "ww.event.kyc");
	ck_assert_str_eq(bus_msg_header(msgs[1], "Nats-Msg-Id"), "kyc/k/1");
	ck_assert_str_eq(bus_msg_subject(msgs[2]), "ww.event.card");
	unref_all(msgs, 4);
}
END_TEST

START_TEST(one_event_is_published_from_options)
{
	struct bus_msg *msg;
	Walletwire__V1__Event *event;

	support_nats_provision(&nats);
	ck_assert_int_eq(WW("publish", "security", "--user", "alice", "--user", "bob", "--id", "s1",
			     "--set", "severity=high", "--set", "message=New login"),
	    0);
	ck_assert_says("security/s1 stored as 1\n");
	ck_assert_int_eq(WW("publish", "security", "--user", "alice", "--id", "s1"), 0);
	ck_assert_says("security/s1 duplicate of 1\n");

	take_events(&msg, 1);
	event = walletwire__v1__event__unpack(NULL, bus_msg_data(msg).len, bus_msg_data(msg).data);
	ck_assert_ptr_nonnull(event);
	ck_assert_uint_eq(event->n_user_ids, 2);
	ck_assert_str_eq(event->user_ids[1], "bob");
	ck_assert_str_eq(event->security->message, "New login");
	ck_assert_ptr_nonnull(event->occurred_at);
	walletwire__v1__event__free_unpacked(event, NULL);
	bus_msg_unref(msg);
}
END_TEST

/* Whoever feeds a pipe hears of a line before writing the next one. */
START_TEST(a_line_from_a_pipe_is_answered_at_once)
{
	static const char script[] =
	    "cd \"$1\" && mkfifo in && { \"$2\" publish --json - <in >answers & } && exec 3>in &&"
	    " echo '{\"id\":\"k1\",\"userIds\":[\"bob\"],\"kyc\":{}}' >&3 &&"
	    " until grep -q 'kyc/k1 stored as 1' answers; do sleep 0.01; done &&"
	    " echo '{\"id\":\"k2\",\"userIds\":[\"bob\"],\"kyc\":{}}' >&3 &&"
	    " until grep -q 'kyc/k2 stored as 2' answers; do sleep 0.01; done && exec 3>&- && wait";
	const char *argv[] = { "bash", "-c", script, "bash", dir, program, NULL };
	char out[512];

	support_nats_provision(&nats);
	path_in(out, "out");
	ck_assert_int_eq(exit_code_of(support_spawn(argv, out)), 0);
	ck_assert_ptr_nonnull(
	    strstr(read_file("answers"), "published 2, duplicates 0, failed 0\n"));
}
END_TEST

static void write_many(size_t count)
{
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < count; i++)
		buf_appendf(&text,
		    "{\"id\":\"p%zu\",\"userIds\":[\"alice\"],\"payment\":{\"status\":"
		    "\"completed\","
		    "\"amount\":\"12.90\",\"currency\":\"EUR\",\"message\":\"Corner Bakery\"}}\n",
		    i);
	write_file("many", buf_str(&text));
	buf_finish(&text);
}

static bool has_output(void *arg)
{
	struct stat st;
	char path[512];

	(void)arg;
	path_in(path, "out");
	return stat(path, &st) == 0 && st.st_size > 0;
}

/* The server is killed in the middle: all are stored, each once, in the order of the lines. */
START_TEST(a_server_that_dies_meanwhile_loses_and_repeats_nothing)
{
	struct bus_msg **msgs = xcalloc(MANY, sizeof(struct bus_msg *));
	char path[512], want[64];
	pid_t pid;

	support_nats_provision(&nats);
	write_many(MANY);
	path_in(path, "many");
	pid = START_WW("publish", "--json", path);
	ck_assert(support_wait(has_output, NULL, DEADLINE_MS)); /* a first batch is settled */
	support_nats_stop(&nats, SIGKILL);
	support_nats_restart(&nats);
	ck_assert_int_eq(exit_code_of(pid), 0);
	(void)snprintf(want, sizeof(want), "published %d, duplicates 0, failed 0\n", MANY);
	ck_assert_says(want);

	take_events(msgs, MANY);
	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(want, sizeof(want), "payment/p%zu", i);
		ck_assert_str_eq(bus_msg_header(msgs[i], "Nats-Msg-Id"), want);
	}
	unref_all(msgs, MANY);
	free(msgs);
}
END_TEST

START_TEST(without_a_stream_publishing_fails)
{
	ck_assert_int_eq(WW("publish", "kyc", "--user", "bob", "--patience", "0s"), 1);
	ck_assert_says("not published: ");
}
END_TEST

START_TEST(without_a_server_the_address_is_named)
{
	support_nats_stop(&nats, SIGTERM);
	ck_assert_int_eq(WW("publish", "kyc", "--user", "bob", "--timeout", "300ms"), 1);
	ck_assert_says(nats.url);
	ck_assert_int_eq(WW("provision", "--timeout", "300ms"), 1);
	ck_assert_says(nats.url);
}
END_TEST

START_TEST(a_missing_password_says_what_to_set)
{
	ck_assert_int_eq(unsetenv("WW_NATS_PASSWORDS_DIR"), 0);
	ck_assert_int_eq(WW("publish", "kyc", "--user", "bob"), 1);
	ck_assert_says("WW_NATS_PASSWORDS_DIR");
}
END_TEST

/* --- tail --- */

static bool is_listening(void *arg)
{
	return strstr(read_file(arg), "listening on ww.rt.user.al=20ice") != NULL;
}

static void ring(void)
{
	Walletwire__V1__Delivery delivery;
	Walletwire__V1__Item item, *items[] = { &item };
	Walletwire__V1__State state, *states[] = { &state };
	Walletwire__V1__Payload keep, balance;
	Walletwire__V1__SecurityAlert security;
	Walletwire__V1__BalanceUpdate update;
	Walletwire__V1__Decimal amount;
	Walletwire__V1__Notification notification;
	struct bus *bus = support_nats_bus(&nats, "notifications");
	struct err err = ERR_INIT;
	char user[] = "al ice", message[] = "New login", wallet[] = "w1", title[] = "Security";
	uint8_t data[1024];

	walletwire__v1__delivery__init(&delivery);
	walletwire__v1__item__init(&item);
	walletwire__v1__state__init(&state);
	walletwire__v1__payload__init(&keep);
	walletwire__v1__payload__init(&balance);
	walletwire__v1__security_alert__init(&security);
	walletwire__v1__balance_update__init(&update);
	walletwire__v1__decimal__init(&amount);
	walletwire__v1__notification__init(&notification);
	security.message = message;
	security.severity = WALLETWIRE__V1__SEVERITY__SEVERITY_HIGH;
	keep.body_case = WALLETWIRE__V1__PAYLOAD__BODY_SECURITY;
	keep.security = &security;
	notification.title = title;
	item.seq = 7;
	item.payload = &keep;
	item.notification = &notification;
	amount.units = 10000;
	amount.scale = 2;
	update.wallet_id = wallet;
	update.available_balance = &amount;
	balance.body_case = WALLETWIRE__V1__PAYLOAD__BODY_BALANCE;
	balance.balance = &update;
	state.payload = &balance;
	state.key = wallet;
	state.version = 3;
	delivery.user_id = user;
	delivery.rev = 12;
	delivery.n_items = 1;
	delivery.items = items;
	delivery.n_states = 1;
	delivery.states = states;
	ck_assert_uint_le(walletwire__v1__delivery__get_packed_size(&delivery), sizeof(data));
	ck_assert_ok(bus_publish(bus, "ww.rt.user.al=20ice",
			 bytes_of(data, walletwire__v1__delivery__pack(&delivery, data)), &err),
	    err);
	bus_close(bus);
}

START_TEST(tail_prints_items_and_states)
{
	char name[] = "out";
	pid_t pid = START_WW("tail", "user", "al ice", "--count", "2");

	ck_assert(support_wait(has_output, NULL, DEADLINE_MS));
	ck_assert(support_wait(is_listening, name, DEADLINE_MS));
	ring();
	ck_assert_int_eq(exit_code_of(pid), 0);
	ck_assert_says("{\"seq\":7,\"event\":\"security:alert\",\"data\":{\"severity\":\"high\","
		       "\"message\":\"New login\",");
	ck_assert_says("\"notification\":{");
	ck_assert_says("{\"rev\":12,\"event\":\"balance:update\",\"data\":{\"walletId\":\"w1\","
		       "\"available_balance\":100.00,");
	ck_assert_says("\"key\":\"w1\",\"version\":3}\n");
}
END_TEST

START_TEST(tail_ends_well_on_an_interrupt)
{
	char name[] = "out";
	pid_t pid = START_WW("tail", "user", "al ice");

	ck_assert(support_wait(has_output, NULL, DEADLINE_MS));
	ck_assert(support_wait(is_listening, name, DEADLINE_MS));
	ck_assert_int_eq(kill(pid, SIGINT), 0);
	ck_assert_int_eq(exit_code_of(pid), 0);
}
END_TEST

/* --- inbox and revoke: what is asked of ww-notifications and what is shown of its answers --- */

/* Answers every request with the packed message `reply`; remembers the last request. */
struct answerer {
	struct bus *bus;
	struct bus_sub *sub;
	struct bytes reply;
	uint8_t asked[512];
	size_t asked_len;
};

static void answer(void *arg, struct bus_msg *msg)
{
	struct answerer *answerer = arg;
	struct bytes data = bus_msg_data(msg);
	struct err err = ERR_INIT;

	ck_assert_uint_le(data.len, sizeof(answerer->asked));
	answerer->asked_len = data.len;
	if (data.len)
		memcpy(answerer->asked, data.data, data.len);
	ck_assert_ok(bus_respond(answerer->bus, bus_msg_reply(msg), answerer->reply, &err), err);
}

static void answerer_start(
    struct answerer *answerer, const char *subject, const ProtobufCMessage *reply)
{
	uint8_t *packed = xmalloc(protobuf_c_message_get_packed_size(reply) + 1);
	struct err err = ERR_INIT;

	answerer->bus = support_nats_bus(&nats, "notifications");
	answerer->reply = bytes_of(packed, protobuf_c_message_pack(reply, packed));
	ck_assert_ok(bus_subscribe(answerer->bus, subject, "notifications", answer, answerer,
			 &answerer->sub, &err),
	    err);
	ck_assert_ok(bus_flush(answerer->bus, DEADLINE_MS, &err), err);
}

static void answerer_stop(struct answerer *answerer)
{
	bus_unsubscribe(answerer->sub);
	bus_close(answerer->bus);
	free((void *)(uintptr_t)answerer->reply.data);
}

START_TEST(verify_tells_an_inbox_that_is_not_consistent)
{
	struct answerer answerer;
	Walletwire__V1__VerifyReply reply;
	Walletwire__V1__VerifyRequest *asked;
	char finding[] = "unread: 2 stored, 3 counted";
	char *findings[] = { finding };

	walletwire__v1__verify_reply__init(&reply);
	reply.n_findings = 1;
	reply.findings = findings;
	answerer_start(&answerer, "ww.backend.notifications.verify", &reply.base);
	ck_assert_int_eq(WW("inbox", "verify", "alice"), 1);
	ck_assert_says("alice: NOT CONSISTENT");
	ck_assert_says(finding);
	asked = walletwire__v1__verify_request__unpack(NULL, answerer.asked_len, answerer.asked);
	ck_assert_str_eq(asked->user_id, "alice");
	walletwire__v1__verify_request__free_unpacked(asked, NULL);
	answerer_stop(&answerer);

	reply.consistent = true;
	reply.n_findings = 0;
	reply.seq = 9;
	answerer_start(&answerer, "ww.backend.notifications.verify", &reply.base);
	ck_assert_int_eq(WW("inbox", "verify", "alice", "--json"), 0);
	ck_assert_says("\"consistent\":true");
	ck_assert_says("\"seq\":9");
	answerer_stop(&answerer);
}
END_TEST

START_TEST(list_asks_for_the_user_and_shows_the_page)
{
	struct answerer answerer;
	Walletwire__V1__ListReply reply;
	Walletwire__V1__ListItem item, *items[] = { &item };
	Walletwire__V1__Notification notification;
	Walletwire__V1__ListRequest *asked;
	char next[] = "cursor-2", id[] = "s1", type[] = "security", title[] = "Security alert";

	walletwire__v1__list_reply__init(&reply);
	walletwire__v1__list_item__init(&item);
	walletwire__v1__notification__init(&notification);
	notification.id = id;
	notification.type = type;
	notification.title = title;
	notification.seq = 4;
	item.notification = &notification;
	item.state = WALLETWIRE__V1__INBOX_STATE__INBOX_STATE_UNREAD;
	reply.n_items = 1;
	reply.items = items;
	reply.next = next;
	answerer_start(&answerer, "ww.svc.notifications.list", &reply.base);
	ck_assert_int_eq(
	    WW("inbox", "list", "alice", "--limit", "5", "--type", "security", "--unread-only"), 0);
	ck_assert_says("Security alert");
	ck_assert_says("more: --before cursor-2");
	asked = walletwire__v1__list_request__unpack(NULL, answerer.asked_len, answerer.asked);
	ck_assert_str_eq(asked->caller->user_id, "alice");
	ck_assert_uint_eq(asked->limit, 5);
	ck_assert(asked->unread_only);
	ck_assert_str_eq(asked->types[0], "security");
	walletwire__v1__list_request__free_unpacked(asked, NULL);
	answerer_stop(&answerer);
}
END_TEST

START_TEST(balance_shows_the_wallets_to_the_last_digit)
{
	struct answerer answerer;
	Walletwire__V1__BalancesReply reply = WALLETWIRE__V1__BALANCES_REPLY__INIT;
	Walletwire__V1__BalanceUpdate wallet = WALLETWIRE__V1__BALANCE_UPDATE__INIT;
	Walletwire__V1__BalanceUpdate *wallets[] = { &wallet };
	Walletwire__V1__Decimal available = WALLETWIRE__V1__DECIMAL__INIT;
	Walletwire__V1__BalancesRequest *asked;
	char id[] = "w1", currency[] = "EUR";

	available.units = 900719925474099;
	available.scale = 2;
	wallet.wallet_id = id;
	wallet.available_balance = &available;
	wallet.currency = currency;
	wallet.version = 7;
	reply.n_balances = 1;
	reply.balances = wallets;
	answerer_start(&answerer, "ww.svc.notifications.balances", &reply.base);
	ck_assert_int_eq(WW("balance", "alice", "--wallet", "w1"), 0);
	ck_assert_says("9007199254740.99 EUR");
	ck_assert_says("version 7");
	asked = walletwire__v1__balances_request__unpack(NULL, answerer.asked_len, answerer.asked);
	ck_assert_str_eq(asked->caller->user_id, "alice");
	ck_assert_str_eq(asked->wallet_id, "w1");
	walletwire__v1__balances_request__free_unpacked(asked, NULL);
	ck_assert_int_eq(WW("balance", "alice", "--json"), 0);
	ck_assert_says("\"available_balance\":9007199254740.99");
	ck_assert_int_eq(WW("balance"), 2);
	answerer_stop(&answerer);
}
END_TEST

START_TEST(an_error_in_the_answer_is_shown)
{
	struct answerer answerer;
	Walletwire__V1__ErrorReply reply;
	Walletwire__V1__Error error;
	char code[] = "not_found", message[] = "no such user";

	walletwire__v1__error_reply__init(&reply);
	walletwire__v1__error__init(&error);
	error.code = code;
	error.message = message;
	reply.error = &error;
	answerer_start(&answerer, "ww.svc.notifications.unread", &reply.base);
	ck_assert_int_eq(WW("inbox", "unread", "alice"), 1);
	ck_assert_says("ww.svc.notifications.unread answers not_found: no such user");
	answerer_stop(&answerer);
}
END_TEST

START_TEST(a_service_that_is_down_is_named)
{
	ck_assert_int_eq(WW("inbox", "unread", "alice"), 1);
	ck_assert_says("nobody answers ww.svc.notifications.unread");
}
END_TEST

START_TEST(revoke_asks_for_the_token_or_the_user)
{
	struct answerer answerer;
	Walletwire__V1__RevokeReply reply;
	Walletwire__V1__RevokeRequest *asked;

	walletwire__v1__revoke_reply__init(&reply);
	answerer_start(&answerer, "ww.backend.notifications.revoke", &reply.base);
	ck_assert_int_eq(WW("revoke", "--token", "j1", "--reason", "stolen", "--by", "olga"), 0);
	asked = walletwire__v1__revoke_request__unpack(NULL, answerer.asked_len, answerer.asked);
	ck_assert_int_eq(asked->what_case, WALLETWIRE__V1__REVOKE_REQUEST__WHAT_TOKEN_ID);
	ck_assert_str_eq(asked->token_id, "j1");
	ck_assert_str_eq(asked->reason, "stolen");
	ck_assert_str_eq(asked->asked_by, "olga");
	walletwire__v1__revoke_request__free_unpacked(asked, NULL);
	ck_assert_int_eq(WW("revoke", "--token", "j1", "--user", "alice"), 2);
	ck_assert_int_eq(WW("revoke"), 2);
	answerer_stop(&answerer);
}
END_TEST

/* --- token --- */

START_TEST(a_printed_token_verifies)
{
	struct token_config cfg = { .keys_dir = dir,
		.issuer = "bank",
		.audience = "wallet",
		.leeway_s = 5,
		.max_life_s = 86400,
		.cache_max = 16 };
	struct token_verifier *verifier = NULL;
	struct token_claims claims;
	struct err err = ERR_INIT;
	char token[TOKEN_MAX + 2];

	write_file("dev.hs256", "0123456789abcdef0123456789abcdef0123456789abcdef");
	ck_assert_int_eq(setenv("WW_TOKEN_ISSUER", "bank", 1), 0);
	ck_assert_int_eq(setenv("WW_TOKEN_AUDIENCE", "wallet", 1), 0);
	ck_assert_int_eq(WW("token", "--user", "alice", "--keys-dir", dir, "--ttl", "10m",
			     "--claim", "role=ops", "--claim", "country=DE"),
	    0);
	(void)snprintf(token, sizeof(token), "%s", output());
	token[strcspn(token, "\n")] = '\0';
	ck_assert_ok(token_verifier_new(&cfg, &verifier, &err), err);
	ck_assert_int_eq(
	    token_verify(verifier, bytes_of_str(token), clock_wall_ms() / 1000, &claims), TOKEN_OK);
	ck_assert_str_eq(claims.sub, "alice");
	ck_assert_str_eq(claims.role, "ops");
	ck_assert_str_eq(claims.country, "DE");
	ck_assert_int_eq(claims.exp_s - claims.iat_s, 600);
	ck_assert_uint_eq(strlen(claims.jti), 20);
	token_verifier_free(verifier);
	ck_assert_int_eq(WW("token", "--user", "alice", "--keys-dir", dir, "--kid", "none"), 1);
	ck_assert_int_eq(WW("token", "--user", "alice", "--keys-dir", dir, "--ttl", "25h"), 2);
	ck_assert_int_eq(WW("token", "--keys-dir", dir), 2);
}
END_TEST

START_TEST(wrong_use_is_told_from_failure)
{
	ck_assert_int_eq(WW("nonsense"), 2);
	ck_assert_says("unknown command \"nonsense\"");
	ck_assert_int_eq(WW("publish"), 2);
	ck_assert_int_eq(WW("publish", "securty", "--user", "alice"), 2);
	ck_assert_says("there are: balance, ");
	ck_assert_int_eq(WW("publish", "--json", "/nonexistent"), 1);
	ck_assert_int_eq(WW("tail", "room", "r1"), 2);
	ck_assert_int_eq(WW("inbox", "count", "alice"), 2);
	ck_assert_int_eq(WW("docs", "nonsense"), 2);
	ck_assert_int_eq(WW("publish", "security", "--help"), 0);
	ck_assert_says("severity=low|medium|high|critical");
	ck_assert_int_eq(WW("--help"), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli");
	TCase *server = tcase_create("with a server");
	TCase *alone = tcase_create("without");

	tcase_set_timeout(server, 60);
	tcase_add_checked_fixture(server, setup, teardown);
	tcase_add_test(server, provisioning_twice_changes_nothing);
	tcase_add_test(server, good_lines_are_stored_and_bad_ones_reported);
	tcase_add_test(server, one_event_is_published_from_options);
	tcase_add_test(server, a_line_from_a_pipe_is_answered_at_once);
	tcase_add_test(server, a_server_that_dies_meanwhile_loses_and_repeats_nothing);
	tcase_add_test(server, without_a_stream_publishing_fails);
	tcase_add_test(server, without_a_server_the_address_is_named);
	tcase_add_test(server, a_missing_password_says_what_to_set);
	tcase_add_test(server, tail_prints_items_and_states);
	tcase_add_test(server, tail_ends_well_on_an_interrupt);
	tcase_add_test(server, verify_tells_an_inbox_that_is_not_consistent);
	tcase_add_test(server, list_asks_for_the_user_and_shows_the_page);
	tcase_add_test(server, balance_shows_the_wallets_to_the_last_digit);
	tcase_add_test(server, an_error_in_the_answer_is_shown);
	tcase_add_test(server, a_service_that_is_down_is_named);
	tcase_add_test(server, revoke_asks_for_the_token_or_the_user);
	suite_add_tcase(suite, server);
	tcase_set_timeout(alone, 30);
	tcase_add_checked_fixture(alone, make_files, NULL);
	tcase_add_test(alone, the_server_accepts_the_printed_configuration);
	tcase_add_test(alone, a_missing_password_file_is_named);
	tcase_add_test(alone, a_printed_token_verifies);
	tcase_add_test(alone, wrong_use_is_told_from_failure);
	suite_add_tcase(suite, alone);
	return support_run(suite);
}
