/* Rooms: who may do what to whom, and who is told. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "support/proxy.h"
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

/* A group of alice (its owner), bob and carol; its event is taken. */
static const char *group(void)
{
	const char *reply = ask(&world, "alice", "create",
	    "{\"type\":\"group\",\"name\":\"Trip\",\"members\":[\"bob\",\"carol\"]}");
	const char *room = field(&world, reply, "room");

	ck_assert_has(room, "\"members\":[\"alice\",\"bob\",\"carol\"]");
	(void)next_event(&world);
	return field(&world, room, "id");
}

#define HI "{\"recipientId\":\"bob\",\"text\":\"hi\",\"clientId\":\"%d\"}"
#define ROLE "{\"roomId\":\"%s\",\"userId\":\"%s\",\"role\":\"%s\"}"

#define ck_refused(expected, ...) ck_assert_str_eq(ask(&world, __VA_ARGS__), expected)
#define ck_done(...) ck_assert_int_eq(ask(&world, __VA_ARGS__)[0], '{')

START_TEST(a_direct_room_is_one_per_pair_found_from_either_side)
{
	const char *one, *two, *event;

	one = ask(&world, "bob", "create", "{\"type\":\"direct\",\"members\":[\"alice\"]}");
	event = next_event(&world);
	ck_assert_has(event, "alice,bob: ");
	ck_assert_has(event, "\"change\":\"created\",\"userId\":\"bob\"");
	ck_assert_has(event, "\"type\":\"direct\",\"name\":\"\"");
	two = ask(&world, "alice", "create", "{\"type\":\"direct\",\"members\":[\"bob\"]}");
	ck_assert_str_eq(one, two);
	no_event(&world);
}
END_TEST

START_TEST(two_who_create_the_same_direct_room_at_once_get_one)
{
	enum { CREATORS = 8 };
	struct asker creators[CREATORS];
	const char *answers[CREATORS];

	for (int i = 0; i < CREATORS; i++)
		asker_start(&creators[i], &world, i % 2 ? "alice" : "bob", "create",
		    "{\"type\":\"direct\",\"members\":[\"%s\"]}", i % 2 ? "bob" : "alice");
	for (int i = 0; i < CREATORS; i++) {
		answers[i] = asker_end(&creators[i]);
		ck_assert_str_eq(answers[i], answers[0]);
	}
	ck_assert_has(answers[0], "\"members\":[\"alice\",\"bob\"]");
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.rooms"), 1);
	(void)next_event(&world);
	no_event(&world);
}
END_TEST

START_TEST(a_group_is_created_once_for_one_key)
{
	const char *payload = "{\"type\":\"group\",\"name\":\"Trip\",\"members\":[\"bob\"],"
			      "\"clientId\":\"g1\"}";
	const char *one = ask(&world, "alice", "create", "%s", payload);

	ck_assert_str_eq(ask(&world, "alice", "create", "%s", payload), one);
	ck_assert_str_ne(ask(&world, "bob", "create", "%s",
			     "{\"type\":\"group\",\"name\":\"Trip\",\"members\":[\"alice\"],"
			     "\"clientId\":\"g1\"}"),
	    one);
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.rooms"), 2);
}
END_TEST

/* The service sees that it may or may not have been done, and does it again. */
START_TEST(a_group_without_a_key_is_created_once_also_if_the_answer_of_the_commit_is_lost)
{
	const char *direct = world.dsn, *reply;
	char through[128];
	int port = 0, prefix = 0;
	struct proxy *proxy;

	ck_assert_int_eq(sscanf(direct, "postgresql://postgres@127.0.0.1:%n%d", &prefix, &port), 1);
	proxy = proxy_start(port);
	(void)snprintf(through, sizeof(through), "%.*s%d%s", prefix, direct, proxy_port(proxy),
	    strrchr(direct, '/'));
	world_kill(&world, 0, SIGTERM);
	world.dsn = through;
	world_spawn(&world, 0, NULL);
	world.dsn = direct;
	proxy_lose_answer(proxy, "Trip to Rome", "COMMIT");
	reply = ask(&world, "alice", "create",
	    "{\"type\":\"group\",\"name\":\"Trip to Rome\",\"members\":[\"bob\"]}");
	ck_assert_has(reply, "\"members\":[\"alice\",\"bob\"]");
	ck_assert(proxy_has_lost(proxy));
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.rooms"), 1);
	ck_assert_has(next_event(&world), field(&world, field(&world, reply, "room"), "id"));
	no_event(&world);
	/* Who asks twice without a key wants two. */
	ck_done("alice", "create",
	    "{\"type\":\"group\",\"name\":\"Trip to Rome\",\"members\":[\"bob\"]}");
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.rooms"), 2);
	world_kill(&world, 0, SIGTERM);
	proxy_stop(proxy);
}
END_TEST

START_TEST(a_room_is_refused_with_the_field_that_is_wrong)
{
	static const char *const cases[][2] = {
		{ "invalid type", "{\"members\":[\"bob\"]}" },
		{ "invalid members", "{\"type\":\"direct\"}" },
		{ "invalid members", "{\"type\":\"direct\",\"members\":[\"bob\",\"carol\"]}" },
		{ "invalid members", "{\"type\":\"direct\",\"members\":[\"alice\"]}" },
		{ "invalid members", "{\"type\":\"direct\",\"members\":[\"\"]}" },
		{ "invalid name", "{\"type\":\"direct\",\"members\":[\"bob\"],\"name\":\"x\"}" },
		{ "invalid name", "{\"type\":\"group\",\"members\":[\"bob\"]}" },
		{ "invalid name", "{\"type\":\"group\",\"members\":[],\"name\":\" \\n\"}" },
		{ "invalid members",
		    "{\"type\":\"group\",\"name\":\"x\",\"members\":[\"bob\",\"bob\"]}" },
		{ "too_large members",
		    "{\"type\":\"group\",\"name\":\"x\",\"members\":[\"b\",\"c\",\"d\"]}" },
	};

	world_kill(&world, 0, SIGTERM);
	world_spawn(&world, 0, (const char *[]){ "--max-members=3", NULL });
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_refused(cases[i][0], "alice", "create", "%s", cases[i][1]);
	ck_refused("invalid caller", "", "create", "{\"type\":\"direct\",\"members\":[\"bob\"]}");
	no_event(&world);
}
END_TEST

START_TEST(members_whose_ids_would_not_fit_an_event_are_refused)
{
	struct buf payload = BUF_INIT;

	buf_append_str(&payload, "{\"type\":\"group\",\"name\":\"x\",\"members\":[");
	for (int i = 0; i < 255; i++)
		buf_appendf(&payload, "%s\"%0128d\"", i ? "," : "", i);
	buf_append_str(&payload, "]}");
	ck_refused("too_large members", "alice", "create", "%s", buf_str(&payload));
	buf_finish(&payload);
}
END_TEST

START_TEST(a_room_of_256_holds_a_message_of_the_worst_kind)
{
	struct buf payload = BUF_INIT;
	const char *room, *event;

	buf_append_str(&payload, "{\"type\":\"group\",\"name\":\"x\",\"members\":[");
	for (int i = 0; i < 255; i++)
		buf_appendf(&payload, "%s\"%0100d\"", i ? "," : "", i);
	buf_append_str(&payload, "]}");
	room = field(&world,
	    field(&world, ask(&world, "alice", "create", "%s", buf_str(&payload)), "room"), "id");
	(void)next_event(&world);
	buf_finish(&payload);
	/* Six bytes each on the wire. */
	buf_appendf(&payload, "{\"roomId\":\"%s\",\"clientId\":\"%0128d\",\"text\":\"", room, 1);
	for (int i = 0; i < 4000; i++)
		buf_append_str(&payload, "\\\"");
	buf_append_str(&payload, "\"}");
	ck_done("alice", "send", "%s", buf_str(&payload));
	event = next_event(&world);
	ck_assert_has(event, "&quot;&quot;");
	ck_refused(
	    "too_large userId", "alice", "invite", "{\"roomId\":\"%s\",\"userId\":\"z\"}", room);
	buf_finish(&payload);
}
END_TEST

START_TEST(who_is_invited_may_join_and_sees_what_follows)
{
	const char *room = group(), *event, *history;

	ck_done("alice", "send", "{\"roomId\":\"%s\",\"text\":\"one\",\"clientId\":\"1\"}", room);
	(void)next_event(&world);
	ck_refused("forbidden", "dave", "join", "{\"roomId\":\"%s\"}", room);
	ck_refused("forbidden", "bob", "invite", "{\"roomId\":\"%s\",\"userId\":\"dave\"}", room);
	ck_refused("forbidden", "dave", "invite", "{\"roomId\":\"%s\",\"userId\":\"eve\"}", room);
	ck_refused(
	    "invalid userId", "alice", "invite", "{\"roomId\":\"%s\",\"userId\":\"alice\"}", room);
	ck_done("alice", "invite", "{\"roomId\":\"%s\",\"userId\":\"dave\"}", room);
	event = next_event(&world);
	ck_assert_has(event, "alice,bob,carol,dave: ");
	ck_assert_has(event, "\"change\":\"invited\",\"userId\":\"dave\"");
	ck_assert_has(event, "\"members\":[\"alice\",\"bob\",\"carol\"]");
	ck_done("alice", "invite", "{\"roomId\":\"%s\",\"userId\":\"dave\"}", room);
	no_event(&world);
	/* No member yet. */
	ck_refused("forbidden", "dave", "history", "{\"roomId\":\"%s\"}", room);
	ck_refused("forbidden", "dave", "view", "{\"roomId\":\"%s\"}", room);
	ck_refused("forbidden", "dave", "typing", "{\"roomId\":\"%s\",\"typing\":true}", room);
	ck_refused("forbidden", "dave", "read", "{\"roomId\":\"%s\",\"seq\":1}", room);
	ck_refused("forbidden", "dave", "send",
	    "{\"roomId\":\"%s\",\"text\":\"x\",\"clientId\":\"x\"}", room);
	ck_assert_has(ask(&world, "dave", "rooms", "{}"), "\"role\":\"invited\",\"newestSeq\":0");
	ck_assert_has_not(ask(&world, "dave", "rooms", "{}"), "one");
	ck_done(
	    "alice", "send", "{\"roomId\":\"%s\",\"text\":\"one more\",\"clientId\":\"2\"}", room);
	ck_assert(strncmp(next_event(&world), "alice,bob,carol: ", 17) == 0);
	ck_done("dave", "join", "{\"roomId\":\"%s\"}", room);
	event = next_event(&world);
	ck_assert_has(event, "alice,bob,carol,dave: ");
	ck_assert_has(event, "\"change\":\"joined\",\"userId\":\"dave\"");
	ck_done("dave", "join", "{\"roomId\":\"%s\"}", room);
	no_event(&world);
	ck_done("bob", "send", "{\"roomId\":\"%s\",\"text\":\"two\",\"clientId\":\"1\"}", room);
	ck_assert_has(next_event(&world), "alice,bob,carol,dave: ");
	history = ask(&world, "dave", "history", "{\"roomId\":\"%s\"}", room);
	ck_assert_has_not(history, "one");
	ck_assert_has(history, "two");
	ck_assert_has(history, "\"oldestSeq\":3,\"newestSeq\":3");
	ck_assert_has(ask(&world, "dave", "rooms", "{}"), "\"readSeq\":2,\"unread\":1");
	ck_assert_has(
	    ask(&world, "alice", "history", "{\"roomId\":\"%s\"}", room), "\"oldestSeq\":1");
}
END_TEST

START_TEST(an_invitation_can_be_declined_or_taken_back)
{
	const char *room = group(), *event;

	ck_done("alice", "invite", "{\"roomId\":\"%s\",\"userId\":\"dave\"}", room);
	(void)next_event(&world);
	ck_done("dave", "leave", "{\"roomId\":\"%s\"}", room);
	event = next_event(&world);
	ck_assert_has(event, "alice,bob,carol,dave: ");
	ck_assert_has(event, "\"change\":\"left\",\"userId\":\"dave\"");
	ck_refused("forbidden", "dave", "join", "{\"roomId\":\"%s\"}", room);
	ck_done("alice", "invite", "{\"roomId\":\"%s\",\"userId\":\"dave\"}", room);
	(void)next_event(&world);
	ck_done("alice", "remove", "{\"roomId\":\"%s\",\"userId\":\"dave\"}", room);
	ck_assert_has(next_event(&world), "\"change\":\"removed\",\"userId\":\"dave\"");
	ck_refused("forbidden", "dave", "join", "{\"roomId\":\"%s\"}", room);
}
END_TEST

START_TEST(a_removed_member_is_told_of_that_and_of_nothing_after_it)
{
	const char *room = group(), *event;

	ck_done("alice", "remove", "{\"roomId\":\"%s\",\"userId\":\"bob\"}", room);
	event = next_event(&world);
	ck_assert_has(event, "alice,bob,carol: ");
	ck_assert_has(event, "\"change\":\"removed\",\"userId\":\"bob\"");
	ck_assert_has(event, "\"members\":[\"alice\",\"carol\"]");
	ck_done("alice", "send", "{\"roomId\":\"%s\",\"text\":\"one\",\"clientId\":\"1\"}", room);
	ck_assert_has(next_event(&world), "alice,carol: ");
	ck_refused("forbidden", "bob", "history", "{\"roomId\":\"%s\"}", room);
	ck_refused("forbidden", "bob", "send",
	    "{\"roomId\":\"%s\",\"text\":\"x\",\"clientId\":\"x\"}", room);
	ck_refused("forbidden", "bob", "read", "{\"roomId\":\"%s\",\"seq\":1}", room);
	ck_refused(
	    "forbidden", "bob", "report", "{\"roomId\":\"%s\",\"seq\":1,\"reason\":\"x\"}", room);
	ck_assert_str_eq(ask(&world, "bob", "rooms", "{}"), "{\"rooms\":[],\"next\":\"\"}");
	ck_done("alice", "remove", "{\"roomId\":\"%s\",\"userId\":\"bob\"}", room);
	no_event(&world);
}
END_TEST

START_TEST(roles_decide_who_removes_and_renames)
{
	const char *room = group();

	ck_refused("forbidden", "bob", "rename", "{\"roomId\":\"%s\",\"name\":\"x\"}", room);
	ck_refused("forbidden", "bob", "remove", "{\"roomId\":\"%s\",\"userId\":\"carol\"}", room);
	ck_done("alice", "invite", "{\"roomId\":\"%s\",\"userId\":\"dave\",\"admin\":true}", room);
	ck_done("dave", "join", "{\"roomId\":\"%s\"}", room);
	ck_assert_has(ask(&world, "dave", "rooms", "{}"), "\"role\":\"admin\"");
	ck_done("dave", "rename", "{\"roomId\":\"%s\",\"name\":\"<b>&\"}", room);
	(void)next_event(&world);
	(void)next_event(&world);
	ck_assert_has(next_event(&world), "\"name\":\"&lt;b&gt;&amp;\"");
	ck_refused("invalid name", "dave", "rename", "{\"roomId\":\"%s\",\"name\":\"\"}", room);
	ck_refused("forbidden", "dave", "remove", "{\"roomId\":\"%s\",\"userId\":\"alice\"}", room);
	ck_refused("forbidden", "dave", "invite",
	    "{\"roomId\":\"%s\",\"userId\":\"eve\",\"admin\":true}", room);
	ck_done("dave", "invite", "{\"roomId\":\"%s\",\"userId\":\"eve\"}", room);
	ck_done("dave", "remove", "{\"roomId\":\"%s\",\"userId\":\"carol\"}", room);
	ck_done("alice", "remove", "{\"roomId\":\"%s\",\"userId\":\"dave\"}", room);
}
END_TEST

START_TEST(the_role_of_a_member_is_the_owners_to_give)
{
	const char *room = group(), *event;

	ck_refused("forbidden", "bob", "role", ROLE, room, "carol", "admin");
	ck_refused("forbidden", "dave", "role", ROLE, room, "carol", "admin");
	ck_refused("invalid userId", "alice", "role", ROLE, room, "dave", "admin");
	ck_refused("invalid userId", "alice", "role", ROLE, room, "alice", "admin");
	ck_refused("invalid role", "alice", "role", ROLE, room, "bob", "invited");
	ck_refused("not_found", "alice", "role", ROLE, "none", "bob", "admin");
	ck_done("alice", "invite", "{\"roomId\":\"%s\",\"userId\":\"dave\"}", room);
	ck_refused("invalid userId", "alice", "role", ROLE, room, "dave", "admin");
	(void)next_event(&world);
	ck_done("alice", "role", ROLE, room, "carol", "admin");
	event = next_event(&world);
	ck_assert_has(event, "alice,bob,carol: ");
	ck_assert_has(event, "\"change\":\"role\",\"userId\":\"carol\"");
	ck_done("alice", "role", ROLE, room, "carol", "admin");
	no_event(&world);
	ck_done("carol", "rename", "{\"roomId\":\"%s\",\"name\":\"x\"}", room);
	(void)next_event(&world);
	ck_refused("forbidden", "carol", "role", ROLE, room, "bob", "admin");
	/* A room has one owner, who is the admin then. */
	ck_done("alice", "role", ROLE, room, "bob", "owner");
	ck_assert_has(next_event(&world), "\"change\":\"role\",\"userId\":\"bob\"");
	/* Again is fine, though who asks is no owner any more. */
	ck_done("alice", "role", ROLE, room, "bob", "owner");
	no_event(&world);
	ck_assert_has(ask(&world, "alice", "rooms", "{}"), "\"role\":\"admin\"");
	ck_assert_has(ask(&world, "bob", "rooms", "{}"), "\"role\":\"owner\"");
	ck_refused("forbidden", "alice", "role", ROLE, room, "carol", "member");
	ck_done("bob", "role", ROLE, room, "carol", "member");
	ck_refused("forbidden", "carol", "rename", "{\"roomId\":\"%s\",\"name\":\"y\"}", room);
	/* Who was there first is the elder, whatever they were meanwhile. */
	ck_done("bob", "role", ROLE, room, "alice", "member");
	ck_done("bob", "leave", "{\"roomId\":\"%s\"}", room);
	ck_assert_has(ask(&world, "alice", "rooms", "{}"), "\"role\":\"owner\"");
}
END_TEST

START_TEST(an_owner_who_leaves_hands_over_and_the_last_one_ends_the_room)
{
	const char *room = group();

	ck_done("alice", "leave", "{\"roomId\":\"%s\"}", room);
	ck_assert_has(next_event(&world), "\"change\":\"left\",\"userId\":\"alice\"");
	ck_done("alice", "leave", "{\"roomId\":\"%s\"}", room);
	no_event(&world);
	ck_assert_has(ask(&world, "bob", "rooms", "{}"), "\"role\":\"owner\"");
	ck_done("bob", "invite", "{\"roomId\":\"%s\",\"userId\":\"dave\"}", room);
	ck_done("bob", "leave", "{\"roomId\":\"%s\"}", room);
	ck_assert_has(ask(&world, "carol", "rooms", "{}"), "\"role\":\"owner\"");
	ck_done("carol", "leave", "{\"roomId\":\"%s\"}", room);
	ck_done("carol", "leave", "{\"roomId\":\"%s\"}", room);
	ck_refused("not_found", "dave", "join", "{\"roomId\":\"%s\"}", room);
	ck_refused("not_found", "carol", "history", "{\"roomId\":\"%s\"}", room);
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.members"), 0);
}
END_TEST

static bool rooms_are_one(void *arg)
{
	(void)arg;
	return query(&world, "SELECT count(*) FROM chat.rooms") == 1;
}

/* Who has something to hide may make everybody leave before somebody comes to hold it. */
START_TEST(a_room_that_has_ended_is_held_all_the_same)
{
	const char *room, *other;

	world_kill(&world, 0, SIGTERM);
	world_spawn(&world, 0, (const char *[]){ "--retention=240h", NULL });
	room = group();
	other = group();
	for (int i = 0; i < 2; i++) {
		const char *each = i ? other : room;

		ck_done(
		    "bob", "send", "{\"roomId\":\"%s\",\"text\":\"x\",\"clientId\":\"1\"}", each);
		ck_done("bob", "leave", "{\"roomId\":\"%s\"}", each);
		ck_done("carol", "leave", "{\"roomId\":\"%s\"}", each);
		ck_done("alice", "leave", "{\"roomId\":\"%s\"}", each);
	}
	ck_assert_str_eq(
	    ask_backend(&world, "hold", "{\"roomId\":\"%s\"}", room), "{\"messages\":1}");
	/* When what was said there has expired, the other one goes. */
	postgres_exec(world.dsn, "UPDATE chat.rooms SET ended_at = ended_at - interval '11 days'");
	world_kill(&world, 0, SIGTERM);
	world_spawn(&world, 0, (const char *[]){ "--retention=240h", NULL });
	ck_assert(support_wait(rooms_are_one, NULL, WORLD_WAIT_MS));
	ck_assert_str_eq(ask_backend(&world, "hold", "{\"roomId\":\"%s\"}", other), "not_found");
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.messages_held"), 1);
	ck_assert_str_eq(ask_backend(&world, "hold", "{\"roomId\":\"%s\",\"release\":true}", room),
	    "{\"messages\":1}");
}
END_TEST

START_TEST(a_direct_room_goes_on_after_both_were_erased)
{
	const char *room = field(&world, ask(&world, "alice", "send", HI, 1), "roomId");

	while (strcmp(field(&world, ask_backend(&world, "erase", "{\"userId\":\"alice\"}"), "more"),
		   "true") == 0)
		;
	while (strcmp(field(&world, ask_backend(&world, "erase", "{\"userId\":\"bob\"}"), "more"),
		   "true") == 0)
		;
	ck_refused("not_found", "alice", "history", "{\"roomId\":\"%s\"}", room);
	ck_assert_str_eq(field(&world, ask(&world, "alice", "send", HI, 2), "roomId"), room);
	ck_done("bob", "history", "{\"roomId\":\"%s\"}", room);
	ck_assert_int_eq(
	    query(&world, "SELECT count(*) FROM chat.rooms WHERE ended_at IS NULL"), 1);
}
END_TEST

START_TEST(a_block_outlives_the_erasure_of_who_is_blocked)
{
	(void)ask(&world, "alice", "send", HI, 1);
	ck_done("bob", "block", "{\"userId\":\"alice\"}");
	while (strcmp(field(&world, ask_backend(&world, "erase", "{\"userId\":\"alice\"}"), "more"),
		   "true") == 0)
		;
	ck_refused("forbidden", "alice", "create", "{\"type\":\"direct\",\"members\":[\"bob\"]}");
	ck_done("bob", "unblock", "{\"userId\":\"alice\"}");
	ck_done("alice", "create", "{\"type\":\"direct\",\"members\":[\"bob\"]}");
}
END_TEST

/* Edges need not wait for the item. */
START_TEST(who_is_gone_is_told_to_open_rooms_at_once)
{
	const char *room = group();

	ck_done("alice", "remove", "{\"roomId\":\"%s\",\"userId\":\"bob\"}", room);
	ck_assert_has(wait_ring(&world, "\"gone\":[\"bob\"]"), room);
	ck_done("carol", "leave", "{\"roomId\":\"%s\"}", room);
	ck_assert_has(wait_ring(&world, "\"gone\":[\"carol\"]"), room);
	ck_done("carol", "leave", "{\"roomId\":\"%s\"}", room);
	ck_done("alice", "typing", "{\"roomId\":\"%s\",\"typing\":true}", room);
	ck_assert_has(wait_ring(&world, "\"gone\":[]"), "alice");
}
END_TEST

START_TEST(the_two_of_a_direct_room_stay)
{
	const char *room = field(&world,
	    field(&world,
		ask(&world, "alice", "create", "{\"type\":\"direct\",\"members\":[\"bob\"]}"),
		"room"),
	    "id");

	ck_refused("invalid roomId", "alice", "leave", "{\"roomId\":\"%s\"}", room);
	ck_refused(
	    "invalid roomId", "alice", "invite", "{\"roomId\":\"%s\",\"userId\":\"eve\"}", room);
	ck_refused(
	    "invalid roomId", "alice", "remove", "{\"roomId\":\"%s\",\"userId\":\"bob\"}", room);
	ck_refused("invalid roomId", "alice", "rename", "{\"roomId\":\"%s\",\"name\":\"x\"}", room);
}
END_TEST

START_TEST(there_is_no_room_of_that_name)
{
	static const char *const cases[][2] = {
		{ "join", "{\"roomId\":\"none\"}" },
		{ "leave", "{\"roomId\":\"none\"}" },
		{ "invite", "{\"roomId\":\"none\",\"userId\":\"bob\"}" },
		{ "remove", "{\"roomId\":\"none\",\"userId\":\"bob\"}" },
		{ "rename", "{\"roomId\":\"none\",\"name\":\"x\"}" },
		{ "send", "{\"roomId\":\"none\",\"text\":\"x\",\"clientId\":\"1\"}" },
		{ "edit", "{\"roomId\":\"none\",\"text\":\"x\",\"seq\":1}" },
		{ "delete", "{\"roomId\":\"none\",\"seq\":1}" },
		{ "history", "{\"roomId\":\"none\"}" },
		{ "history", "{\"recipientId\":\"bob\"}" },
		{ "read", "{\"roomId\":\"\",\"seq\":1}" },
		{ "typing", "{\"roomId\":\"none\",\"typing\":true}" },
		{ "view", "{\"roomId\":\"none\"}" },
		{ "report", "{\"roomId\":\"none\",\"seq\":1,\"reason\":\"x\"}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_refused("not_found", "alice", cases[i][0], "%s", cases[i][1]);
}
END_TEST

START_TEST(rooms_come_by_pages_the_newest_activity_first)
{
	const char *page, *rooms;

	for (int i = 0; i < 5; i++)
		ck_done("alice", "create", "{\"type\":\"direct\",\"members\":[\"user-%d\"]}", i);
	ck_done(
	    "user-1", "send", "{\"recipientId\":\"alice\",\"text\":\"hello\",\"clientId\":\"1\"}");
	page = ask(&world, "alice", "rooms", "{\"limit\":2}");
	rooms = field(&world, page, "rooms");
	ck_assert_has(rooms, "user-1");
	ck_assert_has(rooms, "user-4");
	ck_assert_has(rooms, "\"text\":\"hello\"");
	ck_assert_has(rooms, "\"unread\":1");
	ck_assert_has_not(rooms, "user-3");
	page = ask(&world, "alice", "rooms", "{\"limit\":2,\"before\":\"%s\"}",
	    field(&world, page, "next"));
	ck_assert_has(page, "user-3");
	ck_assert_has(page, "user-2");
	page = ask(&world, "alice", "rooms", "{\"limit\":2,\"before\":\"%s\"}",
	    field(&world, page, "next"));
	ck_assert_has(page, "user-0");
	ck_assert_str_eq(field(&world, page, "next"), "");
	ck_refused("invalid limit", "alice", "rooms", "{\"limit\":51}");
	ck_refused("invalid before", "alice", "rooms", "{\"before\":\"x\"}");
	ck_refused("invalid before", "alice", "rooms", "{\"before\":\"1.x y\"}");
}
END_TEST

START_TEST(who_blocks_is_not_written_to_directly_from_either_side)
{
	const char *room = group();
	const char *direct = field(&world,
	    ask(&world, "alice", "send",
		"{\"recipientId\":\"bob\",\"text\":\"one\",\"clientId\":\"1\"}"),
	    "roomId");

	ck_refused("invalid userId", "bob", "block", "{\"userId\":\"bob\"}");
	ck_refused("invalid userId", "bob", "block", "{\"userId\":\"\"}");
	ck_done("bob", "block", "{\"userId\":\"alice\"}");
	ck_done("bob", "block", "{\"userId\":\"alice\"}");
	ck_assert_str_eq(
	    ask(&world, "bob", "blocks", "{}"), "{\"userIds\":[\"alice\"],\"next\":\"\"}");
	ck_refused("forbidden", "alice", "send",
	    "{\"recipientId\":\"bob\",\"text\":\"two\",\"clientId\":\"2\"}");
	ck_refused("forbidden", "bob", "send",
	    "{\"roomId\":\"%s\",\"text\":\"two\",\"clientId\":\"2\"}", direct);
	ck_refused(
	    "forbidden", "alice", "edit", "{\"roomId\":\"%s\",\"text\":\"two\",\"seq\":1}", direct);
	/* What was stored was stored. */
	ck_assert_str_eq(field(&world,
			     ask(&world, "alice", "send",
				 "{\"recipientId\":\"bob\",\"text\":\"one\",\"clientId\":\"1\"}"),
			     "seq"),
	    "1");
	ck_done("alice", "delete", "{\"roomId\":\"%s\",\"seq\":1}", direct);
	/* Typing is taken and shown to nobody. */
	ck_done("alice", "typing", "{\"roomId\":\"%s\",\"typing\":true}", direct);
	ck_done("carol", "typing", "{\"roomId\":\"%s\",\"typing\":true}", room);
	(void)wait_ring(&world, "carol");
	ck_assert_uint_eq(count_rings(&world, "alice"), 0);
	/* In a room of others they are members as all. */
	ck_done("alice", "send", "{\"roomId\":\"%s\",\"text\":\"x\",\"clientId\":\"1\"}", room);
	ck_done("alice", "leave", "{\"roomId\":\"%s\"}", room);
	ck_refused(
	    "forbidden userId", "bob", "invite", "{\"roomId\":\"%s\",\"userId\":\"alice\"}", room);
	ck_refused("forbidden members", "alice", "create",
	    "{\"type\":\"group\",\"name\":\"x\",\"members\":[\"carol\",\"bob\"]}");
	ck_done("bob", "unblock", "{\"userId\":\"alice\"}");
	ck_done("alice", "send", "{\"recipientId\":\"bob\",\"text\":\"two\",\"clientId\":\"2\"}");
}
END_TEST

/* Two rows that a send comes to when it has looked for blocks: the room, unless there is one, and
 * the sender's marker. */
static struct db *hold_sends(bool has_room)
{
	return world_hold(
	    &world, has_room ? "SELECT FROM chat.members WHERE user_id = 'alice' FOR UPDATE"
			     : "INSERT INTO chat.rooms (room_id, type, name, first_id, second_id,"
			       " creator_id) VALUES ('r', 1, '', 'alice', 'bob', 'bob')");
}

/* First without a room, then in the room of the two. */
START_TEST(a_block_waits_for_what_is_being_said)
{
	for (int i = 1; i <= 2; i++) {
		struct db *held = hold_sends(/* has_room= */ i > 1);
		struct asker send, block;

		asker_start(&send, &world, "alice", "send", HI, i);
		wait_for_waiters(&world, 1);
		asker_start(&block, &world, "bob", "block", "{\"userId\":\"alice\"}");
		wait_for_waiters(&world, 2);
		world_let_go(held);
		ck_assert_int_eq(asker_end(&send)[0], '{');
		ck_assert_int_eq(asker_end(&block)[0], '{');
		ck_assert_int_eq(query(&world, "SELECT seq FROM chat.rooms"), i);
		ck_refused("forbidden", "alice", "send", HI, 10);
		ck_done("bob", "unblock", "{\"userId\":\"alice\"}");
	}
}
END_TEST

START_TEST(what_is_said_waits_for_a_block_and_is_refused_by_it)
{
	for (int i = 1; i <= 2; i++) {
		struct db *held =
		    world_hold(&world, "INSERT INTO chat.blocks VALUES ('bob', 'alice')");
		struct asker send, block;

		asker_start(&block, &world, "bob", "block", "{\"userId\":\"alice\"}");
		wait_for_waiters(&world, 1);
		asker_start(&send, &world, "alice", "send", HI, i);
		wait_for_waiters(&world, 2);
		world_let_go(held);
		ck_assert_int_eq(asker_end(&block)[0], '{');
		ck_assert_str_eq(asker_end(&send), "forbidden");
		ck_done("bob", "unblock", "{\"userId\":\"alice\"}");
		ck_done("alice", "create", "{\"type\":\"direct\",\"members\":[\"bob\"]}");
	}
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.messages"), 0);
}
END_TEST

START_TEST(strangers_who_block_have_no_room)
{
	ck_done("bob", "block", "{\"userId\":\"alice\"}");
	ck_refused("forbidden", "alice", "create", "{\"type\":\"direct\",\"members\":[\"bob\"]}");
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.rooms"), 0);
}
END_TEST

START_TEST(where_only_friends_may_others_are_refused)
{
	world_kill(&world, 0, SIGTERM);
	world_spawn(&world, 0, (const char *[]){ "--friends-only=true", NULL });
	/* Nobody can tell: later, perhaps. */
	ck_refused("unavailable", "alice", "send",
	    "{\"recipientId\":\"bob\",\"text\":\"x\",\"clientId\":\"1\"}");
	world_befriend(&world, "alice", "bob");
	ck_done("alice", "send", "{\"recipientId\":\"bob\",\"text\":\"x\",\"clientId\":\"1\"}");
	ck_refused("forbidden recipientId", "alice", "send",
	    "{\"recipientId\":\"eve\",\"text\":\"x\",\"clientId\":\"1\"}");
	ck_refused(
	    "forbidden members", "eve", "create", "{\"type\":\"direct\",\"members\":[\"alice\"]}");
	ck_refused("forbidden members", "alice", "create",
	    "{\"type\":\"group\",\"name\":\"x\",\"members\":[\"bob\",\"eve\"]}");
	ck_done("bob", "create", "{\"type\":\"group\",\"name\":\"x\",\"members\":[\"alice\"]}");
}
END_TEST

START_TEST(a_retry_is_answered_also_after_the_friendship)
{
	const char *const retry = "{\"recipientId\":\"bob\",\"text\":\"x\",\"clientId\":\"1\"}";
	const char *first = ask(&world, "alice", "send", "%s", retry);

	ck_assert_has(first, "\"seq\":1");
	world_kill(&world, 0, SIGTERM);
	world_spawn(&world, 0, (const char *[]){ "--friends-only=true", NULL });
	world_befriend(&world, "alice", "carol");
	ck_refused("forbidden recipientId", "alice", "send",
	    "{\"recipientId\":\"bob\",\"text\":\"x\",\"clientId\":\"2\"}");
	ck_assert_str_eq(ask(&world, "alice", "send", "%s", retry), first);
	/* What one has said is one's own. */
	ck_done("alice", "edit", "{\"roomId\":\"%s\",\"seq\":1,\"text\":\"y\"}",
	    field(&world, first, "roomId"));
	/* Strangers who may not write have no room either. */
	ck_refused("forbidden recipientId", "alice", "send",
	    "{\"recipientId\":\"eve\",\"text\":\"x\",\"clientId\":\"1\"}");
	ck_refused("not_found", "eve", "history", "{\"recipientId\":\"alice\"}");
}
END_TEST

#define HELLO "{\"recipientId\":\"bob\",\"text\":\"x\",\"clientId\":\"1\"}"
#define TRIP "{\"type\":\"group\",\"name\":\"x\",\"clientId\":\"%s\",\"members\":[\"bob\"]}"

/* They are believed for a while by who asked, so somebody else answers the retry. */
START_TEST(a_retry_is_answered_where_nobody_can_tell_who_is_a_friend)
{
	const char *sent, *created;

	world_kill(&world, 0, SIGTERM);
	world_spawn(&world, 0, (const char *[]){ "--friends-only=true", NULL });
	world_befriend(&world, "alice", "bob");
	sent = ask(&world, "alice", "send", HELLO);
	created = ask(&world, "alice", "create", TRIP, "g1");
	ck_assert_int_eq(sent[0], '{');
	ck_assert_int_eq(created[0], '{');
	support_end(&world.presence, SIGTERM, world.log[WORLD_REPLICAS]);
	world_kill(&world, 0, SIGTERM);
	world_spawn(&world, 0, (const char *[]){ "--friends-only=true", NULL });
	ck_assert_str_eq(ask(&world, "alice", "send", HELLO), sent);
	ck_assert_str_eq(ask(&world, "alice", "create", TRIP, "g1"), created);
	ck_refused("unavailable", "alice", "create", TRIP, "g2");
	ck_refused("unavailable", "alice", "send",
	    "{\"recipientId\":\"bob\",\"text\":\"x\",\"clientId\":\"2\"}");
}
END_TEST

START_TEST(who_is_in_too_many_rooms_or_made_too_many_makes_no_more)
{
	const char *kept;

	world_kill(&world, 0, SIGTERM);
	world_spawn(&world, 0, (const char *[]){ "--max-rooms=3", "--max-new-rooms=2", NULL });
	kept = ask(&world, "alice", "create", TRIP, "g1");
	ck_done("alice", "send", HELLO);
	/* Made already: a retry, and the other one's direct room. */
	ck_assert_str_eq(ask(&world, "alice", "create", TRIP, "g1"), kept);
	ck_done("alice", "create", "{\"type\":\"direct\",\"members\":[\"bob\"]}");
	ck_refused("rate_limited", "alice", "create", TRIP, "g2");
	ck_refused("rate_limited", "alice", "send",
	    "{\"recipientId\":\"eve\",\"text\":\"x\",\"clientId\":\"1\"}");
	/* Of yesterday. */
	postgres_exec(
	    world.dsn, "UPDATE chat.rooms SET created_at = created_at - interval '25 hours'");
	ck_done("alice", "create", TRIP, "g3");
	ck_refused("too_large", "alice", "create", TRIP, "g4");
	ck_refused("too_large", "alice", "create", "{\"type\":\"direct\",\"members\":[\"eve\"]}");
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.rooms"), 3);
}
END_TEST

START_TEST(views_are_told_apart)
{
	const char *room = group();

	ck_done("alice", "view", "{\"roomId\":\"%s\"}", room);
	ck_assert_str_eq(ask(&world, "edge", "views",
			     "{\"views\":[{\"roomId\":\"%s\",\"userId\":\"bob\"},"
			     "{\"roomId\":\"%s\",\"userId\":\"eve\"},"
			     "{\"roomId\":\"none\",\"userId\":\"bob\"},"
			     "{\"roomId\":\"%s\",\"userId\":\"alice\"}]}",
			     room, room, room),
	    "{\"open\":[true,false,false,true]}");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("chat_rooms");
	TCase *tc = tcase_create("rooms"), *races = tcase_create("races");

	pg = postgres_start();
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(races, 60);
	tcase_add_checked_fixture(races, setup, teardown);
	tcase_add_test(tc, a_direct_room_is_one_per_pair_found_from_either_side);
	tcase_add_test(races, two_who_create_the_same_direct_room_at_once_get_one);
	tcase_add_test(tc, a_group_is_created_once_for_one_key);
	tcase_add_test(
	    races, a_group_without_a_key_is_created_once_also_if_the_answer_of_the_commit_is_lost);
	tcase_add_test(tc, a_room_is_refused_with_the_field_that_is_wrong);
	tcase_add_test(tc, members_whose_ids_would_not_fit_an_event_are_refused);
	tcase_add_test(tc, a_room_of_256_holds_a_message_of_the_worst_kind);
	tcase_add_test(tc, who_is_invited_may_join_and_sees_what_follows);
	tcase_add_test(tc, an_invitation_can_be_declined_or_taken_back);
	tcase_add_test(tc, a_removed_member_is_told_of_that_and_of_nothing_after_it);
	tcase_add_test(tc, roles_decide_who_removes_and_renames);
	tcase_add_test(tc, an_owner_who_leaves_hands_over_and_the_last_one_ends_the_room);
	tcase_add_test(tc, a_room_that_has_ended_is_held_all_the_same);
	tcase_add_test(tc, a_direct_room_goes_on_after_both_were_erased);
	tcase_add_test(tc, a_block_outlives_the_erasure_of_who_is_blocked);
	tcase_add_test(tc, who_is_gone_is_told_to_open_rooms_at_once);
	tcase_add_test(tc, the_role_of_a_member_is_the_owners_to_give);
	tcase_add_test(tc, the_two_of_a_direct_room_stay);
	tcase_add_test(tc, there_is_no_room_of_that_name);
	tcase_add_test(tc, rooms_come_by_pages_the_newest_activity_first);
	tcase_add_test(tc, who_blocks_is_not_written_to_directly_from_either_side);
	tcase_add_test(races, a_block_waits_for_what_is_being_said);
	tcase_add_test(races, what_is_said_waits_for_a_block_and_is_refused_by_it);
	tcase_add_test(tc, strangers_who_block_have_no_room);
	tcase_add_test(tc, where_only_friends_may_others_are_refused);
	tcase_add_test(tc, a_retry_is_answered_also_after_the_friendship);
	tcase_add_test(tc, a_retry_is_answered_where_nobody_can_tell_who_is_a_friend);
	tcase_add_test(tc, who_is_in_too_many_rooms_or_made_too_many_makes_no_more);
	tcase_add_test(tc, views_are_told_apart);
	suite_add_tcase(suite, tc);
	suite_add_tcase(suite, races);
	return support_run(suite);
}
