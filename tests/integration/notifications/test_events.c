/* What becomes of events: rows, numbers, states, doorbells, dead letters. */
#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/timestamp.h"
#include "bus/provision.h"
#include "kind.h"
#include "world.h"

static struct postgres *pg;
static struct world world;

static void setup(void)
{
	world_start(&world, pg);
	world_spawn(&world, 0, NULL);
}

static void teardown(void)
{
	world_stop(&world);
}

static const State *state_of(const Walletwire__V1__OpenReply *open, int kind)
{
	for (size_t i = 0; i < open->n_states; i++) {
		if ((int)open->states[i]->payload->body_case == kind)
			return open->states[i];
	}
	return NULL;
}

/* The newest delivery of a user that holds an item or state of the kind; NULL if none was heard. */
static const Delivery *last_ring(const char *user, int kind)
{
	const Delivery *found = NULL;

	(void)pthread_mutex_lock(&world.lock);
	for (size_t i = 0; i < world.rings_len; i++) {
		const Delivery *d = world.rings[i];

		for (size_t j = 0; j < d->n_items && strcmp(d->user_id, user) == 0; j++) {
			if ((int)d->items[j]->payload->body_case == kind)
				found = d;
		}
		for (size_t j = 0; j < d->n_states && strcmp(d->user_id, user) == 0; j++) {
			if ((int)d->states[j]->payload->body_case == kind)
				found = d;
		}
	}
	(void)pthread_mutex_unlock(&world.lock);
	return found;
}

static uint32_t count_of(const Unread *unread, const char *type)
{
	for (size_t i = 0; i < unread->n_by_type; i++) {
		if (strcmp(unread->by_type[i]->key, type) == 0)
			return unread->by_type[i]->value;
	}
	return 0;
}

static const char *const every_kind[] = {
	"{\"id\":\"b1\",\"userIds\":[\"alice\"],\"balance\":{\"walletId\":\"w1\",\"available_"
	"balance\":\"1500.00\","
	"\"pending_balance\":\"0.50\",\"currency\":\"USD\",\"version\":7}}",
	"{\"id\":\"t1/"
	"completed\",\"transaction\":{\"transactionId\":\"t1\",\"type\":\"p2p\",\"amount\":\"12."
	"50\","
	"\"currency\":\"USD\",\"status\":\"completed\",\"sender\":{\"userId\":\"alice\",\"name\":"
	"\"Alice\"},"
	"\"recipient\":{\"userId\":\"bob\",\"name\":\"Bob\"},\"message\":\"lunch\"}}",
	"{\"id\":\"tr1/"
	"1\",\"userIds\":[\"alice\"],\"transfer\":{\"transferId\":\"tr1\",\"state\":\"processing\","
	"\"progress\":40,\"amount\":\"9.00\",\"currency\":\"EUR\"}}",
	"{\"id\":\"tr1/"
	"2\",\"userIds\":[\"alice\"],\"transfer\":{\"transferId\":\"tr1\",\"state\":\"completed\","
	"\"progress\":100,\"amount\":\"9.00\",\"currency\":\"EUR\"}}",
	"{\"id\":\"p1\",\"userIds\":[\"alice\"],\"payment\":{\"status\":\"pending\",\"amount\":\"3."
	"00\",\"currency\":\"USD\"}}",
	"{\"id\":\"d1\",\"userIds\":[\"alice\"],\"deposit\":{\"status\":\"completed\",\"amount\":"
	"\"5\",\"currency\":\"USD\"}}",
	"{\"id\":\"w1\",\"userIds\":[\"alice\"],\"withdrawal\":{\"status\":\"failed\",\"amount\":"
	"\"6.1\",\"currency\":\"USD\"}}",
	"{\"id\":\"s1\",\"userIds\":[\"alice\"],\"security\":{\"severity\":\"high\",\"message\":"
	"\"New login\","
	"\"action\":\"Verify\"}}",
	"{\"id\":\"l1\",\"userIds\":[\"alice\"],\"limit\":{\"limit\":\"transfer\",\"period\":"
	"\"daily\",\"used\":\"9\","
	"\"max\":\"10\",\"currency\":\"USD\",\"message\":\"almost\"}}",
	"{\"id\":\"k1\",\"userIds\":[\"alice\"],\"kyc\":{\"status\":\"approved\",\"level\":\"2\"}}",
	"{\"id\":\"c1\",\"userIds\":[\"alice\"],\"card\":{\"cardId\":\"cc\",\"last4\":\"4242\","
	"\"type\":\"purchase\","
	"\"merchant\":\"Shop\",\"amount\":\"20.00\",\"currency\":\"USD\"}}",
	"{\"id\":\"a1\",\"title\":\"News\",\"text\":\"For all\",\"announcement\":{}}",
};

enum { ALICE_ITEMS = 9 };

START_TEST(one_of_every_kind_lands_where_it_belongs)
{
	static const char *const types[] = { "transaction", "transfer", "payment", "deposit",
		"withdrawal", "security", "limit", "kyc", "card" };
	const Walletwire__V1__OpenReply *open;
	const Walletwire__V1__ListReply *list;
	const Unread *unread;

	for (size_t i = 0; i < ARRAY_LEN(every_kind); i++)
		world_publish(&world, every_kind[i]);
	world_wait_seq(&world, "alice", ALICE_ITEMS, 1);
	world_wait_seq(&world, "bob", 1, 1);

	open = world_open(&world, "alice");
	ck_assert_uint_eq(open->announcement_seq, 1);
	unread = state_of(open, WALLETWIRE__V1__PAYLOAD__BODY_UNREAD)->payload->unread;
	ck_assert_uint_eq(unread->total, ALICE_ITEMS);
	ck_assert_uint_eq(unread->version, open->rev);
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		ck_assert_uint_eq(count_of(unread, types[i]), 1);
	ck_assert_int_eq(state_of(open, WALLETWIRE__V1__PAYLOAD__BODY_BALANCE)
			     ->payload->balance->available_balance->units,
	    150000);

	list = world_list(&world, "alice", "", 100);
	ck_assert_uint_eq(
	    list->n_items, ALICE_ITEMS + 1); /* and the announcement, which is the newest */
	ck_assert_str_eq(list->items[0]->event, "announcement");
	ck_assert_uint_eq(strlen(list->next), 0);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		const Walletwire__V1__ListItem *item = list->items[ALICE_ITEMS - i];

		ck_assert_str_eq(item->notification->type, types[i]);
		ck_assert_str_eq(item->event, kind_event(kind_number(types[i])));
		ck_assert_uint_eq(item->notification->seq, i + 1);
		ck_assert_int_eq((int)item->data->body_case, kind_number(types[i]));
		ck_assert_uint_gt(strlen(item->notification->title), 0);
		ck_assert_uint_gt(strlen(item->notification->text), 0);
	}
	ck_assert(world_verify(&world, "alice")->consistent);
	ck_assert(world_verify(&world, "bob")->consistent);
}
END_TEST

START_TEST(both_sides_of_a_transaction_get_their_own_item)
{
	const Walletwire__V1__Transaction *sent, *received;

	world_publish(&world, every_kind[1]);
	world_wait_seq(&world, "alice", 1, 1);
	world_wait_seq(&world, "bob", 1, 1);
	sent = world_list(&world, "alice", "", 1)->items[0]->data->transaction;
	received = world_list(&world, "bob", "", 1)->items[0]->data->transaction;
	ck_assert_int_eq(sent->type, 1);
	ck_assert_int_eq(received->type, 2);
	ck_assert_int_eq(sent->direction, WALLETWIRE__V1__DIRECTION__DIRECTION_OUTGOING);
	ck_assert_int_eq(received->direction, WALLETWIRE__V1__DIRECTION__DIRECTION_INCOMING);
	ck_assert_str_eq(sent->counterparty->user_id, "bob");
	ck_assert_str_eq(received->counterparty->name, "Alice");
}
END_TEST

START_TEST(the_same_events_again_change_nothing_and_ring_with_their_old_numbers)
{
	const Walletwire__V1__OpenReply *before, *after;
	const Delivery *first, *again;
	size_t heard;

	for (size_t i = 0; i < ARRAY_LEN(every_kind); i++)
		world_publish(&world, every_kind[i]);
	world_wait_seq(&world, "alice", ALICE_ITEMS, 1);
	world_publish(&world, "{\"id\":\"end\",\"userIds\":[\"end\"],\"kyc\":{\"status\":\"x\"}}");
	world_wait_seq(&world, "end", 1, 1);
	before = world_open(&world, "alice");
	first = last_ring("alice", WALLETWIRE__V1__PAYLOAD__BODY_SECURITY);
	heard = world_rings(&world);

	for (size_t i = 0; i < ARRAY_LEN(every_kind); i++)
		world_publish_again(&world, every_kind[i]);
	world_publish_again(
	    &world, "{\"id\":\"end2\",\"userIds\":[\"end\"],\"kyc\":{\"status\":\"x\"}}");
	world_wait_seq(&world, "end", 2, 1);
	world_wait_rings(&world, heard + 3);
	after = world_open(&world, "alice");
	ck_assert_uint_eq(after->seq, before->seq);
	ck_assert_uint_eq(after->rev, before->rev);
	ck_assert_uint_eq(after->announcement_seq, 1);
	ck_assert_uint_eq(world_list(&world, "alice", "", 100)->n_items, ALICE_ITEMS + 1);

	again = last_ring("alice", WALLETWIRE__V1__PAYLOAD__BODY_SECURITY);
	ck_assert_ptr_ne(again, first);
	ck_assert_uint_eq(again->rev_before, after->rev);
	ck_assert_uint_eq(again->rev, after->rev);
	for (size_t i = 0; i < again->n_items; i++)
		ck_assert_uint_le(again->items[i]->seq, ALICE_ITEMS);
	again = last_ring("alice", WALLETWIRE__V1__PAYLOAD__BODY_BALANCE);
	ck_assert_uint_eq(again->rev, after->rev);
	ck_assert(world_verify(&world, "alice")->consistent);
}
END_TEST

static void publish_balance(const char *id, const char *amount, unsigned version)
{
	char json[320];

	(void)snprintf(json, sizeof(json),
	    "{\"id\":\"%s\",\"userIds\":[\"alice\"],\"balance\":{\"walletId\":\"w\","
	    "\"available_balance\":\"%s\",\"currency\":\"USD\",\"version\":%u}}",
	    id, amount, version);
	world_publish(&world, json);
}

START_TEST(an_older_balance_never_overwrites_a_newer_one)
{
	const State *state;

	publish_balance("1", "10.00", 5);
	world_wait_seq(&world, "alice", 0, 1);
	publish_balance("2", "20.00", 4);
	publish_balance("3", "30.00", 5);
	publish_balance("4", "40.00", 0); /* stored + 1 */
	world_wait_seq(&world, "alice", 0, 2);
	state = state_of(world_open(&world, "alice"), WALLETWIRE__V1__PAYLOAD__BODY_BALANCE);
	ck_assert_uint_eq(state->version, 6);
	ck_assert_uint_eq(state->payload->balance->version, 6);
	ck_assert_int_eq(state->payload->balance->available_balance->units, 4000);
	ck_assert_str_eq(state->key, "w");
	ck_assert_uint_eq(world_open(&world, "alice")->rev, 2);
}
END_TEST

START_TEST(a_transfer_is_told_to_its_parties_alone)
{
	Walletwire__V1__TrackRequest *in = MESSAGE_NEW(&world.arena, track_request);
	const Walletwire__V1__TrackReply *reply;
	const char *code = "ok";

	world_publish(&world, every_kind[2]);
	world_wait_seq(&world, "alice", 0, 1);
	in->transfer_id = arena_strdup(&world.arena, "tr1");
	in->caller = world_caller(&world, "alice");
	reply = world_ask(&world, "ww.svc.notifications.track", in,
	    &walletwire__v1__track_reply__descriptor, NULL);
	ck_assert_uint_eq(reply->transfer->progress, 40);
	ck_assert_uint_eq(reply->transfer->version, 1);
	in->caller = world_caller(&world, "mallory");
	(void)world_ask(&world, "ww.svc.notifications.track", in,
	    &walletwire__v1__track_reply__descriptor, &code);
	ck_assert_str_eq(code, "forbidden");
	in->transfer_id = arena_strdup(&world.arena, "unknown");
	reply = world_ask(&world, "ww.svc.notifications.track", in,
	    &walletwire__v1__track_reply__descriptor, NULL);
	ck_assert_ptr_null(reply->transfer);
}
END_TEST

START_TEST(a_delivery_carries_states_items_and_both_revs)
{
	const Delivery *ring;

	world_publish(&world, every_kind[7]);
	world_wait_seq(&world, "alice", 1, 1);
	world_wait_rings(&world, 1);
	ring = last_ring("alice", WALLETWIRE__V1__PAYLOAD__BODY_SECURITY);
	ck_assert_ptr_nonnull(ring);
	ck_assert_str_eq(ring->epoch, world_open(&world, "alice")->epoch);
	ck_assert_uint_eq(ring->rev_before, 0);
	ck_assert_uint_eq(ring->rev, 1);
	ck_assert_uint_eq(ring->n_items, 1);
	ck_assert_uint_eq(ring->items[0]->seq, 1);
	ck_assert(ring->items[0]->critical);
	ck_assert_int_gt(ring->items[0]->applied_us, 0);
	ck_assert_str_eq(ring->items[0]->notification->type, "security");
	ck_assert_uint_eq(ring->n_states, 1);
	ck_assert_uint_eq(ring->states[0]->payload->unread->total, 1);
	ck_assert_uint_eq(ring->states[0]->version, 1);
}
END_TEST

static bool is_reason(struct bus_msg *msg, const char *part)
{
	return strstr(bus_msg_header(msg, "Ww-Reason"), part) != NULL;
}

START_TEST(what_cannot_be_understood_goes_to_the_dead_letters_at_once)
{
	char subject[64];
	struct bytes kyc = world_event(&world, every_kind[9], subject);

	world_publish_raw(&world, "ww.event.payment", BYTES_LITERAL("\xff\xff\xff"));
	world_publish_raw(&world, "ww.event.payment", kyc); /* not what the subject says */
	world_publish(&world, "{\"id\":\"x\",\"payment\":{\"amount\":\"1\",\"currency\":\"USD\"}}");
	world_publish(&world, every_kind[9]);
	world_wait_seq(&world, "alice", 1, 1);
	world_wait_dead(&world, 3);
	ck_assert(bytes_equal_str(bus_msg_data(world.dead[0]), "\xff\xff\xff"));
	ck_assert(is_reason(world.dead[1], "not what the subject says"));
	ck_assert(is_reason(world.dead[2], "userIds"));
	ck_assert_str_eq(bus_msg_header(world.dead[2], "Ww-Subject"), "ww.event.payment");
	ck_assert_uint_eq(world.dead_len, 3);
}
END_TEST

START_TEST(an_event_that_fails_its_batch_is_given_up_and_the_rest_applied_in_order)
{
	char json[256];

	/* A fault of the database's own, for one event among many. */
	postgres_exec(world.dsn,
	    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
	    " $$ BEGIN IF NEW.event_id = 'poison' THEN RAISE EXCEPTION 'poison'; END IF;"
	    " RETURN NEW; END $$");
	postgres_exec(world.dsn,
	    "CREATE TRIGGER refuse BEFORE INSERT ON notifications.inbox FOR EACH ROW"
	    " EXECUTE FUNCTION refuse()");
	/* Stopped, so that all of them come in one batch. */
	world_kill(&world, 0, SIGTERM);
	for (int i = 1; i <= 40; i++) {
		if (i == 21)
			world_publish(&world, "{\"id\":\"poison\",\"userIds\":[\"alice\",\"bob\"],"
					      "\"kyc\":{\"status\":\"x\"}}");
		(void)snprintf(json, sizeof(json),
		    "{\"id\":\"e%d\",\"userIds\":[\"alice\"],\"kyc\":{\"status\":\"x\"}}", i);
		world_publish(&world, json);
	}
	world_spawn(&world, 0, NULL);
	world_wait_dead(&world, 1);
	ck_assert(is_reason(world.dead[0], "poison"));
	world_wait_seq(&world, "alice", 40, 1);
	world_check_mailbox(&world, "alice", "e", 40);
	ck_assert_uint_eq(world_open(&world, "bob")->seq, 0);
	ck_assert_uint_eq(world.dead_len, 1);
}
END_TEST

/* --- announcements --- */

static const Walletwire__V1__AnnouncementsReply *announcements(uint64_t after)
{
	Walletwire__V1__AnnouncementsRequest *in = MESSAGE_NEW(&world.arena, announcements_request);

	in->after = after;
	in->up_to = 1000;
	return world_ask(&world, "ww.svc.notifications.announcements", in,
	    &walletwire__v1__announcements_reply__descriptor, NULL);
}

static bool has_announcements(void *arg)
{
	return announcements(0)->handled >= *(uint64_t *)arg;
}

START_TEST(an_announcement_is_one_row_of_a_gapless_log)
{
	const Walletwire__V1__AnnouncementsReply *log;
	uint64_t wanted = 3;
	char json[160];

	for (int i = 1; i <= 3; i++) {
		(void)snprintf(json, sizeof(json),
		    "{\"id\":\"a%d\",\"title\":\"T\",\"text\":\"X\",\"priority\":\"high\","
		    "\"announcement\":{}}",
		    i);
		world_publish(&world, json);
		world_publish_again(&world, json);
	}
	ck_assert(support_wait(has_announcements, &wanted, WORLD_WAIT_MS));
	log = announcements(1);
	ck_assert_uint_eq(log->n_log, 2);
	ck_assert_uint_eq(log->handled, 3);
	ck_assert_str_eq(log->log[0]->announced->id, "a2");
	ck_assert_uint_eq(log->log[0]->announcement_seq, 2);
	ck_assert_uint_eq(log->log[1]->announced->announcement_seq, 3);
	ck_assert_int_eq((int)log->log[1]->announced->priority, 3);
	ck_assert_uint_eq(announcements(3)->n_log, 0);
}
END_TEST

START_TEST(an_announcement_enters_the_log_when_it_starts)
{
	char starts[TIMESTAMP_TEXT_SIZE], json[160];
	uint64_t wanted = 2;

	(void)timestamp_format(clock_wall_ms() + 3000, starts);
	(void)snprintf(json, sizeof(json),
	    "{\"id\":\"later\",\"announcement\":{\"startsAt\":\"%s\"}}", starts);
	world_publish(&world, json);
	world_publish(&world, "{\"id\":\"now\",\"announcement\":{}}");
	ck_assert(support_wait(has_announcements, &wanted, WORLD_WAIT_MS));
	ck_assert_str_eq(announcements(0)->log[0]->announced->id, "now");
	ck_assert_str_eq(announcements(0)->log[1]->announced->id, "later");
}
END_TEST

/* --- order --- */

static void publish_kyc(int from, int to)
{
	char json[128];

	for (int i = from; i <= to; i++) {
		(void)snprintf(json, sizeof(json),
		    "{\"id\":\"e%d\",\"userIds\":[\"alice\"],\"kyc\":{\"status\":\"x\"}}", i);
		world_publish(&world, json);
	}
}

/* The first n events are delivered to somebody who never answers. */
static void take_and_die(size_t n)
{
	struct bus *dead = support_nats_bus(&world.nats, "notifications");
	struct bus_pull *pull;
	struct err err = ERR_INIT;

	ck_assert_ok(bus_pull_open(dead, STREAM_EVENTS, CONSUMER_NOTIFICATIONS, &pull, &err), err);
	while (n > 0) {
		struct bus_msg *msgs[16];
		size_t got = 0;

		ck_assert_ok(bus_pull_fetch(pull, msgs, n, 1000, &got, &err), err);
		for (size_t i = 0; i < got; i++)
			bus_msg_unref(msgs[i]);
		n -= got;
	}
	bus_pull_close(pull);
	bus_close(dead);
}

START_TEST(what_somebody_who_died_had_in_hand_is_applied_before_what_follows)
{
	world_kill(&world, 0, SIGTERM);
	publish_kyc(1, 50);
	take_and_die(10);
	/* Without a wait the first fetch brings the eleventh. */
	world_spawn(&world, 0, "--takeover-wait=0s");
	world_wait_seq(&world, "alice", 50, 1);
	world_check_mailbox(&world, "alice", "e", 50);
}
END_TEST

START_TEST(an_event_that_killed_the_process_too_often_is_given_up)
{
	world_kill(&world, 0, SIGTERM);
	world_publish(
	    &world, "{\"id\":\"killer\",\"userIds\":[\"bob\"],\"kyc\":{\"status\":\"x\"}}");
	publish_kyc(1, 5);
	take_and_die(6);
	postgres_exec(world.dsn, "INSERT INTO notifications.attempts VALUES"
				 " (1, 'ww.event.kyc', 5, '', now())");
	world_spawn(&world, 0, "--takeover-wait=0s");
	world_wait_dead(&world, 1);
	ck_assert(is_reason(world.dead[0], "the process ended"));
	world_wait_seq(&world, "alice", 5, 1);
	world_check_mailbox(&world, "alice", "e", 5);
	ck_assert_uint_eq(world_open(&world, "bob")->seq, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notifications_events");
	TCase *tcase = tcase_create("events");

	pg = postgres_start();
	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, one_of_every_kind_lands_where_it_belongs);
	tcase_add_test(tcase, both_sides_of_a_transaction_get_their_own_item);
	tcase_add_test(tcase, the_same_events_again_change_nothing_and_ring_with_their_old_numbers);
	tcase_add_test(tcase, an_older_balance_never_overwrites_a_newer_one);
	tcase_add_test(tcase, a_transfer_is_told_to_its_parties_alone);
	tcase_add_test(tcase, a_delivery_carries_states_items_and_both_revs);
	tcase_add_test(tcase, what_cannot_be_understood_goes_to_the_dead_letters_at_once);
	tcase_add_test(
	    tcase, an_event_that_fails_its_batch_is_given_up_and_the_rest_applied_in_order);
	tcase_add_test(tcase, an_announcement_is_one_row_of_a_gapless_log);
	tcase_add_test(tcase, an_announcement_enters_the_log_when_it_starts);
	tcase_add_test(tcase, what_somebody_who_died_had_in_hand_is_applied_before_what_follows);
	tcase_add_test(tcase, an_event_that_killed_the_process_too_often_is_given_up);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
