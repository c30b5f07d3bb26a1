/* Batches of events, acknowledged by the stream. */
#include "publisher.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/xalloc.h"
#include "events/outgoing.h"

enum {
	/*
	 * No more than the bus has unacknowledged at once: then no event waits inside the bus for a
	 * free place, to be sent before those that failed.
	 */
	BATCH_EVENTS = 1024,
	BATCH_BYTES = 8 << 20,
	TRIES = 5,
	PAUSE_MS = 200, /* before the second try; doubles */
	RECONNECT_MS = 3000,
};

/* One event of the batch. */
struct sent {
	size_t line;
	struct outgoing out;
};

struct publisher {
	struct bus *bus;
	bool quiet, gave_up;
	struct publisher_totals totals;
	struct arena arena; /* of the batch */
	size_t len;
	/* Set by the thread of the bus: something failed, so hold back what comes after it. */
	atomic_bool trouble;
	struct sent batch[BATCH_EVENTS];
};

struct publisher *publisher_new(struct bus *bus, bool quiet)
{
	struct publisher *publisher = xcalloc(1, sizeof(*publisher));

	publisher->bus = bus;
	publisher->quiet = quiet;
	arena_init(&publisher->arena, (size_t)2 * BATCH_BYTES);
	return publisher;
}

void publisher_free(struct publisher *publisher)
{
	if (!publisher)
		return;
	arena_finish(&publisher->arena);
	free(publisher);
}

void publisher_add(struct publisher *publisher, size_t line, const Walletwire__V1__Event *event)
{
	struct sent *sent;

	if (publisher->len == BATCH_EVENTS || publisher->arena.used > BATCH_BYTES ||
	    atomic_load(&publisher->trouble))
		publisher_settle(publisher);
	sent = &publisher->batch[publisher->len++];
	sent->line = line;
	outgoing_init(&sent->out, event, &publisher->trouble, &publisher->arena);
	outgoing_send(&sent->out, publisher->bus);
}

static bool may_retry(const struct sent *sent)
{
	return sent->out.status && status_is_temporary(sent->out.status) && sent->out.tries < TRIES;
}

static void back_off(struct publisher *publisher, unsigned round)
{
	int pause_ms = PAUSE_MS << round;
	struct timespec pause = { pause_ms / 1000, pause_ms % 1000 * 1000000L };
	struct err ignored = ERR_INIT; /* the next try tells */

	(void)nanosleep(&pause, NULL);
	if (bus_wait_connected(publisher->bus, RECONNECT_MS, &ignored))
		return;
}

static void retry_failed(struct publisher *publisher)
{
	for (unsigned round = 0; round + 1 < TRIES; round++) {
		bool any = false;

		for (size_t i = 0; i < publisher->len; i++)
			any = any || may_retry(&publisher->batch[i]);
		if (!any)
			return;
		back_off(publisher, round);
		for (size_t i = 0; i < publisher->len; i++) {
			if (may_retry(&publisher->batch[i]))
				outgoing_send(&publisher->batch[i].out, publisher->bus);
		}
		bus_publish_wait(publisher->bus);
	}
}

static void print_place(const struct sent *sent)
{
	if (sent->line)
		(void)fprintf(stderr, "line %zu: ", sent->line);
	else
		(void)fputs("ww publish: ", stderr);
}

static void report(struct publisher *publisher, const struct sent *sent)
{
	/* A duplicate found by a second try may be our own first one, whose ack was lost. */
	bool duplicate = sent->out.ack.duplicate && sent->out.tries == 1;

	if (sent->out.status) {
		print_place(sent);
		(void)fprintf(
		    stderr, "%s: not published: %s\n", sent->out.msg_id, sent->out.reason);
		publisher->totals.failed++;
		publisher->gave_up = publisher->gave_up || status_is_temporary(sent->out.status);
		return;
	}
	if (duplicate)
		publisher->totals.duplicates++;
	else
		publisher->totals.published++;
	if (!publisher->quiet)
		(void)printf("%s %s %llu\n", sent->out.msg_id,
		    duplicate ? "duplicate of" : "stored as",
		    (unsigned long long)sent->out.ack.stream_seq);
}

void publisher_settle(struct publisher *publisher)
{
	bus_publish_wait(publisher->bus);
	retry_failed(publisher);
	for (size_t i = 0; i < publisher->len; i++)
		report(publisher, &publisher->batch[i]);
	(void)fflush(stdout);
	publisher->len = 0;
	arena_reset(&publisher->arena);
	atomic_store(&publisher->trouble, false);
}

bool publisher_gave_up(const struct publisher *publisher)
{
	return publisher->gave_up;
}

struct publisher_totals publisher_totals(const struct publisher *publisher)
{
	return publisher->totals;
}
