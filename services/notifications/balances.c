/*
 * A question is URGENT (somebody waits) or DUE (balances have moved), then BUSY with one of the
 * threads or the port, which leaves it ANSWERED; then it is gone, or DUE again. It is in the list
 * of its state; one that is BUSY is in none.
 */
#include "balances.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <uthash.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "kind.h"
#include "log/log.h"
#include "ring.h"
#include "service/audit.h"
#include "stats.h"
#include "store.h"

enum {
	THREADS = 2, /* each has a connection, and needs a few milliseconds for a question */
	QUESTIONS_MAX = 10000, /* above it, movements raise no more of them */
	WAITERS_MAX = 4096,
	ASKED_MAX = 64,
	REFRESHES_MAX = 32, /* of these, when nobody waits: there is always room for who does */
	TRIES_MAX = 3,
	PATIENCE_MS = 4000, /* of a waiter; edges have little more */
	BACK_OFF_MS = 1000,
	BACK_OFF_MOST_MS = 30000,
	COMPLAIN_MS = 10000, /* between two lines about answers that are wrong */
	IDLE_MS = 60000,
	ARENA_LIMIT = 4 << 20,
	ATTEMPTS = 3,
};

struct waiter {
	struct waiter *next;
	struct deferred *request;
	int64_t since_ms;
	char wallet_id[];
};

struct question {
	UT_hash_handle hh;
	struct question *prev, *next;
	struct balances *balances;
	enum question_state { BUSY, URGENT, DUE, ANSWERED } state;
	struct waiter *waiters;
	bool has_moved; /* and no question was sent since */
	bool covers;    /* the question under way tells of something that has moved */
	int64_t due_ms;
	unsigned tries;
	struct arena arena;
	struct wallets asked; /* the rows when it was sent, in the arena */
	enum status status;   /* of the answer */
	struct bus_msg *reply;
	char user_id[];
};

struct balances {
	const struct notifications_config *cfg;
	struct bus *bus;
	struct bus_port *port;
	size_t threads_len;
	struct balances_thread {
		struct balances *balances;
		struct db *db;
		struct arena arena; /* of the step in hand */
		pthread_t thread;
	} threads[THREADS];

	pthread_mutex_t lock; /* guards what follows, and the questions */
	pthread_cond_t wake;
	bool is_stopping;
	struct question *all; /* by user */
	struct question *lists[ANSWERED + 1];
	size_t waiters_len;
	size_t asked_len; /* on their way, from a thread that sends to one that stores */
	bool is_troubled; /* the last one was not answered */
	int64_t quiet_until_ms, back_off_ms;
	int64_t complained_ms;
};

/* --- questions; the lock is held --- */

static void move_to(struct question *q, enum question_state state)
{
	struct balances *b = q->balances;

	if (q->state != BUSY)
		DL_DELETE(b->lists[q->state], q);
	q->state = state;
	if (state != BUSY)
		DL_APPEND(b->lists[state], q);
	(void)pthread_cond_signal(&b->wake);
}

static struct question *question_new(struct balances *b, const char *user_id)
{
	size_t size = strlen(user_id) + 1;
	struct question *q = xcalloc(1, sizeof(*q) + size);

	q->balances = b;
	memcpy(q->user_id, user_id, size);
	arena_init(&q->arena, SIZE_MAX);
	HASH_ADD_STR(b->all, user_id, q);
	stats_set(STATS_QUESTIONS, HASH_COUNT(b->all));
	return q;
}

static void question_free(struct question *q)
{
	struct balances *b = q->balances;

	move_to(q, BUSY);
	HASH_DEL(b->all, q);
	stats_set(STATS_QUESTIONS, HASH_COUNT(b->all));
	arena_finish(&q->arena);
	bus_msg_unref(q->reply);
	free(q);
}

static struct question *find(struct balances *b, const char *user_id)
{
	struct question *q;

	HASH_FIND_STR(b->all, user_id, q);
	return q;
}

static void make_due(struct question *q, int64_t wait_ms)
{
	q->due_ms = clock_mono_ms() + wait_ms;
	move_to(q, DUE);
}

/* A back end that is away is tried with one question at a time, and with pauses. */
static bool may_refresh(const struct balances *b, int64_t now_ms)
{
	const struct question *first = b->lists[DUE];

	return first && first->due_ms <= now_ms && b->quiet_until_ms <= now_ms &&
	       b->asked_len < (b->is_troubled ? 1 : REFRESHES_MAX);
}

/* What a thread can do now, taken out of its list; NULL: nothing. */
static struct question *next_step(struct balances *b)
{
	struct question *q = b->lists[ANSWERED];

	if (q)
		return q;
	if (b->lists[URGENT] && b->asked_len < ASKED_MAX)
		q = b->lists[URGENT];
	else if (may_refresh(b, clock_mono_ms()))
		q = b->lists[DUE];
	else
		return NULL;
	b->asked_len++;
	q->covers = q->covers || q->has_moved;
	q->has_moved = false;
	return q;
}

static void wait_for_step(struct balances *b)
{
	const struct question *first = b->lists[DUE];
	int64_t now_ms = clock_mono_ms(), until_ms = now_ms + IDLE_MS;
	struct timespec until;

	if (first)
		until_ms = first->due_ms > b->quiet_until_ms ? first->due_ms : b->quiet_until_ms;
	if (until_ms <= now_ms) /* there is no room for it: a question that ends makes some */
		until_ms = now_ms + IDLE_MS;
	until = (struct timespec){ until_ms / 1000, until_ms % 1000 * 1000000 };
	(void)pthread_cond_timedwait(&b->wake, &b->lock, &until);
}

static struct waiter *take_waiters(struct question *q)
{
	struct waiter *waiters = q->waiters, *waiter;

	LL_FOREACH (waiters, waiter)
		q->balances->waiters_len--;
	q->waiters = NULL;
	return waiters;
}

/* Those whose edge has given up by now. */
static struct waiter *take_late_waiters(struct question *q)
{
	struct waiter *late = NULL, *waiter, *next;

	LL_FOREACH_SAFE (q->waiters, waiter, next) {
		if (clock_mono_ms() - waiter->since_ms < PATIENCE_MS)
			continue;
		LL_DELETE(q->waiters, waiter);
		LL_PREPEND(late, waiter);
		q->balances->waiters_len--;
	}
	return late;
}

/* --- answers --- */

/* A balance that keeps changing is no answer, but will be one. */
static struct err as_told(const struct err *why)
{
	struct err told = *why;

	if (told.status == STATUS_CONFLICT)
		told.status = STATUS_UNAVAILABLE;
	return told;
}

/* `why` NULL: it went well, and these are the user's balances. */
static void answer_waiters(struct waiter *waiters, const struct wallets_change *change,
    const struct err *why, struct arena *arena)
{
	struct waiter *waiter, *next;

	LL_FOREACH_SAFE (waiters, waiter, next) {
		const ProtobufCMessage *reply = NULL;
		struct err err = why ? as_told(why) : (struct err)ERR_INIT;

		if (!why && !wallets_reply(change->live, change->ids_len, waiter->wallet_id, arena,
				&reply, &err))
			deferred_answer(waiter->request, reply);
		else
			deferred_refuse(waiter->request, &err);
		free(waiter);
	}
}

/* The lock is held. One line when a back end goes away, one when it is back. */
static void note_trouble(struct balances *b, const struct err *why)
{
	int64_t now_ms = clock_mono_ms();

	if (!b->is_troubled) {
		b->back_off_ms = BACK_OFF_MS;
		log_failure(why, "balances can't be asked for");
	} else if (now_ms < b->quiet_until_ms) {
		return; /* one of many that went wrong together */
	}
	b->is_troubled = true;
	b->quiet_until_ms = now_ms + b->back_off_ms;
	if ((b->back_off_ms *= 2) > BACK_OFF_MOST_MS)
		b->back_off_ms = BACK_OFF_MOST_MS;
}

static void note_answer(struct balances *b)
{
	if (b->is_troubled)
		log_info("balances are answered again");
	b->is_troubled = false;
	b->quiet_until_ms = 0;
}

static void complain(struct balances *b, const struct question *q, const struct err *why)
{
	int64_t now_ms = clock_mono_ms();

	if (b->complained_ms && now_ms - b->complained_ms < COMPLAIN_MS)
		return;
	b->complained_ms = now_ms;
	log_context("user", q->user_id);
	log_failure(why, "an answer about balances is of no use");
	log_context("user", NULL);
}

static void note_outcome(struct balances *b, const struct question *q, const struct err *why)
{
	stats_asked(why ? why->status : STATUS_OK);
	if (why && (why->status == STATUS_UNAVAILABLE || why->status == STATUS_TIMEOUT)) {
		note_trouble(b, why);
		return;
	}
	note_answer(b);
	if (why && why->status == STATUS_INTERNAL)
		complain(b, q, why);
}

/* The question is done, well or not (`why`); it may be gone afterwards. */
static void finish(struct balances_thread *t, struct question *q,
    const struct wallets_change *change, const struct err *why)
{
	struct balances *b = t->balances;
	struct waiter *waiters;
	bool again;

	(void)pthread_mutex_lock(&b->lock);
	waiters = take_waiters(q);
	note_outcome(b, q, why);
	/* What is wrong stays wrong; what failed in passing is asked again. */
	again = q->has_moved ||
		(q->covers && why &&
		    (status_is_temporary(why->status) || why->status == STATUS_CONFLICT));
	b->asked_len--;
	q->covers = false;
	q->has_moved = again;
	q->tries = 0;
	if (again)
		make_due(q, b->cfg->balance_settle);
	else
		question_free(q);
	(void)pthread_cond_broadcast(&b->wake);
	(void)pthread_mutex_unlock(&b->lock);
	answer_waiters(waiters, change, why, &t->arena);
}

/* --- one step: send the question --- */

/* Refuses who has waited for too long. True if that was all; the question is gone then. */
static bool is_in_vain(struct balances_thread *t, struct question *q)
{
	const struct err late = { .status = STATUS_TIMEOUT };
	struct balances *b = t->balances;
	struct waiter *waiters;
	bool is_vain;

	(void)pthread_mutex_lock(&b->lock);
	waiters = take_late_waiters(q);
	is_vain = !q->waiters && !q->covers && !q->has_moved;
	if (is_vain) {
		b->asked_len--;
		question_free(q);
	}
	(void)pthread_mutex_unlock(&b->lock);
	answer_waiters(waiters, NULL, &late, &t->arena);
	return is_vain;
}

static void on_reply(void *arg, enum status status, struct bus_msg *reply)
{
	struct question *q = arg;
	struct balances *b = q->balances;

	(void)pthread_mutex_lock(&b->lock);
	q->status = status;
	q->reply = reply ? bus_msg_ref(reply) : NULL;
	move_to(q, ANSWERED);
	(void)pthread_mutex_unlock(&b->lock);
}

static void send_question(struct balances_thread *t, struct question *q)
{
	Walletwire__V1__BalanceGetRequest *request = MESSAGE_NEW(&t->arena, balance_get_request);
	struct err err = ERR_INIT;
	enum status s;

	if (is_in_vain(t, q))
		return;
	arena_reset(&q->arena);
	s = db_ensure(t->db, &err);
	if (!s)
		s = store_wallets(t->db, q->user_id, &q->arena, &q->asked, &err);
	if (s) {
		finish(t, q, NULL, &err);
		return;
	}
	request->user_id = q->user_id;
	bus_port_request(t->balances->port, "ww.backend.notifications.balance_get",
	    message_pack(&request->base, &t->arena), (int)t->balances->cfg->balance_timeout,
	    on_reply, q);
}

/* --- the other: store what was answered --- */

/* A unit of work that can be run again. */
struct job {
	const struct question *question;
	struct arena *arena;
	Payload **said;
	size_t said_len;
	int64_t now_us;
	const char *epoch;
	int64_t seq, rev;
	struct wallets_change change;
	struct audit audit;
};

static enum status lock_user(struct job *job, struct db *db, struct err *err)
{
	const char *user_id = job->question->user_id;
	bool found = false;
	enum status s = store_lock_user(db, user_id, &found, &job->seq, &job->rev, err);

	if (s || found)
		return s;
	s = store_create_user(db, user_id, err);
	return s ? s : store_lock_user(db, user_id, &found, &job->seq, &job->rev, err);
}

static void audit_change(struct job *job)
{
	for (size_t i = 0; i < job->change.put_len; i++) {
		const Walletwire__V1__BalanceUpdate *balance = job->change.put[i]->balance;
		AuditRecord *record = audit_record(&job->audit, AUDIT_ACTION(BALANCE_APPLIED), 1);

		audit_record_id(record, balance->wallet_id);
		audit_record_user(record, job->question->user_id)->version = balance->version;
		record->n = 1;
		audit_add(&job->audit, record);
	}
}

static enum status write_change(struct job *job, struct db *db, struct err *err)
{
	const char *user_id = job->question->user_id;
	enum status s = STATUS_OK;

	if (job->change.put_len > 0) {
		s = store_put_wallets(db, user_id, &job->change, job->arena, job->now_us, err);
		if (!s)
			s = store_set_user(db, user_id, job->seq, ++job->rev, err);
		audit_change(job);
	}
	if (!s)
		s = audit_write(&job->audit, db, err);
	return s ? s : store_confirm_wallets(db, user_id, &job->change, job->now_us, err);
}

static enum status run_job(void *arg, struct db *db, struct err *err)
{
	struct job *job = arg;
	AuditActor by = audit_actor(AUDIT_BY(BACKEND), "");
	struct wallets stored;
	enum status s = lock_user(job, db, err);

	audit_begin(&job->audit, &store_audit, &by, job->arena, job->now_us);
	if (!s)
		s = store_wallets(db, job->question->user_id, job->arena, &stored, err);
	if (!s)
		s = wallets_merge(&job->question->asked, &stored, job->said, job->said_len,
		    job->arena, &job->change, err);
	if (!s)
		s = write_change(job, db, err);
	return s ? s : store_epoch(db, job->arena, &job->epoch, err);
}

/* After the commit: a doorbell that is lost is found by the sweep, so it fails nothing. */
static void ring_change(struct balances *b, const struct job *job)
{
	size_t n = job->change.put_len;
	State **states = arena_alloc(job->arena, n * sizeof(State *));
	struct ring ring = { job->epoch, job->question->user_id, job->rev - 1, job->rev, NULL, 0,
		states, n, NULL };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < n; i++)
		states[i] = kind_state(
		    job->change.put[i], (int64_t)job->change.put[i]->balance->version, job->arena);
	if (ring_user(b->bus, &ring, job->arena, &err))
		log_failure(&err, "ring a balance");
	stats_count(STATS_BALANCES, (int64_t)n);
}

static enum status read_answer(struct question *q, struct job *job, struct err *err)
{
	if (q->status)
		return err_set(err, q->status, "the back end does not answer");
	job->now_us = clock_wall_us();
	return wallets_read(
	    bus_msg_data(q->reply), job->now_us, job->arena, &job->said_len, &job->said, err);
}

/* Once more at once: a row has changed since it was asked. False: often enough. */
static bool try_again(struct question *q)
{
	struct balances *b = q->balances;
	bool again = ++q->tries < TRIES_MAX;

	if (!again)
		return false;
	stats_asked(STATUS_CONFLICT);
	(void)pthread_mutex_lock(&b->lock);
	b->asked_len--;
	if (q->waiters)
		move_to(q, URGENT);
	else
		make_due(q, 0);
	(void)pthread_mutex_unlock(&b->lock);
	return true;
}

static void take_answer(struct balances_thread *t, struct question *q)
{
	struct job job = { .question = q, .arena = &t->arena };
	struct err err = ERR_INIT;
	enum status s = read_answer(q, &job, &err);

	if (!s)
		s = db_ensure(t->db, &err);
	if (!s)
		s = db_transaction(t->db, ATTEMPTS, run_job, &job, &err);
	bus_msg_unref(q->reply);
	q->reply = NULL;
	if (s == STATUS_CONFLICT && try_again(q))
		return;
	if (!s && job.change.put_len > 0)
		ring_change(t->balances, &job);
	finish(t, q, &job.change, s ? &err : NULL);
}

/* --- the threads --- */

static bool is_done(const struct balances *b)
{
	return b->is_stopping && b->asked_len == 0 && !b->lists[URGENT];
}

/* The lock is held, but not while the step is done. */
static void make_step(struct balances_thread *t, struct question *q)
{
	struct balances *b = t->balances;
	void (*step)(struct balances_thread * t, struct question * q) =
	    q->state == ANSWERED ? take_answer : send_question;

	move_to(q, BUSY);
	(void)pthread_mutex_unlock(&b->lock);
	step(t, q);
	arena_reset(&t->arena);
	(void)pthread_mutex_lock(&b->lock);
}

static void *run(void *arg)
{
	struct balances_thread *t = arg;
	struct balances *b = t->balances;

	(void)pthread_mutex_lock(&b->lock);
	while (!is_done(b)) {
		struct question *q = next_step(b);

		if (q)
			make_step(t, q);
		else
			wait_for_step(b);
	}
	(void)pthread_cond_broadcast(&b->wake);
	(void)pthread_mutex_unlock(&b->lock);
	return NULL;
}

static void ignore_msg(void *arg, struct bus_msg *msg)
{
	(void)arg;
	(void)msg;
}

static enum status start_thread(struct balances *b, const char *name, struct err *err)
{
	struct balances_thread *t = &b->threads[b->threads_len];
	struct db_config db = { .dsn = b->cfg->service.database_url,
		.application_name = name,
		.statements = store_statements,
		.statements_len = store_statements_len };
	enum status s = db_open(&db, &t->db, err);

	if (s)
		return s;
	t->balances = b;
	arena_init(&t->arena, ARENA_LIMIT);
	if (pthread_create(&t->thread, NULL, run, t) != 0) {
		db_close(t->db);
		return err_set(err, STATUS_INTERNAL, "no thread for balances");
	}
	b->threads_len++;
	return STATUS_OK;
}

static void init_lock(struct balances *b)
{
	pthread_condattr_t attr;

	(void)pthread_mutex_init(&b->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&b->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
}

enum status balances_start(const struct notifications_config *cfg, struct bus *bus,
    const char *name, struct balances **ret_balances, struct err *err)
{
	struct bus_port_config port = { .queue_max = ASKED_MAX, .on_msg = ignore_msg };
	struct balances *b = xcalloc(1, sizeof(*b));
	char *thread_name = xasprintf("%s/balances", name);
	enum status s;

	b->cfg = cfg;
	b->bus = bus;
	init_lock(b);
	s = bus_port_new(bus, &port, &b->port, err);
	for (size_t i = 0; i < THREADS && !s; i++)
		s = start_thread(b, thread_name, err);
	free(thread_name);
	if (s) {
		balances_stop(b);
		return s;
	}
	*ret_balances = b;
	return STATUS_OK;
}

void balances_stop(struct balances *b)
{
	if (!b)
		return;
	(void)pthread_mutex_lock(&b->lock);
	b->is_stopping = true;
	(void)pthread_cond_broadcast(&b->wake);
	(void)pthread_mutex_unlock(&b->lock);
	for (size_t i = 0; i < b->threads_len; i++) {
		(void)pthread_join(b->threads[i].thread, NULL);
		db_close(b->threads[i].db);
		arena_finish(&b->threads[i].arena);
	}
	if (b->port)
		bus_port_free(b->port);
	while (b->lists[DUE]) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed is not in the list */
		question_free(b->lists[DUE]);
	}
	(void)pthread_cond_destroy(&b->wake);
	(void)pthread_mutex_destroy(&b->lock);
	free(b);
}

/* --- what others call --- */

static struct waiter *waiter_new(struct request *req, const char *wallet_id)
{
	size_t size = strlen(wallet_id) + 1;
	struct waiter *waiter = xmalloc(sizeof(*waiter) + size);

	*waiter = (struct waiter){ .request = request_defer(req), .since_ms = clock_mono_ms() };
	memcpy(waiter->wallet_id, wallet_id, size);
	return waiter;
}

enum status balances_ask(struct balances *b, struct request *req, const char *user_id,
    const char *wallet_id, struct err *err)
{
	enum status s = STATUS_OK;
	struct waiter *waiter;
	struct question *q;

	(void)pthread_mutex_lock(&b->lock);
	if (b->waiters_len >= WAITERS_MAX) {
		s = err_set(err, STATUS_UNAVAILABLE, "too many wait for balances");
	} else {
		q = find(b, user_id);
		if (!q || q->state == DUE) {
			q = q ? q : question_new(b, user_id);
			move_to(q, URGENT);
		}
		waiter = waiter_new(req, wallet_id);
		LL_PREPEND(q->waiters, waiter);
		b->waiters_len++;
	}
	(void)pthread_mutex_unlock(&b->lock);
	return s;
}

/* Has money moved for good, so that what is stored of the balances is no longer true? */
static bool has_moved(const struct plan *plan)
{
	const Payload *said = plan->bodies_len > 0 ? plan->bodies[0].payload : NULL;

	switch (said ? (int)said->body_case : 0) {
	case WALLETWIRE__V1__PAYLOAD__BODY_TRANSACTION:
		return said->transaction->status ==
		       WALLETWIRE__V1__TRANSACTION_STATUS__TRANSACTION_STATUS_COMPLETED;
	case WALLETWIRE__V1__PAYLOAD__BODY_PAYMENT:
	case WALLETWIRE__V1__PAYLOAD__BODY_DEPOSIT:
	case WALLETWIRE__V1__PAYLOAD__BODY_WITHDRAWAL:
		return said->payment->status ==
		       WALLETWIRE__V1__TRANSACTION_STATUS__TRANSACTION_STATUS_COMPLETED;
	default:
		return false;
	}
}

static void refresh(struct balances *b, const char *user_id)
{
	struct question *q = find(b, user_id);

	if (q) {
		q->has_moved = true;
	} else if (HASH_COUNT(b->all) >= QUESTIONS_MAX) {
		stats_count(STATS_UNASKED, 1);
	} else {
		q = question_new(b, user_id);
		q->has_moved = true;
		make_due(q, b->cfg->balance_settle);
	}
}

void balances_refresh(struct balances *b, const struct batch *batch)
{
	if (!b->cfg->balance_refresh)
		return;
	(void)pthread_mutex_lock(&b->lock);
	for (size_t i = 0; i < batch->events_len; i++) {
		const struct plan *plan = &batch->events[i].plan;

		for (size_t j = 0; has_moved(plan) && j < plan->users_len; j++)
			refresh(b, plan->users[j]);
	}
	(void)pthread_mutex_unlock(&b->lock);
}
