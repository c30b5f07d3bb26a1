/* A ring of requests under one lock; threads take the oldest. */
#include "service/workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/xalloc.h"

/* Sixteen times the largest request, which is what decoding may make of it. */
enum { ARENA_LIMIT = 1 << 20 };

struct job {
	struct bus_msg *msg;
	size_t route;
	int64_t queued_us;
};

struct workers {
	struct dispatch *dispatch;
	size_t count;
	struct worker {
		struct workers *workers;
		struct db *db; /* this thread's alone once it runs */
		pthread_t thread;
	} * all;

	pthread_mutex_t lock; /* for everything below */
	pthread_cond_t work;  /* a job was queued, or the end has come */
	pthread_cond_t idle;  /* nothing is queued or in hand */
	struct job ring[WORKERS_QUEUE_MAX];
	size_t head, len, busy;
	bool stopping;
};

static struct job pop(struct workers *workers)
{
	struct job job = workers->ring[workers->head];

	workers->head = (workers->head + 1) % WORKERS_QUEUE_MAX;
	workers->len--;
	return job;
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct workers *workers = worker->workers;
	struct arena arena;

	arena_init(&arena, ARENA_LIMIT);
	(void)pthread_mutex_lock(&workers->lock);
	for (;;) {
		struct job job;

		while (workers->len == 0 && !workers->stopping)
			(void)pthread_cond_wait(&workers->work, &workers->lock);
		if (workers->len == 0)
			break;
		job = pop(workers);
		workers->busy++;
		(void)pthread_mutex_unlock(&workers->lock);
		dispatch_serve(
		    workers->dispatch, job.route, job.msg, job.queued_us, worker->db, &arena);
		bus_msg_unref(job.msg);
		(void)pthread_mutex_lock(&workers->lock);
		workers->busy--;
		if (workers->len == 0 && workers->busy == 0)
			(void)pthread_cond_broadcast(&workers->idle);
	}
	(void)pthread_mutex_unlock(&workers->lock);
	arena_finish(&arena);
	return NULL;
}

static struct workers *workers_alloc(const struct workers_config *cfg)
{
	struct workers *workers = xcalloc(1, sizeof(*workers));
	pthread_condattr_t attr;

	workers->dispatch = cfg->dispatch;
	workers->all = xcalloc(cfg->count, sizeof(*workers->all));
	(void)pthread_mutex_init(&workers->lock, NULL);
	(void)pthread_cond_init(&workers->work, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&workers->idle, &attr);
	(void)pthread_condattr_destroy(&attr);
	return workers;
}

enum status workers_new(
    const struct workers_config *cfg, struct workers **ret_workers, struct err *err)
{
	struct workers *workers = workers_alloc(cfg);

	for (; workers->count < cfg->count; workers->count++) {
		struct worker *worker = &workers->all[workers->count];
		struct db_config db = { .dsn = cfg->database_url,
			.application_name = cfg->name,
			.statements = cfg->statements,
			.statements_len = cfg->statements_len,
			.by_key = cfg->by_key };
		enum status s = db_open(&db, &worker->db, err);

		worker->workers = workers;
		if (!s && pthread_create(&worker->thread, NULL, work, worker) != 0) {
			db_close(worker->db);
			s = err_set(
			    err, STATUS_INTERNAL, "no thread for worker %zu", workers->count);
		}
		if (s) {
			workers_free(workers);
			return s;
		}
	}
	*ret_workers = workers;
	return STATUS_OK;
}

bool workers_push(struct workers *workers, size_t route, struct bus_msg *msg)
{
	bool fits;

	(void)pthread_mutex_lock(&workers->lock);
	fits = workers->len < WORKERS_QUEUE_MAX && !workers->stopping;
	if (fits) {
		workers->ring[(workers->head + workers->len) % WORKERS_QUEUE_MAX] =
		    (struct job){ bus_msg_ref(msg), route, clock_mono_us() };
		workers->len++;
		(void)pthread_cond_signal(&workers->work);
	}
	(void)pthread_mutex_unlock(&workers->lock);
	return fits;
}

size_t workers_waiting(struct workers *workers)
{
	size_t n;

	(void)pthread_mutex_lock(&workers->lock);
	n = workers->len;
	(void)pthread_mutex_unlock(&workers->lock);
	return n;
}

size_t workers_busy(struct workers *workers)
{
	size_t n;

	(void)pthread_mutex_lock(&workers->lock);
	n = workers->busy;
	(void)pthread_mutex_unlock(&workers->lock);
	return n;
}

size_t workers_drain(struct workers *workers, int timeout_ms)
{
	int64_t deadline_ms = clock_mono_ms() + timeout_ms;
	struct timespec deadline = { .tv_sec = deadline_ms / 1000,
		.tv_nsec = deadline_ms % 1000 * 1000000 };
	size_t refused = 0;
	int rc = 0;

	(void)pthread_mutex_lock(&workers->lock);
	while ((workers->len || workers->busy) && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&workers->idle, &workers->lock, &deadline);
	workers->stopping = true;
	for (; workers->len; refused++) {
		struct job job = pop(workers);

		(void)pthread_mutex_unlock(&workers->lock);
		dispatch_refuse(
		    workers->dispatch, job.route, job.msg, job.queued_us, STATUS_UNAVAILABLE);
		bus_msg_unref(job.msg);
		(void)pthread_mutex_lock(&workers->lock);
	}
	(void)pthread_cond_broadcast(&workers->work);
	(void)pthread_mutex_unlock(&workers->lock);
	for (size_t i = 0; i < workers->count; i++)
		(void)pthread_join(workers->all[i].thread, NULL);
	for (size_t i = 0; i < workers->count; i++)
		db_close(workers->all[i].db);
	workers->count = 0;
	return refused;
}

void workers_free(struct workers *workers)
{
	if (!workers)
		return;
	(void)workers_drain(workers, 0);
	(void)pthread_cond_destroy(&workers->idle);
	(void)pthread_cond_destroy(&workers->work);
	(void)pthread_mutex_destroy(&workers->lock);
	free(workers->all);
	free(workers);
}
