/* Announcements: for whom, until when, and how far each user got with them. */
#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "world.h"

static struct world world;
static struct postgres *pg;

static void setup(void)
{
	world_start(&world, pg);
	world_spawn(&world, 0, NULL);
}

static void teardown(void)
{
	world_stop(&world);
}

/* `more` stands behind the id ("\"expiresAt\":...,") and `body` is the announcement's own. */
static void announce(const char *id, const char *more, const char *body)
{
	char json[512];

	(void)snprintf(json, sizeof(json),
	    "{\"id\":\"%s\",\"title\":\"News %s\",\"text\":\"secret\",%s\"announcement\":{%s}}", id,
	    id, more, body);
	world_publish(&world, json);
}

static const Walletwire__V1__OpenReply *open_as(
    const char *user, const char *country, const char *language, const char *tier)
{
	Walletwire__V1__OpenRequest *in = MESSAGE_NEW(&world.arena, open_request);

	in->caller = world_caller(&world, user);
	in->claims = MESSAGE_NEW(&world.arena, claims);
	in->claims->country = arena_strdup(&world.arena, country);
	in->claims->language = arena_strdup(&world.arena, language);
	in->claims->tier = arena_strdup(&world.arena, tier);
	in->wants_live = true;
	return world_ask(
	    &world, "ww.svc.notifications.open", in, &walletwire__v1__open_reply__descriptor, NULL);
}

static bool log_is_at(void *arg)
{
	return world_open(&world, "nobody")->announcement_seq >= *(uint64_t *)arg;
}

static void wait_log(uint64_t seq)
{
	ck_assert_msg(support_wait(log_is_at, &seq, WORLD_WAIT_MS), "the log is at %llu",
	    (unsigned long long)world_open(&world, "nobody")->announcement_seq);
}

static const Walletwire__V1__AnnouncementsReply *log_after(uint64_t after)
{
	Walletwire__V1__AnnouncementsRequest *in = MESSAGE_NEW(&world.arena, announcements_request);

	in->after = after;
	in->up_to = (UINT64_C(1) << 53) - 1;
	return world_ask(&world, "ww.svc.notifications.announcements", in,
	    &walletwire__v1__announcements_reply__descriptor, NULL);
}

static void publish_kyc(const char *user, const char *id)
{
	char json[192];

	(void)snprintf(json, sizeof(json),
	    "{\"id\":\"%s\",\"userIds\":[\"%s\"],\"kyc\":{\"status\":\"s\"}}", id, user);
	world_publish(&world, json);
}

START_TEST(what_lives_counts_as_unread_for_everybody_also_for_strangers)
{
	announce("one", "\"priority\":\"high\",", "");
	announce("two", "", "");
	wait_log(2);
	ck_assert_uint_eq(world_unread(&world, "stranger")->total, 2);
	ck_assert_uint_eq(world_unread(&world, "stranger")->version, 2);
	ck_assert_str_eq(world_unread(&world, "stranger")->by_type[0]->key, "announcement");
	ck_assert_uint_eq(world_unread(&world, "stranger")->n_by_priority, 2);
	publish_kyc("alice", "e1");
	world_wait_seq(&world, "alice", 1, 1);
	ck_assert_uint_eq(world_unread(&world, "alice")->total, 3);
	ck_assert_uint_eq(world_unread(&world, "alice")->version, 3);
	ck_assert_uint_eq(world_open(&world, "stranger")->seq, 0); /* nothing was written for it */
	ck_assert(world_verify(&world, "alice")->consistent);
}
END_TEST

START_TEST(a_segment_is_those_whose_claims_are_among_its_values)
{
	announce("de", "", "\"segment\":{\"countries\":[\"DE\",\"AT\"]}");
	announce("gold-en", "", "\"segment\":{\"tiers\":[\"gold\"],\"languages\":[\"en\"]}");
	wait_log(2);
	ck_assert_uint_eq(world_unread(&world, "alice")->total, 0);
	ck_assert_uint_eq(open_as("alice", "DE", "de", "")->n_live, 2); /* the edge judges */
	ck_assert_uint_eq(world_unread(&world, "alice")->total, 1);
	(void)open_as("bob", "AT", "en", "gold");
	ck_assert_uint_eq(world_unread(&world, "bob")->total, 2);
	(void)open_as("carol", "FR", "en", "silver");
	ck_assert_uint_eq(world_unread(&world, "carol")->total, 0);
	ck_assert_uint_eq(world_list(&world, "alice", "", 10)->n_items, 1);
	ck_assert_str_eq(log_after(0)->log[0]->segment->countries[1], "AT");
	ck_assert_ptr_null(log_after(1)->log[0]->segment->countries);
}
END_TEST

START_TEST(a_change_of_claims_is_a_change_of_state)
{
	const Walletwire__V1__OpenReply *first = open_as("alice", "DE", "", "");
	const Walletwire__V1__OpenReply *again = open_as("alice", "DE", "", "");
	const Walletwire__V1__OpenReply *moved;

	ck_assert_uint_eq(first->rev, 1);
	ck_assert_uint_eq(again->rev, 1);
	moved = open_as("alice", "FR", "", "");
	ck_assert_uint_eq(moved->rev, 2);
	ck_assert_str_eq(moved->marks->claims->country, "FR");
	ck_assert_str_eq(world_open(&world, "alice")->marks->claims->country, "FR");
	ck_assert_uint_eq(open_as("alice", "", "", "")->rev, 3);
	ck_assert_uint_eq(open_as("nameless", "", "", "")->rev, 0); /* no row for nothing */
}
END_TEST

START_TEST(what_expires_leaves_and_says_so_in_the_log)
{
	announce("short", "\"expiresAt\":\"2020-01-01T00:00:00.000Z\",", "");
	announce("long", "\"expiresAt\":\"2120-01-01T00:00:00.000Z\",", "");
	wait_log(3);
	ck_assert_uint_eq(world_unread(&world, "alice")->total, 1);
	ck_assert_str_eq(log_after(2)->log[0]->expired, "short");
	/* Who comes late is not shown it any more. */
	ck_assert_str_eq(log_after(0)->log[0]->expired, "short");
	ck_assert_uint_eq(open_as("alice", "", "", "")->n_live, 1);
	ck_assert_uint_eq(world_list(&world, "alice", "", 10)->n_items, 1);
}
END_TEST

START_TEST(a_recall_ends_it_once_whether_it_lives_or_waits)
{
	announce("wrong", "", "");
	announce("later", "", "\"startsAt\":\"2120-01-01T00:00:00.000Z\"");
	announce("right", "", "");
	wait_log(2);
	ck_assert_uint_eq(world_recall(&world, "announcement", "wrong", "ok"), 1);
	wait_log(3);
	ck_assert_str_eq(log_after(2)->log[0]->recalled, "wrong");
	ck_assert_uint_eq(world_unread(&world, "alice")->total, 1);
	ck_assert_uint_eq(world_recall(&world, "announcement", "wrong", "ok"), 0);
	ck_assert_uint_eq(world_recall(&world, "announcement", "later", "ok"), 0);
	(void)world_recall(&world, "announcement", "later", "not_found");
	(void)world_recall(&world, "announcement", "nothing", "not_found");
	ck_assert_uint_eq(world_open(&world, "alice")->announcement_seq, 3);
	postgres_exec(world.dsn,
	    "DO $$ BEGIN IF EXISTS (SELECT FROM notifications.announcements WHERE id = 'wrong'"
	    " AND text <> '') THEN RAISE EXCEPTION 'left'; END IF; END $$");
}
END_TEST

START_TEST(one_may_be_read_out_of_order_and_all_up_to_where_a_socket_stands)
{
	Walletwire__V1__SelectRequest *in = MESSAGE_NEW(&world.arena, select_request);
	const Walletwire__V1__SelectReply *reply;
	const Walletwire__V1__OpenReply *open;

	announce("a1", "", "");
	announce("a2", "", "");
	announce("a3", "", "");
	wait_log(3);
	reply = world_select(&world, "read", "alice", "a2", 0);
	ck_assert_uint_eq(reply->changed, 1);
	ck_assert_uint_eq(reply->unread, 2);
	ck_assert_uint_eq(world_select(&world, "read", "alice", "a2", 0)->changed, 0);
	open = world_open(&world, "alice");
	ck_assert_uint_eq(open->marks->n_read, 1);
	ck_assert_uint_eq(open->marks->read[0], 2);
	ck_assert_uint_eq(open->rev, 1);
	ck_assert_uint_eq(open->seq, 1); /* the other devices are told */

	/* a3 came after the click */
	in->caller = world_caller(&world, "alice");
	in->selection_case = WALLETWIRE__V1__SELECT_REQUEST__SELECTION_ALL;
	in->all = true;
	in->announcement_position = 2;
	reply = world_ask(&world, "ww.svc.notifications.read", in,
	    &walletwire__v1__select_reply__descriptor, NULL);
	ck_assert_uint_eq(reply->changed, 1);
	ck_assert_uint_eq(reply->unread, 1);
	ck_assert_uint_eq(world_open(&world, "alice")->marks->read_up_to, 2);
	ck_assert_uint_eq(world_select(&world, "archive", "alice", NULL, 0)->changed, 3);
	ck_assert_uint_eq(world_unread(&world, "alice")->total, 0);
	ck_assert_uint_eq(world_unread(&world, "bob")->total, 3);
	announce("a4", "", "");
	wait_log(4);
	ck_assert_uint_eq(world_unread(&world, "alice")->total, 1);
}
END_TEST

START_TEST(marks_go_with_what_they_are_of)
{
	announce("ends", "", "");
	announce("stays", "", "");
	announce("last", "", "");
	wait_log(3);
	ck_assert_uint_eq(world_select(&world, "read", "alice", "ends", 0)->changed, 1);
	ck_assert_uint_eq(world_select(&world, "read", "bob", "ends", 0)->changed, 1);
	ck_assert_uint_eq(world_select(&world, "read", "alice", "stays", 0)->changed, 1);
	ck_assert_uint_eq(world_recall(&world, "announcement", "ends", "ok"), 1);
	postgres_exec(world.dsn,
	    "DO $$ BEGIN FOR i IN 1..600 LOOP"
	    " IF NOT EXISTS (SELECT FROM notifications.marks WHERE announcement_seq = 1)"
	    " THEN RETURN; END IF; PERFORM pg_sleep(0.05); END LOOP;"
	    " RAISE EXCEPTION 'they stay'; END $$");
	ck_assert_uint_eq(world_open(&world, "alice")->marks->n_read, 1);
	ck_assert_uint_eq(world_unread(&world, "alice")->total, 1);
	ck_assert_uint_eq(world_unread(&world, "bob")->total, 2);
}
END_TEST

START_TEST(a_change_of_marks_is_rung_with_its_rev)
{
	size_t heard = world_rings(&world);

	announce("a1", "", "");
	wait_log(1);
	ck_assert_uint_eq(world_select(&world, "read", "alice", "a1", 0)->changed, 1);
	world_wait_rings(&world, heard + 1);
	(void)pthread_mutex_lock(&world.lock);
	ck_assert_uint_eq(world.rings[heard]->rev, 1);
	ck_assert_uint_eq(world.rings[heard]->marks->read[0], 1);
	ck_assert_uint_eq(world.rings[heard]->states[0]->payload->unread->total, 0);
	ck_assert_uint_eq(world.rings[heard]->items[0]->payload->changed->version, 1);
	(void)pthread_mutex_unlock(&world.lock);
}
END_TEST

static size_t count_pages(const char *user, uint32_t limit, size_t *ret_items)
{
	const char *before = "";
	size_t pages = 0;

	*ret_items = 0;
	do {
		const Walletwire__V1__ListReply *page = world_list(&world, user, before, limit);

		ck_assert_uint_le(page->n_items, limit);
		*ret_items += page->n_items;
		before = page->next;
		pages++;
	} while (before[0]);
	return pages;
}

START_TEST(the_list_merges_both_by_time_in_pages)
{
	const Walletwire__V1__ListReply *page;
	size_t items;

	for (int i = 1; i <= 5; i++) {
		char id[24];

		(void)snprintf(id, sizeof(id), "k%d", i);
		publish_kyc("alice", id);
		world_wait_seq(&world, "alice", (uint64_t)i, 1);
		(void)snprintf(id, sizeof(id), "a%d", i);
		announce(id, "", "");
		wait_log((uint64_t)i);
	}
	page = world_list(&world, "alice", "", 10);
	ck_assert_uint_eq(page->n_items, 10);
	ck_assert_str_eq(page->next, "");
	ck_assert_str_eq(page->items[0]->notification->id, "a5");
	ck_assert_str_eq(page->items[0]->event, "announcement");
	ck_assert_uint_eq(page->items[0]->data->announcement->announcement_seq, 5);
	ck_assert_str_eq(page->items[1]->notification->id, "k5");
	ck_assert_str_eq(page->items[9]->notification->id, "k1");
	for (uint32_t limit = 1; limit <= 10; limit++) {
		ck_assert_uint_eq(count_pages("alice", limit, &items), (10 + limit - 1) / limit);
		ck_assert_uint_eq(items, 10);
	}
	(void)world_select(&world, "read", "alice", "a5", 0);
	page = world_list(&world, "alice", "", 1);
	ck_assert_int_eq((int)page->items[0]->state, 3);
	ck_assert_ptr_nonnull(page->items[0]->read_at);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notifications_announcements");
	TCase *tcase = tcase_create("announcements");

	pg = postgres_start();
	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, what_lives_counts_as_unread_for_everybody_also_for_strangers);
	tcase_add_test(tcase, a_segment_is_those_whose_claims_are_among_its_values);
	tcase_add_test(tcase, a_change_of_claims_is_a_change_of_state);
	tcase_add_test(tcase, what_expires_leaves_and_says_so_in_the_log);
	tcase_add_test(tcase, a_recall_ends_it_once_whether_it_lives_or_waits);
	tcase_add_test(tcase, one_may_be_read_out_of_order_and_all_up_to_where_a_socket_stands);
	tcase_add_test(tcase, marks_go_with_what_they_are_of);
	tcase_add_test(tcase, a_change_of_marks_is_rung_with_its_rev);
	tcase_add_test(tcase, the_list_merges_both_by_time_in_pages);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
