/* Something to do for another thread: once, in order, and back before anybody relies on it. */
#include "errand.h"

#include <pthread.h>

#include "support/support.h"

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t opened;
	bool is_open;
	char done[8];
	size_t len;
};

static void open_gate(struct gate *gate)
{
	(void)pthread_mutex_lock(&gate->lock);
	gate->is_open = true;
	(void)pthread_cond_signal(&gate->opened);
	(void)pthread_mutex_unlock(&gate->lock);
}

static void pass_gate(void *arg)
{
	struct gate *gate = arg;

	(void)pthread_mutex_lock(&gate->lock);
	while (!gate->is_open)
		(void)pthread_cond_wait(&gate->opened, &gate->lock);
	(void)pthread_mutex_unlock(&gate->lock);
	gate->done[gate->len++] = 'a';
}

static void note(void *arg)
{
	struct gate *gate = arg;

	gate->done[gate->len++] = 'b';
}

START_TEST(sender_goes_on_until_it_waits)
{
	struct gate gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, "", 0 };
	struct errand *errand = errand_new();

	errand_send(errand, pass_gate, &gate);
	open_gate(&gate); /* is only reached if the sender does not wait */
	errand_wait(errand);
	ck_assert_str_eq(gate.done, "a");
	errand_free(errand);
}
END_TEST

START_TEST(errands_are_done_once_and_in_order)
{
	struct gate gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, true, "", 0 };
	struct errand *errand = errand_new();

	errand_wait(errand); /* nothing was sent */
	errand_send(errand, pass_gate, &gate);
	errand_send(errand, note, &gate);
	errand_send(errand, pass_gate, &gate);
	errand_wait(errand);
	errand_wait(errand);
	ck_assert_str_eq(gate.done, "aba");
	errand_free(errand);
}
END_TEST

START_TEST(what_is_under_way_is_finished_before_the_end)
{
	struct gate gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, "", 0 };
	struct errand *errand = errand_new();

	errand_send(errand, pass_gate, &gate);
	open_gate(&gate);
	errand_free(errand);
	ck_assert_str_eq(gate.done, "a");
	errand_free(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notifications_errand");
	TCase *tc = tcase_create("errand");

	tcase_add_test(tc, sender_goes_on_until_it_waits);
	tcase_add_test(tc, errands_are_done_once_and_in_order);
	tcase_add_test(tc, what_is_under_way_is_finished_before_the_end);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
