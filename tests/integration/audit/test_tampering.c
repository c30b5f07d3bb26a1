/*
 * Whoever may do anything in the database changes the record, and `ww audit verify` names the first
 * row that is not as it was written, and what became of it.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

enum { ROWS = 300 };

static struct postgres *shared_pg;
static struct world world;

static void publish_rows(void)
{
	for (int i = 0; i < ROWS / 50; i++) {
		char id[32];

		(void)snprintf(id, sizeof(id), "r%d", i);
		world_publish(&world, "notifications", id, 50, "alice");
		world_wait_rows(&world, 50 * (i + 1));
	}
}

/* Once for all tests: 300 rows with a head after each fifty, and nobody who writes. They are
 * published by another process, since threads that speak with NATS survive no fork. */
static void prepare(void)
{
	int status = 0;
	pid_t pid;

	world_start(&world, shared_pg);
	world_spawn(&world, 0, "--heads-rows=50");
	pid = fork();
	if (pid == 0) {
		publish_rows();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	world_kill(&world, 0, SIGTERM);
	world_verify_good(&world);
	ck_assert_ptr_nonnull(strstr(world_output(&world), "numbers 1 to 300, signed up to 300"));
	world_let_go(&world);
}

static void clean_up(void)
{
	world_stop(&world);
}

/* A copy for each. */
static void setup(void)
{
	world_copy(&world, shared_pg);
}

static void teardown(void)
{
	world_kill(&world, 0, SIGTERM);
	world_let_go(&world);
}

/* Past every trigger. */
static void tamper(const char *sql)
{
	char all[4096];

	(void)snprintf(all, sizeof(all), "SET session_replication_role = replica; %s", sql);
	world_sql(&world, all);
}

#define COLUMNS "shard, number, stored_at, hash, record, id, at, action, users"
/* Numbers again without gaps, hashes as they are. */
#define RENUMBER                                                              \
	";UPDATE audit.records SET number = number + 1000 WHERE number > 57;" \
	"UPDATE audit.records SET number = number - 1001 WHERE number > 1000"
/* As ww-audit would have made them, over whatever stands there now. */
#define REHASH                                                                           \
	"DO $$ DECLARE r record; h bytea := sha256('walletwire-audit/1 shard 0'); BEGIN" \
	" FOR r IN SELECT number, record FROM audit.records ORDER BY number LOOP"        \
	" h := sha256(h || r.record);"                                                   \
	" UPDATE audit.records SET hash = h WHERE number = r.number; END LOOP; END $$;"

START_TEST(an_edited_record)
{
	tamper("UPDATE audit.records SET record = set_byte(record, 5, get_byte(record, 5) # 1)"
	       " WHERE number = 57");
	world_verify_broken(&world, "BROKEN at number 57: edited");
}
END_TEST

START_TEST(an_edited_column)
{
	tamper("UPDATE audit.records SET users = ARRAY['bob'] WHERE number = 123");
	world_verify_broken(&world, "BROKEN at number 123: edited: its columns");
}
END_TEST

START_TEST(an_edited_record_with_its_own_hash_recomputed)
{
	tamper("UPDATE audit.records SET record = set_byte(record, 5, get_byte(record, 5) # 1)"
	       " WHERE number = 299;"
	       "UPDATE audit.records r SET hash = sha256(b.hash || r.record) FROM audit.records b"
	       " WHERE r.number = 299 AND b.number = 298");
	world_verify_broken(&world, "BROKEN at number 299: edited");
}
END_TEST

START_TEST(a_deleted_row)
{
	tamper("DELETE FROM audit.records WHERE number = 57");
	world_verify_broken(&world, "BROKEN at number 57: missing");
}
END_TEST

START_TEST(a_deleted_row_with_the_rest_renumbered)
{
	tamper("DELETE FROM audit.records WHERE number = 57" RENUMBER);
	world_verify_broken(&world, "BROKEN at number 57: missing");
}
END_TEST

START_TEST(the_first_rows_deleted)
{
	tamper("DELETE FROM audit.records WHERE number <= 60");
	world_verify_broken(&world, "BROKEN at number 1: missing");
}
END_TEST

/* With an anchor that nobody signed. */
START_TEST(the_first_rows_deleted_as_if_by_retention)
{
	tamper("INSERT INTO audit.heads (shard, number, kind, hash, at, key_id, signature)"
	       " SELECT r.shard, r.number, 'anchor', r.hash, h.at, h.key_id, h.signature"
	       " FROM audit.records r, audit.heads h WHERE r.number = 60 AND h.number = 300;"
	       " DELETE FROM audit.records WHERE number <= 60");
	world_verify_broken(&world, "BROKEN at number 1: missing");
	ck_assert_ptr_nonnull(strstr(world_output(&world), "1 in the table are not signed"));
}
END_TEST

START_TEST(an_inserted_row_under_a_number_that_is_taken)
{
	tamper("INSERT INTO audit.records (" COLUMNS ") SELECT shard, number, stored_at + interval"
	       " '1 us', sha256('x'), record, id || 'x', at, action, users FROM audit.records"
	       " WHERE number = 57");
	world_verify_broken(&world, "BROKEN at number 57: inserted");
}
END_TEST

START_TEST(an_inserted_row_with_the_rest_renumbered)
{
	tamper("UPDATE audit.records SET number = number + 1000 WHERE number >= 57;"
	       "UPDATE audit.records SET number = number - 999 WHERE number >= 1057;"
	       "INSERT INTO audit.records (" COLUMNS ") SELECT shard, 57, stored_at, sha256('x'),"
	       " record, id || 'x', at, action, users FROM audit.records WHERE number = 56");
	world_verify_broken(&world, "BROKEN at number 57: inserted");
}
END_TEST

static void swap(int one, int other)
{
	char sql[256];

	(void)snprintf(sql, sizeof(sql),
	    "UPDATE audit.records SET number = 100000 WHERE number = %d;"
	    "UPDATE audit.records SET number = %d WHERE number = %d;"
	    "UPDATE audit.records SET number = %d WHERE number = 100000",
	    one, one, other, other);
	tamper(sql);
}

START_TEST(two_neighbours_that_changed_places)
{
	swap(57, 58);
	world_verify_broken(&world, "BROKEN at number 57: reordered");
}
END_TEST

START_TEST(two_rows_far_apart_that_changed_places)
{
	swap(57, 211);
	world_verify_broken(&world, "BROKEN at number 57: reordered");
}
END_TEST

START_TEST(the_end_cut_off)
{
	tamper("DELETE FROM audit.records WHERE number > 280");
	world_verify_broken(&world, "BROKEN at number 281: truncated");
}
END_TEST

START_TEST(the_end_cut_off_with_its_heads)
{
	tamper("DELETE FROM audit.records WHERE number > 280;"
	       "DELETE FROM audit.heads WHERE number > 280");
	world_verify_broken(&world, "BROKEN at number 281: truncated");
}
END_TEST

START_TEST(everything_emptied)
{
	tamper("DELETE FROM audit.records; DELETE FROM audit.heads");
	world_verify_broken(&world, "BROKEN at number 1: truncated");
}
END_TEST

static void rewrite(const char *and_then)
{
	char sql[2048];

	(void)snprintf(sql, sizeof(sql),
	    "UPDATE audit.records SET record = set_byte(record, 5, get_byte(record, 5) # 1),"
	    " id = convert_from(substr(set_byte(record, 5, get_byte(record, 5) # 1), 3, "
	    "length(id)),"
	    " 'UTF8') WHERE number = 120; %s %s",
	    REHASH, and_then);
	tamper(sql);
}

/* No hash contradicts another one, and no column a record: only heads tell. */
START_TEST(everything_rewritten_with_hashes_recomputed)
{
	rewrite("");
	world_verify_broken(&world, ": rewritten: from here on");
	/* Signed last before row 120: what may have been changed begins behind it. */
	ck_assert_ptr_nonnull(strstr(world_output(&world), "BROKEN at number 101: rewritten"));
}
END_TEST

START_TEST(everything_rewritten_and_the_heads_taken_away)
{
	rewrite("DELETE FROM audit.heads");
	world_verify_broken(&world, "BROKEN at number 101: rewritten");
}
END_TEST

/* What the stream alone has left. */
START_TEST(everything_rewritten_and_the_file_emptied_as_well)
{
	rewrite("DELETE FROM audit.heads");
	ck_assert_int_eq(truncate(world.heads, 0), 0);
	world_verify_broken(&world, "BROKEN at number 101: rewritten");
	ck_assert_ptr_nonnull(strstr(world_output(&world), "0 in the table, 0 in the file"));
}
END_TEST

START_TEST(heads_taken_away)
{
	tamper("DELETE FROM audit.heads WHERE number = 200");
	world_verify_broken(&world, "the table of heads has lost the one of number 200");
}
END_TEST

START_TEST(heads_signed_with_another_key)
{
	tamper("UPDATE audit.heads SET signature = set_byte(signature, 0, get_byte(signature, 0) #"
	       " 1) WHERE number = 200");
	world_verify_broken(&world, "1 in the table are not signed with this key");
}
END_TEST

/* --- while ww-audit runs, or before it starts again --- */

START_TEST(a_writer_adds_nothing_to_a_chain_that_was_changed)
{
	world_spawn(&world, 0, NULL);
	tamper("INSERT INTO audit.records (" COLUMNS ") SELECT shard, 301, now(), sha256(hash ||"
	       " record), record, id || 'x', at, action, users FROM audit.records WHERE number ="
	       " 300");
	world_publish(&world, "chat", "next", 1, "alice");
	world_wait_says(&world, 0, "the chain was changed by somebody else");
	ck_assert_int_eq(world_metric(&world, 0, "ww_ledger_broken"), 1);
	ck_assert_ptr_nonnull(strstr(world_log(&world, 0), "\"level\":\"error\""));
	ck_assert_int_eq(world_int(&world, "SELECT max(number) FROM audit.records"), 301);
	/* Put right again, it goes on. */
	tamper("DELETE FROM audit.records WHERE number = 301");
	world_wait_int(&world, "SELECT count(*) FROM audit.records WHERE id = 'next-0'", 1);
	world_wait_ready(&world, 0);
	world_kill(&world, 0, SIGTERM);
	world_verify_good(&world);
}
END_TEST

START_TEST(a_writer_that_starts_checks_from_the_newest_head_on)
{
	tamper("DELETE FROM audit.records WHERE number = 300");
	world_launch(&world, 0, NULL);
	world_wait_says(&world, 0, "the chain was changed by somebody else");
	ck_assert_ptr_nonnull(
	    strstr(world_log(&world, 0), "number 300: missing, although it was signed"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("audit_tampering");
	TCase *tcase = tcase_create("tampering");

	shared_pg = postgres_start();
	tcase_set_timeout(tcase, 120);
	tcase_add_unchecked_fixture(tcase, prepare, clean_up);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, an_edited_record);
	tcase_add_test(tcase, an_edited_column);
	tcase_add_test(tcase, an_edited_record_with_its_own_hash_recomputed);
	tcase_add_test(tcase, a_deleted_row);
	tcase_add_test(tcase, a_deleted_row_with_the_rest_renumbered);
	tcase_add_test(tcase, the_first_rows_deleted);
	tcase_add_test(tcase, the_first_rows_deleted_as_if_by_retention);
	tcase_add_test(tcase, an_inserted_row_under_a_number_that_is_taken);
	tcase_add_test(tcase, an_inserted_row_with_the_rest_renumbered);
	tcase_add_test(tcase, two_neighbours_that_changed_places);
	tcase_add_test(tcase, two_rows_far_apart_that_changed_places);
	tcase_add_test(tcase, the_end_cut_off);
	tcase_add_test(tcase, the_end_cut_off_with_its_heads);
	tcase_add_test(tcase, everything_emptied);
	tcase_add_test(tcase, everything_rewritten_with_hashes_recomputed);
	tcase_add_test(tcase, everything_rewritten_and_the_heads_taken_away);
	tcase_add_test(tcase, everything_rewritten_and_the_file_emptied_as_well);
	tcase_add_test(tcase, heads_taken_away);
	tcase_add_test(tcase, heads_signed_with_another_key);
	tcase_add_test(tcase, a_writer_adds_nothing_to_a_chain_that_was_changed);
	tcase_add_test(tcase, a_writer_that_starts_checks_from_the_newest_head_on);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
