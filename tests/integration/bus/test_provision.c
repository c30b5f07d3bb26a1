/* `ww provision` as a library: idempotent, and never an editor. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "bus/provision.h"
#include "support/nats.h"
#include "support/support.h"

static struct support_nats nats;

static void setup(void)
{
	support_nats_start(&nats);
}

static void teardown(void)
{
	support_nats_stop(&nats, SIGTERM);
}

static void collect(void *arg, const char *line)
{
	buf_appendf(arg, "%s\n", line);
}

static size_t count(struct buf *text, const char *word)
{
	size_t n = 0;

	for (const char *at = buf_str(text); (at = strstr(at, word)) != NULL; at++)
		n++;
	return n;
}

static void provision(struct bus *bus, int64_t events_max_bytes, struct buf *ret_lines)
{
	struct provision_config cfg = { 1, events_max_bytes, 64LL << 20 };
	struct err err = ERR_INIT;

	*ret_lines = (struct buf)BUF_INIT;
	ck_assert_ok(bus_provision(bus, &cfg, collect, ret_lines, &err), err);
}

START_TEST(second_provisioning_changes_nothing)
{
	struct bus *bus = support_nats_bus(&nats, "ops");
	struct buf first, second;

	provision(bus, 64LL << 20, &first);
	ck_assert_msg(
	    count(&first, ": created\n") == 9 && count(&first, "\n") == 9, "%s", buf_str(&first));
	provision(bus, 64LL << 20, &second);
	ck_assert_msg(
	    count(&second, ": exists\n") == 9 && count(&second, "\n") == 9, "%s", buf_str(&second));
	buf_finish(&first);
	buf_finish(&second);
	bus_close(bus);
}
END_TEST

START_TEST(other_settings_are_reported_and_left)
{
	struct bus *bus = support_nats_bus(&nats, "ops");
	struct buf lines;

	provision(bus, 64LL << 20, &lines);
	for (int i = 0; i < 2; i++) {
		buf_finish(&lines);
		provision(bus, 32LL << 20, &lines);
		ck_assert_msg(count(&lines, "stream WW_EVENTS: max_bytes is 67108864, wanted "
					    "33554432: left as it is\n") == 1,
		    "%s", buf_str(&lines));
		ck_assert_msg(count(&lines, ": exists\n") == 8, "%s", buf_str(&lines));
	}
	buf_finish(&lines);
	bus_close(bus);
}
END_TEST

START_TEST(stream_larger_than_the_server_may_hold_is_an_error)
{
	struct provision_config cfg = { 1, 1LL << 50, 64LL << 20 };
	struct bus *bus = support_nats_bus(&nats, "ops");
	struct err err = ERR_INIT;

	ck_assert_int_ne(bus_provision(bus, &cfg, NULL, NULL, &err), STATUS_OK);
	ck_assert_msg(strstr(err.msg, STREAM_EVENTS) != NULL, "%s", err.msg);
	bus_close(bus);
}
END_TEST

START_TEST(a_service_may_not_provision)
{
	struct provision_config cfg = { 1, 64LL << 20, 64LL << 20 };
	struct bus *bus = support_nats_bus(&nats, "notifications");
	struct err err = ERR_INIT;

	ck_assert_int_ne(bus_provision(bus, &cfg, NULL, NULL, &err), STATUS_OK);
	bus_close(bus);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bus_provision");
	TCase *tc = tcase_create("provision");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, second_provisioning_changes_nothing);
	tcase_add_test(tc, other_settings_are_reported_and_left);
	tcase_add_test(tc, stream_larger_than_the_server_may_hold_is_an_error);
	tcase_add_test(tc, a_service_may_not_provision);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
