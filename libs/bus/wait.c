/* Condition variables that wait by the monotonic clock, so that a step of the wall clock changes
 * nothing. */
#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "bus/internal.h"

void wait_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(cond, &attr);
	(void)pthread_condattr_destroy(&attr);
}

bool wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ms)
{
	struct timespec ts = { .tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000L };

	if (clock_mono_ms() >= until_ms)
		return false;
	return pthread_cond_timedwait(cond, lock, &ts) != ETIMEDOUT || clock_mono_ms() < until_ms;
}
