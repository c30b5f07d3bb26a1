/* Who is there, by what edges say and what they do not say any more. */
#include "roster.h"
#include "support/support.h"

enum { SILENCE = 15000, GRACE = 30000, KEEP = 60000, SETTLE = 500, SOCKETS_MAX = 3 };

static const struct roster_config config = { SILENCE, GRACE, KEEP, SETTLE, SOCKETS_MAX };

/* What one loop says next; numbers count up by themselves. */
struct voice {
	const char *edge;
	uint32_t loop;
	uint64_t number;
};

static struct roster *roster;
static struct voice first, second;
static int64_t now;
static struct arena arena;

static void setup(void)
{
	roster = roster_new(&config);
	first = (struct voice){ "e1", 0, 0 };
	second = (struct voice){ "e2", 0, 0 };
	now = 1000;
	arena_init(&arena, SIZE_MAX);
}

static void teardown(void)
{
	roster_free(roster);
	arena_finish(&arena);
}

static int64_t wall(void)
{
	return now * 1000 + 7;
}

static Walletwire__V1__PresenceReport report_of(const struct voice *voice)
{
	Walletwire__V1__PresenceReport report = WALLETWIRE__V1__PRESENCE_REPORT__INIT;

	report.edge = arena_strdup(&arena, voice->edge);
	report.loop = voice->loop;
	report.number = voice->number;
	return report;
}

/* "alice" has that many sockets. */
static bool say(struct voice *voice, const char *user, uint32_t sockets, PresenceStatus status)
{
	Walletwire__V1__PresenceReportUser said = WALLETWIRE__V1__PRESENCE_REPORT_USER__INIT;
	Walletwire__V1__PresenceReportUser *users[] = { &said };
	Walletwire__V1__PresenceReport report;

	voice->number++;
	report = report_of(voice);
	said.user_id = arena_strdup(&arena, user);
	said.sockets = sockets;
	said.status = status;
	said.wants_friends = sockets > 0;
	report.users = users;
	report.n_users = 1;
	return roster_hear(roster, &report, now, wall());
}

/* A part of the whole table; user NULL: nobody is in it. */
static bool say_whole(struct voice *voice, const char *user, bool is_first, bool is_last)
{
	Walletwire__V1__PresenceReportUser said = WALLETWIRE__V1__PRESENCE_REPORT_USER__INIT;
	Walletwire__V1__PresenceReportUser *users[] = { &said };
	Walletwire__V1__PresenceReport report;

	voice->number++;
	report = report_of(voice);
	report.whole = true;
	report.first = is_first;
	report.last = is_last;
	said.user_id = arena_strdup(&arena, user ? user : "");
	said.sockets = 1;
	said.status = PRESENCE(ONLINE);
	report.users = users;
	report.n_users = user ? 1 : 0;
	return roster_hear(roster, &report, now, wall());
}

static bool say_heartbeat(struct voice *voice)
{
	Walletwire__V1__PresenceReport report = report_of(voice);

	return roster_hear(roster, &report, now, wall());
}

static void begin(struct voice *voice)
{
	ck_assert(say_whole(voice, NULL, true, true));
}

/* Edges that are there speak every five seconds. */
static void pass(int64_t ms, bool first_is_there, bool second_is_there)
{
	for (int64_t end = now + ms; now < end;) {
		now += end - now < 5000 ? end - now : 5000;
		if (first_is_there)
			(void)say_heartbeat(&first);
		if (second_is_there)
			(void)say_heartbeat(&second);
		roster_tick(roster, now, wall());
	}
}

static PresenceStatus status_of(const char *user)
{
	int64_t seen_us;

	return roster_status(roster, user, &seen_us);
}

#define ck_assert_status(user, NAME) ck_assert_int_eq(status_of(user), PRESENCE(NAME))

START_TEST(the_best_of_all_devices_counts)
{
	begin(&first);
	begin(&second);
	ck_assert_status("alice", OFFLINE);
	ck_assert(say(&first, "alice", 1, PRESENCE(AWAY)));
	ck_assert_status("alice", AWAY);
	ck_assert(say(&second, "alice", 2, PRESENCE(ONLINE)));
	ck_assert_status("alice", ONLINE);
	ck_assert(say(&second, "alice", 0, PRESENCE(UNSPECIFIED)));
	ck_assert_status("alice", AWAY);
	ck_assert_uint_eq(roster_devices(roster), 1);
}
END_TEST

START_TEST(a_reconnect_within_the_grace_changes_nothing)
{
	const char *changed[4];

	begin(&first);
	begin(&second);
	ck_assert(say(&first, "alice", 1, PRESENCE(ONLINE)));
	ck_assert_uint_eq(roster_take_changed(roster, &arena, 4, changed), 1);
	ck_assert(say(&first, "alice", 0, PRESENCE(UNSPECIFIED)));
	pass(GRACE - 1, true, true);
	ck_assert_status("alice", ONLINE);
	ck_assert(say(&second, "alice", 1, PRESENCE(ONLINE)));
	pass(2 * GRACE, true, true);
	ck_assert_status("alice", ONLINE);
	ck_assert_uint_eq(roster_take_changed(roster, &arena, 4, changed), 0);
}
END_TEST

START_TEST(after_the_grace_one_is_offline_and_was_seen_before_it)
{
	const char *changed[4];
	int64_t seen_us = 0, went_us;

	begin(&first);
	ck_assert(say(&first, "alice", 1, PRESENCE(ONLINE)));
	ck_assert(say(&first, "alice", 0, PRESENCE(UNSPECIFIED)));
	went_us = wall();
	pass(GRACE, true, false);
	ck_assert_int_eq(roster_status(roster, "alice", &seen_us), PRESENCE(OFFLINE));
	ck_assert_int_eq(seen_us, went_us);
	ck_assert_uint_eq(roster_take_changed(roster, &arena, 4, changed), 1);
	ck_assert_str_eq(changed[0], "alice");
	pass(KEEP, true, false);
	ck_assert_uint_eq(roster_users(roster), 0);
}
END_TEST

START_TEST(a_silent_edge_has_no_sockets)
{
	int64_t seen_us = 0, heard_us;

	begin(&first);
	begin(&second);
	ck_assert(say(&first, "alice", 1, PRESENCE(ONLINE)));
	ck_assert(say(&second, "bob", 1, PRESENCE(ONLINE)));
	heard_us = wall();
	pass(SILENCE + GRACE + 5000, false, true);
	ck_assert_int_eq(roster_status(roster, "alice", &seen_us), PRESENCE(OFFLINE));
	ck_assert_int_eq(seen_us, heard_us);
	ck_assert_status("bob", ONLINE);
}
END_TEST

START_TEST(a_dead_edge_takes_nobody_from_another)
{
	begin(&first);
	begin(&second);
	ck_assert(say(&first, "alice", 1, PRESENCE(ONLINE)));
	ck_assert(say(&second, "alice", 1, PRESENCE(AWAY)));
	pass(SILENCE + 5000, false, true);
	ck_assert_status("alice", AWAY);
	/* It comes late, and is about its own sockets alone. */
	(void)say(&first, "alice", 0, PRESENCE(UNSPECIFIED));
	pass(GRACE + 5000, false, true);
	ck_assert_status("alice", AWAY);
}
END_TEST

START_TEST(silence_does_not_count_while_nothing_could_be_heard)
{
	begin(&first);
	ck_assert(say(&first, "alice", 1, PRESENCE(ONLINE)));
	now += 10 * SILENCE;
	roster_excuse(roster, now);
	roster_tick(roster, now, wall());
	pass(SILENCE - 1, false, false);
	ck_assert_status("alice", ONLINE);
	ck_assert_uint_eq(roster_devices(roster), 1);
}
END_TEST

START_TEST(a_missed_report_is_noticed)
{
	begin(&first);
	first.number++;
	ck_assert(!say(&first, "alice", 1, PRESENCE(ONLINE)));
	/* Not twice in a second. */
	ck_assert(say(&first, "alice", 1, PRESENCE(ONLINE)));
	now += 1000;
	ck_assert(!say_heartbeat(&first));
	ck_assert(say_whole(&first, "bob", true, false));
	ck_assert(say_whole(&first, "carol", false, true));
	/* Nobody said that alice has gone, but she is not in the table. */
	ck_assert_uint_eq(roster_devices(roster), 2);
	now += 1000;
	ck_assert(say_heartbeat(&first));
}
END_TEST

START_TEST(a_heartbeat_shows_what_was_missed_before_it)
{
	begin(&first);
	first.number++;
	ck_assert(!say_heartbeat(&first));
}
END_TEST

START_TEST(an_unknown_edge_is_asked)
{
	first.number = 41;
	ck_assert(!say(&first, "alice", 1, PRESENCE(ONLINE)));
	ck_assert_status("alice", ONLINE);
}
END_TEST

START_TEST(a_part_of_a_table_that_is_missing_ends_nothing)
{
	begin(&first);
	ck_assert(say(&first, "alice", 1, PRESENCE(ONLINE)));
	now += 1000;
	ck_assert(say_whole(&first, "bob", true, false));
	first.number++;
	ck_assert(!say_whole(&first, "carol", false, true));
	ck_assert_uint_eq(roster_devices(roster), 3);
}
END_TEST

START_TEST(loops_of_an_edge_are_counted_apart)
{
	struct voice other = { "e1", 1, 0 };

	begin(&first);
	begin(&other);
	ck_assert(say(&first, "alice", 1, PRESENCE(ONLINE)));
	ck_assert(say(&other, "alice", 1, PRESENCE(ONLINE)));
	ck_assert(say(&first, "alice", 0, PRESENCE(UNSPECIFIED)));
	ck_assert_uint_eq(roster_devices(roster), 1);
	pass(GRACE, true, false);
	ck_assert_status("alice", ONLINE);
}
END_TEST

START_TEST(an_edge_that_leaves_takes_its_sockets_along)
{
	Walletwire__V1__PresenceReport report;

	begin(&first);
	ck_assert(say(&first, "alice", 1, PRESENCE(ONLINE)));
	report = report_of(&first);
	report.leaving = true;
	ck_assert(roster_hear(roster, &report, now, wall()));
	ck_assert_uint_eq(roster_devices(roster), 0);
	ck_assert_status("alice", ONLINE); /* for the grace */
}
END_TEST

START_TEST(nonsense_is_left_alone)
{
	char long_id[200];

	memset(long_id, 'a', sizeof(long_id) - 1);
	long_id[sizeof(long_id) - 1] = '\0';
	begin(&first);
	ck_assert(say(&first, "", 1, PRESENCE(ONLINE)));
	ck_assert(say(&first, long_id, 1, PRESENCE(ONLINE)));
	ck_assert(say(&first, "alice", 1, PRESENCE(OFFLINE)));
	ck_assert(say(&first, "alice", 1, (PresenceStatus)9));
	first.edge = long_id;
	ck_assert(say(&first, "alice", 1, PRESENCE(ONLINE)));
	first.edge = "";
	ck_assert(say(&first, "alice", 1, PRESENCE(ONLINE)));
	first.edge = "e1";
	first.loop = 64;
	ck_assert(say(&first, "alice", 1, PRESENCE(ONLINE)));
	ck_assert_uint_eq(roster_users(roster), 0);
}
END_TEST

START_TEST(what_is_told_once_is_not_told_again)
{
	begin(&first);
	ck_assert(say(&first, "alice", 1, PRESENCE(ONLINE)));
	ck_assert(roster_tell(roster, "alice", PRESENCE(ONLINE)));
	ck_assert(!roster_tell(roster, "alice", PRESENCE(ONLINE)));
	ck_assert(roster_tell(roster, "alice", PRESENCE(AWAY)));
	ck_assert(!roster_tell(roster, "nobody", PRESENCE(ONLINE)));
}
END_TEST

START_TEST(a_successor_tells_again_what_may_have_been_lost)
{
	const char *changed[4];

	begin(&first);
	ck_assert(say(&first, "alice", 1, PRESENCE(ONLINE)));
	now += 60000;
	(void)say_heartbeat(&first);
	ck_assert(say(&first, "bob", 1, PRESENCE(ONLINE)));
	roster_forget(roster);
	ck_assert_uint_eq(roster_take_changed(roster, &arena, 4, changed), 0);
	ck_assert(!roster_tell(roster, "bob", PRESENCE(ONLINE)));
	roster_doubt(roster, now - 10000);
	ck_assert_uint_eq(roster_take_changed(roster, &arena, 4, changed), 1);
	ck_assert_str_eq(changed[0], "bob");
	ck_assert(roster_tell(roster, "bob", PRESENCE(ONLINE)));
}
END_TEST

START_TEST(what_some_were_told_out_of_turn_is_told_to_all)
{
	const char *changed[4];

	begin(&first);
	ck_assert(say(&first, "alice", 1, PRESENCE(ONLINE)));
	ck_assert_uint_eq(roster_take_changed(roster, &arena, 4, changed), 1);
	ck_assert(roster_tell(roster, "alice", PRESENCE(ONLINE)));
	roster_tell_some(roster, "alice", PRESENCE(ONLINE));
	ck_assert_uint_eq(roster_take_changed(roster, &arena, 4, changed), 0);
	/* A list says away, and alice is back before her friends were told of it. */
	ck_assert(say(&first, "alice", 1, PRESENCE(AWAY)));
	roster_tell_some(roster, "alice", PRESENCE(AWAY));
	ck_assert(say(&first, "alice", 1, PRESENCE(ONLINE)));
	ck_assert_uint_eq(roster_take_changed(roster, &arena, 4, changed), 1);
	ck_assert(roster_tell(roster, "alice", PRESENCE(ONLINE)));
}
END_TEST

START_TEST(two_loops_that_grow_at_once_close_what_is_too_much_once)
{
	struct roster_excess excess[4];

	begin(&first);
	begin(&second);
	ck_assert(say(&first, "alice", 4, PRESENCE(ONLINE)));
	ck_assert(say(&second, "alice", 1, PRESENCE(ONLINE)));
	now += SETTLE;
	ck_assert_uint_eq(roster_take_excess(roster, &arena, now, 4, excess), 1);
	ck_assert_str_eq(excess[0].edge, "e2");
	ck_assert_uint_eq(excess[0].sockets, 1);
}
END_TEST

START_TEST(what_was_taken_can_be_given_back)
{
	struct roster_wish wishes[4];
	const char *changed[4];

	begin(&first);
	ck_assert(say(&first, "alice", 1, PRESENCE(ONLINE)));
	ck_assert_uint_eq(roster_take_changed(roster, &arena, 4, changed), 1);
	ck_assert_uint_eq(roster_take_wishes(roster, &arena, 4, wishes), 1);
	ck_assert_str_eq(wishes[0].edge, "e1");
	ck_assert_uint_eq(roster_take_wishes(roster, &arena, 4, wishes + 1), 0);
	roster_give_back(roster, changed, 1, wishes, 1);
	ck_assert_uint_eq(roster_take_changed(roster, &arena, 4, changed), 1);
	ck_assert_uint_eq(roster_take_wishes(roster, &arena, 4, wishes), 1);
}
END_TEST

START_TEST(a_wish_is_as_new_as_the_report_that_said_it_last)
{
	struct roster_wish wishes[4];

	begin(&first);
	ck_assert(say(&first, "alice", 1, PRESENCE(ONLINE)));
	ck_assert(say(&first, "bob", 1, PRESENCE(ONLINE)));
	ck_assert(say(&first, "alice", 2, PRESENCE(ONLINE)));
	ck_assert_uint_eq(roster_take_wishes(roster, &arena, 4, wishes), 2);
	ck_assert_str_eq(wishes[0].user_id, "alice");
	ck_assert_uint_eq(wishes[0].loop, first.loop);
	ck_assert_uint_eq(wishes[0].report, first.number);
	ck_assert_uint_eq(wishes[1].report, first.number - 1);
}
END_TEST

START_TEST(too_many_sockets_are_told_to_the_loop_that_came_last)
{
	struct roster_excess excess[4];

	begin(&first);
	begin(&second);
	ck_assert(say(&first, "alice", 2, PRESENCE(ONLINE)));
	ck_assert(say(&second, "alice", 3, PRESENCE(ONLINE)));
	ck_assert_uint_eq(roster_take_excess(roster, &arena, now, 4, excess), 0);
	now += SETTLE;
	ck_assert_uint_eq(roster_take_excess(roster, &arena, now, 4, excess), 1);
	ck_assert_str_eq(excess[0].edge, "e2");
	ck_assert_uint_eq(excess[0].sockets, 2);
	ck_assert_uint_eq(roster_take_excess(roster, &arena, now, 4, excess), 0);
}
END_TEST

START_TEST(a_successor_counts_them_again)
{
	struct roster_excess excess[4];

	begin(&first);
	begin(&second);
	ck_assert(say(&first, "bob", 3, PRESENCE(ONLINE)));
	ck_assert(say(&first, "alice", 2, PRESENCE(ONLINE)));
	ck_assert(say(&second, "alice", 3, PRESENCE(ONLINE)));
	roster_forget(roster);
	roster_recount(roster, now);
	now += SETTLE;
	ck_assert_uint_eq(roster_take_excess(roster, &arena, now, 4, excess), 1);
	ck_assert_str_eq(excess[0].user_id, "alice");
	ck_assert_str_eq(excess[0].edge, "e2");
}
END_TEST

START_TEST(one_socket_too_many_for_a_moment_is_none)
{
	struct roster_excess excess[4];

	begin(&first);
	begin(&second);
	ck_assert(say(&first, "alice", 3, PRESENCE(ONLINE)));
	ck_assert(say(&second, "alice", 1, PRESENCE(ONLINE)));
	ck_assert(say(&first, "alice", 2, PRESENCE(ONLINE)));
	now += SETTLE;
	ck_assert_uint_eq(roster_take_excess(roster, &arena, now, 4, excess), 0);
}
END_TEST

static void count_edge(void *arg, struct roster_edge *edge)
{
	(void)edge;
	++*(int *)arg;
}

START_TEST(an_edge_is_named_once_for_all_its_loops)
{
	struct voice other = { "e1", 1, 0 };
	int n = 0;

	begin(&first);
	begin(&other);
	begin(&second);
	ck_assert(say(&first, "alice", 1, PRESENCE(ONLINE)));
	ck_assert(say(&second, "alice", 1, PRESENCE(ONLINE)));
	ck_assert(say(&other, "alice", 1, PRESENCE(ONLINE)));
	roster_each_edge_of(roster, "alice", count_edge, &n);
	ck_assert_int_eq(n, 2);
	roster_each_edge_of(roster, "nobody", count_edge, &n);
	ck_assert_int_eq(n, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("presence/roster");
	TCase *tc = tcase_create("roster");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_best_of_all_devices_counts);
	tcase_add_test(tc, a_reconnect_within_the_grace_changes_nothing);
	tcase_add_test(tc, after_the_grace_one_is_offline_and_was_seen_before_it);
	tcase_add_test(tc, a_silent_edge_has_no_sockets);
	tcase_add_test(tc, a_dead_edge_takes_nobody_from_another);
	tcase_add_test(tc, silence_does_not_count_while_nothing_could_be_heard);
	tcase_add_test(tc, a_missed_report_is_noticed);
	tcase_add_test(tc, a_heartbeat_shows_what_was_missed_before_it);
	tcase_add_test(tc, an_unknown_edge_is_asked);
	tcase_add_test(tc, a_part_of_a_table_that_is_missing_ends_nothing);
	tcase_add_test(tc, loops_of_an_edge_are_counted_apart);
	tcase_add_test(tc, an_edge_that_leaves_takes_its_sockets_along);
	tcase_add_test(tc, nonsense_is_left_alone);
	tcase_add_test(tc, what_is_told_once_is_not_told_again);
	tcase_add_test(tc, a_successor_tells_again_what_may_have_been_lost);
	tcase_add_test(tc, what_some_were_told_out_of_turn_is_told_to_all);
	tcase_add_test(tc, two_loops_that_grow_at_once_close_what_is_too_much_once);
	tcase_add_test(tc, what_was_taken_can_be_given_back);
	tcase_add_test(tc, a_wish_is_as_new_as_the_report_that_said_it_last);
	tcase_add_test(tc, too_many_sockets_are_told_to_the_loop_that_came_last);
	tcase_add_test(tc, a_successor_counts_them_again);
	tcase_add_test(tc, one_socket_too_many_for_a_moment_is_none);
	tcase_add_test(tc, an_edge_is_named_once_for_all_its_loops);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
