/* A slot for one thing to do, and two conditions: it is full, it is empty. */
#include "errand.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/xalloc.h"

struct errand {
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t sent, back;
	void (*fn)(void *arg); /* NULL: nothing to do */
	void *arg;
	bool is_ending;
};

static void *run(void *arg)
{
	struct errand *errand = arg;

	(void)pthread_mutex_lock(&errand->lock);
	while (errand->fn || !errand->is_ending) {
		if (!errand->fn) {
			(void)pthread_cond_wait(&errand->sent, &errand->lock);
			continue;
		}
		(void)pthread_mutex_unlock(&errand->lock);
		errand->fn(errand->arg);
		(void)pthread_mutex_lock(&errand->lock);
		errand->fn = NULL;
		(void)pthread_cond_signal(&errand->back);
	}
	(void)pthread_mutex_unlock(&errand->lock);
	return NULL;
}

static void discard(struct errand *errand)
{
	(void)pthread_cond_destroy(&errand->sent);
	(void)pthread_cond_destroy(&errand->back);
	(void)pthread_mutex_destroy(&errand->lock);
	free(errand);
}

struct errand *errand_new(void)
{
	struct errand *errand = xcalloc(1, sizeof(*errand));

	(void)pthread_mutex_init(&errand->lock, NULL);
	(void)pthread_cond_init(&errand->sent, NULL);
	(void)pthread_cond_init(&errand->back, NULL);
	if (pthread_create(&errand->thread, NULL, run, errand) == 0)
		return errand;
	discard(errand);
	return NULL;
}

void errand_free(struct errand *errand)
{
	if (!errand)
		return;
	(void)pthread_mutex_lock(&errand->lock);
	errand->is_ending = true;
	(void)pthread_cond_signal(&errand->sent);
	(void)pthread_mutex_unlock(&errand->lock);
	(void)pthread_join(errand->thread, NULL);
	discard(errand);
}

void errand_send(struct errand *errand, void (*fn)(void *arg), void *arg)
{
	errand_wait(errand);
	(void)pthread_mutex_lock(&errand->lock);
	errand->fn = fn;
	errand->arg = arg;
	(void)pthread_cond_signal(&errand->sent);
	(void)pthread_mutex_unlock(&errand->lock);
}

void errand_wait(struct errand *errand)
{
	(void)pthread_mutex_lock(&errand->lock);
	while (errand->fn)
		(void)pthread_cond_wait(&errand->back, &errand->lock);
	(void)pthread_mutex_unlock(&errand->lock);
}
