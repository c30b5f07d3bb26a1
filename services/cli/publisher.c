/* Batches of events, acknowledged by the stream. */
#include "publisher.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "events/outgoing.h"

enum {
	/*
	 * No more than the bus has unacknowledged at once: then no event waits inside the bus for a
	 * free place, to be sent before those that failed.
	 */
	BATCH_EVENTS = 1024,
	BATCH_BYTES = 8 << 20,
	PAUSE_MS = 200, /* before the second try; doubles */
	PAUSE_MOST_MS = 2000,
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
	int64_t patience_ms;
	const char *traceparent;
	struct publisher_totals totals;
	struct arena arena; /* of the batch */
	size_t len;
	/* Set by the thread of the bus: something failed, so hold back what comes after it. */
	atomic_bool trouble;
	struct sent batch[BATCH_EVENTS];
};

struct publisher *publisher_new(struct bus *bus, bool quiet, int64_t patience_ms)
{
	struct publisher *publisher = xcalloc(1, sizeof(*publisher));

	publisher->bus = bus;
	publisher->quiet = quiet;
	publisher->patience_ms = patience_ms;
	arena_init(&publisher->arena, (size_t)2 * BATCH_BYTES);
	return publisher;
}

void publisher_trace(struct publisher *publisher, const char *traceparent)
{
	publisher->traceparent = traceparent;
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
	sent->out.traceparent = publisher->traceparent;
	outgoing_send(&sent->out, publisher->bus);
}

/* The first of the batch that may succeed later; NULL: none. */
static struct sent *find_passing(struct publisher *publisher)
{
	for (size_t i = 0; i < publisher->len; i++) {
		enum status s = publisher->batch[i].out.status;

		if (s && status_is_temporary(s))
			return &publisher->batch[i];
	}
	return NULL;
}

static void back_off(struct publisher *publisher, int64_t pause_ms)
{
	struct timespec pause = { pause_ms / 1000, pause_ms % 1000 * 1000000 };
	struct err ignored = ERR_INIT; /* the next try tells */

	(void)nanosleep(&pause, NULL);
	if (bus_wait_connected(publisher->bus, RECONNECT_MS, &ignored))
		return;
}

/* All that failed, in its order. */
static void send_again(struct publisher *publisher)
{
	for (size_t i = 0; i < publisher->len; i++) {
		struct sent *sent = &publisher->batch[i];

		if (sent->out.status && status_is_temporary(sent->out.status))
			outgoing_send(&sent->out, publisher->bus);
	}
	bus_publish_wait(publisher->bus);
}

static void retry_failed(struct publisher *publisher)
{
	int64_t deadline_ms = clock_mono_ms() + publisher->patience_ms;
	int64_t pause_ms = PAUSE_MS;
	bool told = false;
	const struct sent *sent;

	while ((sent = find_passing(publisher)) && clock_mono_ms() < deadline_ms) {
		/* Whoever looks on learns why nothing moves; a short break is not worth a line. */
		if (!told && pause_ms == PAUSE_MOST_MS) {
			(void)fprintf(
			    stderr, "ww publish: waiting for the stream: %s\n", sent->out.reason);
			told = true;
		}
		back_off(publisher, pause_ms);
		pause_ms = pause_ms * 2 < PAUSE_MOST_MS ? pause_ms * 2 : PAUSE_MOST_MS;
		send_again(publisher);
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
