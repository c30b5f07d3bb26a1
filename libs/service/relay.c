/* A turn: hold the lock, measure now and then, one pass; after a failure longer and longer waits.
 */
#include "service/relay.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "log/log.h"
#include "service/turns.h"

enum {
	STANDBY_MS = 250,  /* between two tries for the lock */
	BACK_OFF_MS = 100, /* first wait after a failure; doubles */
	BACK_OFF_MOST_MS = 2000,
	MEASURE_MS = 2000,
	CONNECT_MS = 100, /* at a turn's start; the back-off waits for more */
};

struct relay {
	struct relay_spec spec;
	struct turns *turns;

	_Atomic bool active; /* written by the thread, read by whoever wakes it */

	/* owned by the thread */
	struct db_lock lock;
	int failures; /* in a row */
	int64_t measure_at;
};

/* --- how it goes --- */

static void tell_health(struct relay *relay, const char *trouble)
{
	if (relay->spec.health)
		atomic_store(&relay->spec.health->trouble, trouble);
}

static int64_t well(struct relay *relay, int64_t pause_ms)
{
	if (relay->failures > 0)
		log_info(
		    "publishing %s again after %d failures", relay->spec.what, relay->failures);
	relay->failures = 0;
	tell_health(relay, NULL);
	return pause_ms;
}

/* After a failure: says it once, and waits longer each time. The rows are where they were. */
static int64_t back_off(struct relay *relay, const struct err *err, const char *trouble)
{
	int64_t ms = BACK_OFF_MS;

	if (relay->failures == 0)
		log_failure(err, "publish %s: %s", relay->spec.what, trouble);
	for (int i = 0; i < relay->failures && ms < BACK_OFF_MOST_MS; i++)
		ms *= 2;
	relay->failures++;
	metric_inc(relay->spec.metrics->failed);
	tell_health(relay, trouble);
	return ms < BACK_OFF_MOST_MS ? ms : BACK_OFF_MOST_MS;
}

static void note_active(struct relay *relay, bool active)
{
	const struct relay_metrics *metrics = relay->spec.metrics;

	if (active == atomic_exchange(&relay->active, active))
		return;
	log_info(active ? "this replica publishes %s"
			: "another replica publishes %s, this one stands by",
	    relay->spec.what);
	metric_set(metrics->active, active);
	if (active) {
		relay->measure_at = 0;
		return;
	}
	metric_set(metrics->waiting, 0);
	metric_set(metrics->oldest, 0);
	if (relay->spec.on_standby)
		relay->spec.on_standby(relay->spec.arg);
}

/* What can't be measured goes on all the same. */
static void measure(struct relay *relay)
{
	struct relay_backlog backlog = { 0 };
	int64_t now = clock_mono_ms();
	struct err err = ERR_INIT;

	if (now < relay->measure_at)
		return;
	relay->measure_at = now + MEASURE_MS;
	if (relay->spec.measure(relay->spec.arg, &backlog, &err)) {
		log_failure(&err, "measure the outbox of %s", relay->spec.what);
		return;
	}
	metric_set(relay->spec.metrics->waiting, backlog.waiting);
	metric_set(relay->spec.metrics->oldest, backlog.oldest_seconds);
}

/* --- the turn --- */

static enum status hold(struct relay *relay, struct err *err)
{
	enum status s = db_lock_check(&relay->lock, relay->spec.db, err);

	if (s || relay->lock.held)
		return s;
	return db_lock_try(&relay->lock, relay->spec.db, relay->spec.lock, err);
}

static int64_t pass(struct relay *relay)
{
	const struct relay_spec *spec = &relay->spec;
	struct relay_pass pass = { 0 };
	struct err err = ERR_INIT;
	enum status s = spec->move(spec->arg, &pass, &err);

	metric_add(spec->metrics->published, 0, pass.published);
	metric_add(spec->metrics->duplicates, 0, pass.duplicates);
	if (s)
		return back_off(relay, &err, pass.trouble);
	if (pass.rows >= spec->batch_max)
		return well(relay, 0);
	return well(relay, pass.rows > 0 ? spec->poll_busy : spec->poll_idle);
}

static int64_t turn(void *arg)
{
	struct relay *relay = arg;
	struct err err = ERR_INIT;

	if (hold(relay, &err))
		return back_off(relay, &err, "the outbox does not answer");
	note_active(relay, relay->lock.held);
	if (!relay->lock.held)
		return well(relay, STANDBY_MS);
	measure(relay);
	if (bus_wait_connected(relay->spec.bus, CONNECT_MS, &err))
		return back_off(relay, &err, "NATS does not answer");
	return pass(relay);
}

enum status relay_start(const struct relay_spec *spec, struct relay **ret_relay, struct err *err)
{
	struct relay *relay = xcalloc(1, sizeof(*relay));
	enum status s;

	relay->spec = *spec;
	*ret_relay = relay; /* the first pass may ask already */
	s = turns_start(turn, relay, &relay->turns, err);
	if (s) {
		*ret_relay = NULL;
		free(relay);
	}
	return s;
}

bool relay_is_over(struct relay *relay)
{
	return turns_are_over(relay->turns);
}

void relay_wake(struct relay *relay)
{
	if (atomic_load(&relay->active))
		turns_wake(relay->turns);
}

void relay_stop(struct relay *relay)
{
	if (!relay)
		return;
	turns_stop(relay->turns);
	free(relay);
}

void relay_metrics_register(const struct relay_metrics *metrics)
{
	metrics_register(metrics->published);
	metrics_register(metrics->duplicates);
	metrics_register(metrics->failed);
	metrics_register(metrics->active);
	metrics_register(metrics->waiting);
	metrics_register(metrics->oldest);
}
