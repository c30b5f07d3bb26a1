/*
 * The loop: hold the lock, fetch, apply, ring, acknowledge.
 *
 * A batch that fails for a reason that passes (connection, lock time-out) stays in hand and is
 * tried again; one that fails for another is taken apart: each event is tried alone, each try first
 * committed, so that an event that kills the process counts too.
 */
#include "applier.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "apply.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "bus/provision.h"
#include "codec/reflect.h"
#include "dead.h"
#include "epoch.h"
#include "errand.h"
#include "hand.h"
#include "kind.h"
#include "log/log.h"
#include "notifications.h"
#include "stats.h"
#include "store.h"
#include "tries.h"
#include "upkeep.h"

enum {
	FETCH_MS = 1000,
	STANDBY_MS = 250,  /* between two tries for the lock */
	BACK_OFF_MS = 100, /* first wait after a failure; doubles */
	BACK_OFF_MOST_MS = 2000,
	GAP_FETCH = 8, /* what may come in between while a missing number is waited for */
	GAP_PAUSE_MS = 200,
	ATTEMPTS_MAX = 5,
	DEATHS_MAX = 2,         /* of a whole batch, before its events are tried alone */
	EVENT_ARENA = 2 << 20,  /* what decoding one event may take: 32 times its largest size */
	BATCH_ARENA = 32 << 20, /* what a batch may take before it ends */
};

#define EVENT_PREFIX "ww.event."

/* A batch from its decoding to its acknowledgement. There are two: one is rung while the next one
 * is written. */
struct stage {
	struct apply apply;   /* with its own arena; the rest is the applier's */
	struct arena decoded; /* what was decoded of the batch */
	struct batch batch;
	struct bus_msg *msgs[BATCH_EVENTS_MAX]; /* while it is rung */
	size_t len;
};

struct prefetch {
	struct bus_pull *pull;
	struct bus_msg *msgs[BATCH_EVENTS_MAX];
	size_t max, len;
};

struct applier {
	const struct notifications_config *cfg;
	struct bus *bus;
	char *name;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t stop_cond;
	bool stopping; /* guarded by mutex */
	struct applier_health *health;
	struct balances *balances;

	/* owned by the thread */
	struct db *db;
	struct bus_pull *pull;
	struct apply apply;
	struct upkeep upkeep;
	struct tries tries;
	struct hand hand;
	struct stage stages[2];
	size_t stage; /* of the batch in hand; the other one may be on its errand */
	struct errand *ringing, *fetching;
	struct prefetch prefetch;
	bool locked;
	int64_t stream_seq; /* the highest applied */
	size_t alone;       /* so many from the front of the hand are tried one by one */
	int failures;       /* in a row */
	enum cause cause;   /* of the last of them */
	int64_t gap_since;  /* 0: no number is missing */
};

/* --- waiting --- */

static bool is_stopping(struct applier *a)
{
	bool stopping;

	(void)pthread_mutex_lock(&a->mutex);
	stopping = a->stopping;
	(void)pthread_mutex_unlock(&a->mutex);
	return stopping;
}

/* Until then, or until told to stop. */
static void pause_ms(struct applier *a, int64_t ms)
{
	int64_t until_us = clock_mono_us() + ms * 1000;
	struct timespec until = { until_us / 1000000, until_us % 1000000 * 1000 };

	(void)pthread_mutex_lock(&a->mutex);
	while (!a->stopping && pthread_cond_timedwait(&a->stop_cond, &a->mutex, &until) == 0)
		continue;
	(void)pthread_mutex_unlock(&a->mutex);
}

/* What an operator is told; CAUSE_NONE: it applies, or stands by as it should. */
static void tell(struct applier *a, enum cause cause)
{
	a->cause = cause;
	atomic_store(&a->health->cause, cause);
	stats_cause(cause);
}

/*
 * After a failure: says once what it is, and waits longer each time. What is in hand is kept.
 * `otherwise` is told if the failure does not say what is behind it.
 */
static void back_off(
    struct applier *a, const struct err *err, const char *what, enum cause otherwise)
{
	enum cause cause = err->cause ? err->cause : otherwise;
	int64_t ms = BACK_OFF_MS;

	if (a->failures == 0 || cause != a->cause)
		log_failure(err, "%s", what);
	for (int i = 0; i < a->failures && ms < BACK_OFF_MOST_MS; i++)
		ms *= 2;
	a->failures++;
	tell(a, cause);
	hand_keep_alive(&a->hand);
	pause_ms(a, ms < BACK_OFF_MOST_MS ? ms : BACK_OFF_MOST_MS);
	hand_keep_alive(&a->hand);
}

static void all_is_well(struct applier *a)
{
	if (a->failures > 0)
		log_info("applying again after %d failures", a->failures);
	a->failures = 0;
	tell(a, CAUSE_NONE);
}

/* --- the lock --- */

static void lose_lock(struct applier *a)
{
	if (!a->locked)
		return;
	log_warn("the connection that held the applier's lock is gone, %zu events dropped for the"
		 " next holder",
	    a->hand.len);
	hand_drop_all(&a->hand);
	a->locked = false;
	a->alone = 0;
	a->gap_since = 0;
	tries_lost(&a->tries);
	stats_set(STATS_APPLIER, 0);
	stats_set(STATS_WAITING, 0);
}

/*
 * What the predecessor had in hand comes again within AckWait. Unless it left with nothing in hand,
 * wait for that: whatever is fetched earlier would be newer.
 */
static enum status wait_for_redelivery(struct applier *a, bool handed_over, struct err *err)
{
	int64_t until = clock_mono_ms() + a->cfg->takeover_wait;

	while (!handed_over && clock_mono_ms() < until && !is_stopping(a)) {
		pause_ms(a, STANDBY_MS);
		if (db_ensure(a->db, err))
			return err->status;
		if (db_generation(a->db) != a->apply.generation)
			return err_set(err, STATUS_UNAVAILABLE, "the lock was lost while waiting");
	}
	return STATUS_OK;
}

static enum status take_over(struct applier *a, struct err *err)
{
	struct store_progress progress;
	enum status s = epoch_ensure(a->db, a->apply.epoch, err);

	if (!s)
		s = store_take_over(a->db, &progress, err);
	if (s)
		return s;
	a->stream_seq = progress.stream_seq;
	a->apply.period = progress.applied_period;
	s = upkeep_start(&a->upkeep, err);
	if (!s)
		s = wait_for_redelivery(a, progress.handed_over, err);
	if (!s)
		log_info(
		    "this replica applies events from number %" PRId64 " on", a->stream_seq + 1);
	return s;
}

/* True if this replica holds the lock and may apply. */
static bool hold_lock(struct applier *a)
{
	struct err err = ERR_INIT;
	bool got = false;
	enum status s = db_ensure(a->db, &err);

	if (a->locked && (s || db_generation(a->db) != a->apply.generation))
		lose_lock(a);
	if (!s)
		s = tries_settle(&a->tries, &err);
	if (!s && a->locked)
		return true;
	if (!s)
		s = store_try_lock(a->db, &got, &err);
	if (!s && !got) {
		all_is_well(a); /* standing by is well */
		pause_ms(a, STANDBY_MS);
		return false;
	}
	a->apply.generation = db_generation(a->db);
	if (!s)
		s = take_over(a, &err);
	/* A connection lost in between has taken the lock with it. */
	if (!s && db_generation(a->db) != a->apply.generation)
		s = err_set(&err, STATUS_UNAVAILABLE, "the lock was lost while taking over");
	if (s) {
		back_off(a, &err, a->locked ? "go on" : "take over", CAUSE_POSTGRES_ERROR);
		return false;
	}
	a->locked = true;
	stats_set(STATS_APPLIER, 1);
	stats_set(STATS_STREAM_SEQ, a->stream_seq);
	return true;
}

/* --- what is in hand --- */

static size_t fetch_max(const struct applier *a, size_t max)
{
	return max > (size_t)a->cfg->batch_max ? (size_t)a->cfg->batch_max : max;
}

static bool fetch(struct applier *a, size_t max, int timeout_ms)
{
	struct bus_msg *msgs[BATCH_EVENTS_MAX];
	struct err err = ERR_INIT;
	size_t n = 0;
	enum status s = STATUS_OK;

	if (!a->pull)
		s = bus_pull_open(a->bus, STREAM_EVENTS, CONSUMER_NOTIFICATIONS, &a->pull, &err);
	if (!s)
		s = bus_pull_fetch(a->pull, msgs, fetch_max(a, max), timeout_ms, &n, &err);
	if (s) {
		back_off(a, &err, "fetch events", CAUSE_NATS_DOWN);
		return false;
	}
	hand_take(&a->hand, msgs, n);
	return true;
}

/* An errand. What it fails of will be met by the next fetch. */
static void fetch_next(void *arg)
{
	struct prefetch *next = arg;
	struct err err = ERR_INIT;

	if (bus_pull_fetch(next->pull, next->msgs, next->max, FETCH_MS, &next->len, &err))
		next->len = 0;
}

/*
 * The batch after this one is fetched while this one is written: only if that is all there is in
 * hand and all is well, so that no more is taken from the stream than can be worked on.
 */
static void send_for_next(struct applier *a, size_t n)
{
	if (n < a->hand.len || a->failures > 0 || a->gap_since != 0 || is_stopping(a))
		return;
	a->prefetch.pull = a->pull;
	a->prefetch.max = fetch_max(a, BATCH_EVENTS_MAX);
	errand_send(a->fetching, fetch_next, &a->prefetch);
}

/* Nothing if it was not sent. */
static void take_next(struct applier *a)
{
	errand_wait(a->fetching);
	hand_take(&a->hand, a->prefetch.msgs, a->prefetch.len);
	a->prefetch.len = 0;
}

/*
 * How many events may be applied now. While a number is missing, whatever follows it waits, and
 * more is fetched in small portions, since redeliveries come first in each.
 */
static size_t ready(struct applier *a)
{
	size_t n = hand_in_order(&a->hand, a->stream_seq);

	if (n > 0 || a->hand.len == 0) {
		a->gap_since = 0;
		return n;
	}
	if (a->gap_since == 0) {
		a->gap_since = clock_mono_ms();
		log_info("waiting for event %" PRId64, a->stream_seq + 1);
	}
	if (clock_mono_ms() - a->gap_since < a->cfg->order_wait && a->hand.len < HAND_MAX) {
		pause_ms(a, GAP_PAUSE_MS);
		hand_keep_alive(&a->hand);
		(void)fetch(a,
		    a->hand.len + GAP_FETCH > HAND_MAX ? HAND_MAX - a->hand.len : GAP_FETCH,
		    GAP_PAUSE_MS);
		return 0;
	}
	log_warn("event %" PRId64 " did not come: going on with %" PRIu64, a->stream_seq + 1,
	    bus_msg_stream_seq(a->hand.msgs[0]));
	stats_count(STATS_GAPS, 1);
	a->gap_since = 0;
	a->stream_seq = (int64_t)bus_msg_stream_seq(a->hand.msgs[0]) - 1; /* not waited for again */
	return hand_in_order(&a->hand, a->stream_seq);
}

/*
 * Which trace it belongs to: the header's, else what an outbox wrote into the event. Without either
 * one begins here, if there will be lines that tell it.
 */
static void find_trace(struct bus_msg *msg, const Event *event, struct trace *trace)
{
	struct trace from;

	if (trace_parse(bus_msg_header(msg, TRACE_HEADER), &from))
		trace_go_on(&from, trace);
	else
		trace_enter(event ? event->traceparent : NULL, log_enabled(LOG_DEBUG), trace);
}

/* NULL if there is none. */
static char *traceparent_of(const struct trace *trace, struct arena *arena)
{
	char text[TRACEPARENT_SIZE];

	if (!trace_is_set(trace))
		return NULL;
	trace_format(trace, text);
	return arena_strdup(arena, text);
}

/* Decoded and planned; the event may use the arena up to a limit of its own. */
static enum status understand(struct arena *arena, struct bus_msg *msg, struct plan *plan,
    struct trace *ret_trace, struct err *err)
{
	ProtobufCMessage *message = NULL;
	const char *kind;
	enum status s;

	arena->limit = arena->used + EVENT_ARENA;
	s = reflect_unpack(
	    &walletwire__v1__event__descriptor, bus_msg_data(msg), arena, &message, err);
	find_trace(msg, s ? NULL : (const Event *)message, ret_trace);
	if (s)
		return s;
	kind = plan_event_kind((const Event *)message);
	/* Who may publish what is decided by subject, so the content must be what the subject says.
	 */
	if (!kind || strncmp(bus_msg_subject(msg), EVENT_PREFIX, sizeof(EVENT_PREFIX) - 1) != 0 ||
	    strcmp(bus_msg_subject(msg) + sizeof(EVENT_PREFIX) - 1, kind) != 0)
		return err_invalid(err, "body", "is %s, which is not what the subject says",
		    kind ? kind : "empty");
	return plan_event((const Event *)message, clock_wall_us(), arena, plan, err);
}

/*
 * A batch from the first `max` messages in hand; what can't be understood goes to the dead letters
 * at once. stage->len is how many messages that accounts for.
 */
static enum status gather(struct applier *a, size_t max, struct stage *stage, struct err *err)
{
	struct arena *arena = &stage->decoded;

	arena_reset(arena);
	batch_begin(&stage->batch, max, arena);
	stage->len = 0;
	for (size_t i = 0; i < max && (i == 0 || arena->used < BATCH_ARENA); i++) {
		struct bus_msg *msg = a->hand.msgs[i];
		struct err why = ERR_INIT;
		struct batch_dead dead;
		struct trace trace;
		struct plan plan;
		enum status s = understand(arena, msg, &plan, &trace, &why);

		plan.trace = trace;
		plan.traceparent = traceparent_of(&trace, arena);
		if (!s && !batch_add(&stage->batch, &plan))
			break;
		if (s) {
			log_trace(&trace);
			s = dead_letter(a->bus, msg, why.msg, arena, &dead, err);
			log_trace(NULL);
			if (s)
				return s;
			batch_add_dead(&stage->batch, &dead);
		}
		stage->len = i + 1;
	}
	return STATUS_OK;
}

static int64_t last_seq(const struct applier *a, size_t n)
{
	return (int64_t)bus_msg_stream_seq(a->hand.msgs[n - 1]);
}

/* The stage that is free: what was rung from it is done. */
static struct stage *next_stage(struct applier *a)
{
	struct stage *stage = &a->stages[a->stage];
	struct arena arena = stage->apply.arena;

	stage->apply = a->apply;
	stage->apply.arena = arena;
	return stage;
}

/* An errand: rings what is committed, and acknowledges it. */
static void ring(void *arg)
{
	struct stage *stage = arg;
	struct err err = ERR_INIT;

	if (!apply_ring(&stage->apply, &stage->batch, &err)) {
		hand_ack_given(stage->msgs, stage->len);
		return;
	}
	/* Stored but not rung: left unacknowledged, they come again and are rung then. */
	log_failure(&err, "ring %zu events", stage->len);
	if (status_is_temporary(err.status))
		hand_release_given(stage->msgs, stage->len);
	else /* it never can be rung: edges find it by their sweep */
		hand_ack_given(stage->msgs, stage->len);
}

/* In the order of the commits, and while the next batch is written, unless the rows are needed. */
static void send_to_ring(struct applier *a, struct stage *stage)
{
	hand_give(&a->hand, stage->msgs, stage->len);
	errand_send(a->ringing, ring, stage);
	a->stage = 1 - a->stage;
	if (apply_ring_reads(&stage->batch))
		errand_wait(a->ringing);
}

/* A line for each event, under its trace. */
static void tell_applied(const struct batch *batch)
{
	if (!log_enabled(LOG_DEBUG))
		return;
	for (size_t i = 0; i < batch->events_len; i++) {
		const struct batch_event *event = &batch->events[i];

		log_trace(&event->plan.trace);
		log_debug("%s %s for %zu users", kind_name(event->plan.kind),
		    batch_is_new(event) ? "applied" : "was applied before", event->plan.users_len);
	}
	log_trace(NULL);
}

/* From the first `max` in hand on as one transaction, which is then rung and acknowledged. */
static enum status apply_first(struct applier *a, size_t max, struct err *err)
{
	int64_t start = clock_mono_us();
	struct stage *stage = next_stage(a);
	enum status s = gather(a, max, stage, err);

	if (!s)
		s = apply_batch(&stage->apply, &stage->batch, last_seq(a, stage->len), err);
	if (s)
		return s;
	if (last_seq(a, stage->len) > a->stream_seq)
		a->stream_seq = last_seq(a, stage->len);
	stats_set(STATS_STREAM_SEQ, a->stream_seq);
	tell_applied(&stage->batch);
	/* Those that came again too: the process that had them may have died before it asked. */
	balances_refresh(a->balances, &stage->batch);
	send_to_ring(a, stage);
	stats_batch(clock_mono_us() - start);
	return STATUS_OK;
}

/* --- what fails --- */

/* Its number counts as applied, else what follows would wait for it: a batch of nothing says so. */
static enum status give_up(struct applier *a, struct err *err)
{
	const char *why =
	    a->tries.last_error[0] ? a->tries.last_error : "the process ended while applying it";
	struct stage *stage = next_stage(a);
	struct batch_dead dead;
	enum status s;

	arena_reset(&stage->decoded);
	s = dead_letter(a->bus, a->hand.msgs[0], why, &stage->decoded, &dead, err);
	if (s)
		return s;
	batch_begin(&stage->batch, 1, &stage->decoded);
	batch_add_dead(&stage->batch, &dead);
	s = apply_batch(&stage->apply, &stage->batch, last_seq(a, 1), err);
	if (s)
		return s;
	if (last_seq(a, 1) > a->stream_seq)
		a->stream_seq = last_seq(a, 1);
	hand_ack(&a->hand, 1);
	return STATUS_OK;
}

static enum status apply_alone(struct applier *a, struct bus_msg *msg, int n, struct err *err)
{
	enum status s = apply_first(a, 1, err);
	struct trace trace;

	if (!s)
		return STATUS_OK;
	if (status_is_temporary(s)) {
		tries_take_back(&a->tries, msg);
		return s;
	}
	tries_failed(&a->tries, err);
	find_trace(msg, /* event= */ NULL, &trace);
	log_trace(&trace);
	log_failure(err, "try %d of event %" PRIu64, n, bus_msg_stream_seq(msg));
	log_trace(NULL);
	return s;
}

/* The first in hand, alone: applied, given up, or neither yet. */
static enum status try_alone(struct applier *a, struct err *err)
{
	struct bus_msg *msg = bus_msg_ref(a->hand.msgs[0]);
	int n = 0;
	enum status s = tries_count(&a->tries, msg, &n, err);

	if (!s)
		s = n > ATTEMPTS_MAX ? give_up(a, err) : apply_alone(a, msg, n, err);
	if (!s) {
		a->alone--;
		tries_forget(&a->tries, msg);
	}
	bus_msg_unref(msg);
	return s;
}

/*
 * A redelivered batch may be what killed the process that had it: it is noted before it is touched,
 * and its events are tried alone once that has happened too often. The note is then the count of
 * its first event's next try, so that one which kills the process each time is given up too.
 */
static enum status note_redelivery(struct applier *a, size_t len, struct err *err)
{
	int n = 0;
	enum status s = tries_count(&a->tries, a->hand.msgs[0], &n, err);

	if (!s && n > DEATHS_MAX) {
		tries_begun(&a->tries, a->hand.msgs[0], n);
		a->alone = len;
	}
	return s;
}

static enum status try_together(struct applier *a, size_t n, struct err *err)
{
	struct bus_msg *first = bus_msg_ref(a->hand.msgs[0]);
	bool again = bus_msg_delivered(first) > 1;
	enum status s = again ? note_redelivery(a, n, err) : STATUS_OK;

	if (!s && a->alone == 0) {
		send_for_next(a, n);
		s = apply_first(a, n, err);
		take_next(a);
		/* The process has survived it; after an outage the next try tells whether it does.
		 */
		if (again && status_is_temporary(s))
			tries_take_back(&a->tries, first);
		else if (again)
			tries_forget(&a->tries, first);
		if (s && !status_is_temporary(s)) {
			log_failure(err, "apply %zu events together", n);
			a->alone = n;
			s = STATUS_OK;
		}
	}
	bus_msg_unref(first);
	return s;
}

/* Applies what can be applied; false after a failure. */
static bool apply_hand(struct applier *a)
{
	struct err err = ERR_INIT;
	size_t max = (size_t)a->cfg->batch_max;
	size_t n = ready(a);
	enum status s = STATUS_OK;

	if (n == 0) {
		if (a->hand.len == 0)
			all_is_well(a); /* nothing to do is well */
		return true;
	}
	if (a->alone > 0)
		s = try_alone(a, &err);
	else
		s = try_together(a, n < max ? n : max, &err);
	if (s) {
		stats_count(STATS_FAILED, 1);
		back_off(
		    a, &err, "apply events", status_is_temporary(s) ? CAUSE_OTHER : CAUSE_EVENT);
		return false;
	}
	all_is_well(a);
	return true;
}

/* --- the thread --- */

static void turn(struct applier *a)
{
	struct err err = ERR_INIT;

	if (!hold_lock(a))
		return;
	/* What it rings comes after what was committed before. */
	if (upkeep_is_due(&a->upkeep))
		errand_wait(a->ringing);
	/* Events do not wait for it: what the database refuses it now, a backup say, it tries
	 * later. */
	if (upkeep_tick(&a->upkeep, &err)) {
		log_failure(&err, "events go on");
		if (!hold_lock(a))
			return;
	}
	if (a->hand.len == 0 && !fetch(a, BATCH_EVENTS_MAX, FETCH_MS))
		return;
	hand_keep_alive(&a->hand);
	(void)apply_hand(a);
}

/* With nothing in hand and all acknowledgements sent, a successor need not wait. */
static void hand_over(struct applier *a)
{
	struct err err = ERR_INIT;

	errand_wait(a->ringing);
	if (a->locked && a->hand.len == 0 && bus_flush(a->bus, FETCH_MS, &err) == STATUS_OK &&
	    db_ensure(a->db, &err) == STATUS_OK && db_generation(a->db) == a->apply.generation &&
	    store_hand_over(a->db, &err) == STATUS_OK)
		log_info("handed over at event %" PRId64, a->stream_seq);
	hand_drop_all(&a->hand);
	stats_set(STATS_APPLIER, 0);
	stats_set(STATS_WAITING, 0);
}

static void *run(void *arg)
{
	struct applier *a = arg;

	/* What is in hand is finished, unless it can't be now. */
	while (!is_stopping(a) ||
	       (a->locked && a->hand.len > 0 && a->failures == 0 && a->gap_since == 0))
		turn(a);
	hand_over(a);
	bus_pull_close(a->pull);
	return NULL;
}

static void applier_free(struct applier *a)
{
	errand_free(a->ringing);
	errand_free(a->fetching);
	db_close(a->db);
	for (size_t i = 0; i < ARRAY_LEN(a->stages); i++) {
		arena_finish(&a->stages[i].apply.arena);
		arena_finish(&a->stages[i].decoded);
	}
	arena_finish(&a->apply.arena);
	(void)pthread_cond_destroy(&a->stop_cond);
	(void)pthread_mutex_destroy(&a->mutex);
	free(a->name);
	free(a);
}

static void init_cond(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(cond, &attr);
	(void)pthread_condattr_destroy(&attr);
}

enum status applier_start(struct notifications *notifications, struct bus *bus, const char *name,
    struct applier **ret_applier, struct err *err)
{
	const struct notifications_config *cfg = notifications->cfg;
	struct applier *a = xcalloc(1, sizeof(*a));
	struct db_config db = { .dsn = cfg->service.database_url,
		.statements = store_statements,
		.statements_len = store_statements_len,
		.by_key = true };
	enum status s;

	a->cfg = cfg;
	a->bus = bus;
	a->health = &notifications->health;
	a->balances = notifications->balances;
	a->name = xasprintf("%s/applier", name);
	(void)pthread_mutex_init(&a->mutex, NULL);
	init_cond(&a->stop_cond);
	db.application_name = a->name;
	s = db_open(&db, &a->db, err);
	if (s) {
		applier_free(a);
		return s;
	}
	for (size_t i = 0; i < ARRAY_LEN(a->stages); i++) {
		arena_init(&a->stages[i].apply.arena, SIZE_MAX);
		arena_init(&a->stages[i].decoded, EVENT_ARENA);
	}
	arena_init(&a->apply.arena, SIZE_MAX);
	a->apply.db = a->db;
	a->tries.db = a->db;
	a->apply.bus = bus;
	a->upkeep = (struct upkeep){ .apply = &a->apply,
		.retention_ms = cfg->mailbox_retention,
		.transfer_retention_ms = cfg->transfer_retention };
	a->ringing = errand_new();
	a->fetching = errand_new();
	if (!a->ringing || !a->fetching || pthread_create(&a->thread, NULL, run, a) != 0) {
		applier_free(a);
		return err_set(err, STATUS_INTERNAL, "no thread for the applier");
	}
	*ret_applier = a;
	return STATUS_OK;
}

void applier_stop(struct applier *a)
{
	if (!a)
		return;
	(void)pthread_mutex_lock(&a->mutex);
	a->stopping = true;
	(void)pthread_cond_signal(&a->stop_cond);
	(void)pthread_mutex_unlock(&a->mutex);
	(void)pthread_join(a->thread, NULL);
	applier_free(a);
}
