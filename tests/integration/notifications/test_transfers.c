/* Transfers: one row for all parties, the last word in every inbox, and how long it is kept. */
#include <signal.h>
#include <stdio.h>

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

/* Between Alice and Bob. */
static void publish(const char *id, const char *transfer, const char *state, int version)
{
	world_publish(&world, arena_printf(&world.arena,
				  "{\"id\":\"%s\",\"userIds\":[\"alice\",\"bob\"],\"transfer\":{"
				  "\"transferId\":\"%s\",\"state\":\"%s\",\"version\":%d}}",
				  id, transfer, state, version));
}

/* "processing v3", "unknown", or an error's code. */
static const char *track(const char *user, const char *transfer)
{
	Walletwire__V1__TrackRequest *in = MESSAGE_NEW(&world.arena, track_request);
	const Walletwire__V1__TrackReply *reply;
	const char *code = NULL;
	static const char *const states[] = { "", "created", "processing", "completed", "failed",
		"cancelled" };

	in->caller = world_caller(&world, user);
	in->transfer_id = arena_strdup(&world.arena, transfer);
	reply = world_ask(&world, "ww.svc.notifications.track", in,
	    &walletwire__v1__track_reply__descriptor, &code);
	if (strcmp(code, "ok") != 0)
		return code;
	if (!reply->transfer)
		return "unknown";
	return arena_printf(
	    &world.arena, "%s v%d", states[reply->transfer->state], (int)reply->transfer->version);
}

static void settle(const char *user)
{
	static int n;

	world_publish(&world,
	    arena_printf(&world.arena,
		"{\"id\":\"k%d\",\"userIds\":[\"%s\"],\"kyc\":{\"status\":\"s\"}}", ++n, user));
	world_wait_seq(&world, user, (uint64_t)n, 1);
}

START_TEST(a_late_version_changes_nothing)
{
	publish("e3", "t", "processing", 3);
	publish("e2", "t", "failed", 2);
	publish("e3again", "t", "cancelled", 3);
	settle("carol");
	ck_assert_str_eq(track("alice", "t"), "processing v3");
	ck_assert_uint_eq(world_open(&world, "alice")->seq, 0); /* nor is it an item */
	publish("e0", "t", "processing", 0);
	settle("carol");
	ck_assert_str_eq(track("bob", "t"), "processing v4");
}
END_TEST

START_TEST(the_last_word_is_in_both_inboxes_and_is_told_to_parties_alone)
{
	static const char *const parties[] = { "alice", "bob" };

	ck_assert_str_eq(track("carol", "t"), "unknown");
	publish("e1", "t", "processing", 0);
	publish("e2", "t", "completed", 0);
	for (size_t i = 0; i < 2; i++) {
		const Walletwire__V1__ListReply *list;

		world_wait_seq(&world, parties[i], 1, 1);
		list = world_list(&world, parties[i], "", 0);
		ck_assert_uint_eq(list->n_items, 1);
		ck_assert_str_eq(list->items[0]->notification->type, "transfer");
		ck_assert(list->items[0]->data->transfer->final);
		ck_assert_str_eq(track(parties[i], "t"), "completed v2");
	}
	ck_assert_str_eq(track("carol", "t"), "forbidden");
}
END_TEST

static bool is_forgotten(void *transfer)
{
	return strcmp(track("alice", transfer), "unknown") == 0;
}

START_TEST(what_has_ended_goes_after_a_day_and_what_has_not_stays)
{
	publish("e1", "ended", "completed", 0);
	publish("e2", "lately", "failed", 0);
	publish("e3", "open", "processing", 0);
	world_wait_seq(&world, "alice", 2, 1);
	settle("carol");
	postgres_exec(world.dsn,
	    "UPDATE notifications.transfers SET updated_at = updated_at - interval '25 hours'"
	    " WHERE transfer_id <> 'lately'");
	ck_assert(support_wait(is_forgotten, (char[]){ "ended" }, WORLD_WAIT_MS));
	ck_assert_str_eq(track("alice", "lately"), "failed v1");
	ck_assert_str_eq(track("alice", "open"), "processing v1");
	/* Its item stays. */
	ck_assert_uint_eq(world_list(&world, "alice", "", 0)->n_items, 2);
}
END_TEST

START_TEST(one_that_goes_on_after_all_is_kept)
{
	publish("e1", "t", "failed", 0);
	publish("e2", "t", "processing", 0);
	publish("e3", "ended", "completed", 0);
	world_wait_seq(&world, "alice", 2, 1);
	postgres_exec(world.dsn,
	    "UPDATE notifications.transfers SET updated_at = updated_at - interval '25 hours'");
	ck_assert(support_wait(is_forgotten, (char[]){ "ended" }, WORLD_WAIT_MS));
	ck_assert_str_eq(track("alice", "t"), "processing v2");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notifications_transfers");
	TCase *tcase = tcase_create("transfers");

	pg = postgres_start();
	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_late_version_changes_nothing);
	tcase_add_test(tcase, the_last_word_is_in_both_inboxes_and_is_told_to_parties_alone);
	tcase_add_test(tcase, what_has_ended_goes_after_a_day_and_what_has_not_stays);
	tcase_add_test(tcase, one_that_goes_on_after_all_is_kept);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
