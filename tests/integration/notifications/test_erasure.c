/* Everything held about one user: written down, and taken away while others keep theirs. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus/provision.h"
#include "command.h"
#include "walletwire/v1/edge.pb-c.h"

/* What only alice was told, or has said, has this word in it. */
#define MARK "zebra"
#define MARK_HEX "7a65627261"

enum { MANY = 1200 }; /* items: more than two pieces */

static struct postgres *pg;
static struct world world;

static pid_t presence;
static char presence_log[352];

static bool presence_answers(void *arg)
{
	static const uint8_t nobody[] = { 10, 6, 'n', 'o', 'b', 'o', 'd', 'y' };
	struct bus_msg *msg = NULL;
	struct err err = ERR_INIT;
	enum status s = bus_request(world.ops, "ww.backend.presence.export",
	    bytes_of(nobody, sizeof(nobody)), 1000, &msg, &err);

	(void)arg;
	bus_msg_unref(msg);
	return s == STATUS_OK;
}

/* Friends are its part of what is held; the same database has its schema. */
static void spawn_presence(void)
{
	char program[512], url[128];
	const char *argv[] = { program, url, "--admin=127.0.0.1:0", "--nats-user=presence", NULL };

	(void)snprintf(program, sizeof(program), "%s/ww-presence", getenv("WW_BIN_DIR"));
	(void)snprintf(url, sizeof(url), "--nats-url=%s", world.nats.url);
	(void)snprintf(presence_log, sizeof(presence_log), "%s/presence-%d.log", support_tmp_dir(),
	    (int)getpid());
	ck_assert_int_eq(setenv("WW_NATS_PASSWORD", "presence", 1), 0);
	ck_assert_int_eq(setenv("WW_DATABASE_URL", world.dsn, 1), 0);
	presence = support_spawn(argv, presence_log);
	ck_assert(support_wait(presence_answers, NULL, WORLD_WAIT_MS));
}

static void setup(void)
{
	world_start(&world, pg);
	world_spawn(&world, 0, NULL);
	spawn_presence();
	command_setup(&world);
}

static void teardown(void)
{
	support_end(&presence, SIGTERM, presence_log);
	world_stop(&world);
}

/* --- what is held --- */

static void publish_as_chat(const char *json)
{
	struct bus *chat = support_nats_bus(&world.nats, "chat");
	struct err err = ERR_INIT;
	struct bus_ack ack;
	char subject[64];
	struct bytes data = world_event(&world, json, subject);

	ck_assert_ok(bus_publish_stored(chat, subject, NULL, data, NULL, &ack, &err), err);
	bus_close(chat);
}

static void open_with_claims(void)
{
	Walletwire__V1__OpenRequest *in = MESSAGE_NEW(&world.arena, open_request);

	in->caller = world_caller(&world, "alice");
	in->claims = MESSAGE_NEW(&world.arena, claims);
	in->claims->country = arena_strdup(&world.arena, "LI");
	in->claims->language = arena_strdup(&world.arena, MARK);
	(void)world_ask(
	    &world, "ww.svc.notifications.open", in, &walletwire__v1__open_reply__descriptor, NULL);
}

/* As the edge of a socket of alice's does, and of one of somebody else's. */
static void track(void)
{
	struct err err = ERR_INIT;
	Walletwire__V1__Tracking tracking = WALLETWIRE__V1__TRACKING__INIT;
	char *transfers[] = { "t-" MARK };
	struct bytes value;

	tracking.n_transfers = 1;
	tracking.transfers = transfers;
	value = message_pack(&tracking.base, &world.arena);
	ck_assert_ok(bus_kv_put(world.edge, BUCKET_TRACKING, "alice.sid1", value, &err), err);
	ck_assert_ok(bus_kv_put(world.edge, BUCKET_TRACKING, "alice.sid2", value, &err), err);
	ck_assert_ok(bus_kv_put(world.edge, BUCKET_TRACKING, "alice2.sid3", value, &err), err);
}

/* Alice's mailbox ends at 8, two of them her own doing; bob's at 5. */
static void fill(void)
{
	static const char *const events[] = {
		"{\"id\":\"" MARK "-kyc\",\"userIds\":[\"alice\"],\"title\":\"" MARK "\",\"kyc\":"
		"{\"status\":\"approved\",\"level\":\"1\",\"message\":\"" MARK "\"}}",
		"{\"id\":\"both\",\"userIds\":[\"alice\",\"bob\"],\"payment\":{\"amount\":\"1.00\","
		"\"currency\":\"EUR\",\"message\":\"common words\"}}",
		"{\"id\":\"gift\",\"transaction\":{\"transactionId\":\"tx1\",\"type\":\"p2p\","
		"\"amount\":\"5.00\",\"currency\":\"EUR\",\"status\":\"pending\",\"sender\":"
		"{\"userId\":\"alice\",\"name\":\"Alice\"},\"recipient\":{\"userId\":\"bob\","
		"\"name\":\"" MARK " Bob\"},\"message\":\"for you\"}}",
		"{\"id\":\"b1\",\"userIds\":[\"alice\"],\"balance\":{\"walletId\":\"w-" MARK "\","
		"\"available_balance\":\"10.00\",\"currency\":\"EUR\"}}",
		"{\"id\":\"b2\",\"userIds\":[\"bob\"],\"balance\":{\"walletId\":\"w2\","
		"\"available_balance\":\"10.00\",\"currency\":\"EUR\"}}",
		"{\"id\":\"t1\",\"userIds\":[\"alice\",\"bob\"],\"transfer\":{\"transferId\":"
		"\"t1\","
		"\"state\":\"processing\",\"version\":4}}",
		"{\"id\":\"t2\",\"userIds\":[\"alice\"],\"transfer\":{\"transferId\":\"t2\","
		"\"state\":\"processing\",\"message\":\"" MARK "\"}}",
		"{\"id\":\"t3\",\"userIds\":[\"alice\",\"bob\"],\"transfer\":{\"transferId\":"
		"\"t3\","
		"\"state\":\"completed\"}}",
		"{\"id\":\"news\",\"title\":\"news\",\"announcement\":{}}",
	};

	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		world_publish(&world, events[i]);
	publish_as_chat(
	    "{\"id\":\"c1\",\"userIds\":[\"alice\",\"bob\"],\"chat\":{\"message\":"
	    "{\"roomId\":\"r1\",\"seq\":1,\"senderId\":\"alice\",\"text\":\"" MARK "\"}}}");
	publish_as_chat("{\"id\":\"c2\",\"userIds\":[\"alice\",\"bob\"],\"chat\":{\"message\":"
			"{\"roomId\":\"r1\",\"seq\":2,\"senderId\":\"bob\",\"text\":\"bob's\"}}}");
	world_wait_seq(&world, "alice", 6, 1);
	world_wait_seq(&world, "bob", 5, 1);
	(void)world_select(&world, "read", "alice", MARK "-kyc", 0);
	(void)world_select(&world, "read", "alice", "news", 0);
	open_with_claims();
	track();
}

/* --- asking --- */

static const Walletwire__V1__EraseReply *erase_piece(
    const char *user, Walletwire__V1__EraseProgress *at, const char **ret_code)
{
	Walletwire__V1__EraseRequest *in = MESSAGE_NEW(&world.arena, erase_request);

	in->user_id = arena_strdup(&world.arena, user);
	in->at = at;
	return world_ask(&world, "ww.backend.notifications.erase", in,
	    &walletwire__v1__erase_reply__descriptor, ret_code);
}

/* What a query says, as psql prints it; the test's own. */
static char *query(const char *sql)
{
	ck_assert_int_eq(
	    RUN("psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", world.dsn, "-c", sql), 0);
	return strdup(command_output());
}

static void check_query(const char *sql, const char *wanted)
{
	char *got = query(sql);

	ck_assert_str_eq(got, wanted);
	free(got);
}

/* All that is stored for somebody but the messages that alice has sent. */
static char *rows_of_others(void)
{
	return query(
	    "SELECT m.*, b.event_key, b.payload, b.created_at, b.keep, b.blanked FROM"
	    " notifications.mailbox m JOIN notifications.bodies b USING (body_id)"
	    " WHERE m.user_id <> 'alice' AND b.event_key <> 'chat/c1' ORDER BY m.user_id, m.seq;"
	    "SELECT * FROM notifications.inbox WHERE user_id <> 'alice' ORDER BY user_id, seq;"
	    "SELECT * FROM notifications.unread WHERE user_id <> 'alice' ORDER BY 1, 2, 3;"
	    "SELECT * FROM notifications.balances WHERE user_id <> 'alice' ORDER BY 1, 2;"
	    "SELECT * FROM notifications.users WHERE user_id <> 'alice' ORDER BY 1;"
	    "SELECT transfer_id, version, payload, updated_at, final FROM notifications.transfers"
	    " WHERE 'bob' = ANY (parties) ORDER BY 1");
}

/* Byte for byte; what differs is too long to be told. */
static void check_rows_of_others(char *before)
{
	char *after = rows_of_others();

	ck_assert_msg(strcmp(before, after) == 0, "rows of others have changed");
	free(before);
	free(after);
}

/* Nothing but the keys of events that were applied has the mark, in clear or in a payload. */
static void check_dump_is_clean(void)
{
	ck_assert_int_eq(RUN("pg_dump", "--data-only", "--schema=notifications",
			     "--exclude-table=notifications.applied_*", "-d", world.dsn),
	    0);
	ck_assert_says("bob");
	ck_assert_hides(MARK);
	ck_assert_hides(MARK_HEX);
}

/* The numbers stay, and every one of them is void; nothing else is there. */
static void check_is_void(const char *user, uint64_t seq)
{
	const Walletwire__V1__OpenReply *open = world_open(&world, user);
	const Walletwire__V1__VerifyReply *verify = world_verify(&world, user);
	uint64_t after = 0;

	ck_assert_msg(
	    verify->consistent, "%s", verify->n_findings ? verify->findings[0] : "inconsistent");
	ck_assert_uint_eq(verify->mailbox_rows, seq);
	ck_assert_uint_eq(verify->inbox_rows, 0);
	ck_assert_uint_eq(open->seq, seq);
	ck_assert_uint_eq(open->n_states, 1);
	ck_assert_uint_eq(open->states[0]->payload->unread->total, 0);
	ck_assert_str_eq(open->marks->claims->language, "");
	ck_assert_uint_eq(open->marks->n_read, 0);
	ck_assert_uint_eq(world_list(&world, user, "", 10)->n_items, 1); /* the announcement */
	while (after < seq) {
		const Walletwire__V1__SinceReply *page = world_since(&world, user, after, seq);

		ck_assert(!page->too_old);
		for (size_t i = 0; i < page->n_items; i++) {
			ck_assert_uint_eq(page->items[i]->seq, after + i + 1);
			ck_assert(page->items[i]->blanked);
			ck_assert(!page->items[i]->payload && !page->items[i]->notification);
		}
		after = page->handled;
	}
}

/* A socket that recovers is told of void numbers, not that they are too old. */
static void check_recovers(void)
{
	Walletwire__V1__OpenRequest *in = MESSAGE_NEW(&world.arena, open_request);
	const Walletwire__V1__OpenReply *open;

	in->caller = world_caller(&world, "alice");
	in->caller->session_id = arena_strdup(&world.arena, "sid");
	in->connection = arena_strdup(&world.arena, "c");
	in->recovering = true;
	in->since = 2;
	open = world_ask(
	    &world, "ww.svc.notifications.open", in, &walletwire__v1__open_reply__descriptor, NULL);
	ck_assert(!open->too_old);
}

/* --- export --- */

START_TEST(everything_held_is_written_down_and_nothing_else)
{
	static const char *const wanted[] = {
		"{\"user\":{\"userId\":\"alice\",\"seq\":8,",
		"\"claims\":{\"country\":\"LI\",\"language\":\"zebra\"",
		"{\"inbox\":{\"seq\":1,\"event\":\"kyc:update\"",
		"\"state\":\"read\"",
		"{\"mailbox\":{\"seq\":3,\"event\":\"transaction\"",
		"{\"mailbox\":{\"seq\":7,\"event\":\"notifications:changed\"",
		"\"text\":\"bob's\"",
		"{\"balance\":{\"balance\":{\"walletId\":\"w-zebra\"",
		"\"available_balance\":10.00",
		"{\"mark\":{\"announcementSeq\":1,\"state\":\"read\"",
		"{\"transfer\":{\"transfer\":{\"transferId\":\"t2\"",
		"{\"sent\":{\"seq\":0,\"event\":\"chat:message\"",
		"{\"tracking\":{\"key\":\"alice.sid1\",\"value\":{\"left\":[],\"transfers\":",
		"\"alice.sid2\"",
		"{\"letter\":{\"seq\":1,",
		"dead letters hold no event",
	};

	fill();
	world_bury_event(
	    &world, "{\"id\":\"l1\",\"userIds\":[\"alice\"],\"kyc\":{\"message\":\"" MARK "\"}}");
	world_bury_event(&world, "{\"id\":\"l2\",\"userIds\":[\"bob\"],\"kyc\":{}}");
	world_bury(&world, "ww.event.kyc", BYTES_LITERAL("\xff"));
	ck_assert_int_eq(WW("export", "--no-chat", "alice"), 0);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		ck_assert_says(wanted[i]);
	ck_assert_hides("alice2");
	ck_assert_hides("w2");
	ck_assert_hides("\"l2\"");
}
END_TEST

START_TEST(an_export_goes_into_a_new_file_of_its_own)
{
	char path[512];

	fill();
	(void)snprintf(path, sizeof(path), "%s", command_path("alice.jsonl"));
	ck_assert_int_eq(WW("export", "--no-chat", "alice", "--output", path), 0);
	ck_assert_hides(MARK);
	ck_assert_ptr_nonnull(strstr(support_read_file(path), MARK));
	ck_assert_int_eq(WW("export", "--no-chat", "alice", "--output", path), 1);
	ck_assert_says("exists");
	ck_assert_ptr_nonnull(strstr(support_read_file(path), MARK));
}
END_TEST

static void publish_many(void)
{
	char json[256];

	for (int i = 1; i <= MANY; i++) {
		(void)snprintf(json, sizeof(json),
		    "{\"id\":\"e%d\",\"userIds\":[\"alice\"%s],\"kyc\":{\"message\":\"%s\"}}", i,
		    i % 3 == 0 ? ",\"bob\"" : "", i % 3 == 0 ? "common" : MARK);
		world_publish(&world, json);
	}
	world_wait_seq(&world, "alice", MANY, 1);
	world_wait_seq(&world, "bob", MANY / 3, 1);
}

START_TEST(pages_of_an_export_follow_each_other)
{
	size_t items = 0;

	publish_many();
	ck_assert_int_eq(WW("export", "--no-chat", "alice"), 0);
	for (const char *at = command_output(); (at = strstr(at, "{\"inbox\":{")) != NULL; at++)
		items++;
	ck_assert_uint_eq(items, MANY);
	ck_assert_says("2401 lines about alice");
}
END_TEST

/* --- erasure --- */

START_TEST(a_user_is_erased_and_others_keep_theirs)
{
	char *before;

	fill();
	ck_assert(world_verify(&world, "alice")->consistent);
	before = rows_of_others();
	ck_assert_int_eq(WW("erase", "--no-chat", "alice", "--yes"), 0);
	ck_assert_says("mailbox           8  items made void");
	ck_assert_says("inbox             4  items removed");
	ck_assert_says("bodies            4  texts that nobody else was told");
	ck_assert_says("balances          1");
	ck_assert_says("marks             1");
	ck_assert_says("transfers         3");
	ck_assert_says("messages          1");
	ck_assert_says("sockets           2");
	check_is_void("alice", 8);
	check_recovers();
	check_dump_is_clean();
	check_rows_of_others(before);
	ck_assert(world_verify(&world, "bob")->consistent);
	/* What alice has said is void for bob too, and what bob has said is not. */
	ck_assert(world_since(&world, "bob", 3, 4)->items[0]->blanked);
	ck_assert_str_eq(
	    world_since(&world, "bob", 4, 5)->items[0]->payload->chat_message->text, "bob's");
	check_query("SELECT transfer_id, version, parties FROM notifications.transfers ORDER BY 1",
	    "t1|4|{bob}\nt3|1|{bob}\n");
	check_query(
	    "SELECT kind, id, reason FROM notifications.revocations", "user|alice|erased\n");
	ck_assert_int_eq(WW("export", "--no-chat", "alice"), 0);
	ck_assert_says("2 lines about alice"); /* the counter row and the revocation */
}
END_TEST

START_TEST(erasing_again_finds_nothing_and_harms_nothing)
{
	char *before;

	fill();
	ck_assert_int_eq(WW("erase", "--no-chat", "alice", "--yes"), 0);
	before = rows_of_others();
	ck_assert_int_eq(WW("erase", "--no-chat", "alice", "--yes"), 0);
	ck_assert_says("mailbox           0");
	ck_assert_says("sockets           0");
	check_is_void("alice", 8);
	check_rows_of_others(before);
	ck_assert_int_eq(WW("erase", "--no-chat", "nobody-of-ours", "--yes"), 0);
}
END_TEST

START_TEST(friends_are_written_down_and_go_on_both_sides)
{
	ck_assert_int_eq(WW("friends", "add", "alice", "bob", "carol"), 0);
	ck_assert_int_eq(WW("export", "--no-chat", "alice"), 0);
	ck_assert_says("{\"friend\":{\"userId\":\"bob\",\"since\":\"20");
	ck_assert_says("{\"friend\":{\"userId\":\"carol\",\"since\":\"20");
	ck_assert_int_eq(WW("erase", "--no-chat", "alice", "--yes"), 0);
	ck_assert_says("friends           2");
	check_query("SELECT count(*) FROM presence.friends", "0\n");
	ck_assert_int_eq(WW("export", "--no-chat", "alice"), 0);
	ck_assert_hides("friend");
	ck_assert_int_eq(WW("erase", "--no-chat", "alice", "--yes"), 0);
	ck_assert_says("friends           0");
}
END_TEST

START_TEST(what_presence_holds_is_not_forgotten_while_it_is_away)
{
	ck_assert_int_eq(WW("friends", "add", "alice", "bob"), 0);
	support_end(&presence, SIGTERM, presence_log);
	ck_assert_int_eq(WW("export", "--no-chat", "alice"), 1);
	ck_assert_int_eq(WW("erase", "--no-chat", "alice", "--yes"), 1);
	ck_assert_says("not finished, say it again");
	spawn_presence();
	ck_assert_int_eq(WW("erase", "--no-chat", "alice", "--yes"), 0);
	check_query("SELECT count(*) FROM presence.friends", "0\n");
}
END_TEST

/* A body goes with the last of those who were told it. */
START_TEST(what_two_users_were_told_goes_with_the_second_of_them)
{
	fill();
	ck_assert_int_eq(WW("erase", "--no-chat", "alice", "--yes"), 0);
	check_query("SELECT event_key FROM notifications.bodies WHERE event_key = 'payment/both'",
	    "payment/both\n");
	ck_assert_int_eq(WW("erase", "--no-chat", "bob", "--yes"), 0);
	check_is_void("bob", 5);
	check_query("SELECT count(*) FROM notifications.bodies", "0\n");
	check_query("SELECT count(*) FROM notifications.transfers", "0\n");
}
END_TEST

START_TEST(events_that_come_again_after_an_erasure_stay_void)
{
	size_t rings;

	fill();
	ck_assert_int_eq(WW("erase", "--no-chat", "alice", "--yes"), 0);
	rings = world_rings(&world);
	world_publish_again(&world,
	    "{\"id\":\"" MARK "-kyc\",\"userIds\":[\"alice\"],\"kyc\":{\"message\":\"" MARK "\"}}");
	world_wait_rings(&world, rings + 1);
	ck_assert_uint_eq(world.rings[rings]->n_items, 1);
	ck_assert(world.rings[rings]->items[0]->blanked);
	check_is_void("alice", 8);
	check_dump_is_clean();
	/* Recalling what is no longer there harms nobody. */
	ck_assert_uint_eq(world_recall(&world, "kyc", MARK "-kyc", "ok"), 0);
	ck_assert_uint_eq(world_recall(&world, "payment", "both", "ok"), 1);
	check_is_void("alice", 8);
	ck_assert(world_verify(&world, "bob")->consistent);
}
END_TEST

START_TEST(a_crash_between_two_pieces_leaves_a_mailbox_that_agrees_with_itself)
{
	const Walletwire__V1__EraseReply *piece;
	const Walletwire__V1__VerifyReply *verify;
	Walletwire__V1__EraseProgress *at = NULL;
	char *before;

	publish_many();
	before = rows_of_others();
	/* The first may find events that are applied and not acknowledged yet. */
	do {
		piece = erase_piece("alice", at, NULL);
		at = piece->at;
	} while (at->waiting);
	ck_assert(piece->more);
	ck_assert_uint_gt(piece->erased->mailbox, 0);
	world_kill(&world, 0, SIGKILL);
	world_spawn(&world, 0, "--takeover-wait=0s");
	verify = world_verify(&world, "alice");
	ck_assert_msg(
	    verify->consistent, "%s", verify->n_findings ? verify->findings[0] : "inconsistent");
	ck_assert_uint_eq(verify->inbox_rows, MANY - piece->erased->inbox);
	ck_assert_uint_eq(verify->counted->total, verify->inbox_rows);
	ck_assert_int_eq(WW("erase", "--no-chat", "alice", "--yes"), 0);
	check_query("SELECT count(*) FROM notifications.mailbox WHERE user_id = 'alice'"
		    " AND body_id <> 0",
	    "0\n");
	check_query("SELECT n FROM notifications.unread WHERE user_id = 'alice'", "");
	check_dump_is_clean();
	check_rows_of_others(before);
	ck_assert(world_verify(&world, "alice")->consistent);
	ck_assert_uint_eq(world_verify(&world, "alice")->mailbox_rows, MANY);
}
END_TEST

/* Both take the bodies that both were told, in one order. */
START_TEST(two_users_who_share_events_are_erased_at_the_same_time)
{
	const char *users[] = { "alice", "bob" };
	pid_t pids[2];
	int status = 0;

	publish_many();
	(void)WW("--version"); /* signs in as itself from here on */
	for (int i = 0; i < 2; i++) {
		char program[512], log[512];
		const char *argv[] = { program, "erase", "--no-chat", users[i], "--yes", NULL };

		(void)snprintf(program, sizeof(program), "%s/ww", getenv("WW_BIN_DIR"));
		(void)snprintf(log, sizeof(log), "%s", command_path(users[i]));
		pids[i] = support_spawn(argv, log);
	}
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s",
		    support_read_file(command_path(users[i])));
		ck_assert(world_verify(&world, users[i])->consistent);
	}
	check_query("SELECT count(*) FROM notifications.bodies", "0\n");
	check_query("SELECT count(*) FROM notifications.inbox", "0\n");
}
END_TEST

/* Whoever waits for a lock too long tries again for ever: nothing after the event is applied. */
static void hold_up_events(void)
{
	postgres_exec(world.dsn,
	    "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS"
	    " $$ BEGIN RAISE EXCEPTION 'held up' USING ERRCODE = 'lock_not_available'; END $$;"
	    "CREATE TRIGGER hold BEFORE INSERT ON notifications.inbox FOR EACH ROW"
	    " EXECUTE FUNCTION hold()");
}

START_TEST(what_was_published_before_is_applied_first_and_erased_with_the_rest)
{
	const Walletwire__V1__EraseReply *piece;

	fill();
	hold_up_events();
	world_publish(&world, "{\"id\":\"late\",\"userIds\":[\"alice\",\"bob\"],\"kyc\":"
			      "{\"message\":\"common\"}}");
	world_publish(&world,
	    "{\"id\":\"later\",\"userIds\":[\"alice\"],\"kyc\":{\"message\":\"" MARK "\"}}");
	piece = erase_piece("alice", NULL, NULL);
	ck_assert(piece->more);
	ck_assert(piece->at->waiting);
	ck_assert_uint_eq(piece->erased->mailbox, 0);
	ck_assert_uint_eq(world_verify(&world, "alice")->inbox_rows, 4);
	ck_assert_int_eq(WW("erase", "--no-chat", "alice", "--yes", "--wait", "1ms"), 1);
	ck_assert_says("are not applied yet");
	postgres_exec(world.dsn, "DROP TRIGGER hold ON notifications.inbox");
	ck_assert_int_eq(WW("erase", "--no-chat", "alice", "--yes"), 0);
	check_is_void("alice", 10);
	check_dump_is_clean();
	ck_assert_uint_eq(world_open(&world, "bob")->seq, 6);
}
END_TEST

START_TEST(letters_that_name_the_user_go_and_others_keep_what_is_theirs)
{
	world_bury_event(
	    &world, "{\"id\":\"own\",\"userIds\":[\"alice\"],\"kyc\":{\"message\":\"" MARK "\"}}");
	world_bury_event(&world, "{\"id\":\"both\",\"userIds\":[\"alice\",\"bob\"],\"payment\":"
				 "{\"amount\":\"1.00\",\"currency\":\"EUR\"}}");
	world_bury_event(&world,
	    "{\"id\":\"tx\",\"transaction\":{\"transactionId\":\"tx1\",\"amount\":\"5.00\","
	    "\"currency\":\"EUR\",\"sender\":{\"userId\":\"alice\",\"name\":\"" MARK "\"},"
	    "\"recipient\":{\"userId\":\"bob\"}}}");
	world_bury_event(&world, "{\"id\":\"c\",\"userIds\":[\"bob\"],\"chat\":{\"message\":"
				 "{\"senderId\":\"alice\",\"text\":\"" MARK "\"}}}");
	world_bury_event(&world, "{\"id\":\"bobs\",\"userIds\":[\"bob\"],\"kyc\":{}}");
	world_bury(&world, "ww.event.kyc", BYTES_LITERAL("\xff"));
	ck_assert_int_eq(WW("erase", "--no-chat", "alice", "--yes"), 0);
	ck_assert_says("letters           4  dead letters removed");
	ck_assert_says("2  of them kept for others");
	ck_assert_says("1 dead letters hold no event");
	ck_assert_int_eq(WW("dlq", "list", "--json", "--reveal"), 0);
	ck_assert_uint_eq(command_lines(), 4);
	ck_assert_hides(MARK);
	ck_assert_hides("alice");
	ck_assert_says("\"reason\":\"the test's\"");
	ck_assert_says("\"id\":\"both\",\"userIds\":[\"bob\"]");
	ck_assert_says("\"recipient\":{\"userId\":\"bob\"");
	/* What is left can be replayed: bob gets his side of it. */
	ck_assert_int_eq(WW("dlq", "replay", "5", "7", "8"), 0);
	world_wait_seq(&world, "bob", 3, 0);
	ck_assert_uint_eq(world_open(&world, "alice")->seq, 0);
}
END_TEST

/* --- what is refused --- */

static void check_refused(const char *user, uint64_t seq)
{
	Walletwire__V1__EraseProgress *at = seq ? MESSAGE_NEW(&world.arena, erase_progress) : NULL;
	const char *code = "";

	if (at)
		at->seq = seq;
	(void)erase_piece(user, at, &code);
	ck_assert_str_eq(code, "invalid");
}

static void check_no_cursor(const char *after)
{
	Walletwire__V1__ExportRequest *in = MESSAGE_NEW(&world.arena, export_request);
	const Walletwire__V1__ExportReply *reply;
	const char *code = "";

	in->user_id = arena_strdup(&world.arena, "alice");
	in->after = arena_strdup(&world.arena, after);
	reply = world_ask(&world, "ww.backend.notifications.export", in,
	    &walletwire__v1__export_reply__descriptor, &code);
	ck_assert_str_eq(code, "invalid");
	ck_assert_str_eq(reply->error->field, "after");
}

START_TEST(bad_requests_are_refused)
{
	char name[200];

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	check_refused("", 0);
	check_refused(name, 0);
	check_no_cursor("x");
	check_no_cursor("8:");
	check_no_cursor("1:x");
	check_no_cursor("1:1111111111111111111");
	check_no_cursor(name);
	check_query("SELECT count(*) FROM notifications.revocations", "0\n");
}
END_TEST

START_TEST(wrong_use_is_told_and_nothing_is_done)
{
	fill();
	ck_assert_int_eq(WW("erase"), 2);
	ck_assert_int_eq(WW("export"), 2);
	ck_assert_int_eq(WW("erase", "--no-chat", "alice"), 2);
	ck_assert_says("say --yes");
	ck_assert_uint_eq(world_verify(&world, "alice")->inbox_rows, 4);
	check_query("SELECT count(*) FROM notifications.revocations", "0\n");
}
END_TEST

static void publish_version(int edit, const char *rest)
{
	publish_as_chat(arena_printf(&world.arena,
	    "{\"id\":\"r1/1/"
	    "%d\",\"userIds\":[\"alice\",\"bob\"],\"chat\":{\"message\":{\"id\":\"m1\","
	    "\"roomId\":\"r1\",\"seq\":1,\"senderId\":\"alice\"%s}}}",
	    edit, rest));
}

/* Somebody who was away the whole time. */
START_TEST(what_a_message_said_before_it_was_edited_or_deleted_is_sent_to_nobody)
{
	const Walletwire__V1__SinceReply *missed;

	publish_version(0, ",\"text\":\"first\"");
	/* The same number in another room, and another number in this one: no versions of it. */
	publish_as_chat("{\"id\":\"r2/1/0\",\"userIds\":[\"bob\"],\"chat\":{\"message\":"
			"{\"roomId\":\"r2\",\"seq\":1,\"senderId\":\"alice\",\"text\":\"2\"}}}");
	publish_as_chat("{\"id\":\"r1/11/0\",\"userIds\":[\"bob\"],\"chat\":{\"message\":"
			"{\"roomId\":\"r1\",\"seq\":11,\"senderId\":\"alice\",\"text\":\"3\"}}}");
	publish_version(1, ",\"text\":\"second\"");
	world_wait_seq(&world, "bob", 4, 0);
	missed = world_since(&world, "bob", 0, 4);
	ck_assert_uint_eq(missed->n_items, 4);
	ck_assert(missed->items[0]->blanked);
	for (size_t i = 1; i < 4; i++)
		ck_assert(!missed->items[i]->blanked);
	ck_assert_str_eq(missed->items[3]->payload->chat_message->text, "second");
	publish_version(2, ",\"deleted\":true");
	world_wait_seq(&world, "bob", 5, 0);
	missed = world_since(&world, "bob", 3, 5);
	ck_assert(missed->items[0]->blanked);
	ck_assert(missed->items[1]->payload->chat_message->deleted);
	/* Of the first one nothing is left, of the others all. */
	check_query("SELECT event_key, length(payload) > 0 FROM notifications.bodies ORDER BY 1",
	    "chat/r1/1/0|f\nchat/r1/1/1|f\nchat/r1/1/2|t\nchat/r1/11/0|t\nchat/r2/1/0|t\n");
	ck_assert(world_verify(&world, "bob")->consistent);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notifications_erasure");
	TCase *tcase = tcase_create("erasure");

	pg = postgres_start();
	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, everything_held_is_written_down_and_nothing_else);
	tcase_add_test(tcase, an_export_goes_into_a_new_file_of_its_own);
	tcase_add_test(tcase, pages_of_an_export_follow_each_other);
	tcase_add_test(tcase, a_user_is_erased_and_others_keep_theirs);
	tcase_add_test(tcase, erasing_again_finds_nothing_and_harms_nothing);
	tcase_add_test(tcase, friends_are_written_down_and_go_on_both_sides);
	tcase_add_test(tcase, what_presence_holds_is_not_forgotten_while_it_is_away);
	tcase_add_test(tcase, what_two_users_were_told_goes_with_the_second_of_them);
	tcase_add_test(tcase, events_that_come_again_after_an_erasure_stay_void);
	tcase_add_test(tcase, a_crash_between_two_pieces_leaves_a_mailbox_that_agrees_with_itself);
	tcase_add_test(tcase, two_users_who_share_events_are_erased_at_the_same_time);
	tcase_add_test(tcase, what_was_published_before_is_applied_first_and_erased_with_the_rest);
	tcase_add_test(tcase, letters_that_name_the_user_go_and_others_keep_what_is_theirs);
	tcase_add_test(tcase, bad_requests_are_refused);
	tcase_add_test(
	    tcase, what_a_message_said_before_it_was_edited_or_deleted_is_sent_to_nobody);
	tcase_add_test(tcase, wrong_use_is_told_and_nothing_is_done);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
