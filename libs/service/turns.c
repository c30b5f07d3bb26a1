/* One thread, one flag, one condition variable on the monotonic clock. */
#include "service/turns.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/xalloc.h"

struct turns {
	turn_fn fn;
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t changed;
	bool over, woken;
};

/* False when it is time to end. */
static bool pause_for(struct turns *turns, int64_t ms)
{
	int64_t until_ms = clock_mono_ms() + ms;
	struct timespec until = { .tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000 };
	bool over;
	int rc = 0;

	(void)pthread_mutex_lock(&turns->lock);
	while (!turns->over && !turns->woken && ms > 0 && rc == 0)
		rc = pthread_cond_timedwait(&turns->changed, &turns->lock, &until);
	turns->woken = false;
	over = turns->over;
	(void)pthread_mutex_unlock(&turns->lock);
	return !over;
}

static void *run(void *arg)
{
	struct turns *turns = arg;

	while (pause_for(turns, turns->fn(turns->arg)))
		continue;
	return NULL;
}

void turns_free(struct turns *turns)
{
	(void)pthread_cond_destroy(&turns->changed);
	(void)pthread_mutex_destroy(&turns->lock);
	free(turns);
}

enum status turns_start(turn_fn fn, void *arg, struct turns **ret_turns, struct err *err)
{
	struct turns *turns = xcalloc(1, sizeof(*turns));
	pthread_condattr_t attr;

	turns->fn = fn;
	turns->arg = arg;
	(void)pthread_mutex_init(&turns->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&turns->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	*ret_turns = turns; /* the first turn may ask already */
	if (pthread_create(&turns->thread, NULL, run, turns) == 0)
		return STATUS_OK;
	*ret_turns = NULL;
	turns_free(turns);
	return err_set(err, STATUS_INTERNAL, "no thread");
}

bool turns_are_over(struct turns *turns)
{
	bool over;

	(void)pthread_mutex_lock(&turns->lock);
	over = turns->over;
	(void)pthread_mutex_unlock(&turns->lock);
	return over;
}

void turns_wake(struct turns *turns)
{
	(void)pthread_mutex_lock(&turns->lock);
	turns->woken = true;
	(void)pthread_cond_signal(&turns->changed);
	(void)pthread_mutex_unlock(&turns->lock);
}

void turns_end(struct turns *turns)
{
	(void)pthread_mutex_lock(&turns->lock);
	turns->over = true;
	(void)pthread_cond_signal(&turns->changed);
	(void)pthread_mutex_unlock(&turns->lock);
	(void)pthread_join(turns->thread, NULL);
}

void turns_stop(struct turns *turns)
{
	if (!turns)
		return;
	turns_end(turns);
	turns_free(turns);
}
