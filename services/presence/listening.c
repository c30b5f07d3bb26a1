/* Two subscriptions, made when the server is there; nats.c keeps them over reconnects. */
#include "listening.h"

#include "base/clock.h"
#include "base/subject.h"
#include "log/log.h"
#include "speaker.h"
#include "stats.h"

#define REPORTS "ww.presence.report.*"
#define NUDGES "ww.presence.changed"

enum {
	REPORT_MEMORY = 8 << 20, /* decoded; packed they are cut at 256 KiB */
	FLUSH_MS = 1000,
};

void listening_ask(struct listening *listening, const char *edge)
{
	Walletwire__V1__PresenceBatch batch = WALLETWIRE__V1__PRESENCE_BATCH__INIT;
	char subject[SUBJECT_SIZE];
	struct err err = ERR_INIT;
	struct arena arena;
	enum status s = subject_with_id("ww.rt.presence.", edge, subject, &err);

	batch.wants_report = true;
	arena_init(&arena, SIZE_MAX);
	if (!s)
		s = bus_publish(listening->bus, subject, message_pack(&batch.base, &arena), &err);
	/* The next heartbeat brings it about again. */
	if (s)
		log_failure(&err, "ask edges for all they have");
	arena_finish(&arena);
}

static void hear(struct listening *listening, const Walletwire__V1__PresenceReport *report)
{
	struct presence *presence = listening->presence;
	bool followed;

	(void)pthread_mutex_lock(&presence->lock);
	followed = roster_hear(presence->roster, report, clock_mono_ms(), clock_wall_us());
	(void)pthread_mutex_unlock(&presence->lock);
	stats_count(STATS_REPORTS, 1);
	if (!followed) {
		listening_ask(listening, report->edge);
		stats_count(STATS_MISSED, 1);
	}
	if (report->n_users > 0 || report->leaving)
		speaker_wake(presence->speaker);
}

static void on_report(void *arg, struct bus_msg *msg)
{
	struct bytes data = bus_msg_data(msg);
	const Walletwire__V1__PresenceReport *report;
	struct arena arena;

	arena_init(&arena, REPORT_MEMORY);
	report =
	    walletwire__v1__presence_report__unpack(arena_allocator(&arena), data.len, data.data);
	if (report)
		hear(arg, report);
	else
		stats_count(STATS_MALFORMED, 1);
	arena_finish(&arena);
}

static void on_nudge(void *arg, struct bus_msg *msg)
{
	const struct listening *listening = arg;

	(void)msg;
	speaker_wake(listening->presence->speaker);
}

enum status listening_ensure(struct listening *listening, struct err *err)
{
	enum status s = STATUS_OK;

	if (!listening->reports)
		s = bus_subscribe(
		    listening->bus, REPORTS, NULL, on_report, listening, &listening->reports, err);
	if (!s && !listening->nudges)
		s = bus_subscribe(
		    listening->bus, NUDGES, NULL, on_nudge, listening, &listening->nudges, err);
	return s ? s : bus_flush(listening->bus, FLUSH_MS, err);
}

void listening_end(struct listening *listening)
{
	bus_unsubscribe(listening->reports);
	bus_unsubscribe(listening->nudges);
	listening->reports = listening->nudges = NULL;
}
