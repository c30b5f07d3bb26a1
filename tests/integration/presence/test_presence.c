/*
 * ww-presence with a real nats-server and PostgreSQL; the test plays the edges, so it sees exactly
 * what they would be told.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "world.h"

static struct postgres *pg;
static struct world world;
static struct world_edge *one = &world.edges[0], *two = &world.edges[1];

static void setup(void)
{
	world_start(&world, pg);
}

static void teardown(void)
{
	for (int i = 0; i < WORLD_EDGES && !world.may_miss; i++)
		(void)edge_check_numbers(&world.edges[i]);
	world_stop(&world);
}

/* alice is at the one edge, bob at the other, each with the list of friends. */
static void two_friends(const char *extra)
{
	world_spawn(&world, 0, extra);
	(void)world_friends(&world, "add", "alice", "bob", "ok");
	edge_wish(one, "alice");
	edge_wish(two, "bob");
	edge_wait_shows(one, "alice", "bob", PRESENCE(ONLINE));
	edge_wait_shows(two, "bob", "alice", PRESENCE(ONLINE));
}

/* Whatever was said before is handled when this returns: a wish is answered after it. */
static void settle(void)
{
	for (int i = 0; i < WORLD_EDGES; i++) {
		struct world_edge *edge = &world.edges[i];

		edge_mark(edge);
		edge_wish(edge, "marker");
		edge_wait_list(edge, "marker");
		edge_mark(edge);
	}
}

START_TEST(friends_see_each_other_and_strangers_do_not)
{
	const Walletwire__V1__PresenceGetReply *got;

	two_friends(NULL);
	edge_wish(one, "eve");
	settle();
	ck_assert_int_eq(edge_shows(one, "eve", "bob"), PRESENCE(OFFLINE));
	ck_assert_int_eq(edge_shows(two, "bob", "eve"), PRESENCE(OFFLINE));
	got = world_get(&world, "eve", "bob");
	ck_assert_uint_eq(got->n_users, 0);
	got = world_get(&world, "alice", "bob");
	ck_assert_uint_eq(got->n_users, 1);
	ck_assert_int_eq(got->users[0]->status, PRESENCE(ONLINE));
}
END_TEST

START_TEST(away_and_back_is_told)
{
	two_friends(NULL);
	edge_say(two, "bob", 1, PRESENCE(AWAY));
	edge_wait_shows(one, "alice", "bob", PRESENCE(AWAY));
	edge_say(one, "bob", 1, PRESENCE(ONLINE)); /* another device */
	edge_wait_shows(one, "alice", "bob", PRESENCE(ONLINE));
}
END_TEST

START_TEST(who_goes_is_offline_after_the_grace_and_has_a_time)
{
	const Walletwire__V1__PresenceFriendsReply *list;
	int64_t before_us = clock_wall_us();

	two_friends(NULL);
	edge_say(two, "bob", 0, PRESENCE(UNSPECIFIED));
	edge_wait_shows(one, "alice", "bob", PRESENCE(OFFLINE));
	list = world_list(&world, "alice", "", 0);
	ck_assert_uint_eq(list->n_users, 1);
	ck_assert_int_eq(list->users[0]->status, PRESENCE(OFFLINE));
	ck_assert_int_ge(message_time_us(list->users[0]->last_seen), before_us);
}
END_TEST

START_TEST(a_reconnect_within_the_grace_is_not_told)
{
	two_friends("--offline-grace=30s");
	settle();
	edge_say(two, "bob", 0, PRESENCE(UNSPECIFIED));
	edge_say(one, "bob", 1, PRESENCE(ONLINE));
	settle();
	ck_assert_uint_eq(edge_changes(one, "bob"), 0);
	ck_assert_int_eq(edge_shows(one, "alice", "bob"), PRESENCE(ONLINE));
}
END_TEST

START_TEST(a_silent_edge_loses_its_users)
{
	int64_t deadline = clock_mono_ms() + WORLD_WAIT_MS;

	two_friends("--edge-silence=1s");
	while (edge_shows(one, "alice", "bob") != PRESENCE(OFFLINE)) {
		ck_assert(clock_mono_ms() < deadline);
		edge_heartbeat(one);
		(void)usleep(20000);
	}
	ck_assert_int_eq(edge_shows(one, "alice", "bob"), PRESENCE(OFFLINE));
}
END_TEST

START_TEST(who_was_online_before_having_friends_goes_for_them_too)
{
	world_spawn(&world, 0, NULL);
	edge_wish(one, "alice");
	edge_wish(two, "bob");
	settle();
	(void)world_friends(&world, "add", "alice", "bob", "ok");
	edge_wait_shows(one, "alice", "bob", PRESENCE(ONLINE));
	edge_say(two, "bob", 0, PRESENCE(UNSPECIFIED));
	edge_wait_shows(one, "alice", "bob", PRESENCE(OFFLINE));
}
END_TEST

START_TEST(an_ended_friendship_is_cut_at_once)
{
	const Walletwire__V1__FriendsSetReply *reply;

	two_friends(NULL);
	reply = world_friends(&world, "remove", "bob", "alice", "ok");
	ck_assert_uint_eq(reply->removed, 1);
	edge_wait_shows(one, "alice", "bob", PRESENCE(OFFLINE));
	edge_wait_shows(two, "bob", "alice", PRESENCE(OFFLINE));
	settle();
	edge_say(two, "bob", 1, PRESENCE(AWAY));
	settle();
	ck_assert_uint_eq(edge_changes(one, "bob"), 0);
	ck_assert_uint_eq(world_get(&world, "alice", "bob")->n_users, 0);
}
END_TEST

START_TEST(a_new_friendship_shows_both_at_once)
{
	world_spawn(&world, 0, NULL);
	edge_wish(one, "alice");
	edge_wish(two, "bob");
	settle();
	(void)world_friends(&world, "replace", "alice", "bob", "ok");
	edge_wait_shows(one, "alice", "bob", PRESENCE(ONLINE));
	edge_wait_shows(two, "bob", "alice", PRESENCE(ONLINE));
	/* Nobody else any more. */
	ck_assert_uint_eq(world_friends(&world, "replace", "alice", NULL, "ok")->removed, 1);
	edge_wait_shows(one, "alice", "bob", PRESENCE(OFFLINE));
}
END_TEST

START_TEST(whoever_hides_is_offline_and_betrays_nothing)
{
	const Walletwire__V1__PresenceGetReply *got;
	int64_t hid_us;

	two_friends(NULL);
	world_hide(&world, "bob", false);
	edge_wait_shows(one, "alice", "bob", PRESENCE(OFFLINE));
	settle();
	/* Like anybody who has gone: seen last when he hid, and not later. */
	got = world_get(&world, "alice", "bob");
	hid_us = message_time_us(got->users[0]->last_seen);
	edge_say(two, "bob", 1, PRESENCE(AWAY));
	edge_say(two, "bob", 1, PRESENCE(ONLINE));
	edge_say(two, "bob", 0, PRESENCE(UNSPECIFIED));
	settle();
	ck_assert_uint_eq(edge_changes(one, "bob"), 0);
	edge_say(two, "bob", 1, PRESENCE(ONLINE));
	got = world_get(&world, "alice", "bob");
	ck_assert_int_eq(got->users[0]->status, PRESENCE(OFFLINE));
	ck_assert_int_eq(message_time_us(got->users[0]->last_seen), hid_us);
	edge_wish(one, "alice");
	settle();
	ck_assert_int_eq(edge_shows(one, "alice", "bob"), PRESENCE(OFFLINE));
	/* Hiding does not blind. */
	ck_assert_int_eq(edge_shows(two, "bob", "alice"), PRESENCE(ONLINE));
	world_hide(&world, "bob", true);
	edge_wait_shows(one, "alice", "bob", PRESENCE(ONLINE));
}
END_TEST

START_TEST(a_burst_of_changes_is_few_messages)
{
	enum { USERS = 200 };
	char user[32];
	size_t before;

	world_spawn(&world, 0, "--batch-interval=500ms");
	edge_wish(one, "alice");
	for (int i = 0; i < USERS; i++) {
		(void)snprintf(user, sizeof(user), "user-%d", i);
		(void)world_friends(&world, "add", "alice", user, "ok");
	}
	settle();
	before = one->len;
	for (int i = 0; i < USERS; i++) {
		(void)snprintf(user, sizeof(user), "user-%d", i);
		edge_say(two, user, 1, PRESENCE(ONLINE));
	}
	for (int i = 0; i < USERS; i++) {
		(void)snprintf(user, sizeof(user), "user-%d", i);
		edge_wait_shows(one, "alice", user, PRESENCE(ONLINE));
	}
	ck_assert_uint_le(one->len - before, 20);
}
END_TEST

/* Often enough for PostgreSQL to keep a statement's plan. */
static void flip(const char *user)
{
	enum { FLIPS = 10 };

	for (int i = 0; i < FLIPS; i++) {
		PresenceStatus status = i % 2 ? PRESENCE(ONLINE) : PRESENCE(AWAY);

		edge_say(two, user, 1, status);
		edge_wait_shows(one, "alice", user, status);
	}
}

START_TEST(a_change_costs_no_more_when_many_have_been_seen)
{
	two_friends(NULL);
	postgres_exec(world.dsn, "INSERT INTO presence.friends SELECT 'user-' || a, 'user-' || b"
				 " FROM generate_series(1, 200) a, generate_series(201, 220) b");
	postgres_exec(world.dsn, "ANALYZE presence.friends");
	flip("bob");
	postgres_exec(world.dsn, "INSERT INTO presence.users (user_id) SELECT 'user-' || n FROM "
				 "generate_series(1, 20000) n");
	flip("bob");
	/* Sessions report what they have read when they end. */
	world_kill(&world, 0, SIGTERM);
	postgres_terminate_backends(pg);
	postgres_exec(world.dsn,
	    "DO $$ BEGIN ASSERT (SELECT seq_tup_read FROM pg_stat_user_tables"
	    " WHERE schemaname = 'presence' AND relname = 'users') < 20000; END $$");
}
END_TEST

START_TEST(a_missed_report_is_asked_for)
{
	two_friends(NULL);
	edge_say(one, "carol", 1, PRESENCE(ONLINE));
	settle();
	/* Nobody hears that alice goes, but she is not in the table. */
	(void)pthread_mutex_lock(&world.lock);
	for (size_t i = 0; i < one->users_len; i++) {
		if (strcmp(one->users[i].user_id, "alice") == 0)
			one->users[i] = one->users[--one->users_len];
	}
	(void)pthread_mutex_unlock(&world.lock);
	edge_lose_report(one);
	while (edge_shows(two, "bob", "alice") != PRESENCE(OFFLINE))
		edge_heartbeat(one);
}
END_TEST

START_TEST(another_replica_takes_over_and_nothing_is_missed)
{
	uint64_t generation;

	two_friends(NULL);
	generation = edge_check_numbers(one);
	world_spawn(&world, 1, NULL);
	settle();
	edge_say(two, "bob", 1, PRESENCE(AWAY));
	world_kill(&world, 0, SIGKILL);
	edge_wait_shows(one, "alice", "bob", PRESENCE(AWAY));
	edge_say(two, "bob", 1, PRESENCE(ONLINE));
	edge_wait_shows(one, "alice", "bob", PRESENCE(ONLINE));
	ck_assert_uint_gt(edge_check_numbers(one), generation);
}
END_TEST

enum query { CHANGES };

static const struct db_statement queries[] = {
	[CHANGES] = { "changes", "SELECT count(*) FROM presence.changes" },
};

static bool no_changes_are_left(void *arg)
{
	struct db_result *result = NULL;
	struct err err = ERR_INIT;
	struct db_params params;
	bool none;

	db_params_init(&params);
	ck_assert_ok(db_ensure(arg, &err), err);
	ck_assert_ok(db_run(arg, CHANGES, &params, &result, &err), err);
	none = db_get_int(result, 0, 0) == 0;
	db_result_free(result);
	return none;
}

/* What it said may have been in its memory still. */
START_TEST(what_the_one_before_told_last_is_told_again_and_then_forgotten)
{
	struct db_config cfg = { .dsn = world.dsn,
		.application_name = "test",
		.statements = queries,
		.statements_len = ARRAY_LEN(queries) };
	struct err err = ERR_INIT;
	struct db *db;

	two_friends(NULL);
	world_hide(&world, "bob", false);
	edge_wait_shows(one, "alice", "bob", PRESENCE(OFFLINE));
	world_hide(&world, "bob", true);
	edge_wait_shows(one, "alice", "bob", PRESENCE(ONLINE));
	(void)world_friends(&world, "remove", "alice", "bob", "ok");
	edge_wait_shows(one, "alice", "bob", PRESENCE(OFFLINE));
	settle();
	world_kill(&world, 0, SIGKILL);
	world_spawn(&world, 0, NULL);
	edge_wait_changes(one, "bob"); /* also whom no list would name */
	settle();
	/* That they were friends is told of nobody any more. */
	ck_assert_int_eq(edge_shows(one, "alice", "bob"), PRESENCE(OFFLINE));
	ck_assert_int_eq(edge_shows(two, "bob", "alice"), PRESENCE(OFFLINE));
	ck_assert_ok(db_open(&cfg, &db, &err), err);
	ck_assert(!no_changes_are_left(db));
	postgres_exec(world.dsn, "UPDATE presence.changes SET told_at = told_at - interval '31 s'");
	ck_assert(support_wait(no_changes_are_left, db, WORLD_WAIT_MS));
	db_close(db);
}
END_TEST

START_TEST(a_replica_that_starts_alone_says_that_it_knows_nothing)
{
	bool anew = false;

	two_friends(NULL);
	world_kill(&world, 0, SIGKILL);
	edge_mark(one);
	world_spawn(&world, 0, NULL);
	edge_wait_list(one, "alice"); /* which it did not ask for by itself */
	for (size_t i = one->marked; i < one->len; i++)
		anew |= one->batches[i]->anew;
	ck_assert(anew);
	edge_wait_shows(one, "alice", "bob", PRESENCE(ONLINE));
}
END_TEST

START_TEST(everybody_is_asked_at_the_start)
{
	world_spawn(&world, 0, NULL);
	ck_assert_uint_ge(one->reports_wanted, 1);
	ck_assert_uint_ge(two->reports_wanted, 1);
}
END_TEST

START_TEST(nats_may_be_gone_for_longer_than_an_edge_may_be_silent)
{
	two_friends("--edge-silence=1s");
	world.may_miss = true;
	support_nats_stop(&world.nats, SIGKILL);
	(void)sleep(2); /* which is what is tested: time passes, and nobody is to blame */
	support_nats_restart(&world.nats);
	edge_mark(one);
	do {
		edge_heartbeat(one);
		edge_heartbeat(two);
		edge_wish(one, "alice");
		(void)usleep(20000);
	} while (edge_lists(one, "alice") == 0);
	ck_assert_int_eq(edge_shows(one, "alice", "bob"), PRESENCE(ONLINE));
	ck_assert_uint_eq(edge_changes(one, "bob"), 0);
}
END_TEST

START_TEST(changes_wait_while_the_database_is_away)
{
	struct postgres *own = postgres_start();
	struct world other;

	world_start(&other, own);
	world_spawn(&other, 0, NULL);
	(void)world_friends(&other, "add", "alice", "bob", "ok");
	edge_wish(&other.edges[0], "alice");
	edge_wait_shows(&other.edges[0], "alice", "bob", PRESENCE(OFFLINE));
	postgres_kill(own);
	edge_say(&other.edges[0], "bob", 1, PRESENCE(ONLINE));
	postgres_restart(own);
	edge_wait_shows(&other.edges[0], "alice", "bob", PRESENCE(ONLINE));
	world_stop(&other);
	postgres_stop(own);
}
END_TEST

START_TEST(too_many_sockets_are_told)
{
	size_t sockets = 0;

	world_spawn(&world, 0, "--max-user-sockets=3");
	edge_say(one, "alice", 3, PRESENCE(ONLINE));
	edge_say(two, "alice", 2, PRESENCE(ONLINE));
	while (sockets == 0) {
		edge_heartbeat(two);
		(void)usleep(20000);
		(void)pthread_mutex_lock(&world.lock);
		for (size_t i = 0; i < two->len; i++) {
			if (two->batches[i]->n_excess > 0)
				sockets = two->batches[i]->excess[0]->sockets;
		}
		(void)pthread_mutex_unlock(&world.lock);
	}
	ck_assert_uint_eq(sockets, 2);
}
END_TEST

START_TEST(pages_of_friends_follow_each_other)
{
	const Walletwire__V1__PresenceFriendsReply *page;

	world_spawn(&world, 0, NULL);
	(void)world_friends(&world, "add", "alice", "bob", "ok");
	(void)world_friends(&world, "add", "alice", "carol", "ok");
	(void)world_friends(&world, "add", "dave", "alice", "ok");
	page = world_list(&world, "alice", "", 2);
	ck_assert_uint_eq(page->n_users, 2);
	ck_assert_str_eq(page->users[1]->user_id, "carol");
	page = world_list(&world, "alice", page->next, 2);
	ck_assert_uint_eq(page->n_users, 1);
	ck_assert_str_eq(page->users[0]->user_id, "dave");
	ck_assert_str_eq(page->next, "");
}
END_TEST

START_TEST(everything_held_about_a_user_is_written_down)
{
	enum { FRIENDS = 1001 }; /* more than a page */
	const Walletwire__V1__ExportReply *page;

	world_spawn(&world, 0, NULL);
	ck_assert_uint_eq(world_export(&world, "alice", "")->n_records, 0);
	world_add_many(&world, "alice", FRIENDS);
	world_hide(&world, "alice", false);
	page = world_export(&world, "alice", "");
	ck_assert_uint_eq(page->n_records, 1001); /* her own row, and 1,000 friends */
	ck_assert(!page->records[0]->presence->visible);
	ck_assert_ptr_nonnull(page->records[0]->presence->last_seen);
	ck_assert_str_eq(page->records[1]->friend_->user_id, "friend-0");
	page = world_export(&world, "alice", page->next);
	ck_assert_uint_eq(page->n_records, 1);
	ck_assert_str_eq(page->records[0]->friend_->user_id, "friend-999");
	ck_assert_str_eq(page->next, "");
}
END_TEST

/* When somebody was seen is written by the turn that tells of it; a list may show them a turn
 * before. */
static bool bob_was_seen(void *arg)
{
	(void)arg;
	return world_export(&world, "bob", "")->n_records == 3; /* and two friends */
}

START_TEST(who_is_erased_is_gone_for_friends_at_once_and_for_good)
{
	const Walletwire__V1__EraseCounts *erased;

	two_friends(NULL);
	edge_wish(one, "carol");
	(void)world_friends(&world, "add", "carol", "bob", "ok");
	edge_wait_shows(one, "carol", "bob", PRESENCE(ONLINE));
	ck_assert(support_wait(bob_was_seen, NULL, WORLD_WAIT_MS));
	erased = world_erase(&world, "bob");
	ck_assert_uint_eq(erased->friends, 2);
	ck_assert_uint_eq(erased->presence, 1);
	edge_wait_shows(one, "alice", "bob", PRESENCE(OFFLINE));
	edge_wait_shows(one, "carol", "bob", PRESENCE(OFFLINE));
	ck_assert_uint_eq(world_list(&world, "alice", "", 0)->n_users, 0);
	/* That the last socket goes only now brings nothing back. */
	edge_say(two, "bob", 1, PRESENCE(AWAY));
	edge_say(two, "bob", 0, PRESENCE(UNSPECIFIED));
	edge_say(one, "alice", 0, PRESENCE(UNSPECIFIED));
	(void)world_friends(&world, "add", "alice", "dave", "ok");
	edge_wish(two, "dave");
	edge_say(one, "alice", 1, PRESENCE(ONLINE));
	edge_say(one, "alice", 0, PRESENCE(UNSPECIFIED));
	edge_wait_shows(two, "dave", "alice", PRESENCE(OFFLINE)); /* who went after bob */
	ck_assert_uint_eq(world_export(&world, "bob", "")->n_records, 0);
	ck_assert_uint_eq(world_erase(&world, "bob")->friends, 0);
}
END_TEST

START_TEST(bad_requests_are_refused)
{
	char long_id[200];

	memset(long_id, 'a', sizeof(long_id) - 1);
	long_id[sizeof(long_id) - 1] = '\0';
	world_spawn(&world, 0, "--max-friends=2");
	(void)world_friends(&world, "add", "", "bob", "invalid");
	(void)world_friends(&world, "add", "alice", "", "invalid");
	(void)world_friends(&world, "add", "alice", long_id, "invalid");
	(void)world_friends(&world, "add", "alice", "alice", "invalid");
	(void)world_friends(&world, "add", "alice", "bob", "ok");
	(void)world_friends(&world, "add", "alice", "carol", "ok");
	(void)world_friends(&world, "add", "alice", "dave", "too_large");
	/* Nor on the other side. */
	(void)world_friends(&world, "add", "dave", "alice", "too_large");
	ck_assert_uint_eq(world_list(&world, "alice", "", 0)->n_users, 2);
	ck_assert_uint_eq(world_list(&world, "dave", "", 0)->n_users, 0);
	ck_assert_uint_eq(world_friends(&world, "add", "alice", "bob", "ok")->added, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("presence");
	TCase *tc = tcase_create("presence");

	pg = postgres_start();
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, friends_see_each_other_and_strangers_do_not);
	tcase_add_test(tc, away_and_back_is_told);
	tcase_add_test(tc, who_goes_is_offline_after_the_grace_and_has_a_time);
	tcase_add_test(tc, a_reconnect_within_the_grace_is_not_told);
	tcase_add_test(tc, a_silent_edge_loses_its_users);
	tcase_add_test(tc, who_was_online_before_having_friends_goes_for_them_too);
	tcase_add_test(tc, an_ended_friendship_is_cut_at_once);
	tcase_add_test(tc, a_new_friendship_shows_both_at_once);
	tcase_add_test(tc, whoever_hides_is_offline_and_betrays_nothing);
	tcase_add_test(tc, a_burst_of_changes_is_few_messages);
	tcase_add_test(tc, a_change_costs_no_more_when_many_have_been_seen);
	tcase_add_test(tc, a_missed_report_is_asked_for);
	tcase_add_test(tc, another_replica_takes_over_and_nothing_is_missed);
	tcase_add_test(tc, what_the_one_before_told_last_is_told_again_and_then_forgotten);
	tcase_add_test(tc, a_replica_that_starts_alone_says_that_it_knows_nothing);
	tcase_add_test(tc, everybody_is_asked_at_the_start);
	tcase_add_test(tc, nats_may_be_gone_for_longer_than_an_edge_may_be_silent);
	tcase_add_test(tc, changes_wait_while_the_database_is_away);
	tcase_add_test(tc, too_many_sockets_are_told);
	tcase_add_test(tc, pages_of_friends_follow_each_other);
	tcase_add_test(tc, everything_held_about_a_user_is_written_down);
	tcase_add_test(tc, who_is_erased_is_gone_for_friends_at_once_and_for_good);
	tcase_add_test(tc, bad_requests_are_refused);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
