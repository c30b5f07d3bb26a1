/* What a failure is called, and what works again after it. */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "db/db.h"
#include "support/postgres.h"
#include "support/support.h"

enum { PUT, GET, ADD, SLEEP, DIVIDE, BACKEND, STATEMENTS_LEN };

static const struct db_statement statements[] = {
	[PUT] = { "put", "INSERT INTO box (id, n) VALUES ($1::bigint, 0)" },
	[GET] = { "get", "SELECT n FROM box WHERE id = $1::bigint" },
	[ADD] = { "add", "UPDATE box SET n = n + 1 WHERE id = $1::bigint" },
	[SLEEP] = { "sleep", "SELECT pg_sleep($1::integer)" },
	[BACKEND] = { "backend", "SELECT pg_backend_pid() + 0 * $1::bigint" },
	[DIVIDE] = { "divide", "SELECT 1 / $1::integer" },
};

static struct postgres *server;
static const char *dsn;
static struct db *db;
static struct err err;

static struct db *open_db(int timeout_ms)
{
	struct db_config cfg = { .dsn = dsn,
		.application_name = "test/failures",
		.statements = statements,
		.statements_len = STATEMENTS_LEN,
		.statement_timeout_ms = timeout_ms,
		.lock_timeout_ms = timeout_ms / 2 };
	struct db *opened = NULL;

	ck_assert_ok(db_open(&cfg, &opened, &err), err);
	return opened;
}

static void use(struct postgres *pg)
{
	dsn = postgres_new_database(pg);
	postgres_exec(dsn, "CREATE TABLE box (id bigint PRIMARY KEY, n bigint NOT NULL)");
	db = open_db(500);
}

static void setup(void)
{
	use(server);
}

static void teardown(void)
{
	db_close(db);
}

static enum status run(struct db *on, size_t statement, int64_t id, struct db_result **ret_result)
{
	struct db_params params;

	db_params_init(&params);
	if (statement == SLEEP || statement == DIVIDE)
		db_add_i32(&params, (int32_t)id);
	else
		db_add_i64(&params, id);
	return db_run(on, statement, &params, ret_result, &err);
}

/* -1: no such row */
static int64_t box(int64_t id)
{
	struct db_result *result = NULL;
	int64_t n;

	ck_assert_ok(run(db, GET, id, &result), err);
	n = db_rows(result) ? db_get_int(result, 0, 0) : -1;
	db_result_free(result);
	return n;
}

START_TEST(unique_violation_is_a_conflict)
{
	ck_assert_ok(run(db, PUT, 1, NULL), err);
	ck_assert_int_eq(run(db, PUT, 1, NULL), STATUS_CONFLICT);
	ck_assert_ptr_nonnull(strstr(err.msg, "put: "));
	ck_assert_ptr_nonnull(strstr(err.msg, "23505"));
	/* The detail would name the key's value. */
	ck_assert_ptr_null(strstr(err.msg, "(id)"));
	ck_assert_uint_eq(db_generation(db), 1);
}
END_TEST

START_TEST(our_mistake_is_internal)
{
	ck_assert_int_eq(run(db, DIVIDE, 0, NULL), STATUS_INTERNAL);
	ck_assert_ptr_nonnull(strstr(err.msg, "divide: division by zero (22012)"));
	ck_assert_int_eq(db_exec(db, "SELEC 1", &err), STATUS_INTERNAL);
	ck_assert_ok(db_exec(db, "SELECT 1", &err), err);
	ck_assert_uint_eq(db_generation(db), 1);
}
END_TEST

START_TEST(wrong_number_of_parameters_is_internal)
{
	struct db_params params;

	db_params_init(&params);
	ck_assert_int_eq(db_run(db, PUT, &params, NULL, &err), STATUS_INTERNAL);
	ck_assert_int_eq(box(1), -1);
}
END_TEST

START_TEST(statement_that_can_not_be_prepared_is_named)
{
	static const struct db_statement wrong[] = { { "fine", "SELECT 1" },
		{ "misspelt", "SELEC 1" } };
	struct db_config cfg = { .dsn = dsn, .statements = wrong, .statements_len = 2 };
	struct db *other = NULL;

	ck_assert_ok(db_open(&cfg, &other, &err), err);
	ck_assert_int_eq(db_ensure(other, &err), STATUS_INTERNAL);
	ck_assert_ptr_nonnull(strstr(err.msg, "prepare misspelt"));
	db_close(other);
}
END_TEST

START_TEST(backend_ended_between_calls_is_unavailable_once)
{
	ck_assert_ok(run(db, PUT, 1, NULL), err);
	postgres_terminate_backends(server);
	ck_assert_int_eq(run(db, ADD, 1, NULL), STATUS_UNAVAILABLE);
	ck_assert_ok(run(db, ADD, 1, NULL), err);
	ck_assert_int_eq(box(1), 1);
	ck_assert_uint_eq(db_generation(db), 2);
}
END_TEST

START_TEST(ensure_notices_a_backend_that_ended)
{
	ck_assert_ok(db_ensure(db, &err), err);
	ck_assert_ok(db_ensure(db, &err), err);
	ck_assert_uint_eq(db_generation(db), 1);
	postgres_terminate_backends(server);
	ck_assert_ok(db_ensure(db, &err), err);
	ck_assert_uint_eq(db_generation(db), 2);
	ck_assert_ok(run(db, PUT, 1, NULL), err);
}
END_TEST

START_TEST(connection_lost_inside_a_transaction_is_not_replaced_there)
{
	ck_assert_ok(db_begin(db, &err), err);
	ck_assert_ok(run(db, PUT, 1, NULL), err);
	postgres_terminate_backends(server);
	ck_assert_int_eq(run(db, PUT, 2, NULL), STATUS_UNAVAILABLE);
	/* A new connection here would store this row alone. */
	ck_assert_int_eq(run(db, PUT, 3, NULL), STATUS_UNAVAILABLE);
	ck_assert_int_eq(db_ensure(db, &err), STATUS_UNAVAILABLE);
	ck_assert_int_eq(db_commit(db, &err), STATUS_UNAVAILABLE);
	for (int64_t id = 1; id <= 3; id++)
		ck_assert_int_eq(box(id), -1);
}
END_TEST

START_TEST(commit_of_a_failed_transaction_is_unavailable)
{
	ck_assert_ok(db_begin(db, &err), err);
	ck_assert_ok(run(db, PUT, 1, NULL), err);
	ck_assert_int_eq(run(db, PUT, 1, NULL), STATUS_CONFLICT);
	ck_assert_int_eq(db_commit(db, &err), STATUS_UNAVAILABLE);
	ck_assert_int_eq(box(1), -1);
	ck_assert_uint_eq(db_generation(db), 1);
}
END_TEST

START_TEST(commit_without_an_answer_is_unavailable)
{
	ck_assert_ok(db_begin(db, &err), err);
	ck_assert_ok(run(db, PUT, 1, NULL), err);
	postgres_terminate_backends(server);
	ck_assert_int_eq(db_commit(db, &err), STATUS_UNAVAILABLE);
	ck_assert_int_eq(box(1), -1);
}
END_TEST

static enum status later(size_t statement, int64_t id, struct db_result **ret_result)
{
	struct db_params params;

	db_params_init(&params);
	db_add_i64(&params, id);
	return db_later(db, statement, &params, ret_result, &err);
}

START_TEST(what_is_left_for_later_runs_in_order_and_answers_all)
{
	struct db_result *first = NULL, *second = NULL;

	ck_assert_ok(db_begin(db, &err), err);
	ck_assert_ok(later(PUT, 1, NULL), err);
	ck_assert_ok(later(GET, 1, &first), err);
	ck_assert_ok(later(GET, 2, &second), err);
	ck_assert_int_eq(box(1), 0);
	ck_assert_uint_eq(db_rows(first), 1);
	ck_assert_uint_eq(db_rows(second), 0);
	ck_assert_ok(later(PUT, 2, NULL), err);
	ck_assert_ok(db_commit(db, &err), err);
	ck_assert_int_eq(box(1), 0);
	ck_assert_int_eq(box(2), 0);
	db_result_free(first);
	db_result_free(second);
}
END_TEST

START_TEST(what_was_left_for_later_and_fails_is_told_by_what_comes_next)
{
	struct db_result *never = NULL;

	for (int by_commit = 0; by_commit < 2; by_commit++) {
		ck_assert_ok(db_begin(db, &err), err);
		ck_assert_ok(later(PUT, 1, NULL), err);
		ck_assert_ok(later(PUT, 1, NULL), err);
		ck_assert_ok(later(GET, 1, &never), err);
		if (by_commit)
			ck_assert_int_eq(db_commit(db, &err), STATUS_CONFLICT);
		else
			ck_assert_int_eq(run(db, GET, 1, &never), STATUS_CONFLICT);
		ck_assert_ptr_null(never);
		db_rollback(db);
		ck_assert_int_eq(box(1), -1);
	}
	ck_assert_uint_eq(db_generation(db), 1);
}
END_TEST

START_TEST(what_was_left_for_later_is_rolled_back)
{
	for (int fails = 0; fails < 2; fails++) {
		struct db_result *nobodys = NULL;

		ck_assert_ok(db_begin(db, &err), err);
		ck_assert_ok(later(PUT, 1, NULL), err);
		ck_assert_ok(later(fails ? PUT : GET, 1, &nobodys), err);
		db_rollback(db);
		ck_assert_ptr_null(nobodys);
		ck_assert_int_eq(box(1), -1);
	}
	ck_assert_uint_eq(db_generation(db), 1);
}
END_TEST

START_TEST(what_was_left_for_later_goes_with_its_connection)
{
	struct db_result *never = NULL;

	ck_assert_ok(db_begin(db, &err), err);
	ck_assert_ok(later(PUT, 1, NULL), err);
	ck_assert_ok(later(GET, 1, &never), err);
	postgres_terminate_backends(server);
	ck_assert_int_eq(db_commit(db, &err), STATUS_UNAVAILABLE);
	ck_assert_ptr_null(never);
	db_rollback(db);
	ck_assert_int_eq(box(1), -1);
}
END_TEST

START_TEST(rollback_undoes_and_is_fine_without_a_transaction)
{
	db_rollback(db);
	ck_assert_ok(db_begin(db, &err), err);
	ck_assert_ok(run(db, PUT, 1, NULL), err);
	db_rollback(db);
	db_rollback(db);
	ck_assert_int_eq(box(1), -1);
	ck_assert_ok(db_begin(db, &err), err);
	ck_assert_ok(run(db, PUT, 1, NULL), err);
	ck_assert_ok(db_commit(db, &err), err);
	ck_assert_int_eq(box(1), 0);
}
END_TEST

START_TEST(lock_time_out_is_unavailable)
{
	struct db *other = open_db(500);

	ck_assert_ok(run(db, PUT, 1, NULL), err);
	ck_assert_ok(db_begin(other, &err), err);
	ck_assert_ok(run(other, ADD, 1, NULL), err);
	ck_assert_int_eq(run(db, ADD, 1, NULL), STATUS_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(err.msg, "(55P03)"));
	db_close(other);
	ck_assert_uint_eq(db_generation(db), 1);
}
END_TEST

START_TEST(statement_time_out_is_unavailable)
{
	ck_assert_int_eq(run(db, SLEEP, 60, NULL), STATUS_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(err.msg, "(57014)"));
	ck_assert_uint_eq(db_generation(db), 1);
}
END_TEST

/* Two threads that lock two rows in opposite order, meeting in the middle. */
struct opponent {
	struct db *db;
	int64_t first, second;
	pthread_barrier_t *both_hold_one;
	enum status status;
	struct err err;
};

static void *fight(void *arg)
{
	struct opponent *self = arg;
	struct db_params params;

	ck_assert_ok(db_begin(self->db, &self->err), self->err);
	db_params_init(&params);
	db_add_i64(&params, self->first);
	ck_assert_ok(db_run(self->db, ADD, &params, NULL, &self->err), self->err);
	(void)pthread_barrier_wait(self->both_hold_one);
	db_add_i64(&params, self->second);
	self->status = db_run(self->db, ADD, &params, NULL, &self->err);
	if (!self->status)
		self->status = db_commit(self->db, &self->err);
	else
		db_rollback(self->db);
	return NULL;
}

START_TEST(deadlock_is_unavailable_for_one_of_the_two)
{
	pthread_barrier_t barrier;
	struct opponent a = { open_db(20000), 1, 2, &barrier, STATUS_OK, ERR_INIT };
	struct opponent b = { open_db(20000), 2, 1, &barrier, STATUS_OK, ERR_INIT };
	pthread_t thread;

	ck_assert_ok(run(db, PUT, 1, NULL), err);
	ck_assert_ok(run(db, PUT, 2, NULL), err);
	ck_assert_int_eq(pthread_barrier_init(&barrier, NULL, 2), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, fight, &a), 0);
	(void)fight(&b);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(a.status + b.status, STATUS_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(a.status ? a.err.msg : b.err.msg, "(40P01)"));
	ck_assert_int_eq(box(1), 1);
	(void)pthread_barrier_destroy(&barrier);
	db_close(a.db);
	db_close(b.db);
}
END_TEST

/* --- a server that says nothing --- */
START_TEST(server_that_does_not_greet_is_given_up)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct db *silent = NULL;
	char silent_dsn[64];

	/* The kernel accepts; nobody ever answers. */
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, len), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	(void)snprintf(
	    silent_dsn, sizeof(silent_dsn), "host=127.0.0.1 port=%d", (int)ntohs(addr.sin_port));
	ck_assert_ok(db_open(&(struct db_config){ .dsn = silent_dsn }, &silent, &err), err);
	ck_assert_int_eq(db_ensure(silent, &err), STATUS_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(err.msg, "no answer in time"));
	db_close(silent);
	(void)close(fd);
}
END_TEST

START_TEST(backend_that_stands_still_is_given_up)
{
	struct db_result *result = NULL;
	pid_t backend;

	ck_assert_ok(run(db, BACKEND, 0, &result), err);
	backend = (pid_t)db_get_int(result, 0, 0);
	db_result_free(result);
	ck_assert_int_eq(kill(backend, SIGSTOP), 0);
	ck_assert_int_eq(run(db, PUT, 1, NULL), STATUS_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(err.msg, "no answer in time"));
	ck_assert_int_eq(box(2), -1);
	ck_assert_uint_eq(db_generation(db), 2);
	/* It wakes up, finds that nobody listens, and ends. */
	ck_assert_int_eq(kill(backend, SIGCONT), 0);
}
END_TEST

/* --- db_transaction --- */
struct work {
	int runs;
	int lose_connection_on; /* the run in which the server hangs up */
	enum status fail_with;
};

static enum status put_one(void *arg, struct db *on, struct err *e)
{
	struct work *work = arg;
	enum status s;

	work->runs++;
	s = run(on, PUT, 1, NULL);
	if (s)
		return err_set(e, s, "put one");
	if (work->runs == work->lose_connection_on)
		postgres_terminate_backends(server);
	if (work->fail_with)
		return err_set(e, work->fail_with, "as told");
	return STATUS_OK;
}

START_TEST(transaction_runs_again_after_a_lost_connection)
{
	struct work work = { .lose_connection_on = 1 };
	struct err untouched = ERR_INIT;

	ck_assert_ok(db_transaction(db, 3, put_one, &work, &untouched), untouched);
	ck_assert_int_eq(work.runs, 2);
	ck_assert_int_eq(box(1), 0);
	ck_assert_str_eq(untouched.msg, "");
}
END_TEST

START_TEST(transaction_gives_up_after_its_attempts)
{
	struct work work = { .fail_with = STATUS_UNAVAILABLE };

	ck_assert_int_eq(db_transaction(db, 3, put_one, &work, &err), STATUS_UNAVAILABLE);
	ck_assert_str_eq(err.msg, "as told");
	ck_assert_int_eq(work.runs, 3);
	ck_assert_int_eq(box(1), -1);
}
END_TEST

START_TEST(transaction_does_not_repeat_a_refusal)
{
	struct work work = { .fail_with = STATUS_FORBIDDEN };

	ck_assert_int_eq(db_transaction(db, 3, put_one, &work, &err), STATUS_FORBIDDEN);
	ck_assert_int_eq(work.runs, 1);
	ck_assert_int_eq(box(1), -1);
}
END_TEST

/* --- the whole server --- */
static bool stores_again(void *arg)
{
	return run(db, ADD, *(const int64_t *)arg, NULL) == STATUS_OK;
}

START_TEST(killed_server_is_unavailable_and_keeps_what_was_committed)
{
	struct postgres *own = postgres_start();
	int64_t id = 1;

	use(own);
	ck_assert_ok(run(db, PUT, id, NULL), err);
	postgres_kill(own);
	ck_assert_int_eq(run(db, ADD, id, NULL), STATUS_UNAVAILABLE);
	ck_assert_int_eq(run(db, ADD, id, NULL), STATUS_UNAVAILABLE);
	postgres_restart(own);
	ck_assert(support_wait(stores_again, &id, 20000));
	ck_assert_int_eq(box(id), 1);
	ck_assert_uint_eq(db_generation(db), 2);
	db_close(db);
	postgres_stop(own);
}
END_TEST

START_TEST(restarted_server_is_found_again)
{
	struct postgres *own = postgres_start();
	int64_t id = 1;

	use(own);
	ck_assert_ok(run(db, PUT, id, NULL), err);
	postgres_restart(own);
	ck_assert_int_eq(run(db, ADD, id, NULL), STATUS_UNAVAILABLE);
	ck_assert(support_wait(stores_again, &id, 20000));
	ck_assert_int_eq(box(id), 1);
	db_close(db);
	postgres_stop(own);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("db failures");
	TCase *tc = tcase_create("one server");
	TCase *own = tcase_create("a server of its own");

	server = postgres_start();
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, unique_violation_is_a_conflict);
	tcase_add_test(tc, our_mistake_is_internal);
	tcase_add_test(tc, wrong_number_of_parameters_is_internal);
	tcase_add_test(tc, statement_that_can_not_be_prepared_is_named);
	tcase_add_test(tc, backend_ended_between_calls_is_unavailable_once);
	tcase_add_test(tc, ensure_notices_a_backend_that_ended);
	tcase_add_test(tc, connection_lost_inside_a_transaction_is_not_replaced_there);
	tcase_add_test(tc, commit_of_a_failed_transaction_is_unavailable);
	tcase_add_test(tc, commit_without_an_answer_is_unavailable);
	tcase_add_test(tc, what_is_left_for_later_runs_in_order_and_answers_all);
	tcase_add_test(tc, what_was_left_for_later_and_fails_is_told_by_what_comes_next);
	tcase_add_test(tc, what_was_left_for_later_is_rolled_back);
	tcase_add_test(tc, what_was_left_for_later_goes_with_its_connection);
	tcase_add_test(tc, rollback_undoes_and_is_fine_without_a_transaction);
	tcase_add_test(tc, lock_time_out_is_unavailable);
	tcase_add_test(tc, statement_time_out_is_unavailable);
	tcase_add_test(tc, deadlock_is_unavailable_for_one_of_the_two);
	tcase_add_test(tc, server_that_does_not_greet_is_given_up);
	tcase_add_test(tc, backend_that_stands_still_is_given_up);
	tcase_add_test(tc, transaction_runs_again_after_a_lost_connection);
	tcase_add_test(tc, transaction_gives_up_after_its_attempts);
	tcase_add_test(tc, transaction_does_not_repeat_a_refusal);
	suite_add_tcase(suite, tc);
	tcase_set_timeout(own, 60);
	tcase_add_test(own, killed_server_is_unavailable_and_keeps_what_was_committed);
	tcase_add_test(own, restarted_server_is_found_again);
	suite_add_tcase(suite, own);
	return support_run(suite);
}
