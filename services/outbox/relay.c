/*
 * A turn: hold the lock, read a batch, set aside what can't be published, publish the rest wave by
 * wave, delete what the stream has. What a crash leaves in the table although it was stored is
 * published again under the same message id, and the stream drops it.
 */
#include "relay.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "batch.h"
#include "log/log.h"
#include "service/turns.h"
#include "stats.h"
#include "store.h"

enum {
	STANDBY_MS = 250,  /* between two tries for the lock */
	BACK_OFF_MS = 100, /* first wait after a failure; doubles */
	BACK_OFF_MOST_MS = 2000,
	MEASURE_MS = 2000,
	CONNECT_MS = 100, /* at a turn's start; the back-off waits for more */
};

struct relay {
	const struct outbox_config *cfg;
	struct bus *bus;
	struct relay_health *health;
	struct turns *turns;

	/* owned by the thread */
	struct store *store;
	bool active;
	int failures; /* in a row */
	int64_t measure_at;
	struct batch batch;
	/* A selection of the batch, for one statement. */
	int64_t ids[BATCH_MAX];
	const char *reasons[BATCH_MAX];
	size_t selected;
};

/* --- how it goes --- */

static int64_t well(struct relay *relay, int64_t pause_ms)
{
	if (relay->failures > 0)
		log_info("publishing again after %d failures", relay->failures);
	relay->failures = 0;
	atomic_store(&relay->health->trouble, NULL);
	return pause_ms;
}

/* After a failure: says it once, and waits longer each time. The rows are where they were. */
static int64_t back_off(struct relay *relay, const struct err *err, const char *trouble)
{
	int64_t ms = BACK_OFF_MS;

	if (relay->failures == 0)
		log_failure(err, "%s", trouble);
	for (int i = 0; i < relay->failures && ms < BACK_OFF_MOST_MS; i++)
		ms *= 2;
	relay->failures++;
	atomic_store(&relay->health->trouble, trouble);
	return ms < BACK_OFF_MOST_MS ? ms : BACK_OFF_MOST_MS;
}

static void note_active(struct relay *relay, bool active)
{
	if (active == relay->active)
		return;
	relay->active = active;
	log_info(
	    active ? "this replica publishes" : "another replica publishes, this one stands by");
	stats_set(STATS_ACTIVE, active);
	if (active) {
		relay->measure_at = 0;
		return;
	}
	stats_set(STATS_WAITING, 0);
	stats_set(STATS_OLDEST_SECONDS, 0);
	stats_set(STATS_DEAD, 0);
}

static enum status measure(struct relay *relay, struct err *err)
{
	struct store_backlog backlog;
	int64_t now = clock_mono_ms();
	enum status s;

	if (now < relay->measure_at)
		return STATUS_OK;
	s = store_measure(relay->store, &backlog, err);
	if (s)
		return s;
	relay->measure_at = now + MEASURE_MS;
	stats_set(STATS_WAITING, backlog.waiting);
	stats_set(STATS_OLDEST_SECONDS, backlog.oldest_seconds);
	stats_set(STATS_DEAD, backlog.dead);
	return STATUS_OK;
}

/* --- rows that can't be published --- */

static void select_item(struct relay *relay, const struct batch_item *item, const char *reason)
{
	relay->ids[relay->selected] = item->id;
	relay->reasons[relay->selected++] = reason;
}

static enum status set_aside_selected(struct relay *relay, struct err *err)
{
	enum status s;

	if (relay->selected == 0)
		return STATUS_OK;
	s = store_set_aside(relay->store, relay->ids, relay->reasons, relay->selected, err);
	if (s)
		return s;
	stats_count(STATS_SET_ASIDE, (int64_t)relay->selected);
	for (size_t i = 0; i < relay->selected; i++)
		log_error("row %" PRId64 " of the outbox was set aside: %s", relay->ids[i],
		    relay->reasons[i]);
	return STATUS_OK;
}

static enum status set_aside_refused(struct relay *relay, struct err *err)
{
	relay->selected = 0;
	for (size_t i = 0; i < relay->batch.len; i++) {
		if (relay->batch.items[i].refused)
			select_item(relay, &relay->batch.items[i], relay->batch.items[i].refused);
	}
	return set_aside_selected(relay, err);
}

/* Its size is the only thing for which a stream refuses one event and would take others. */
static enum status set_aside_too_large(struct relay *relay, struct err *err)
{
	relay->selected = 0;
	for (size_t i = 0; i < relay->batch.len; i++) {
		if (relay->batch.items[i].out.status == STATUS_TOO_LARGE)
			select_item(
			    relay, &relay->batch.items[i], relay->batch.items[i].out.reason);
	}
	return set_aside_selected(relay, err);
}

/* --- rows that can --- */

static void publish_wave(struct relay *relay, size_t wave)
{
	for (size_t i = 0; i < relay->batch.len; i++) {
		struct batch_item *item = &relay->batch.items[i];

		if (!item->refused && item->wave == wave)
			outgoing_send(&item->out, relay->bus);
	}
	bus_publish_wait(relay->bus);
}

/* Ends with the first wave that is not stored whole. */
static void publish(struct relay *relay)
{
	for (size_t wave = 0; wave < relay->batch.waves; wave++) {
		if (atomic_load(&relay->batch.trouble) || turns_are_over(relay->turns))
			return;
		publish_wave(relay, wave);
	}
}

static enum status delete_stored(struct relay *relay, struct err *err)
{
	int64_t duplicates = 0;
	enum status s;

	relay->selected = 0;
	for (size_t i = 0; i < relay->batch.len; i++) {
		const struct batch_item *item = &relay->batch.items[i];

		if (item->out.tries == 0 || item->out.status)
			continue;
		duplicates += item->out.ack.duplicate;
		select_item(relay, item, NULL);
	}
	if (relay->selected == 0)
		return STATUS_OK;
	s = store_delete(relay->store, relay->ids, relay->selected, err);
	if (s)
		return s;
	stats_count(STATS_DUPLICATES, duplicates);
	stats_count(STATS_PUBLISHED, (int64_t)relay->selected - duplicates);
	return STATUS_OK;
}

/* The first failure that passes, if there is one. */
static enum status outcome(struct relay *relay, struct err *err)
{
	const struct batch_item *first = NULL;
	int64_t failed = 0;

	for (size_t i = 0; i < relay->batch.len; i++) {
		const struct batch_item *item = &relay->batch.items[i];

		if (item->out.status == STATUS_OK || item->out.status == STATUS_TOO_LARGE)
			continue;
		failed++;
		first = first ? first : item;
	}
	stats_count(STATS_FAILED, failed);
	return first ? err_set(err, first->out.status, "%" PRId64 " events, the first: %s", failed,
			   first->out.reason)
		     : STATUS_OK;
}

/* --- the turn --- */

static enum status read_batch(struct relay *relay, struct err *err)
{
	enum status s;

	batch_clear(&relay->batch);
	s = store_read(relay->store, (size_t)relay->cfg->batch_max, &relay->batch, err);
	return s ? s : set_aside_refused(relay, err);
}

static enum status clear_away(struct relay *relay, struct err *err)
{
	enum status s = delete_stored(relay, err);

	return s ? s : set_aside_too_large(relay, err);
}

static int64_t turn(void *arg)
{
	struct relay *relay = arg;
	struct err err = ERR_INIT;
	bool held = false;

	if (store_hold(relay->store, &held, &err))
		return back_off(relay, &err, "the outbox does not answer");
	note_active(relay, held);
	if (!held)
		return well(relay, STANDBY_MS);
	if (measure(relay, &err))
		return back_off(relay, &err, "the outbox can't be measured");
	if (bus_wait_connected(relay->bus, CONNECT_MS, &err))
		return back_off(relay, &err, "NATS does not answer");
	if (read_batch(relay, &err))
		return back_off(relay, &err, "the outbox can't be read");
	publish(relay);
	if (clear_away(relay, &err))
		return back_off(relay, &err, "published rows can't be deleted");
	if (outcome(relay, &err))
		return back_off(relay, &err, "the stream does not take events");
	if (relay->batch.len == (size_t)relay->cfg->batch_max)
		return well(relay, 0);
	return well(relay, relay->batch.len > 0 ? relay->cfg->poll_busy : relay->cfg->poll_idle);
}

static void relay_free(struct relay *relay)
{
	store_close(relay->store);
	batch_finish(&relay->batch);
	free(relay);
}

enum status relay_start(const struct outbox_config *cfg, struct bus *bus, const char *name,
    struct relay_health *health, struct relay **ret_relay, struct err *err)
{
	struct relay *relay = xcalloc(1, sizeof(*relay));
	char *connection = xasprintf("%s/relay", name);
	enum status s;

	relay->cfg = cfg;
	relay->bus = bus;
	relay->health = health;
	batch_init(&relay->batch);
	s = store_open(cfg->service.database_url, connection, cfg->schema, &relay->store, err);
	free(connection);
	if (!s)
		s = turns_start(turn, relay, &relay->turns, err);
	if (s) {
		relay_free(relay);
		return s;
	}
	*ret_relay = relay;
	return STATUS_OK;
}

void relay_stop(struct relay *relay)
{
	if (!relay)
		return;
	turns_stop(relay->turns);
	relay_free(relay);
}
