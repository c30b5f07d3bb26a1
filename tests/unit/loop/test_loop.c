/* A running loop: posts from threads, sockets, timers, turns and the end. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/attrs.h"
#include "base/clock.h"
#include "loop/loop.h"
#include "support/support.h"

enum { WAIT_MS = 10000 };

static struct loop *start_loop(void)
{
	struct loop *loop = loop_new("test");
	struct err err = ERR_INIT;

	ck_assert_ok(loop_start(loop, &err), err);
	return loop;
}

static void end_loop(struct loop *loop)
{
	loop_stop(loop);
	loop_join(loop);
	loop_free(loop);
}

static void raise_flag(void *arg)
{
	atomic_store((atomic_int *)arg, 1);
}

static bool flag_is_up(void *arg)
{
	return atomic_load((atomic_int *)arg) != 0;
}

/* Until everything posted before it has run. */
static void settle(struct loop *loop)
{
	atomic_int done = 0;

	loop_post(loop, raise_flag, &done);
	ck_assert(support_wait(flag_is_up, &done, WAIT_MS));
}

/* Posts */

enum { POSTERS = 4, POSTS_EACH = 50000 };

struct ticket {
	struct poster *poster;
	int number;
};

struct poster {
	struct loop *loop;
	pthread_t thread;
	int next; /* the loop's thread alone */
	int out_of_order;
	struct ticket tickets[POSTS_EACH];
};

static void take_ticket(void *arg)
{
	struct ticket *ticket = arg;

	if (ticket->number != ticket->poster->next)
		ticket->poster->out_of_order++;
	ticket->poster->next = ticket->number + 1;
}

static void *post_tickets(void *arg)
{
	struct poster *poster = arg;

	for (int i = 0; i < POSTS_EACH; i++) {
		poster->tickets[i] = (struct ticket){ poster, i };
		loop_post(poster->loop, take_ticket, &poster->tickets[i]);
	}
	return NULL;
}

START_TEST(posts_of_each_thread_run_once_and_in_order)
{
	struct poster *posters = calloc(POSTERS, sizeof(*posters));
	struct loop *loop = start_loop();

	ck_assert_ptr_nonnull(posters);
	for (int i = 0; i < POSTERS; i++) {
		posters[i].loop = loop;
		ck_assert_int_eq(
		    pthread_create(&posters[i].thread, NULL, post_tickets, &posters[i]), 0);
	}
	for (int i = 0; i < POSTERS; i++)
		ck_assert_int_eq(pthread_join(posters[i].thread, NULL), 0);
	loop_stop(loop); /* with posts still waiting: they run before the end */
	loop_join(loop);
	for (int i = 0; i < POSTERS; i++) {
		ck_assert_int_eq(posters[i].out_of_order, 0);
		ck_assert_int_eq(posters[i].next, POSTS_EACH);
	}
	loop_free(loop);
	free(posters);
}
END_TEST

static void count_up(void *arg)
{
	++*(int *)arg;
}

START_TEST(posts_made_before_the_start_are_kept)
{
	struct loop *loop = loop_new("early");
	struct err err = ERR_INIT;
	int count = 0;

	for (int i = 0; i < 1000; i++)
		loop_post(loop, count_up, &count);
	ck_assert_ok(loop_start(loop, &err), err);
	loop_stop(loop);
	loop_join(loop);
	ck_assert_int_eq(count, 1000);
	loop_free(loop);
}
END_TEST

struct chain {
	struct loop *loop;
	int left;
};

static void post_the_next(void *arg)
{
	struct chain *chain = arg;

	if (chain->left-- > 0)
		loop_post(chain->loop, post_the_next, chain);
}

START_TEST(posts_made_by_posts_after_the_stop_still_run)
{
	struct loop *loop = start_loop();
	struct chain chain = { loop, 100 };

	loop_post(loop, post_the_next, &chain);
	loop_stop(loop);
	loop_join(loop);
	ck_assert_int_eq(chain.left, -1);
	loop_free(loop);
}
END_TEST

START_TEST(post_after_the_end_runs_before_the_memory_goes)
{
	struct loop *loop = start_loop();
	int count = 0;

	loop_stop(loop);
	loop_join(loop);
	loop_post(loop, count_up, &count);
	loop_free(loop);
	ck_assert_int_eq(count, 1);
}
END_TEST

START_TEST(loop_that_never_ran_can_be_freed)
{
	int fds[2];
	struct loop *loop = loop_new("never");

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	(void)loop_fd_open(loop, fds[0], NULL, NULL);
	loop_free(loop);
	ck_assert_int_eq(read(fds[1], &fds[0], 1), 0); /* the loop closed what it owned */
	(void)close(fds[1]);
}
END_TEST

/* Sockets */

struct echo {
	struct loop *loop;
	struct loop_fd *lfd;
	int fd;
	size_t len, sent;
	char data[8192];
	atomic_int closed;
};

static void echo_flush(struct echo *echo)
{
	while (echo->sent < echo->len) {
		ssize_t n = send(loop_fd_number(echo->lfd), echo->data + echo->sent,
		    echo->len - echo->sent, MSG_NOSIGNAL);

		if (n < 0)
			break;
		echo->sent += (size_t)n;
	}
	loop_fd_want(echo->lfd, echo->sent < echo->len ? LOOP_WRITABLE : LOOP_READABLE);
}

static void echo_on_ready(void *arg, int events)
{
	struct echo *echo = arg;
	ssize_t n;

	if (events & LOOP_READABLE && echo->sent == echo->len) {
		n = recv(loop_fd_number(echo->lfd), echo->data, sizeof(echo->data), 0);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			loop_fd_close(echo->lfd);
			atomic_store(&echo->closed, 1);
			return;
		}
		echo->len = (size_t)n;
		echo->sent = 0;
	}
	echo_flush(echo);
}

static void echo_open(void *arg)
{
	struct echo *echo = arg;

	echo->lfd = loop_fd_open(echo->loop, echo->fd, echo_on_ready, echo);
	loop_fd_want(echo->lfd, LOOP_READABLE);
}

static void *write_a_megabyte(void *arg)
{
	char block[4096];

	for (int i = 0; i < 256; i++) {
		(void)memset(block, i, sizeof(block));
		for (size_t sent = 0; sent < sizeof(block);) {
			ssize_t n =
			    send(*(int *)arg, block + sent, sizeof(block) - sent, MSG_NOSIGNAL);

			if (n <= 0)
				return NULL;
			sent += (size_t)n;
		}
	}
	return NULL;
}

START_TEST(socket_echoes_a_megabyte_with_back_pressure)
{
	struct echo echo = { .loop = start_loop() };
	int fds[2];
	pthread_t writer;
	char byte;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	echo.fd = fds[0];
	loop_post(echo.loop, echo_open, &echo);
	ck_assert_int_eq(pthread_create(&writer, NULL, write_a_megabyte, &fds[1]), 0);
	for (int i = 0; i < 256 * 4096; i++) {
		char block[4096];

		/* Slowly at first, so that the echo has to wait until it may write. */
		ssize_t n = recv(fds[1], block, i < 65536 ? 1 : sizeof(block), MSG_WAITALL);

		ck_assert_int_gt(n, 0);
		byte = (char)(i / 4096);
		ck_assert_int_eq(block[0], byte);
		i += (int)n - 1;
	}
	ck_assert_int_eq(pthread_join(writer, NULL), 0);
	(void)close(fds[1]);
	ck_assert(support_wait(flag_is_up, &echo.closed, WAIT_MS));
	end_loop(echo.loop);
}
END_TEST

static void close_now(void *arg)
{
	struct echo *echo = arg;

	loop_fd_close(echo->lfd);
}

/* If the number were closed twice, the second close would hit whoever got it meanwhile. */
START_TEST(descriptor_is_closed_exactly_once)
{
	struct echo echo = { .loop = start_loop() };
	int fds[2], again[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	echo.fd = fds[0];
	loop_post(echo.loop, echo_open, &echo);
	loop_post(echo.loop, close_now, &echo);
	ck_assert_int_eq(read(fds[1], &again, 1), 0); /* blocks until it is closed */
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, again), 0);
	ck_assert(again[0] == fds[0] || again[1] == fds[0]);
	settle(echo.loop);
	end_loop(echo.loop);
	ck_assert_int_eq(write(again[0], "x", 1), 1);
	(void)close(again[0]);
	(void)close(again[1]);
	(void)close(fds[1]);
}
END_TEST

struct pair {
	struct echo a, b;
	atomic_int calls;
};

static void close_both(void *arg, int events)
{
	struct pair *pair = arg;

	(void)events;
	atomic_fetch_add(&pair->calls, 1);
	loop_fd_close(pair->a.lfd);
	loop_fd_close(pair->b.lfd);
}

static void pair_open(void *arg)
{
	struct pair *pair = arg;

	pair->a.lfd = loop_fd_open(pair->a.loop, pair->a.fd, close_both, pair);
	pair->b.lfd = loop_fd_open(pair->a.loop, pair->b.fd, close_both, pair);
	loop_fd_want(pair->a.lfd, LOOP_READABLE);
	loop_fd_want(pair->b.lfd, LOOP_READABLE);
}

/* Both ends are readable in the same round: closing the other one must silence it. */
START_TEST(closed_socket_never_calls_back)
{
	struct pair pair = { .a.loop = start_loop() };
	int one[2], two[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, one), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, two), 0);
	pair.a.fd = one[0];
	pair.b.fd = two[0];
	ck_assert_int_eq(write(one[1], "x", 1), 1);
	ck_assert_int_eq(write(two[1], "x", 1), 1);
	loop_post(pair.a.loop, pair_open, &pair);
	(void)recv(one[1], &one[0], 1, 0); /* either end of file or reset: closed */
	(void)recv(two[1], &two[0], 1, 0);
	settle(pair.a.loop);
	ck_assert_int_eq(atomic_load(&pair.calls), 1);
	end_loop(pair.a.loop);
	(void)close(one[1]);
	(void)close(two[1]);
}
END_TEST

/* Timers and turns */

struct alarm {
	struct loop *loop;
	struct loop_timer timer;
	int64_t due_ms;
	int64_t early_ms; /* the worst */
	int rounds;
	atomic_int done;
};

static void alarm_on_fire(void *arg)
{
	struct alarm *alarm = arg;
	int64_t now_ms = clock_mono_ms();

	if (alarm->due_ms - now_ms > alarm->early_ms)
		alarm->early_ms = alarm->due_ms - now_ms;
	if (loop_now_ms(alarm->loop) < alarm->due_ms)
		alarm->early_ms = INT64_MAX;
	if (--alarm->rounds == 0) {
		atomic_store(&alarm->done, 1);
		return;
	}
	alarm->due_ms = now_ms + alarm->rounds % 7;
	loop_timer_arm(alarm->loop, &alarm->timer, alarm->due_ms, alarm_on_fire, alarm);
}

static void alarm_start(void *arg)
{
	struct alarm *alarm = arg;

	alarm->due_ms = clock_mono_ms() + 3;
	loop_timer_arm(alarm->loop, &alarm->timer, alarm->due_ms, alarm_on_fire, alarm);
}

START_TEST(timer_never_fires_early)
{
	struct alarm alarm = { .loop = start_loop(), .rounds = 100 };

	loop_post(alarm.loop, alarm_start, &alarm);
	ck_assert(support_wait(flag_is_up, &alarm.done, WAIT_MS));
	end_loop(alarm.loop);
	ck_assert_int_eq(alarm.early_ms, 0);
}
END_TEST

struct counted_turns {
	struct loop *loop;
	struct loop_timer timers[3];
	int turns;     /* the loop's thread alone */
	int unflushed; /* work since the last turn end */
	int flushed;
	atomic_int flushed_seen;
};

static void on_turn_end(void *arg)
{
	struct counted_turns *turns = arg;

	turns->turns++;
	turns->flushed += turns->unflushed;
	turns->unflushed = 0;
	atomic_store(&turns->flushed_seen, turns->flushed);
}

static void do_work(void *arg)
{
	((struct counted_turns *)arg)->unflushed++;
}

static void arm_three(void *arg)
{
	struct counted_turns *turns = arg;

	for (int i = 0; i < 3; i++)
		loop_timer_arm(turns->loop, &turns->timers[i], loop_now_ms(turns->loop) + 5 * i,
		    do_work, turns);
}

static bool three_flushed(void *arg)
{
	return atomic_load(&((struct counted_turns *)arg)->flushed_seen) == 3;
}

START_TEST(what_a_turn_produced_is_flushed_before_the_loop_waits)
{
	struct counted_turns turns = { .loop = loop_new("turns") };
	struct err err = ERR_INIT;

	loop_on_turn_end(turns.loop, on_turn_end, &turns);
	ck_assert_ok(loop_start(turns.loop, &err), err);
	for (int i = 1; i <= 3; i++) {
		/* One at a time, with a loop that waits in between. */
		loop_post(turns.loop, do_work, &turns);
		while (atomic_load(&turns.flushed_seen) < i)
			; /* bounded by the test's own time limit */
	}
	end_loop(turns.loop);

	turns = (struct counted_turns){ .loop = loop_new("turns") };
	loop_on_turn_end(turns.loop, on_turn_end, &turns);
	loop_post(turns.loop, arm_three, &turns);
	ck_assert_ok(loop_start(turns.loop, &err), err);
	ck_assert(support_wait(three_flushed, &turns, WAIT_MS));
	end_loop(turns.loop);
}
END_TEST

START_TEST(idle_loop_with_a_far_timer_sleeps)
{
	struct counted_turns turns = { .loop = loop_new("idle") };
	struct alarm alarm = { .loop = turns.loop, .rounds = 1 };
	struct err err = ERR_INIT;

	/* 300 ms away: woken for at most a few slots above it, not for each millisecond. */
	loop_on_turn_end(turns.loop, on_turn_end, &turns);
	alarm.due_ms = clock_mono_ms() + 300;
	loop_timer_arm(alarm.loop, &alarm.timer, alarm.due_ms, alarm_on_fire, &alarm);
	ck_assert_ok(loop_start(turns.loop, &err), err);
	ck_assert(support_wait(flag_is_up, &alarm.done, WAIT_MS));
	end_loop(turns.loop);
	ck_assert_int_le(turns.turns, 20);
}
END_TEST

static void keep_busy(void *arg)
{
	int64_t until_us = clock_mono_us() + *(int *)arg;

	while (clock_mono_us() < until_us)
		;
}

START_TEST(lag_shows_the_longest_turn_once)
{
	struct loop *loop = start_loop();
	int busy_us = 30000, tiny_us = 1;

	loop_post(loop, keep_busy, &busy_us);
	settle(loop);
	loop_post(loop, keep_busy, &tiny_us);
	settle(loop);
	settle(loop); /* a later turn: the ones before have ended */
	ck_assert_int_ge(loop_lag_us(loop), busy_us);
	end_loop(loop);
}
END_TEST

struct stuck {
	atomic_int entered, leave;
};

static void be_stuck(void *arg)
{
	struct stuck *stuck = arg;

	atomic_store(&stuck->entered, 1);
	while (!atomic_load(&stuck->leave))
		;
}

static bool lag_is_over_20_ms(void *arg)
{
	return loop_lag_us(arg) > 20000;
}

START_TEST(turn_that_does_not_end_shows_as_lag)
{
	struct loop *loop = start_loop();
	struct stuck stuck = { 0 };

	loop_post(loop, be_stuck, &stuck);
	ck_assert(support_wait(flag_is_up, &stuck.entered, WAIT_MS));
	ck_assert(support_wait(lag_is_over_20_ms, loop, WAIT_MS));
	atomic_store(&stuck.leave, 1);
	end_loop(loop);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("loop");
	TCase *posts = tcase_create("posts");
	TCase *sockets = tcase_create("sockets");
	TCase *turns = tcase_create("turns");

	tcase_set_timeout(posts, 30);
	tcase_add_test(posts, posts_of_each_thread_run_once_and_in_order);
	tcase_add_test(posts, posts_made_before_the_start_are_kept);
	tcase_add_test(posts, posts_made_by_posts_after_the_stop_still_run);
	tcase_add_test(posts, post_after_the_end_runs_before_the_memory_goes);
	tcase_add_test(posts, loop_that_never_ran_can_be_freed);
	tcase_set_timeout(sockets, 30);
	tcase_add_test(sockets, socket_echoes_a_megabyte_with_back_pressure);
	tcase_add_test(sockets, descriptor_is_closed_exactly_once);
	tcase_add_test(sockets, closed_socket_never_calls_back);
	tcase_set_timeout(turns, 30);
	tcase_add_test(turns, timer_never_fires_early);
	tcase_add_test(turns, what_a_turn_produced_is_flushed_before_the_loop_waits);
	tcase_add_test(turns, idle_loop_with_a_far_timer_sleeps);
	tcase_add_test(turns, lag_shows_the_longest_turn_once);
	tcase_add_test(turns, turn_that_does_not_end_shows_as_lag);
	suite_add_tcase(suite, posts);
	suite_add_tcase(suite, sockets);
	suite_add_tcase(suite, turns);
	return support_run(suite);
}
