/* What an edge tells of its sockets and shows of their friends; `roster` is ww-presence's part. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "client.h"
#include "counts.h"
#include "engine/metrics.h"
#include "metrics.h"
#include "poller.h"
#include "roster.h"
#include "support/support.h"
#include "world.h"

#define ONLINE WALLETWIRE__V1__PRESENCE_STATUS__PRESENCE_STATUS_ONLINE
#define AWAY WALLETWIRE__V1__PRESENCE_STATUS__PRESENCE_STATUS_AWAY
#define OFFLINE WALLETWIRE__V1__PRESENCE_STATUS__PRESENCE_STATUS_OFFLINE
#define NOBODY WALLETWIRE__V1__PRESENCE_STATUS__PRESENCE_STATUS_UNSPECIFIED

#define GAPS "\nww_edge_presence_gaps_total "
#define TABLES "\nww_edge_presence_reports_total{kind=\"whole\"} "

enum { WAIT_MS = 30000, LOOPS = 2, AWAY_AFTER_MS = 400 };

static struct edge edge, other;
static struct roster *roster;
static uint64_t generation, number; /* of the newest batch */

static void setup_with(
    const char *away_after, const char *friends_wait, const char *silence, const char *heartbeat)
{
	world_start();
	roster = roster_start(world.nats.url);
	engine_metrics_register(&edge.engine);
	edge_metrics_register(&edge);
	(void)setenv("WW_AWAY_AFTER", away_after, 1);
	(void)setenv("WW_STATUS_RATE", "0", 1);
	(void)setenv("WW_FRIENDS_WAIT", friends_wait, 1);
	(void)setenv("WW_PRESENCE_SILENCE", silence, 1);
	(void)setenv("WW_PRESENCE_HEARTBEAT", heartbeat, 1);
	world_start_edge(&edge, "60s");
	generation = 1;
	number = 0;
}

static void setup(void)
{
	setup_with("5m", "1h", "1h", "5s"); /* nothing is asked for again for want of time */
}

static void setup_restless(void)
{
	setup_with("400ms", "1h", "1h", "5s");
}

static void setup_impatient(void)
{
	setup_with("5m", "500ms", "5s", "300ms");
}

static void teardown(void)
{
	world_stop_edge(&edge);
	roster_stop(roster);
	world_stop();
}

static struct client *sign_in_at(struct edge *at, const char *user)
{
	struct client *client = malloc(sizeof(*client));

	client_open(client, http_front_port(at->engine.front));
	ck_assert(client_sign_in(client, world.keys_dir, user));
	return client;
}

static struct client *sign_in(const char *user)
{
	return sign_in_at(&edge, user);
}

static void sign_out(struct client *client)
{
	client_close(client);
	free(client);
}

/* Acknowledged. */
static void set(struct client *client, const char *status)
{
	char event[128];

	(void)snprintf(event, sizeof(event), "421[\"presence:set\",{\"status\":\"%s\"}]", status);
	client_send(client, event);
	ck_assert_str_eq(client_expect(client, "431["), "431[{\"ok\":true}]");
}

static void expect(const char *user, unsigned sockets, Walletwire__V1__PresenceStatus status)
{
	roster_expect(roster, edge.id, user, sockets, status);
}

/* --- batches --- */

struct built {
	Walletwire__V1__PresenceBatch batch;
	Walletwire__V1__PresenceFriends friends[LOOPS], *friends_list[LOOPS];
	Walletwire__V1__PresenceChange change, *changes[1];
	Walletwire__V1__PresenceExcess excess, *excesses[1];
	Walletwire__V1__PresenceUpdate update, *updates[1];
	char *watchers[1];
	char user[64], friend[160];
};

static void build(
    struct built *b, const char *user, const char *friend, Walletwire__V1__PresenceStatus status)
{
	*b = (struct built){ .batch = WALLETWIRE__V1__PRESENCE_BATCH__INIT,
		.change = WALLETWIRE__V1__PRESENCE_CHANGE__INIT,
		.excess = WALLETWIRE__V1__PRESENCE_EXCESS__INIT,
		.update = WALLETWIRE__V1__PRESENCE_UPDATE__INIT };
	(void)snprintf(b->user, sizeof(b->user), "%s", user);
	(void)snprintf(b->friend, sizeof(b->friend), "%s", friend);
	b->update.user_id = b->friend;
	b->update.status = status;
	b->updates[0] = &b->update;
	/* For every socket that was told of. */
	for (uint32_t i = 0; i < LOOPS; i++) {
		b->friends[i] =
		    (Walletwire__V1__PresenceFriends)WALLETWIRE__V1__PRESENCE_FRIENDS__INIT;
		b->friends[i].loop = i;
		b->friends[i].report = UINT64_MAX;
		b->friends[i].user_id = b->user;
		b->friends[i].users = b->updates;
		b->friends[i].n_users = 1;
		b->friends_list[i] = &b->friends[i];
	}
	b->excess.user_id = b->watchers[0] = b->user;
	b->changes[0] = &b->change;
	b->change.update = &b->update;
	b->change.watchers = b->watchers;
	b->change.n_watchers = 1;
	b->excesses[0] = &b->excess;
	b->batch.friends = b->friends_list;
	b->batch.changes = b->changes;
	b->batch.excess = b->excesses;
}

static void send_as(struct built *b, uint64_t as_generation, uint64_t as_number)
{
	b->batch.generation = as_generation;
	b->batch.number = as_number;
	roster_send(roster, edge.id, &b->batch);
}

static void send_next(struct built *b)
{
	send_as(b, generation, ++number);
}

static void tell_friends(
    const char *user, const char *friend, Walletwire__V1__PresenceStatus status)
{
	struct built b;

	build(&b, user, friend, status);
	b.batch.n_friends = LOOPS;
	send_next(&b);
}

static void build_change(
    struct built *b, const char *watcher, const char *friend, Walletwire__V1__PresenceStatus status)
{
	build(b, watcher, friend, status);
	b->batch.n_changes = 1;
}

static void tell_change(
    const char *watcher, const char *friend, Walletwire__V1__PresenceStatus status)
{
	struct built b;

	build_change(&b, watcher, friend, status);
	send_next(&b);
}

/* The next event of presence is this one. */
static void expect_shown(struct client *client, const char *start)
{
	const char *text = client_expect(client, "42[\"presence:");

	ck_assert_msg(strncmp(text, start, strlen(start)) == 0, "not %s: %s", start, text);
}

#define LIST(friend, status)                                                               \
	"42[\"presence:friends\",{\"users\":[{\"userId\":\"" friend "\","                  \
								    "\"status\":\"" status \
								    "\"}]},\""
#define UPDATE(friend, status) \
	"42[\"presence:update\",{\"userId\":\"" friend "\",\"status\":\"" status "\"},\""

/* Signed in, and told that bob is its only friend who is there. */
static struct client *sign_in_with_bob(const char *user)
{
	struct client *client = sign_in(user);

	roster_expect_wants(roster, edge.id, user, true);
	tell_friends(user, "bob", ONLINE);
	expect_shown(client, LIST("bob", "online"));
	return client;
}

/* --- reports --- */

START_TEST(a_socket_counts_from_its_connect_until_it_is_gone)
{
	struct client *client = malloc(sizeof(*client));
	char packet[TOKEN_MAX];

	mailbox_hold_opens(world.mailbox);
	client_open(client, http_front_port(edge.engine.front));
	client_connect_packet(world.keys_dir, "ann", packet);
	client_send(client, packet);
	while (mailbox_held_opens(world.mailbox) == 0)
		(void)usleep(1000);
	roster_ask_tables(roster, edge.id);
	ck_assert_uint_eq(roster_user(roster, edge.id, "ann").sockets, 0);
	mailbox_release_opens(world.mailbox);
	expect("ann", 1, ONLINE);
	client_close(client);
	expect("ann", 0, NOBODY);
	ck_assert_uint_eq(roster_counts(roster, edge.id).gaps, 0);
	free(client);
}
END_TEST

static bool both_have_told_more(void *before)
{
	return roster_counts(roster, edge.id).tables >= *(unsigned *)before + LOOPS;
}

/* What was never told does not come back with the number that should have told it. */
START_TEST(a_table_tells_of_everybody_and_of_nobody_else)
{
	Walletwire__V1__PresenceBatch ask = WALLETWIRE__V1__PRESENCE_BATCH__INIT;
	struct client *clients[12];
	char user[16];
	unsigned tables;

	for (int i = 0; i < 12; i++) {
		(void)snprintf(user, sizeof(user), "u%d", i / 2);
		clients[i] = sign_in(user);
	}
	sign_out(clients[0]);
	sign_out(clients[1]);
	expect("u0", 0, NOBODY);
	roster_ask_tables(roster, edge.id);
	ck_assert_uint_eq(roster_user(roster, edge.id, "u0").sockets, 0);
	tables = roster_counts(roster, edge.id).tables;
	ask.wants_report = true;
	roster_send(roster, "all", &ask); /* every edge */
	ck_assert(support_wait(both_have_told_more, &tables, WAIT_MS));
	for (int i = 1; i < 6; i++) {
		(void)snprintf(user, sizeof(user), "u%d", i);
		expect(user, 2, ONLINE);
	}
	ck_assert_uint_eq(roster_counts(roster, edge.id).gaps, 0);
	for (int i = 2; i < 12; i++)
		sign_out(clients[i]);
}
END_TEST

/* Each event is a turn of its own, since the next one waits for its answer. */
START_TEST(what_changes_quickly_is_told_every_100_ms)
{
	enum { CHANGES = 39 }; /* and one more, which is all that a socket may at once */
	struct client *client = sign_in("ann");
	int64_t begin_ms;
	unsigned before, told;

	expect("ann", 1, ONLINE);
	before = roster_counts(roster, edge.id).changes;
	begin_ms = clock_mono_ms();
	for (int i = 0; i < CHANGES; i++)
		set(client, i % 2 ? "away" : "online");
	set(client, "away");
	expect("ann", 1, AWAY);
	told = roster_counts(roster, edge.id).changes - before;
	/* One at the beginning and one that was due. */
	ck_assert_int_le(told, (clock_mono_ms() - begin_ms) / 100 + 2);
	ck_assert_uint_eq(roster_counts(roster, edge.id).gaps, 0);
	sign_out(client);
}
END_TEST

static bool all_beat(void *arg)
{
	return roster_counts(roster, edge.id).heartbeats >= *(unsigned *)arg;
}

START_TEST(a_loop_without_changes_repeats_its_number)
{
	unsigned beats = 2 * LOOPS;

	ck_assert(support_wait(all_beat, &beats, WAIT_MS));
	ck_assert_uint_eq(roster_counts(roster, edge.id).gaps, 0);
}
END_TEST

static bool has_more_tables(void *arg)
{
	return count_of(TABLES) >= *(long *)arg;
}

START_TEST(tables_are_told_after_a_reconnect_to_nats)
{
	struct client *stays = sign_in("ann"), *goes = sign_in("bea");
	long tables;

	expect("ann", 1, ONLINE);
	expect("bea", 1, ONLINE);
	support_nats_stop(&world.nats, SIGKILL);
	sign_out(goes);
	expect_count("\nww_edge_users ", 1);
	tables = count_of(TABLES) + LOOPS;
	support_nats_restart(&world.nats);
	ck_assert(support_wait(has_more_tables, &tables, WAIT_MS));
	roster_ask_tables(roster, edge.id); /* ours may have come back later */
	expect("bea", 0, NOBODY);
	expect("ann", 1, ONLINE);
	sign_out(stays);
}
END_TEST

static bool has_left(void *arg)
{
	return roster_counts(roster, arg).leaving == LOOPS;
}

START_TEST(an_edge_that_stops_in_order_takes_leave)
{
	struct client *client;
	char id[sizeof(other.id)];

	world_start_edge(&other, "60s");
	(void)snprintf(id, sizeof(id), "%s", other.id);
	client = sign_in_at(&other, "ann");
	roster_expect(roster, id, "ann", 1, ONLINE);
	world_stop_edge(&other);
	ck_assert(support_wait(has_left, id, WAIT_MS));
	ck_assert_uint_eq(roster_user(roster, id, "ann").sockets, 0);
	ck_assert_uint_eq(roster_counts(roster, id).gaps, 0);
	sign_out(client);
}
END_TEST

/* --- online and away --- */

START_TEST(the_best_of_a_users_sockets_counts)
{
	struct client *first = world_sign_in_on(&edge, 1, "ann");
	struct client *second = world_sign_in_on(&edge, 1, "ann");

	set(first, "away");
	roster_ask_tables(roster, edge.id);
	expect("ann", 2, ONLINE);
	set(second, "away");
	expect("ann", 2, AWAY);
	set(first, "online");
	expect("ann", 2, ONLINE);
	sign_out(first);
	expect("ann", 1, AWAY);
	sign_out(second);
	expect("ann", 0, NOBODY);
}
END_TEST

/* Noops and pongs are the library's. */
static bool is_away_meanwhile(void *client)
{
	client_send(client, "6");
	return roster_user(roster, edge.id, "ann").status == AWAY;
}

START_TEST(a_client_that_does_nothing_is_away_until_it_does_something)
{
	struct client *client = sign_in("ann");

	expect("ann", 1, ONLINE);
	ck_assert(support_wait(is_away_meanwhile, client, WAIT_MS));
	client_send(client, "42[\"no such event\"]");
	expect("ann", 1, ONLINE);
	expect("ann", 1, AWAY);
	client_send(client, "430[]"); /* that nobody waits for */
	expect("ann", 1, ONLINE);
	expect("ann", 1, AWAY);
	sign_out(client);
}
END_TEST

struct busy {
	struct client *client;
	int64_t sent_ms, longest_ms; /* without an event */
	bool was_away;
};

static bool other_is_away_meanwhile(void *arg)
{
	struct busy *busy = arg;
	int64_t now_ms = clock_mono_ms();

	client_send(busy->client, "42[\"no such event\"]");
	if (now_ms - busy->sent_ms > busy->longest_ms)
		busy->longest_ms = now_ms - busy->sent_ms;
	busy->sent_ms = now_ms;
	busy->was_away |= roster_user(roster, edge.id, "ann").status == AWAY;
	return roster_user(roster, edge.id, "bea").status == AWAY;
}

START_TEST(who_is_active_in_time_is_not_away)
{
	struct client *active = world_sign_in_on(&edge, 0, "ann");
	struct client *idle = world_sign_in_on(&edge, 0, "bea");
	struct busy busy = { .client = active, .sent_ms = clock_mono_ms() };

	ck_assert(support_wait(other_is_away_meanwhile, &busy, WAIT_MS));
	/* A machine that stood still for so long proves nothing. */
	ck_assert(!busy.was_away || busy.longest_ms > AWAY_AFTER_MS / 2);
	expect("ann", 1, AWAY);
	sign_out(active);
	sign_out(idle);
}
END_TEST

/* At an edge that would not find out by itself for an hour. */
static void start_patient_edge(void)
{
	(void)setenv("WW_AWAY_AFTER", "1h", 1);
	world_start_edge(&other, "60s");
}

static void act(struct client *client)
{
	client_send(client, "42[\"no such event\"]");
}

START_TEST(idle_survives_a_recovery_elsewhere)
{
	struct client *client = sign_in("ann");
	char packet[TOKEN_MAX];

	client_recover_packet(world.keys_dir, client->text, "ann", packet);
	expect("ann", 1, AWAY);
	client_close(client);
	expect("ann", 0, NOBODY);
	start_patient_edge();
	client_open(client, http_front_port(other.engine.front));
	client_send(client, packet);
	(void)client_expect(client, "40{\"sid\":\"");
	roster_expect(roster, other.id, "ann", 1, AWAY);
	act(client); /* it was never away by its word */
	roster_expect(roster, other.id, "ann", 1, ONLINE);
	sign_out(client);
	world_stop_edge(&other);
}
END_TEST

START_TEST(who_has_come_back_is_not_idle_where_it_recovers)
{
	struct client *client = sign_in("ann");
	char packet[TOKEN_MAX];

	client_recover_packet(world.keys_dir, client->text, "ann", packet);
	expect("ann", 1, AWAY);
	act(client);
	expect("ann", 1, ONLINE);
	client_close(client);
	expect("ann", 0, NOBODY);
	start_patient_edge();
	client_open(client, http_front_port(other.engine.front));
	client_send(client, packet);
	(void)client_expect(client, "40{\"sid\":\"");
	roster_expect(roster, other.id, "ann", 1, ONLINE);
	sign_out(client);
	world_stop_edge(&other);
}
END_TEST

START_TEST(idle_moves_with_its_session)
{
	struct poller *poller = malloc(sizeof(*poller));
	struct client *client = malloc(sizeof(*client));
	int ports[2], port = http_front_port(edge.engine.front);
	char packet[TOKEN_MAX];

	start_patient_edge();
	ports[0] = ports[1] = port;
	poller_open(poller, port);
	client_connect_packet(world.keys_dir, "ann", packet);
	poller_post(poller, port, packet);
	(void)poller_expect(poller, ports, "40{\"sid\":\"");
	expect("ann", 1, AWAY);
	client_upgrade(client, http_front_port(other.engine.front), poller->sid);
	roster_expect(roster, other.id, "ann", 1, AWAY);
	expect("ann", 0, NOBODY);
	act(client);
	roster_expect(roster, other.id, "ann", 1, ONLINE);
	sign_out(client);
	free(poller);
	world_stop_edge(&other);
}
END_TEST

START_TEST(who_says_away_is_away_until_it_says_otherwise)
{
	struct client *client = sign_in("ann");

	set(client, "away");
	expect("ann", 1, AWAY);
	client_send(client, "422[\"notifications:unread\"]");
	(void)client_expect(client, "432[");
	roster_ask_tables(roster, edge.id);
	expect("ann", 1, AWAY);
	set(client, "online");
	expect("ann", 1, ONLINE);
	sign_out(client);
}
END_TEST

static const char *const bad_statuses[] = { "{}", "{\"status\":\"offline\"}",
	"{\"status\":\"busy\"}", "{\"status\":\"\"}", "{\"status\":1}" };

START_TEST(another_word_is_refused)
{
	struct client *client = sign_in("ann");
	char event[128];
	const char *answer;

	(void)snprintf(event, sizeof(event), "421[\"presence:set\",%s]", bad_statuses[_i]);
	client_send(client, event);
	answer = client_expect(client, "431[");
	ck_assert_ptr_nonnull(strstr(answer, "\"code\":\"invalid\""));
	ck_assert_ptr_nonnull(strstr(answer, "\"field\":\"status\""));
	ck_assert_ptr_nonnull(strstr(answer, "presence:privacy"));
	ck_assert_int_eq(count_of("\nww_edge_events_refused_total{reason=\"invalid\"} "), 1);
	expect("ann", 1, ONLINE);
	sign_out(client);
}
END_TEST

START_TEST(away_survives_a_recovery_elsewhere)
{
	struct client *client = sign_in("ann");
	char packet[TOKEN_MAX];

	client_recover_packet(world.keys_dir, client->text, "ann", packet);
	set(client, "away");
	client_close(client);
	expect("ann", 0, NOBODY);
	world_start_edge(&other, "60s");
	client_open(client, http_front_port(other.engine.front));
	client_send(client, packet);
	(void)client_expect(client, "40{\"sid\":\"");
	roster_expect(roster, other.id, "ann", 1, AWAY);
	roster_expect_wants(roster, other.id, "ann", true);
	set(client, "online");
	roster_expect(roster, other.id, "ann", 1, ONLINE);
	sign_out(client);
	world_stop_edge(&other);
}
END_TEST

START_TEST(a_fresh_session_is_online)
{
	struct client *client = sign_in("ann");
	char packet[TOKEN_MAX];

	client_recover_packet(world.keys_dir, client->text, "ann", packet);
	set(client, "away");
	client_close(client);
	for (int i = 0; i < 501; i++)
		(void)mailbox_append(world.mailbox, "ann"); /* more than is replayed */
	client_open(client, http_front_port(edge.engine.front));
	client_send(client, packet);
	(void)client_expect(client, "40{\"sid\":\"");
	expect("ann", 1, ONLINE);
	sign_out(client);
}
END_TEST

START_TEST(away_moves_with_its_session)
{
	struct poller *poller = malloc(sizeof(*poller));
	struct client *client = malloc(sizeof(*client));
	int ports[2], port = http_front_port(edge.engine.front);
	char packet[TOKEN_MAX];

	world_start_edge(&other, "60s");
	ports[0] = ports[1] = port;
	poller_open(poller, port);
	client_connect_packet(world.keys_dir, "ann", packet);
	poller_post(poller, port, packet);
	(void)poller_expect(poller, ports, "40{\"sid\":\"");
	poller_post(poller, port, "421[\"presence:set\",{\"status\":\"away\"}]");
	(void)poller_expect(poller, ports, "431[{\"ok\":true}]");
	expect("ann", 1, AWAY);
	client_upgrade(client, http_front_port(other.engine.front), poller->sid);
	roster_expect(roster, other.id, "ann", 1, AWAY);
	expect("ann", 0, NOBODY);
	sign_out(client);
	free(poller);
	world_stop_edge(&other);
}
END_TEST

/* --- what is shown --- */

START_TEST(friends_are_shown_first_and_their_changes_after_them)
{
	struct client *client = sign_in("ann");
	struct client *second;

	roster_expect_wants(roster, edge.id, "ann", true);
	tell_change("ann", "bob", AWAY); /* the list that follows has it */
	tell_friends("ann", "bob", ONLINE);
	tell_change("ann", "bob", OFFLINE);
	tell_friends("ann", "bob", AWAY); /* which nobody wants */
	expect_shown(client, LIST("bob", "online"));
	expect_shown(client, UPDATE("bob", "offline"));
	tell_change("ann", "bob", ONLINE);
	expect_shown(client, UPDATE("bob", "online"));

	second = sign_in("ann"); /* and only that one is shown another list */
	expect("ann", 2, ONLINE);
	tell_friends("ann", "bob", AWAY);
	tell_change("ann", "bob", OFFLINE);
	expect_shown(second, LIST("bob", "away"));
	expect_shown(second, UPDATE("bob", "offline"));
	expect_shown(client, UPDATE("bob", "offline"));
	ck_assert_int_eq(count_of("\nww_edge_presence_shown_total{event=\"friends\"} "), 2);
	ck_assert_int_eq(count_of("\nww_edge_presence_shown_total{event=\"update\"} "), 4);
	ck_assert_int_eq(count_of(GAPS), 0);
	sign_out(client);
	sign_out(second);
}
END_TEST

START_TEST(a_list_waits_for_the_connect_answer)
{
	struct client *first = sign_in_with_bob("ann");
	struct client *second = malloc(sizeof(*second));
	char packet[TOKEN_MAX];

	mailbox_hold_opens(world.mailbox);
	client_open(second, http_front_port(edge.engine.front));
	client_connect_packet(world.keys_dir, "ann", packet);
	client_send(second, packet);
	while (mailbox_held_opens(world.mailbox) == 0)
		(void)usleep(1000);
	tell_friends("ann", "bob", AWAY);
	tell_change("ann", "bob", AWAY);
	expect_shown(first, UPDATE("bob", "away"));
	mailbox_release_opens(world.mailbox);
	ck_assert_ptr_eq(strstr(client_next(second), "40{\"sid\":\""), second->text);
	expect("ann", 2, ONLINE);
	tell_friends("ann", "bob", OFFLINE);
	expect_shown(second, LIST("bob", "offline"));
	sign_out(first);
	sign_out(second);
}
END_TEST

START_TEST(left_channels_do_not_matter)
{
	struct client *client = sign_in_with_bob("ann");

	client_send(client, "421[\"unsubscribe\",{\"channel\":\"user:ann\"}]");
	(void)client_expect(client, "431[{\"ok\":true}]");
	tell_change("ann", "bob", AWAY);
	expect_shown(client, UPDATE("bob", "away"));
	sign_out(client);
}
END_TEST

/*
 * More than a queue holds packets, to one who does not read: each friend's changes are one packet,
 * and the newest.
 */
START_TEST(who_does_not_read_is_shown_the_newest_of_each_friend)
{
	enum { FRIENDS = 400, CHANGES = 4000 };
	struct client *client = malloc(sizeof(*client));
	char friend[128];
	unsigned shown = 0;

	client_open_small(client, http_front_port(edge.engine.front), 4096);
	ck_assert(client_sign_in(client, world.keys_dir, "ann"));
	roster_expect_wants(roster, edge.id, "ann", true);
	tell_friends("ann", "bob", ONLINE);
	for (int i = 0; i < FRIENDS; i++) {
		(void)snprintf(friend, sizeof(friend), "%0100d", i);
		tell_change("ann", friend, ONLINE);
	}
	for (int i = 0; i < CHANGES; i++)
		tell_change("ann", "bob", i % 2 ? ONLINE : AWAY);
	tell_change("ann", "bob", OFFLINE);
	expect_count("\nww_edge_presence_shown_total{event=\"update\"} ", FRIENDS + CHANGES + 1);
	expect_shown(client, LIST("bob", "online"));
	do {
		ck_assert_ptr_nonnull(client_expect(client, "42[\"presence:update\""));
		shown += strstr(client->text, "\"bob\"") != NULL;
	} while (!strstr(client->text, "\"offline\""));
	ck_assert_uint_lt(shown, CHANGES);
	sign_out(client);
}
END_TEST

/* Each friend's change is a packet of its own, and there are more of them than a queue holds. */
START_TEST(who_takes_updates_too_slowly_is_shown_a_list_instead)
{
	enum { FRIENDS = 3000 };
	struct client *client = malloc(sizeof(*client));
	char friend[128];
	unsigned shown = 0;

	client_open_small(client, http_front_port(edge.engine.front), 4096);
	ck_assert(client_sign_in(client, world.keys_dir, "ann"));
	roster_expect_wants(roster, edge.id, "ann", true);
	tell_friends("ann", "bob", ONLINE);
	expect_shown(client, LIST("bob", "online"));
	roster_ask_tables(roster, edge.id);
	ck_assert(!roster_user(roster, edge.id, "ann").wants_friends);
	for (int i = 0; i < FRIENDS; i++) {
		(void)snprintf(friend, sizeof(friend), "%0100d", i);
		tell_change("ann", friend, ONLINE);
	}
	roster_expect_wants(roster, edge.id, "ann", true);
	tell_friends("ann", "bob", AWAY);
	do {
		ck_assert_ptr_nonnull(client_expect(client, "42[\"presence:"));
		shown++;
	} while (strncmp(client->text, LIST("bob", "away"), strlen(LIST("bob", "away"))) != 0);
	ck_assert_uint_lt(shown, FRIENDS);
	ck_assert_int_ge(count_of("\nww_edge_presence_behind_total "), 1);
	tell_change("ann", "bob", OFFLINE);
	expect_shown(client, UPDATE("bob", "offline"));
	sign_out(client);
}
END_TEST

/* Once with each that shows it. */
START_TEST(after_a_gap_friends_are_wanted_again)
{
	struct client *client = sign_in_with_bob("ann");

	roster_ask_tables(roster, edge.id);
	ck_assert(!roster_user(roster, edge.id, "ann").wants_friends);
	number++;
	tell_change("ann", "bob", AWAY); /* not shown: the list will have it */
	roster_expect_wants(roster, edge.id, "ann", true);
	tell_friends("ann", "bob", OFFLINE);
	expect_shown(client, LIST("bob", "offline"));
	tell_change("ann", "bob", AWAY);
	expect_shown(client, UPDATE("bob", "away"));
	expect_count(GAPS, LOOPS);
	sign_out(client);
}
END_TEST

START_TEST(a_heartbeat_shows_what_was_missed)
{
	struct client *client = sign_in_with_bob("ann");
	struct built b;

	build(&b, "ann", "bob", ONLINE);
	send_as(&b, generation, number); /* nothing was */
	tell_change("ann", "bob", AWAY);
	expect_shown(client, UPDATE("bob", "away"));
	ck_assert_int_eq(count_of(GAPS), 0);
	send_as(&b, generation, ++number);
	roster_expect_wants(roster, edge.id, "ann", true);
	expect_count(GAPS, LOOPS);
	sign_out(client);
}
END_TEST

/* It has nothing to say yet, and beats. */
START_TEST(an_empty_batch_may_begin_a_generation)
{
	struct client *client = sign_in_with_bob("ann");
	struct built b;

	build(&b, "ann", "bob", ONLINE);
	generation++;
	for (int i = 0; i < 3; i++)
		send_as(&b, generation, 1);
	number = 1;
	tell_change("ann", "bob", AWAY);
	expect_shown(client, UPDATE("bob", "away"));
	ck_assert_int_eq(count_of(GAPS), 0);
	sign_out(client);
}
END_TEST

START_TEST(a_new_generation_begins_and_the_old_one_is_not_heard_any_more)
{
	struct client *client = sign_in_with_bob("ann");
	uint64_t old = generation, old_number = number;
	struct built b;

	generation += 5;
	number = 0;
	tell_change("ann", "bob", AWAY);
	build_change(&b, "ann", "bob", OFFLINE);
	send_as(&b, old, old_number + 1);
	send_as(&b, generation, number); /* and nothing twice */
	expect_shown(client, UPDATE("bob", "away"));
	tell_change("ann", "bob", ONLINE);
	expect_shown(client, UPDATE("bob", "online"));
	ck_assert_int_eq(count_of(GAPS), 0);
	expect_count("\nww_edge_presence_batches_total{outcome=\"old\"} ", LOOPS);

	generation++;
	number = 7; /* its first were missed */
	tell_change("ann", "bob", AWAY);
	roster_expect_wants(roster, edge.id, "ann", true);
	expect_count(GAPS, LOOPS);
	sign_out(client);
}
END_TEST

static bool was_told_again(void *arg)
{
	return roster_user(roster, edge.id, "ann").told > *(unsigned *)arg;
}

/* The one before may have died with the wish. */
START_TEST(a_new_generation_is_told_at_once_who_waits_for_friends)
{
	struct client *first = sign_in_with_bob("bea"), *client = sign_in("ann");
	unsigned told;
	struct built b;

	roster_expect_wants(roster, edge.id, "ann", true);
	roster_ask_tables(roster, edge.id);
	told = roster_user(roster, edge.id, "ann").told;
	build(&b, "ann", "bob", ONLINE);
	send_as(&b, ++generation, 1);
	number = 1;
	ck_assert(support_wait(was_told_again, &told, WAIT_MS));
	roster_expect_wants(roster, edge.id, "ann", true);
	ck_assert(!roster_user(roster, edge.id, "bea").wants_friends); /* who has them */
	tell_friends("ann", "bob", ONLINE);
	expect_shown(client, LIST("bob", "online"));
	sign_out(first);
	sign_out(client);
}
END_TEST

static void tell_list(uint64_t report, Walletwire__V1__PresenceStatus status)
{
	struct built b;

	build(&b, "ann", "bob", status);
	b.friends[1].report = report;
	b.batch.friends = &b.friends_list[1];
	b.batch.n_friends = 1;
	send_next(&b);
}

/* While it was made and sent the user may have been nobody to tell changes to. */
START_TEST(a_list_made_for_an_older_socket_is_no_newer_ones)
{
	struct client *older = world_sign_in_on(&edge, 1, "ann"), *newer;
	uint64_t before;

	roster_expect_wants(roster, edge.id, "ann", true);
	before = roster_report(roster, edge.id, 1);
	newer = world_sign_in_on(&edge, 1, "ann");
	expect("ann", 2, ONLINE);
	tell_list(before, ONLINE);
	expect_shown(older, LIST("bob", "online"));
	tell_list(roster_report(roster, edge.id, 1), AWAY);
	expect_shown(newer, LIST("bob", "away"));
	sign_out(older);
	sign_out(newer);
}
END_TEST

START_TEST(one_that_knows_nothing_is_asked_for_everything)
{
	struct client *client = sign_in_with_bob("ann");
	struct built b;

	build(&b, "ann", "bob", AWAY);
	b.batch.anew = true;
	generation++;
	number = 0;
	send_next(&b);
	roster_expect_wants(roster, edge.id, "ann", true);
	tell_friends("ann", "bob", AWAY);
	expect_shown(client, LIST("bob", "away"));
	ck_assert_int_eq(count_of(GAPS), 0);
	sign_out(client);
}
END_TEST

START_TEST(what_does_not_come_is_asked_for_again)
{
	struct client *client = sign_in("ann");
	unsigned told;

	roster_expect_wants(roster, edge.id, "ann", true);
	roster_ask_tables(roster, edge.id);
	told = roster_user(roster, edge.id, "ann").told;
	ck_assert(support_wait(was_told_again, &told, WAIT_MS));
	ck_assert(roster_user(roster, edge.id, "ann").wants_friends);
	tell_friends("ann", "bob", ONLINE);
	expect_shown(client, LIST("bob", "online"));
	roster_ask_tables(roster, edge.id);
	ck_assert(!roster_user(roster, edge.id, "ann").wants_friends);
	roster_expect_wants(roster, edge.id, "ann", true); /* after a silence */
	expect_count(GAPS, LOOPS);
	sign_out(client);
}
END_TEST

START_TEST(what_is_no_batch_is_counted_and_dropped)
{
	struct client *client = sign_in_with_bob("ann");
	struct built b;

	roster_send_raw(roster, edge.id, BYTES_LITERAL("no batch"));
	build_change(&b, "ann", "bob", AWAY);
	b.change.update = NULL;
	send_as(&b, generation, number + 1);
	tell_change("ann", "bob", (Walletwire__V1__PresenceStatus)9); /* of a newer service */
	tell_change("nobody here", "bob", AWAY);
	tell_friends("nobody here", "bob", AWAY);
	tell_change("ann", "bob", AWAY);
	expect_shown(client, UPDATE("bob", "away"));
	expect_count("\nww_edge_presence_batches_total{outcome=\"malformed\"} ", 2 * LOOPS);
	ck_assert_int_eq(count_of(GAPS), 0);
	sign_out(client);
}
END_TEST

static void tell_excess(const char *user, uint32_t loop, uint32_t sockets)
{
	struct built b;

	build(&b, user, "bob", AWAY);
	b.excess.loop = loop;
	b.excess.sockets = sockets;
	b.batch.n_excess = 1;
	send_next(&b);
}

START_TEST(of_too_many_sockets_the_newest_of_that_loop_go)
{
	struct client *clients[4];

	for (int i = 0; i < 4; i++)
		clients[i] = world_sign_in_on(&edge, i == 3 ? 0 : 1, "ann");
	expect("ann", 4, ONLINE);
	tell_excess("ann", 1, 2);
	for (int i = 1; i < 3; i++)
		ck_assert_str_eq(client_expect(clients[i], "44{"),
		    "44{\"message\":\"too many sockets of this user are open\","
		    "\"data\":{\"code\":\"too_many_sockets\"}}");
	expect("ann", 2, ONLINE);
	ck_assert_int_eq(count_of("\nww_edge_presence_excess_total "), 2);
	ck_assert_int_eq(
	    count_of("\nww_edge_connect_refusals_total{reason=\"too_many_sockets\"} "), 2);
	set(clients[0], "away");
	set(clients[3], "away");
	expect("ann", 2, AWAY);
	tell_excess("ann", 1, 1000); /* more than there are */
	(void)client_expect(clients[0], "44{");
	expect("ann", 1, AWAY);
	for (int i = 0; i < 4; i++)
		sign_out(clients[i]);
}
END_TEST

/* --- verbs --- */

START_TEST(without_the_service_its_verbs_are_unavailable_and_the_edge_is_ready)
{
	static const char *const verbs[] = { "get\",{\"userIds\":[\"bob\"]}", "friends\"",
		"privacy\",{\"visible\":false}" };
	struct client *client = sign_in("ann");
	char event[128];

	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(event, sizeof(event), "421[\"presence:%s]", verbs[i]);
		client_send(client, event);
		ck_assert_ptr_nonnull(
		    strstr(client_expect(client, "431["), "\"code\":\"unavailable\""));
	}
	ck_assert_ptr_null(edge_not_ready(&edge));
	sign_out(client);
}
END_TEST

static void serve_get(void *arg, struct bus_msg *msg)
{
	struct bytes data = bus_msg_data(msg);
	Walletwire__V1__PresenceGetRequest *request =
	    walletwire__v1__presence_get_request__unpack(NULL, data.len, data.data);
	Walletwire__V1__PresenceGetReply reply = WALLETWIRE__V1__PRESENCE_GET_REPLY__INIT;
	Google__Protobuf__Timestamp seen = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	struct built b;
	struct err err = ERR_INIT;
	uint8_t packed[256];

	ck_assert_str_eq(request->caller->user_id, "ann");
	build(&b, "ann", request->user_ids[0], OFFLINE);
	seen.seconds = 1700000000;
	b.update.last_seen = &seen;
	reply.users = b.updates;
	reply.n_users = 1;
	ck_assert_ok(
	    bus_respond(arg, bus_msg_reply(msg),
		bytes_of(packed, walletwire__v1__presence_get_reply__pack(&reply, packed)), &err),
	    err);
	walletwire__v1__presence_get_request__free_unpacked(request, NULL);
}

START_TEST(verbs_are_asked_of_the_service)
{
	struct bus *bus = support_nats_bus(&world.nats, "presence");
	struct client *client = sign_in("ann");
	struct bus_sub *sub;
	struct err err = ERR_INIT;

	ck_assert_ok(
	    bus_subscribe(bus, "ww.svc.presence.get", "presence", serve_get, bus, &sub, &err), err);
	ck_assert_ok(bus_flush(bus, 5000, &err), err);
	client_send(client, "421[\"presence:get\",{\"userIds\":[\"bob\"]}]");
	ck_assert_str_eq(client_expect(client, "431["),
	    "431[{\"ok\":true,\"users\":[{\"userId\":\"bob\",\"status\":\"offline\","
	    "\"lastSeen\":\"2023-11-14T22:13:20.000Z\"}]}]");
	bus_unsubscribe(sub);
	bus_close(bus);
	sign_out(client);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("edge/presence");
	TCase *tc = tcase_create("presence");
	TCase *patient = tcase_create("asked again");
	TCase *restless = tcase_create("away by themselves");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_socket_counts_from_its_connect_until_it_is_gone);
	tcase_add_test(tc, a_table_tells_of_everybody_and_of_nobody_else);
	tcase_add_test(tc, what_changes_quickly_is_told_every_100_ms);
	tcase_add_test(tc, tables_are_told_after_a_reconnect_to_nats);
	tcase_add_test(tc, an_edge_that_stops_in_order_takes_leave);
	tcase_add_test(tc, the_best_of_a_users_sockets_counts);
	tcase_add_test(tc, who_says_away_is_away_until_it_says_otherwise);
	tcase_add_loop_test(
	    tc, another_word_is_refused, 0, sizeof(bad_statuses) / sizeof(bad_statuses[0]));
	tcase_add_test(tc, away_survives_a_recovery_elsewhere);
	tcase_add_test(tc, a_fresh_session_is_online);
	tcase_add_test(tc, away_moves_with_its_session);
	tcase_add_test(tc, friends_are_shown_first_and_their_changes_after_them);
	tcase_add_test(tc, a_list_waits_for_the_connect_answer);
	tcase_add_test(tc, left_channels_do_not_matter);
	tcase_add_test(tc, who_does_not_read_is_shown_the_newest_of_each_friend);
	tcase_add_test(tc, who_takes_updates_too_slowly_is_shown_a_list_instead);
	tcase_add_test(tc, after_a_gap_friends_are_wanted_again);
	tcase_add_test(tc, a_heartbeat_shows_what_was_missed);
	tcase_add_test(tc, an_empty_batch_may_begin_a_generation);
	tcase_add_test(tc, a_new_generation_begins_and_the_old_one_is_not_heard_any_more);
	tcase_add_test(tc, a_new_generation_is_told_at_once_who_waits_for_friends);
	tcase_add_test(tc, a_list_made_for_an_older_socket_is_no_newer_ones);
	tcase_add_test(tc, one_that_knows_nothing_is_asked_for_everything);
	tcase_add_test(tc, what_is_no_batch_is_counted_and_dropped);
	tcase_add_test(tc, of_too_many_sockets_the_newest_of_that_loop_go);
	tcase_add_test(tc, without_the_service_its_verbs_are_unavailable_and_the_edge_is_ready);
	tcase_add_test(tc, verbs_are_asked_of_the_service);
	suite_add_tcase(suite, tc);
	tcase_set_timeout(restless, 60);
	tcase_add_checked_fixture(restless, setup_restless, teardown);
	tcase_add_test(restless, a_client_that_does_nothing_is_away_until_it_does_something);
	tcase_add_test(restless, who_is_active_in_time_is_not_away);
	tcase_add_test(restless, idle_survives_a_recovery_elsewhere);
	tcase_add_test(restless, who_has_come_back_is_not_idle_where_it_recovers);
	tcase_add_test(restless, idle_moves_with_its_session);
	suite_add_tcase(suite, restless);
	tcase_set_timeout(patient, 120);
	tcase_add_checked_fixture(patient, setup_impatient, teardown);
	tcase_add_test(patient, a_loop_without_changes_repeats_its_number);
	tcase_add_test(patient, what_does_not_come_is_asked_for_again);
	suite_add_tcase(suite, patient);
	return support_run(suite);
}
