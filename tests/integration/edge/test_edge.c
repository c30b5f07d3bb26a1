/* The edge in this process, over a real NATS; the world.mailbox behind it does what each test
 * needs. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "counts.h"
#include "metrics.h"
#include "support/support.h"
#include "world.h"

static struct edge edge;

static void setup(void)
{
	world_start();
	world_start_edge(&edge, "60s");
}

static void setup_fast_sweep(void)
{
	world_start();
	world_start_edge(&edge, "500ms");
}

static void teardown(void)
{
	world_stop_edge(&edge);
	world_stop();
}

static struct client *sign_in(const char *user)
{
	struct client *client = malloc(sizeof(*client));

	client_open(client, http_front_port(edge.engine.front));
	ck_assert(client_sign_in(client, world.keys_dir, user));
	return client;
}

static void sign_out(struct client *client)
{
	client_close(client);
	free(client);
}

static void append_and_ring(const char *user)
{
	mailbox_ring(world.mailbox, user, mailbox_append(world.mailbox, user));
}

/* The alerts from `first` to `last` come in this order, with nothing doubled between. */
static void expect_alerts(struct client *client, unsigned first, unsigned last)
{
	for (unsigned n = first; n <= last; n++) {
		const char *text = client_expect(client, "security:alert");
		char message[32];

		(void)snprintf(message, sizeof(message), "\"message\":\"%u\"", n);
		ck_assert_msg(strstr(text, message) != NULL, "expected %s, got %s", message, text);
	}
}

START_TEST(an_item_arrives_with_its_notification_and_the_newest_unread)
{
	struct client *client = sign_in("alice");

	append_and_ring("alice");
	(void)client_expect(client, "42[\"notifications:unread\",{\"total\":1,\"byType\":{},"
				    "\"byPriority\":{},\"version\":1},\"");
	ck_assert_ptr_eq(
	    strstr(client_expect(client, "security:alert"),
		"42[\"security:alert\",{\"severity\":\"\",\"message\":\"1\",\"action\":\"\","
		"\"notification\":"
		"{\"id\":\"1\",\"seq\":1,\"type\":\"security\",\"priority\":\"\",\"title\":\"\","
		"\"text\":\"\","
		"\"unread\":1}},\""),
	    client->text);
	/* The offset: after it, one item of the mailbox is known, and no announcement. */
	ck_assert_str_eq(client->text + strlen(client->text) - strlen(".1.0\"]"), ".1.0\"]");
	sign_out(client);
}
END_TEST

START_TEST(every_socket_of_a_user_gets_everything)
{
	struct client *first = sign_in("bob");
	struct client *second = sign_in("bob");
	struct client *third = sign_in("bob");

	for (int i = 0; i < 20; i++)
		append_and_ring("bob");
	expect_alerts(first, 1, 20);
	expect_alerts(second, 1, 20);
	expect_alerts(third, 1, 20);
	sign_out(first);
	sign_out(second);
	sign_out(third);
}
END_TEST

START_TEST(doubled_and_swapped_doorbells_are_shown_once_and_in_order)
{
	struct client *client = sign_in("carol");

	for (int i = 0; i < 6; i++)
		(void)mailbox_append(world.mailbox, "carol");
	for (int i = 0; i < 2; i++) {
		mailbox_ring(world.mailbox, "carol", 2);
		mailbox_ring(world.mailbox, "carol", 1);
		mailbox_ring(world.mailbox, "carol", 1);
		mailbox_ring(world.mailbox, "carol", 4);
		mailbox_ring(world.mailbox, "carol", 3);
	}
	mailbox_ring(world.mailbox, "carol", 5);
	mailbox_ring(world.mailbox, "carol", 6);
	expect_alerts(client, 1, 6);
	sign_out(client);
}
END_TEST

START_TEST(a_hole_is_filled_before_what_follows_it)
{
	struct client *client = sign_in("dave");

	append_and_ring("dave");
	for (int i = 0; i < 8; i++)
		(void)mailbox_append(world.mailbox, "dave"); /* lost */
	append_and_ring("dave");
	expect_alerts(client, 1, 10);
	append_and_ring("dave");
	expect_alerts(client, 11, 11);
	sign_out(client);
}
END_TEST

START_TEST(more_than_can_be_held_behind_a_hole_is_fetched)
{
	struct client *client = sign_in("erin");

	(void)mailbox_append(world.mailbox, "erin"); /* lost */
	for (int i = 0; i < 200; i++)
		append_and_ring("erin");
	expect_alerts(client, 1, 201);
	sign_out(client);
}
END_TEST

START_TEST(a_lost_item_that_nothing_follows_is_found_by_the_sweep)
{
	struct client *client = sign_in("frank");

	(void)mailbox_append(world.mailbox, "frank");
	expect_alerts(client, 1, 1);
	(void)mailbox_append(world.mailbox, "frank");
	expect_alerts(client, 2, 2);
	sign_out(client);
}
END_TEST

START_TEST(a_lost_state_that_nothing_follows_is_found_by_the_sweep)
{
	struct client *client = sign_in("grace");

	mailbox_set_unread(world.mailbox, "grace", 7);
	(void)client_expect(client, "42[\"notifications:unread\",{\"total\":7,");
	mailbox_set_unread(world.mailbox, "grace", 3);
	(void)client_expect(client, "42[\"notifications:unread\",{\"total\":3,");
	sign_out(client);
}
END_TEST

START_TEST(a_lost_state_is_found_by_the_next_one)
{
	struct client *client = sign_in("heidi");

	mailbox_set_unread(world.mailbox, "heidi", 5); /* lost */
	mailbox_set_unread(world.mailbox, "heidi", 6);
	mailbox_ring(world.mailbox, "heidi", 0);
	(void)client_expect(client, "42[\"notifications:unread\",{\"total\":6,");
	sign_out(client);
}
END_TEST

START_TEST(announcements_reach_everybody_once_in_order_also_lost_ones)
{
	struct client *first = sign_in("ivan");
	struct client *second = sign_in("judy");

	mailbox_announce(world.mailbox, "one", /* ring= */ true);
	mailbox_announce(world.mailbox, "two", /* ring= */ false);
	mailbox_announce(world.mailbox, "three", /* ring= */ true);
	for (int i = 0; i < 2; i++) {
		struct client *client = i ? second : first;

		ck_assert_ptr_nonnull(
		    strstr(client_expect(client, "42[\"announcement\""), "\"one\""));
		ck_assert_ptr_nonnull(
		    strstr(client_expect(client, "42[\"announcement\""), "\"two\""));
		ck_assert_ptr_nonnull(
		    strstr(client_expect(client, "42[\"announcement\""), "\"three\""));
	}
	sign_out(first);
	sign_out(second);
}
END_TEST

START_TEST(another_history_closes_the_socket_for_a_fresh_session)
{
	struct client *client = sign_in("ken");

	append_and_ring("ken");
	expect_alerts(client, 1, 1);
	mailbox_new_epoch(world.mailbox);
	append_and_ring("ken");
	while (client_next(client))
		;
	ck_assert_int_eq(client->close_code, 1005);
	sign_out(client);
	client = sign_in("ken");
	append_and_ring("ken");
	expect_alerts(client, 2, 2);
	sign_out(client);
}
END_TEST

START_TEST(a_socket_of_another_history_does_not_stand_in_the_way_of_a_new_one)
{
	struct client *old = sign_in("omar");
	struct client *fresh = malloc(sizeof(*fresh));

	append_and_ring("omar");
	expect_alerts(old, 1, 1);
	mailbox_new_epoch(world.mailbox);
	/* the edge learns of it from the first answer on the loop of the old socket, closes both
	 * there, and takes whoever comes then: at most one sign-in a loop fails */
	for (int failed = 0;; failed++) {
		ck_assert_int_le(failed, 2);
		client_open(fresh, http_front_port(edge.engine.front));
		if (client_sign_in(fresh, world.keys_dir, "omar"))
			break;
		client_close(fresh);
	}
	append_and_ring("omar");
	expect_alerts(fresh, 1, 1);
	sign_out(old);
	sign_out(fresh);
}
END_TEST

START_TEST(an_answer_goes_to_the_socket_that_asked_and_to_no_other)
{
	struct client *client = sign_in("pia");
	char connect[TOKEN_MAX];
	const char *again[] = { "421[\"notifications:unread\"]", "41", connect };
	const char *text;

	client_connect_packet(world.keys_dir, "quentin", connect);
	for (int i = 0; i < 40; i++) { /* more often than requests may wait at once */
		client_send_all(client, again, 3);
		do {
			text = client_next(client);
			ck_assert_ptr_nonnull(text);
			ck_assert_msg(
			    strncmp(text, "431", 3) != 0, "quentin was told what pia asked");
		} while (strncmp(text, "40", 2) != 0);
	}
	client_send(client, "422[\"notifications:unread\"]");
	ck_assert_str_eq(client_expect(client, "432["),
	    "432[{\"ok\":true,\"total\":0,\"byType\":{},\"byPriority\":{},\"version\":0}]");
	sign_out(client);
}
END_TEST

START_TEST(a_burst_waits_for_a_client_that_reads_it_later)
{
	struct client *client = sign_in("rosa");

	for (int i = 0; i < 800; i++)
		append_and_ring("rosa");
	expect_alerts(client, 1, 800);
	sign_out(client);
}
END_TEST

START_TEST(a_socket_that_does_not_read_delays_no_other_of_its_user)
{
	struct client *slow = malloc(sizeof(*slow));
	struct client *fast;
	char sid[ENGINE_SID_SIZE];

	client_open_small(slow, http_front_port(edge.engine.front), 4096);
	(void)snprintf(sid, sizeof(sid), "%s", client_sid(slow));
	ck_assert(client_sign_in(slow, world.keys_dir, "sam"));
	fast = world_sign_in_on(&edge, engine_loop_of(&edge.engine, sid)->index, "sam");
	for (int i = 0; i < 900; i++) /* more than half of a queue */
		append_and_ring("sam");
	expect_alerts(fast, 1, 900);
	(void)mailbox_append(world.mailbox, "sam"); /* lost */
	append_and_ring("sam");
	expect_alerts(fast, 901, 902);
	expect_alerts(slow, 1, 902);
	sign_out(slow);
	sign_out(fast);
}
END_TEST

enum { CROWD = 260, OPENS_AT_ONCE = 128 };

static bool opens_are_held(void *arg)
{
	(void)arg;
	return mailbox_held_opens(world.mailbox) == OPENS_AT_ONCE;
}

static bool half_has_left(void *arg)
{
	(void)arg;
	return atomic_load(&edge.engine.sessions) == CROWD / 2;
}

/* Others wait, and may go while they do. */
START_TEST(a_crowd_is_opened_a_part_at_a_time)
{
	static struct client *crowd[CROWD];
	char packet[TOKEN_MAX], user[16];

	for (int i = 0; i < CROWD; i++) {
		crowd[i] = malloc(sizeof(*crowd[i]));
		client_open(crowd[i], http_front_port(edge.engine.front));
	}
	mailbox_hold_opens(world.mailbox);
	for (int i = 0; i < CROWD; i++) {
		(void)snprintf(user, sizeof(user), "u%d", i % 50);
		client_connect_packet(world.keys_dir, user, packet);
		client_send(crowd[i], packet);
	}
	ck_assert(support_wait(opens_are_held, NULL, 10000));
	for (int i = 1; i < CROWD; i += 2)
		sign_out(crowd[i]);
	ck_assert(support_wait(half_has_left, NULL, 10000));
	ck_assert(opens_are_held(NULL));
	mailbox_release_opens(world.mailbox);
	for (int i = 0; i < CROWD; i += 2) {
		(void)client_expect(crowd[i], "40{\"sid\"");
		sign_out(crowd[i]);
	}
}
END_TEST

START_TEST(a_missing_service_closes_the_transport_and_refuses_nobody)
{
	struct client client;

	mailbox_stop(world.mailbox);
	world.mailbox = NULL;
	client_open(&client, http_front_port(edge.engine.front));
	ck_assert(!client_sign_in(&client, world.keys_dir, "leo"));
	ck_assert_int_eq(client.close_code, 1005);
	client_close(&client);
}
END_TEST

START_TEST(a_nats_restart_loses_nothing)
{
	struct client *client = sign_in("mia");

	append_and_ring("mia");
	expect_alerts(client, 1, 1);
	support_nats_stop(&world.nats, SIGKILL);
	(void)mailbox_append(world.mailbox, "mia"); /* nobody can be told */
	support_nats_restart(&world.nats);
	expect_alerts(client, 2, 2);
	sign_out(client);
}
END_TEST

/* An edge has no table to keep it in until NATS is there again. */
START_TEST(a_refusal_that_the_audit_stream_does_not_take_is_counted)
{
	struct client client;

	edge_metrics_register(&edge);
	expect_count("\nww_edge_audit_lost_total{reason=\"not_stored\"} ", 0);
	support_nats_stop(&world.nats, SIGKILL);
	client_open(&client, http_front_port(edge.engine.front));
	client_send(&client, "40{\"token\":\"no token\"}");
	(void)client_expect(&client, "\"code\":\"token_malformed\"");
	expect_count("\nww_edge_audit_lost_total{reason=\"not_stored\"} ", 1);
	client_close(&client);
	support_nats_restart(&world.nats);
}
END_TEST

static void *churn(void *arg)
{
	char user[16];

	for (int i = 0; i < 40; i++) {
		struct client *client;

		(void)snprintf(user, sizeof(user), "u%d", (*(int *)arg + i) % 6);
		client = sign_in(user);
		if (i % 3 == 0)
			(void)client_expect(client, "security:alert");
		sign_out(client);
	}
	return NULL;
}

START_TEST(sockets_may_come_and_go_while_doorbells_ring)
{
	pthread_t threads[3];
	int starts[3] = { 0, 2, 4 };
	struct client *steady = sign_in("u1");

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, churn, &starts[i]), 0);
	for (int i = 0; i < 600; i++) {
		struct timespec pause = { .tv_nsec = 5000000 };
		char user[16];

		(void)snprintf(user, sizeof(user), "u%d", i % 6);
		append_and_ring(user);
		(void)nanosleep(&pause, NULL); /* a rate, not a wait: 200 doorbells a second */
	}
	/* the churners may still wait for an alert */
	for (int i = 0; i < 3; i++) {
		while (pthread_tryjoin_np(threads[i], NULL) != 0) {
			for (int u = 0; u < 6; u++) {
				char user[16];

				(void)snprintf(user, sizeof(user), "u%d", u);
				append_and_ring(user);
			}
			(void)nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
		}
	}
	expect_alerts(steady, 1, 100);
	sign_out(steady);
}
END_TEST

enum { USER_SOCKETS = 20 };

static bool is_let_in(struct client *client, const char *packet)
{
	const char *text;

	client_send(client, packet);
	do
		text = client_next(client);
	while (text && strncmp(text, "40", 2) != 0 && strncmp(text, "44", 2) != 0);
	ck_assert_msg(text != NULL, "closed");
	return text[1] == '0';
}

/* This mailbox evicts nobody, so the older self is still there. */
START_TEST(who_can_not_recover_is_one_socket_more)
{
	struct client *clients[USER_SOCKETS], *late = malloc(sizeof(*late));
	char recovering[TOKEN_MAX], fresh[TOKEN_MAX];

	client_connect_packet(world.keys_dir, "pia", fresh);
	for (int i = 0; i < USER_SOCKETS; i++)
		clients[i] = sign_in("pia");
	client_recover_packet(world.keys_dir, clients[0]->text, "pia", recovering);
	for (int i = 0; i < 501; i++)
		(void)mailbox_append(world.mailbox, "pia"); /* more than is replayed */
	client_open(late, http_front_port(edge.engine.front));
	ck_assert(!is_let_in(late, recovering));
	ck_assert_ptr_nonnull(strstr(late->text, "\"code\":\"too_many_sockets\""));
	ck_assert(!is_let_in(late, fresh));
	client_send(clients[0], "1");
	while (client_next(clients[0]))
		continue; /* until it has left */
	ck_assert(is_let_in(late, recovering));
	sign_out(late);
	for (int i = 0; i < USER_SOCKETS; i++)
		sign_out(clients[i]);
}
END_TEST

START_TEST(stopping_closes_every_socket_without_leaving_the_namespace)
{
	struct client *client = sign_in("nina");
	const char *text;

	edge_stop(&edge);
	config_release(&edge_config_spec, &edge.cfg);
	while ((text = client_next(client)))
		ck_assert_msg(strncmp(text, "41", 2) != 0, "clients do not come back after 41");
	ck_assert_int_eq(client->close_code, 1005);
	sign_out(client);
	world_start_edge(&edge, "60s"); /* for the teardown */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("edge");
	TCase *tc = tcase_create("delivery");
	TCase *sweep = tcase_create("sweep");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_item_arrives_with_its_notification_and_the_newest_unread);
	tcase_add_test(tc, every_socket_of_a_user_gets_everything);
	tcase_add_test(tc, doubled_and_swapped_doorbells_are_shown_once_and_in_order);
	tcase_add_test(tc, a_hole_is_filled_before_what_follows_it);
	tcase_add_test(tc, more_than_can_be_held_behind_a_hole_is_fetched);
	tcase_add_test(tc, a_lost_state_is_found_by_the_next_one);
	tcase_add_test(tc, announcements_reach_everybody_once_in_order_also_lost_ones);
	tcase_add_test(tc, another_history_closes_the_socket_for_a_fresh_session);
	tcase_add_test(tc, a_socket_of_another_history_does_not_stand_in_the_way_of_a_new_one);
	tcase_add_test(tc, an_answer_goes_to_the_socket_that_asked_and_to_no_other);
	tcase_add_test(tc, a_burst_waits_for_a_client_that_reads_it_later);
	tcase_add_test(tc, a_socket_that_does_not_read_delays_no_other_of_its_user);
	tcase_add_test(tc, a_crowd_is_opened_a_part_at_a_time);
	tcase_add_test(tc, a_missing_service_closes_the_transport_and_refuses_nobody);
	tcase_add_test(tc, a_nats_restart_loses_nothing);
	tcase_add_test(tc, a_refusal_that_the_audit_stream_does_not_take_is_counted);
	tcase_add_test(tc, sockets_may_come_and_go_while_doorbells_ring);
	tcase_add_test(tc, who_can_not_recover_is_one_socket_more);
	tcase_add_test(tc, stopping_closes_every_socket_without_leaving_the_namespace);
	suite_add_tcase(suite, tc);
	tcase_set_timeout(sweep, 60);
	tcase_add_checked_fixture(sweep, setup_fast_sweep, teardown);
	tcase_add_test(sweep, a_lost_item_that_nothing_follows_is_found_by_the_sweep);
	tcase_add_test(sweep, a_lost_state_that_nothing_follows_is_found_by_the_sweep);
	suite_add_tcase(suite, sweep);
	return support_run(suite);
}
