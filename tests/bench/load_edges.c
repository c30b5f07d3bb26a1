/* A set of changed users for each loop of each edge. */
#include "load_edges.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/message.h"
#include "base/subject.h"
#include "base/xalloc.h"
#include "presence_order.h"
#include "presence_parts.h"
#include "report.h"

#define BATCHES "ww.rt.presence."
#define REPORTS "ww.presence.report."

enum {
	EDGES = 4,
	LOOPS = 2,
	/* as edges have them */
	PACE_MS = 100,
	HEARTBEAT_MS = 5000,
	ASK_AGAIN_MS = 10000,
	ASK_EVERY_MS = 1000,
	FLUSH_MS = 5000,
};

struct load_loop {
	struct load_edge *edge;
	uint32_t index;
	uint64_t number;
	int64_t told_ms;
	bool is_whole_due;
	uint32_t *changed; /* users, each once */
	size_t changed_len;
};

struct load_edge {
	struct load_edges *all;
	char id[ID_SIZE + 16], subject[SUBJECT_SIZE], report[SUBJECT_SIZE];
	struct presence_order order;
	struct load_loop loops[LOOPS];
};

struct load_user {
	bool is_changed, wants_friends;
	int64_t asked_ms;
};

struct load_edges {
	pthread_mutex_t lock; /* of all that follows, and of the users' beliefs */
	struct friends *friends;
	struct bus *bus;
	struct bus_sub *sub;
	uint32_t from;
	int64_t ask_ms; /* the next look for lists that did not come */
	struct load_user *users;
	struct load_edge edges[EDGES];
	struct load_counts counts;
};

static struct load_loop *loop_of(struct load_edges *edges, uint32_t user)
{
	return &edges->edges[user % EDGES].loops[user / EDGES % LOOPS];
}

/* --- what they say --- */

static Walletwire__V1__PresenceReport report_of(const struct load_loop *loop)
{
	Walletwire__V1__PresenceReport report = WALLETWIRE__V1__PRESENCE_REPORT__INIT;

	report.edge = loop->edge->id;
	report.loop = loop->index;
	report.number = loop->number;
	return report;
}

static void publish(struct load_loop *loop, const Walletwire__V1__PresenceReport *report)
{
	struct load_edges *edges = loop->edge->all;
	struct err err = ERR_INIT;
	struct arena arena;

	arena_init(&arena, SIZE_MAX);
	bench_must(
	    bus_publish(edges->bus, loop->edge->report, message_pack(&report->base, &arena), &err),
	    &err);
	arena_finish(&arena);
}

static void publish_numbered(void *arg, Walletwire__V1__PresenceReport *report)
{
	struct load_loop *loop = arg;

	report->number = ++loop->number;
	publish(loop, report);
	loop->edge->all->counts.reports++;
}

static void add_word(
    struct load_edges *edges, struct presence_parts *parts, uint32_t user, int64_t now_ms)
{
	Walletwire__V1__PresenceReportUser word = WALLETWIRE__V1__PRESENCE_REPORT_USER__INIT;
	struct load_user *state = &edges->users[user];

	word.user_id = edges->friends->ids[user];
	if (edges->friends->watches[user]) {
		word.sockets = 1;
		word.status = edges->friends->is[user];
		word.wants_friends = state->wants_friends;
	}
	presence_parts_add(parts, &word);
	state->asked_ms = now_ms;
	state->is_changed = false;
}

static void tell_whole(struct load_loop *loop, int64_t now_ms)
{
	struct load_edges *edges = loop->edge->all;
	Walletwire__V1__PresenceReport report = report_of(loop);
	struct presence_parts parts;

	report.whole = true;
	presence_parts_begin(&parts, &report, edges->friends->users, publish_numbered, loop);
	for (uint32_t user = edges->from; user < edges->friends->users; user++) {
		if (loop_of(edges, user) != loop)
			continue;
		edges->users[user].is_changed = false;
		if (edges->friends->watches[user])
			add_word(edges, &parts, user, now_ms);
	}
	presence_parts_end(&parts);
	loop->changed_len = 0;
	loop->is_whole_due = false;
}

static void tell_changes(struct load_loop *loop, int64_t now_ms)
{
	Walletwire__V1__PresenceReport report = report_of(loop);
	struct presence_parts parts;

	presence_parts_begin(&parts, &report, loop->changed_len, publish_numbered, loop);
	for (size_t i = 0; i < loop->changed_len; i++)
		add_word(loop->edge->all, &parts, loop->changed[i], now_ms);
	presence_parts_end(&parts);
	loop->changed_len = 0;
}

static void tell(struct load_loop *loop, int64_t now_ms)
{
	Walletwire__V1__PresenceReport heartbeat = report_of(loop);
	bool is_paced = now_ms - loop->told_ms >= PACE_MS;

	if (loop->is_whole_due && is_paced)
		tell_whole(loop, now_ms);
	else if (loop->changed_len > 0 && is_paced)
		tell_changes(loop, now_ms);
	else if (now_ms - loop->told_ms >= HEARTBEAT_MS)
		publish(loop, &heartbeat);
	else
		return;
	loop->told_ms = now_ms;
}

static void note_change(struct load_edges *edges, uint32_t user)
{
	struct load_loop *loop = loop_of(edges, user);

	if (edges->users[user].is_changed)
		return;
	edges->users[user].is_changed = true;
	loop->changed[loop->changed_len++] = user;
}

static void ask_again(struct load_edges *edges, int64_t now_ms)
{
	if (now_ms < edges->ask_ms)
		return;
	edges->ask_ms = now_ms + ASK_EVERY_MS;
	for (uint32_t user = edges->from; user < edges->friends->users; user++) {
		const struct load_user *state = &edges->users[user];

		if (state->wants_friends && now_ms - state->asked_ms >= ASK_AGAIN_MS)
			note_change(edges, user);
	}
}

/* --- what they hear --- */

static void want_all(struct load_edge *edge)
{
	struct load_edges *edges = edge->all;

	for (uint32_t user = edges->from; user < edges->friends->users; user++) {
		if (&edges->edges[user % EDGES] != edge || !edges->friends->watches[user])
			continue;
		edges->users[user].wants_friends = true;
		note_change(edges, user);
	}
}

/* One of this edge's users. */
static bool find_user(const struct load_edge *edge, const char *id, uint32_t *ret_user)
{
	const struct load_edges *edges = edge->all;

	return friends_number(edges->friends, id, strlen(id), ret_user) &&
	       *ret_user >= edges->from && &edges->edges[*ret_user % EDGES] == edge;
}

static void believe(
    struct load_edges *edges, uint32_t user, const Walletwire__V1__PresenceUpdate *update)
{
	uint32_t other = UINT32_MAX;

	(void)friends_number(edges->friends, update->user_id, strlen(update->user_id), &other);
	friends_believe(edges->friends, user, other, update->status);
}

static void show_list(struct load_edge *edge, const Walletwire__V1__PresenceFriends *list)
{
	struct load_edges *edges = edge->all;
	uint32_t user;

	if (!find_user(edge, list->user_id, &user) || !edges->users[user].wants_friends)
		return;
	edges->users[user].wants_friends = false;
	friends_forget(edges->friends, user);
	for (size_t i = 0; i < list->n_users; i++)
		believe(edges, user, list->users[i]);
}

static void show_change(struct load_edge *edge, const Walletwire__V1__PresenceChange *change)
{
	struct load_edges *edges = edge->all;
	uint32_t user;

	for (size_t i = 0; i < change->n_watchers; i++) {
		if (find_user(edge, change->watchers[i], &user) && edges->friends->watches[user] &&
		    !edges->users[user].wants_friends)
			believe(edges, user, change->update);
	}
}

static void show(struct load_edge *edge, const Walletwire__V1__PresenceBatch *batch, bool is_empty)
{
	/* Whoever is new begins amid a generation, with nobody who could have missed anything. */
	bool is_first = edge->order.generation == 0;
	enum presence_place place =
	    presence_order_take(&edge->order, batch->generation, batch->number, is_empty);

	if (place == PRESENCE_OLD || place == PRESENCE_AGAIN)
		return;
	edge->all->counts.gaps += place == PRESENCE_GAP && !is_first;
	if (place == PRESENCE_GAP || batch->anew)
		want_all(edge);
	for (size_t i = 0; i < batch->n_friends; i++)
		show_list(edge, batch->friends[i]);
	for (size_t i = 0; i < batch->n_changes; i++)
		show_change(edge, batch->changes[i]);
	edge->all->counts.excess += batch->n_excess;
}

static void hear(struct load_edge *edge, const Walletwire__V1__PresenceBatch *batch, bool is_empty)
{
	for (size_t i = 0; i < LOOPS && batch->wants_report; i++)
		edge->loops[i].is_whole_due = true;
	if (batch->generation)
		show(edge, batch, is_empty);
}

static void count(struct load_counts *counts, const Walletwire__V1__PresenceBatch *batch,
    size_t len, bool is_empty)
{
	if (is_empty) {
		counts->heartbeats++;
		return;
	}
	counts->batches++;
	counts->bytes += len;
	counts->lists += batch->n_friends;
	counts->changes += batch->n_changes;
}

static void take(struct load_edges *edges, const char *subject,
    const Walletwire__V1__PresenceBatch *batch, size_t len)
{
	bool is_empty = batch->n_friends + batch->n_changes + batch->n_excess == 0;

	count(&edges->counts, batch, len, is_empty);
	for (size_t i = 0; i < EDGES; i++) {
		if (strcmp(subject, edges->edges[i].subject) == 0 ||
		    strcmp(subject, BATCHES "all") == 0)
			hear(&edges->edges[i], batch, is_empty);
	}
}

static void on_batch(void *arg, struct bus_msg *msg)
{
	struct load_edges *edges = arg;
	struct bytes data = bus_msg_data(msg);
	const Walletwire__V1__PresenceBatch *batch;
	struct arena arena;

	arena_init(&arena, SIZE_MAX);
	batch =
	    walletwire__v1__presence_batch__unpack(arena_allocator(&arena), data.len, data.data);
	if (!batch)
		abort();
	(void)pthread_mutex_lock(&edges->lock);
	take(edges, bus_msg_subject(msg), batch, data.len);
	(void)pthread_mutex_unlock(&edges->lock);
	arena_finish(&arena);
}

/* --- life --- */

static void init_edge(struct load_edges *edges, size_t index)
{
	struct load_edge *edge = &edges->edges[index];
	char random[ID_SIZE];
	struct err err = ERR_INIT;

	id_random(random);
	edge->all = edges;
	(void)snprintf(edge->id, sizeof(edge->id), "load-%zu-%s", index, random);
	bench_must(subject_with_id(BATCHES, edge->id, edge->subject, &err), &err);
	bench_must(subject_with_id(REPORTS, edge->id, edge->report, &err), &err);
	for (uint32_t i = 0; i < LOOPS; i++)
		edge->loops[i] = (struct load_loop){ .edge = edge,
			.index = i,
			.is_whole_due = true,
			.changed = xcalloc(edges->friends->users, sizeof(uint32_t)) };
}

struct load_edges *load_edges_new(struct friends *friends, struct bus *bus, uint32_t from)
{
	struct load_edges *edges = xcalloc(1, sizeof(*edges));
	struct err err = ERR_INIT;

	(void)pthread_mutex_init(&edges->lock, NULL);
	edges->friends = friends;
	edges->bus = bus;
	edges->from = from;
	edges->users = xcalloc(friends->users, sizeof(*edges->users));
	for (size_t i = 0; i < EDGES; i++)
		init_edge(edges, i);
	bench_must(bus_subscribe(bus, BATCHES "*", NULL, on_batch, edges, &edges->sub, &err), &err);
	bench_must(bus_flush(bus, FLUSH_MS, &err), &err);
	return edges;
}

static void leave(struct load_loop *loop)
{
	Walletwire__V1__PresenceReport report = report_of(loop);

	report.leaving = true;
	publish_numbered(loop, &report);
}

void load_edges_free(struct load_edges *edges)
{
	bus_unsubscribe(edges->sub);
	for (size_t i = 0; i < EDGES * LOOPS; i++) {
		leave(&edges->edges[i / LOOPS].loops[i % LOOPS]);
		free(edges->edges[i / LOOPS].loops[i % LOOPS].changed);
	}
	free(edges->users);
	free(edges);
}

void load_edges_set(struct load_edges *edges, uint32_t user, PresenceStatus status)
{
	bool is_here = status != PRESENCE(OFFLINE);

	(void)pthread_mutex_lock(&edges->lock);
	if (is_here && !edges->friends->watches[user]) {
		edges->users[user].wants_friends = true;
		friends_forget(edges->friends, user);
	}
	if (!is_here)
		edges->users[user].wants_friends = false;
	edges->friends->watches[user] = is_here;
	edges->friends->is[user] = (uint8_t)status;
	note_change(edges, user);
	(void)pthread_mutex_unlock(&edges->lock);
}

void load_edges_tick(struct load_edges *edges, int64_t now_ms)
{
	(void)pthread_mutex_lock(&edges->lock);
	ask_again(edges, now_ms);
	for (size_t i = 0; i < EDGES * LOOPS; i++)
		tell(&edges->edges[i / LOOPS].loops[i % LOOPS], now_ms);
	(void)pthread_mutex_unlock(&edges->lock);
}

struct load_counts load_edges_counts(struct load_edges *edges)
{
	struct load_counts counts;

	(void)pthread_mutex_lock(&edges->lock);
	counts = edges->counts;
	(void)pthread_mutex_unlock(&edges->lock);
	return counts;
}

struct friends_difference load_edges_compare(struct load_edges *edges)
{
	struct friends_difference result;

	(void)pthread_mutex_lock(&edges->lock);
	result = friends_compare(edges->friends);
	(void)pthread_mutex_unlock(&edges->lock);
	return result;
}
