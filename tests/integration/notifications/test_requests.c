/* What edges and back ends ask: open, since, heads, list, the verbs of the inbox, revoke, verify.
 */
#include <signal.h>
#include <stdio.h>

#include "bus/provision.h"
#include "world.h"

static struct postgres *pg;
static struct world world;

static void setup(void)
{
	world_start(&world, pg);
	world_spawn(&world, 0, NULL);
}

static void teardown(void)
{
	world_stop(&world);
}

static void publish_kyc(const char *user, int from, int to)
{
	char json[192];

	for (int i = from; i <= to; i++) {
		(void)snprintf(json, sizeof(json),
		    "{\"id\":\"e%d\",\"userIds\":[\"%s\"],\"kyc\":{\"status\":\"s\"}}", i, user);
		world_publish(&world, json);
	}
}

START_TEST(an_unknown_user_has_zeros_and_gets_no_row)
{
	const Walletwire__V1__OpenReply *open = world_open(&world, "nobody");

	ck_assert_uint_gt(strlen(open->epoch), 0);
	ck_assert_uint_eq(open->seq + open->rev + open->announcement_seq, 0);
	ck_assert_uint_eq(open->n_states, 1);
	ck_assert_uint_eq(open->states[0]->payload->unread->total, 0);
	ck_assert_uint_eq(world_since(&world, "nobody", 0, 9)->handled, 0);
	ck_assert_uint_eq(world_list(&world, "nobody", "", 0)->n_items, 0);
	ck_assert_uint_eq(world_select(&world, "read", "nobody", NULL, 0)->changed, 0);
	ck_assert_uint_eq(world_unread(&world, "nobody")->total, 0);
	postgres_exec(world.dsn, "DO $$ BEGIN IF EXISTS (SELECT FROM notifications.users)"
				 " THEN RAISE EXCEPTION 'a row was made'; END IF; END $$");
}
END_TEST

START_TEST(heads_answers_in_the_order_asked)
{
	Walletwire__V1__HeadsRequest *in = MESSAGE_NEW(&world.arena, heads_request);
	const Walletwire__V1__HeadsReply *reply;

	publish_kyc("alice", 1, 3);
	world_wait_seq(&world, "alice", 3, 1);
	in->user_ids = arena_alloc(&world.arena, 2 * sizeof(char *));
	in->user_ids[in->n_user_ids++] = arena_strdup(&world.arena, "nobody");
	in->user_ids[in->n_user_ids++] = arena_strdup(&world.arena, "alice");
	reply = world_ask(&world, "ww.svc.notifications.heads", in,
	    &walletwire__v1__heads_reply__descriptor, NULL);
	ck_assert_uint_eq(reply->n_heads, 2);
	ck_assert_str_eq(reply->heads[0]->user_id, "nobody");
	ck_assert_uint_eq(reply->heads[0]->seq, 0);
	ck_assert_uint_eq(reply->heads[1]->seq, 3);
	in->n_user_ids = 0;
	reply = world_ask(&world, "ww.svc.notifications.heads", in,
	    &walletwire__v1__heads_reply__descriptor, NULL);
	ck_assert_uint_gt(strlen(reply->epoch), 0);
	ck_assert_uint_eq(reply->n_heads, 0);
}
END_TEST

START_TEST(since_pages_by_rows_and_by_bytes)
{
	struct buf json = BUF_INIT;

	publish_kyc("alice", 1, 620);
	world_wait_seq(&world, "alice", 620, 1);
	ck_assert_uint_eq(world_since(&world, "alice", 0, 620)->handled, 500);
	ck_assert_uint_eq(world_since(&world, "alice", 500, 620)->handled, 620);
	ck_assert_uint_eq(world_since(&world, "alice", 10, 12)->n_items, 2);
	world_check_mailbox(&world, "alice", "e", 620);

	/* 3,900 bytes each: less than a hundred fill a page. */
	for (int i = 1; i <= 100; i++) {
		buf_finish(&json);
		buf_appendf(
		    &json, "{\"id\":\"b%d\",\"userIds\":[\"bob\"],\"kyc\":{\"message\":\"", i);
		for (int j = 0; j < 3900; j++)
			buf_append_char(&json, 'x');
		buf_append_str(&json, "\"}}");
		world_publish(&world, buf_str(&json));
	}
	buf_finish(&json);
	world_wait_seq(&world, "bob", 100, 1);
	ck_assert_uint_lt(world_since(&world, "bob", 0, 100)->handled, 100);
	world_check_mailbox(&world, "bob", "b", 100);
}
END_TEST

START_TEST(since_says_when_a_part_has_left_the_mailbox)
{
	publish_kyc("alice", 1, 5);
	world_wait_seq(&world, "alice", 5, 1);
	postgres_exec(world.dsn, "DELETE FROM notifications.mailbox WHERE seq <= 3");
	ck_assert(world_since(&world, "alice", 2, 5)->too_old);
	ck_assert_uint_eq(world_since(&world, "alice", 3, 5)->n_items, 2);
	ck_assert(!world_since(&world, "alice", 5, 5)->too_old);
}
END_TEST

/* `open` of a socket that recovers from `since`. */
static const Walletwire__V1__OpenReply *recover(uint64_t since)
{
	Walletwire__V1__OpenRequest *in = MESSAGE_NEW(&world.arena, open_request);

	in->caller = MESSAGE_NEW(&world.arena, caller);
	in->caller->user_id = arena_strdup(&world.arena, "alice");
	in->caller->session_id = arena_strdup(&world.arena, "the-socket");
	in->recovering = true;
	in->since = since;
	in->connection = arena_strdup(&world.arena, "the-new-connection");
	return world_ask(
	    &world, "ww.svc.notifications.open", in, &walletwire__v1__open_reply__descriptor, NULL);
}

START_TEST(open_says_whether_a_recovery_can_be_whole)
{
	publish_kyc("alice", 1, 5);
	world_wait_seq(&world, "alice", 5, 1);
	postgres_exec(world.dsn, "DELETE FROM notifications.mailbox WHERE seq <= 3");
	ck_assert(recover(2)->too_old);
	ck_assert(!recover(3)->too_old);
	ck_assert(!recover(5)->too_old);
	ck_assert(!recover(9)->too_old); /* beyond the head: the edge sees that itself */
}
END_TEST

START_TEST(open_of_a_recovery_tells_the_older_connection_to_go)
{
	const Delivery *ring;
	size_t before;

	publish_kyc("alice", 1, 1);
	world_wait_seq(&world, "alice", 1, 1);
	world_wait_rings(&world, 1);
	before = world_rings(&world);
	(void)recover(1);
	world_wait_rings(&world, before + 1);
	ring = world.rings[before];
	ck_assert_str_eq(ring->user_id, "alice");
	ck_assert_ptr_nonnull(ring->eviction);
	ck_assert_str_eq(ring->eviction->session_id, "the-socket");
	ck_assert_str_eq(ring->eviction->connection, "the-new-connection");
	ck_assert_uint_eq(ring->n_items + ring->n_states, 0);
}
END_TEST

START_TEST(list_pages_newest_first_with_an_opaque_cursor)
{
	const Walletwire__V1__ListReply *page;
	uint64_t seq = 45;
	const char *next = "";

	publish_kyc("alice", 1, 45);
	world_wait_seq(&world, "alice", 45, 1);
	do {
		page = world_list(&world, "alice", next, 0);
		for (size_t i = 0; i < page->n_items; i++)
			ck_assert_uint_eq(page->items[i]->notification->seq, seq--);
		next = page->next;
	} while (next[0]);
	ck_assert_uint_eq(seq, 0);
}
END_TEST

static const Walletwire__V1__ListReply *list_filtered(
    bool unread_only, const char *type, int priority, const char **ret_code)
{
	Walletwire__V1__ListRequest *in = MESSAGE_NEW(&world.arena, list_request);

	in->caller = world_caller(&world, "alice");
	in->unread_only = unread_only;
	in->priority = (Walletwire__V1__Priority)priority;
	in->types = arena_alloc(&world.arena, sizeof(char *));
	if (type)
		in->types[in->n_types++] = arena_strdup(&world.arena, type);
	return world_ask(&world, "ww.svc.notifications.list", in,
	    &walletwire__v1__list_reply__descriptor, ret_code);
}

START_TEST(list_filters_by_state_type_and_priority)
{
	const char *code;

	publish_kyc("alice", 1, 4);
	world_publish(&world, "{\"id\":\"s\",\"userIds\":[\"alice\"],\"security\":{}}");
	world_publish(&world, "{\"id\":\"gone\",\"userIds\":[\"alice\"],\"security\":{},"
			      "\"expiresAt\":\"2020-01-01T00:00:00Z\"}");
	world_wait_seq(&world, "alice", 6, 1);
	ck_assert_uint_eq(world_select(&world, "read", "alice", NULL, 2)->changed, 2);
	ck_assert_uint_eq(list_filtered(false, NULL, 0, NULL)->n_items, 5);
	ck_assert_uint_eq(list_filtered(true, NULL, 0, NULL)->n_items, 3);
	ck_assert_uint_eq(list_filtered(false, "security", 0, NULL)->n_items, 1);
	ck_assert_uint_eq(list_filtered(false, "card", 0, NULL)->n_items, 0);
	ck_assert_uint_eq(list_filtered(false, NULL, 4, NULL)->n_items, 1);
	(void)list_filtered(false, "nothing", 0, &code);
	ck_assert_str_eq(code, "invalid");
}
END_TEST

START_TEST(verbs_move_items_on_and_keep_the_counters)
{
	const Walletwire__V1__SelectReply *reply;
	const Walletwire__V1__SinceReply *since;
	size_t heard;

	publish_kyc("alice", 1, 6);
	world_wait_seq(&world, "alice", 6, 1);
	ck_assert_uint_eq(world_unread(&world, "alice")->total, 6);
	world_wait_rings(&world, 1);
	heard = world_rings(&world);

	reply = world_select(&world, "seen", "alice", NULL, 0); /* seen still counts */
	ck_assert_uint_eq(reply->changed, 6);
	ck_assert_uint_eq(reply->unread, 6);
	reply = world_select(&world, "read", "alice", "e2", 0);
	ck_assert_uint_eq(reply->changed, 1);
	ck_assert_uint_eq(reply->unread, 5);
	reply = world_select(&world, "read", "alice", "e2", 0); /* again */
	ck_assert_uint_eq(reply->changed, 0);
	reply = world_select(&world, "archive", "alice", NULL, 3);
	ck_assert_uint_eq(reply->changed, 3);
	ck_assert_uint_eq(reply->unread, 3);
	reply = world_select(&world, "read", "alice", NULL, 0);
	ck_assert_uint_eq(reply->changed, 3);
	ck_assert_uint_eq(reply->unread, 0);
	reply = world_select(&world, "seen", "alice", NULL, 0); /* never back */
	ck_assert_uint_eq(reply->changed, 0);
	ck_assert(world_verify(&world, "alice")->consistent);

	/* Every change that was one is an item of the mailbox, and was rung with its seq and rev.
	 */
	world_wait_rings(&world, heard + 4);
	ck_assert_uint_eq(world_open(&world, "alice")->seq, 10);
	since = world_since(&world, "alice", 6, 10);
	ck_assert_uint_eq(since->n_items, 4);
	ck_assert_str_eq(since->items[1]->payload->changed->ids->values[0], "e2");
	ck_assert_int_eq((int)since->items[1]->payload->changed->action, 2);
	ck_assert_uint_eq(since->items[2]->payload->changed->up_to, 3);
	ck_assert(since->items[3]->payload->changed->all);
	ck_assert_uint_eq(
	    since->items[3]->payload->changed->version, world_open(&world, "alice")->rev);
	(void)pthread_mutex_lock(&world.lock);
	ck_assert_uint_eq(world.rings[heard + 3]->items[0]->seq, 10);
	ck_assert_uint_eq(world.rings[heard + 3]->rev_before + 1, world.rings[heard + 3]->rev);
	ck_assert_uint_eq(world.rings[heard + 3]->states[0]->payload->unread->total, 0);
	ck_assert_uint_eq(world.rings[heard]->n_states, 0); /* seen changed no counter */
	(void)pthread_mutex_unlock(&world.lock);
}
END_TEST

START_TEST(a_selection_must_select)
{
	Walletwire__V1__SelectRequest *in = MESSAGE_NEW(&world.arena, select_request);
	const char *code;

	in->caller = world_caller(&world, "alice");
	(void)world_ask(&world, "ww.svc.notifications.read", in,
	    &walletwire__v1__select_reply__descriptor, &code);
	ck_assert_str_eq(code, "invalid");
	in->caller = NULL;
	in->selection_case = WALLETWIRE__V1__SELECT_REQUEST__SELECTION_ALL;
	in->all = true;
	(void)world_ask(&world, "ww.svc.notifications.read", in,
	    &walletwire__v1__select_reply__descriptor, &code);
	ck_assert_str_eq(code, "invalid");
}
END_TEST

START_TEST(verify_finds_what_does_not_agree)
{
	publish_kyc("alice", 1, 5);
	world_wait_seq(&world, "alice", 5, 1);
	ck_assert(world_verify(&world, "alice")->consistent);
	postgres_exec(world.dsn, "UPDATE notifications.users SET unread[3] = unread[3] + 1");
	ck_assert(!world_verify(&world, "alice")->consistent);
	postgres_exec(world.dsn, "UPDATE notifications.users SET unread[3] = unread[3] - 1");
	ck_assert(world_verify(&world, "alice")->consistent);
	postgres_exec(world.dsn, "DELETE FROM notifications.mailbox WHERE seq = 3");
	ck_assert(!world_verify(&world, "alice")->consistent);
	postgres_exec(world.dsn, "DELETE FROM notifications.mailbox WHERE seq = 5");
	ck_assert_uint_eq(world_verify(&world, "alice")->n_findings, 2);
}
END_TEST

/* --- revocations --- */

struct bucket {
	pthread_mutex_t lock;
	bool jti, user; /* an entry for each of them was seen */
};

static void on_key(void *arg, const char *key, struct bytes value)
{
	struct bucket *bucket = arg;

	(void)pthread_mutex_lock(&bucket->lock);
	if (key && strcmp(key, "jti.jti=2E1") == 0)
		bucket->jti = value.len == 10;
	if (key && strcmp(key, "user.alice") == 0)
		bucket->user = value.len == 10;
	(void)pthread_mutex_unlock(&bucket->lock);
}

static bool has_two(void *arg)
{
	struct bucket *bucket = arg;
	bool two;

	(void)pthread_mutex_lock(&bucket->lock);
	two = bucket->jti && bucket->user;
	(void)pthread_mutex_unlock(&bucket->lock);
	return two;
}

START_TEST(a_revocation_is_a_row_and_an_entry_of_the_bucket)
{
	Walletwire__V1__RevokeRequest *in = MESSAGE_NEW(&world.arena, revoke_request);
	struct bucket bucket = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct bus_kv_watch *watch;
	struct err err = ERR_INIT;
	const char *code = NULL;

	(void)world_ask(&world, "ww.backend.notifications.revoke", in,
	    &walletwire__v1__revoke_reply__descriptor, &code);
	ck_assert_str_eq(code, "invalid"); /* neither */
	in->what_case = WALLETWIRE__V1__REVOKE_REQUEST__WHAT_TOKEN_ID;
	in->token_id = arena_strdup(&world.arena, "jti.1");
	(void)world_ask(&world, "ww.backend.notifications.revoke", in,
	    &walletwire__v1__revoke_reply__descriptor, NULL);
	in->what_case = WALLETWIRE__V1__REVOKE_REQUEST__WHAT_USER_ID;
	in->user_id = arena_strdup(&world.arena, "alice");
	(void)world_ask(&world, "ww.backend.notifications.revoke", in,
	    &walletwire__v1__revoke_reply__descriptor, NULL);
	ck_assert_ok(bus_kv_watch(world.edge, BUCKET_REVOKED, on_key, &bucket, &watch, &err), err);
	ck_assert(support_wait(has_two, &bucket, WORLD_WAIT_MS));
	bus_kv_unwatch(watch);
	postgres_exec(world.dsn,
	    "DO $$ BEGIN IF (SELECT count(*) FROM notifications.revocations) <> 2"
	    " THEN RAISE EXCEPTION 'rows'; END IF; END $$");
}
END_TEST

START_TEST(the_bucket_is_written_again_from_the_rows)
{
	struct bucket bucket = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct bus_kv_watch *watch;
	struct err err = ERR_INIT;

	world_kill(&world, 0, SIGTERM);
	postgres_exec(world.dsn, "INSERT INTO notifications.revocations VALUES"
				 " ('jti', 'jti.1', now(), ''), ('user', 'alice', now(), '')");
	world_spawn(&world, 0, NULL);
	ck_assert_ok(bus_kv_watch(world.edge, BUCKET_REVOKED, on_key, &bucket, &watch, &err), err);
	ck_assert(support_wait(has_two, &bucket, WORLD_WAIT_MS));
	bus_kv_unwatch(watch);
}
END_TEST

START_TEST(another_server_or_timeline_begins_another_epoch)
{
	const char *epoch = world_open(&world, "alice")->epoch;

	world_kill(&world, 0, SIGTERM);
	world_spawn(&world, 0, NULL);
	ck_assert_str_eq(world_open(&world, "alice")->epoch, epoch);
	world_kill(&world, 0, SIGTERM);
	postgres_exec(world.dsn, "UPDATE notifications.meta SET timeline = '00000009'");
	world_spawn(&world, 0, NULL);
	ck_assert_str_ne(world_open(&world, "alice")->epoch, epoch);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notifications_requests");
	TCase *tcase = tcase_create("requests");

	pg = postgres_start();
	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, an_unknown_user_has_zeros_and_gets_no_row);
	tcase_add_test(tcase, heads_answers_in_the_order_asked);
	tcase_add_test(tcase, since_pages_by_rows_and_by_bytes);
	tcase_add_test(tcase, since_says_when_a_part_has_left_the_mailbox);
	tcase_add_test(tcase, open_says_whether_a_recovery_can_be_whole);
	tcase_add_test(tcase, open_of_a_recovery_tells_the_older_connection_to_go);
	tcase_add_test(tcase, list_pages_newest_first_with_an_opaque_cursor);
	tcase_add_test(tcase, list_filters_by_state_type_and_priority);
	tcase_add_test(tcase, verbs_move_items_on_and_keep_the_counters);
	tcase_add_test(tcase, a_selection_must_select);
	tcase_add_test(tcase, verify_finds_what_does_not_agree);
	tcase_add_test(tcase, a_revocation_is_a_row_and_an_entry_of_the_bucket);
	tcase_add_test(tcase, the_bucket_is_written_again_from_the_rows);
	tcase_add_test(tcase, another_server_or_timeline_begins_another_epoch);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
