/* Migrations run once, whoever starts with whom; an older program stays where newer ones say it
 * may. */
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/db.h"
#include "support/postgres.h"
#include "support/support.h"

enum { COUNT, STATEMENTS_LEN };

static const struct db_statement statements[] = {
	[COUNT] = { "count", "SELECT count(*), max(version) FROM app.migrations" },
};

/* The second one would fail if run twice, the first one takes its time. */
static const struct db_migration migrations[] = {
	{ 1, "init", "CREATE TABLE app.box (id bigint PRIMARY KEY); SELECT pg_sleep(0.2)", 0 },
	{ 2, "first_box", "INSERT INTO app.box VALUES (1)", 0 },
	{ 3, "more", "ALTER TABLE app.box ADD n bigint; CREATE INDEX ON app.box (n)", 0 },
};

/* What the third one added, the program of the second one can do without; the fifth one takes away.
 */
static const struct db_migration later[] = {
	{ 1, "init", "CREATE TABLE app.box (id bigint PRIMARY KEY, old bigint)", 0 },
	{ 2, "first_box", "INSERT INTO app.box VALUES (1)", 0 },
	{ 3, "more", "ALTER TABLE app.box ADD n bigint", 0 },
	{ 4, "even_more", "ALTER TABLE app.box ADD m bigint", 0 },
	{ 5, "without_old", "ALTER TABLE app.box DROP COLUMN old", 3 },
};

static struct postgres *server;
static const char *dsn;
static struct err err;

static void setup(void)
{
	dsn = postgres_new_database(server);
}

static struct db *open_with(size_t statements_len)
{
	struct db_config cfg = { .dsn = dsn,
		.statements = statements,
		.statements_len = statements_len,
		.statement_timeout_ms = 100,
		.lock_timeout_ms = 100 };
	struct db *db = NULL;

	ck_assert_ok(db_open(&cfg, &db, &err), err);
	return db;
}

static struct db *open_db(void)
{
	return open_with(STATEMENTS_LEN);
}

static void expect_version(struct db *db, int version)
{
	struct db_params params;
	struct db_result *result = NULL;

	db_params_init(&params);
	ck_assert_ok(db_run(db, COUNT, &params, &result, &err), err);
	ck_assert_int_eq(db_get_int(result, 0, 0), version);
	ck_assert_int_eq(db_get_int(result, 0, 1), version);
	db_result_free(result);
}

START_TEST(schema_is_made_and_brought_up_step_by_step)
{
	struct db *db = open_db();

	ck_assert_ok(db_migrate(db, "app", migrations, 1, &err), err);
	expect_version(db, 1);
	ck_assert_ok(db_migrate(db, "app", migrations, 3, &err), err);
	ck_assert_ok(db_migrate(db, "app", migrations, 3, &err), err);
	expect_version(db, 3);
	db_close(db);
}
END_TEST

START_TEST(newer_schema_is_refused_where_it_needs_a_newer_program)
{
	struct db *db = open_db();

	ck_assert_ok(db_migrate(db, "app", later, 5, &err), err);
	ck_assert_int_eq(db_migrate(db, "app", later, 2, &err), STATUS_INTERNAL);
	ck_assert_ptr_nonnull(strstr(err.msg, "version 5"));
	ck_assert_ptr_nonnull(strstr(err.msg, "knows version 3; this one knows 2"));
	expect_version(db, 5);
	db_close(db);
}
END_TEST

START_TEST(program_of_the_version_before_starts_on_a_newer_schema)
{
	struct db *db = open_db();

	ck_assert_ok(db_migrate(db, "app", later, 4, &err), err);
	ck_assert_ok(db_migrate(db, "app", later, 2, &err), err);
	expect_version(db, 4);
	ck_assert_ok(db_migrate(db, "app", later, 5, &err), err);
	ck_assert_ok(db_migrate(db, "app", later, 4, &err), err);
	ck_assert_ok(db_migrate(db, "app", later, 3, &err), err);
	expect_version(db, 5);
	db_close(db);
}
END_TEST

/* Before migrations said which programs they need, their table had no such column. */
START_TEST(table_of_an_older_program_is_taken_over)
{
	struct db *db = open_db(), *before = open_with(0);

	ck_assert_ok(
	    db_exec(before,
		"CREATE SCHEMA app; CREATE TABLE app.box (id bigint PRIMARY KEY, old bigint);"
		"CREATE TABLE app.migrations (version integer PRIMARY KEY, name text NOT NULL,"
		" applied_at timestamptz NOT NULL DEFAULT now());"
		"INSERT INTO app.migrations VALUES (1, 'init'), (2, 'first_box')",
		&err),
	    err);
	db_close(before);
	ck_assert_ok(db_migrate(db, "app", later, 5, &err), err);
	expect_version(db, 5);
	ck_assert_int_eq(db_migrate(db, "app", later, 2, &err), STATUS_INTERNAL);
	db_close(db);
}
END_TEST

START_TEST(failed_migration_leaves_nothing_of_itself)
{
	static const struct db_migration broken[] = {
		{ 1, "init", "CREATE TABLE app.box (id bigint PRIMARY KEY)", 0 },
		{ 2, "broken", "CREATE TABLE app.half (id bigint); SELECT nonsense", 0 },
	};
	struct db *db = open_db();

	ck_assert_int_eq(db_migrate(db, "app", broken, 2, &err), STATUS_INTERNAL);
	ck_assert_ptr_nonnull(strstr(err.msg, "migration app/002_broken"));
	expect_version(db, 1);
	ck_assert_ok(db_exec(db, "CREATE TABLE app.half (id bigint)", &err), err);
	db_close(db);
}
END_TEST

static void *migrate_once(void *arg)
{
	struct err *failure = arg;
	struct db *db = NULL;
	struct db_config cfg = { .dsn = dsn, .statement_timeout_ms = 100, .lock_timeout_ms = 100 };

	failure->status = db_open(&cfg, &db, failure);
	if (!failure->status)
		failure->status = db_migrate(db, "app", migrations, 3, failure);
	db_close(db);
	return NULL;
}

START_TEST(four_threads_together_migrate_once)
{
	pthread_t threads[4];
	struct err errs[4] = { ERR_INIT, ERR_INIT, ERR_INIT, ERR_INIT };
	struct db *db = open_db();

	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, migrate_once, &errs[i]), 0);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_ok(errs[i].status, errs[i]);
	}
	expect_version(db, 3);
	db_close(db);
}
END_TEST

START_TEST(four_processes_together_migrate_once)
{
	pid_t pids[4];
	struct db *db = open_db();

	for (size_t i = 0; i < 4; i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i] == 0) {
			struct err failure = ERR_INIT;

			(void)migrate_once(&failure);
			_exit((int)failure.status);
		}
	}
	for (size_t i = 0; i < 4; i++) {
		int status = -1;

		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
	expect_version(db, 3);
	db_close(db);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("db migrate");
	TCase *tc = tcase_create("migrate");

	server = postgres_start();
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, schema_is_made_and_brought_up_step_by_step);
	tcase_add_test(tc, newer_schema_is_refused_where_it_needs_a_newer_program);
	tcase_add_test(tc, program_of_the_version_before_starts_on_a_newer_schema);
	tcase_add_test(tc, table_of_an_older_program_is_taken_over);
	tcase_add_test(tc, failed_migration_leaves_nothing_of_itself);
	tcase_add_test(tc, four_threads_together_migrate_once);
	tcase_add_test(tc, four_processes_together_migrate_once);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
