/* Tables of words by edge and loop. */
#include "roster.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/subject.h"
#include "support/support.h"

enum { WAIT_MS = 45000, EDGE_LOOPS = 2, TABLES_MAX = 8, WORDS_MAX = 256 };

struct word {
	char id[64];
	struct roster_user user;
	bool in_table; /* was told since its first part */
};

struct table {
	char edge[64];
	uint32_t loop;
	uint64_t number;
	struct roster_counts counts;
	size_t words;
	struct word list[WORDS_MAX];
};

struct roster {
	struct bus *bus;
	struct bus_sub *sub;
	pthread_mutex_t lock; /* guards what is below */
	size_t tables;
	struct table list[TABLES_MAX];
};

static struct table *table_of(struct roster *roster, const char *edge, uint32_t loop)
{
	struct table *table;

	for (size_t i = 0; i < roster->tables; i++) {
		table = &roster->list[i];
		if (strcmp(table->edge, edge) == 0 && table->loop == loop)
			return table;
	}
	ck_assert_uint_lt(roster->tables, TABLES_MAX);
	table = &roster->list[roster->tables++];
	(void)snprintf(table->edge, sizeof(table->edge), "%s", edge);
	table->loop = loop;
	return table;
}

static struct word *word_of(struct table *table, const char *id)
{
	for (size_t i = 0; i < table->words; i++) {
		if (strcmp(table->list[i].id, id) == 0)
			return &table->list[i];
	}
	ck_assert_uint_lt(table->words, WORDS_MAX);
	(void)snprintf(table->list[table->words].id, sizeof(table->list[0].id), "%s", id);
	return &table->list[table->words++];
}

static void empty(struct word *word)
{
	word->user = (struct roster_user){ .told = word->user.told };
}

static void take_words(struct table *table, const Walletwire__V1__PresenceReport *report)
{
	for (size_t i = 0; i < report->n_users; i++) {
		struct word *word = word_of(table, report->users[i]->user_id);

		word->user =
		    (struct roster_user){ report->users[i]->sockets, report->users[i]->status,
			    report->users[i]->wants_friends, word->user.told + 1 };
		word->in_table = true;
	}
}

static void take_table(struct table *table, const Walletwire__V1__PresenceReport *report)
{
	for (size_t i = 0; i < table->words && report->first; i++)
		table->list[i].in_table = false;
	take_words(table, report);
	for (size_t i = 0; i < table->words && report->last; i++) {
		if (!table->list[i].in_table)
			empty(&table->list[i]);
	}
	table->counts.tables += report->last ? 1 : 0;
}

static void take(struct table *table, const Walletwire__V1__PresenceReport *report)
{
	bool is_heartbeat = !report->whole && !report->leaving && !report->n_users;
	uint64_t next = table->number + !is_heartbeat;

	if (table->number && report->number != next)
		table->counts.gaps++;
	table->number = report->number;
	if (is_heartbeat) {
		table->counts.heartbeats++;
	} else if (report->leaving) {
		table->counts.leaving++;
		for (size_t i = 0; i < table->words; i++)
			empty(&table->list[i]);
	} else if (report->whole) {
		take_table(table, report);
	} else {
		table->counts.changes++;
		take_words(table, report);
	}
}

static void on_report(void *arg, struct bus_msg *msg)
{
	struct roster *roster = arg;
	struct bytes data = bus_msg_data(msg);
	Walletwire__V1__PresenceReport *report =
	    walletwire__v1__presence_report__unpack(NULL, data.len, data.data);

	ck_assert_ptr_nonnull(report);
	(void)pthread_mutex_lock(&roster->lock);
	take(table_of(roster, report->edge, report->loop), report);
	(void)pthread_mutex_unlock(&roster->lock);
	walletwire__v1__presence_report__free_unpacked(report, NULL);
}

struct roster *roster_start(const char *nats_url)
{
	struct roster *roster = calloc(1, sizeof(*roster));
	struct bus_config cfg = {
		.url = nats_url, .user = "presence", .password = "presence", .name = "roster"
	};
	struct err err = ERR_INIT;

	(void)pthread_mutex_init(&roster->lock, NULL);
	ck_assert_ok(bus_open(&cfg, &roster->bus, &err), err);
	ck_assert_ok(bus_wait_connected(roster->bus, 10000, &err), err);
	ck_assert_ok(bus_subscribe(roster->bus, "ww.presence.report.*", NULL, on_report, roster,
			 &roster->sub, &err),
	    err);
	ck_assert_ok(bus_flush(roster->bus, 5000, &err), err);
	return roster;
}

void roster_stop(struct roster *roster)
{
	bus_unsubscribe(roster->sub);
	bus_close(roster->bus);
	(void)pthread_mutex_destroy(&roster->lock);
	free(roster);
}

/* --- what it knows --- */

static bool is_better(Walletwire__V1__PresenceStatus a, Walletwire__V1__PresenceStatus b)
{
	return a && (!b || a < b);
}

struct roster_user roster_user(struct roster *roster, const char *edge, const char *user)
{
	struct roster_user sum = { 0 };

	(void)pthread_mutex_lock(&roster->lock);
	for (size_t i = 0; i < roster->tables; i++) {
		const struct roster_user *at;

		if (strcmp(roster->list[i].edge, edge) != 0)
			continue;
		at = &word_of(&roster->list[i], user)->user;
		sum.sockets += at->sockets;
		sum.status = is_better(at->status, sum.status) ? at->status : sum.status;
		sum.wants_friends = sum.wants_friends || at->wants_friends;
		sum.told += at->told;
	}
	(void)pthread_mutex_unlock(&roster->lock);
	return sum;
}

struct expected {
	struct roster *roster;
	const char *edge, *user;
	struct roster_user is;
	unsigned tables;
};

static bool is_so(void *arg)
{
	const struct expected *expected = arg;
	struct roster_user user = roster_user(expected->roster, expected->edge, expected->user);

	return user.sockets == expected->is.sockets && user.status == expected->is.status;
}

void roster_expect(struct roster *roster, const char *edge, const char *user, unsigned sockets,
    Walletwire__V1__PresenceStatus status)
{
	struct expected expected = { roster, edge, user, { .sockets = sockets, .status = status },
		0 };

	ck_assert_msg(support_wait(is_so, &expected, WAIT_MS),
	    "%s has %u sockets and status %d, not %u and %d", user,
	    roster_user(roster, edge, user).sockets, roster_user(roster, edge, user).status,
	    sockets, status);
}

static bool wants_so(void *arg)
{
	const struct expected *expected = arg;

	return roster_user(expected->roster, expected->edge, expected->user).wants_friends ==
	       expected->is.wants_friends;
}

void roster_expect_wants(struct roster *roster, const char *edge, const char *user, bool wants)
{
	struct expected expected = { roster, edge, user, { .wants_friends = wants }, 0 };

	ck_assert_msg(support_wait(wants_so, &expected, WAIT_MS), "%s %s its friends", user,
	    wants ? "does not want" : "wants");
}

uint64_t roster_report(struct roster *roster, const char *edge, uint32_t loop)
{
	uint64_t number;

	(void)pthread_mutex_lock(&roster->lock);
	number = table_of(roster, edge, loop)->number;
	(void)pthread_mutex_unlock(&roster->lock);
	return number;
}

struct roster_counts roster_counts(struct roster *roster, const char *edge)
{
	struct roster_counts sum = { 0 };

	(void)pthread_mutex_lock(&roster->lock);
	for (size_t i = 0; i < roster->tables; i++) {
		const struct roster_counts *at = &roster->list[i].counts;

		if (strcmp(roster->list[i].edge, edge) != 0)
			continue;
		sum.changes += at->changes;
		sum.tables += at->tables;
		sum.heartbeats += at->heartbeats;
		sum.leaving += at->leaving;
		sum.gaps += at->gaps;
	}
	(void)pthread_mutex_unlock(&roster->lock);
	return sum;
}

/* --- what it says --- */

void roster_send_raw(struct roster *roster, const char *edge, struct bytes data)
{
	char subject[SUBJECT_SIZE];
	struct err err = ERR_INIT;

	ck_assert_int_eq(subject_with_id("ww.rt.presence.", edge, subject, NULL), STATUS_OK);
	ck_assert_ok(bus_publish(roster->bus, subject, data, &err), err);
}

void roster_send(
    struct roster *roster, const char *edge, const Walletwire__V1__PresenceBatch *batch)
{
	uint8_t *packed = malloc(walletwire__v1__presence_batch__get_packed_size(batch) + 1);
	size_t len = walletwire__v1__presence_batch__pack(batch, packed);

	roster_send_raw(roster, edge, bytes_of(packed, len));
	free(packed);
}

/* How many each loop has told at least. */
static unsigned fewest_tables(struct roster *roster, const char *edge)
{
	unsigned fewest = UINT_MAX, loops = 0;

	(void)pthread_mutex_lock(&roster->lock);
	for (size_t i = 0; i < roster->tables; i++) {
		const struct table *table = &roster->list[i];

		if (strcmp(table->edge, edge) != 0)
			continue;
		loops++;
		fewest = table->counts.tables < fewest ? table->counts.tables : fewest;
	}
	(void)pthread_mutex_unlock(&roster->lock);
	return loops == EDGE_LOOPS ? fewest : 0;
}

static bool has_tables(void *arg)
{
	const struct expected *expected = arg;

	return fewest_tables(expected->roster, expected->edge) >= expected->tables;
}

void roster_ask_tables(struct roster *roster, const char *edge)
{
	Walletwire__V1__PresenceBatch batch = WALLETWIRE__V1__PRESENCE_BATCH__INIT;
	struct expected expected = { .roster = roster, .edge = edge };

	batch.wants_report = true;
	for (int i = 0; i < 2; i++) { /* the first one may have been on its way before */
		expected.tables = fewest_tables(roster, edge) + 1;
		roster_send(roster, edge, &batch);
		ck_assert(support_wait(has_tables, &expected, WAIT_MS));
	}
}
