/*
 * What the release before asks of PostgreSQL, it may ask of today's schema: its statements, as it
 * took them along in compat/statements, are all prepared there. WW_UPGRADE_SERVICE names the schema
 * and the file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "statements.h"
#include "support/postgres.h"
#include "support/support.h"

enum { STATEMENTS_MAX = 256 };

/* Lines of a file, as statements that point into its text. */
struct released {
	struct db_statement all[STATEMENTS_MAX];
	size_t len;
	char *text;
};

static struct postgres *server;
static struct err err;

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	ck_assert_msg(file != NULL, "%s", path);
	ck_assert_int_gt(getdelim(&text, &size, '\0', file), 0);
	(void)fclose(file);
	return text;
}

static void read_released(struct released *ret)
{
	char path[512];
	char *line, *rest;

	(void)snprintf(path, sizeof(path), "%s/compat/statements/%s.tsv", getenv("WW_SOURCE_DIR"),
	    WW_UPGRADE_SERVICE);
	ret->len = 0;
	ret->text = read_file(path);
	for (line = strtok_r(ret->text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *tab = strchr(line, '\t');

		ck_assert_msg(tab != NULL && ret->len < STATEMENTS_MAX, "%s", line);
		*tab = '\0';
		ret->all[ret->len++] = (struct db_statement){ line, tab + 1 };
	}
	ck_assert_uint_gt(ret->len, 0);
}

static struct db *open_with(const char *dsn, const struct db_statement *statements, size_t len)
{
	struct db_config cfg = { .dsn = dsn,
		.statements = statements,
		.statements_len = len,
		.statement_timeout_ms = 10000,
		.lock_timeout_ms = 10000 };
	struct db *db = NULL;

	ck_assert_ok(db_open(&cfg, &db, &err), err);
	return db;
}

/* A database with today's schema. */
static const char *migrated(void)
{
	const char *dsn = postgres_new_database(server);
	struct db *db = open_with(dsn, NULL, 0);

	ck_assert_ok(
	    db_migrate(db, WW_UPGRADE_SERVICE, store_migrations, store_migrations_len, &err), err);
	db_close(db);
	return dsn;
}

START_TEST(statements_of_the_release_before_are_prepared_on_the_schema_of_today)
{
	struct released released;
	struct db *db;

	read_released(&released);
	db = open_with(migrated(), released.all, released.len);
	ck_assert_ok(db_ensure(db, &err), err);
	db_close(db);
	free(released.text);
}
END_TEST

/* Or the test above would prove nothing. */
START_TEST(statement_that_names_what_is_not_there_is_found)
{
	struct released released;
	char gone[] = "SELECT 1 FROM " WW_UPGRADE_SERVICE ".gone";
	struct db *db;

	read_released(&released);
	released.all[released.len - 1].sql = gone;
	db = open_with(migrated(), released.all, released.len);
	ck_assert_int_ne(db_ensure(db, &err), STATUS_OK);
	ck_assert_ptr_nonnull(strstr(err.msg, "gone"));
	db_close(db);
	free(released.text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("released " WW_UPGRADE_SERVICE);
	TCase *tc = tcase_create("statements");

	server = postgres_start();
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, statements_of_the_release_before_are_prepared_on_the_schema_of_today);
	tcase_add_test(tc, statement_that_names_what_is_not_there_is_found);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
