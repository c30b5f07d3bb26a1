/*
 * A pass: read a batch, set aside what can't be published, publish the rest wave by wave, delete
 * what the stream has.
 */
#include "publisher.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "batch.h"
#include "log/log.h"
#include "stats.h"
#include "store.h"

struct publisher {
	const struct outbox_config *cfg;
	struct bus *bus;
	struct relay *relay;

	/* owned by the relay's thread */
	struct store *store;
	struct batch batch;
	/* A selection of the batch, for one statement. */
	int64_t ids[BATCH_MAX];
	const char *reasons[BATCH_MAX];
	size_t selected;
};

/* --- rows that can't be published --- */

static void select_item(struct publisher *p, const struct batch_item *item, const char *reason)
{
	p->ids[p->selected] = item->id;
	p->reasons[p->selected++] = reason;
}

static enum status set_aside_selected(struct publisher *p, struct err *err)
{
	enum status s;

	if (p->selected == 0)
		return STATUS_OK;
	s = store_set_aside(p->store, p->ids, p->reasons, p->selected, err);
	if (s)
		return s;
	stats_set_aside((int64_t)p->selected);
	for (size_t i = 0; i < p->selected; i++)
		log_error(
		    "row %" PRId64 " of the outbox was set aside: %s", p->ids[i], p->reasons[i]);
	return STATUS_OK;
}

static enum status set_aside_refused(struct publisher *p, struct err *err)
{
	p->selected = 0;
	for (size_t i = 0; i < p->batch.len; i++) {
		if (p->batch.items[i].refused)
			select_item(p, &p->batch.items[i], p->batch.items[i].refused);
	}
	return set_aside_selected(p, err);
}

/* Its size is the only thing for which a stream refuses one event and would take others. */
static enum status set_aside_too_large(struct publisher *p, struct err *err)
{
	p->selected = 0;
	for (size_t i = 0; i < p->batch.len; i++) {
		if (p->batch.items[i].out.status == STATUS_TOO_LARGE)
			select_item(p, &p->batch.items[i], p->batch.items[i].out.reason);
	}
	return set_aside_selected(p, err);
}

/* --- rows that can --- */

static void publish_wave(struct publisher *p, size_t wave)
{
	for (size_t i = 0; i < p->batch.len; i++) {
		struct batch_item *item = &p->batch.items[i];

		if (!item->refused && item->wave == wave)
			outgoing_send(&item->out, p->bus);
	}
	bus_publish_wait(p->bus);
}

/* Ends with the first wave that is not stored whole. */
static void publish(struct publisher *p)
{
	for (size_t wave = 0; wave < p->batch.waves; wave++) {
		if (atomic_load(&p->batch.trouble) || relay_is_over(p->relay))
			return;
		publish_wave(p, wave);
	}
}

static enum status delete_stored(struct publisher *p, struct relay_pass *pass, struct err *err)
{
	int64_t duplicates = 0;
	enum status s;

	p->selected = 0;
	for (size_t i = 0; i < p->batch.len; i++) {
		const struct batch_item *item = &p->batch.items[i];

		if (item->out.tries == 0 || item->out.status)
			continue;
		duplicates += item->out.ack.duplicate;
		select_item(p, item, NULL);
	}
	if (p->selected == 0)
		return STATUS_OK;
	s = store_delete(p->store, p->ids, p->selected, err);
	if (s)
		return s;
	pass->duplicates = duplicates;
	pass->published = (int64_t)p->selected - duplicates;
	return STATUS_OK;
}

/* The first failure that passes, if there is one. */
static enum status outcome(struct publisher *p, struct err *err)
{
	const struct batch_item *first = NULL;
	int64_t failed = 0;

	for (size_t i = 0; i < p->batch.len; i++) {
		const struct batch_item *item = &p->batch.items[i];

		if (item->out.status == STATUS_OK || item->out.status == STATUS_TOO_LARGE)
			continue;
		failed++;
		first = first ? first : item;
	}
	return first ? err_set(err, first->out.status, "%" PRId64 " events, the first: %s", failed,
			   first->out.reason)
		     : STATUS_OK;
}

/* --- the pass --- */

static enum status read_batch(struct publisher *p, struct err *err)
{
	enum status s;

	batch_clear(&p->batch);
	s = store_read(p->store, (size_t)p->cfg->batch_max, &p->batch, err);
	return s ? s : set_aside_refused(p, err);
}

static enum status clear_away(struct publisher *p, struct relay_pass *pass, struct err *err)
{
	enum status s = delete_stored(p, pass, err);

	return s ? s : set_aside_too_large(p, err);
}

static enum status move(void *arg, struct relay_pass *ret_pass, struct err *err)
{
	struct publisher *p = arg;
	enum status s;

	ret_pass->trouble = "the outbox can't be read";
	s = read_batch(p, err);
	if (s)
		return s;
	ret_pass->rows = p->batch.len;
	publish(p);
	ret_pass->trouble = "published rows can't be deleted";
	s = clear_away(p, ret_pass, err);
	if (s)
		return s;
	ret_pass->trouble = "the stream does not take events";
	return outcome(p, err);
}

static enum status measure(void *arg, struct relay_backlog *ret_backlog, struct err *err)
{
	struct publisher *p = arg;
	int64_t dead = 0;
	enum status s = store_measure(p->store, ret_backlog, &dead, err);

	if (!s)
		stats_dead(dead);
	return s;
}

static void stand_by(void *arg)
{
	(void)arg;
	stats_dead(0);
}

static void publisher_free(struct publisher *p)
{
	store_close(p->store);
	batch_finish(&p->batch);
	free(p);
}

enum status publisher_start(const struct outbox_config *cfg, struct bus *bus, const char *name,
    struct relay_health *health, struct publisher **ret_publisher, struct err *err)
{
	struct publisher *p = xcalloc(1, sizeof(*p));
	char *connection = xasprintf("%s/relay", name);
	struct relay_spec spec = { .what = "events",
		.metrics = stats_relay(),
		.health = health,
		.bus = bus,
		.batch_max = (size_t)cfg->batch_max,
		.poll_busy = cfg->poll_busy,
		.poll_idle = cfg->poll_idle,
		.move = move,
		.measure = measure,
		.on_standby = stand_by,
		.arg = p };
	enum status s;

	p->cfg = cfg;
	p->bus = bus;
	batch_init(&p->batch);
	s = store_open(cfg->service.database_url, connection, cfg->schema, &p->store, err);
	free(connection);
	if (!s) {
		spec.db = store_db(p->store, &spec.lock);
		s = relay_start(&spec, &p->relay, err);
	}
	if (s) {
		publisher_free(p);
		return s;
	}
	*ret_publisher = p;
	return STATUS_OK;
}

void publisher_stop(struct publisher *p)
{
	if (!p)
		return;
	relay_stop(p->relay);
	publisher_free(p);
}
