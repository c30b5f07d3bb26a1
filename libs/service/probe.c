/* One thread that asks, and a flag. A change is worth a line in the log. */
#include "service/probe.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "db/db.h"
#include "log/log.h"

enum { PERIOD_MS = 500, TIMEOUT_MS = 2000 };

struct probe {
	struct db *db; /* the thread's */
	pthread_t thread;
	_Atomic(enum cause) trouble;
	pthread_mutex_t lock; /* for `stopping` */
	pthread_cond_t stop;
	bool stopping;
};

static void ask(struct probe *probe)
{
	struct err err = ERR_INIT;
	bool good = db_ensure(probe->db, &err) == STATUS_OK &&
		    db_exec(probe->db, "SELECT 1", &err) == STATUS_OK;
	enum cause now = err.cause ? err.cause : CAUSE_POSTGRES_ERROR;
	enum cause before = atomic_exchange(&probe->trouble, good ? CAUSE_NONE : now);

	if (good && before)
		log_info("PostgreSQL answers, %s",
		    db_tls(probe->db) ? db_tls(probe->db) : "without TLS");
	else if (!good && now != before)
		log_warn("%s: %s", cause_text(now), err.msg);
}

/* False when it is time to end. */
static bool pause_between(struct probe *probe)
{
	int64_t until_ms = clock_mono_ms() + PERIOD_MS;
	struct timespec until = { .tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000 };
	bool stopping;
	int rc = 0;

	(void)pthread_mutex_lock(&probe->lock);
	while (!probe->stopping && rc == 0)
		rc = pthread_cond_timedwait(&probe->stop, &probe->lock, &until);
	stopping = probe->stopping;
	(void)pthread_mutex_unlock(&probe->lock);
	return !stopping;
}

static void *run(void *arg)
{
	do
		ask(arg);
	while (pause_between(arg));
	return NULL;
}

enum status probe_new(
    const char *database_url, const char *name, struct probe **ret_probe, struct err *err)
{
	struct db_config cfg = { .dsn = database_url,
		.application_name = name,
		.statement_timeout_ms = TIMEOUT_MS,
		.lock_timeout_ms = TIMEOUT_MS };
	struct probe *probe = xcalloc(1, sizeof(*probe));
	pthread_condattr_t attr;
	enum status s = db_open(&cfg, &probe->db, err);

	if (s) {
		free(probe);
		return s;
	}
	atomic_init(&probe->trouble, CAUSE_POSTGRES_DOWN); /* until it has answered */
	(void)pthread_mutex_init(&probe->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&probe->stop, &attr);
	(void)pthread_condattr_destroy(&attr);
	if (pthread_create(&probe->thread, NULL, run, probe) != 0) {
		db_close(probe->db);
		free(probe);
		return err_set(err, STATUS_INTERNAL, "no thread for the probe of PostgreSQL");
	}
	*ret_probe = probe;
	return STATUS_OK;
}

enum cause probe_trouble(struct probe *probe)
{
	return atomic_load(&probe->trouble);
}

void probe_free(struct probe *probe)
{
	if (!probe)
		return;
	(void)pthread_mutex_lock(&probe->lock);
	probe->stopping = true;
	(void)pthread_cond_signal(&probe->stop);
	(void)pthread_mutex_unlock(&probe->lock);
	(void)pthread_join(probe->thread, NULL);
	db_close(probe->db);
	(void)pthread_cond_destroy(&probe->stop);
	(void)pthread_mutex_destroy(&probe->lock);
	free(probe);
}
