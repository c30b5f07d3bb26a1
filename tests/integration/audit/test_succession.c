/*
 * What changes for good while the record goes on: the key that signs, and an end that was lost with
 * a database and accepted as lost. Neither is a way around what is found otherwise.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "ledger/head.h"
#include "world.h"

static struct postgres *pg;
static struct world world;

static void setup(void)
{
	world_start(&world, pg);
}

static void teardown(void)
{
	world_stop(&world);
}

/* Messages of fifty records each, from that one on, until all are rows. */
static void publish(const char *id, int messages)
{

	for (int i = 0; i < messages; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "%s%d", id, i);
		world_publish(&world, "notifications", name, 50, "alice");
	}
	for (int i = 0; i < messages; i++) {
		char sql[128];

		(void)snprintf(sql, sizeof(sql),
		    "SELECT count(*) FROM audit.records WHERE id = '%s%d-49'", id, i);
		world_wait_int(&world, sql, 1);
	}
}

/* Past every trigger. */
static void tamper(const char *sql)
{
	char all[2048];

	(void)snprintf(all, sizeof(all), "SET session_replication_role = replica; %s", sql);
	world_sql(&world, all);
}

/* --- keys --- */

static char old_key[320], old_public[320], earlier[480];

/* A new key, whose public half stands behind those before it. What ww-audit is started with next.
 */
static void change_key(const char *name)
{
	FILE *file;

	(void)snprintf(old_key, sizeof(old_key), "%s", world.key);
	(void)snprintf(old_public, sizeof(old_public), "%s/before-%s.pem", world.dir, name);
	file = fopen(old_public, "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(support_read_file(world.public_key), file), 0);
	ck_assert_int_eq(fclose(file), 0);

	(void)snprintf(world.key, sizeof(world.key), "%s/%s.pem", world.dir, name);
	ck_assert_int_eq(WW("key", "--make", world.key), 0);
	file = fopen(world.public_key, "ae");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(world_output(&world), file), 0);
	ck_assert_int_eq(fclose(file), 0);
	(void)snprintf(earlier, sizeof(earlier), "--earlier-keys-file=%s", world.public_key);
}

/* The key that the newest head was signed with. */
static const char *newest_key_id(void)
{
	static char id[17];
	int64_t half[2];

	half[0] = world_int(&world, "SELECT ('x' || left(key_id, 8))::bit(32)::bigint"
				    " FROM audit.heads ORDER BY number DESC LIMIT 1");
	half[1] = world_int(&world, "SELECT ('x' || right(key_id, 8))::bit(32)::bigint"
				    " FROM audit.heads ORDER BY number DESC LIMIT 1");
	(void)snprintf(id, sizeof(id), "%08x%08x", (unsigned)half[0], (unsigned)half[1]);
	return id;
}

START_TEST(key_is_changed_while_records_come)
{
	world_spawn(&world, 0, "--heads-rows=50");
	publish("a", 3);
	change_key("second");
	world_spawn(&world, 1, earlier); /* stands by */
	publish("b", 1);
	world_kill(&world, 0, SIGTERM);
	publish("c", 3);
	world_kill(&world, 1, SIGTERM);
	world_verify_good(&world);
	ck_assert_ptr_nonnull(strstr(world_output(&world), "numbers 1 to 351, signed up to 351"));
	ck_assert_int_eq(world_int(&world, "SELECT count(DISTINCT key_id) FROM audit.heads"), 2);
	ck_assert_int_eq(
	    world_int(&world, "SELECT count(*) FROM audit.records WHERE action = 67"), 1);

	/* Who knows the first key alone is told which one is missing. */
	(void)snprintf(world.public_key, sizeof(world.public_key), "%s", old_public);
	world_verify_broken(&world, "with one that was not given");
	world_verify_broken(&world, newest_key_id());
}
END_TEST

START_TEST(key_of_nobody_does_not_go_on)
{
	world_spawn(&world, 0, NULL);
	publish("a", 1);
	world_kill(&world, 0, SIGTERM);
	change_key("second");
	world_launch(&world, 0, NULL);
	world_wait_says(&world, 0, "the chain was changed by somebody else");
	ck_assert_ptr_nonnull(strstr(world_log(&world, 0), "earlier-keys-file"));
	world_kill(&world, 0, SIGTERM);
	world_launch(&world, 0, earlier);
	world_wait_ready(&world, 0);
}
END_TEST

/* What ww-audit is started with to take the second key for an earlier one than the first. */
static void call_second_key_earlier(void)
{
	char path[400];
	FILE *file;

	ck_assert_int_eq(WW("key", world.key), 0);
	(void)snprintf(path, sizeof(path), "%s/second-alone.pem", world.dir);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(world_output(&world), file), 0);
	ck_assert_int_eq(fclose(file), 0);
	(void)snprintf(earlier, sizeof(earlier), "--earlier-keys-file=%s", path);
}

START_TEST(key_that_was_given_up_can_not_go_on)
{
	char second[sizeof(world.key)];

	world_spawn(&world, 0, NULL);
	publish("a", 1);
	world_kill(&world, 0, SIGTERM);
	change_key("second");
	world_spawn(&world, 0, earlier);
	publish("b", 1);
	world_kill(&world, 0, SIGTERM);
	world_verify_good(&world);
	/* A replica that was left with the first one adds nothing that could not be verified. */
	(void)snprintf(second, sizeof(second), "%s", world.key);
	(void)snprintf(world.key, sizeof(world.key), "%s", old_key);
	world_launch(&world, 0, earlier);
	world_wait_says(&world, 0, "the chain was changed by somebody else");
	world_kill(&world, 0, SIGTERM);
	world_verify_good(&world);
	/* Whoever has the first one still, and makes it do so. */
	(void)snprintf(world.key, sizeof(world.key), "%s", second);
	call_second_key_earlier();
	(void)snprintf(world.key, sizeof(world.key), "%s", old_key);
	world_spawn(&world, 0, earlier);
	publish("c", 1);
	world_kill(&world, 0, SIGTERM);
	world_verify_broken(&world, "signed with a key that was given up before");
}
END_TEST

/* As who has the first key and the database would: into the file of heads and the table. */
static void sign_with_old_key(enum ledger_head_kind kind, int64_t number)
{
	struct ledger_head head = { .kind = kind, .number = number, .at_us = clock_wall_us() };
	char sql[1024], signature[2 * LEDGER_SIGNATURE_LEN + 1], hash[LEDGER_HASH_TEXT_SIZE];
	struct ledger_key *key = NULL;
	struct buf line = BUF_INIT;
	struct err err = ERR_INIT;
	FILE *file = fopen(world.heads, "ae");

	for (size_t i = 0; i < sizeof(head.hash.at); i++) {
		(void)snprintf(sql, sizeof(sql),
		    "SELECT get_byte(hash, %zu)::bigint FROM audit.records WHERE number = %" PRId64,
		    i, number);
		head.hash.at[i] = (uint8_t)world_int(&world, sql);
	}
	ck_assert_msg(!ledger_key_read_private(old_key, &key, &err), "%s", err.msg);
	ledger_head_sign(&head, key);
	ledger_head_append(&line, &head);
	ck_assert_ptr_nonnull(file);
	ck_assert_int_gt(fprintf(file, "%s\n", buf_str(&line)), 0);
	ck_assert_int_eq(fclose(file), 0);
	hex_encode(bytes_of(head.hash.at, sizeof(head.hash.at)), hash);
	hex_encode(bytes_of(head.signature, sizeof(head.signature)), signature);
	(void)snprintf(sql, sizeof(sql),
	    "INSERT INTO audit.heads (shard, number, kind, hash, at, key_id, signature) VALUES"
	    " (0, %" PRId64 ", '%s', '\\x%s', 'epoch'::timestamptz + %" PRId64
	    " * interval '1 microsecond', '%s', '\\x%s')",
	    number, ledger_head_word(kind), hash, head.at_us, head.key_id, signature);
	world_sql(&world, sql);
	ledger_key_free(key);
	buf_finish(&line);
}

/* Three messages under the first key, three under the second one. */
static void publish_under_two_keys(void)
{
	world_spawn(&world, 0, "--heads-rows=50");
	publish("a", 3);
	world_kill(&world, 0, SIGTERM);
	change_key("second");
	world_spawn(&world, 0, earlier);
	publish("b", 3);
	world_kill(&world, 0, SIGTERM);
	world_verify_good(&world);
}

START_TEST(key_that_was_given_up_accepts_no_loss_of_what_its_successor_signed)
{
	publish_under_two_keys();
	tamper("DELETE FROM audit.records WHERE number > 100;"
	       "DELETE FROM audit.heads WHERE number > 100;"
	       "DELETE FROM audit.positions WHERE seq > 2");
	world_spawn(&world, 0, earlier);
	publish("c", 5);
	world_kill(&world, 0, SIGTERM);
	sign_with_old_key(LEDGER_LOSS, 100);
	world_verify_broken(&world, "BROKEN at number 101: rewritten");
}
END_TEST

START_TEST(key_that_was_given_up_anchors_nothing_behind_its_successor)
{
	publish_under_two_keys();
	world_spawn(&world, 0, earlier);
	publish("c", 1);
	world_kill(&world, 0, SIGTERM);
	sign_with_old_key(LEDGER_ANCHOR, 320);
	world_verify_broken(&world, "signed with a key that was given up before");
	tamper("DELETE FROM audit.records WHERE number <= 320");
	world_verify_broken(&world, "BROKEN at number 1: missing");
}
END_TEST

START_TEST(table_rewritten_and_signed_with_a_key_of_one_s_own_is_found)
{
	world_spawn(&world, 0, NULL);
	publish("a", 2);
	world_kill(&world, 0, SIGTERM);
	tamper("UPDATE audit.records SET record = set_byte(record, 5, get_byte(record, 5) # 1)"
	       " WHERE number = 20;"
	       "DO $$ DECLARE r record; h bytea := sha256('walletwire-audit/1 shard 0'); BEGIN"
	       " FOR r IN SELECT number, record FROM audit.records ORDER BY number LOOP"
	       " h := sha256(h || r.record);"
	       " UPDATE audit.records SET hash = h WHERE number = r.number; END LOOP; END $$;"
	       "DELETE FROM audit.heads");
	change_key("foreign");
	world_spawn(&world, 0, NULL);
	publish("b", 1);
	world_kill(&world, 0, SIGTERM);
	(void)snprintf(world.public_key, sizeof(world.public_key), "%s", old_public);
	world_verify_broken(&world, "with one that was not given");
	world_verify_broken(&world, newest_key_id());
	world_verify_broken(&world, "BROKEN at number 1: rewritten");
}
END_TEST

/* --- an end that is lost --- */

/* A database as it was three messages after its beginning; what came later was acknowledged. */
static void restore(void)
{
	world_kill(&world, 0, SIGTERM);
	tamper("DELETE FROM audit.records WHERE number > 150;"
	       "DELETE FROM audit.heads WHERE number > 150;"
	       "DELETE FROM audit.positions WHERE seq > 3");
}

static int accept_loss(const char *after)
{
	char flag[64], key[400], heads[400], url[400];

	(void)snprintf(flag, sizeof(flag), "--after=%s", after);
	(void)snprintf(key, sizeof(key), "--key=%s", world.public_key);
	(void)snprintf(heads, sizeof(heads), "--heads=%s", world.heads);
	(void)snprintf(url, sizeof(url), "--database-url-file=%s/auditor.url", world.dir);
	return WW("accept-loss", flag, key, heads, url, "--by=olga");
}

static void publish_and_restore(void)
{
	world_spawn(&world, 0, "--heads-rows=50");
	for (int i = 0; i < 6; i++) {
		char id[8];

		(void)snprintf(id, sizeof(id), "%c", 'a' + i);
		publish(id, 1);
	}
	restore();
	world_verify_broken(&world, "BROKEN at number 151: truncated");
	world_spawn(&world, 0, "--heads-rows=50");
	publish("after", 2);
	world_verify_broken(&world, "BROKEN at number 151: rewritten");
}

START_TEST(lost_end_is_accepted_once_and_for_all)
{
	publish_and_restore();
	ck_assert_int_ne(accept_loss("100"), 0);
	ck_assert_ptr_nonnull(strstr(world_output(&world), "fits its heads up to number 150"));
	ck_assert_int_eq(
	    world_int(&world, "SELECT count(*) FROM audit.records WHERE action = 72"), 0);

	ck_assert_int_eq(accept_loss("150"), 0);
	world_wait_int(&world, "SELECT count(*) FROM audit.heads WHERE kind = 'loss'", 1);
	ck_assert_int_eq(
	    world_int(&world, "SELECT count(*) FROM audit.records WHERE action = 72"), 1);
	world_kill(&world, 0, SIGTERM);
	world_verify_good(&world);
	ck_assert_ptr_nonnull(strstr(world_output(&world), "of what was accepted as lost"));

	/* There is nothing left to accept, and the chain goes on. */
	ck_assert_int_ne(accept_loss("150"), 0);
	ck_assert_ptr_nonnull(strstr(world_output(&world), "has lost nothing"));
	world_spawn(&world, 0, "--heads-rows=50");
	publish("later", 2);
	world_kill(&world, 0, SIGTERM);
	world_verify_good(&world);
}
END_TEST

/* The loss that was accepted first is of what the second restore has lost again. */
START_TEST(lost_end_is_accepted_again)
{
	publish_and_restore();
	ck_assert_int_eq(accept_loss("150"), 0);
	world_wait_int(&world, "SELECT count(*) FROM audit.heads WHERE kind = 'loss'", 1);
	world_kill(&world, 0, SIGTERM);
	tamper("DELETE FROM audit.records WHERE number > 100;"
	       "DELETE FROM audit.heads WHERE number > 100;"
	       "DELETE FROM audit.positions WHERE seq > 2");
	world_spawn(&world, 0, "--heads-rows=50");
	publish("again", 2);
	ck_assert_int_eq(accept_loss("100"), 0);
	world_wait_int(&world, "SELECT count(*) FROM audit.heads WHERE kind = 'loss'", 1);
	world_kill(&world, 0, SIGTERM);
	world_verify_good(&world);
}
END_TEST

static const struct {
	const char *sql, *found;
} tries[] = {
	{ "DELETE FROM audit.records WHERE number > 200", "truncated" },
	{ "DELETE FROM audit.records WHERE number > 140", "truncated" },
	{ "UPDATE audit.records SET record = set_byte(record, 5, get_byte(record, 5) # 1)"
	  " WHERE number = 20",
	    "BROKEN at number 20: edited" },
	{ "UPDATE audit.records SET record = set_byte(record, 5, get_byte(record, 5) # 1)"
	  " WHERE number = 170",
	    "BROKEN at number 170: edited" },
};

START_TEST(accepted_loss_hides_nothing_else)
{
	publish_and_restore();
	ck_assert_int_eq(accept_loss("150"), 0);
	world_wait_int(&world, "SELECT count(*) FROM audit.heads WHERE kind = 'loss'", 1);
	world_kill(&world, 0, SIGTERM);
	world_verify_good(&world);
	tamper(tries[_i].sql);
	world_verify_broken(&world, tries[_i].found);
}
END_TEST

/* Made by whoever has the database, of a head that was signed. */
START_TEST(loss_that_nobody_signed_is_none)
{
	publish_and_restore();
	world_kill(&world, 0, SIGTERM);
	tamper("INSERT INTO audit.heads (shard, number, kind, hash, at, key_id, signature)"
	       " SELECT shard, number, 'loss', hash, now(), key_id, signature FROM audit.heads"
	       " WHERE number = 150");
	world_verify_broken(&world, "1 in the table are not signed with this key");
	world_verify_broken(&world, "BROKEN at number 151: rewritten");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("audit_succession");
	TCase *keys = tcase_create("keys");
	TCase *losses = tcase_create("losses");

	pg = postgres_start();
	tcase_set_timeout(keys, 120);
	tcase_add_checked_fixture(keys, setup, teardown);
	tcase_add_test(keys, key_is_changed_while_records_come);
	tcase_add_test(keys, key_of_nobody_does_not_go_on);
	tcase_add_test(keys, key_that_was_given_up_can_not_go_on);
	tcase_add_test(keys, key_that_was_given_up_accepts_no_loss_of_what_its_successor_signed);
	tcase_add_test(keys, key_that_was_given_up_anchors_nothing_behind_its_successor);
	tcase_add_test(keys, table_rewritten_and_signed_with_a_key_of_one_s_own_is_found);
	suite_add_tcase(suite, keys);
	tcase_set_timeout(losses, 120);
	tcase_add_checked_fixture(losses, setup, teardown);
	tcase_add_test(losses, lost_end_is_accepted_once_and_for_all);
	tcase_add_test(losses, lost_end_is_accepted_again);
	tcase_add_loop_test(losses, accepted_loss_hides_nothing_else, 0, (int)ARRAY_LEN(tries));
	tcase_add_test(losses, loss_that_nobody_signed_is_none);
	suite_add_tcase(suite, losses);
	return support_run(suite);
}
