/* What is said: once, in order, by members, and for how long. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

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

static void restart(const char *const *extra)
{
	world_kill(&world, 0, SIGTERM);
	world_spawn(&world, 0, extra);
}

/* A group of alice (its owner), bob and carol; its event is taken. */
static const char *group(void)
{
	const char *room = field(&world,
	    field(&world,
		ask(&world, "alice", "create",
		    "{\"type\":\"group\",\"name\":\"Trip\",\"members\":[\"bob\",\"carol\"]}"),
		"room"),
	    "id");

	(void)next_event(&world);
	return room;
}

static const char *say(const char *user, const char *room, const char *text, const char *client_id)
{
	return ask(&world, user, "send", "{\"roomId\":\"%s\",\"text\":\"%s\",\"clientId\":\"%s\"}",
	    room, text, client_id);
}

#define ck_refused(expected, ...) ck_assert_str_eq(ask(&world, __VA_ARGS__), expected)
#define ck_done(...) ck_assert_int_eq(ask(&world, __VA_ARGS__)[0], '{')

START_TEST(a_message_is_acknowledged_published_and_in_history)
{
	const char *room = group(), *reply, *event, *history;

	reply = say("bob", room, "1 < 2", "c1");
	ck_assert_str_eq(field(&world, reply, "roomId"), room);
	ck_assert_str_eq(field(&world, reply, "seq"), "1");
	ck_assert_uint_eq(strlen(field(&world, reply, "timestamp")), 24);
	event = next_event(&world);
	ck_assert_has(event, "alice,bob,carol: ");
	ck_assert_has(event, "/1/0 {");
	ck_assert_has(event, "\"senderId\":\"bob\",\"text\":\"1 &lt; 2\"");
	ck_assert_has(event, "\"clientId\":\"c1\",\"deleted\":false");
	history = ask(&world, "alice", "history", "{\"roomId\":\"%s\"}", room);
	ck_assert_has(history, "\"text\":\"1 &lt; 2\"");
	ck_assert_has(history, field(&world, reply, "id"));
	ck_assert_has(history, "\"name\":\"Trip\"");
	ck_assert_has(history, "{\"userId\":\"alice\",\"role\":\"owner\"}");
	ck_assert_has(history, "\"userId\":\"bob\",\"seq\":1}");
	ck_assert_has(history, "\"userId\":\"carol\",\"seq\":0}");
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.outbox"), 0);
}
END_TEST

START_TEST(a_retry_returns_the_first_message)
{
	const char *room = group(), *first = say("bob", room, "one", "c1");

	ck_assert_str_eq(say("bob", room, "something else", "c1"), first);
	/* Keys are the sender's own. */
	ck_assert_str_eq(field(&world, say("alice", room, "two", "c1"), "seq"), "2");
	ck_assert_has(next_event(&world), "\"text\":\"one\"");
	ck_assert_has(next_event(&world), "\"text\":\"two\"");
	no_event(&world);
}
END_TEST

/* Its answer may have been lost, and the sender goes on asking. */
START_TEST(a_retry_is_answered_whatever_has_come_in_between)
{
	const char *room = group(), *first = say("bob", room, "one", "c1");

	ck_done("alice", "remove", "{\"roomId\":\"%s\",\"userId\":\"bob\"}", room);
	ck_assert_str_eq(say("bob", room, "one", "c1"), first);
	ck_assert_str_eq(say("bob", room, "two", "c2"), "forbidden");
	ck_done("carol", "leave", "{\"roomId\":\"%s\"}", room);
	ck_done("alice", "leave", "{\"roomId\":\"%s\"}", room);
	ck_assert_str_eq(say("bob", room, "one", "c1"), first);
	ck_assert_str_eq(say("bob", room, "two", "c2"), "not_found");
}
END_TEST

START_TEST(messages_are_refused_with_the_field_that_is_wrong)
{
	const char *room = group();
	struct buf text = BUF_INIT;

	ck_refused("invalid roomId", "bob", "send", "{\"text\":\"x\",\"clientId\":\"1\"}");
	ck_refused("invalid clientId", "bob", "send", "{\"roomId\":\"%s\",\"text\":\"x\"}", room);
	ck_refused("invalid clientId", "bob", "send",
	    "{\"roomId\":\"%s\",\"text\":\"x\",\"clientId\":\"%0129d\"}", room, 1);
	ck_refused("invalid text", "bob", "send", "{\"roomId\":\"%s\",\"clientId\":\"1\"}", room);
	ck_refused("invalid recipientId", "bob", "send",
	    "{\"recipientId\":\"bob\",\"text\":\"x\",\"clientId\":\"1\"}");
	for (int i = 0; i < 4001; i++)
		buf_append_str(&text, "\xc3\xa9");
	ck_assert_str_eq(say("bob", room, buf_str(&text), "1"), "invalid text");
	ck_assert_str_eq(say("bob", room, " \\n ", "1"), "invalid text");
	ck_assert_str_eq(say("eve", room, "x", "1"), "forbidden");
	no_event(&world);
	ck_assert_str_eq(field(&world, say("bob", room, buf_str(&text) + 2, "1"), "seq"), "1");
	buf_finish(&text);
}
END_TEST

/* They go to others as they are. */
START_TEST(ids_that_would_need_escaping_are_refused)
{
	static const char *const bad[] = { "a<b", "a>b", "a&b", "a\\\"b" };
	const char *room = group();

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_str_eq(say("bob", room, "x", bad[i]), "invalid clientId");
		ck_refused("invalid recipientId", "bob", "send",
		    "{\"recipientId\":\"%s\",\"text\":\"x\",\"clientId\":\"1\"}", bad[i]);
		ck_refused("invalid members", "bob", "create",
		    "{\"type\":\"direct\",\"members\":[\"%s\"]}", bad[i]);
		ck_refused("invalid members", "bob", "create",
		    "{\"type\":\"group\",\"name\":\"x\",\"members\":[\"carol\",\"%s\"]}", bad[i]);
		ck_refused("invalid clientId", "bob", "create",
		    "{\"type\":\"group\",\"name\":\"x\",\"clientId\":\"%s\"}", bad[i]);
		ck_refused("invalid userId", "alice", "invite",
		    "{\"roomId\":\"%s\",\"userId\":\"%s\"}", room, bad[i]);
		ck_refused("invalid userId", "alice", "block", "{\"userId\":\"%s\"}", bad[i]);
	}
	no_event(&world);
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.rooms"), 1);
	/* What people do use. */
	ck_done("bob", "send",
	    "{\"recipientId\":\"zo\xc3\xab+1@bank.example\",\"text\":\"x\",\"clientId\":\"1/a "
	    "b\"}");
	ck_done(
	    "bob", "send", "{\"recipientId\":\"o'brien\",\"text\":\"x\",\"clientId\":\"it's\"}");
	ck_assert_has(ask(&world, "o'brien", "rooms", "{}"), "[\"bob\",\"o'brien\"]");
}
END_TEST

START_TEST(a_direct_message_makes_the_room)
{
	const char *reply, *event;

	reply = ask(&world, "bob", "send",
	    "{\"recipientId\":\"alice\",\"text\":\"hello\",\"clientId\":\"1\"}");
	event = next_event(&world);
	ck_assert_has(event, "alice,bob: ");
	ck_assert_has(event, "\"change\":\"created\"");
	ck_assert_has(next_event(&world), "\"text\":\"hello\"");
	ck_assert_has(ask(&world, "alice", "history", "{\"recipientId\":\"bob\"}"), "hello");
	ck_assert_str_eq(field(&world,
			     ask(&world, "alice", "send",
				 "{\"roomId\":\"%s\",\"text\":\"hi\",\"clientId\":\"1\"}",
				 field(&world, reply, "roomId")),
			     "seq"),
	    "2");
	ck_refused(
	    "forbidden", "eve", "history", "{\"roomId\":\"%s\"}", field(&world, reply, "roomId"));
}
END_TEST

/* --- many at once --- */

enum { TALKERS = 6, LINES = 25 };

struct talker {
	pthread_t thread;
	const char *room, *user;
	int number, sent;
	bool twice; /* each line is sent again, as if its answer had been lost */
	struct arena arena;
};

static void *talk(void *arg)
{
	struct talker *talker = arg;

	for (int i = 0; i < LINES; i++) {
		const char *payload = arena_printf(&talker->arena,
		    "{\"roomId\":\"%s\",\"text\":\"%d/%d\",\"clientId\":\"%d-%d\"}", talker->room,
		    talker->number, i, talker->number, i);
		const char *answer = ask_in(&world, &talker->arena, talker->user, "send", payload);

		talker->sent += answer[0] == '{';
		if (talker->twice)
			ck_assert_str_eq(
			    ask_in(&world, &talker->arena, talker->user, "send", payload), answer);
	}
	return NULL;
}

static void start_talkers(struct talker *talkers, const char *room, bool twice)
{
	static const char *const users[] = { "alice", "bob", "carol" };

	for (int i = 0; i < TALKERS; i++) {
		talkers[i] = (struct talker){
			.room = room, .user = users[i % 3], .number = i, .twice = twice
		};
		arena_init(&talkers[i].arena, SIZE_MAX);
		ck_assert_int_eq(pthread_create(&talkers[i].thread, NULL, talk, &talkers[i]), 0);
	}
}

static int end_talkers(struct talker *talkers)
{
	int sent = 0;

	for (int i = 0; i < TALKERS; i++) {
		(void)pthread_join(talkers[i].thread, NULL);
		sent += talkers[i].sent;
		arena_finish(&talkers[i].arena);
	}
	return sent;
}

START_TEST(many_at_once_have_numbers_without_a_gap_and_are_published_in_their_order)
{
	struct talker talkers[TALKERS];
	const char *room = group();

	world_spawn(&world, 1, NULL);
	start_talkers(talkers, room, /* twice= */ true);
	ck_assert_int_eq(end_talkers(talkers), TALKERS * LINES);
	for (int seq = 1; seq <= TALKERS * LINES; seq++) {
		char id[32];

		(void)snprintf(id, sizeof(id), "/%d/0 {", seq);
		ck_assert_has(next_event(&world), id);
	}
	no_event(&world);
	ck_assert_int_eq(
	    query(&world, "SELECT count(DISTINCT seq) * 1000 + max(seq) FROM chat.messages"),
	    TALKERS * LINES * 1001);
}
END_TEST

START_TEST(who_is_removed_meanwhile_gets_nothing_after_it_and_says_nothing)
{
	struct talker talkers[TALKERS];
	const char *room = group();
	bool removed = false;
	int sent;

	world_spawn(&world, 1, NULL);
	start_talkers(talkers, room, /* twice= */ false);
	ck_done("alice", "remove", "{\"roomId\":\"%s\",\"userId\":\"bob\"}", room);
	sent = end_talkers(talkers);
	for (int i = 0; i < sent + 1; i++) {
		const char *event = next_event(&world);

		if (strstr(event, "\"change\":\"removed\"")) {
			ck_assert_has(event, "alice,bob,carol: ");
			removed = true;
			continue;
		}
		ck_assert_has(event, removed ? "alice,carol: " : "alice,bob,carol: ");
		if (removed)
			ck_assert_has_not(event, "\"senderId\":\"bob\"");
	}
	ck_assert(removed);
	no_event(&world);
}
END_TEST

START_TEST(a_replica_that_is_killed_loses_nothing_that_was_acknowledged)
{
	struct talker talkers[TALKERS];
	const char *room = group();
	int sent;

	world_spawn(&world, 1, NULL);
	start_talkers(talkers, room, /* twice= */ false);
	(void)next_event(&world);
	world_kill(&world, 0, SIGKILL);
	sent = end_talkers(talkers);
	/* What was stored and whose answer was lost may be more. */
	ck_assert_int_ge(query(&world, "SELECT count(*) FROM chat.messages"), sent);
	sent = (int)query(&world, "SELECT max(seq) FROM chat.messages");
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.messages"), sent);
	for (int seq = 2; seq <= sent; seq++) {
		char id[32];

		(void)snprintf(id, sizeof(id), "/%d/0 {", seq);
		ck_assert_has(next_event(&world), id);
	}
	no_event(&world);
}
END_TEST

START_TEST(nats_may_be_killed)
{
	const char *room = group();

	(void)say("bob", room, "one", "c1");
	support_nats_stop(&world.nats, SIGKILL);
	support_nats_restart(&world.nats);
	while (say("bob", room, "two", "c2")[0] != '{')
		;
	ck_assert_has(next_event(&world), "\"text\":\"one\"");
	ck_assert_has(next_event(&world), "\"text\":\"two\"");
	no_event(&world);
}
END_TEST

/* --- changing what was said --- */

START_TEST(a_message_is_edited_and_deleted_by_its_sender)
{
	const char *room = group(), *event, *history;

	(void)say("bob", room, "one", "c1");
	(void)next_event(&world);
	ck_refused(
	    "forbidden", "alice", "edit", "{\"roomId\":\"%s\",\"seq\":1,\"text\":\"x\"}", room);
	ck_refused("forbidden", "alice", "delete", "{\"roomId\":\"%s\",\"seq\":1}", room);
	ck_refused("forbidden", "eve", "delete", "{\"roomId\":\"%s\",\"seq\":1}", room);
	ck_refused(
	    "not_found", "bob", "edit", "{\"roomId\":\"%s\",\"seq\":2,\"text\":\"x\"}", room);
	ck_refused("invalid text", "bob", "edit", "{\"roomId\":\"%s\",\"seq\":1}", room);
	ck_assert_has(
	    ask(&world, "bob", "edit", "{\"roomId\":\"%s\",\"seq\":1,\"text\":\"two\"}", room),
	    "\"text\":\"two\"");
	event = next_event(&world);
	ck_assert_has(event, "/1/1 {");
	ck_assert_has(event, "\"editedAt\":");
	ck_done("bob", "edit", "{\"roomId\":\"%s\",\"seq\":1,\"text\":\"two\"}", room);
	no_event(&world);
	ck_assert_has(ask(&world, "bob", "delete", "{\"roomId\":\"%s\",\"seq\":1}", room),
	    "\"deleted\":true");
	event = next_event(&world);
	ck_assert_has(event, "/1/2 {");
	ck_assert_has(event, "\"text\":\"\"");
	ck_assert_has(event, "\"deleted\":true");
	ck_done("bob", "delete", "{\"roomId\":\"%s\",\"seq\":1}", room);
	ck_refused(
	    "not_found", "bob", "edit", "{\"roomId\":\"%s\",\"seq\":1,\"text\":\"x\"}", room);
	no_event(&world);
	history = ask(&world, "carol", "history", "{\"roomId\":\"%s\"}", room);
	ck_assert_has(history, "\"deleted\":true");
	ck_assert_has_not(history, "two");
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.messages WHERE text <> ''"), 0);
}
END_TEST

START_TEST(after_its_time_a_message_stays_as_it_is)
{
	const char *room;

	restart((const char *[]){ "--edit-window=0s", NULL });
	room = group();
	(void)say("bob", room, "one", "c1");
	ck_refused(
	    "forbidden", "bob", "edit", "{\"roomId\":\"%s\",\"seq\":1,\"text\":\"x\"}", room);
	ck_refused("forbidden", "bob", "delete", "{\"roomId\":\"%s\",\"seq\":1}", room);
}
END_TEST

/* --- history --- */

START_TEST(history_comes_by_pages_from_either_end)
{
	const char *room, *page;

	restart((const char *[]){ "--history=10", NULL });
	room = group();
	for (int i = 1; i <= 15; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "line %d.", i);
		(void)say("bob", room, text, text);
	}
	page = ask(&world, "alice", "history", "{\"roomId\":\"%s\",\"limit\":3}", room);
	ck_assert_has(page, "line 13.");
	ck_assert_has(page, "line 15.");
	ck_assert_has_not(page, "line 12.");
	ck_assert_has(page, "\"oldestSeq\":6,\"newestSeq\":15");
	ck_assert(strstr(page, "line 13.") < strstr(page, "line 14."));
	page =
	    ask(&world, "alice", "history", "{\"roomId\":\"%s\",\"limit\":3,\"before\":13}", room);
	ck_assert_has(page, "line 10.");
	ck_assert_has(page, "line 12.");
	ck_assert_has_not(page, "line 13.");
	page =
	    ask(&world, "alice", "history", "{\"roomId\":\"%s\",\"limit\":3,\"before\":7}", room);
	ck_assert_has(page, "line 6.");
	ck_assert_has_not(page, "line 5.");
	page = ask(&world, "alice", "history", "{\"roomId\":\"%s\",\"limit\":3,\"after\":7}", room);
	ck_assert_has(page, "line 8.");
	ck_assert_has(page, "line 10.");
	ck_assert_has_not(page, "line 11.");
	page =
	    ask(&world, "alice", "history", "{\"roomId\":\"%s\",\"after\":7,\"before\":9}", room);
	ck_assert_has(page, "\"messages\":[{");
	ck_assert_has(page, "line 8.");
	ck_assert_has_not(page, "line 9.");
	/* From the beginning of what is kept. */
	page = ask(&world, "alice", "history", "{\"roomId\":\"%s\",\"limit\":3,\"after\":0}", room);
	ck_assert_has(page, "line 6.");
	ck_assert_has(page, "line 8.");
	ck_assert_has_not(page, "line 9.");
	page = ask(&world, "alice", "history", "{\"roomId\":\"%s\",\"after\":15}", room);
	ck_assert_has(page, "\"messages\":[]");
	ck_refused("invalid limit", "alice", "history", "{\"roomId\":\"%s\",\"limit\":101}", room);
	ck_refused("invalid roomId", "alice", "history", "{}");
}
END_TEST

START_TEST(a_page_of_long_messages_is_cut)
{
	const char *room = group(), *page;
	struct buf text = BUF_INIT;
	char id[32];

	for (int i = 0; i < 4000; i++)
		buf_append_str(&text, "'");
	for (int i = 1; i <= 20; i++) {
		(void)snprintf(id, sizeof(id), "c%d", i);
		(void)say("bob", room, buf_str(&text), id);
	}
	page = ask(&world, "alice", "history", "{\"roomId\":\"%s\"}", room);
	ck_assert_uint_lt(strlen(page), 300 * 1024);
	ck_assert_has(page, "\"seq\":20");
	ck_assert_has_not(page, "\"clientId\":\"c1\"");
	page =
	    ask(&world, "alice", "history", "{\"roomId\":\"%s\",\"after\":0,\"before\":3}", room);
	ck_assert_has(page, "\"clientId\":\"c1\"");
	buf_finish(&text);
}
END_TEST

START_TEST(what_has_expired_is_not_seen_unless_its_room_is_held)
{
	const char *room = group(), *other = group();

	(void)say("bob", room, "one", "c1");
	(void)say("bob", other, "one", "c1");
	ck_assert_str_eq(
	    ask_backend(&world, "hold", "{\"roomId\":\"%s\"}", room), "{\"messages\":1}");
	ck_assert_str_eq(
	    ask_backend(&world, "hold", "{\"roomId\":\"%s\"}", room), "{\"messages\":0}");
	ck_assert_str_eq(ask_backend(&world, "hold", "{\"roomId\":\"none\"}"), "not_found");
	/* As if they had been written the day before yesterday, in a partition that is gone. */
	postgres_exec(world.dsn,
	    "UPDATE chat.messages SET created_at = created_at - interval '2 days' WHERE class = 1;"
	    "DELETE FROM chat.messages WHERE class = 0");
	ck_assert_has(
	    ask(&world, "alice", "history", "{\"roomId\":\"%s\"}", other), "\"oldestSeq\":0");
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.messages_held"), 1);
	ck_assert_has_not(ask(&world, "alice", "history", "{\"roomId\":\"%s\"}", room), "\"text\"");
	/* Numbers go on. */
	ck_assert_str_eq(field(&world, say("bob", room, "two", "c2"), "seq"), "2");
	ck_assert_str_eq(field(&world, say("bob", other, "two", "c2"), "seq"), "2");
	ck_done("bob", "edit", "{\"roomId\":\"%s\",\"seq\":2,\"text\":\"three\"}", room);
	ck_done("bob", "delete", "{\"roomId\":\"%s\",\"seq\":2}", room);
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.held_versions"
				       " WHERE text IN ('two', 'three')"),
	    2);
	ck_assert_str_eq(ask_backend(&world, "hold", "{\"roomId\":\"%s\",\"release\":true}", room),
	    "{\"messages\":1}");
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.messages_held"), 0);
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.held_versions"), 0);
	ck_assert_str_eq(field(&world, say("bob", room, "four", "c4"), "seq"), "3");
}
END_TEST

static bool has_one_partition(void *arg)
{
	(void)arg;
	return query(&world, "SELECT count(*) FROM chat.messages_expiring"
			     " WHERE created_at < now() - interval '2 days'") == 1;
}

/* Before it was raised, the partitions of these days were dropped. */
START_TEST(a_room_is_released_also_after_the_retention_was_raised)
{
	const char *room = group();

	(void)say("bob", room, "one", "c1");
	ck_assert_str_eq(
	    ask_backend(&world, "hold", "{\"roomId\":\"%s\"}", room), "{\"messages\":1}");
	postgres_exec(world.dsn,
	    "UPDATE chat.messages SET created_at = created_at - interval '3 days' WHERE class = 1");
	restart((const char *[]){ "--retention=240h", NULL });
	ck_assert_str_eq(ask_backend(&world, "hold", "{\"roomId\":\"%s\",\"release\":true}", room),
	    "{\"messages\":1}");
	ck_assert(has_one_partition(NULL));
	ck_assert_has(
	    ask(&world, "alice", "history", "{\"roomId\":\"%s\"}", room), "\"text\":\"one\"");
}
END_TEST

static bool partition_is_gone(void *arg)
{
	(void)arg;
	return query(&world,
		   "SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
		   " WHERE c.relname = 'messages_expiring_2020010100'") == 0;
}

START_TEST(old_partitions_are_dropped_and_new_ones_made)
{
	postgres_exec(world.dsn,
	    "CREATE TABLE chat.messages_expiring_2020010100 PARTITION OF chat.messages_expiring"
	    " FOR VALUES FROM ('2020-01-01 00:00+00') TO ('2020-01-01 06:00+00')");
	restart(NULL);
	ck_assert(support_wait(partition_is_gone, NULL, WORLD_WAIT_MS));
	ck_assert_int_ge(query(&world, "SELECT count(*) FROM pg_inherits"
				       " WHERE inhparent = 'chat.messages_expiring'::regclass"),
	    10);
}
END_TEST

/* --- markers, typing, reports --- */

START_TEST(a_marker_moves_forward_and_tells_the_reader_and_open_rooms)
{
	const char *room = group(), *event;

	for (int i = 0; i < 3; i++) {
		char id[32];

		(void)snprintf(id, sizeof(id), "c%d", i);
		(void)say("bob", room, "x", id);
		(void)next_event(&world);
	}
	ck_assert_str_eq(ask(&world, "alice", "read", "{\"roomId\":\"%s\",\"seq\":2}", room),
	    "{\"seq\":2,\"unread\":1}");
	event = next_event(&world);
	ck_assert(strncmp(event, "alice: ", 7) == 0);
	ck_assert_has(event, "\"userId\":\"alice\",\"seq\":2");
	ck_assert_has(wait_ring(&world, "\"version\":2"), "\"userId\":\"alice\",\"seq\":2");
	ck_assert_str_eq(ask(&world, "alice", "read", "{\"roomId\":\"%s\",\"seq\":1}", room),
	    "{\"seq\":2,\"unread\":1}");
	ck_refused("invalid seq", "alice", "read", "{\"roomId\":\"%s\",\"seq\":4}", room);
	no_event(&world);
	ck_assert_has(ask(&world, "alice", "rooms", "{}"), "\"readSeq\":2,\"unread\":1");
	ck_assert_has(ask(&world, "bob", "rooms", "{}"), "\"readSeq\":3,\"unread\":0");
}
END_TEST

/* Another device of the reader's was faster: it has sent something, and so read up to that. */
START_TEST(who_was_overtaken_is_told_where_the_marker_is)
{
	const char *room = group();
	struct asker read;
	struct db *held;

	for (int i = 0; i < 3; i++)
		(void)say("bob", room, "x", (char[]){ (char)('a' + i), '\0' });
	held = world_hold(&world, "UPDATE chat.rooms SET seq = 5;"
				  "UPDATE chat.members SET read_seq = 5 WHERE user_id = 'alice'");
	asker_start(&read, &world, "alice", "read", "{\"roomId\":\"%s\",\"seq\":2}", room);
	wait_for_waiters(&world, 1);
	world_let_go(held);
	ck_assert_str_eq(asker_end(&read), "{\"seq\":5,\"unread\":0}");
}
END_TEST

START_TEST(who_was_removed_meanwhile_has_no_marker)
{
	const char *room = group();
	struct asker read;
	struct db *held;

	(void)say("bob", room, "x", "a");
	held = world_hold(&world, "DELETE FROM chat.members WHERE user_id = 'alice'");
	asker_start(&read, &world, "alice", "read", "{\"roomId\":\"%s\",\"seq\":1}", room);
	wait_for_waiters(&world, 1);
	world_let_go(held);
	ck_assert_str_eq(asker_end(&read), "forbidden");
}
END_TEST

START_TEST(private_markers_are_their_readers_own)
{
	const char *room, *history;

	restart((const char *[]){ "--show-read-markers=false", NULL });
	room = group();
	(void)say("bob", room, "x", "c1");
	ck_done("alice", "read", "{\"roomId\":\"%s\",\"seq\":1}", room);
	ck_done("bob", "typing", "{\"roomId\":\"%s\",\"typing\":true}", room);
	(void)wait_ring(&world, "\"typing\":true");
	ck_assert_uint_eq(count_rings(&world, "alice"), 0);
	history = ask(&world, "carol", "history", "{\"roomId\":\"%s\"}", room);
	ck_assert_has(history, "\"readMarkers\":[{");
	ck_assert_has(history, "\"userId\":\"carol\",\"seq\":0}]");
	ck_assert_has_not(history, "\"userId\":\"alice\",\"seq\"");
}
END_TEST

START_TEST(typing_is_told_to_open_rooms_and_stored_nowhere)
{
	const char *room = group(), *ring;

	ck_done("bob", "typing", "{\"roomId\":\"%s\",\"typing\":true}", room);
	ring = wait_ring(&world, "\"typing\":true");
	ck_assert_has(ring, room);
	ck_assert_has(ring, "\"userId\":\"bob\"");
	no_event(&world);
	/* Of the group alone there is a record, published or not. */
	ck_assert_int_eq(query(&world, "SELECT last_value FROM chat.audit_outbox_id_seq"), 1);
}
END_TEST

START_TEST(a_report_is_kept_with_the_message)
{
	const char *room = group();

	(void)say("bob", room, "buy now", "c1");
	ck_refused("invalid reason", "alice", "report", "{\"roomId\":\"%s\",\"seq\":1}", room);
	ck_refused("not_found", "alice", "report",
	    "{\"roomId\":\"%s\",\"seq\":2,\"reason\":\"spam\"}", room);
	ck_refused("invalid seq", "bob", "report",
	    "{\"roomId\":\"%s\",\"seq\":1,\"reason\":\"spam\"}", room);
	ck_done("alice", "report", "{\"roomId\":\"%s\",\"seq\":1,\"reason\":\"spam\"}", room);
	ck_done("alice", "report", "{\"roomId\":\"%s\",\"seq\":1,\"reason\":\"again\"}", room);
	ck_done("bob", "delete", "{\"roomId\":\"%s\",\"seq\":1}", room);
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.reports WHERE text = 'buy now'"
				       " AND reason = 'spam' AND sender_id = 'bob'"),
	    1);
}
END_TEST

/* By whom may look at all of them; that they did is recorded. */
START_TEST(reports_come_by_pages_the_newest_first)
{
	const char *room = group(), *page;

	ck_assert_str_eq(ask_backend(&world, "reports", "{}"), "{\"reports\":[],\"next\":\"\"}");
	(void)say("bob", room, "buy < now", "c1");
	(void)say("bob", room, "and here", "c2");
	ck_done("alice", "report", "{\"roomId\":\"%s\",\"seq\":1,\"reason\":\"spam\"}", room);
	ck_done("carol", "report", "{\"roomId\":\"%s\",\"seq\":2,\"reason\":\"rude\"}", room);
	page = ask_backend(&world, "reports", "{\"limit\":1}");
	ck_assert_has(page, "\"seq\":2,\"senderId\":\"bob\",\"reporterId\":\"carol\","
			    "\"reason\":\"rude\",\"text\":\"and here\"");
	ck_assert_has_not(page, "spam");
	page = ask_backend(
	    &world, "reports", "{\"limit\":1,\"before\":\"%s\"}", field(&world, page, "next"));
	ck_assert_has(page, "\"text\":\"buy < now\"");
	ck_assert_has_not(page, "rude");
	ck_assert_str_eq(field(&world, page, "next"), "");
	ck_assert_str_eq(ask_backend(&world, "reports", "{\"limit\":101}"), "invalid limit");
	ck_assert_str_eq(ask_backend(&world, "reports", "{\"before\":\"x\"}"), "invalid before");
	/* The group, two messages, two reports, and three looks at them. */
	ck_assert_int_eq(query(&world, "SELECT last_value FROM chat.audit_outbox_id_seq"), 8);
}
END_TEST

START_TEST(texts_go_out_as_they_are_where_nobody_makes_pages_of_them)
{
	const char *room;

	restart((const char *[]){ "--escape-html=false", NULL });
	room = group();
	(void)say("bob", room, "<b>", "c1");
	ck_assert_has(next_event(&world), "\"text\":\"<b>\"");
	ck_assert_has(ask(&world, "alice", "rooms", "{}"), "\"text\":\"<b>\"");
}
END_TEST

/* --- everything of one user --- */

START_TEST(a_user_is_exported_and_erased)
{
	const char *room = group(), *page, *reply;
	bool rest_went = false;

	(void)say("bob", room, "secret", "c1");
	(void)say("alice", room, "mine", "c1");
	ck_done("bob", "send", "{\"recipientId\":\"dave\",\"text\":\"psst\",\"clientId\":\"1\"}");
	ck_done("bob", "block", "{\"userId\":\"eve\"}");
	ck_done("bob", "report", "{\"roomId\":\"%s\",\"seq\":2,\"reason\":\"rude\"}", room);
	ck_done("alice", "report", "{\"roomId\":\"%s\",\"seq\":1,\"reason\":\"odd\"}", room);
	for (int i = 0; i < 4; i++)
		(void)next_event(&world);
	page = ask_backend(&world, "export", "{\"userId\":\"bob\"}");
	ck_assert_has(page, "\"name\":\"Trip\"");
	page = ask_backend(
	    &world, "export", "{\"userId\":\"bob\",\"after\":\"%s\"}", field(&world, page, "next"));
	ck_assert_has(page, "secret");
	ck_assert_has(page, "psst");
	ck_assert_has_not(page, "mine");
	page = ask_backend(
	    &world, "export", "{\"userId\":\"bob\",\"after\":\"%s\"}", field(&world, page, "next"));
	ck_assert_has(page, "eve");
	page = ask_backend(
	    &world, "export", "{\"userId\":\"bob\",\"after\":\"%s\"}", field(&world, page, "next"));
	ck_assert_has(page, "rude");
	page = ask_backend(
	    &world, "export", "{\"userId\":\"bob\",\"after\":\"%s\"}", field(&world, page, "next"));
	ck_assert_str_eq(page, "{\"records\":[],\"next\":\"\"}");
	ck_assert_str_eq(ask_backend(&world, "export", "{\"userId\":\"bob\",\"after\":\"9.x\"}"),
	    "invalid after");
	do {
		reply = ask_backend(&world, "erase", "{\"userId\":\"bob\"}");
		rest_went = rest_went || strstr(reply, "\"blocks\":1,\"reports\":2");
	} while (strcmp(field(&world, reply, "more"), "true") == 0);
	ck_assert(rest_went);
	/* Those who saw it are told. */
	for (int i = 0; i < 4; i++) {
		const char *event = next_event(&world);

		ck_assert_msg(strstr(event, "\"deleted\":true") ||
				  strstr(event, "\"change\":\"left\",\"userId\":\"bob\""),
		    "%s", event);
	}
	no_event(&world);
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.messages"
				       " WHERE text IN ('secret', 'psst')"),
	    0);
	ck_assert_int_eq(
	    query(&world, "SELECT count(*) FROM chat.members WHERE user_id = 'bob'"), 0);
	ck_assert_has(ask(&world, "alice", "history", "{\"roomId\":\"%s\"}", room), "mine");
	reply = ask_backend(&world, "erase", "{\"userId\":\"bob\"}");
	ck_assert_has(reply, "\"more\":false");
	ck_assert_has(reply, "\"messages\":0,\"rooms\":0,\"blocks\":0,\"reports\":0");
}
END_TEST

/* All of the longest messages, of which a page holds only some. */
START_TEST(a_user_with_long_messages_is_exported_by_pages_that_fit)
{
	enum { MESSAGES = 200 };
	const char *room = group(), *page, *after = "";
	struct buf text = BUF_INIT, seen = BUF_INIT;
	int pages = 0;

	for (int i = 0; i < 4000; i++)
		buf_append_str(&text, "\xf0\x9f\x92\xb6");
	(void)say("bob", room, buf_str(&text), "c1");
	postgres_exec(world.dsn,
	    "INSERT INTO chat.messages (class, created_at, room_id, seq, message_id, sender_id,"
	    " client_id, text) SELECT class, created_at, room_id, n, message_id || n, sender_id,"
	    " 'c' || n, text FROM chat.messages, generate_series(2, 200) AS n");
	do {
		page =
		    ask_backend(&world, "export", "{\"userId\":\"bob\",\"after\":\"%s\"}", after);
		ck_assert_int_eq(page[0], '{');
		ck_assert_uint_lt(strlen(page), 300 * 1024);
		buf_append_str(&seen, page);
		after = field(&world, page, "next");
		pages++;
	} while (after[0]);
	ck_assert_int_gt(pages, 10);
	for (int i = 1; i <= MESSAGES; i++) {
		char id[32];
		const char *first;

		(void)snprintf(id, sizeof(id), "\"clientId\":\"c%d\"", i);
		first = strstr(buf_str(&seen), id);
		ck_assert_ptr_nonnull(first);
		ck_assert_ptr_null(strstr(first + 1, id));
	}
	buf_finish(&text);
	buf_finish(&seen);
}
END_TEST

/* What the stream does not have yet would come after whoever erases the copies of it. */
START_TEST(an_erasure_waits_for_what_was_said_to_be_told)
{
	const char *room = group(), *reply;
	struct db *held;

	world_kill(&world, 0, SIGTERM);
	/* That of whoever publishes events. */
	held = world_hold(&world, "SELECT pg_advisory_lock(33626791065252959)");
	world_spawn(&world, 0, NULL);
	(void)say("bob", room, "secret", "c1");
	do
		reply = ask_backend(&world, "erase", "{\"userId\":\"bob\"}");
	while (strcmp(field(&world, reply, "waiting"), "true") != 0);
	ck_assert_str_eq(field(&world, reply, "more"), "true");
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.messages WHERE text <> ''"), 0);
	/* Of others it knows nothing, whose ids stand in longer ones or in what is said. */
	ck_assert_has(ask_backend(&world, "erase", "{\"userId\":\"eve\"}"), "\"waiting\":false");
	ck_assert_has(ask_backend(&world, "erase", "{\"userId\":\"bo\"}"), "\"waiting\":false");
	ck_assert_has(ask_backend(&world, "erase", "{\"userId\":\"ecre\"}"), "\"waiting\":false");
	world_let_go(held);
	do
		reply = ask_backend(&world, "erase", "{\"userId\":\"bob\"}");
	while (strcmp(field(&world, reply, "more"), "true") == 0);
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.outbox"), 0);
	ck_assert_has(next_event(&world), "secret");
}
END_TEST

START_TEST(what_was_said_in_a_room_that_ended_is_erased_too)
{
	const char *room = group();

	(void)say("bob", room, "secret", "c1");
	ck_done("alice", "leave", "{\"roomId\":\"%s\"}", room);
	ck_done("bob", "leave", "{\"roomId\":\"%s\"}", room);
	ck_done("carol", "leave", "{\"roomId\":\"%s\"}", room);
	while (strcmp(field(&world, ask_backend(&world, "erase", "{\"userId\":\"bob\"}"), "more"),
		   "true") == 0)
		;
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.messages WHERE text <> ''"), 0);
}
END_TEST

START_TEST(nobody_is_told_what_they_never_saw_when_it_is_erased)
{
	const char *room = group(), *users[] = { "bob", "carol", "alice" };

	(void)say("bob", room, "secret", "c1");
	ck_assert_has(next_event(&world), "secret");
	ck_done("alice", "invite", "{\"roomId\":\"%s\",\"userId\":\"dave\"}", room);
	ck_done("dave", "join", "{\"roomId\":\"%s\"}", room);
	for (size_t i = 0; i < ARRAY_LEN(users); i++)
		ck_done(users[i], "leave", "{\"roomId\":\"%s\"}", room);
	for (size_t i = 0; i < 5; i++)
		ck_assert_has(next_event(&world), "/change/");
	while (strcmp(field(&world, ask_backend(&world, "erase", "{\"userId\":\"bob\"}"), "more"),
		   "true") == 0)
		;
	ck_assert_int_eq(query(&world, "SELECT count(*) FROM chat.messages WHERE text <> ''"), 0);
	no_event(&world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("chat_messages");
	TCase *tc = tcase_create("messages"), *races = tcase_create("races");

	pg = postgres_start();
	tcase_set_timeout(tc, 90);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(races, 90);
	tcase_add_checked_fixture(races, setup, teardown);
	tcase_add_test(tc, a_message_is_acknowledged_published_and_in_history);
	tcase_add_test(tc, a_retry_returns_the_first_message);
	tcase_add_test(tc, a_retry_is_answered_whatever_has_come_in_between);
	tcase_add_test(tc, messages_are_refused_with_the_field_that_is_wrong);
	tcase_add_test(tc, ids_that_would_need_escaping_are_refused);
	tcase_add_test(tc, a_direct_message_makes_the_room);
	tcase_add_test(
	    tc, many_at_once_have_numbers_without_a_gap_and_are_published_in_their_order);
	tcase_add_test(tc, who_is_removed_meanwhile_gets_nothing_after_it_and_says_nothing);
	tcase_add_test(tc, a_replica_that_is_killed_loses_nothing_that_was_acknowledged);
	tcase_add_test(tc, nats_may_be_killed);
	tcase_add_test(tc, a_message_is_edited_and_deleted_by_its_sender);
	tcase_add_test(tc, after_its_time_a_message_stays_as_it_is);
	tcase_add_test(tc, history_comes_by_pages_from_either_end);
	tcase_add_test(tc, a_page_of_long_messages_is_cut);
	tcase_add_test(tc, what_has_expired_is_not_seen_unless_its_room_is_held);
	tcase_add_test(tc, old_partitions_are_dropped_and_new_ones_made);
	tcase_add_test(tc, a_marker_moves_forward_and_tells_the_reader_and_open_rooms);
	tcase_add_test(races, who_was_overtaken_is_told_where_the_marker_is);
	tcase_add_test(races, who_was_removed_meanwhile_has_no_marker);
	tcase_add_test(tc, private_markers_are_their_readers_own);
	tcase_add_test(tc, typing_is_told_to_open_rooms_and_stored_nowhere);
	tcase_add_test(tc, a_room_is_released_also_after_the_retention_was_raised);
	tcase_add_test(tc, an_erasure_waits_for_what_was_said_to_be_told);
	tcase_add_test(tc, a_report_is_kept_with_the_message);
	tcase_add_test(tc, reports_come_by_pages_the_newest_first);
	tcase_add_test(tc, texts_go_out_as_they_are_where_nobody_makes_pages_of_them);
	tcase_add_test(tc, a_user_is_exported_and_erased);
	tcase_add_test(tc, a_user_with_long_messages_is_exported_by_pages_that_fit);
	tcase_add_test(tc, what_was_said_in_a_room_that_ended_is_erased_too);
	tcase_add_test(tc, nobody_is_told_what_they_never_saw_when_it_is_erased);
	suite_add_tcase(suite, tc);
	suite_add_tcase(suite, races);
	return support_run(suite);
}
