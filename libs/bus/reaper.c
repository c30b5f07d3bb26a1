/*
 * The graveyard. nats.c 3.4.1 looks a subscription up, lets go of its lock and then uses it:
 * destroyed in that moment, it is used after free (fixed in 3.6.1). Unsubscribing is safe, so that
 * is done at once, and the memory is given back ten seconds later, when nobody can be in that
 * moment any more. The price: 450 bytes for ten seconds per subscription that went.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "bus/internal.h"

#include <utlist.h>

struct grave {
	struct grave *next;
	int64_t due_ms;
	natsSubscription *sub;
};

struct reaper {
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	bool stopping;
	struct grave *graves; /* oldest first, since the delay is the same for all */
	struct grave *newest;
};

static void grave_empty(struct grave *grave)
{
	natsSubscription_Destroy(grave->sub);
	free(grave);
}

static void *reaper_run(void *arg)
{
	struct reaper *reaper = arg;

	(void)pthread_mutex_lock(&reaper->lock);
	while (!reaper->stopping) {
		struct grave *oldest = reaper->graves;

		if (!oldest) {
			(void)pthread_cond_wait(&reaper->wake, &reaper->lock);
		} else if (!wait_until(&reaper->wake, &reaper->lock, oldest->due_ms)) {
			reaper->graves = oldest->next;
			(void)pthread_mutex_unlock(&reaper->lock);
			grave_empty(oldest);
			(void)pthread_mutex_lock(&reaper->lock);
		}
	}
	(void)pthread_mutex_unlock(&reaper->lock);
	return NULL;
}

struct reaper *reaper_new(void)
{
	struct reaper *reaper = xcalloc(1, sizeof(*reaper));

	(void)pthread_mutex_init(&reaper->lock, NULL);
	wait_init(&reaper->wake);
	if (pthread_create(&reaper->thread, NULL, reaper_run, reaper) != 0)
		abort(); /* like memory: a process without threads can't go on */
	return reaper;
}

void reaper_free(struct reaper *reaper)
{
	struct grave *grave, *tmp;

	(void)pthread_mutex_lock(&reaper->lock);
	reaper->stopping = true;
	(void)pthread_cond_signal(&reaper->wake);
	(void)pthread_mutex_unlock(&reaper->lock);
	(void)pthread_join(reaper->thread, NULL);
	LL_FOREACH_SAFE (reaper->graves, grave, tmp)
		grave_empty(grave);
	(void)pthread_cond_destroy(&reaper->wake);
	(void)pthread_mutex_destroy(&reaper->lock);
	free(reaper);
}

void reaper_bury_sub(struct reaper *reaper, natsSubscription *sub)
{
	struct grave *grave = xmalloc(sizeof(*grave));

	(void)natsSubscription_Unsubscribe(sub); /* fails only when the connection is closed */
	*grave = (struct grave){ .sub = sub };
	(void)pthread_mutex_lock(&reaper->lock);
	grave->due_ms = clock_mono_ms() + REAPER_DELAY_MS;
	if (reaper->graves)
		reaper->newest->next = grave;
	else
		reaper->graves = grave;
	reaper->newest = grave;
	(void)pthread_cond_signal(&reaper->wake);
	(void)pthread_mutex_unlock(&reaper->lock);
}
