/* Dead letters, from the event that makes one to the replay that is applied: with the real `ww`. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attrs.h"
#include "bus/provision.h"
#include "world.h"

static struct postgres *pg;
static struct world world;
static char dir[256]; /* the passwords, and what `ww` prints */
static struct bus *notifications;

static void write_password(const char *user)
{
	char path[512];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, user);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(user, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void setup(void)
{
	world_start(&world, pg);
	world_spawn(&world, 0, NULL);
	(void)snprintf(dir, sizeof(dir), "%s/dlq-%d", support_tmp_dir(), (int)getpid());
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	for (size_t i = 0; bus_users[i]; i++)
		write_password(bus_users[i]);
	ck_assert_int_eq(unsetenv("WW_NATS_PASSWORD"), 0); /* the replica's */
	ck_assert_int_eq(setenv("WW_NATS_PASSWORDS_DIR", dir, 1), 0);
	ck_assert_int_eq(setenv("WW_NATS_URL", world.nats.url, 1), 0);
	notifications = support_nats_bus(&world.nats, "notifications");
}

static void teardown(void)
{
	bus_close(notifications);
	world_stop(&world);
}

/* Runs `ww words...`; its output goes to the file `out`. */
static int run_ww(const char *const *words)
{
	char program[512], out[512];
	const char *argv[16] = { program };
	int status = 0;
	size_t n = 1;
	pid_t pid;

	while (*words)
		argv[n++] = *words++;
	(void)snprintf(program, sizeof(program), "%s/ww", getenv("WW_BIN_DIR"));
	(void)snprintf(out, sizeof(out), "%s/out", dir);
	(void)remove(out);
	pid = support_spawn(argv, out);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define WW(...) run_ww((const char *const[]){ __VA_ARGS__, NULL })

static const char *output(void)
{
	static char text[1 << 20];
	char path[512];
	FILE *file;
	size_t n;

	(void)snprintf(path, sizeof(path), "%s/out", dir);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	(void)fclose(file);
	text[n] = '\0';
	return text;
}

#define ck_assert_says(text) \
	ck_assert_msg(strstr(output(), text), "not said: %s\n%s", text, output())
#define ck_assert_hides(text) ck_assert_msg(!strstr(output(), text), "said: %s", output())

static size_t lines(void)
{
	size_t n = 0;

	for (const char *c = output(); *c; c++)
		n += *c == '\n';
	return n;
}

/* A letter as the service writes it. */
static void bury(const char *subject, struct bytes data)
{
	const struct bus_header headers[] = { { "Ww-Reason", "the test's" },
		{ "Ww-Subject", subject }, { "Ww-Stream-Seq", "7" }, { "Ww-Msg-Id", "test/7" },
		{ NULL, NULL } };
	struct err err = ERR_INIT;
	struct bus_ack ack;

	ck_assert_ok(
	    bus_publish_stored(notifications, "ww.dlq.event", NULL, data, headers, &ack, &err),
	    err);
}

static void bury_event(const char *json)
{
	char subject[64];
	struct bytes data = world_event(&world, json, subject);

	bury(subject, data);
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
	ck_assert_uint_eq(lines(), 1);
	ck_assert_says("     2  ");
	postgres_exec(world.dsn, "DROP TRIGGER refuse ON notifications.inbox");
	ck_assert_int_eq(WW("dlq", "replay", "2"), 0);
	ck_assert_says("stored as 3");
	world_wait_seq(&world, "alice", 1, 0);
	ck_assert_int_eq(WW("dlq", "list"), 0);
	ck_assert_uint_eq(lines(), 0);
}
END_TEST

/* Whoever dies between the two steps of a replay leaves a letter whose event was applied. */
START_TEST(an_event_that_is_replayed_twice_is_applied_once)
{
	bury_event(poison);
	ck_assert_int_eq(WW("dlq", "replay", "1"), 0);
	ck_assert_int_eq(WW("dlq", "replay", "1"), 1);
	ck_assert_says("there is no such dead letter");
	bury_event(poison);
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

	bury("ww.rt.user.alice", BYTES_LITERAL("forged"));
	bury("ww.event.user_ids", BYTES_LITERAL("forged"));
	for (int i = 1; i <= 250; i++) {
		(void)snprintf(json, sizeof(json),
		    "{\"id\":\"e%d\",\"userIds\":[\"alice\"],\"kyc\":{\"status\":\"x\"}}", i);
		bury_event(json);
	}
	ck_assert_int_eq(WW("dlq", "list", "--limit", "120"), 0);
	ck_assert_uint_eq(lines(), 121);
	ck_assert_says("132 more: --from 121\n");
	ck_assert_int_eq(WW("dlq", "list", "--from", "251"), 0);
	ck_assert_uint_eq(lines(), 2);
	ck_assert_int_eq(WW("dlq", "replay", "--all"), 1);
	ck_assert_says("2: it came from no subject of an event, and stays\n");
	world_wait_seq(&world, "alice", 250, 0);
	world_check_mailbox(&world, "alice", "e", 250);
	ck_assert_int_eq(WW("dlq", "list"), 0);
	ck_assert_uint_eq(lines(), 2);
}
END_TEST

/* What only ww-chat may publish goes back under its name. */
START_TEST(a_letter_goes_back_under_the_name_of_its_publisher)
{
	char path[512];

	bury("ww.event.chat", BYTES_LITERAL("\xff"));
	(void)snprintf(path, sizeof(path), "%s/chat", dir);
	ck_assert_int_eq(remove(path), 0);
	ck_assert_int_eq(WW("dlq", "replay", "1"), 1);
	ck_assert_says("chat");
	write_password("chat");
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
