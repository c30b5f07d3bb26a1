/* Inbox items that leave: expired while unread, or recalled. */
#include <signal.h>
#include <stdio.h>

#include "world.h"

static struct world world;
static struct postgres *pg;

static void setup(void)
{
	world_start(&world, pg);
	world_spawn(&world, 0, NULL);
}

static void teardown(void)
{
	world_stop(&world);
}

/* `expires` is a time as clients write it, or NULL. */
static void publish_kyc(const char *users, const char *id, const char *expires)
{
	char json[512];

	(void)snprintf(json, sizeof(json),
	    "{\"id\":\"%s\",\"userIds\":[%s],\"title\":\"t\",\"text\":\"secret\"%s%s%s,"
	    "\"kyc\":{\"status\":\"approved\",\"level\":\"1\",\"message\":\"secret\"}}",
	    id, users, expires ? ",\"expiresAt\":\"" : "", expires ? expires : "",
	    expires ? "\"" : "");
	world_publish(&world, json);
}

static uint32_t unread_total(const char *user)
{
	const Walletwire__V1__OpenReply *open = world_open(&world, user);

	return open->states[0]->payload->unread->total;
}

struct expectation {
	const char *user;
	uint32_t total;
};

static bool has_total(void *arg)
{
	const struct expectation *e = arg;

	return unread_total(e->user) == e->total;
}

static void wait_unread(const char *user, uint32_t total)
{
	struct expectation e = { user, total };

	ck_assert_msg(
	    support_wait(has_total, &e, WORLD_WAIT_MS), "%s has %u", user, unread_total(user));
	ck_assert(world_verify(&world, user)->consistent);
}

START_TEST(what_expires_unread_leaves_the_counters_and_the_list)
{
	publish_kyc("\"alice\"", "stays", NULL);
	publish_kyc("\"alice\",\"bob\"", "goes", "2020-01-01T00:00:00.000Z");
	publish_kyc("\"alice\"", "later", "2120-01-01T00:00:00.000Z");
	world_wait_seq(&world, "alice", 3, 1);
	wait_unread("alice", 2);
	wait_unread("bob", 0);
	ck_assert_uint_eq(world_list(&world, "alice", "", 10)->n_items, 2);
	/* It is no item of the mailbox: the screen knew when. */
	ck_assert_uint_eq(world_open(&world, "alice")->seq, 3);
}
END_TEST

START_TEST(what_was_read_before_it_expired_changes_no_counter)
{
	uint64_t rev;

	publish_kyc("\"alice\"", "read", "2120-01-01T00:00:00.000Z");
	world_wait_seq(&world, "alice", 1, 1);
	ck_assert_uint_eq(world_select(&world, "read", "alice", "read", 0)->changed, 1);
	rev = world_open(&world, "alice")->rev;
	postgres_exec(world.dsn,
	    "UPDATE notifications.inbox SET expires_at = '2020-01-01' WHERE event_id = 'read'");
	publish_kyc("\"bob\"", "unread", "2020-01-01T00:00:00.000Z");
	world_wait_seq(&world, "bob", 1, 1);
	wait_unread("bob", 0); /* the sweeper has passed */
	ck_assert_uint_eq(world_open(&world, "alice")->rev, rev);
	wait_unread("alice", 0);
}
END_TEST

START_TEST(more_than_one_bite_expires_too)
{
	char json[256];

	for (int i = 0; i < 1200; i++) {
		(void)snprintf(json, sizeof(json),
		    "{\"id\":\"e%d\",\"userIds\":[\"u%d\"],\"expiresAt\":\"2020-01-01T00:00:00."
		    "000Z\","
		    "\"kyc\":{\"status\":\"s\",\"level\":\"1\",\"message\":\"\"}}",
		    i, i % 7);
		world_publish(&world, json);
	}
	world_wait_seq(&world, "u0", 172, 1);
	for (int i = 0; i < 7; i++) {
		char user[16];

		(void)snprintf(user, sizeof(user), "u%d", i);
		wait_unread(user, 0);
	}
}
END_TEST

START_TEST(a_recall_takes_an_event_back_from_everybody)
{
	const Walletwire__V1__SinceReply *since;
	size_t heard;

	publish_kyc("\"alice\",\"bob\"", "wrong", NULL);
	publish_kyc("\"alice\"", "right", NULL);
	world_wait_seq(&world, "alice", 2, 1);
	ck_assert_uint_eq(world_select(&world, "read", "bob", "wrong", 0)->changed, 1);
	heard = world_rings(&world);

	ck_assert_uint_eq(world_recall(&world, "kyc", "wrong", "ok"), 2);
	wait_unread("alice", 1);
	wait_unread("bob", 0);
	ck_assert_uint_eq(world_list(&world, "alice", "", 10)->n_items, 1);
	ck_assert_uint_eq(world_list(&world, "bob", "", 10)->n_items, 0);

	since = world_since(&world, "alice", 0, 3);
	ck_assert_uint_eq(since->n_items, 3);
	ck_assert(since->items[0]->blanked && !since->items[1]->blanked);
	ck_assert_int_eq((int)since->items[2]->payload->changed->action, 4);
	ck_assert_str_eq(since->items[2]->payload->changed->ids->values[0], "wrong");
	ck_assert_uint_eq(
	    since->items[2]->payload->changed->version, world_open(&world, "alice")->rev);
	world_wait_rings(&world, heard + 2);

	ck_assert_uint_eq(world_recall(&world, "kyc", "wrong", "ok"), 0); /* again */
	ck_assert_uint_eq(world_open(&world, "alice")->seq, 3);
	ck_assert_uint_eq(world_select(&world, "read", "alice", "wrong", 0)->changed, 0);
}
END_TEST

START_TEST(nothing_of_what_was_recalled_is_stored_any_more)
{
	publish_kyc("\"alice\"", "wrong", NULL);
	world_wait_seq(&world, "alice", 1, 1);
	ck_assert_uint_eq(world_recall(&world, "kyc", "wrong", "ok"), 1);
	postgres_exec(world.dsn,
	    "DO $$ BEGIN IF EXISTS (SELECT FROM notifications.inbox WHERE text <> '' OR title <> "
	    "'')"
	    " OR EXISTS (SELECT FROM notifications.bodies WHERE event_key = 'kyc/wrong'"
	    " AND length(payload) > 0) THEN RAISE EXCEPTION 'left'; END IF; END $$");
}
END_TEST

START_TEST(an_event_that_comes_again_after_its_recall_stays_away)
{
	publish_kyc("\"alice\"", "wrong", NULL);
	world_wait_seq(&world, "alice", 1, 1);
	ck_assert_uint_eq(world_recall(&world, "kyc", "wrong", "ok"), 1);
	world_publish_again(&world,
	    "{\"id\":\"wrong\",\"userIds\":[\"alice\"],"
	    "\"kyc\":{\"status\":\"approved\",\"level\":\"1\",\"message\":\"secret\"}}");
	publish_kyc("\"alice\"", "next", NULL);
	world_wait_seq(&world, "alice", 3, 3);
	wait_unread("alice", 1);
	ck_assert(world_since(&world, "alice", 0, 1)->items[0]->blanked);
}
END_TEST

START_TEST(what_was_never_said_can_not_be_recalled)
{
	(void)world_recall(&world, "kyc", "nothing", "not_found");
	(void)world_recall(&world, "balance", "b", "invalid");
	(void)world_recall(&world, "kyc", "", "invalid");
	(void)world_recall(&world, "nonsense", "x", "invalid");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notifications_withdraw");
	TCase *tcase = tcase_create("withdraw");

	pg = postgres_start();
	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, what_expires_unread_leaves_the_counters_and_the_list);
	tcase_add_test(tcase, what_was_read_before_it_expired_changes_no_counter);
	tcase_add_test(tcase, more_than_one_bite_expires_too);
	tcase_add_test(tcase, a_recall_takes_an_event_back_from_everybody);
	tcase_add_test(tcase, nothing_of_what_was_recalled_is_stored_any_more);
	tcase_add_test(tcase, an_event_that_comes_again_after_its_recall_stays_away);
	tcase_add_test(tcase, what_was_never_said_can_not_be_recalled);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
