/* What edges are sent: numbers, heartbeats, sizes. */
#include <stdio.h>

#include "batches.h"
#include "support/support.h"

enum { HEARTBEAT = 5000, USERS = 5000 };

static const struct roster_config config = { 15000, 30000, 60000, 500, 20 };

static struct roster *roster;
static struct arena arena;
static struct batches batches;
static uint64_t highest;

static void hear(const char *edge, const char *user)
{
	Walletwire__V1__PresenceReportUser said = WALLETWIRE__V1__PRESENCE_REPORT_USER__INIT;
	Walletwire__V1__PresenceReportUser *users[] = { &said };
	Walletwire__V1__PresenceReport report = WALLETWIRE__V1__PRESENCE_REPORT__INIT;

	report.edge = arena_strdup(&arena, edge);
	said.user_id = arena_strdup(&arena, user);
	said.sockets = 1;
	said.status = PRESENCE(ONLINE);
	report.users = users;
	report.n_users = 1;
	(void)!roster_hear(roster, &report, 0, 0);
}

static void was_there(void *arg, struct roster_edge *edge)
{
	(void)arg;
	edge->was_there = true;
}

static void setup(void)
{
	highest = 0;
	arena_init(&arena, SIZE_MAX);
	roster = roster_new(&config);
	hear("e1", "alice");
	hear("e2", "bob");
	batches = (struct batches){ .arena = &arena,
		.roster = roster,
		.generation = 7,
		.highest = &highest,
		.anew = true,
		.now = 1000 };
	roster_each_edge(roster, was_there, NULL);
	batches_begin(&batches);
}

static void teardown(void)
{
	roster_free(roster);
	arena_finish(&arena);
}

/* Message number `n` for the edge; NULL if there is none. */
static const Walletwire__V1__PresenceBatch *message(const char *edge, size_t n)
{
	const struct batch_message *at;

	for (at = batches.messages; at; at = at->next) {
		if (strcmp(at->edge, edge) == 0 && n-- == 0)
			return walletwire__v1__presence_batch__unpack(
			    arena_allocator(&arena), at->data.len, at->data.data);
	}
	return NULL;
}

static void next(void)
{
	batches.now += 100;
	batches_begin(&batches);
}

static PresenceUpdate *update(const char *user)
{
	return presence_update(user, PRESENCE(ONLINE), 0, &arena);
}

START_TEST(the_first_batch_says_that_all_is_new_even_if_it_is_empty)
{
	batches_end(&batches, HEARTBEAT);
	ck_assert_uint_eq(batches.messages_len, 2);
	ck_assert_uint_eq(message("e1", 0)->number, 1);
	ck_assert_uint_eq(message("e1", 0)->generation, 7);
	ck_assert(message("e1", 0)->anew);
	next();
	batches_change(&batches, update("bob"), "alice");
	batches_end(&batches, HEARTBEAT);
	ck_assert_uint_eq(batches.messages_len, 1);
	ck_assert_uint_eq(message("e1", 0)->number, 2);
	ck_assert(!message("e1", 0)->anew);
}
END_TEST

START_TEST(a_generation_begins_with_an_empty_batch_whatever_there_is_to_say)
{
	batches_change(&batches, update("bob"), "alice");
	batches_end(&batches, HEARTBEAT);
	ck_assert_uint_eq(batches.messages_len, 3);
	ck_assert_uint_eq(message("e1", 0)->number, 1);
	ck_assert_uint_eq(message("e1", 0)->n_changes, 0);
	ck_assert(message("e1", 0)->anew);
	ck_assert_uint_eq(message("e1", 1)->number, 2);
	ck_assert_uint_eq(message("e1", 1)->n_changes, 1);
	ck_assert_ptr_null(message("e2", 1));
}
END_TEST

START_TEST(an_edge_that_comes_back_sees_a_gap)
{
	batches_end(&batches, HEARTBEAT);
	for (int i = 0; i < 3; i++) {
		next();
		batches_change(&batches, update("bob"), "alice");
		batches_end(&batches, HEARTBEAT);
	}
	ck_assert_uint_eq(message("e1", 0)->number, 4);
	/* Both are silent, and the first one comes back. */
	roster_tick(roster, config.silence, 0);
	hear("e1", "alice");
	next();
	batches_change(&batches, update("bob"), "alice");
	batches_end(&batches, HEARTBEAT);
	ck_assert_uint_eq(message("e1", 0)->number, 5);
	ck_assert_uint_eq(message("e1", 0)->n_changes, 0);
	ck_assert_uint_eq(message("e1", 1)->number, 6);
	ck_assert_ptr_null(message("e2", 0));
}
END_TEST

START_TEST(a_heartbeat_repeats_the_number)
{
	batches_end(&batches, HEARTBEAT);
	next();
	batches_end(&batches, HEARTBEAT);
	ck_assert_uint_eq(batches.messages_len, 0);
	batches.now += HEARTBEAT;
	batches_begin(&batches);
	batches_end(&batches, HEARTBEAT);
	ck_assert_uint_eq(batches.messages_len, 2);
	ck_assert_uint_eq(message("e2", 0)->number, 1);
}
END_TEST

START_TEST(an_update_is_said_once_for_all_its_watchers_at_an_edge)
{
	PresenceUpdate *carol = update("carol");
	const Walletwire__V1__PresenceBatch *batch;

	batches_end(&batches, HEARTBEAT);
	next();
	hear("e1", "dave");
	batches_change(&batches, carol, "alice");
	batches_change(&batches, carol, "bob");
	batches_change(&batches, carol, "dave");
	batches_change(&batches, carol, "nobody");
	batches_end(&batches, HEARTBEAT);
	batch = message("e1", 0);
	ck_assert_uint_eq(batch->n_changes, 1);
	ck_assert_uint_eq(batch->changes[0]->n_watchers, 2);
	ck_assert_str_eq(batch->changes[0]->update->user_id, "carol");
	ck_assert_str_eq(batch->changes[0]->watchers[1], "dave");
	ck_assert_uint_eq(message("e2", 0)->changes[0]->n_watchers, 1);
}
END_TEST

START_TEST(a_list_goes_where_it_was_wished_for)
{
	PresenceUpdate *users[] = { update("bob") };
	struct roster_wish wish = { "alice", "e1", 1, 42 };

	batches_end(&batches, HEARTBEAT);
	next();
	hear("e2", "alice");
	batches_friends(&batches, &wish, users, 1);
	batches_end(&batches, HEARTBEAT);
	ck_assert_uint_eq(message("e1", 0)->n_friends, 1);
	ck_assert_str_eq(message("e1", 0)->friends[0]->users[0]->user_id, "bob");
	ck_assert_uint_eq(message("e1", 0)->friends[0]->loop, 1);
	ck_assert_uint_eq(message("e1", 0)->friends[0]->report, 42);
	ck_assert_ptr_null(message("e2", 0));
}
END_TEST

START_TEST(what_is_too_large_is_cut_and_numbered_on)
{
	size_t watchers = 0, n = 0;
	char id[100];

	for (int i = 0; i < USERS; i++) {
		(void)snprintf(id, sizeof(id), "user-%090d", i);
		hear("e1", id);
	}
	for (int i = 0; i < USERS; i++) {
		(void)snprintf(id, sizeof(id), "user-%090d", i);
		batches_change(&batches, update(i % 2 ? "bob" : "carol"), id);
	}
	batches_end(&batches, HEARTBEAT);
	for (const struct batch_message *at = batches.messages; at; at = at->next) {
		ck_assert_uint_le(at->data.len, BATCHES_BYTES_MAX);
		n += strcmp(at->edge, "e1") == 0;
	}
	ck_assert_uint_ge(n, 2);
	for (size_t i = 0; i < n; i++) {
		const Walletwire__V1__PresenceBatch *batch = message("e1", i);

		ck_assert_uint_eq(batch->number, i + 1);
		for (size_t j = 0; j < batch->n_changes; j++)
			watchers += batch->changes[j]->n_watchers;
	}
	ck_assert_uint_eq(watchers, USERS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("presence/batches");
	TCase *tc = tcase_create("batches");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_first_batch_says_that_all_is_new_even_if_it_is_empty);
	tcase_add_test(tc, a_generation_begins_with_an_empty_batch_whatever_there_is_to_say);
	tcase_add_test(tc, an_edge_that_comes_back_sees_a_gap);
	tcase_add_test(tc, a_heartbeat_repeats_the_number);
	tcase_add_test(tc, an_update_is_said_once_for_all_its_watchers_at_an_edge);
	tcase_add_test(tc, a_list_goes_where_it_was_wished_for);
	tcase_add_test(tc, what_is_too_large_is_cut_and_numbered_on);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
