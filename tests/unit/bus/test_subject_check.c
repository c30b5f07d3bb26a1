/* What may be sent to the server as a subject, a key or a name. */
#include <string.h>

#include "base/attrs.h"
#include "bus/subject_check.h"
#include "support/support.h"

static const struct {
	const char *subject;
	bool literal, pattern, reply;
} subjects[] = {
	{ "ww.rt.all", true, true, true },
	{ "ww.rt.user.alice", true, true, true },
	{ "ww.rt.user.a=2Eb_-Z9", true, true, true },
	{ "_INBOX.edge.AbC-_.12-3", true, true, true },
	{ "ww.rt.user.*", false, true, false },
	{ "*.rt", false, true, false },
	{ "ww.>", false, true, false },
	{ ">", false, true, false },
	{ "ww.>.x", false, false, false },
	{ "ww.a*", false, false, false },
	{ "ww.**", false, false, false },
	{ "", false, false, false },
	{ ".", false, false, true },
	{ "ww.", false, false, true },
	{ ".ww", false, false, true },
	{ "ww..rt", false, false, true },
	{ "ww.a b", false, false, false },
	{ "ww.a\tb", false, false, false },
	{ "ww.x 0\r\n\r\nPUB secret 2\r\nhi", false, false, false },
	{ "ww.a\x7f", false, false, false },
	{ "ww.\xc3\xa4", false, false, false },
	{ "$JS.ACK.WW_EVENTS.notifications.1", false, false, true },
	{ "ww.a/b", false, false, true },
};

START_TEST(subjects_are_told_apart)
{
	const char *subject = subjects[_i].subject;

	ck_assert_msg(
	    bus_subject_is_literal(subject) == subjects[_i].literal, "literal: %s", subject);
	ck_assert_msg(
	    bus_subject_is_pattern(subject) == subjects[_i].pattern, "pattern: %s", subject);
	ck_assert_msg(bus_subject_is_reply(subject) == subjects[_i].reply, "reply: %s", subject);
}
END_TEST

START_TEST(a_subject_has_at_most_512_bytes)
{
	char subject[514];

	memset(subject, 'a', 513);
	subject[513] = '\0';
	ck_assert(!bus_subject_is_literal(subject));
	ck_assert(!bus_subject_is_reply(subject));
	subject[512] = '\0';
	ck_assert(bus_subject_is_literal(subject));
	ck_assert(bus_subject_is_reply(subject));
}
END_TEST

static const struct {
	const char *text;
	bool key, name;
} keys[] = {
	{ "alice", true, true },
	{ "alice.sid-1", true, false },
	{ "a/b=c_d", true, false },
	{ "A-Z_09", true, true },
	{ "", false, false },
	{ ".a", false, false },
	{ "a.", false, false },
	{ "a..b", false, false },
	{ "a b", false, false },
	{ "a:b", false, false },
	{ "a*", false, false },
	{ ">", false, false },
	{ "a\r\n", false, false },
	{ "X-Evil: 1\r\nNats-Msg-Id", false, false },
};

START_TEST(keys_and_names_are_told_apart)
{
	ck_assert_msg(bus_kv_key_is_valid(keys[_i].text) == keys[_i].key, "key: %s", keys[_i].text);
	ck_assert_msg(bus_name_is_valid(keys[_i].text) == keys[_i].name, "name: %s", keys[_i].text);
}
END_TEST

static const struct {
	const char *pattern, *subject;
	bool fits;
} fits[] = {
	{ "ww.rt.all", "ww.rt.all", true },
	{ "ww.rt.all", "ww.rt.al", false },
	{ "ww.rt.all", "ww.rt.all.more", false },
	{ "ww.rt.all", "ww.rt", false },
	{ "ww.rt.all", "$KV.ww_tracking.x", false },
	{ "ww.rt.user.*", "ww.rt.user.alice", true },
	{ "ww.rt.user.*", "ww.rt.user.", false },
	{ "ww.rt.user.*", "ww.rt.user", false },
	{ "ww.rt.user.*", "ww.rt.user.alice.more", false },
	{ "ww.*.e1.*", "ww.edge.e1.poll", true },
	{ "ww.*.e1.*", "ww.edge.e2.poll", false },
	{ "_INBOX.edge.>", "_INBOX.edge.a.b", true },
	{ "_INBOX.edge.>", "_INBOX.edge.a", true },
	{ "_INBOX.edge.>", "_INBOX.edge.", false },
	{ "_INBOX.edge.>", "_INBOX.edge", false },
	{ ">", "ww", true },
	{ ">", "", false },
	{ "ww", "", false },
};

START_TEST(a_pattern_stands_for_its_subjects_alone)
{
	ck_assert_msg(bus_subject_fits(fits[_i].pattern, fits[_i].subject) == fits[_i].fits,
	    "%s and %s", fits[_i].pattern, fits[_i].subject);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bus_subject_check");
	TCase *tc = tcase_create("checks");

	tcase_add_loop_test(tc, subjects_are_told_apart, 0, (int)ARRAY_LEN(subjects));
	tcase_add_test(tc, a_subject_has_at_most_512_bytes);
	tcase_add_loop_test(tc, keys_and_names_are_told_apart, 0, (int)ARRAY_LEN(keys));
	tcase_add_loop_test(tc, a_pattern_stands_for_its_subjects_alone, 0, (int)ARRAY_LEN(fits));
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
