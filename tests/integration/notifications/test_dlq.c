/* Dead letters, from the event that makes one to the replay that is applied: with the real `ww`. */
#include <stdio.h>

#include "command.h"

static struct postgres *pg;
static struct world world;

static void setup(void)
{
	world_start(&world, pg);
	world_spawn(&world, 0, NULL);
	command_setup(&world);
}

static void teardown(void)
{
	world_stop(&world);
}

static const char poison[] = "{\"id\":\"poison\",\"userIds\":[\"alice\"],\"payment\":{\"amount\":"
			     "\"1234.56\",\"currency\":\"EUR\",\"message\":\"secret words\"}}";

/* The database refuses the event until somebody mends it. */
static void make_one(void)
{
	postgres_exec(world.dsn,
	    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
	    " $$ BEGIN IF NEW.event_id = 'poison' THEN RAISE EXCEPTION 'broken'; END IF;"
	    " RETURN NEW; END $$;"
	    "CREATE TRIGGER refuse BEFORE INSERT ON notifications.inbox FOR EACH ROW"
	    " EXECUTE FUNCTION refuse()");
	world_publish(&world, poison);
	world_wait_dead(&world, 1);
}

START_TEST(a_dead_letter_is_listed_with_its_reason_and_without_its_words)
{
	make_one();
	ck_assert_int_eq(WW("dlq", "list"), 0);
	ck_assert_says("     1  ");
	ck_assert_says("ww.event.payment");
	ck_assert_says("broken");
	ck_assert_hides("1234");
	ck_assert_hides("secret");
	ck_assert_int_eq(WW("dlq", "list", "--json"), 0);
	ck_assert_says("{\"seq\":1,\"storedAt\":\"20");
	ck_assert_says("\"subject\":\"ww.event.payment\",\"streamSeq\":\"1\"");
	ck_assert_hides("secret");
	ck_assert_int_eq(WW("dlq", "list", "--json", "--show"), 0);
	ck_assert_says("\"event\":{\"id\":\"poison\"");
	ck_assert_says("\"message\":\"***\"");
	ck_assert_hides("1234");
	ck_assert_hides("secret");
	ck_assert_int_eq(WW("dlq", "list", "--json", "--reveal"), 0);
	ck_assert_says("\"event\":{\"id\":\"poison\"");
	ck_assert_says("\"message\":\"secret words\"");
}
END_TEST

START_TEST(a_replay_is_applied_when_the_cause_is_gone)
{
	make_one();
	/* Not yet: it comes back as another letter. */
	ck_assert_int_eq(WW("dlq", "replay", "1"), 0);
	world_wait_dead(&world, 2);
	ck_assert_int_eq(WW("dlq", "list"), 0);
	ck_assert_uint_eq(command_lines(), 1);
	ck_assert_says("     2  ");
	postgres_exec(world.dsn, "DROP TRIGGER refuse ON notifications.inbox");
	ck_assert_int_eq(WW("dlq", "replay", "2"), 0);
	ck_assert_says("stored as 3");
	world_wait_seq(&world, "alice", 1, 0);
	ck_assert_int_eq(WW("dlq", "list"), 0);
	ck_assert_uint_eq(command_lines(), 0);
}
END_TEST

/* Whoever dies between the two steps of a replay leaves a letter whose event was applied. */
START_TEST(an_event_that_is_replayed_twice_is_applied_once)
{
	world_bury_event(&world, poison);
	ck_assert_int_eq(WW("dlq", "replay", "1"), 0);
	ck_assert_int_eq(WW("dlq", "replay", "1"), 1);
	ck_assert_says("there is no such dead letter");
	world_bury_event(&world, poison);
	ck_assert_int_eq(WW("dlq", "replay", "2"), 0);
	ck_assert_says("stored as 2");
	world_publish(&world, "{\"id\":\"last\",\"userIds\":[\"alice\"],\"kyc\":{}}");
	world_wait_seq(&world, "alice", 2, 0);
	ck_assert_str_eq(world_since(&world, "alice", 0, 2)->items[1]->notification->id, "last");
}
END_TEST

START_TEST(all_are_replayed_in_their_order_but_what_is_no_event)
{
	char json[128];

	world_bury(&world, "ww.rt.user.alice", BYTES_LITERAL("forged"));
	world_bury(&world, "ww.event.user_ids", BYTES_LITERAL("forged"));
	for (int i = 1; i <= 250; i++) {
		(void)snprintf(json, sizeof(json),
		    "{\"id\":\"e%d\",\"userIds\":[\"alice\"],\"kyc\":{\"status\":\"x\"}}", i);
		world_bury_event(&world, json);
	}
	ck_assert_int_eq(WW("dlq", "list", "--limit", "120"), 0);
	ck_assert_uint_eq(command_lines(), 121);
	ck_assert_says("132 more: --from 121\n");
	ck_assert_int_eq(WW("dlq", "list", "--from", "251"), 0);
	ck_assert_uint_eq(command_lines(), 2);
	ck_assert_int_eq(WW("dlq", "replay", "--all"), 1);
	ck_assert_says("2: it came from no subject of an event, and stays\n");
	world_wait_seq(&world, "alice", 250, 0);
	world_check_mailbox(&world, "alice", "e", 250);
	ck_assert_int_eq(WW("dlq", "list"), 0);
	ck_assert_uint_eq(command_lines(), 2);
}
END_TEST

/* What only ww-chat may publish goes back under its name. */
START_TEST(a_letter_goes_back_under_the_name_of_its_publisher)
{
	world_bury(&world, "ww.event.chat", BYTES_LITERAL("\xff"));
	ck_assert_int_eq(remove(command_path("chat")), 0);
	ck_assert_int_eq(WW("dlq", "replay", "1"), 1);
	ck_assert_says("chat");
	command_write_password("chat");
	ck_assert_int_eq(WW("dlq", "replay", "1"), 0);
	world_wait_dead(&world, 2); /* it is no better than before */
	ck_assert_str_eq(bus_msg_header(world.dead[1], "Ww-Subject"), "ww.event.chat");
}
END_TEST

START_TEST(wrong_use_is_told)
{
	ck_assert_int_eq(WW("dlq"), 2);
	ck_assert_int_eq(WW("dlq", "list", "7"), 2);
	ck_assert_int_eq(WW("dlq", "list", "--all"), 2);
	ck_assert_int_eq(WW("dlq", "replay"), 2);
	ck_assert_int_eq(WW("dlq", "replay", "--all", "1"), 2);
	ck_assert_int_eq(WW("dlq", "replay", "first"), 2);
	ck_assert_int_eq(WW("dlq", "replay", "0"), 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notifications_dlq");
	TCase *tcase = tcase_create("dlq");

	pg = postgres_start();
	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_dead_letter_is_listed_with_its_reason_and_without_its_words);
	tcase_add_test(tcase, a_replay_is_applied_when_the_cause_is_gone);
	tcase_add_test(tcase, an_event_that_is_replayed_twice_is_applied_once);
	tcase_add_test(tcase, all_are_replayed_in_their_order_but_what_is_no_event);
	tcase_add_test(tcase, a_letter_goes_back_under_the_name_of_its_publisher);
	tcase_add_test(tcase, wrong_use_is_told);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
