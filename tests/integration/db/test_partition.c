/* Partitions are made once, whoever makes them with whom. */
#include <pthread.h>

#include "db/partition.h"
#include "support/postgres.h"
#include "support/support.h"

enum { THREADS = 4, PARTITIONS = 20 };

static const struct db_partitions partitions = { "app.box", 6 };
static struct postgres *server;
static const char *dsn;

static struct db *open_db(void)
{
	struct db_config cfg = { .dsn = dsn };
	struct err err = ERR_INIT;
	struct db *db = NULL;

	ck_assert_ok(db_open(&cfg, &db, &err), err);
	return db;
}

static void *make(void *arg)
{
	struct err *failure = arg;
	struct db_config cfg = { .dsn = dsn };
	struct db *db = NULL;

	failure->status = db_open(&cfg, &db, failure);
	if (!failure->status)
		failure->status = db_partitions_make(db, &partitions, 0, PARTITIONS - 1, failure);
	db_close(db);
	return NULL;
}

START_TEST(four_threads_together_make_each_once)
{
	pthread_t threads[THREADS];
	struct err errs[THREADS] = { ERR_INIT, ERR_INIT, ERR_INIT, ERR_INIT };
	struct err err = ERR_INIT;
	struct db *db;

	dsn = postgres_new_database(server);
	db = open_db();
	ck_assert_ok(db_exec(db,
			 "CREATE SCHEMA app; CREATE TABLE app.box (at timestamptz PRIMARY KEY)"
			 " PARTITION BY RANGE (at)",
			 &err),
	    err);
	for (size_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, make, &errs[i]), 0);
	for (size_t i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_ok(errs[i].status, errs[i]);
	}
	/* Every hour has its place. */
	ck_assert_ok(db_exec(db,
			 "INSERT INTO app.box SELECT 'epoch'::timestamptz + n * interval '1 hour'"
			 " FROM generate_series(0, 119) n",
			 &err),
	    err);
	db_close(db);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("db partition");
	TCase *tc = tcase_create("partition");

	server = postgres_start();
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, four_threads_together_make_each_once);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
