/*
 * A turn: see whether NATS is there, move the roster on, hold the lock, and tell what there is:
 * rows of changes, users whose status changed, sockets that want to know of their friends. What
 * can't be looked up is given back; what could not be published shows at the edges as a gap, and
 * they ask.
 */
#include "speaker.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/message.h"
#include "base/subject.h"
#include "base/xalloc.h"
#include "batches.h"
#include "listening.h"
#include "log/log.h"
#include "service/turns.h"
#include "stats.h"

enum {
	SLICE_MAX = 100,       /* of each: what is looked up by one statement */
	SLICES_MAX = 10,       /* in one turn */
	IDLE_MS = 500,         /* the roster moves on so often at least */
	STANDBY_MS = 250,      /* between two tries for the lock */
	HEARTBEAT_MS = 5000,   /* of batches, and of the speaker's row */
	DOUBT_MS = 30000,      /* what the one before said last may not have arrived */
	PAUSED_MS = 3000,      /* between two turns: this process stood still */
	DEAF_MS = 5000,        /* without NATS: another replica may speak */
	MEMORY_MAX = 64 << 20, /* of a turn; the rest has another one */
};

#define ALL_EDGES "all"
#define NUDGE "ww.presence.changed"

struct speaker {
	struct presence *presence;
	struct bus *bus;
	struct turns *turns;
	_Atomic(const char *) trouble;

	/* owned by the thread */
	struct listening listening;
	struct db *db;
	struct arena arena; /* of a turn */
	struct arena rows;  /* of a slice */
	struct db_lock lock;
	bool speaks;
	uint64_t generation;
	uint64_t highest; /* of this generation's numbers, over all edges */
	bool anew;
	int64_t told_at, well_at;
	int64_t turned_at;  /* the last turn */
	int64_t heard_at;   /* NATS was there */
	int64_t not_before; /* the lock is tried for again */
	bool has_failed;
};

/* What one slice of a turn has to tell; all of it in the arena `rows`. */
struct slice {
	const struct store_change *changes;
	size_t changes_len;
	const char *changed[SLICE_MAX];
	size_t changed_len;
	struct roster_wish wishes[SLICE_MAX];
	size_t wishes_len;
	struct roster_excess excess[SLICE_MAX];
	size_t excess_len;
	struct store_friend *friends; /* of everybody above, in the order of user_id */
	size_t friends_len;
};

static void lock(struct speaker *speaker)
{
	(void)pthread_mutex_lock(&speaker->presence->lock);
}

static void unlock(struct speaker *speaker)
{
	(void)pthread_mutex_unlock(&speaker->presence->lock);
}

/* --- is anybody heard? --- */

static void watch_connection(struct speaker *speaker, int64_t now)
{
	_Atomic int64_t *since = &speaker->presence->listening_since;
	struct err ignored = ERR_INIT;

	if (!bus_is_connected(speaker->bus)) {
		atomic_store(since, 0);
		return;
	}
	if (atomic_load(since) > 0 || listening_ensure(&speaker->listening, &ignored))
		return;
	lock(speaker);
	roster_excuse(speaker->presence->roster, now);
	unlock(speaker);
	listening_ask(&speaker->listening, ALL_EDGES);
	atomic_store(since, now);
}

static void move_on(struct speaker *speaker, int64_t now)
{
	struct roster *roster = speaker->presence->roster;

	lock(speaker);
	/* Nobody's silence counts while nothing can be heard, or this process stood still. */
	if (atomic_load(&speaker->presence->listening_since) == 0 ||
	    now - speaker->turned_at > PAUSED_MS)
		roster_excuse(roster, now);
	speaker->turned_at = now;
	roster_tick(roster, now, clock_wall_us());
	if (!speaker->speaks)
		roster_forget(roster);
	stats_set(STATS_USERS, (int64_t)roster_users(roster));
	stats_set(STATS_DEVICES, (int64_t)roster_devices(roster));
	unlock(speaker);
}

/* --- one speaks --- */

static void step_down(struct speaker *speaker)
{
	if (speaker->speaks)
		log_info("another replica may speak now");
	speaker->speaks = false;
	stats_set(STATS_SPEAKS, 0);
}

static void reset_edge(void *arg, struct roster_edge *edge)
{
	(void)arg;
	edge->was_there = true;
	edge->number = 0;
	edge->told_at = 0;
}

/* Whoever can't be heard lets another one speak. */
static void let_go(struct speaker *speaker, int64_t now)
{
	struct err err = ERR_INIT;

	if (!speaker->speaks || now - speaker->heard_at < DEAF_MS)
		return;
	if (store_unlock(speaker->db, &err))
		log_failure(&err, "let another replica speak");
	else
		speaker->lock.held = false;
	step_down(speaker);
}

/* Whoever spoke before may have said nothing for `unwell_ms`. */
static void begin_to_speak(struct speaker *speaker, int64_t unwell_ms, int64_t now)
{
	struct presence *presence = speaker->presence;
	bool is_long = unwell_ms > PRESENCE_KEEP_MS - DOUBT_MS;
	int64_t since = is_long ? INT64_MIN : now - unwell_ms - DOUBT_MS;

	speaker->speaks = true;
	speaker->anew = is_long || atomic_load(&presence->listening_since) > since;
	speaker->highest = 0;
	speaker->told_at = 0;
	speaker->well_at = now;
	lock(speaker);
	roster_each_edge(presence->roster, reset_edge, NULL);
	roster_recount(presence->roster, now);
	if (!speaker->anew)
		roster_doubt(presence->roster, since);
	unlock(speaker);
	stats_set(STATS_SPEAKS, 1);
	log_info("this replica speaks, generation %" PRIu64 "%s", speaker->generation,
	    speaker->anew ? ", from nothing" : "");
}

static enum status hold(struct speaker *speaker, int64_t now, struct err *err)
{
	int64_t unwell_ms = 0;
	enum status s = db_lock_check(&speaker->lock, speaker->db, err);

	if (!speaker->lock.held)
		step_down(speaker);
	if (s || speaker->speaks || now < speaker->not_before)
		return s;
	speaker->not_before = now + STANDBY_MS;
	if (!speaker->lock.held)
		s = db_lock_try(&speaker->lock, speaker->db, store_lock, err);
	if (s || !speaker->lock.held)
		return s;
	s = store_take_over(speaker->db, DOUBT_MS, &speaker->generation, &unwell_ms, err);
	if (!s)
		begin_to_speak(speaker, unwell_ms, now);
	return s;
}

static enum status stay_well(struct speaker *speaker, int64_t now, struct err *err)
{
	enum status s;

	if (now - speaker->well_at < HEARTBEAT_MS)
		return STATUS_OK;
	s = store_set_well(speaker->db, err);
	if (s)
		return s;
	speaker->well_at = now;
	return store_forget_told(speaker->db, DOUBT_MS, err);
}

/* --- what there is to tell --- */

static void take(struct speaker *speaker, struct slice *slice)
{
	struct roster *roster = speaker->presence->roster;

	lock(speaker);
	slice->changed_len = roster_take_changed(roster, &speaker->rows, SLICE_MAX, slice->changed);
	slice->wishes_len = roster_take_wishes(roster, &speaker->rows, SLICE_MAX, slice->wishes);
	unlock(speaker);
}

static void give_back(struct speaker *speaker, const struct slice *slice)
{
	lock(speaker);
	roster_give_back(speaker->presence->roster, slice->changed, slice->changed_len,
	    slice->wishes, slice->wishes_len);
	unlock(speaker);
}

/* Everybody whose friends matter. */
static enum status look_up_friends(struct speaker *speaker, struct slice *slice, struct err *err)
{
	size_t n = 0;
	const char **users = arena_alloc(&speaker->rows,
	    (slice->changes_len + slice->changed_len + slice->wishes_len) * sizeof(*users));

	for (size_t i = 0; i < slice->changes_len; i++) {
		if (slice->changes[i].kind == STORE_VISIBILITY)
			users[n++] = slice->changes[i].user_id;
	}
	for (size_t i = 0; i < slice->changed_len; i++)
		users[n++] = slice->changed[i];
	for (size_t i = 0; i < slice->wishes_len; i++)
		users[n++] = slice->wishes[i].user_id;
	if (n == 0)
		return STATUS_OK;
	return store_friends_of(
	    speaker->db, users, n, &speaker->rows, &slice->friends, &slice->friends_len, err);
}

/* Whoever is here was seen now, so that it is not far off if nobody notes their going. */
static enum status note_seen(struct speaker *speaker, const struct slice *slice, struct err *err)
{
	int64_t *seen_us = arena_alloc(&speaker->rows, slice->changed_len * sizeof(*seen_us));

	if (slice->changed_len == 0)
		return STATUS_OK;
	lock(speaker);
	for (size_t i = 0; i < slice->changed_len; i++) {
		(void)roster_status(speaker->presence->roster, slice->changed[i], &seen_us[i]);
		if (seen_us[i] == 0)
			seen_us[i] = clock_wall_us();
	}
	unlock(speaker);
	return store_set_seen(speaker->db, slice->changed, seen_us, slice->changed_len, err);
}

/* --- telling it; the roster is locked --- */

/* The first of a user's rows; `*ret_n` 0: there are none. */
static const struct store_friend *friends_of(
    const struct slice *slice, const char *user_id, size_t *ret_n)
{
	size_t from = 0, to = slice->friends_len, n = 0;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (strcmp(slice->friends[middle].user_id, user_id) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	while (
	    from + n < slice->friends_len && strcmp(slice->friends[from + n].user_id, user_id) == 0)
		n++;
	*ret_n = n;
	return slice->friends + from;
}

static PresenceUpdate *update_of(struct speaker *speaker, const char *user_id)
{
	int64_t seen_us = 0;
	PresenceStatus status = roster_status(speaker->presence->roster, user_id, &seen_us);

	return presence_update(user_id, status, seen_us, &speaker->arena);
}

/* A new friend, who may be offline: so is whoever nothing is said of. */
static void tell_begun(struct speaker *speaker, struct batches *batches, const char *user_id,
    bool is_visible, const char *watcher)
{
	PresenceUpdate *update;

	if (!is_visible)
		return;
	update = update_of(speaker, user_id);
	roster_tell_some(speaker->presence->roster, user_id, update->status);
	if (update->status != PRESENCE(OFFLINE))
		batches_change(batches, update, watcher);
}

/* Of a friendship that has ended not even when somebody was seen. */
static void tell_ended(
    struct speaker *speaker, struct batches *batches, const char *user_id, const char *watcher)
{
	batches_change(
	    batches, presence_update(user_id, PRESENCE(OFFLINE), 0, &speaker->arena), watcher);
}

/* Each side is told of the other. */
static void tell_pair(
    struct speaker *speaker, struct batches *batches, const struct store_change *change)
{
	if (change->kind == STORE_UNFRIENDED) {
		tell_ended(speaker, batches, change->user_id, change->friend_id);
		tell_ended(speaker, batches, change->friend_id, change->user_id);
		return;
	}
	if (!change->stands)
		return; /* its end is a change of its own */
	tell_begun(speaker, batches, change->user_id, change->user_is_visible, change->friend_id);
	tell_begun(speaker, batches, change->friend_id, change->friend_is_visible, change->user_id);
}

static void tell_all(
    struct batches *batches, PresenceUpdate *update, const struct store_friend *friends, size_t n)
{
	for (size_t i = 0; i < n; i++)
		batches_change(batches, update, friends[i].friend_id);
	if (n > 0)
		stats_count(STATS_CHANGES, 1);
}

/* To all friends. Of one who is hidden nothing is said, not even when. */
static void tell_change(struct speaker *speaker, struct batches *batches, const struct slice *slice,
    const char *user_id)
{
	size_t n = 0;
	const struct store_friend *friends = friends_of(slice, user_id, &n);
	PresenceUpdate *update;

	if (n > 0 && !friends[0].user_is_visible)
		return;
	update = update_of(speaker, user_id);
	/* Noted also where nobody is told: whoever becomes a friend sees it so. */
	if (roster_tell(speaker->presence->roster, user_id, update->status))
		tell_all(batches, update, friends, n);
}

/* That somebody hides is said like a going, at the time at which they did; or how they are. */
static void tell_switch(struct speaker *speaker, struct batches *batches, const struct slice *slice,
    const struct store_change *change)
{
	size_t n = 0;
	const struct store_friend *friends = friends_of(slice, change->user_id, &n);
	PresenceUpdate *update;

	if (n > 0 && !friends[0].user_is_visible)
		update = presence_update(
		    change->user_id, PRESENCE(OFFLINE), change->user_seen_us, &speaker->arena);
	else
		update = update_of(speaker, change->user_id);
	(void)!roster_tell(speaker->presence->roster, change->user_id, update->status);
	tell_all(batches, update, friends, n);
}

static void tell_friends(struct speaker *speaker, struct batches *batches,
    const struct slice *slice, const struct roster_wish *wish)
{
	struct roster *roster = speaker->presence->roster;
	size_t n = 0, len = 0;
	const struct store_friend *friends = friends_of(slice, wish->user_id, &n);
	PresenceUpdate **users = arena_alloc(&speaker->arena, n * sizeof(PresenceUpdate *));

	for (size_t i = 0; i < n; i++) {
		const char *friend_id = friends[i].friend_id;
		int64_t seen_us = 0;
		PresenceStatus status = roster_status(roster, friend_id, &seen_us);

		if (!friends[i].friend_is_visible)
			continue;
		roster_tell_some(roster, friend_id, status);
		if (status != PRESENCE(OFFLINE))
			users[len++] = presence_update(friend_id, status, 0, &speaker->arena);
	}
	batches_friends(batches, wish, users, len);
	stats_count(STATS_LISTS, 1);
}

static void tell(struct speaker *speaker, struct batches *batches, struct slice *slice)
{
	lock(speaker);
	slice->excess_len = roster_take_excess(
	    speaker->presence->roster, &speaker->rows, batches->now, SLICE_MAX, slice->excess);
	for (size_t i = 0; i < slice->wishes_len; i++)
		tell_friends(speaker, batches, slice, &slice->wishes[i]);
	for (size_t i = 0; i < slice->changes_len; i++) {
		const struct store_change *change = &slice->changes[i];

		if (change->kind == STORE_VISIBILITY)
			tell_switch(speaker, batches, slice, change);
		else
			tell_pair(speaker, batches, change);
	}
	for (size_t i = 0; i < slice->changed_len; i++)
		tell_change(speaker, batches, slice, slice->changed[i]);
	for (size_t i = 0; i < slice->excess_len; i++)
		batches_excess(batches, &slice->excess[i]);
	unlock(speaker);
	stats_count(STATS_EXCESS, (int64_t)slice->excess_len);
}

/* --- a turn --- */

/* Rows of changes come with the first slice: they count as told when all was published. */
static enum status speak_slice(struct speaker *speaker, struct batches *batches,
    const struct store_change *changes, size_t changes_len, bool *ret_more, struct err *err)
{
	struct slice slice = { .changes = changes, .changes_len = changes_len };
	enum status s;

	arena_reset(&speaker->rows);
	take(speaker, &slice);
	s = look_up_friends(speaker, &slice, err);
	if (!s)
		s = note_seen(speaker, &slice, err);
	if (s) {
		give_back(speaker, &slice);
		return s;
	}
	tell(speaker, batches, &slice);
	*ret_more = slice.changed_len == SLICE_MAX || slice.wishes_len == SLICE_MAX ||
		    slice.excess_len == SLICE_MAX;
	return STATUS_OK;
}

static enum status publish(struct speaker *speaker, const struct batches *batches, struct err *err)
{
	const struct batch_message *message;
	char subject[SUBJECT_SIZE];
	enum status s = STATUS_OK;

	for (message = batches->messages; message && !s; message = message->next) {
		s = subject_with_id("ww.rt.presence.", message->edge, subject, err);
		if (!s)
			s = bus_publish(speaker->bus, subject, message->data, err);
	}
	if (!s)
		stats_count(STATS_BATCHES, (int64_t)batches->messages_len);
	return s;
}

static enum status speak(struct speaker *speaker, int64_t now, bool *ret_more, struct err *err)
{
	struct batches batches = { .arena = &speaker->arena,
		.roster = speaker->presence->roster,
		.generation = speaker->generation,
		.highest = &speaker->highest,
		.anew = speaker->anew,
		.now = now };
	struct store_change *changes = NULL;
	size_t changes_len = 0;
	bool more = true;
	enum status s, published;

	s = store_changes(speaker->db, SLICE_MAX, &speaker->arena, &changes, &changes_len, err);
	batches_begin(&batches);
	for (size_t i = 0; i < SLICES_MAX && more && !s && speaker->arena.used < MEMORY_MAX; i++)
		s = speak_slice(speaker, &batches, changes, i == 0 ? changes_len : 0, &more, err);
	lock(speaker);
	batches_end(&batches, HEARTBEAT_MS);
	unlock(speaker);
	published = publish(speaker, &batches, s ? NULL : err);
	if (s || published)
		return s ? s : published;
	speaker->told_at = now;
	*ret_more = more || changes_len >= SLICE_MAX;
	if (changes_len > 0)
		s = store_set_told(speaker->db, changes, changes_len, &speaker->arena, err);
	return s;
}

static int64_t fail(struct speaker *speaker, const struct err *err, const char *trouble)
{
	if (!speaker->has_failed)
		log_failure(err, "%s", trouble);
	speaker->has_failed = true;
	atomic_store(&speaker->trouble, trouble);
	stats_count(STATS_FAILED, 1);
	return STANDBY_MS;
}

static int64_t go_on(struct speaker *speaker, int64_t pause_ms)
{
	if (speaker->has_failed)
		log_info("speaking again");
	speaker->has_failed = false;
	atomic_store(&speaker->trouble, NULL);
	return pause_ms;
}

static int64_t turn(void *arg)
{
	struct speaker *speaker = arg;
	int64_t interval = speaker->presence->cfg->batch_interval;
	int64_t now = clock_mono_ms();
	struct err err = ERR_INIT;
	bool more = false;

	arena_reset(&speaker->arena);
	watch_connection(speaker, now);
	move_on(speaker, now);
	if (atomic_load(&speaker->presence->listening_since) > 0)
		speaker->heard_at = now;
	let_go(speaker, now);
	if (!presence_knows(speaker->presence)) {
		atomic_store(&speaker->trouble, "edges are being heard");
		return STANDBY_MS < interval ? STANDBY_MS : interval;
	}
	if (hold(speaker, now, &err))
		return fail(speaker, &err, "the database does not answer");
	if (!speaker->speaks)
		return go_on(speaker, STANDBY_MS);
	if (now - speaker->told_at < interval)
		return interval - (now - speaker->told_at);
	/* Well is who has nothing left to tell: a successor starts from there. */
	if (speak(speaker, now, &more, &err) || (!more && stay_well(speaker, now, &err)))
		return fail(speaker, &err, "edges can't be told");
	return go_on(speaker, more ? 0 : IDLE_MS);
}

/* --- life --- */

void speaker_wake(struct speaker *speaker)
{
	turns_wake(speaker->turns);
}

void speaker_nudge(struct bus *bus)
{
	struct err err = ERR_INIT;

	if (bus_publish(bus, NUDGE, bytes_of("", 0), &err))
		log_failure(&err, "nudge whoever tells edges");
}

const char *speaker_trouble(const struct speaker *speaker)
{
	return atomic_load(&speaker->trouble);
}

static void speaker_free(struct speaker *speaker)
{
	db_close(speaker->db);
	arena_finish(&speaker->arena);
	arena_finish(&speaker->rows);
	free(speaker);
}

enum status speaker_start(
    struct presence *presence, struct bus *bus, const char *name, struct err *err)
{
	struct speaker *speaker = xcalloc(1, sizeof(*speaker));
	char *connection = xasprintf("%s/speaker", name);
	struct db_config db = { .dsn = presence->cfg->service.database_url,
		.application_name = connection,
		.statements = store_statements,
		.statements_len = store_statements_len,
		.by_key = true };
	enum status s;

	speaker->presence = presence;
	speaker->bus = bus;
	speaker->listening = (struct listening){ .presence = presence, .bus = bus };
	atomic_store(&presence->speaker, speaker);
	atomic_store(&speaker->trouble, "edges are being heard");
	arena_init(&speaker->arena, SIZE_MAX);
	arena_init(&speaker->rows, SIZE_MAX);
	s = db_open(&db, &speaker->db, err);
	free(connection);
	if (!s)
		s = turns_start(turn, speaker, &speaker->turns, err);
	if (s) {
		atomic_store(&presence->speaker, NULL);
		speaker_free(speaker);
		return s;
	}
	return STATUS_OK;
}

void speaker_stop(struct speaker *speaker)
{
	if (!speaker)
		return;
	turns_end(speaker->turns);
	listening_end(&speaker->listening); /* which wakes it */
	turns_free(speaker->turns);
	speaker_free(speaker);
}
