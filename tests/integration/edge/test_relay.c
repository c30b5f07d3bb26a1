/* Two edges in this process: a session at one, its client's requests at the other. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attrs.h"
#include "client.h"
#include "poller.h"
#include "support/support.h"
#include "world.h"

static struct edge home, other;
static int ports[2];

static void setup(void)
{
	world_start();
	world_start_edge(&home, "60s");
	world_start_edge(&other, "60s");
	ports[0] = http_front_port(home.engine.front);
	ports[1] = http_front_port(other.engine.front);
}

static void teardown(void)
{
	world_stop_edge(&other);
	world_stop_edge(&home);
	world_stop();
}

static struct poller *sign_in(const char *user)
{
	struct poller *poller = malloc(sizeof(*poller));
	char packet[TOKEN_MAX];

	poller_open(poller, ports[0]);
	client_connect_packet(world.keys_dir, user, packet);
	poller_post(poller, ports[1], packet);
	ck_assert_str_eq(poller->body, "ok");
	(void)poller_expect(poller, ports, "40{\"sid\":\"");
	return poller;
}

static void append_and_ring(const char *user)
{
	mailbox_ring(world.mailbox, user, mailbox_append(world.mailbox, user));
}

static void expect_alert(const char *text, unsigned n)
{
	char message[32];

	(void)snprintf(message, sizeof(message), "\"message\":\"%u\"", n);
	ck_assert_msg(strstr(text, message) != NULL, "expected %s, got %s", message, text);
}

START_TEST(a_session_is_served_wherever_its_requests_land)
{
	struct poller *poller = sign_in("ada");

	for (unsigned n = 1; n <= 20; n++) {
		append_and_ring("ada");
		expect_alert(poller_expect(poller, ports, "security:alert"), n);
	}
	poller_post(poller, ports[1], "421[\"notifications:unread\"]");
	(void)poller_expect(poller, ports, "431[{\"ok\":true,\"total\":20");
	free(poller);
}
END_TEST

START_TEST(a_poll_that_waits_elsewhere_is_answered_when_something_comes)
{
	struct poller *poller = sign_in("bea");
	int fd;

	(void)poller_expect(poller, ports, "2"); /* a second until the next ping */
	fd = poller_get_start(poller, ports[1]);
	append_and_ring("bea");
	poller_get_finish(poller, fd);
	ck_assert_int_eq(poller->status, 200);
	if (!strstr(poller->body, "security:alert"))
		(void)poller_expect(poller, ports, "security:alert");
	free(poller);
}
END_TEST

START_TEST(a_poll_given_up_elsewhere_ends_the_session)
{
	struct poller *poller = sign_in("cy");
	int fd = poller_get_start(poller, ports[1]);

	for (int i = 0; i < 100 && !strstr(poller->body, "Session ID unknown"); i++) {
		if (i == 20)
			(void)close(fd);
		poller_post(poller, ports[0], "3");
		(void)usleep(20000);
	}
	ck_assert_str_eq(poller->body, "{\"code\":1,\"message\":\"Session ID unknown\"}");
	free(poller);
}
END_TEST

START_TEST(two_polls_at_once_end_the_session_wherever_they_are)
{
	struct poller *poller = sign_in("dan");
	struct poller *second = malloc(sizeof(*second));
	int fd;

	(void)poller_expect(poller, ports, "2");
	memcpy(second, poller, sizeof(*second));
	fd = poller_get_start(poller, ports[1]);
	(void)usleep(300000);
	poller_get(second, ports[0]);
	poller_get_finish(poller, fd);
	ck_assert_int_eq(second->status, 400);
	ck_assert_int_eq(poller->status, 200);
	ck_assert_ptr_nonnull(strchr(poller->body, '1'));
	free(second);
	free(poller);
}
END_TEST

START_TEST(an_edge_that_is_not_there_has_no_sessions)
{
	struct poller *poller = malloc(sizeof(*poller));

	poller_open(poller, ports[0]);
	(void)snprintf(
	    poller->sid, sizeof(poller->sid), "nobody-1234.%s", strchr(poller->sid, '.') + 1);
	poller_get(poller, ports[0]);
	ck_assert_int_eq(poller->status, 400);
	ck_assert_str_eq(poller->body, "{\"code\":1,\"message\":\"Session ID unknown\"}");
	poller_post(poller, ports[1], "3");
	ck_assert_int_eq(poller->status, 400);
	(void)snprintf(poller->sid, sizeof(poller->sid), "*.%s", strchr(poller->sid, '.') + 1);
	poller_get(poller, ports[1]);
	ck_assert_int_eq(poller->status, 400);
	free(poller);
}
END_TEST

static bool nats_is_away(void *arg)
{
	(void)arg;
	return !bus_is_connected(home.bus) && !bus_is_connected(other.bus);
}

/* It was asked of nobody, so that it has to wait harms nobody. */
START_TEST(a_poll_that_lands_elsewhere_while_nats_restarts_waits_for_it)
{
	struct poller *poller = sign_in("nat");

	(void)poller_expect(poller, ports, "2");
	for (int round = 0; round < 5; round++) {
		int fd;

		support_nats_stop(&world.nats, SIGTERM);
		ck_assert(support_wait(nats_is_away, NULL, 20000));
		fd = poller_get_start(poller, ports[1]);
		support_nats_restart(&world.nats);
		poller_get_finish(poller, fd);
		ck_assert_int_eq(poller->status, 200);
		poller_post(poller, ports[1], "3");
		ck_assert_str_eq(poller->body, "ok");
	}
	free(poller);
}
END_TEST

/* An edge that is not there: who gives up is told to it, and polls are listened for from then on.
 */
struct nobody {
	struct bus *bus;
	struct bus_sub *gone, *polls;
	_Atomic bool is_given_up;
	_Atomic unsigned asked;
};

static void on_asked(void *arg, struct bus_msg *msg)
{
	struct nobody *nobody = arg;

	(void)msg;
	(void)atomic_fetch_add(&nobody->asked, 1);
}

static void on_given_up(void *arg, struct bus_msg *msg)
{
	struct nobody *nobody = arg;
	struct err err = ERR_INIT;

	(void)msg;
	if (atomic_load(&nobody->is_given_up)) /* of the next one */
		return;
	ck_assert_ok(bus_subscribe(nobody->bus, "ww.edge.nobody-1234.poll", NULL, on_asked, nobody,
			 &nobody->polls, &err),
	    err);
	atomic_store(&nobody->is_given_up, true);
}

static bool is_given_up(void *arg)
{
	const struct nobody *nobody = arg;

	return atomic_load(&nobody->is_given_up);
}

static bool nats_is_back(void *arg)
{
	(void)arg;
	return bus_is_connected(home.bus) && bus_is_connected(other.bus);
}

/* Or its session would wait with an answer for a client that has gone, after it was told so. */
START_TEST(a_poll_that_was_given_up_is_asked_no_more)
{
	struct poller *poller = malloc(sizeof(*poller));
	struct nobody nobody = { 0 };
	struct err err = ERR_INIT;
	int fd;

	poller_open(poller, ports[0]);
	(void)snprintf(
	    poller->sid, sizeof(poller->sid), "nobody-1234.%s", strchr(poller->sid, '.') + 1);
	support_nats_stop(&world.nats, SIGTERM);
	ck_assert(support_wait(nats_is_away, NULL, 20000));
	fd = poller_get_start(poller, ports[1]);
	support_nats_restart(&world.nats);
	nobody.bus = support_nats_bus(&world.nats, "edge");
	ck_assert_ok(bus_subscribe(nobody.bus, "ww.edge.nobody-1234.gone", NULL, on_given_up,
			 &nobody, &nobody.gone, &err),
	    err);
	ck_assert_ok(bus_flush(nobody.bus, 5000, &err), err);
	ck_assert(support_wait(nats_is_back, NULL, 20000));
	(void)close(fd);
	ck_assert(support_wait(is_given_up, &nobody, 20000));
	/* The next one is given up by its edge after a second; by then the first was due again. */
	poller_get(poller, ports[1]);
	ck_assert_int_eq(poller->status, 400);
	ck_assert_uint_eq(atomic_load(&nobody.asked), 1);
	bus_unsubscribe(nobody.gone);
	bus_unsubscribe(nobody.polls);
	bus_close(nobody.bus);
	free(poller);
}
END_TEST

START_TEST(a_session_moves_to_the_edge_that_has_its_websocket)
{
	struct poller *poller = sign_in("eve");
	struct client *client = malloc(sizeof(*client));

	append_and_ring("eve");
	expect_alert(poller_expect(poller, ports, "security:alert"), 1);
	poller_post(poller, ports[1], "421[\"transfer:track\",{\"transferId\":\"t1\"}]");
	for (int i = 0; i < 3; i++)
		append_and_ring("eve"); /* they wait for a poll that does not come */
	client_upgrade(client, ports[1], poller->sid);
	client_send(client, "422[\"notifications:unread\"]");
	for (unsigned n = 2; n <= 4; n++)
		expect_alert(client_expect(client, "security:alert"), n);
	(void)client_expect(client, "432[{\"ok\":true,\"total\":4");
	poller_get(poller, ports[0]);
	ck_assert_int_eq(poller->status, 400);
	ck_assert_str_eq(poller->body, "{\"code\":3,\"message\":\"Bad request\"}");

	/* Its former edge can go. */
	world_stop_edge(&home);
	for (unsigned n = 5; n <= 8; n++) {
		append_and_ring("eve");
		expect_alert(client_expect(client, "security:alert"), n);
	}
	world_start_edge(&home, "60s");
	client_close(client);
	free(client);
	free(poller);
}
END_TEST

START_TEST(items_come_once_and_in_order_while_sessions_move)
{
	struct client *client = malloc(sizeof(*client));

	for (unsigned round = 0; round < 10; round++) {
		char user[16];
		struct poller *poller;

		(void)snprintf(user, sizeof(user), "mover-%u", round);
		poller = sign_in(user);
		for (unsigned n = 1; n <= 5; n++)
			append_and_ring(user);
		client_upgrade(client, ports[(round + 1) % 2], poller->sid);
		for (unsigned n = 6; n <= 10; n++)
			append_and_ring(user);
		for (unsigned n = 1; n <= 10; n++)
			expect_alert(client_expect(client, "security:alert"), n);
		client_close(client);
		free(poller);
	}
	free(client);
}
END_TEST

enum { USER_SOCKETS = 20 };

START_TEST(sessions_that_move_keep_to_what_a_user_may_have_there)
{
	struct client *clients[USER_SOCKETS], *mover = malloc(sizeof(*mover));
	struct poller *poller = sign_in("fay");

	for (int i = 0; i < USER_SOCKETS; i++) {
		clients[i] = malloc(sizeof(*clients[i]));
		client_open(clients[i], ports[1]);
		ck_assert(client_sign_in(clients[i], world.keys_dir, "fay"));
	}
	client_upgrade(mover, ports[1], poller->sid);
	while (client_next(mover))
		continue; /* what it was told before it moved */
	poller_get(poller, ports[0]);
	ck_assert_int_eq(poller->status, 400);
	client_close(mover);
	for (int i = 0; i < USER_SOCKETS; i++) {
		client_close(clients[i]);
		free(clients[i]);
	}
	free(mover);
	free(poller);
}
END_TEST

START_TEST(sessions_that_moved_are_counted_nowhere_once_they_have_gone)
{
	struct client *client = malloc(sizeof(*client));

	for (int i = 0; i < 2 * USER_SOCKETS; i++) {
		struct poller *poller = sign_in("gil");

		client_upgrade(client, ports[1], poller->sid);
		client_send(client, "421[\"notifications:unread\"]");
		(void)client_expect(client, "431[{\"ok\":true");
		client_send(client, "1"); /* and the edge has noticed when it answers */
		while (client_next(client))
			continue;
		client_close(client);
		free(poller);
	}
	free(client);
}
END_TEST

START_TEST(a_socket_that_moved_goes_with_its_key)
{
	struct poller *poller = sign_in("hal");
	struct client *client = malloc(sizeof(*client));
	struct err err = ERR_INIT;
	char path[320];

	client_upgrade(client, ports[1], poller->sid);
	ck_assert_ok(edge_reload_keys(&other, &err), err);
	append_and_ring("hal");
	(void)client_expect(client, "security:alert");
	(void)snprintf(path, sizeof(path), "%s/dev.hs256", world.keys_dir);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_ok(edge_reload_keys(&other, &err), err);
	while (client_next(client))
		continue;
	ck_assert_int_eq(client->close_code, 1005);
	client_close(client);
	free(client);
	free(poller);
}
END_TEST

/* The new edge fetches what the former one did not; the states behind it are shown there. */
START_TEST(a_session_that_moves_while_it_recovers_is_shown_its_states)
{
	struct poller *poller = malloc(sizeof(*poller));
	struct client *client = malloc(sizeof(*client));
	char packet[TOKEN_MAX];
	bool is_shown = false;

	client_open(client, ports[0]);
	ck_assert(client_sign_in(client, world.keys_dir, "ida"));
	client_recover_packet(world.keys_dir, client->text, "ida", packet);
	client_close(client);
	for (int i = 0; i < 3; i++)
		(void)mailbox_append(world.mailbox, "ida");
	poller_open(poller, ports[0]);
	mailbox_lose(world.mailbox, "since");
	poller_post(poller, ports[0], packet);
	(void)poller_expect(poller, ports, "40{\"sid\":\"");
	client_upgrade(client, ports[1], poller->sid);
	while (!strstr(client->text, "\"message\":\"3\"")) {
		ck_assert_ptr_nonnull(client_next(client));
		is_shown |= strstr(client->text, "[\"notifications:unread\",{\"total\":3") != NULL;
	}
	ck_assert(is_shown);
	client_close(client);
	free(client);
	free(poller);
}
END_TEST

START_TEST(a_session_that_moves_before_its_transfers_were_told_is_told_them_there)
{
	struct poller *poller = malloc(sizeof(*poller));
	struct client *client = malloc(sizeof(*client));
	char packet[TOKEN_MAX];

	client_open(client, ports[0]);
	ck_assert(client_sign_in(client, world.keys_dir, "lea"));
	client_recover_packet(world.keys_dir, client->text, "lea", packet);
	client_send(client, "421[\"transfer:track\",{\"transferId\":\"known-1\"}]");
	(void)client_expect(client, "431[{\"ok\":true,\"transfer\"");
	client_close(client);
	poller_open(poller, ports[0]);
	mailbox_lose(world.mailbox, "track");
	poller_post(poller, ports[0], packet);
	(void)poller_expect(poller, ports, "40{\"sid\":\"");
	client_upgrade(client, ports[1], poller->sid);
	(void)client_expect(client, "[\"transfer:update\",{\"transferId\":\"known-1\"");
	client_close(client);
	free(client);
	free(poller);
}
END_TEST

enum { OPENS_AT_ONCE = 128, CROWD = 2 * OPENS_AT_ONCE };

static bool opens_are_held(void *arg)
{
	(void)arg;
	return mailbox_held_opens(world.mailbox) == OPENS_AT_ONCE;
}

/* Its CONNECT waits for its turn behind a crowd's. */
START_TEST(a_session_does_not_move_before_its_socket_is_let_in)
{
	static struct client *crowd[CROWD];
	struct poller *poller = malloc(sizeof(*poller));
	struct client *client = malloc(sizeof(*client));
	char packet[TOKEN_MAX], user[16];

	poller_open(poller, ports[0]);
	for (int i = 0; i < CROWD; i++) {
		crowd[i] = malloc(sizeof(*crowd[i]));
		client_open(crowd[i], ports[0]);
	}
	mailbox_hold_opens(world.mailbox);
	for (int i = 0; i < CROWD; i++) {
		(void)snprintf(user, sizeof(user), "u%d", i % 50);
		client_connect_packet(world.keys_dir, user, packet);
		client_send(crowd[i], packet);
	}
	ck_assert(support_wait(opens_are_held, NULL, 10000));
	client_connect_packet(world.keys_dir, "jo", packet);
	poller_post(poller, ports[0], packet);
	client_upgrade(client, ports[1], poller->sid);
	(void)usleep(100000); /* a moment in which it would move */
	mailbox_release_opens(world.mailbox);
	(void)client_expect(client, "40{\"sid\"");
	append_and_ring("jo");
	expect_alert(client_expect(client, "security:alert"), 1);
	client_close(client);
	for (int i = 0; i < CROWD; i++) {
		client_close(crowd[i]);
		free(crowd[i]);
	}
	free(client);
	free(poller);
}
END_TEST

enum { TOO_MANY = 1100 /* more than a queue holds */ };

static void stand_still(void *arg)
{
	(void)pthread_mutex_lock(arg);
	(void)pthread_mutex_unlock(arg);
}

static bool are_on_their_way(void *arg)
{
	return atomic_load(&((struct edge_loop *)arg)->posted) == TOO_MANY;
}

/* Both in one turn of the loop: what does not fit into the queue, and the end of the upgrade. */
START_TEST(who_did_not_keep_up_does_not_move_without_what_it_missed)
{
	struct poller *poller = sign_in("kim");
	struct client *client = malloc(sizeof(*client));
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	struct edge_loop *el = engine_loop_of(&home.engine, poller->sid)->app;

	client_probe(client, ports[1], poller->sid);
	(void)pthread_mutex_lock(&gate);
	loop_post(el->loop, stand_still, &gate);
	for (int i = 0; i < TOO_MANY; i++)
		append_and_ring("kim");
	ck_assert(support_wait(are_on_their_way, el, 10000));
	client_send(client, "5");
	(void)usleep(200000); /* until the other edge has asked; if not, it is told the same */
	(void)pthread_mutex_unlock(&gate);
	ck_assert_ptr_null(client_next(client));
	client_close(client);
	free(client);
	free(poller);
}
END_TEST

/* What no edge sends: nothing of it may reach further than the message itself. */
START_TEST(malformed_messages_of_other_edges_are_dropped)
{
	static const char *const verbs[] = { "poll", "gone", "release", "post", "answer", "end",
		"upgrade", "probe", "switch", "unprobe", "drain", "stats", "nothing" };
	struct bus *bus = support_nats_bus(&world.nats, "edge");
	struct poller *poller = sign_in("fay");
	struct err err = ERR_INIT;

	for (size_t v = 0; v < ARRAY_LEN(verbs); v++) {
		char subject[128];
		unsigned char message[600];
		size_t len = strlen(poller->sid);

		(void)snprintf(subject, sizeof(subject), "ww.edge.%s.%s", home.id, verbs[v]);
		/* the session's id, then a second one that is far too long */
		message[0] = 0x0a;
		message[1] = (unsigned char)len;
		memcpy(message + 2, poller->sid, len);
		len += 2;
		message[len] = 0x0a;
		message[len + 1] = 0x90;
		message[len + 2] = 0x03; /* 400 */
		memset(message + len + 3, 'x', 400);
		for (size_t cut = 0; cut <= len + 403; cut += 1 + cut / 8)
			ck_assert_ok(bus_publish(bus, subject, bytes_of(message, cut), &err), err);
		ck_assert_ok(bus_publish(bus, subject, bytes_of(message, len + 403), &err), err);
	}
	ck_assert_ok(bus_flush(bus, 5000, &err), err);
	free(poller);
	poller = sign_in("fay");
	append_and_ring("fay");
	(void)poller_expect(poller, ports, "security:alert");
	bus_close(bus);
	free(poller);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("relay");
	TCase *tc = tcase_create("relay");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_session_is_served_wherever_its_requests_land);
	tcase_add_test(tc, a_poll_that_waits_elsewhere_is_answered_when_something_comes);
	tcase_add_test(tc, a_poll_given_up_elsewhere_ends_the_session);
	tcase_add_test(tc, two_polls_at_once_end_the_session_wherever_they_are);
	tcase_add_test(tc, an_edge_that_is_not_there_has_no_sessions);
	tcase_add_test(tc, a_poll_that_lands_elsewhere_while_nats_restarts_waits_for_it);
	tcase_add_test(tc, a_poll_that_was_given_up_is_asked_no_more);
	tcase_add_test(tc, a_session_moves_to_the_edge_that_has_its_websocket);
	tcase_add_test(tc, items_come_once_and_in_order_while_sessions_move);
	tcase_add_test(tc, sessions_that_move_keep_to_what_a_user_may_have_there);
	tcase_add_test(tc, sessions_that_moved_are_counted_nowhere_once_they_have_gone);
	tcase_add_test(tc, a_socket_that_moved_goes_with_its_key);
	tcase_add_test(tc, a_session_that_moves_while_it_recovers_is_shown_its_states);
	tcase_add_test(tc, a_session_that_moves_before_its_transfers_were_told_is_told_them_there);
	tcase_add_test(tc, a_session_does_not_move_before_its_socket_is_let_in);
	tcase_add_test(tc, who_did_not_keep_up_does_not_move_without_what_it_missed);
	tcase_add_test(tc, malformed_messages_of_other_edges_are_dropped);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
