/* Every change of friendship and privacy leaves its record in the stream: once and in order. */
#include <signal.h>

#include "support/auditor.h"
#include "world.h"

static struct postgres *pg;
static struct world world;

static void start(void)
{
	world_start(&world, pg);
	support_nats_provision(&world.nats);
	auditor_start(&world.nats, world.dsn, "presence", NULL);
}

static void setup(void)
{
	start();
	world_spawn(&world, 0, NULL);
}

static void teardown(void)
{
	auditor_stop();
	world_stop(&world);
}

START_TEST(who_became_friends_and_who_ceased_to_be_is_named)
{
	(void)world_friends(&world, "add", "alice", "bob", "ok");
	auditor_expect("FRIENDS_ADDED by BACKEND: bob id=alice n1");
	(void)world_friends(&world, "replace", "carol", "alice", "ok");
	auditor_expect("FRIENDS_ADDED by BACKEND: alice id=carol n1");
	(void)world_friends(&world, "replace", "alice", "dave", "ok");
	auditor_expect("FRIENDS_REMOVED by BACKEND: bob carol id=alice n2");
	auditor_expect("FRIENDS_ADDED by BACKEND: dave id=alice n1");
	(void)world_friends(&world, "remove", "dave", "alice", "ok");
	auditor_expect("FRIENDS_REMOVED by BACKEND: alice id=dave n1");
	auditor_check_complete(5);
}
END_TEST

START_TEST(who_hides_and_shows_again_is_named_with_the_session)
{
	world_hide(&world, "alice", false);
	auditor_expect("PRESENCE_HIDDEN by USER alice/sid-alice: alice n0");
	world_hide(&world, "alice", true);
	auditor_expect("PRESENCE_SHOWN by USER alice/sid-alice: alice n0");
	auditor_check_complete(2);
}
END_TEST

START_TEST(whose_data_was_read_or_went_is_named)
{
	(void)world_friends(&world, "add", "alice", "bob", "ok");
	auditor_expect("FRIENDS_ADDED by BACKEND: bob id=alice n1");
	(void)world_export(&world, "alice", "");
	auditor_expect("USER_EXPORTED by BACKEND: alice n0");
	(void)world_erase(&world, "alice");
	auditor_expect("USER_ERASED by BACKEND: alice n1");
	(void)world_erase(&world, "alice"); /* of whom nothing is there */
	auditor_check_complete(3);
}
END_TEST

START_TEST(what_changes_nothing_leaves_nothing)
{
	world_hide(&world, "alice", true); /* as whoever never chose is */
	world_hide(&world, "alice", false);
	world_hide(&world, "alice", false);
	(void)world_friends(&world, "remove", "alice", "bob", "ok");
	(void)world_friends(&world, "add", "alice", "bob", "ok");
	(void)world_friends(&world, "add", "bob", "alice", "ok");
	(void)world_friends(&world, "replace", "alice", "bob", "ok");
	auditor_expect("PRESENCE_HIDDEN by USER alice/sid-alice: alice n0");
	auditor_expect("FRIENDS_ADDED by BACKEND: bob id=alice n1");
	auditor_check_complete(2);
}
END_TEST

START_TEST(more_friends_than_a_record_holds_are_several)
{
	enum { FRIENDS = 700 }; /* three records */
	size_t friends = 0;

	world_add_many(&world, "alice", FRIENDS);
	for (int i = 0; i < 3; i++) {
		const Walletwire__V1__AuditRecord *record = auditor_next();

		ck_assert_str_eq(record->ids[0], "alice");
		ck_assert_uint_eq(record->n, record->n_users);
		friends += record->n_users;
	}
	ck_assert_uint_eq(friends, FRIENDS);
	auditor_check_complete(3);
}
END_TEST

START_TEST(a_change_that_is_tried_again_leaves_one_record)
{
	auditor_refuse_rows(2, "40001");
	(void)world_friends(&world, "add", "alice", "bob", "ok");
	auditor_expect("FRIENDS_ADDED by BACKEND: bob id=alice n1");
	auditor_refuse_rows(2, "40001");
	world_hide(&world, "alice", false);
	auditor_expect("PRESENCE_HIDDEN by USER alice/sid-alice: alice n0");
	auditor_check_complete(2);
}
END_TEST

START_TEST(a_change_that_is_rolled_back_leaves_none)
{
	auditor_refuse_rows(1, "22000");
	(void)world_friends(&world, "add", "alice", "bob", "internal");
	ck_assert_uint_eq(world_list(&world, "alice", "", 0)->n_users, 0);
	(void)world_friends(&world, "add", "alice", "bob", "ok");
	auditor_expect("FRIENDS_ADDED by BACKEND: bob id=alice n1");
	auditor_check_complete(1);
}
END_TEST

START_TEST(a_full_stream_is_waited_for_and_nobody_with_it)
{
	auditor_fill_stream();
	(void)world_friends(&world, "add", "alice", "bob", "ok");
	world_hide(&world, "alice", false);
	(void)world_friends(&world, "remove", "alice", "bob", "ok");
	auditor_wait_waiting(3);
	auditor_expect("FRIENDS_ADDED by BACKEND: bob id=alice n1");
	auditor_expect("PRESENCE_HIDDEN by USER alice/sid-alice: alice n0");
	auditor_expect("FRIENDS_REMOVED by BACKEND: bob id=alice n1");
	auditor_check_complete(3);
}
END_TEST

static void kill_it(void)
{
	world_kill(&world, 0, SIGKILL);
}

START_TEST(a_relay_killed_between_ack_and_delete_publishes_nothing_twice)
{
	auditor_fill_stream();
	(void)world_friends(&world, "add", "alice", "bob", "ok");
	(void)world_friends(&world, "add", "alice", "carol", "ok");
	auditor_wait_waiting(2);
	auditor_kill_between_ack_and_delete(2, kill_it);
	world_spawn(&world, 0, NULL);
	auditor_check_complete(2);
	auditor_expect("FRIENDS_ADDED by BACKEND: bob id=alice n1");
	auditor_expect("FRIENDS_ADDED by BACKEND: carol id=alice n1");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("presence_audit");
	TCase *tc = tcase_create("audit");

	pg = postgres_start();
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, who_became_friends_and_who_ceased_to_be_is_named);
	tcase_add_test(tc, who_hides_and_shows_again_is_named_with_the_session);
	tcase_add_test(tc, whose_data_was_read_or_went_is_named);
	tcase_add_test(tc, what_changes_nothing_leaves_nothing);
	tcase_add_test(tc, more_friends_than_a_record_holds_are_several);
	tcase_add_test(tc, a_change_that_is_tried_again_leaves_one_record);
	tcase_add_test(tc, a_change_that_is_rolled_back_leaves_none);
	tcase_add_test(tc, a_full_stream_is_waited_for_and_nobody_with_it);
	tcase_add_test(tc, a_relay_killed_between_ack_and_delete_publishes_nothing_twice);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
