/* What services tell is stored once, in order, by a role that can't take it back, and can be asked
 * for. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "world.h"

static struct postgres *shared_pg;
static struct world world;

typedef Walletwire__V1__AuditRecord Record;

#define ACTION(NAME) WALLETWIRE__V1__AUDIT_ACTION__AUDIT_ACTION_##NAME

static void setup(void)
{
	world_start(&world, shared_pg);
}

static void teardown(void)
{
	world_stop(&world);
}

/* --- storing --- */

START_TEST(records_of_every_service_are_stored_once_and_in_order)
{
	static const char *const services[] = { "notifications", "presence", "chat", "edge",
		"ops" };

	world_spawn(&world, 0, NULL);
	for (int round = 0; round < 4; round++) {
		for (size_t i = 0; i < ARRAY_LEN(services); i++) {
			char id[64];

			(void)snprintf(id, sizeof(id), "%s%d", services[i], round);
			world_publish(&world, services[i], id, 3, "alice");
		}
	}
	world_wait_rows(&world, 60);
	world_check_gapless(&world, 60);
	/* The order of the stream is that of publishing, here and within a message. */
	ck_assert_int_eq(world_int(&world, "SELECT number FROM audit.records WHERE id = 'chat2-1'"),
	    2 * 15 + 2 * 3 + 2);
	world_kill(&world, 0, SIGTERM);
	world_verify_good(&world);
	ck_assert_msg(strstr(world_output(&world), "numbers 1 to 60, signed up to 60"), "%s",
	    world_output(&world));
}
END_TEST

START_TEST(all_records_of_a_service_are_in_one_shard)
{
	world_spawn(&world, 0, "--shards=4");
	world_publish(&world, "notifications", "n", 20, "alice");
	world_publish(&world, "presence", "p", 20, "alice");
	world_publish(&world, "chat", "c", 20, "alice");
	world_publish(&world, "notifications", "o", 20, "alice");
	world_wait_rows(&world, 80);
	ck_assert_int_eq(
	    world_int(&world, "SELECT max(n) FROM (SELECT count(DISTINCT shard) AS n FROM"
			      " audit.records GROUP BY left(id, 1)) AS s"),
	    1);
	ck_assert_int_gt(world_int(&world, "SELECT count(DISTINCT shard) FROM audit.records"), 1);
	ck_assert_int_eq(
	    world_int(&world,
		"SELECT sum(n)::bigint FROM (SELECT max(number) AS n FROM audit.records GROUP"
		" BY shard) AS s"),
	    80);
	world_kill(&world, 0, SIGTERM);
	world_verify_good(&world);
}
END_TEST

START_TEST(what_is_no_record_is_kept_and_told_and_holds_nothing_up)
{
	Record record = WALLETWIRE__V1__AUDIT_RECORD__INIT;
	char id[] = "forged", service[] = "notifications";

	world_spawn(&world, 0, NULL);
	world_publish(&world, "chat", "before", 1, "alice");
	world_publish_bytes(&world, "chat", BYTES_LITERAL("no protobuf at all"));
	world_publish_bytes(&world, "chat", BYTES_LITERAL(""));
	record.id = id;
	record.service = service;
	world_publish_record(&world, "chat", &record); /* speaks for another */
	world_publish(&world, "chat", "after", 1, "alice");
	world_wait_rows(&world, 5);
	ck_assert_int_eq(
	    world_int(&world, "SELECT count(*) FROM audit.records WHERE action = 65"), 3);
	ck_assert_int_eq(
	    world_int(&world,
		"SELECT count(*) FROM audit.unreadable u JOIN audit.records r USING"
		" (id) WHERE position(convert_to(encode(sha256(u.data), 'hex'), 'UTF8')"
		" in r.record) > 0"),
	    3);
	ck_assert_int_eq(
	    world_int(&world, "SELECT count(*) FROM audit.records WHERE id = 'forged'"), 0);
	ck_assert_int_eq(world_metric(&world, 0, "ww_ledger_unreadable_total"), 3);
}
END_TEST

/* --- rights --- */

static bool may(struct db *db, const char *sql)
{
	struct err err = ERR_INIT;

	return db_exec(db, sql, &err) == STATUS_OK;
}

static struct db *sign_in(const char *dsn)
{
	struct db_config cfg = { .dsn = dsn, .application_name = "test" };
	struct err err = ERR_INIT;
	struct db *db;

	ck_assert_ok(db_open(&cfg, &db, &err), err);
	return db;
}

START_TEST(nobody_who_signs_in_may_change_what_is_stored)
{
	static const char *const forbidden[] = {
		"UPDATE audit.records SET number = 9",
		"DELETE FROM audit.records",
		"TRUNCATE audit.records",
		"DROP TABLE audit.records",
		"ALTER TABLE audit.records DISABLE TRIGGER ALL",
		"DROP TRIGGER never_changed ON audit.records",
		"UPDATE audit.heads SET number = 9",
		"DELETE FROM audit.heads",
		"TRUNCATE audit.heads",
		"DELETE FROM audit.positions",
		"DELETE FROM audit.unreadable",
		"UPDATE audit.policy SET keep = '1 day'",
		"SELECT audit.make_partition(now())",
		"CREATE TABLE audit.mine ()",
		"SET ROLE walletwire_audit_owner",
		"SET session_replication_role = replica",
	};
	struct db *writer = sign_in(world.audit_dsn), *reader = sign_in(world.auditor_dsn);

	world_spawn(&world, 0, "--heads-rows=1");
	world_publish(&world, "chat", "c", 1, "alice");
	world_wait_int(&world, "SELECT count(*) FROM audit.heads", 1);
	for (size_t i = 0; i < ARRAY_LEN(forbidden); i++) {
		ck_assert_msg(!may(writer, forbidden[i]), "the writer may: %s", forbidden[i]);
		ck_assert_msg(!may(reader, forbidden[i]), "the reader may: %s", forbidden[i]);
	}
	ck_assert(may(reader, "SELECT FROM audit.records"));
	ck_assert(
	    !may(reader, "INSERT INTO audit.unreadable (id, subject, data) VALUES ('', '', '')"));
	ck_assert(!may(reader, "SELECT audit.drop_expired()"));
	/* Nor the owner, by mistake. */
	ck_assert(!may(world.admin, "UPDATE audit.records SET number = 9"));
	ck_assert(!may(world.admin, "DELETE FROM audit.heads"));
	ck_assert(!may(world.admin, "TRUNCATE audit.records"));
	db_close(writer);
	db_close(reader);
	ck_assert_int_eq(world_int(&world, "SELECT count(*) FROM audit.records"), 1);
}
END_TEST

static void expect_refused_key(const char *why)
{
	struct world *w = &world;

	world_launch(w, 0, NULL);
	ck_assert_int_ne(support_stop(w->replicas[0], 0), 0);
	w->replicas[0] = 0;
	ck_assert_msg(strstr(world_log(w, 0), why) != NULL, "%s", world_log(w, 0));
}

START_TEST(a_key_that_others_may_read_is_refused)
{
	ck_assert_int_eq(chmod(world.key, 0640), 0);
	expect_refused_key("its mode is 640");
	ck_assert_int_eq(WW("key", world.key), 1);
	ck_assert_int_eq(chmod(world.key, 0600), 0);
	ck_assert_int_eq(rename(world.public_key, world.key), 0);
	ck_assert_int_eq(chmod(world.key, 0600), 0);
	expect_refused_key("holds no Ed25519 key");
	ck_assert_int_eq(remove(world.key), 0);
	expect_refused_key("No such file");
}
END_TEST

/* --- asking --- */

static void publish_mark(const char *id, Walletwire__V1__AuditAction action, const char *session,
    char *event, uint64_t up_to)
{
	Record record = WALLETWIRE__V1__AUDIT_RECORD__INIT;
	Walletwire__V1__AuditActor by = WALLETWIRE__V1__AUDIT_ACTOR__INIT;
	Walletwire__V1__AuditUser whom = WALLETWIRE__V1__AUDIT_USER__INIT, *users[] = { &whom };
	char name[64], sid[64], user[] = "alice";

	(void)snprintf(name, sizeof(name), "%s", id);
	(void)snprintf(sid, sizeof(sid), "%s", session);
	by.kind = WALLETWIRE__V1__AUDIT_ACTOR_KIND__AUDIT_ACTOR_KIND_USER;
	by.id = user;
	by.session_id = sid;
	whom.user_id = user;
	record.id = name;
	record.action = action;
	record.actor = &by;
	record.users = users;
	record.n_users = 1;
	record.ids = &event;
	record.n_ids = event ? 1 : 0;
	record.up_to = up_to;
	world_publish_record(&world, "notifications", &record);
}

static void publish_item(char *event_key, uint64_t seq)
{
	Record record = WALLETWIRE__V1__AUDIT_RECORD__INIT;
	Walletwire__V1__AuditUser alice = WALLETWIRE__V1__AUDIT_USER__INIT,
				  bob = WALLETWIRE__V1__AUDIT_USER__INIT,
				  *users[] = { &alice, &bob };
	char a[] = "alice", b[] = "bob", id[64];

	(void)snprintf(id, sizeof(id), "item-%s", event_key);
	alice.user_id = a;
	alice.seq = seq;
	bob.user_id = b;
	bob.seq = 70 + seq;
	record.id = id;
	record.action = ACTION(ITEM_CREATED);
	record.event_key = event_key;
	record.users = users;
	record.n_users = 2;
	world_publish_record(&world, "notifications", &record);
}

#define ck_assert_says(text) \
	ck_assert_msg(       \
	    strstr(world_output(&world), text), "not said: %s\n%s", text, world_output(&world))

START_TEST(who_was_told_says_which_items_and_who_acknowledged_them)
{
	char one[] = "payment/p1", two[] = "kyc/k2", three[] = "payment/p3", chosen[] = "p3";

	world_spawn(&world, 0, NULL);
	publish_item(one, 1);
	publish_item(two, 2);
	publish_mark("m1", ACTION(ITEM_SEEN), "phone", NULL, 2);
	publish_mark("m2", ACTION(ITEM_READ), "laptop", NULL, 1);
	publish_mark("m3", ACTION(ITEM_READ), "later", NULL, 1);
	publish_item(three, 3);
	publish_mark("m4", ACTION(ITEM_READ), "tablet", chosen, 0);
	world_wait_rows(&world, 7);
	ck_assert_int_eq(WW("who-was-told", "--user", "alice", "--json", "--by", "carol"), 0);
	ck_assert_says("{\"seq\":1,\"eventKey\":\"payment/p1\"");
	ck_assert_says("\"seenSessionId\":\"phone\"");
	ck_assert_says("\"readSessionId\":\"laptop\"");
	ck_assert_says("\"readSessionId\":\"tablet\"");
	ck_assert_ptr_null(strstr(world_output(&world), "later"));
	ck_assert_int_eq(WW("who-was-told", "--user", "bob"), 0);
	ck_assert_says("    72  ");
	ck_assert_ptr_null(strstr(world_output(&world), "seen"));
	/* Who asked is in the record as well. */
	world_wait_int(&world,
	    "SELECT count(*) FROM audit.records WHERE action = 15 AND users = ARRAY['alice'] AND"
	    " position('carol'::bytea in record) > 0",
	    1);
	ck_assert_int_eq(WW("who-was-told", "--user", "alice", "--since", "yesterday"), 1);
	ck_assert_says("--since: \"yesterday\" is no time");
}
END_TEST

static size_t count_lines(void)
{
	size_t n = 0;

	for (const char *at = world_output(&world); (at = strchr(at, '\n')) != NULL; at++)
		n++;
	return n;
}

START_TEST(export_gives_every_record_in_pages)
{
	world_spawn(&world, 0, NULL);
	world_publish_many(&world, "e", 1200);
	world_wait_rows(&world, 1200);
	ck_assert_int_eq(WW("export", "--since", "1h"), 0);
	ck_assert_uint_eq(count_lines(), 1200);
	ck_assert_says("{\"shard\":0,\"number\":1200,\"storedAt\":");
	ck_assert_says("\"record\":{\"id\":\"e-1199\"");
	ck_assert_says("\"action\":\"item_created\"");
	ck_assert_int_eq(WW("export", "--since", "3h", "--until", "2h"), 0);
	ck_assert_uint_eq(count_lines(), 0);
	/* A record for each page that was read: three, and one. */
	world_wait_int(&world, "SELECT count(*) FROM audit.records WHERE action = 66", 4);
}
END_TEST

/* --- retention --- */

/* As if the first `n` rows had been stored long ago. */
static void age(int n)
{
	char sql[640];

	(void)snprintf(sql, sizeof(sql),
	    "SELECT audit.make_partition(now() - interval '500 days');"
	    " ALTER TABLE audit.records DISABLE TRIGGER never_changed;"
	    " SET session_replication_role = replica;"
	    " UPDATE audit.records SET stored_at = stored_at - interval '500 days' WHERE number <="
	    " %d; ALTER TABLE audit.records ENABLE TRIGGER never_changed",
	    n);
	world_sql(&world, sql);
}

START_TEST(old_partitions_go_and_the_rest_can_still_be_verified)
{
	world_spawn(&world, 0, "--heads-rows=100");
	world_publish_many(&world, "old", 300);
	world_wait_rows(&world, 300);
	world_kill(&world, 0, SIGTERM);
	age(250);
	world_verify_good(&world);
	ck_assert(!may(world.admin, "SELECT audit.drop_expired()")); /* no anchor */
	world_spawn(&world, 0, NULL);
	world_wait_rows(&world, 50);
	world_publish_many(&world, "new", 10);
	world_wait_rows(&world, 60);
	ck_assert_int_eq(world_int(&world, "SELECT min(number) FROM audit.records"), 251);
	ck_assert_int_eq(world_metric(&world, 0, "ww_ledger_dropped_partitions_total"), 1);
	world_kill(&world, 0, SIGTERM);
	world_verify_good(&world);
	ck_assert_says("numbers 251 to 310, signed up to 310");
	/* Everything may go, and numbers go on. */
	age(1000);
	world_spawn(&world, 0, NULL);
	world_wait_rows(&world, 0);
	world_publish_many(&world, "newest", 5);
	world_wait_rows(&world, 5);
	ck_assert_int_eq(world_int(&world, "SELECT min(number) FROM audit.records"), 311);
	world_kill(&world, 0, SIGTERM);
	world_verify_good(&world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("audit");
	TCase *tcase = tcase_create("audit");

	shared_pg = postgres_start();
	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, records_of_every_service_are_stored_once_and_in_order);
	tcase_add_test(tcase, all_records_of_a_service_are_in_one_shard);
	tcase_add_test(tcase, what_is_no_record_is_kept_and_told_and_holds_nothing_up);
	tcase_add_test(tcase, nobody_who_signs_in_may_change_what_is_stored);
	tcase_add_test(tcase, a_key_that_others_may_read_is_refused);
	tcase_add_test(tcase, who_was_told_says_which_items_and_who_acknowledged_them);
	tcase_add_test(tcase, export_gives_every_record_in_pages);
	tcase_add_test(tcase, old_partitions_go_and_the_rest_can_still_be_verified);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
